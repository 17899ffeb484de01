"""Which model to use, under what a model may cost and with how many labels."""

from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self

import numpy as np

from crossover.analysis.curve_comparison import CurveComparison, CurvePair, FamilyCurve
from crossover.analysis.power_law import FutureCrossing, extrapolated_crossing
from crossover.analysis.results import CellResult, DatasetResults
from crossover.analysis.statistics import (
    Interval,
    percentile_interval,
    selected_difference,
    share_ahead,
)
from crossover.core.cell import Family
from crossover.core.errors import CrossoverError

ORIGIN = "conf/decision/default.yaml"

_ROUNDING = 1e-9  # in binary, 0.98 - 0.975 is a little more than 0.005
_OTHER: dict[Family, Family] = {"deep": "classical", "classical": "deep"}

Standing = Literal["leads", "undecided", "tie"]


@dataclass(frozen=True)
class Constraints:
    """What a model may cost, and what counts as a difference.

    Attributes:
        latency_ms: longest median time of one prediction.
        size_mb: largest size on disk, in millions of bytes.
        labels: numbers of labels that somebody may have, rising.
        explainable: models whose predictions a person can follow.
        equivalence_points: a difference in accuracy below this, in points (0 to 100), does not matter.
    """

    latency_ms: float
    size_mb: float
    labels: list[int]
    explainable: list[str]
    equivalence_points: float

    @classmethod
    def from_config(cls, config: dict[str, Any], origin: str = ORIGIN) -> Self:
        """From plain values.

        Args:
            config: one value a field.
            origin: the file that they came from, for messages.

        Raises:
            CrossoverError: a key is unknown or missing, or a value is out of range.
        """
        known = [key.name for key in fields(cls)]
        if wrong := sorted(map(str, set(config) ^ set(known))):
            raise CrossoverError(
                f"{origin} must hold exactly the keys {', '.join(known)}; check {', '.join(wrong)}"
            )
        for name in ("latency_ms", "size_mb"):
            _require(_is_number(config[name]) and config[name] > 0, name, "a number above 0", config, origin)
        points = config["equivalence_points"]
        _require(
            _is_number(points) and 0 <= points <= 100, "equivalence_points", "0 to 100 points", config, origin
        )
        labels, models = config["labels"], config["explainable"]
        _require(_are_counts(labels), "labels", "a list of positive integers that rise", config, origin)
        names = isinstance(models, list) and all(isinstance(model, str) for model in models)
        _require(names, "explainable", "a list of names of models", config, origin)
        return cls(**config)

    @property
    def equivalence(self) -> float:
        """As a difference of accuracies, 0 to 1."""
        return self.equivalence_points / 100

    @property
    def conditions(self) -> list["Condition"]:
        """Those that single cells meet or fail; the first one asks for nothing."""
        limits = [
            Condition("accuracy first"),
            Condition(f"a prediction within {self.latency_ms:g} ms", "latency_p50_ms", self.latency_ms),
            Condition(f"a model of at most {self.size_mb:g} MB", "model_bytes", self.size_mb * 1e6),
        ]
        explained = Condition("predictions that can be explained", models=tuple(self.explainable))
        return [*limits, explained] if self.explainable else limits


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_counts(values: Any) -> bool:
    whole = isinstance(values, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in values)
    return whole and values == sorted(set(values)) and all(value > 0 for value in values)


def _require(condition: bool, name: str, what: str, config: dict[str, Any], origin: str) -> None:
    if not condition:
        raise CrossoverError(f"{name} must be {what}, got {config[name]!r} ({origin})")


@dataclass(frozen=True)
class Condition:
    """What a cell must meet to be recommended.

    Attributes:
        words: what it asks for.
        column: of the costs, whose mean must not exceed `limit`; empty where no cost counts.
        limit: in the unit of the column.
        models: the only ones allowed; None where all are.
    """

    words: str
    column: str = ""
    limit: float = float("inf")
    models: tuple[str, ...] | None = None

    def met_by(self, cell: CellResult) -> bool:
        """A cost that was not measured meets no limit."""
        allowed = self.models is None or cell.cell.model in self.models
        return allowed and (not self.column or cell.mean(self.column) <= self.limit)


@dataclass(frozen=True, eq=False)  # equal is the same: results have no plain ==
class Lead:
    """One cell beside another one that is not better.

    Attributes:
        cell: the one with the higher mean accuracy, or the same.
        other: the other one.
        difference: of the mean accuracies, cell minus other.
        interval: of that difference, by the paired two-level bootstrap.
        ahead: share of the resamples in which `cell` is ahead, ties counted half.
        within: share of the resamples in which it is ahead by no more than the least difference that matters.
    """

    cell: CellResult
    other: CellResult
    difference: float
    interval: Interval
    ahead: float
    within: float


@dataclass(frozen=True, eq=False)
class Recommendation:
    """The cell to use under one condition.

    Attributes:
        condition: what was asked for.
        use: the cell with the highest mean accuracy among those that meet it; None where none does.
        candidates: how many do.
        best: share of the resamples in which `use` is the best of them, ties shared; NaN where there is none.
        rival: its lead over the best of the other family that meets the condition; None where none does.
        standing: whether that lead stands, as in `verdict.judge`; None without a rival.
        cheaper: its lead over the cell that takes the least time to fit among those that meet the condition and
            are so little behind that it does not matter; None where `use` is that cell.
        price: the lead of the cell that one would use without a condition; None where that is `use`.
        nearest: the cell that fails the condition by the least; None where one meets it, or where there is no less.
    """

    condition: Condition
    use: CellResult | None
    candidates: int = 0
    best: float = float("nan")
    rival: Lead | None = None
    standing: Standing | None = None
    cheaper: Lead | None = None
    price: Lead | None = None
    nearest: CellResult | None = None


@dataclass(frozen=True)
class LabelAdvice:
    """The family to use with so many labels, from the learning curves.

    Attributes:
        labels: that one has.
        size: the largest measured size that does not exceed them; None where all do.
        use: the models of the family that is ahead there, each chosen on validation data in so many repetitions.
        instead_of: those of the other family; empty where it has no curve.
        accuracy: of `use`, mean over the repetitions.
        difference: of the accuracies of the two, NaN without the other.
        interval: of that difference, from the band that covers all sizes at once; None without the other.
        ahead: share of the resamples in which `use` is ahead, ties counted half; NaN without the other.
    """

    labels: int
    size: int | None = None
    use: dict[str, int] = field(default_factory=dict)
    instead_of: dict[str, int] = field(default_factory=dict)
    accuracy: float = float("nan")
    difference: float = float("nan")
    interval: Interval | None = None
    ahead: float = float("nan")


@dataclass(frozen=True, eq=False)
class Outlook:
    """Whether more labels would change which family leads.

    Attributes:
        largest: the largest measured size, N.
        leader: the family whose best has the higher mean accuracy there.
        models: the model of each family that is most often its best there, by the family's name.
        difference: of the accuracies of the families' best, leader minus other.
        interval: of that difference, from the band that covers all sizes at once.
        crossing: where the power laws of `models` cross up to 10 N; None where one of the two has no law.
        overtakes: the family that takes the lead there; None where they do not cross.
    """

    largest: int
    leader: Family
    models: dict[Family, str]
    difference: float
    interval: Interval
    crossing: FutureCrossing | None
    overtakes: Family | None


@dataclass(frozen=True, eq=False)
class Decision:
    """Which approach to use on one data set.

    Attributes:
        dataset: its name.
        constraints: what was asked for.
        n_test: examples of the test part.
        recommendations: one for each of `Constraints.conditions`.
        labels: one for each of `Constraints.labels`; empty where no learning curve was measured.
        outlook: None where the learning curves do not show both families.
    """

    dataset: str
    constraints: Constraints
    n_test: int
    recommendations: list[Recommendation]
    labels: list[LabelAdvice]
    outlook: Outlook | None


def decide(
    results: DatasetResults, curves: CurveComparison | None, constraints: Constraints
) -> Decision | None:
    """What to use under each constraint; None where no cell has a result.

    All differences between cells come from the same resamples.

    Args:
        results: the cells.
        curves: the learning curves of the same data set; None where none were measured.
        constraints: what a model may cost, and what counts as a difference.
    """
    if not results.cells:
        return None
    contest = _Contest(results, constraints.equivalence)
    return Decision(
        dataset=results.dataset,
        constraints=constraints,
        n_test=results.n_test,
        recommendations=[contest.recommend(condition) for condition in constraints.conditions],
        labels=[advise(curves, labels) for labels in constraints.labels] if curves else [],
        outlook=look_ahead(curves) if curves else None,
    )


class _Contest:
    """The cells of one data set in the same resamples."""

    def __init__(self, results: DatasetResults, equivalence: float):
        self._cells, self._equivalence = results.cells, equivalence
        self._resamples = results.resamples

    def recommend(self, condition: Condition) -> Recommendation:
        candidates = [cell for cell in self._cells if condition.met_by(cell)]  # best first
        if not candidates:
            return Recommendation(condition, None, nearest=self._nearest(condition))
        use, best = candidates[0], self._cells[0]
        others = [cell for cell in candidates if cell.family != use.family]
        cheaper = self._cheapest(candidates)
        return Recommendation(
            condition,
            use,
            candidates=len(candidates),
            best=self._best(candidates),
            rival=self._lead(use, others[0]) if others else None,
            standing=self._standing(candidates) if others else None,
            cheaper=self._lead(use, cheaper) if cheaper is not use else None,
            price=self._lead(best, use) if best is not use else None,
        )

    def _nearest(self, condition: Condition) -> CellResult | None:
        measured = [cell for cell in self._cells if condition.column and cell.mean(condition.column) >= 0]
        return min(measured, key=lambda cell: cell.mean(condition.column), default=None)

    def _columns(self, cells: list[CellResult]) -> list[int]:
        return [self._cells.index(cell) for cell in cells]

    def _lead(self, cell: CellResult, other: CellResult) -> Lead:
        a, b = self._columns([cell, other])
        samples = self._resamples.in_bag[:, a] - self._resamples.in_bag[:, b]
        return Lead(
            cell,
            other,
            difference=cell.mean("accuracy") - other.mean("accuracy"),
            interval=percentile_interval(samples),
            ahead=share_ahead(samples),
            within=float(np.mean(samples <= self._equivalence + _ROUNDING)),
        )

    def _best(self, candidates: list[CellResult]) -> float:
        """How often the first of the candidates is the best; k that are equal have a k-th each."""
        accuracies = self._resamples.in_bag[:, self._columns(candidates)]
        is_best = accuracies == accuracies.max(axis=1, keepdims=True)
        return float(np.mean(is_best[:, 0] / is_best.sum(axis=1)))

    def _standing(self, candidates: list[CellResult]) -> Standing:
        """Of the first one's family against the other, by the two intervals of the data set's verdict."""
        family = candidates[0].family
        mine, theirs = (
            self._columns([cell for cell in candidates if (cell.family == family) == own])
            for own in (True, False)
        )
        plain = self._resamples.in_bag[:, mine[0]] - self._resamples.in_bag[:, theirs[0]]
        if 0 in percentile_interval(plain):
            return "tie"
        selected = percentile_interval(selected_difference(self._resamples, mine, theirs))
        return "undecided" if 0 in selected else "leads"

    def _cheapest(self, candidates: list[CellResult]) -> CellResult:
        """The one that takes the least time to fit among the first and those that are hardly worse."""
        least = candidates[0].mean("accuracy") - self._equivalence - _ROUNDING
        close = [cell for cell in candidates if cell.mean("accuracy") >= least]
        return min(close, key=lambda cell: cell.mean("fit_seconds"))


def advise(curves: CurveComparison, labels: int) -> LabelAdvice:
    """The family to use with so many labels, at the largest measured size that does not exceed them."""
    sizes = curves.curves.sizes
    index = int(np.searchsorted(sizes, labels, side="right")) - 1
    if index < 0:
        return LabelAdvice(labels)
    if curves.family is None:
        alone = next(iter(curves.best.values()))
        accuracy = float(alone.accuracy[index].mean())
        return LabelAdvice(labels, int(sizes[index]), alone.counts(index), accuracy=accuracy)
    leader, difference, interval = _leader(curves.family, index)
    use, other = curves.best[leader], curves.best[_OTHER[leader]]
    ahead = float(curves.family.by_data.ahead[index])
    return LabelAdvice(
        labels,
        int(sizes[index]),
        use.counts(index),
        other.counts(index),
        accuracy=float(use.accuracy[index].mean()),
        difference=difference,
        interval=interval,
        ahead=ahead if leader == "deep" else 1 - ahead,
    )


def look_ahead(curves: CurveComparison) -> Outlook | None:
    """Whether more labels would change which family leads; None without curves of both."""
    if curves.family is None:
        return None
    largest = int(curves.curves.sizes[-1])
    leader, difference, interval = _leader(curves.family, -1)
    models = {family: best.at_largest.label for family, best in curves.best.items()}
    deep, classical = curves.family_fits["deep"], curves.family_fits["classical"]
    crossing: FutureCrossing | None = None
    overtakes: Family | None = None
    if deep and classical:
        crossing = extrapolated_crossing(deep, classical, largest)
        behind: Family = "deep" if deep.predict(largest) > classical.predict(largest) else "classical"
        overtakes = behind if crossing.n is not None else None
    return Outlook(largest, leader, models, difference, interval, crossing, overtakes)


def _leader(family: CurvePair[FamilyCurve], index: int) -> tuple[Family, float, Interval]:
    """Who is ahead at one size, by how much, and the interval of that from the band over all sizes."""
    by_data = family.by_data
    difference, low, high = (float(x[index]) for x in (by_data.difference, by_data.low, by_data.high))
    if difference >= 0:
        return "deep", difference, Interval(low, high)
    return "classical", -difference, Interval(-high, -low)
