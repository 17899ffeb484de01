"""Power laws of learning curves, error(n) = a + b n^-c: pure functions of errors.

`docs/methods.md` says what they are for and what they cannot show.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from crossover.analysis.statistics import CONFIDENCE, Interval, percentile_interval

Status = Literal["still improves", "plateau", "undecided"]

WORTH_IT = 0.05
"""A curve has reached a plateau where a doubling of the labels removes less than a twentieth of its errors: labels
cost in proportion to their number, and on few problems does so small a gain pay for twice as many."""

FEWEST_SIZES = 4  # one more than the law has parameters
DECADE = 10  # how far a law is extrapolated, as a multiple of the largest size

_GOOD_R2 = 0.9  # from which a law describes a curve
_EXPONENTS = np.geomspace(0.02, 2, 60)  # below them the law is a straight line in log n, above them a step
_GOLDEN_SECTIONS = 25  # of the bracket around the best of them: to a millionth of it
_GOLDEN_RATIO = (np.sqrt(5) - 1) / 2
_LEAST_ERROR = 1e-3
"""Least standard error in a weight, a tenth of a point: no law describes a curve better than that, and an error that
happens not to scatter would otherwise decide the fit alone."""
_DECADE_STEPS = 200  # sizes at which two laws are compared within the decade


@dataclass(frozen=True)
class Improvement:
    """What the next doubling of the data gains: 1 - error(2N) / error(N), N the largest size.

    Attributes:
        value: share of the errors that it removes, by the fitted law.
        interval: of that share, as `PowerLaw.band` is made.
        status: by `WORTH_IT`; undecided where the interval contains it or the law does not describe the curve.
    """

    value: float
    interval: Interval
    status: Status


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class Laws:
    """Many power laws.

    Attributes:
        a: float (laws,), in error; 0 or more.
        b: float (laws,), the error above a at the size `unit`; 0 or more.
        c: float (laws,).
        unit: number of examples; the smallest size, since n = 1 lies far from all that was measured.
    """

    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    unit: float

    def at(self, n: float) -> np.ndarray:
        """The errors at n examples: (laws,)."""
        return self.a + self.b * (n / self.unit) ** -self.c

    def gain(self, n: float) -> np.ndarray:
        """Share of the errors at n that a doubling removes: (laws,); 0 where there is no error left."""
        now = self.at(n)
        return np.divide(now - self.at(2 * n), now, out=np.zeros_like(now), where=now > 0)


@dataclass(frozen=True, eq=False)
class PowerLaw:
    """error(n) = a + b n^-c, fitted to one learning curve.

    Attributes:
        a: the error that no amount of data removes, by the law.
        b: scale of the rest: what it would be at n = 1, far outside of what was measured.
        c: how fast the rest falls; at 0.5 four times the data halve it.
        a_interval: of a, as `band` is made.
        c_interval: of c, likewise.
        r2: share of the variance of the errors over the sizes that the law explains, weighted as the fit is.
        largest_residual: largest distance of an observed error from the law (0.01 is a point).
        monotone: False where the error clearly rises from one size to the next.
        well_behaved: whether the law describes the curve, so that it may be extrapolated.
        largest_size: N, up to which the curve was measured.
        resampled: laws fitted to the resamples, the same ones for every curve of a data set.
        left_out: laws fitted without one size each.
    """

    a: float
    b: float
    c: float
    a_interval: Interval
    c_interval: Interval
    r2: float
    largest_residual: float
    monotone: bool
    well_behaved: bool
    largest_size: int
    resampled: Laws
    left_out: Laws

    def predict(self, n: float) -> float:
        """The error at n examples."""
        return float(self.a + self.b * n**-self.c)

    def band(self, n: float) -> Interval:
        """The interval of the error at n examples.

        The middle 95 % of the resamples show what other test examples and repetitions would have given, if the law
        is right. The fits without one size each show how far the law can be trusted. The interval holds both.
        """
        return _envelope(self.resampled.at(n), self.left_out.at(n))

    def accuracy_band(self, n: float) -> Interval:
        """The same of the accuracy."""
        errors = self.band(n)
        return Interval(1 - errors.high, 1 - errors.low)

    @property
    def improvement(self) -> Improvement:
        """What a doubling of the data at the largest size gains."""
        n = self.largest_size
        interval = _envelope(self.resampled.gain(n), self.left_out.gain(n))
        now = self.predict(n)
        value = 1 - self.predict(2 * n) / now if now > 0 else 0.0
        status: Status = "still improves" if interval.low > WORTH_IT else "plateau"
        if not self.well_behaved or WORTH_IT in interval:
            status = "undecided"
        return Improvement(value, interval, status)


class FutureCrossing(NamedTuple):
    """Where two fitted laws cross within the decade beyond the largest size.

    Attributes:
        n: number of examples; None where the fits do not cross there.
        interval: the middle 95 % of the places of those resamples that cross there, and of the fits without one
            size each; None where n is None.
        share: of the resamples that cross there; NaN where a law does not describe its curve.
    """

    n: float | None
    interval: Interval | None
    share: float


def fit_power_law(sizes: np.ndarray, errors: np.ndarray, draws: np.ndarray) -> PowerLaw | None:
    """Fit error(n) = a + b n^-c with a, b >= 0 and c from 0.02 to 2; None below `FEWEST_SIZES` sizes.

    Weighted least squares, each size with the inverse of its squared standard error over the resamples. For a
    given c the law is linear in a and b, so c alone is searched: on a grid, then by golden sections.

    A law describes its curve where it explains 90 % of the variance of the errors, or misses none of them by more
    than two standard errors (a flat curve has no variance to explain), and where the error does not rise from one
    size to the next in nearly all of the resamples (97.5 %, corrected for the number of steps after Bonferroni).

    Args:
        sizes: int64 (S,), rising.
        errors: float (S,), observed: 1 - mean accuracy.
        draws: float (draws, S), the same in resamples.
    """
    if len(sizes) < FEWEST_SIZES:
        return None
    deviation = np.maximum(draws.std(axis=0), _LEAST_ERROR)
    law = _fit(sizes, errors[None], deviation)
    residuals = errors - np.array([law.at(n)[0] for n in sizes])
    weights = deviation**-2.0
    total = float(weights @ (errors - np.average(errors, weights=weights)) ** 2)
    r2 = 1 - float(weights @ residuals**2) / total if total > 0 else 1.0
    rises = (np.diff(draws, axis=1) > 0).mean(axis=0)  # share of the resamples, for each step
    monotone = bool((rises <= 1 - (1 - CONFIDENCE) / 2 / len(rises)).all())
    resampled, left_out = _fit(sizes, draws, deviation), _without_each(sizes, errors, deviation)
    return PowerLaw(
        a=float(law.a[0]),
        b=float(law.b[0] * law.unit ** law.c[0]),
        c=float(law.c[0]),
        a_interval=_envelope(resampled.a, left_out.a),
        c_interval=_envelope(resampled.c, left_out.c),
        r2=r2,
        largest_residual=float(np.abs(residuals).max()),
        monotone=monotone,
        well_behaved=monotone and (r2 >= _GOOD_R2 or bool((np.abs(residuals) <= 2 * deviation).all())),
        largest_size=int(sizes[-1]),
        resampled=resampled,
        left_out=left_out,
    )


def _fit(sizes: np.ndarray, errors: np.ndarray, deviation: np.ndarray) -> Laws:
    """One law for each row of `errors` (rows, S)."""
    n, weights = sizes / sizes[0], deviation**-2.0
    losses = np.stack([_linear(n, errors, weights, np.full(len(errors), c))[2] for c in _EXPONENTS])
    best = losses.argmin(axis=0)
    low = np.log(_EXPONENTS[np.maximum(best - 1, 0)])
    high = np.log(_EXPONENTS[np.minimum(best + 1, len(_EXPONENTS) - 1)])
    for _ in range(_GOLDEN_SECTIONS):
        left, right = high - _GOLDEN_RATIO * (high - low), low + _GOLDEN_RATIO * (high - low)
        left_is_better = (
            _linear(n, errors, weights, np.exp(left))[2] < _linear(n, errors, weights, np.exp(right))[2]
        )
        low, high = np.where(left_is_better, low, left), np.where(left_is_better, right, high)
    c = np.exp((low + high) / 2)
    a, b, _ = _linear(n, errors, weights, c)
    return Laws(a, b, c, float(sizes[0]))


def _linear(
    n: np.ndarray, errors: np.ndarray, weights: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The best a and b, neither below 0, for given exponents, and the weighted sum of squares that is left.

    The sum of squares is convex, so its least value lies inside, or on one of the edges a = 0 and b = 0.
    """
    x = n ** -c[:, None]  # (rows, S)
    total, sx, sy = weights.sum(), x @ weights, errors @ weights
    sxx, sxy = (x * x) @ weights, (x * errors) @ weights
    spread = np.maximum(total * sxx - sx**2, 1e-300)
    b_inside = (total * sxy - sx * sy) / spread
    a_inside = (sy - b_inside * sx) / total
    inside = (a_inside >= 0) & (b_inside >= 0)
    a = np.stack([np.where(inside, a_inside, 0), np.zeros_like(sx), np.maximum(sy / total, 0)])
    b = np.stack([np.where(inside, b_inside, 0), np.maximum(sxy / sxx, 0), np.zeros_like(sx)])
    losses = ((errors - a[..., None] - b[..., None] * x) ** 2) @ weights  # (3, rows)
    best = losses.argmin(axis=0)[None]
    return tuple(np.take_along_axis(values, best, axis=0)[0] for values in (a, b, losses))


def _without_each(sizes: np.ndarray, errors: np.ndarray, deviation: np.ndarray) -> Laws:
    """The laws of the curve without one size each; of the same unit."""
    fits = []
    for left_out in range(len(sizes)):
        kept = np.arange(len(sizes)) != left_out
        law = _fit(sizes[kept], errors[None, kept], deviation[kept])
        fits.append((law.a[0], law.b[0] * (law.unit / sizes[0]) ** law.c[0], law.c[0]))
    a, b, c = np.array(fits).T
    return Laws(a, b, c, float(sizes[0]))


def _envelope(resampled: np.ndarray, left_out: np.ndarray) -> Interval:
    """The middle 95 % of the resamples and all of the fits without one size."""
    middle = percentile_interval(resampled)
    return Interval(min(middle.low, float(left_out.min())), max(middle.high, float(left_out.max())))


def extrapolated_crossing(fit_a: PowerLaw, fit_b: PowerLaw, largest_size: int) -> FutureCrossing:
    """Where the lead changes within one decade beyond the largest size, by two fitted laws.

    Args:
        fit_a: of one curve.
        fit_b: of another of the same data set, whose resamples are the same.
        largest_size: N; the decade goes from N to 10 N.

    Returns:
        The first crossing; without number and share where one of the laws does not describe its curve.
    """
    if not (fit_a.well_behaved and fit_b.well_behaved):
        return FutureCrossing(None, None, float("nan"))
    path = np.geomspace(largest_size, DECADE * largest_size, _DECADE_STEPS)
    observed = np.array([[fit_a.predict(n) - fit_b.predict(n) for n in path]])
    n = _first_crossing(path, observed)[0]
    resampled, left_out = (
        _first_crossing(path, np.stack([a.at(n) - b.at(n) for n in path], axis=1))
        for a, b in ((fit_a.resampled, fit_b.resampled), (fit_a.left_out, fit_b.left_out))
    )
    share = float(np.mean(~np.isnan(resampled)))
    if np.isnan(n):
        return FutureCrossing(None, None, share)
    places = resampled[~np.isnan(resampled)], left_out[~np.isnan(left_out)]
    return FutureCrossing(float(n), _envelope(*(np.append(some, n) for some in places)), share)


def _first_crossing(path: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """The first of the sizes `path` at which each row of differences (rows, path) has changed its sign, or NaN."""
    changed = np.sign(differences[:, 1:]) * np.sign(differences[:, :1]) < 0
    return np.where(changed.any(axis=1), path[1:][changed.argmax(axis=1)], np.nan)
