"""Two methods over repeated random splits of one data set: pure functions of differences.

The splits share most of their training examples, so their differences are correlated and their plain standard
error is too small. Both tests here widen it by the same share. `docs/methods.md` says what each is for and what
it cannot tell.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.stats

from crossover.analysis.statistics import CONFIDENCE, Interval, widening
from crossover.core.errors import CrossoverError

ROPE = 0.01
"""Accuracies no further apart count as equal in practice: one point (Benavoli et al. 2017)."""

LEAST_SPLITS = 2
"""Differences below which there is no scatter to estimate."""

_ROUNDING = 1e-12  # differences of accuracies that are equal on paper differ by less


@dataclass(frozen=True)
class CorrectedT:
    """The corrected resampled t-test.

    Attributes:
        mean: of the differences.
        interval: of the mean.
        t: the statistic, with the sign of the mean; None where all differences are equal.
        df: degrees of freedom.
        p: two-sided.
        p_greater: one-sided, against the alternative that the mean is positive; above 0.5 for a negative mean.
    """

    mean: float
    interval: Interval
    t: float | None
    df: int
    p: float
    p_greater: float


@dataclass(frozen=True)
class RopePosterior:
    """Posterior of the mean difference, divided by a region of practical equivalence.

    Attributes:
        rope: half the width of the region, which lies around 0 and contains its ends.
        p_below: probability that the mean difference lies below the region.
        p_equivalent: that it lies within.
        p_above: that it lies above.
        mean: of the posterior.
        interval: credible interval, central.
    """

    rope: float
    p_below: float
    p_equivalent: float
    p_above: float
    mean: float
    interval: Interval

    @property
    def verdict(self) -> Literal["below", "equivalent", "above", "undecided"]:
        """The part that holds more than 95 % of the probability; "undecided" where none does."""
        if self.p_equivalent > CONFIDENCE:
            return "equivalent"
        if max(self.p_below, self.p_above) > CONFIDENCE:
            return "above" if self.p_above > self.p_below else "below"
        return "undecided"


def corrected_t(
    differences: np.ndarray, n_train: int, n_test: int, overlap: float | None = None
) -> CorrectedT:
    """The corrected resampled t-test (Nadeau and Bengio 2003).

    The variance of the mean of k differences is (1/k + n_test/n_train) times that of the differences, which
    stands in for the correlation of resamples that share training examples. In r repetitions of a k-fold
    cross-validation the number of differences is k·r, and k·r it is in 1/k above.

    Equal differences have no scatter to test the mean by. They give the limit of a vanishing scatter: p is 1
    where the mean is 0, and 0 where it is not.

    Args:
        differences: (k,), one per resample, at least two.
        n_train: examples that each model was fitted on.
        n_test: examples that each was scored on.
        overlap: share of these that two resamples have in common, where it is not n_test / (n_train + n_test).

    Raises:
        CrossoverError: fewer than two differences, one that is not finite, or a size that is not positive.
    """
    mean, se, df = _location_and_scale(differences, n_train, n_test, overlap)
    if se == 0:
        p_greater = 0.5 - 0.5 * float(np.sign(mean))
        return CorrectedT(mean, Interval(mean, mean), None, df, float(mean == 0), p_greater)
    t = mean / se
    return CorrectedT(
        mean=mean,
        interval=_central(mean, se, df),
        t=t,
        df=df,
        p=float(2 * scipy.stats.t.sf(abs(t), df)),
        p_greater=float(scipy.stats.t.sf(t, df)),
    )


def bayesian_correlated_t(
    differences: np.ndarray, n_train: int, n_test: int, rope: float = ROPE, overlap: float | None = None
) -> RopePosterior:
    """The Bayesian correlated t-test (Corani and Benavoli 2015), with a region of practical equivalence.

    The posterior of the mean difference is Student's t with k - 1 degrees of freedom, the sample mean as its
    location and sqrt((1/k + rho/(1 - rho)) variance) as its scale. With rho = n_test/(n_train + n_test) the
    factor is 1/k + n_test/n_train, that of `corrected_t`, so both have the same interval.

    Equal differences give probability 1 to the part that their value lies in.

    Args:
        differences: (k,), one per resample, at least two.
        n_train: examples that each model was fitted on.
        n_test: examples that each was scored on.
        rope: half the width of the region around 0, in the unit of the differences, not negative.
        overlap: as of `corrected_t`.

    Raises:
        CrossoverError: as `corrected_t`, or a negative region.
    """
    if not rope >= 0:
        raise CrossoverError(
            f"the region of practical equivalence must not be negative, got {rope}; give half its width, "
            f"such as {ROPE} for one point of accuracy"
        )
    mean, scale, df = _location_and_scale(differences, n_train, n_test, overlap)
    if scale == 0:
        below, above = float(mean < -rope - _ROUNDING), float(mean > rope + _ROUNDING)
    else:
        below = float(scipy.stats.t.cdf(-rope, df, mean, scale))
        above = float(scipy.stats.t.sf(rope, df, mean, scale))
    return RopePosterior(rope, below, max(0.0, 1 - below - above), above, mean, _central(mean, scale, df))


def _location_and_scale(
    differences: np.ndarray, n_train: int, n_test: int, overlap: float | None
) -> tuple[float, float, int]:
    """Mean, its corrected standard error (0 where all differences are equal), degrees of freedom."""
    k = len(differences)
    if k < LEAST_SPLITS or not np.isfinite(differences).all():
        raise CrossoverError(
            f"a test over resamples needs {LEAST_SPLITS} or more finite differences, got {list(differences)}; "
            "run more repetitions (learning_curve.repetitions in params.yaml)"
        )
    if n_train <= 0 or n_test <= 0:
        raise CrossoverError(
            f"a test over resamples needs examples to train and to test on, got n_train {n_train} and n_test "
            f"{n_test}; take them from the rows of the fits"
        )
    mean = float(np.mean(differences))
    if np.ptp(differences) <= _ROUNDING:
        return (mean if abs(mean) > _ROUNDING else 0.0), 0.0, k - 1
    overlap = n_test / (n_train + n_test) if overlap is None else overlap
    return mean, float(np.sqrt(widening(k, overlap) * np.var(differences, ddof=1))), k - 1


def _central(mean: float, scale: float, df: int) -> Interval:
    half = float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, df)) * scale
    return Interval(mean - half, mean + half)
