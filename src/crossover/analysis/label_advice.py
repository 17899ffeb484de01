"""What the learning curves say about labels: which family to use with so many, and whether more change that."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from crossover.analysis.curve_comparison import CurveComparison, CurvePair, FamilyCurve
from crossover.analysis.power_law import FutureCrossing
from crossover.analysis.statistics import Interval, Standing, standing
from crossover.core.cell import Family

_MAY, _WOULD = 0.5, 0.95  # shares of the resamples above which the laws may change, or change, the lead
_OTHER: dict[Family, Family] = {"deep": "classical", "classical": "deep"}


@dataclass(frozen=True)
class LabelAdvice:
    """The family to use with so many labels.

    Attributes:
        labels: how many you have.
        size: the largest measured size that does not exceed them, with the examples that its fits watch for early
            stopping counted; None where all do.
        n_validation: further labels, on which the model of each family is chosen; 0 where each has one.
        use: the models of the family that is ahead there, each chosen on validation data in so many repetitions.
        instead_of: those of the other family; empty where it has no curve.
        accuracy: of `use`, mean over the repetitions; on a data set with another metric that one.
        difference: of the scores of the two, NaN without the other.
        interval: of that difference, from the band that covers all sizes at once; None without the other.
        ahead: share of the resamples in which `use` is ahead, ties counted half; NaN without the other.
        standing: whether that lead holds; None without the other.
    """

    labels: int
    size: int | None = None
    n_validation: int = 0
    use: dict[str, int] = field(default_factory=dict)
    instead_of: dict[str, int] = field(default_factory=dict)
    accuracy: float = float("nan")
    difference: float = float("nan")
    interval: Interval | None = None
    ahead: float = float("nan")
    standing: Standing | None = None


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """Whether more labels would change which family leads.

    Attributes:
        largest: the largest measured size, N.
        beyond: up to which size the laws are followed, 10 N.
        leader: the family whose best has the higher mean score at N.
        models: the model of each family that is most often its best there.
        difference: of the scores of the families' best, leader minus other.
        interval: of that difference, from the band that covers all sizes at once.
        standing: whether the lead holds.
        crossing: where the power laws of `models` cross up to 10 N; None where one of the two has no law.
        overtakes: the family that takes the lead there; None where they do not cross.
        possible: whether the metric has errors that a power law can be fitted to.
    """

    largest: int
    beyond: int
    leader: Family
    models: dict[Family, str]
    difference: float
    interval: Interval
    standing: Standing
    crossing: FutureCrossing | None
    overtakes: Family | None
    possible: bool = True

    @property
    def trailing(self) -> Family:
        return _OTHER[self.leader]

    @property
    def answer(
        self,
    ) -> Literal[
        "undecided", "no errors", "too few sizes", "no law", "contradiction", "changes", "may change", "open"
    ]:
        """What the laws say, by the share of the resamples in which they cross up to 10 N.

        They change the lead where that share is above 95 %, they may where it is above 50 %, and below that nothing
        is said: of studies whose curves never cross, up to a fifth have laws that do. A contradiction: the laws see
        the other family ahead at N already.
        """
        if self.standing == "undecided":
            return "undecided"
        if not self.possible:
            return "no errors"
        if self.crossing is None:
            return "too few sizes"
        if np.isnan(self.crossing.share):
            return "no law"
        if self.overtakes == self.leader:
            return "contradiction"
        if self.overtakes is None or self.crossing.share <= _MAY:
            return "open"
        return "changes" if self.crossing.share > _WOULD else "may change"


def advise(
    curves: CurveComparison, labels: int, equivalence: float, unfinished: Collection[str] = ()
) -> LabelAdvice:
    """The family to use with so many labels, at the largest measured size that does not exceed them.

    Args:
        curves: of one data set.
        labels: how many you have.
        equivalence: a difference of scores, 0 to 1, up to which it does not matter.
        unfinished: labels of the cells that were not trained to their end.
    """
    sizes = curves.curves.sizes
    watched = np.max([best.grid("n_watched").max(axis=1) for best in curves.best.values()], axis=0)
    index = int(np.searchsorted(sizes + watched, labels, side="right")) - 1
    chosen = any(len(best.curves) > 1 for best in curves.best.values())
    n_validation = int(curves.curves.curves[0].scores["n_validation"].iloc[0]) if chosen else 0
    if index < 0:
        return LabelAdvice(labels)
    if curves.family is None:
        alone = next(iter(curves.best.values()))
        accuracy = float(alone.accuracy[index].mean())
        return LabelAdvice(labels, int(sizes[index]), n_validation, alone.counts(index), accuracy=accuracy)
    leader, difference, interval = _leader(curves.family, index)
    use, other = curves.best[leader], curves.best[_OTHER[leader]]
    ahead = float(curves.family.crossover.ahead[index])
    return LabelAdvice(
        labels,
        int(sizes[index]),
        n_validation,
        use.counts(index),
        other.counts(index),
        accuracy=float(use.accuracy[index].mean()),
        difference=difference,
        interval=interval,
        ahead=ahead if leader == "deep" else 1 - ahead,
        standing=_standing(interval, equivalence, use.counts(index), other.counts(index), unfinished),
    )


def extrapolate(
    curves: CurveComparison, equivalence: float, unfinished: Collection[str] = ()
) -> Extrapolation | None:
    """Whether more labels would change which family leads; None without curves of both. Arguments as of `advise`."""
    if curves.family is None:
        return None
    leader, difference, interval = _leader(curves.family, -1)
    overtakes: Family | None = None
    deep, classical = curves.family_fits["deep"], curves.family_fits["classical"]
    if deep and classical and curves.next_crossing and curves.next_crossing.n is not None:
        deep_is_behind = deep.predict(curves.largest) > classical.predict(curves.largest)
        overtakes = "deep" if deep_is_behind else "classical"
    models = {family: best.at_largest.label for family, best in curves.best.items()}
    return Extrapolation(
        largest=curves.largest,
        beyond=curves.beyond,
        leader=leader,
        models=models,
        difference=difference,
        interval=interval,
        standing=_standing(interval, equivalence, [models[leader]], [models[_OTHER[leader]]], unfinished),
        crossing=curves.next_crossing,
        overtakes=overtakes,
        possible=curves.extrapolates,
    )


def _standing(
    interval: Interval,
    equivalence: float,
    ahead: Iterable[str],
    behind: Iterable[str],
    unfinished: Collection[str],
) -> Standing:
    return standing(
        interval,
        equivalence,
        unfinished_ahead=any(one in unfinished for one in ahead),
        unfinished_behind=any(one in unfinished for one in behind),
    )


def _leader(family: CurvePair[FamilyCurve], index: int) -> tuple[Family, float, Interval]:
    """Who is ahead at one size, by how much, and the interval of that from the band over all sizes."""
    difference, band = float(family.crossover.difference[index]), family.crossover.band(index)
    if difference >= 0:
        return "deep", difference, band
    return "classical", -difference, Interval(-band.high, -band.low)
