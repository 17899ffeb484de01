"""Quantities from the cells of a data set: accuracies, their differences, costs, sensitivity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossover.analysis.claims.quantity import ClaimInputs, Estimate, NotMeasured, Selection, Unit
from crossover.analysis.results import CellResult
from crossover.analysis.statistics import (
    Interval,
    Resamples,
    accuracy_interval,
    percentile_interval,
    selected_difference,
)
from crossover.core.cell import DEFAULT, FAMILIES
from crossover.core.errors import CrossoverError
from crossover.core.numbers import points

_OVER_TEST = "95 % interval over test examples and repetitions"

_COSTS: dict[str, tuple[str, Unit]] = {
    "fit_seconds": ("time to fit", "seconds"),
    "latency_p50_ms": ("time of one prediction", "milliseconds"),
    "latency_p95_ms": ("95th percentile of the time of one prediction", "milliseconds"),
    "model_bytes": ("space on disk", "bytes"),
    "peak_memory_bytes": ("memory of the process while it fits", "bytes"),
    "fit_memory_bytes": ("memory that a fit adds", "bytes"),
    "fit_energy_j": ("energy of a fit", "joules"),
}


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """Mean test accuracy of one cell, with Wilson's interval on its effective sample size.

    Attributes:
        features: name of the feature set.
        model: name of the model.
        variant: "default" or "tuned".
    """

    features: str
    model: str
    variant: str = DEFAULT

    def __post_init__(self) -> None:
        self._selection()

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        selection = self._selection()
        cells = selection.cells(inputs.results)
        if not cells:
            return selection.missing(inputs.results)
        cell = cells[0]
        interval, what = accuracy_interval(cell.correct), f"accuracy of {cell.cell.described}"
        return Estimate(what, cell.mean("accuracy"), interval, f"{_OVER_TEST}, n = {cell.n}", "accuracy")

    def _selection(self) -> Selection:
        return Selection.parse(vars(self))


@dataclass(frozen=True, kw_only=True)
class AccuracyDifference:
    """Mean test accuracy of the best of some cells minus that of the best of others.

    The interval is that of the paired two-level bootstrap. Where a side has several cells, choosing the best of
    them is chance too: the interval then also covers that of the difference in which the best are chosen and
    scored on different test examples, as the verdict asks of a lead (`Verdict.winner`).

    Attributes:
        cells: of the first side.
        minus: of the other side.
    """

    cells: Selection
    minus: Selection

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        results = inputs.results
        a, b = self.cells.indices(results), self.minus.indices(results)
        for side, selection in ((a, self.cells), (b, self.minus)):
            if not side:
                return selection.missing(results)
        first, second = results.cells[a[0]], results.cells[b[0]]
        samples, interval = _paired(inputs.resamples, a, b)
        return Estimate(
            what=f"accuracy of {first.cell.described} minus that of {second.cell.described}",
            value=first.mean("accuracy") - second.mean("accuracy"),
            interval=interval,
            interval_of=_OVER_TEST,
            unit="points",
            samples=samples,
            note=_chosen(len(a), len(b)),
        )


def _paired(resamples: Resamples, a: list[int], b: list[int]) -> tuple[np.ndarray, Interval]:
    plain = resamples.in_bag[:, a[0]] - resamples.in_bag[:, b[0]]
    interval = percentile_interval(plain)
    if len(a) == len(b) == 1:
        return plain, interval
    selected = percentile_interval(selected_difference(resamples, a, b))
    return plain, Interval(min(interval.low, selected.low), max(interval.high, selected.high))


def _chosen(a: int, b: int) -> str:
    sides = [
        f"the {which} is the best of {count}" for which, count in (("first", a), ("second", b)) if count > 1
    ]
    if not sides:
        return ""
    words = " and ".join(sides)
    return f"{words[0].upper()}{words[1:]}, and the interval allows for that choice."


@dataclass(frozen=True, kw_only=True)
class FeatureGain:
    """What a feature set adds to the accuracy of a classical model, on average over the models.

    The interval is that of the paired two-level bootstrap over test examples and repetitions; it speaks of these
    models, not of others.

    Attributes:
        features: the feature set.
        over: the one that it is compared with.
    """

    features: str
    over: str

    def __post_init__(self) -> None:
        for features in (self.features, self.over):
            self._selection(features)

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        results = inputs.results
        new, old = (self._by_model(features, inputs) for features in (self.features, self.over))
        for side, features in ((new, self.features), (old, self.over)):
            if not side:
                return self._selection(features).missing(results)
        models = [model for model in new if model in old]  # the best on the new features first
        if not models:
            return NotMeasured(f"this study has no model on both {self.features} and {self.over}")
        in_bag = inputs.resamples.in_bag
        samples = np.mean([in_bag[:, new[m]] - in_bag[:, old[m]] for m in models], axis=0)
        gains = {m: _gain(results.cells[new[m]], results.cells[old[m]]) for m in models}
        return Estimate(
            what=f"accuracy on {self.features} minus that on {self.over}, mean over {len(models)} models",
            value=float(np.mean(list(gains.values()))),
            interval=percentile_interval(samples),
            interval_of=_OVER_TEST,
            unit="points",
            samples=samples,
            note=f"By model: {', '.join(f'{model} {points(gain)}' for model, gain in gains.items())}.",
        )

    def _selection(self, features: str) -> Selection:
        return Selection.parse({"features": features, "family": "classical"})

    def _by_model(self, features: str, inputs: ClaimInputs) -> dict[str, int]:
        """Where each classical model on these features stands in the results."""
        cells = inputs.results.cells
        return {cells[i].cell.model: i for i in self._selection(features).indices(inputs.results)}


def _gain(new: CellResult, old: CellResult) -> float:
    return new.mean("accuracy") - old.mean("accuracy")


@dataclass(frozen=True, kw_only=True)
class CostRatio:
    """Geometric mean of a cost over some cells divided by that over others.

    The interval holds the middle 95 % of the ratios of all pairs of one cell of each side. It speaks of models,
    not of chance: of two models taken from the two sides, how many times the cost is one's of the other's?

    Attributes:
        column: of the result rows.
        cells: above the line.
        over: below the line.
    """

    column: str
    cells: Selection
    over: Selection

    def __post_init__(self) -> None:
        _require_cost(self.column)

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        sides = []
        for selection in (self.cells, self.over):
            found = _with_cost(selection, self.column, inputs)
            if isinstance(found, NotMeasured):
                return found
            sides.append(found)
        above, below = ([cell.mean(self.column) for cell in side] for side in sides)
        ratios = np.divide.outer(above, below).ravel()
        what = f"{_COSTS[self.column][0]}, {_mean_of(sides[0])} over {_mean_of(sides[1])}"
        interval_of = (
            f"middle 95 % of the {ratios.size} pairs of models"
            if ratios.size > 1
            else "a single pair of models"
        )
        return Estimate(
            what=what,
            value=float(np.exp(np.log(ratios).mean())),
            interval=percentile_interval(ratios),
            interval_of=interval_of,
            unit="times",
            samples=ratios,
            sampled="pairs",
            note=_devices([*sides[0], *sides[1]]),
        )


@dataclass(frozen=True, kw_only=True)
class HighestCost:
    """Mean cost over the fits of that one of some cells in which it is highest.

    The interval reaches from the lowest to the highest of its fits.

    Attributes:
        column: of the result rows.
        cells: the candidates.
        device: where all fits must have run for a cell to count, as "cpu"; None for anywhere.
    """

    column: str
    cells: Selection
    device: str | None = None

    def __post_init__(self) -> None:
        _require_cost(self.column)

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        found = _with_cost(self.cells, self.column, inputs)
        if isinstance(found, NotMeasured):
            return found
        there = [cell for cell in found if self.device is None or _on(cell) == {self.device}]
        if not there:
            return NotMeasured(f"none of the cells ran on the device {self.device}")
        highest = max(there, key=lambda cell: cell.mean(self.column))
        fits = pd.to_numeric(highest.costs[self.column]).dropna()
        words, unit = _COSTS[self.column]
        left_out = [cell.cell.described for cell in found if cell not in there]
        return Estimate(
            what=f"{words} of {highest.cell.described}, the highest of {len(there)}",
            value=highest.mean(self.column),
            interval=Interval(float(fits.min()), float(fits.max())),
            interval_of="its fits" if len(fits) > 1 else "a single fit",
            unit=unit,
            note=f"Left out, since they ran elsewhere: {', '.join(left_out)}." if left_out else "",
        )


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """How much further the networks' validation accuracies scatter over random configurations: `sensitivity.py`."""

    def measure(self, inputs: ClaimInputs) -> Estimate | NotMeasured:
        if inputs.tuning is None:
            return NotMeasured("nothing was tuned")
        if not all(inputs.tuning.family(family) for family in FAMILIES):
            return NotMeasured("the tuned models are of one family alone")
        verdict = inputs.tuning.sensitivity
        if verdict is None:
            return NotMeasured("the searches cannot be compared: see its section on tuning", possible=False)
        return Estimate(
            what="mean interquartile range over random configurations, networks minus classical models",
            value=verdict.iqr.value,
            interval=verdict.iqr.interval,
            interval_of="95 % interval over the trials",
            unit="points",
        )


def _require_cost(column: str) -> None:
    if column not in _COSTS:
        raise CrossoverError(f"column must be one of {', '.join(_COSTS)}, got {column!r}")


def _with_cost(selection: Selection, column: str, inputs: ClaimInputs) -> list[CellResult] | NotMeasured:
    """The selected cells of which the cost was measured; a cost of 0 is below what the clock can tell."""
    cells = selection.cells(inputs.results)
    if not cells:
        return selection.missing(inputs.results)
    measured = [cell for cell in cells if cell.mean(column) > 0]
    return measured or NotMeasured(f"no {column} was measured")


def _mean_of(cells: list[CellResult]) -> str:
    return (
        cells[0].cell.described
        if len(cells) == 1
        else f"geometric mean of {len(cells)} {_common(cells)} cells"
    )


def _common(cells: list[CellResult]) -> str:
    """What the cells have in common: their model, or else their families."""
    models, families = {cell.cell.model for cell in cells}, {cell.family for cell in cells}
    return next(iter(models)) if len(models) == 1 else " and ".join(sorted(families))


def _on(cell: CellResult) -> set[str]:
    return set(cell.costs["device"].astype(str))


def _devices(cells: list[CellResult]) -> str:
    devices = sorted(set().union(*map(_on, cells)))
    return f"They ran on different devices ({', '.join(devices)})." if len(devices) > 1 else ""
