"""Quantities from the cells of a data set: accuracies, their differences, costs, sensitivity."""

from typing import Literal

import numpy as np

from crossover.analysis.claims.quantity import (
    CellFilter,
    Cells,
    ClaimInputs,
    Estimate,
    NotMeasured,
    Quantity,
    Unit,
    matching,
    no_cell,
)
from crossover.analysis.results import CellResult
from crossover.analysis.statistics import Interval, percentile_interval
from crossover.core.cell import FAMILIES, TEXTBOOK, Tier

Cost = Literal[
    "fit_seconds",
    "latency_p50_ms",
    "latency_p95_ms",
    "throughput_per_s",
    "model_bytes",
    "peak_memory_bytes",
    "fit_memory_bytes",
    "fit_energy_j",
]
"""A column of the result rows."""

_UNITS: dict[Cost, Unit] = {
    "fit_seconds": "seconds",
    "latency_p50_ms": "milliseconds",
    "latency_p95_ms": "milliseconds",
    "throughput_per_s": "examples a second",
    "model_bytes": "bytes",
    "peak_memory_bytes": "bytes",
    "fit_memory_bytes": "bytes",
    "fit_energy_j": "joules",
}


class Accuracy(Quantity):
    """Mean test accuracy of one cell, with Wilson's interval on its effective sample size.

    Attributes:
        features: name of the feature set.
        model: name of the model.
        tier: as of `CellFilter`.

    Facts: cell.
    """

    kind: Literal["accuracy"]
    features: str
    model: str
    tier: Tier = TEXTBOOK

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        wanted = [CellFilter(features=self.features, model=self.model, tier=self.tier)]
        found = matching(wanted, inputs.results)
        if not found:
            return no_cell(wanted, inputs.results)
        cell = found[0]
        value, interval = cell.mean("accuracy"), cell.score_interval
        return Estimate(self, value, interval, "resamples", "accuracy", facts={"cell": cell})


class AccuracyDifference(Quantity):
    """Mean test accuracy of the best of some cells minus that of the best of others.

    The best are chosen on validation rows, as for the verdict. The interval is that of the verdict.

    Attributes:
        cells: of the first side.
        minus: of the other side.

    Facts: first and second, the best cells; candidates, how many each is the best of.
    """

    kind: Literal["accuracy_difference"]
    cells: Cells
    minus: Cells

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        results = inputs.results
        a, b = matching(self.cells, results), matching(self.minus, results)
        if not a or not b:
            return no_cell(self.minus if a else self.cells, results)
        first, second = a[0], b[0]
        samples = results.difference(first, second)
        return Estimate(
            self,
            first.mean("accuracy") - second.mean("accuracy"),
            percentile_interval(samples),
            "resamples",
            "points",
            samples,
            {"first": first, "second": second, "candidates": (len(a), len(b))},
        )


class FeatureGain(Quantity):
    """What a feature set adds to the accuracy of a classical model, on average over the models.

    The interval is from `DatasetResults.resamples`; it holds for these models, not for others.

    Attributes:
        features: the feature set.
        over: the one that it is compared with.

    Facts: gains, by model, the best on the new features first.
    """

    kind: Literal["feature_gain"]
    features: str
    over: str

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        sides: list[dict[str, CellResult]] = []  # for each feature set, its cells by model
        for features in (self.features, self.over):
            wanted = [CellFilter(features=features, family="classical")]
            sides.append({cell.cell.model: cell for cell in matching(wanted, inputs.results)})
            if not sides[-1]:
                return no_cell(wanted, inputs.results)
        new, old = sides
        models = [model for model in new if model in old]
        if not models:
            return NotMeasured("no common model", {"features": self.features, "over": self.over})
        samples = np.mean([inputs.results.difference(new[m], old[m]) for m in models], axis=0)
        gains = {m: new[m].mean("accuracy") - old[m].mean("accuracy") for m in models}
        return Estimate(
            self,
            float(np.mean(list(gains.values()))),
            percentile_interval(samples),
            "resamples",
            "points",
            samples,
            {"gains": gains},
        )


class CostRatio(Quantity):
    """A cost of the best of some cells divided by that of the best of others, each chosen on validation rows.

    The best are those that one would use; what the other models cost stands next to it as a median. The interval
    reaches from the lowest time of the first over the highest of the second to the opposite, over all fits and all
    repeated times of each, so it is at least as wide as one of 95 %.

    Attributes:
        column: the cost.
        cells: of the numerator.
        over: of the denominator.

    Facts: first and second, the best cells; candidates, how many each is the best of; median, of the ratios of all
    pairs of a cell of each side; devices, on which the two ran.
    """

    kind: Literal["cost_ratio"]
    of_accuracy = False
    column: Cost
    cells: Cells
    over: Cells

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        sides = []
        for side in (self.cells, self.over):
            found = _with_cost(side, self.column, inputs)
            if isinstance(found, NotMeasured):
                return found
            sides.append(found)
        first, second = (side[0] for side in sides)
        a, b = first.cost_range(self.column), second.cost_range(self.column)
        ratios = np.divide.outer(*([cell.mean(self.column) for cell in side] for side in sides))
        return Estimate(
            self,
            first.mean(self.column) / second.mean(self.column),
            Interval(a.low / b.high, a.high / b.low),
            "fits of both",
            "times",
            facts={
                "first": first,
                "second": second,
                "candidates": tuple(len(side) for side in sides),
                "median": float(np.median(ratios)),
                "devices": sorted(_devices(first) | _devices(second)),
            },
        )


class HighestCost(Quantity):
    """Mean cost over the fits of the cell in which it is highest, of some cells.

    The interval reaches from the lowest to the highest time of its fits.

    Attributes:
        column: the cost.
        cells: the candidates.
        device: where all fits must have run for a cell to count, as "cpu"; None for anywhere.

    Facts: cell; candidates, how many it is the highest of; n, its fits; left_out, the cells that ran elsewhere.
    """

    kind: Literal["highest_cost"]
    of_accuracy = False
    column: Cost
    cells: Cells
    device: str | None = None

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        found = _with_cost(self.cells, self.column, inputs)
        if isinstance(found, NotMeasured):
            return found
        there = [cell for cell in found if self.device is None or _devices(cell) == {self.device}]
        if not there:
            return NotMeasured("not on the device", {"device": self.device})
        highest = max(there, key=lambda cell: cell.mean(self.column))
        left_out = [cell for cell in found if cell not in there]
        return Estimate(
            self,
            highest.mean(self.column),
            highest.cost_range(self.column),
            "fits",
            _UNITS[self.column],
            facts={"cell": highest, "candidates": len(there), "n": highest.n, "left_out": left_out},
        )


class Sensitivity(Quantity):
    """How much further the networks' validation accuracies scatter over random configurations: `sensitivity.py`."""

    kind: Literal["sensitivity"]

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        if inputs.tuning is None:
            return NotMeasured("not tuned")
        if not all(inputs.tuning.family(family) for family in FAMILIES):
            return NotMeasured("one family tuned")
        compared = inputs.tuning.sensitivity
        if compared is None:
            return NotMeasured("searches do not compare", possible=False)
        return Estimate(self, compared.iqr.value, compared.iqr.interval, "trials", "points")


def _with_cost(cells: list[CellFilter], column: Cost, inputs: ClaimInputs) -> list[CellResult] | NotMeasured:
    """The cells of which the cost was measured; a cost of 0 is below what the clock can measure."""
    found = matching(cells, inputs.results)
    if not found:
        return no_cell(cells, inputs.results)
    measured = [cell for cell in found if cell.mean(column) > 0]
    return measured or NotMeasured("no cost", {"column": column})


def _devices(cell: CellResult) -> set[str]:
    return set(cell.costs["device"].astype(str))
