"""Where one learning curve overtakes another: pure functions of accuracies.

Throughout a is the deep side and b the classical one, and differences are a - b. `docs/methods.md` says what each
statistic is for and what it cannot show.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from crossover.analysis.statistics import CONFIDENCE, Interval, share_ahead

Kind = Literal[
    "undecided",  # no size is decided
    "from the smallest size on",  # a leads at every decided size, and the smallest is decided
    "ahead from n on",  # a leads at every decided size, and the smallest is undecided
    "not up to N",  # b leads at every decided size
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


def crossover(sizes: np.ndarray, difference: np.ndarray, draws: np.ndarray) -> Crossover:
    """Who leads where, and where the lead changes.

    A size is decided where a band that covers all sizes at once with 95 % excludes 0: the observed difference plus
    and minus c standard errors, c the 95 % quantile over the resamples of the largest deviation of all sizes. The
    lead changes between two decided sizes of different sign that follow one another; undecided ones between them
    belong to the bracket. Within it, the place is where the difference, interpolated linearly between the sizes on a
    logarithmic scale of n, is 0; of several such places the geometric mean of the first and the last. The interval
    holds the middle 95 % of that place over the resamples. A resample in which one side leads in the whole bracket
    counts as the lower end of the bracket if that side is the one that takes the lead, else as the upper end.

    Args:
        sizes: int64 (S,), rising.
        difference: float (S,), of the mean accuracies a - b.
        draws: float (draws, S), the same in each resample.
    """
    low, high = simultaneous_band(difference, draws)
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
        kind = "not up to N"
    else:
        kind = "from the smallest size on" if signs[0] > 0 else "ahead from n on"
    ahead = np.array([share_ahead(column) for column in draws.T])
    return Crossover(kind, crossings, sizes, signs, difference, low, high, ahead)


def simultaneous_band(difference: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (S,) of a band that holds all S true differences at once with 95 %.

    Args:
        difference: float (S,), observed.
        draws: float (draws, S), of the bootstrap.
    """
    error = draws.std(axis=0)
    scatters = error > _NO_SCATTER
    if not scatters.any():
        return difference.copy(), difference.copy()
    deviations = np.abs(draws - difference)[:, scatters] / error[scatters]
    half = np.quantile(deviations.max(axis=1), CONFIDENCE) * np.where(scatters, error, 0)
    return difference - half, difference + half


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


def within_budget(seconds: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    """The accuracies that a model reaches in limited seconds, as weights of its measured accuracies.

    With n examples and t seconds, a model is fitted on the n' <= n examples that it can be fitted on in t seconds.
    Its measured times are interpolated linearly between the sizes, on logarithmic scales of both; its accuracy at n'
    is interpolated between those of the two sizes around n', on a logarithmic scale of n. Where times fall with n, as
    noise makes small ones do, the longest one so far counts. Where even the smallest size takes longer than t,
    there is no model in time, and the row is all zeros.

    Args:
        seconds: float (S,), positive, to fit at each size.
        budgets: float (S,), the seconds that are given at each size.

    Returns:
        float (S, S): row s, times the accuracies (S,), is the accuracy within the budget at size s; it sums to 1,
        or to 0 where there is no model in time.
    """
    times = np.log(np.maximum.accumulate(seconds))
    weights = np.zeros((len(times), len(times)))
    for size, budget in enumerate(np.log(budgets)):
        reached = min(int(np.searchsorted(times, budget, side="right")) - 1, size)
        if reached < 0:
            continue
        share = 0.0
        if reached < size:
            share = (budget - times[reached]) / (times[reached + 1] - times[reached])
            weights[size, reached + 1] = share
        weights[size, reached] = 1 - share
    return weights


def equal_budgets(seconds_a: np.ndarray, seconds_b: np.ndarray) -> np.ndarray:
    """The seconds of the faster of the two at each size: (S,); times that fall with n as in `within_budget`."""
    return np.minimum(np.maximum.accumulate(seconds_a), np.maximum.accumulate(seconds_b))
