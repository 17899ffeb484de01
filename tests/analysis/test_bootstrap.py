"""The bootstrap, against distributions that a hand or another library computes."""

import itertools

import numpy as np
import pytest
import scipy.stats

from crossover.analysis.bootstrap import bootstrap, resampled_means, split_means
from crossover.analysis.resampled import corrected_t
from crossover.analysis.statistics import effective_n, percentile_interval


def random_correct(repetitions: int, n_test: int, accuracy: float, seed: int) -> np.ndarray:
    """Fits that agree on most test examples, as fits of one model do."""
    rng = np.random.default_rng(seed)
    hardness = rng.random(n_test) + 0.1 * rng.random((repetitions, n_test))
    return hardness < np.quantile(hardness, accuracy)


def test_bootstrap_agrees_with_scipy_on_one_fit() -> None:
    a, b = random_correct(1, 300, 0.9, seed=1), random_correct(1, 300, 0.85, seed=2)
    resamples = bootstrap([a, b], draws=4000)
    ours = percentile_interval(resamples[:, 0] - resamples[:, 1])
    difference = a[0].astype(float) - b[0]
    theirs = scipy.stats.bootstrap(
        (difference,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(0)
    ).confidence_interval
    assert [ours.low, ours.high] == pytest.approx([theirs.low, theirs.high], abs=0.006)


def test_bootstrap_has_the_exact_distribution_of_two_examples_and_two_repetitions() -> None:
    """Two repetitions drawn as 2 + 0 have the weights 1/2 ± 1/sqrt(2), of which one is negative (Rao and Wu)."""
    correct = np.array([[True, False], [True, True]])
    drawn = bootstrap([correct], draws=40_000)[:, 0].round(9)
    means = []
    for fits in itertools.product(range(2), repeat=2):
        weights = 0.5 + np.sqrt(2) * (np.bincount(fits, minlength=2) / 2 - 0.5)
        means += [
            weights @ correct[:, examples].mean(axis=1) for examples in itertools.product(range(2), repeat=2)
        ]
    exact = np.round(means, 9)
    assert set(drawn) == set(exact)
    for value in set(exact):
        assert np.mean(drawn == value) == pytest.approx(np.mean(exact == value), abs=0.01)


def test_bootstrap_standard_error_has_both_levels() -> None:
    correct = random_correct(5, 400, 0.9, seed=3)
    drawn = bootstrap([correct], draws=4000)[:, 0]
    assert drawn.std() == pytest.approx(np.sqrt(0.09 / effective_n(correct)), rel=0.1)


def test_bootstrap_is_paired() -> None:
    cell = random_correct(3, 100, 0.8, seed=4)
    resamples = bootstrap([cell, cell.copy()], draws=200)
    assert (resamples[:, 0] == resamples[:, 1]).all()


def test_bootstrap_repeats_with_its_seed_and_across_chunks() -> None:
    cell = random_correct(2, 50, 0.8, seed=5)
    first, again, other = (bootstrap([cell], draws=1200, seed=seed) for seed in (0, 0, 1))
    assert first.shape == (1200, 1)
    assert (first == again).all()
    assert (first != other).any()


def test_a_cell_with_one_fit_stands_beside_cells_with_several() -> None:
    single, several = random_correct(1, 60, 0.9, seed=6), random_correct(5, 60, 0.9, seed=7)
    repeated = bootstrap([np.repeat(single, 5, axis=0), several], draws=100)
    assert (bootstrap([single, several], draws=100) == repeated).all()


def test_one_repetition_has_no_second_level() -> None:
    """The variance of a mean of n_test independent answers: p (1 - p) / n_test."""
    correct = np.arange(1000) < 800
    drawn = resampled_means(correct[None], draws=8000)
    assert drawn.mean() == pytest.approx(0.8, abs=0.001)
    assert drawn.var() == pytest.approx(0.8 * 0.2 / 1000, rel=0.05)


@pytest.mark.parametrize("rates", [(0.7, 0.9), (0.7, 0.8, 0.9), (0.6, 0.7, 0.8, 0.9, 1.0)])
def test_few_repetitions_do_not_understate_their_scatter(rates: tuple[float, ...]) -> None:
    """Fits that differ as a whole: the variance of the mean of R is the sample variance over R, R - 1 in it."""
    right = np.arange(5000) < 5000 * np.array(rates)[:, None]
    from_repetitions = np.var(rates, ddof=1) / len(rates)
    from_examples = right.mean(axis=0).var() / 5000
    variance = bootstrap([right], draws=4000).var()
    assert variance == pytest.approx(from_repetitions + from_examples, rel=0.1)


def test_curves_and_cells_are_in_the_same_draws() -> None:
    a, b = random_correct(3, 80, 0.8, seed=9), random_correct(3, 80, 0.7, seed=10)
    of_curves = resampled_means(np.array([[a, b], [b, ~a]]), draws=60)  # two curves of two sizes
    of_cells = bootstrap([a, b], draws=60)
    assert of_curves.shape == (60, 2, 2)
    assert (of_curves[:, 0] == of_cells).all()
    assert (of_curves[:, 1, 0] == of_cells[:, 1]).all()
    assert of_curves[:, 0, 0] + of_curves[:, 1, 1] == pytest.approx(np.ones(60))
    assert (resampled_means(a, draws=60, seed=1) != of_curves[:, 0, 0]).any()


def test_numbers_are_resampled_as_answers_are() -> None:
    a = random_correct(3, 80, 0.8, seed=9)
    assert resampled_means(a.astype(float), draws=60) == pytest.approx(resampled_means(a, draws=60))


def test_draws_over_splits_have_the_interval_of_the_corrected_t_test() -> None:
    rng = np.random.default_rng(0)
    accuracies = 0.95 + 0.01 * rng.standard_normal((8, 3))
    draws = split_means(accuracies, overlap=0.2, draws=200_000)
    for a, b in ((0, 1), (2, 0)):
        test = corrected_t(accuracies[:, a] - accuracies[:, b], n_train=400, n_test=100)  # a fifth in common
        ours = percentile_interval(draws[:, a] - draws[:, b])
        assert [ours.low, ours.high] == pytest.approx([test.interval.low, test.interval.high], abs=1e-4)
    np.testing.assert_allclose(np.median(draws, axis=0), accuracies.mean(axis=0), atol=1e-4)


def test_test_parts_of_their_own_are_not_resampled_as_if_they_were_one() -> None:
    a, b = random_correct(4, 200, 0.9, seed=1), random_correct(4, 200, 0.8, seed=2)
    draws = bootstrap([a, b], overlap=1 / 3)
    expected = split_means(np.stack([a.mean(axis=1), b.mean(axis=1)], axis=1), 1 / 3)
    np.testing.assert_array_equal(draws, expected)
    one = [a[:1], b[:1]]
    np.testing.assert_array_equal(bootstrap(one, overlap=1 / 3), bootstrap(one))  # nothing scatters
