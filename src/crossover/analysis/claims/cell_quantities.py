"""Quantities from the cells of a data set: accuracies, their differences, costs, sensitivity."""

from typing import Literal

import numpy as np
import pandas as pd

from crossover.analysis.bootstrap import selected_difference
from crossover.analysis.claims.quantity import (
    CellFilter,
    Cells,
    ClaimInputs,
    Estimate,
    NotMeasured,
    Quantity,
    Unit,
    indices,
    no_cell,
)
from crossover.analysis.results import CellResult
from crossover.analysis.statistics import Interval, percentile_interval
from crossover.core.cell import DEFAULT, FAMILIES

Cost = Literal[
    "fit_seconds",
    "latency_p50_ms",
    "latency_p95_ms",
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
        variant: "default" or "tuned".

    Facts: cell.
    """

    kind: Literal["accuracy"]
    features: str
    model: str
    variant: str = DEFAULT

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        wanted = [CellFilter(features=self.features, model=self.model, variant=self.variant)]
        found = indices(wanted, inputs.results)
        if not found:
            return no_cell(wanted, inputs.results)
        cell = inputs.results.cells[found[0]]
        value, interval = cell.mean("accuracy"), cell.accuracy_interval
        return Estimate(self, value, interval, "resamples", "accuracy", facts={"cell": cell})


class AccuracyDifference(Quantity):
    """Mean test accuracy of the best of some cells minus that of the best of others.

    The interval is that of the paired two-level bootstrap. Where a side has several cells, choosing the best of
    them is chance too: the interval then also covers that of the difference in which the best are chosen and
    scored on different test examples, as the verdict requires of a lead (`Verdict.winner`).

    Attributes:
        cells: of the first side.
        minus: of the other side.

    Facts: first and second, the best cells; candidates, how many each is the best of.
    """

    kind: Literal["accuracy_difference"]
    cells: Cells
    minus: Cells

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        results, resamples = inputs.results, inputs.results.resamples
        a, b = indices(self.cells, results), indices(self.minus, results)
        if not a or not b:
            return no_cell(self.minus if a else self.cells, results)
        first, second = results.cells[a[0]], results.cells[b[0]]
        samples = resamples.in_bag[:, a[0]] - resamples.in_bag[:, b[0]]
        interval = percentile_interval(samples)
        if len(a) > 1 or len(b) > 1:
            selected = percentile_interval(selected_difference(resamples, a, b))
            interval = Interval(min(interval.low, selected.low), max(interval.high, selected.high))
        return Estimate(
            self,
            first.mean("accuracy") - second.mean("accuracy"),
            interval,
            "resamples",
            "points",
            samples,
            {"first": first, "second": second, "candidates": (len(a), len(b))},
        )


class FeatureGain(Quantity):
    """What a feature set adds to the accuracy of a classical model, on average over the models.

    The interval is that of the paired two-level bootstrap over test examples and repetitions; it holds for these
    models, not for others.

    Attributes:
        features: the feature set.
        over: the one that it is compared with.

    Facts: gains, by model, the best on the new features first.
    """

    kind: Literal["feature_gain"]
    features: str
    over: str

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        cells, in_bag = inputs.results.cells, inputs.results.resamples.in_bag
        sides: list[dict[str, int]] = []  # for each feature set, the positions of its models in the results
        for features in (self.features, self.over):
            wanted = [CellFilter(features=features, family="classical")]
            sides.append({cells[i].cell.model: i for i in indices(wanted, inputs.results)})
            if not sides[-1]:
                return no_cell(wanted, inputs.results)
        new, old = sides
        models = [model for model in new if model in old]
        if not models:
            return NotMeasured("no common model", {"features": self.features, "over": self.over})
        samples = np.mean([in_bag[:, new[m]] - in_bag[:, old[m]] for m in models], axis=0)
        gains = {m: cells[new[m]].mean("accuracy") - cells[old[m]].mean("accuracy") for m in models}
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
    """Geometric mean of a cost over some cells divided by that over others.

    The interval holds the middle 95 % of the ratios of all pairs of one cell of each side. It is about models, not
    about chance: of two models, one from each side, how many times as much does the first cost as the second?

    Attributes:
        column: the cost.
        cells: of the numerator.
        over: of the denominator.

    Facts: above and below, the cells of both sides with that cost; devices, on which they ran.
    """

    kind: Literal["cost_ratio"]
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
        above, below = sides
        costs = [[cell.mean(self.column) for cell in side] for side in sides]
        ratios = np.divide.outer(*costs).ravel()
        devices = sorted(set().union(*(_devices(cell) for cell in [*above, *below])))
        return Estimate(
            self,
            float(np.exp(np.log(ratios).mean())),
            percentile_interval(ratios),
            "pairs",
            "times",
            ratios,
            {"above": above, "below": below, "devices": devices},
        )


class HighestCost(Quantity):
    """Mean cost over the fits of the cell in which it is highest, of some cells.

    The interval reaches from the lowest to the highest of its fits.

    Attributes:
        column: the cost.
        cells: the candidates.
        device: where all fits must have run for a cell to count, as "cpu"; None for anywhere.

    Facts: cell; candidates, how many it is the highest of; n, its fits; left_out, the cells that ran elsewhere.
    """

    kind: Literal["highest_cost"]
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
        fits = pd.to_numeric(highest.costs[self.column]).dropna()
        left_out = [cell for cell in found if cell not in there]
        return Estimate(
            self,
            highest.mean(self.column),
            Interval(float(fits.min()), float(fits.max())),
            "fits",
            _UNITS[self.column],
            facts={"cell": highest, "candidates": len(there), "n": len(fits), "left_out": left_out},
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
    found = [inputs.results.cells[i] for i in indices(cells, inputs.results)]
    if not found:
        return no_cell(cells, inputs.results)
    measured = [cell for cell in found if cell.mean(column) > 0]
    return measured or NotMeasured("no cost", {"column": column})


def _devices(cell: CellResult) -> set[str]:
    return set(cell.costs["device"].astype(str))
