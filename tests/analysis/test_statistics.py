"""The statistics, against values that a hand or another library computes."""

import numpy as np
import pytest
import scipy.stats

from crossover.analysis.statistics import (
    Interval,
    accuracy_interval,
    effective_n,
    mcnemar,
    share_ahead,
    widening,
    wilson,
)


def random_correct(repetitions: int, n_test: int, accuracy: float, seed: int) -> np.ndarray:
    """Fits that agree on most test examples, as fits of one model do."""
    rng = np.random.default_rng(seed)
    hardness = rng.random(n_test) + 0.1 * rng.random((repetitions, n_test))
    return hardness < np.quantile(hardness, accuracy)


@pytest.mark.parametrize(("successes", "n"), [(9, 10), (0, 7), (7, 7), (9887, 10_000)])
def test_wilson_agrees_with_scipy(successes: int, n: int) -> None:
    expected = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
    interval = wilson(successes / n, n)
    assert [interval.low, interval.high] == pytest.approx([expected.low, expected.high])


def test_wilson_by_hand() -> None:
    # Half of n successes: 1/2 ± z / (2 sqrt(n + z²)).
    z = scipy.stats.norm.ppf(0.975)
    half = z / (2 * np.sqrt(100 + z**2))
    assert wilson(0.5, 100).low == pytest.approx(0.5 - half)
    assert wilson(0.5, 100).high == pytest.approx(0.5 + half)


def test_a_single_fit_has_wilsons_interval() -> None:
    correct = random_correct(1, 200, 0.9, seed=0)
    assert effective_n(correct) == pytest.approx(200)
    assert accuracy_interval(correct).low == pytest.approx(wilson(correct.mean(), 200).low)


def test_repeating_the_same_fit_adds_no_information() -> None:
    once = random_correct(1, 200, 0.9, seed=0)
    assert effective_n(np.repeat(once, 5, axis=0)) == pytest.approx(effective_n(once))


def test_repetitions_that_scatter_widen_the_interval() -> None:
    steady = np.repeat(np.arange(100)[None] < 90, 3, axis=0)
    scattered = np.arange(100) < np.array([[80], [90], [100]])
    # Examples: 80 always right, 10 in two fits of three, 10 in one, so the variance of the example means is
    # (80 + 10 * 4/9 + 10 / 9) / 100 - 0.81; fits: the variance of 0.8, 0.9 and 1.0 is 0.01.
    variance = ((80 + 40 / 9 + 10 / 9) / 100 - 0.81) / 100 + 0.01 / 3
    assert effective_n(scattered) == pytest.approx(0.09 / variance)
    assert effective_n(scattered) < effective_n(steady)
    assert accuracy_interval(scattered).low < accuracy_interval(steady).low


def test_a_perfect_cell_keeps_an_interval() -> None:
    interval = accuracy_interval(np.ones((5, 45), dtype=bool))
    assert interval.high == 1
    assert interval.low == pytest.approx(45 / (45 + scipy.stats.norm.ppf(0.975) ** 2))


def test_mcnemar_by_hand() -> None:
    # Only a is right on 5, only b on 1: two-sided binomial, 2 * (1 + 6) / 2^6.
    a = np.array([True] * 5 + [False] + [True] * 10)
    b = np.array([False] * 5 + [True] + [True] * 10)
    assert mcnemar(a, b) == pytest.approx(14 / 64)


def test_mcnemar_agrees_with_a_binomial_test() -> None:
    a, b = random_correct(1, 500, 0.9, seed=1)[0], random_correct(1, 500, 0.8, seed=2)[0]
    only_a, only_b = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    assert mcnemar(a, b) == pytest.approx(scipy.stats.binomtest(only_a, only_a + only_b).pvalue)


def test_mcnemar_of_equal_answers_is_one() -> None:
    same = random_correct(1, 50, 0.9, seed=1)[0]
    assert mcnemar(same, same) == 1


def test_share_ahead_counts_ties_half() -> None:
    assert share_ahead(np.array([1.0, -1.0, 0.0, 2.0])) == pytest.approx(0.625)


@pytest.mark.parametrize("mean", [0.0, 1.0, 1 - 3e-8])
def test_contributions_that_scatter_around_a_perfect_metric_keep_all_independent_answers(mean: float) -> None:
    contributions = mean + np.tile([0.5, -0.5], 50)[np.newaxis]
    assert effective_n(contributions, balance=0.2) == 20
    assert accuracy_interval(contributions, balance=0.2).low == pytest.approx(wilson(mean, 20).low, abs=1e-6)


def test_an_interval_contains_its_ends() -> None:
    assert 0 in Interval(0.0, 0.1)
    assert 0.2 not in Interval(0.0, 0.1)


def test_test_parts_of_their_own_scatter_by_all_that_differs() -> None:
    correct = np.arange(100) < np.array([[80], [90], [100]])
    # The variance of 0.8, 0.9 and 1.0 is 0.01; with a quarter in common it counts 1/3 + 1/3 times.
    assert widening(3, 0.25) == pytest.approx(2 / 3)
    assert effective_n(correct, 0.25) == pytest.approx(0.09 / (0.01 * 2 / 3))
    steady = np.repeat(np.arange(100)[None] < 90, 3, axis=0)
    assert effective_n(steady, 0.25) == 400  # all examples that can be tested
