"""The crossover of two learning curves, on curves whose crossings are known."""

import numpy as np
import pytest

from crossover.analysis.bootstrap import resampled_means
from crossover.analysis.crossing import (
    Crossover,
    crossover,
    repetition_variance,
    simultaneous_band,
)

SIZES = np.array([100, 300, 1000, 3000, 10_000])
N_TEST = 2000


def answers(accuracies: list[float], repetitions: int = 3, seed: int = 0, n_test: int = N_TEST) -> np.ndarray:
    """bool (S, R, n_test) with exactly these accuracies; the fits agree on what is easy, more or less."""
    rng = np.random.default_rng(seed)
    difficulty = np.random.default_rng(99).normal(size=n_test)
    ranks = difficulty + 0.5 * rng.normal(size=(len(accuracies), repetitions, n_test))
    right = np.round(np.array(accuracies) * n_test)[:, None, None]
    return ranks.argsort(axis=2).argsort(axis=2) < right


def compare(a: np.ndarray, b: np.ndarray, sizes: np.ndarray = SIZES) -> Crossover:
    draws = resampled_means(np.stack([a, b]), draws=2000)
    return crossover(sizes, a.mean(axis=2) - b.mean(axis=2), draws[:, 0] - draws[:, 1])


def compared(a: list[float], b: list[float]) -> Crossover:
    return compare(answers(a, seed=1), answers(b, seed=2))


def test_one_crossing_lies_where_the_difference_is_zero() -> None:
    # The difference is -10, -6, -3, +3, +4 points, so 0 half way from 1,000 to 3,000 on the log scale.
    found = compared([0.50, 0.64, 0.77, 0.88, 0.94], [0.60, 0.70, 0.80, 0.85, 0.90])
    assert found.kind == "one crossing"
    assert found.signs.tolist() == [-1, -1, -1, 1, 1]
    assert found.difference == pytest.approx([-0.10, -0.06, -0.03, 0.03, 0.04])
    (crossing,) = found.crossings
    assert crossing.n == pytest.approx(np.sqrt(1000 * 3000))
    assert crossing.direction == "deep overtakes"
    assert 1000 <= crossing.low < crossing.n < crossing.high <= 3000


def test_the_same_curves_the_other_way_round() -> None:
    a, b = answers([0.50, 0.64, 0.77, 0.88, 0.94], seed=1), answers([0.60, 0.70, 0.80, 0.85, 0.90], seed=2)
    there, back = compare(a, b), compare(b, a)
    assert back.signs.tolist() == (-there.signs).tolist()
    assert back.crossings[0].direction == "classical overtakes back"
    assert back.crossings[0].n == pytest.approx(there.crossings[0].n)
    assert back.ahead == pytest.approx(1 - there.ahead)


def test_two_crossings() -> None:
    # -8, +8, +8, -6, -6: up half way from 100 to 300, down at 8/14 of the way from 1,000 to 3,000.
    found = compared([0.52, 0.78, 0.88, 0.84, 0.86], [0.60, 0.70, 0.80, 0.90, 0.92])
    assert found.kind == "several crossings"
    assert [c.direction for c in found.crossings] == ["deep overtakes", "classical overtakes back"]
    assert [c.n for c in found.crossings] == pytest.approx([np.sqrt(100 * 300), 1000 * 3 ** (8 / 14)])


def test_undecided_sizes_between_are_bridged() -> None:
    # -10, -5, 0, +5, +10: exactly 0 at 1,000, which no band excludes.
    found = compared([0.50, 0.65, 0.80, 0.90, 0.98], [0.60, 0.70, 0.80, 0.85, 0.88])
    assert found.signs.tolist() == [-1, -1, 0, 1, 1]
    assert found.undecided.tolist() == [1000]
    assert found.crossings[0].n == pytest.approx(1000)
    assert 300 < found.crossings[0].low < 1000 < found.crossings[0].high < 3000


def test_of_several_zeros_in_a_bracket_the_geometric_mean_of_the_first_and_the_last() -> None:
    # Only the first and the last size are decided; between them the observed difference goes up, down and up.
    sizes, difference = np.array([1, 10, 100, 1000]), np.array([-0.1, 0.01, -0.01, 0.1])
    spread = np.array([0.001, 0.02, 0.02, 0.001])
    draws = difference + spread * np.random.default_rng(0).normal(size=(4000, 4))
    found = crossover(sizes, np.tile(difference[:, None], 20), draws)
    assert found.signs.tolist() == [-1, 0, 0, 1]
    # Zeros at 10^(10/11) and at 10^(2 + 1/11): on the log scale their middle is 1.5.
    assert found.crossings[0].n == pytest.approx(10**1.5)


@pytest.mark.parametrize(
    ("throughout", "interval"), [([0.05, 0.15], (10, 100)), ([-0.15, -0.05], (100, 1000))]
)
def test_a_resample_without_a_crossing_counts_at_the_end_it_points_to(
    throughout: list[float], interval: tuple[float, float]
) -> None:
    """4 % of the resamples have no crossing: more than a tail of 2.5 %, less than the band gives away."""
    sizes, difference = np.array([10, 1000]), np.array([-0.1, 0.1])
    draws = np.concatenate([np.tile(throughout, (40, 1)), np.tile(difference, (960, 1))])
    (crossing,) = crossover(sizes, np.tile(difference[:, None], 20), draws).crossings
    assert crossing.n == pytest.approx(100)
    assert (crossing.low, crossing.high) == pytest.approx(interval)


@pytest.mark.parametrize(
    ("a", "kind", "signs"),
    [
        ([0.70, 0.80, 0.90, 0.95, 0.99], "from the smallest size on", [1, 1, 1, 1, 1]),
        ([0.50, 0.60, 0.70, 0.75, 0.80], "not up to n", [-1, -1, -1, -1, -1]),
        ([0.60, 0.70, 0.90, 0.95, 0.99], "ahead from n on", [0, 0, 1, 1, 1]),
        ([0.50, 0.60, 0.80, 0.85, 0.90], "not up to n", [-1, -1, 0, 0, 0]),
    ],
)
def test_curves_that_never_cross(a: list[float], kind: str, signs: list[int]) -> None:
    found = compared(a, [0.60, 0.70, 0.80, 0.85, 0.90])
    assert (found.kind, found.signs.tolist(), found.crossings) == (kind, signs, [])


def test_curves_that_tie_are_undecided() -> None:
    found = compared([0.60, 0.701, 0.80, 0.85, 0.90], [0.601, 0.70, 0.80, 0.851, 0.90])
    assert found.kind == "undecided"
    assert (found.low < 0).all()
    assert (found.high > 0).all()
    assert (np.abs(found.ahead - 0.5) < 0.4).all()


def test_a_curve_against_itself_is_exactly_undecided() -> None:
    a = answers([0.60, 0.70, 0.80, 0.85, 0.90])
    found = compare(a, a)
    assert found.kind == "undecided"
    assert not found.difference.any()
    assert not found.low.any()
    assert found.ahead.tolist() == [0.5] * 5


def test_a_difference_without_scatter_is_decided() -> None:
    """All right against all wrong: no resample says otherwise."""
    right = np.ones((5, 2, 50), dtype=bool)
    found = compare(right, ~right)
    assert found.kind == "from the smallest size on"
    assert found.low == pytest.approx(np.ones(5))


def test_the_band_holds_all_sizes_at_once() -> None:
    """Of five independent normal differences the band needs 2.57 standard errors (Sidak), not 1.96."""
    draws = np.random.default_rng(0).normal(size=(40_000, 5))
    low, high = simultaneous_band(SIZES, np.zeros((5, 3)), draws)
    assert (high - low) / 2 == pytest.approx(np.full(5, 2.569), abs=0.04)


def test_the_band_misses_no_difference_in_most_repeated_experiments() -> None:
    """Two equal learners: a false lead at any of five sizes comes about in 5 % of experiments, not more."""
    rng = np.random.default_rng(5)
    false_leads = 0
    for experiment in range(60):
        a, b = rng.random((2, 5, 1, 400)) < np.array([0.6, 0.7, 0.8, 0.85, 0.9])[:, None, None]
        draws = resampled_means(np.stack([a, b]), draws=400, seed=experiment)
        found = crossover(SIZES, a.mean(axis=2) - b.mean(axis=2), draws[:, 0] - draws[:, 1])
        false_leads += found.kind != "undecided"
    assert false_leads <= 8  # a binomial with 60 and 5 % exceeds it once in 200 times


@pytest.mark.parametrize("repetitions", [1, 2, 3, 4])
def test_few_repetitions_find_no_lead_between_equal_curves(repetitions: int) -> None:
    """Each repetition's subset suits one of the two by chance, by three points on the smallest one."""
    sizes, false_leads, rng = np.geomspace(100, 50_000, 7), 0, np.random.default_rng(5)
    for _ in range(60):
        by_chance = rng.normal(size=(2, 7, repetitions, 1)) * (0.03 * (sizes / 100) ** -0.4)[:, None, None]
        difficulty = 0.05 * (rng.random(N_TEST) - 0.5)
        a, b = rng.random((2, 7, repetitions, N_TEST)) < 0.9 + by_chance + difficulty
        draws = resampled_means(np.stack([a, b]), draws=400)
        found = crossover(sizes, a.mean(axis=2) - b.mean(axis=2), draws[:, 0] - draws[:, 1])
        false_leads += found.kind != "undecided"
    assert false_leads <= 8  # as above


def test_one_repetition_has_no_band() -> None:
    """Nothing says what another subset would have given, however large the difference."""
    found = compare(answers([0.9] * 5, repetitions=1), answers([0.5] * 5, repetitions=1))
    assert found.kind == "undecided"
    assert np.isinf(found.low).all()
    assert np.isinf(found.high).all()
    assert found.ahead.tolist() == [1.0] * 5


def test_the_scatter_of_repetitions_is_smoothed_over_the_sizes() -> None:
    """Drawn from a variance that falls as 1 / n, two repetitions at each of 400 sizes give back that line."""
    sizes = np.geomspace(100, 10_000, 400)
    differences = np.random.default_rng(0).normal(size=(400, 2)) / np.sqrt(sizes)[:, None]
    observed = differences.var(axis=1, ddof=1) / 2
    variance, freedom = repetition_variance(sizes, observed, 2)
    assert freedom == 398
    assert variance * 2 * sizes == pytest.approx(np.ones(400), rel=0.3)
    assert (observed * 2 * sizes).min() < 0.01  # what a band would have rested on


def test_of_three_sizes_each_has_its_own_scatter() -> None:
    observed = np.array([4.0, 1.0, 2.0])
    variance, freedom = repetition_variance(np.array([10, 100, 1000]), observed, 5)
    assert (variance.tolist(), freedom) == ([4.0, 1.0, 2.0], 4)


MEASURED = {  # % at 100, 300, 1,000, 3,000 and 10,000 examples: mean and standard deviation
    "1-NN": ([28.2, 18.4, 11.5, 7.7, 5.2], [1.9, 0.5, 0.3, 0.1, 0.2]),
    "logistic": ([25.4, 17.5, 12.7, 11.0, 9.3], [2.0, 0.7, 0.6, 0.5, 0.3]),
    "forest": ([25.9, 15.2, 9.4, 6.5, 4.5], [2.1, 0.6, 0.6, 0.2, 0.1]),
    "xgboost": ([40.9, 22.7, 11.9, 7.2, 4.3], [2.4, 1.5, 0.4, 0.3, 0.1]),
}


def measured(name: str, noise: float) -> np.ndarray:
    """Five repetitions with exactly the mean and standard deviation above, on 10,000 test examples.

    Repetition k is the same subset for every model, so a lucky one is lucky for all.
    """
    mean, sd = (np.array(column)[:, None] / 100 for column in MEASURED[name])
    luck = np.array([-2.0, -1.0, 0.0, 1.0, 2.0]) / np.sqrt(2.5)  # mean 0, standard deviation 1
    right = np.round((1 - mean + sd * luck) * 10_000)[..., None]
    rng = np.random.default_rng(list(MEASURED).index(name))
    own = noise * rng.normal(size=(5, 5, 10_000)) if noise else 0
    difficulty = np.linspace(-2, 2, 10_000) + own * np.ones((5, 5, 1))
    return difficulty.argsort(axis=2).argsort(axis=2) < right


@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [
        ("logistic", "1-NN", 300, 1000),
        ("logistic", "xgboost", 300, 1000),
        ("1-NN", "xgboost", 1000, 3000),
        ("forest", "xgboost", 3000, 10_000),
    ],
)
def test_the_known_crossings_lie_in_their_brackets(before: str, after: str, low: int, high: int) -> None:
    found = compare(measured(after, noise=0), measured(before, noise=0))
    (crossing,) = found.crossings
    assert crossing.direction == "deep overtakes"  # which is `after` here
    assert low < crossing.low < crossing.n < crossing.high < high
    assert (found.signs[0], found.signs[-1]) == (-1, 1)


def test_models_that_err_on_different_examples_need_a_larger_lead() -> None:
    """0.2 points of 10,000 examples, XGBoost before the forest at the largest size, are then no lead."""
    found = compare(measured("xgboost", noise=0.5), measured("forest", noise=0.5))
    assert found.kind == "not up to n"
    assert found.signs.tolist() == [-1, -1, -1, -1, 0]
    assert found.low[-1] < 0.002 < found.high[-1]
