"""The tests over repeated splits, against values by hand and of baycomp."""

import numpy as np
import pytest
import scipy.stats

from crossover.analysis.resampled import ROPE, bayesian_correlated_t, corrected_t
from crossover.analysis.statistics import Interval
from crossover.core.errors import CrossoverError

FIVE = np.array([0.010, 0.022, -0.003, 0.015, 0.008])  # mean 0.0104, variance 341.2e-6 / 4
TEN = np.array([0.004, -0.002, 0.007, 0.001, 0.003, 0.006, -0.001, 0.002, 0.005, 0.000])


def test_corrected_t_by_hand() -> None:
    # 5 splits of 800 and 200 examples: the factor is 1/5 + 200/800 = 0.45; 2.776445 is the 97.5 % point of t, df 4.
    test = corrected_t(FIVE, n_train=800, n_test=200)
    se = np.sqrt(0.45 * 341.2e-6 / 4)
    assert test.t == pytest.approx(0.0104 / se)
    assert (test.mean, test.df) == (pytest.approx(0.0104), 4)
    assert [test.interval.low, test.interval.high] == pytest.approx(
        [0.0104 - 2.776445 * se, 0.0104 + 2.776445 * se], rel=1e-6
    )


def test_the_one_sided_p_agrees_with_baycomp() -> None:
    # baycomp 1.0.3, two_on_single(zeros, FIVE, rope=0, runs=1): (0.08426370525362303, 0.915736294746377). Its
    # probability of a mean below 0 is the one-sided p, since both use one t distribution.
    test = corrected_t(FIVE, n_train=800, n_test=200)
    assert test.p_greater == pytest.approx(0.08426370525362303)
    assert test.p == pytest.approx(2 * 0.08426370525362303)


def test_the_one_sided_p_has_the_sign_of_the_mean() -> None:
    up, down = corrected_t(FIVE, 800, 200), corrected_t(-FIVE, 800, 200)
    assert down.p_greater == pytest.approx(1 - up.p_greater)
    assert down.p_greater > 0.5
    assert down.p == pytest.approx(up.p)
    assert down.t == pytest.approx(-(up.t or 0))


def test_a_vanishing_test_part_leaves_the_plain_t_test() -> None:
    plain = scipy.stats.ttest_1samp(TEN, 0)
    test = corrected_t(TEN, n_train=10**12, n_test=1)
    assert (test.t, test.p) == (pytest.approx(plain.statistic), pytest.approx(plain.pvalue))


def test_posterior_agrees_with_baycomp() -> None:
    # baycomp 1.0.3, two_on_single(zeros, FIVE, rope=0.01, runs=1).
    posterior = bayesian_correlated_t(FIVE, n_train=800, n_test=200, rope=0.01)
    assert [posterior.p_below, posterior.p_equivalent, posterior.p_above] == pytest.approx(
        [0.0150698145909782, 0.4607403119651665, 0.5241898734438553]
    )


def test_posterior_of_repeated_folds_agrees_with_baycomp() -> None:
    # baycomp 1.0.3, two_on_single(zeros, TEN, rope=0.002, runs=2): two runs of 5 folds, so 1/10 + 1/4.
    posterior = bayesian_correlated_t(TEN, n_train=400, n_test=100, rope=0.002)
    assert [posterior.p_below, posterior.p_equivalent, posterior.p_above] == pytest.approx(
        [0.016592440681250955, 0.3766284723130775, 0.6067790870056715]
    )


def test_both_forms_have_one_interval() -> None:
    test, posterior = corrected_t(TEN, 400, 100), bayesian_correlated_t(TEN, 400, 100)
    assert (posterior.interval, posterior.mean) == (test.interval, test.mean)
    assert posterior.rope == ROPE == 0.01


def test_without_a_region_nothing_is_equivalent() -> None:
    posterior = bayesian_correlated_t(FIVE, 800, 200, rope=0)
    assert posterior.p_equivalent == pytest.approx(0)
    assert posterior.p_below == pytest.approx(0.08426370525362303)  # baycomp, as above


def test_the_size_holds_where_the_correlation_is_as_assumed() -> None:
    # Ten differences without a true difference, correlated by n_test / (n_train + n_test) = 0.1 as Nadeau and
    # Bengio assume. The t statistic then has a t distribution times sqrt((1/k + rho/(1-rho)) / (1/k + n2/n1)) = 1.
    rng = np.random.default_rng(0)
    common, own = rng.normal(size=(2000, 1)), rng.normal(size=(2000, 10))
    differences = np.sqrt(0.1) * common + np.sqrt(0.9) * own
    corrected = np.mean([corrected_t(row, 900, 100).p <= 0.05 for row in differences])
    plain = np.mean([corrected_t(row, 10**9, 1).p <= 0.05 for row in differences])
    assert corrected == pytest.approx(0.05, abs=0.015)
    assert plain > 0.1


def test_equal_differences_are_tested_at_the_limit() -> None:
    # 0.96 - 0.95 and 0.03 - 0.02 are not the same number in binary.
    test = corrected_t(np.array([0.96 - 0.95, 0.03 - 0.02, 0.01]), 90, 10)
    assert (test.t, test.p, test.p_greater) == (None, 0, 0)
    assert test.interval.low == test.interval.high == pytest.approx(0.01)
    assert corrected_t(np.full(3, -0.5), 90, 10).p_greater == 1


def test_no_difference_at_all_is_no_evidence() -> None:
    test = corrected_t(np.zeros(3), 90, 10)
    assert (test.mean, test.t, test.p, test.p_greater) == (0, None, 1, 0.5)
    assert test.interval == Interval(0, 0)
    assert bayesian_correlated_t(np.zeros(3), 90, 10).verdict == "equivalent"


@pytest.mark.parametrize(
    ("difference", "verdict"), [(0.02, "above"), (0.96 - 0.95, "equivalent"), (-0.02, "below")]
)
def test_equal_differences_lie_in_one_part(difference: float, verdict: str) -> None:
    posterior = bayesian_correlated_t(np.full(3, difference), 90, 10, rope=0.01)
    assert posterior.verdict == verdict
    assert sorted([posterior.p_below, posterior.p_equivalent, posterior.p_above]) == [0, 0, 1]


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.05, "above"), (0.0, "equivalent"), (0.01, "undecided"), (-0.05, "below")]
)
def test_a_part_wins_with_95_percent(shift: float, verdict: str) -> None:
    around_zero = np.array([-0.001, 0.001, 0.0, 0.002, -0.002])
    assert bayesian_correlated_t(around_zero + shift, 800, 200, rope=0.01).verdict == verdict


def test_one_split_is_no_sample() -> None:
    with pytest.raises(
        CrossoverError, match=r"needs 2 or more finite differences, got \[.*0\.01.*\]; run more"
    ):
        corrected_t(np.array([0.01]), 90, 10)
    with pytest.raises(CrossoverError, match="finite differences"):
        bayesian_correlated_t(np.array([0.01, np.nan]), 90, 10)


def test_sizes_and_the_region_are_checked() -> None:
    with pytest.raises(CrossoverError, match="n_train 0 and n_test 10"):
        corrected_t(FIVE, 0, 10)
    with pytest.raises(CrossoverError, match=r"must not be negative, got -0\.01"):
        bayesian_correlated_t(FIVE, 90, 10, rope=-0.01)
