"""Where one learning curve overtakes another: pure functions of accuracies.

Throughout a is the deep side and b the classical one, and differences are a - b. `docs/methods.md` says what each
statistic is for and what it cannot show.
"""

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from scipy import stats

from crossover.analysis.statistics import CONFIDENCE, Interval, share_ahead

Kind = Literal[
    "undecided",  # no size is decided
    "from the smallest size on",  # a leads at every decided size, and the smallest is decided
    "ahead from n on",  # a leads at every decided size, and the smallest is undecided
    "not up to n",  # b leads at every decided size, of which n is the largest; beyond n nothing is shown
    "one crossing",
    "several crossings",
]
Direction = Literal["deep overtakes", "classical overtakes back"]

_NO_SCATTER = 1e-12  # below it a standard error is rounding


@dataclass(frozen=True)
class Crossing:
    """A change of the lead between two decided sizes.

    Attributes:
        n: number of examples, where the observed difference is 0; between the two sizes.
        low: lower end of its interval, not below the decided size before.
        high: upper end, not above the decided size after.
        direction: who takes the lead.
    """

    n: float
    low: float
    high: float
    direction: Direction


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class Crossover:
    """Who leads at which size, and where the lead changes. S sizes.

    Attributes:
        kind: the short answer.
        crossings: where the lead changes, by rising size.
        sizes: int64 (S,), rising.
        signs: int64 (S,): 1 where a leads, -1 where b does, 0 where that is undecided.
        difference: float (S,), a - b.
        low: float (S,), lower end of the simultaneous band.
        high: float (S,), upper end.
        ahead: float (S,), share of the resamples in which a is ahead, ties counted half.
    """

    kind: Kind
    crossings: list[Crossing]
    sizes: np.ndarray
    signs: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ahead: np.ndarray

    @property
    def has_band(self) -> bool:
        """Whether there is more than one repetition, without which no size is decided."""
        return bool(np.isfinite(self.low).all())

    @property
    def decided(self) -> np.ndarray:
        """The sizes at which one of the two leads: int64 (decided,)."""
        return self.sizes[self.signs != 0]

    @property
    def undecided(self) -> np.ndarray:
        """The other sizes."""
        return self.sizes[self.signs == 0]

    @property
    def undecided_after(self) -> np.ndarray:
        """The undecided sizes after the last decided one; all where none is decided."""
        decided = np.flatnonzero(self.signs)
        return self.sizes[decided[-1] + 1 if len(decided) else 0 :]

    def band(self, index: int) -> Interval:
        """The part of the simultaneous band at one size (its index)."""
        return Interval(float(self.low[index]), float(self.high[index]))


def crossover(sizes: np.ndarray, differences: np.ndarray, draws: np.ndarray) -> Crossover:
    """Who leads where, and where the lead changes.

    A size is decided where a band that covers all sizes at once with 95 % excludes 0: the observed difference plus
    and minus c standard errors, c the 95 % quantile over the resamples of the largest deviation of all sizes, wider
    where there are few repetitions (`simultaneous_band`). The lead changes between two decided sizes of different
    sign that follow one another; undecided ones between them belong to the bracket. Within it, the place is where the
    difference, interpolated linearly between the sizes on a logarithmic scale of n, is 0; of several such places the
    geometric mean of the first and the last. The interval holds the middle 95 % of that place over the resamples. A
    resample in which one side leads in the whole bracket counts as the lower end of the bracket if that side is the
    one that takes the lead, else as the upper end.

    Args:
        sizes: int64 (S,), rising.
        differences: float (S, R), of the accuracies a - b in each repetition.
        draws: float (draws, S), of their means in each resample.
    """
    difference = differences.mean(axis=1)
    low, high = simultaneous_band(sizes, differences, draws)
    signs = np.where(low > _NO_SCATTER, 1, np.where(high < -_NO_SCATTER, -1, 0))
    crossings = []
    for i, j in pairwise(np.flatnonzero(signs)):
        if signs[i] == signs[j]:
            continue
        bracket, rising = slice(i, j + 1), bool(signs[j] > 0)
        log_n = np.log(sizes[bracket])
        n = float(np.exp(_zero(log_n, difference[None, bracket], rising)[0]))
        tail = 100 * (1 - CONFIDENCE) / 2
        ends = np.percentile(_zero(log_n, draws[:, bracket], rising), [tail, 100 - tail])
        start, end = np.clip(np.exp(ends), sizes[i], sizes[j])  # exp may round out of the bracket
        direction: Direction = "deep overtakes" if rising else "classical overtakes back"
        crossings.append(Crossing(n, float(start), float(end), direction))

    kind: Kind
    if not signs.any():
        kind = "undecided"
    elif crossings:
        kind = "one crossing" if len(crossings) == 1 else "several crossings"
    elif signs.min() < 0:
        kind = "not up to n"
    else:
        kind = "from the smallest size on" if signs[0] > 0 else "ahead from n on"
    ahead = np.array([share_ahead(column) for column in draws.T])
    return Crossover(kind, crossings, sizes, signs, difference, low, high, ahead)


def simultaneous_band(
    sizes: np.ndarray, differences: np.ndarray, draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (S,) of a band that holds all S true differences at once with 95 %.

    The standard error comes from the bootstrap. What the repetitions add to it is estimated from R differences at each
    size, which two or three give badly, and a band around a scatter that is small by chance finds leads that are none.
    So their variance is smoothed over the sizes (`repetition_variance`), and the band is that of Student's t with the
    degrees of freedom of the whole error (Satterthwaite 1946). From one repetition there is no band: nothing says what
    another subset would have given.

    Args:
        sizes: int64 (S,), rising.
        differences: float (S, R), observed in each repetition.
        draws: float (draws, S), of the bootstrap.

    Returns:
        minus and plus infinity where there is one repetition.
    """
    n_sizes, repetitions = differences.shape
    if repetitions == 1:
        return np.full(n_sizes, -np.inf), np.full(n_sizes, np.inf)
    difference, variance = differences.mean(axis=1), draws.var(axis=0)
    scatters = variance > _NO_SCATTER**2
    if not scatters.any():
        return difference.copy(), difference.copy()
    deviations = np.abs(draws - difference)[:, scatters] / np.sqrt(variance[scatters])
    normal = stats.norm.ppf((1 + CONFIDENCE) / 2)
    # Two repetitions have three draws, whose 95 % quantile lies below that of a single normal deviation.
    quantile = max(np.quantile(deviations.max(axis=1), CONFIDENCE), normal)

    observed = differences.var(axis=1, ddof=1) / repetitions
    of_repetitions, freedom = repetition_variance(sizes, observed, repetitions)
    variance = np.maximum(variance - observed, 0) + of_repetitions
    share = np.divide(of_repetitions, variance, out=np.zeros(n_sizes), where=variance > 0)
    freedom = freedom / np.maximum(share, 1e-6) ** 2
    half = np.where(scatters, stats.t.ppf(stats.norm.cdf(quantile), freedom) * np.sqrt(variance), 0)
    return difference - half, difference + half


def repetition_variance(
    sizes: np.ndarray, observed: np.ndarray, repetitions: int
) -> tuple[np.ndarray, float]:
    """The variance of a mean over R repetitions at each size, from all sizes together, and its degrees of freedom.

    It falls with more data. A straight line through its logarithm against that of the size (a gamma regression, since
    a variance scatters in proportion to itself) has 2 parameters, which leave S (R - 1) - 2 degrees of freedom; the
    mean of line and own value, weighted by theirs, is the moderated variance of Smyth (2004). With fewer than four
    sizes the own value stands.

    Args:
        sizes: int64 (S,), rising.
        observed: float (S,), the variance of the repetitions at each size, divided by R.
        repetitions: R, at least 2.
    """
    own = repetitions - 1
    if len(sizes) < 4 or not observed.any():
        return observed, own
    import statsmodels.api as sm  # slow to import

    line = len(sizes) * own - 2
    design = sm.add_constant(np.log(sizes))
    positive = np.maximum(observed, observed.max() * 1e-6)  # equal by chance, in all of two repetitions
    gamma = sm.families.Gamma(link=sm.families.links.Log())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about points that lie on the line exactly
        fitted = sm.GLM(positive, design, family=gamma).fit().fittedvalues
    return (line * fitted + own * observed) / (line + own), line


def _zero(log_n: np.ndarray, difference: np.ndarray, rising: bool) -> np.ndarray:
    """Where piecewise straight differences are 0: (rows,), between the ends of `log_n`.

    Args:
        log_n: (k,), rising.
        difference: (rows, k).
        rising: whether the difference goes from below 0 to above.
    """
    left, right = difference[:, :-1], difference[:, 1:]
    crosses = (left * right <= 0) & (left != right)
    share = np.divide(left, left - right, out=np.zeros_like(left), where=crosses)
    at = log_n[:-1] + share * np.diff(log_n)
    first = np.where(crosses, at, log_n[-1]).min(axis=1)
    last = np.where(crosses, at, log_n[0]).max(axis=1)
    leads_throughout = (difference.sum(axis=1) > 0) == rising  # the side that takes the lead has it already
    end = np.where(leads_throughout, log_n[0], log_n[-1])
    return np.where(crosses.any(axis=1), (first + last) / 2, end)
