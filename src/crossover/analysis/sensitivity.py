"""How much a model's validation accuracy depends on its hyperparameters: pure functions of trials.

The values are validation accuracies of independent random configurations of one model. `docs/methods.md` says
what each statistic is for and what it cannot show.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from crossover.analysis.bootstrap import DRAWS
from crossover.analysis.statistics import Interval, percentile_interval, share_ahead

ENOUGH = 10
"""Draws of a model below which its spread is not compared: the bootstrap of a quartile needs some values."""

FAR_BELOW = 0.01
"""A trial so far below the best one is called far below it: one point of accuracy."""

TRIALS_PER_DRAW = 3
"""The expected best of k is given where there are so many trials for each of the k draws."""

_CHUNK = 1000  # resamples at a time: 1000 x 300 float64 are 2 MB


@dataclass(frozen=True)
class Spread:
    """Scatter of the validation accuracies of one model's random configurations.

    Attributes:
        n: number of values.
        median: of the values.
        iqr: distance of the quartiles, interpolated linearly.
        sd: standard deviation, n - 1 in the denominator.
        far_below: share of the values more than `FAR_BELOW` below the highest.
    """

    n: int
    median: float
    iqr: float
    sd: float
    far_below: float


def spread(accuracies: np.ndarray) -> Spread:
    """Summarise accuracies (n,); every number is NaN where there is none, sd also where there is one."""
    n = len(accuracies)
    if n == 0:
        return Spread(0, *[float("nan")] * 4)
    sd = float(standard_deviation(accuracies)) if n > 1 else float("nan")
    # The tolerance keeps 0.96 within a point of 0.97, whose difference in binary is a little more.
    far_below = float(np.mean(accuracies < accuracies.max() - FAR_BELOW - 1e-9))
    return Spread(n, float(np.median(accuracies)), float(interquartile_range(accuracies)), sd, far_below)


def interquartile_range(values: np.ndarray) -> np.ndarray:
    """(…, n) -> (…)"""
    low, high = np.quantile(values, [0.25, 0.75], axis=-1)
    return high - low


def standard_deviation(values: np.ndarray) -> np.ndarray:
    """(…, n) -> (…), n - 1 in the denominator."""
    return np.std(values, axis=-1, ddof=1)


def expected_best(accuracies: np.ndarray) -> np.ndarray:
    """Expected highest of k of the values, drawn without replacement, for k = 1 … n.

    With the values in rising order, the i-th is the highest of k with probability C(i - 1, k - 1) / C(n, k). This
    is the unbiased estimator of Tang et al. 2020 of the expected validation performance of Dodge et al. 2019,
    which draws with replacement and so comes out too low.

    The chance of the highest rank is k / n, and that of each rank i below it (i - k + 1) / i times the chance of rank
    i + 1: this way no binomial overflows.

    Args:
        accuracies: (…, n).

    Returns:
        (…, n): entry k - 1 is for k draws; the first is the mean, the last the highest.
    """
    n = accuracies.shape[-1]
    k = np.arange(1, n + 1)[:, None]
    lower = np.arange(n - 1, 0, -1)  # ranks below the highest, falling
    factors = np.maximum(lower - k + 1, 0) / lower
    chances = np.cumprod(np.hstack([k / n, factors]), axis=1)[:, ::-1]  # (n, n): of k draws, of each rank
    return np.sort(accuracies, axis=-1) @ chances.T


@dataclass(frozen=True)
class BestCurve:
    """Expected best value after k = 1 … m draws, with its pointwise interval; entry k - 1 is for k draws.

    Attributes:
        expected: (m,).
        low: (m,), from a bootstrap over the values.
        high: (m,).
    """

    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray


def best_curve(accuracies: np.ndarray, draws: int = DRAWS, seed: int = 0) -> BestCurve:
    """The curve of `expected_best` up to a third of the values, with a percentile interval from a bootstrap.

    At k = n the estimate is the highest value that was seen: one sample, which a lucky trial moves as far as it lies
    above the others, and of which the bootstrap gives no valid interval (Bickel and Freedman 1981), since no resample
    holds a higher one. The variance of an average over subsets of k grows about as k² / n while k is small (Hoeffding
    1948), so each subset must be a small part of the values. With a third, the best of the values is in a third of the
    subsets; the third itself is a convention.

    Args:
        accuracies: (n,), at least one.
        draws: number of resamples.
        seed: of the resampling.
    """
    most = ceil(len(accuracies) / TRIALS_PER_DRAW)
    curves = [expected_best(sample)[:, :most] for sample in _resamples(accuracies, draws, seed)]
    low, high = np.quantile(np.concatenate(curves), [0.025, 0.975], axis=0)
    return BestCurve(expected_best(accuracies)[:most], low, high)


def _resamples(values: np.ndarray, draws: int, seed: int | Sequence[int]) -> list[np.ndarray]:
    """(n,) drawn with replacement, `draws` times, in chunks of (at most `_CHUNK`, n)."""
    rng = np.random.default_rng(seed)
    sizes = [min(_CHUNK, draws - start) for start in range(0, draws, _CHUNK)]
    return [values[rng.integers(len(values), size=(size, len(values)))] for size in sizes]


@dataclass(frozen=True)
class SpreadDifference:
    """The mean spread of some models minus that of others.

    Attributes:
        value: the difference.
        interval: by a bootstrap over the trials of each model.
        a_wider: share of the resamples in which the first models scatter more, ties counted half.
    """

    value: float
    interval: Interval
    a_wider: float

    @property
    def sign(self) -> int:
        """1 where the first models scatter more, -1 where the others do, 0 where the interval contains 0."""
        return 0 if 0 in self.interval else 1 if self.value > 0 else -1


def spread_difference(
    measure: Callable[[np.ndarray], np.ndarray], a: list[np.ndarray], b: list[np.ndarray], draws: int = DRAWS
) -> SpreadDifference:
    """Mean spread over the models of `a` minus that over the models of `b`.

    Args:
        measure: `interquartile_range` or `standard_deviation`.
        a: accuracies (n,) of each model of one side; the sizes may differ.
        b: those of the other side.
        draws: number of resamples; each draws the trials of each model anew, separately from the other models.
    """

    def resampled(side: int, models: list[np.ndarray]) -> np.ndarray:
        each = [
            np.concatenate([measure(sample) for sample in _resamples(values, draws, [side, index])])
            for index, values in enumerate(models)
        ]
        return np.mean(each, axis=0)

    value = np.mean([measure(values) for values in a]) - np.mean([measure(values) for values in b])
    differences = resampled(0, a) - resampled(1, b)
    return SpreadDifference(float(value), percentile_interval(differences), share_ahead(differences))


@dataclass(frozen=True)
class SpreadComparison:
    """How much further the validation accuracies of the networks scatter than those of the classical models.

    The interquartile range decides: one very bad configuration among thirty moves a standard deviation as much as all
    the others together, and whether a resample holds it is a coin toss.

    Attributes:
        iqr: mean interquartile range of the deep models minus that of the classical ones.
        sd: the same of standard deviations, for comparison.
    """

    iqr: SpreadDifference
    sd: SpreadDifference


def compare_spreads(deep: list[np.ndarray], classical: list[np.ndarray]) -> SpreadComparison | None:
    """Compare the families by the models with `ENOUGH` values; None where one of them has no such model.

    Args:
        deep: validation accuracies (n,) of each network, one per random configuration.
        classical: those of each classical model.
    """
    a, b = ([values for values in side if len(values) >= ENOUGH] for side in (deep, classical))
    if not a or not b:
        return None
    return SpreadComparison(
        iqr=spread_difference(interquartile_range, a, b), sd=spread_difference(standard_deviation, a, b)
    )
