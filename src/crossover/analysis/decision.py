"""Which model to use, under what a model may cost and with how many labels."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from crossover.analysis.curve_comparison import CurveComparison
from crossover.analysis.label_advice import Extrapolation, LabelAdvice, advise, extrapolate
from crossover.analysis.results import (
    CellResult,
    DatasetResults,
    as_good_on_validation,
    best_of_families,
    of_family,
)
from crossover.analysis.statistics import Interval, Standing, percentile_interval, share_ahead, standing
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import Settings

_ROUNDING = 1e-9  # in binary, 0.98 - 0.975 is a little more than 0.005


class Constraints(Settings):
    """What a model may cost, and what counts as a difference: `conf/decision/`.

    Attributes:
        latency_ms: longest median time of one prediction.
        size_mb: largest size on disk, in millions of bytes.
        labels: numbers of labels that you may have, rising.
        explainable: models whose predictions a person can follow.
        equivalence_points: a difference in the metric below this, in points (0 to 100), does not matter.
    """

    latency_ms: PositiveFloat
    size_mb: PositiveFloat
    labels: list[PositiveInt]
    explainable: list[str]
    equivalence_points: Annotated[float, Field(ge=0, le=100)]

    @field_validator("labels")
    @classmethod
    def _labels_rise(cls, labels: list[int]) -> list[int]:
        if labels != sorted(set(labels)):
            raise ValueError(f"must rise, got {labels}")
        return labels

    @property
    def equivalence(self) -> float:
        """As a difference of scores, 0 to 1."""
        return self.equivalence_points / 100

    @property
    def conditions(self) -> list["Condition"]:
        """What a single cell meets or fails; the first one is no limit."""
        limits = [
            Condition("accuracy"),
            Condition("latency", "latency_p50_ms", self.latency_ms),
            Condition("size", "model_bytes", self.size_mb * 1e6),
        ]
        explained = Condition("explainable", models=tuple(self.explainable))
        return [*limits, explained] if self.explainable else limits


@dataclass(frozen=True)
class Condition:
    """What a cell must meet to be recommended.

    Attributes:
        asks: for what; "accuracy", the metric of the data set, is no limit.
        column: of the costs, whose mean must not exceed `limit`; empty where no cost counts.
        limit: in the unit of the column.
        models: the only ones allowed; None where all are.
    """

    asks: Literal["accuracy", "latency", "size", "explainable"]
    column: str = ""
    limit: float = float("inf")
    models: tuple[str, ...] | None = None

    def met_by(self, cell: CellResult) -> bool:
        """A cost that was not measured meets no limit."""
        allowed = self.models is None or cell.cell.model in self.models
        return allowed and (not self.column or cell.mean(self.column) <= self.limit)


@dataclass(frozen=True, eq=False)  # compared by identity: results have no plain ==
class CellPair:
    """A cell and another cell.

    Attributes:
        cell: the one to use.
        other: the other cell; its mean test score may be higher, where it was not chosen on validation rows.
        difference: of the mean scores, cell minus other.
        interval: of that difference, from `DatasetResults.resamples`.
        ahead: share of the resamples in which `cell` is ahead, ties counted half.
        within: share of the resamples in which it is ahead by no more than the least difference that matters.
        negligible: whether the difference is smaller than that.
    """

    cell: CellResult
    other: CellResult
    difference: float
    interval: Interval
    ahead: float
    within: float
    negligible: bool


@dataclass(frozen=True, eq=False)
class Recommendation:
    """The cell to use under one condition.

    Attributes:
        condition: what was asked for.
        use: of the best cells of the families, chosen on validation rows among those that meet it, the one with the
            higher mean test score; None where none does.
        candidates: how many do.
        best: share of the resamples in which `use` is the best of them, ties shared; NaN where there is none.
        other_family: `use` and the best of the other family that meets the condition; None where none does.
        standing: whether that lead stands, as in the verdict; None without another family.
        contested_by: `use` and each cell of the other family that takes its lead away: as good on validation rows as
            the best of that family, and not shown to be behind.
        as_good: the other cells that meet it and are not shown to be worse than `use`, by the intervals of their
            differences; in the order of their test score.
        cheaper: `use` and the cell that takes the least time to fit among those that meet the condition and are so
            little behind that it does not matter; None where `use` is that cell.
        price: the cell to use without a condition, and `use`; None where they are the same.
        nearest: the cell that fails the condition by the least; None where one meets it, or no cost counts.
    """

    condition: Condition
    use: CellResult | None
    candidates: int = 0
    best: float = float("nan")
    other_family: CellPair | None = None
    standing: Standing | None = None
    contested_by: tuple[CellPair, ...] = ()
    as_good: tuple[CellResult, ...] = ()
    cheaper: CellPair | None = None
    price: CellPair | None = None
    nearest: CellResult | None = None


@dataclass(frozen=True, eq=False)
class Decision:
    """Which approach to use on one data set.

    Attributes:
        dataset: its name.
        constraints: what was asked for.
        recommendations: one for each of `Constraints.conditions`.
        labels: one for each of `Constraints.labels`; empty where no learning curve was measured.
        more_labels: None where the learning curves do not show both families.
        metric: by which models are chosen and compared.
    """

    dataset: str
    constraints: Constraints
    recommendations: list[Recommendation]
    labels: list[LabelAdvice]
    more_labels: Extrapolation | None
    metric: Metric = ACCURACY

    @property
    def exceptions(self) -> list[Recommendation]:
        """The recommendations of another cell than without a constraint."""
        first, *others = self.recommendations
        return [r for r in others if r.use and r.use is not first.use]


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
    if not results.contenders:
        return None
    unfinished, equivalence = results.unfinished, constraints.equivalence
    return Decision(
        dataset=results.dataset,
        constraints=constraints,
        recommendations=[recommend(results, c, equivalence) for c in constraints.conditions],
        labels=[advise(curves, n, equivalence, unfinished) for n in constraints.labels] if curves else [],
        more_labels=extrapolate(curves, equivalence, unfinished) if curves else None,
        metric=results.metric,
    )


def recommend(results: DatasetResults, condition: Condition, equivalence: float) -> Recommendation:
    """The cell to use among those that meet a condition, with the evidence for it.

    Args:
        results: the cells, at least one.
        condition: what the cell must meet.
        equivalence: a difference of scores, 0 to 1, below which it does not matter.
    """
    candidates = [cell for cell in results.contenders if condition.met_by(cell)]
    if not candidates:
        measured = [
            cell for cell in results.contenders if condition.column and cell.mean(condition.column) >= 0
        ]
        nearest = min(measured, key=lambda cell: cell.mean(condition.column), default=None)
        return Recommendation(condition, None, nearest=nearest)

    use, *others = _by_test_score(best_of_families(candidates))
    unconstrained = _by_test_score(results.best)[0]
    scores = results.resamples[:, [results.cells.index(cell) for cell in candidates]]
    is_best = scores == scores.max(axis=1, keepdims=True)  # each of k equals counts as 1/k
    good_enough = use.score - equivalence - _ROUNDING
    close = [cell for cell in candidates if cell.score >= good_enough]
    cheaper = min(close, key=lambda cell: cell.mean("fit_seconds"))

    def pair(cell: CellResult, other: CellResult) -> CellPair:
        samples = results.difference(cell, other)
        difference = cell.score - other.score
        return CellPair(
            cell,
            other,
            difference=difference,
            interval=percentile_interval(samples),
            ahead=share_ahead(samples),
            within=float(np.mean(samples <= equivalence + _ROUNDING)),
            negligible=difference < equivalence,
        )

    other_family, found, contested = None, None, []
    if others:
        other_family = pair(use, others[0])
        found = _standing(other_family, candidates, equivalence)
        if found == "leads":
            rivals = as_good_on_validation(of_family(candidates, others[0].family))
            contested = [
                against for against in (pair(use, rival) for rival in rivals) if against.interval.low <= 0
            ]
    return Recommendation(
        condition,
        use,
        candidates=len(candidates),
        best=float(np.mean(is_best[:, candidates.index(use)] / is_best.sum(axis=1))),
        other_family=other_family,
        standing="not told apart" if contested else found,
        contested_by=tuple(contested),
        as_good=tuple(cell for cell in candidates if cell is not use and pair(use, cell).interval.low <= 0),
        cheaper=pair(use, cheaper) if cheaper is not use else None,
        price=pair(unconstrained, use) if unconstrained is not use else None,
    )


def _standing(pair: CellPair, candidates: list[CellResult], equivalence: float) -> Standing:
    """Of the best of each family and the cells that are as good on validation rows, as in the verdict."""
    ahead, behind = (
        any(one.problem for one in [cell, *as_good_on_validation(of_family(candidates, cell.family))])
        for cell in (pair.cell, pair.other)
    )
    return standing(pair.interval, equivalence, unfinished_ahead=ahead, unfinished_behind=behind)


def _by_test_score(cells: list[CellResult]) -> list[CellResult]:
    return sorted(cells, key=lambda cell: (-cell.score, cell.mean("log_loss")))
