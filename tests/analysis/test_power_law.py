"""Power laws of learning curves, against SciPy's least squares and on curves that follow one."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from crossover.analysis.power_law import PowerLaw, extrapolated_crossing, fit_power_law
from crossover.analysis.statistics import Interval

SIZES = np.array([52, 160, 520, 1600, 5200, 16_000, 54_000])
N_TEST = 10_000


def law(n: np.ndarray | int, a: float, b: float, c: float) -> np.ndarray:
    return a + b * np.asarray(n, dtype=float) ** -c


def fitted(
    errors: np.ndarray, sizes: np.ndarray = SIZES, n_test: int = N_TEST, draws: int = 400, seed: int = 0
) -> PowerLaw:
    """The fit of errors that scatter as those of `n_test` examples do, each size for itself."""
    scatter = np.sqrt(errors * (1 - errors) / n_test)
    noise = np.random.default_rng(seed).normal(size=(draws, len(sizes)))
    fit = fit_power_law(sizes, errors, errors + scatter * noise)
    assert fit is not None
    return fit


@pytest.mark.parametrize(
    ("a", "b", "c"), [(0.01, 9, 0.66), (0.066, 3.2, 0.58), (0, 2.2, 0.47), (0.02, 0.3, 0.1)]
)
def test_a_law_is_found_again(a: float, b: float, c: float) -> None:
    fit = fitted(law(SIZES, a, b, c))
    assert (fit.a, fit.b, fit.c) == pytest.approx((a, b, c), rel=1e-3, abs=1e-6)
    assert fit.r2 == pytest.approx(1)
    assert fit.largest_residual < 1e-6
    assert fit.predict(540_000) == pytest.approx(law(540_000, a, b, c), rel=1e-5)
    assert a in Interval(fit.a_interval.low - 1e-6, fit.a_interval.high + 1e-6)
    assert c in fit.c_interval


@pytest.mark.parametrize("seed", range(6))
def test_noisy_curves_are_fitted_as_scipy_fits_them(seed: int) -> None:
    """Trust-region weighted least squares with the same bounds finds no better fit, and the same one."""
    rng = np.random.default_rng(seed)
    errors = law(SIZES, 0.01, 4, 0.5) * (1 + 0.03 * rng.normal(size=7))
    draws = errors + np.sqrt(errors / N_TEST) * rng.normal(size=(300, 7))
    fit = fit_power_law(SIZES, errors, draws)
    assert fit is not None
    deviation = np.maximum(draws.std(axis=0), 1e-3)
    bounds = ([0, 0, 0.02], [1, 100, 2])
    expected, _ = curve_fit(
        law, SIZES.astype(float), errors, (0.01, 3, 0.5), deviation, bounds=bounds, ftol=1e-14, xtol=1e-14
    )

    def loss(parameters: tuple[float, float, float]) -> float:
        return float((((errors - law(SIZES, *parameters)) / deviation) ** 2).sum())

    assert loss((fit.a, fit.b, fit.c)) <= loss(tuple(expected)) * (1 + 1e-6)
    assert (fit.a, fit.b, fit.c) == pytest.approx(tuple(expected), rel=2e-3, abs=2e-5)


def test_a_is_not_below_zero() -> None:
    """A straight line in log n falls faster than any law with a positive a."""
    errors = 0.5 - 0.1 * np.log10(SIZES)
    fit = fitted(errors)
    assert fit.a == 0
    assert fit.b > 0
    assert fit.c > 0


def test_b_is_not_below_zero() -> None:
    """Errors that rise have no falling law; the best one is flat, at their weighted mean."""
    errors = np.array([0.10, 0.12, 0.14, 0.16])
    scatter = np.full((400, 4), 0.001) * np.random.default_rng(0).normal(size=(400, 4))
    fit = fit_power_law(np.array([10, 100, 1000, 10_000]), errors, errors + scatter)
    assert fit is not None
    assert fit.predict(10) == pytest.approx(fit.predict(10_000))
    assert fit.predict(10) == pytest.approx(0.13, abs=0.001)  # the weights are nearly equal
    assert not fit.monotone
    assert not fit.well_behaved
    assert fit.improvement.status == "undecided"


def test_r2_and_the_largest_residual() -> None:
    """By hand, with equal weights: the fit explains 1 - SS(residuals) / SS(around the mean)."""
    sizes = np.array([10, 100, 1000, 10_000])
    errors = np.array([0.40, 0.30, 0.10, 0.09])
    draws = errors + 0.01 * np.random.default_rng(0).choice([-1, 1], size=(400, 4))  # sd 0.01 each
    fit = fit_power_law(sizes, errors, draws)
    assert fit is not None
    residuals = errors - law(sizes, fit.a, fit.b, fit.c)
    assert fit.largest_residual == pytest.approx(np.abs(residuals).max())
    assert fit.r2 == pytest.approx(1 - (residuals**2).sum() / ((errors - errors.mean()) ** 2).sum(), abs=1e-3)


def test_less_than_four_sizes_have_no_law() -> None:
    errors = np.array([0.3, 0.2, 0.1])
    assert fit_power_law(SIZES[:3], errors, np.tile(errors, (10, 1))) is None


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ((0.002, 3, 0.5), "still improves"),  # a doubling at 54,000 removes 25 % of the errors
        ((0.06, 3, 0.6), "plateau"),  # … 2 %
        ((0.03, 0.6, 0.3), "undecided"),  # … 7 %, and less where a size is left out
    ],
)
def test_what_a_doubling_of_the_data_is_worth(parameters: tuple[float, float, float], status: str) -> None:
    fit = fitted(law(SIZES, *parameters), n_test=2000)
    now, then = law(np.array([54_000, 108_000]), *parameters)
    assert fit.improvement.value == pytest.approx(1 - then / now, abs=0.001)
    assert fit.improvement.value in fit.improvement.interval
    assert fit.improvement.status == status


def test_a_flat_curve_is_a_plateau_though_its_law_explains_nothing() -> None:
    rng = np.random.default_rng(1)
    errors = 0.05 + 0.002 * rng.normal(size=7)
    fit = fitted(errors)
    assert fit.r2 < 0.9
    assert fit.well_behaved
    assert fit.improvement.status == "plateau"


def test_no_errors_at_all_are_a_plateau() -> None:
    fit = fit_power_law(SIZES, np.zeros(7), np.zeros((50, 7)))
    assert fit is not None
    assert fit.predict(540_000) == 0
    assert (fit.improvement.value, fit.improvement.status) == (0, "plateau")


def test_a_curve_that_rises_in_between_is_not_well_behaved() -> None:
    errors = law(SIZES, 0.01, 4, 0.5)
    errors[3] *= 2
    fit = fitted(errors)
    assert not fit.monotone
    assert not fit.well_behaved


@pytest.mark.parametrize(("rising", "monotone"), [(985, True), (995, False)])
def test_a_rise_is_clear_in_nearly_all_resamples(rising: int, monotone: bool) -> None:
    """Of three steps each may rise in 1 - 0.025 / 3 = 99.2 % of the resamples."""
    errors = np.array([0.4, 0.2, 0.1, 0.11])
    draws = np.tile(errors, (1000, 1))
    draws[rising:, 3] = 0.09
    fit = fit_power_law(SIZES[:4], errors, draws)
    assert fit is not None
    assert fit.monotone == monotone


def test_a_rise_within_the_noise_is_none() -> None:
    errors = law(SIZES, 0.05, 4, 0.8)
    errors[-1] = errors[-2] + 0.0005
    assert fitted(errors).monotone


def test_a_step_is_not_well_behaved() -> None:
    """Falling all the way, but not as a power of n."""
    fit = fitted(np.array([0.50, 0.499, 0.498, 0.497, 0.20, 0.199, 0.198]))
    assert fit.monotone
    assert fit.r2 < 0.9
    assert not fit.well_behaved


@pytest.mark.slow
def test_the_band_covers_what_came_later() -> None:
    """Fits to the sizes up to 5,200 predict the error at 52,000 within their bands, in noise, nearly always."""
    sizes, truth = SIZES[:5], (0.01, 4.0, 0.5)
    rng = np.random.default_rng(2)
    expected, covered = float(law(52_000, *truth)), 0
    for seed in range(40):
        errors = law(sizes, *truth)
        errors = errors + np.sqrt(errors / 2000) * rng.normal(size=5)
        band = fitted(errors, sizes, n_test=2000, draws=100, seed=seed).band(52_000)
        covered += expected in band
    assert covered >= 37


@pytest.mark.parametrize(("bend", "side"), [(0.8, "high"), (1.25, "low")])
def test_leaving_sizes_out_widens_the_band(bend: float, side: str) -> None:
    """A bend at the end that the law does not have: the resamples alone do not see it."""
    errors = law(SIZES, 0.01, 4, 0.5)
    errors[-1] *= bend
    fit = fitted(errors, n_test=10**6)
    low, high = np.quantile(fit.resampled.at(540_000), [0.025, 0.975])
    band = fit.band(540_000)
    assert band.low <= low
    assert high <= band.high
    beyond = {"low": low - band.low, "high": band.high - high}
    assert beyond[side] > 2 * (high - low)


def test_the_extrapolated_crossing_of_two_laws() -> None:
    """0.01 + 4 n^-0.5 = 0.02 + 2 n^-0.5 at n = 200² = 40,000; measured up to 5,200."""
    a, b = (fitted(law(SIZES[:5], *p), SIZES[:5]) for p in ((0.01, 4.0, 0.5), (0.02, 2.0, 0.5)))
    found = extrapolated_crossing(a, b, 5200)
    assert found.n == pytest.approx(40_000, rel=0.02)
    assert found.interval is not None
    assert found.interval.low < 40_000 < found.interval.high <= 52_000 * (1 + 1e-9)
    assert 0.3 < found.share < 1


def test_laws_that_do_not_cross_within_the_decade() -> None:
    a, b = (fitted(law(SIZES, *p)) for p in ((0.01, 4.0, 0.5), (0.05, 6.0, 0.5)))
    assert extrapolated_crossing(a, b, 54_000) == (None, None, 0.0)


def test_no_extrapolation_from_a_curve_without_a_law() -> None:
    errors = law(SIZES, 0.01, 4, 0.5)
    good = fitted(errors)
    errors[3] *= 2
    found = extrapolated_crossing(good, fitted(errors), 54_000)
    assert found.n is None
    assert np.isnan(found.share)
