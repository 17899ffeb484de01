"""The best of each family, and whether one of them is ahead."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from crossover.analysis.results import CellResult, DatasetResults, as_good_on_validation, of_family
from crossover.analysis.statistics import Interval, around_zero, mcnemar, percentile_interval, share_ahead
from crossover.core.cell import TUNED, Tier
from crossover.core.metric import ACCURACY, Metric

Winner = Literal["deep", "classical", "tie", "not told apart", "undecided"]
"""Undecided: a model of the family that is behind was not trained to its end."""


FEW = 50
"""Test examples of the rarest class, below which the interval of a difference of another metric than accuracy was seen
to hold the truth clearly less often than it says (docs/methods.md)."""


@dataclass(frozen=True)
class Alternative:
    """Another pair of cells that the choice on validation rows might as well have found.

    Attributes:
        deep: the deep cell.
        classical: the classical one.
        difference: of their mean test scores, deep minus classical.
        interval: of that difference.
    """

    deep: CellResult
    classical: CellResult
    difference: float
    interval: Interval


@dataclass(frozen=True)
class Verdict:
    """The best deep model of a data set against the best classical one, each chosen on validation rows.

    Differences are deep minus classical, in the data set's metric on the test part. Since no choice was made there, a
    family gains nothing from having more candidates.

    Attributes:
        deep: the best deep cell.
        classical: the classical one.
        difference: of their mean scores.
        interval: of that difference, from `DatasetResults.resamples`.
        deep_ahead: share of the resamples in which the deep one is ahead.
        alternatives: the same comparison with each other cell whose validation score is within a standard error of
            that of its family's best.
        p_values: McNemar's exact test of the two fits of each repetition; none where the metric is not accuracy, since
            it counts right answers.
        n_test: examples of a test part.
        splits: training and test parts that the repetitions had; with 1 the answer is about these fits.
        candidates: cells of (deep, classical) from which the best were chosen.
        equivalence: a difference of scores, 0 to 1, up to which it does not matter.
        metric: by which the two were chosen and are compared.
        rarest: examples of the rarest class in a test part.
    """

    deep: CellResult
    classical: CellResult
    difference: float
    interval: Interval
    deep_ahead: float
    alternatives: list[Alternative]
    p_values: list[float]
    n_test: int
    splits: int
    candidates: tuple[int, int]
    equivalence: float
    metric: Metric = ACCURACY
    rarest: int = 0

    @property
    def too_narrow(self) -> bool:
        """Whether the interval is taken over so few examples of a class that it promises too much."""
        return self.metric != ACCURACY and self.splits == 1 and self.rarest < FEW

    @property
    def winner(self) -> Winner:
        """Whose lead the interval holds; without one, whether they tie.

        Validation rows cannot tell the best cell of a family from those that are as good there, and the family at its
        best is any of them. So a lead is one where the leader is ahead of all of them.
        """
        measured = around_zero(self.interval, self.equivalence)
        if self.unfinished and measured != "not told apart":
            return "undecided"
        if self.contested_by:
            return "not told apart"
        return measured or ("deep" if self.difference > 0 else "classical")

    @property
    def contested_by(self) -> list[Alternative]:
        """The alternatives in which another cell of the family that is behind is not shown to be behind."""
        if around_zero(self.interval, self.equivalence):
            return []
        deep_ahead = self.difference > 0
        return [
            other
            for other in self.alternatives
            if (other.classical is not self.classical if deep_ahead else other.deep is not self.deep)
            and not (other.interval.low > 0 if deep_ahead else other.interval.high < 0)
        ]

    @property
    def unfinished(self) -> list[CellResult]:
        """The cells whose better training might change the answer: those with a problem in the family that is behind.

        Of a family, the best cell and those that are as good on validation rows. Where the two are equal, as far as
        is known, either of them.
        """
        deciding = {cell.cell.name: cell for cell in (self.deep, self.classical)}
        for other in self.alternatives:
            deciding |= {cell.cell.name: cell for cell in (other.deep, other.classical)}
        leader = None if around_zero(self.interval, self.equivalence) else self.difference > 0
        return [
            cell
            for cell in deciding.values()
            if cell.problem and (leader is None or (cell.family == "deep") != leader)
        ]

    @property
    def lead_interval(self) -> Interval:
        """Of the leader's score minus the other's."""
        return self.interval if self.difference > 0 else Interval(-self.interval.high, -self.interval.low)

    @property
    def devices(self) -> list[str]:
        """Where the two were fitted."""
        return sorted(
            {str(device) for cell in (self.deep, self.classical) for device in cell.costs["device"]}
        )

    @property
    def tuned(self) -> bool:
        """Whether one of the two has a configuration that a search found."""
        return any(cell.cell.variant == TUNED for cell in (self.deep, self.classical))

    @property
    def p_value(self) -> float | None:
        """The median over the pairs of fits; None without one."""
        return float(np.median(self.p_values)) if self.p_values else None


def judge(results: DatasetResults, equivalence: float, tier: Tier | None = None) -> Verdict | None:
    """Compare the best of each family on one data set; None where one of the families has no cell.

    Args:
        results: its cells.
        equivalence: a difference of scores, 0 to 1, up to which it does not matter.
        tier: the level of effort at which they are compared; None for the highest that is there.
    """
    cells = results.at(tier) if tier else results.contenders
    deep, classical = of_family(cells, "deep"), of_family(cells, "classical")
    if not deep or not classical:
        return None
    samples = results.difference(deep[0], classical[0])
    pairs = [(other, classical[0]) for other in as_good_on_validation(deep)] + [
        (deep[0], other) for other in as_good_on_validation(classical)
    ]
    # A cell with a single fit has it in every repetition.
    fits = zip(*np.broadcast_arrays(deep[0].correct, classical[0].correct), strict=True)
    counted = results.metric == ACCURACY
    return Verdict(
        deep=deep[0],
        classical=classical[0],
        difference=deep[0].score - classical[0].score,
        interval=percentile_interval(samples),
        deep_ahead=share_ahead(samples),
        alternatives=[
            Alternative(
                one,
                other,
                one.score - other.score,
                percentile_interval(results.difference(one, other)),
            )
            for one, other in pairs
        ],
        p_values=[mcnemar(fit_deep, fit_classical) for fit_deep, fit_classical in fits] if counted else [],
        n_test=results.n_test,
        splits=results.splits,
        candidates=(len(deep), len(classical)),
        equivalence=equivalence,
        metric=results.metric,
        rarest=results.rarest,
    )
