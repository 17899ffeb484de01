"""Sensitivity to hyperparameters, against examples by hand and brute force."""

from itertools import combinations

import numpy as np
import pytest

from crossover.analysis.sensitivity import (
    ENOUGH,
    best_curve,
    compare_spreads,
    expected_best,
    interquartile_range,
    spread,
    spread_difference,
    standard_deviation,
)


def accuracies(seed: int, n: int = 9) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.8, 1, n)


def test_spread_of_five_by_hand() -> None:
    s = spread(np.array([0.97, 0.90, 0.98, 0.94, 0.96]))
    assert s.n == 5
    assert s.median == pytest.approx(0.96)
    assert s.iqr == pytest.approx(0.97 - 0.94)
    # The mean is 0.95; squared distances 25, 1, 1, 4 and 9 in 1e-4.
    assert s.sd == pytest.approx(np.sqrt(40e-4 / 4))
    assert s.far_below == pytest.approx(3 / 5)  # 0.97 is one point below the best, not more


def test_spread_of_few() -> None:
    assert spread(np.array([])).n == 0
    assert np.isnan(spread(np.array([])).iqr)
    one = spread(np.array([0.9]))
    assert (one.median, one.iqr, one.far_below) == (0.9, 0, 0)
    assert np.isnan(one.sd)


def test_expected_best_of_three_by_hand() -> None:
    # Of the three pairs the highest are 2, 3 and 3.
    assert expected_best(np.array([3.0, 1.0, 2.0])) == pytest.approx([2, 8 / 3, 3])


@pytest.mark.parametrize("n", [1, 2, 7])
def test_expected_best_is_the_mean_over_all_subsets(n: int) -> None:
    values = accuracies(n, n)
    brute = [np.mean([max(subset) for subset in combinations(values, k)]) for k in range(1, n + 1)]
    assert expected_best(values) == pytest.approx(brute)


def test_expected_best_with_ties() -> None:
    assert expected_best(np.array([0.5, 0.5, 0.9])) == pytest.approx([1.9 / 3, (0.5 + 0.9 + 0.9) / 3, 0.9])


def test_expected_best_of_several_samples_at_once() -> None:
    samples = np.stack([accuracies(seed) for seed in range(3)])
    assert expected_best(samples) == pytest.approx(np.stack([expected_best(sample) for sample in samples]))


def test_expected_best_of_thousands() -> None:
    # The highest of k of the numbers 1 … n is k (n + 1) / (k + 1) on average.
    n, k = 2000, np.array([1, 10, 1000, 2000])
    assert expected_best(np.arange(1.0, n + 1))[k - 1] == pytest.approx(k * (n + 1) / (k + 1))


def test_the_interval_of_one_draw_is_that_of_a_mean() -> None:
    values = accuracies(0, 400)
    curve = best_curve(values)
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert curve.expected[0] == pytest.approx(values.mean())
    assert curve.low[0] == pytest.approx(values.mean() - error, abs=0.05 * error)
    assert curve.high[0] == pytest.approx(values.mean() + error, abs=0.05 * error)


def test_the_curve_rises_inside_its_band() -> None:
    values = accuracies(1, 29)
    curve = best_curve(values)
    assert np.all(np.diff(curve.expected) >= 0)
    assert np.all(curve.low <= curve.expected)
    assert np.all(curve.expected <= curve.high + 1e-12)
    assert curve.high[-1] < values.max()


@pytest.mark.parametrize(("n", "most"), [(1, 1), (3, 1), (4, 2), (29, 10), (30, 10), (31, 11)])
def test_the_curve_ends_at_a_third_of_the_trials(n: int, most: int) -> None:
    values = accuracies(1, n)
    curve = best_curve(values, draws=50)
    assert [len(part) for part in (curve.expected, curve.low, curve.high)] == [most] * 3
    assert curve.expected == pytest.approx(expected_best(values)[:most])


def test_the_same_seed_gives_the_same_band() -> None:
    one, two, other = (best_curve(accuracies(1), draws=200, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one.low, two.low)
    assert not np.array_equal(one.low, other.low)


def test_the_order_of_the_trials_does_not_change_the_curve() -> None:
    assert expected_best(accuracies(1)) == pytest.approx(expected_best(accuracies(1)[::-1]))


def test_difference_of_spreads_by_hand() -> None:
    wide = [np.array([0.90, 0.92, 0.94, 0.96, 0.98]), np.array([0.90, 0.90, 0.92, 0.94, 0.94])]
    narrow = [np.array([0.95, 0.95, 0.96, 0.97, 0.97])]
    # IQR 0.04 and 0.04 against 0.02.
    assert spread_difference(interquartile_range, wide, narrow).value == pytest.approx(0.04 - 0.02)
    sd = [np.std(values, ddof=1) for values in (*wide, *narrow)]
    assert spread_difference(standard_deviation, wide, narrow).value == pytest.approx(
        (sd[0] + sd[1]) / 2 - sd[2]
    )


def test_the_interval_of_a_difference_agrees_with_a_plain_bootstrap() -> None:
    a, b = [accuracies(0, 20), 0.5 * accuracies(1, 15)], [0.3 * accuracies(2, 25)]
    rng = np.random.default_rng(7)

    def once(side: list[np.ndarray]) -> float:
        samples = [rng.choice(values, len(values)) for values in side]
        return float(np.mean([np.quantile(s, 0.75) - np.quantile(s, 0.25) for s in samples]))

    brute = np.array([once(a) - once(b) for _ in range(4000)])
    difference = spread_difference(interquartile_range, a, b)
    low, high = np.quantile(brute, [0.025, 0.975])
    tolerance = 0.06 * (high - low)
    assert difference.interval.low == pytest.approx(low, abs=tolerance)
    assert difference.interval.high == pytest.approx(high, abs=tolerance)
    assert difference.a_wider == pytest.approx(np.mean(brute > 0), abs=0.03)


def test_the_wider_family_is_the_more_sensitive_one() -> None:
    wide, narrow = accuracies(0, 30), 0.9 + 0.01 * accuracies(1, 30)
    wider, reverse = compare_spreads([wide], [narrow]), compare_spreads([narrow], [wide])
    assert wider is not None
    assert reverse is not None
    assert (wider.iqr.sign, wider.iqr.a_wider) == (1, 1)
    assert reverse.iqr.sign == -1


def test_equal_spreads_have_no_sign() -> None:
    compared = compare_spreads([accuracies(0, 30)], [accuracies(1, 30)])
    assert compared is not None
    assert compared.iqr.sign == 0


def test_one_very_bad_configuration_does_not_decide() -> None:
    good = 0.95 + 0.02 * np.random.default_rng(0).random(29)
    compared = compare_spreads([np.append(good, 0.1)], [good])
    assert compared is not None
    assert compared.iqr.sign == 0
    assert compared.sd.value > 0.1
    assert abs(compared.iqr.value) < 0.005


def test_too_few_configurations_are_not_compared() -> None:
    enough, few = accuracies(0, ENOUGH), accuracies(1, ENOUGH - 1)
    assert compare_spreads([enough], [few]) is None
    assert compare_spreads([enough], []) is None
    with_few = compare_spreads([enough], [2 * enough, few])
    assert with_few is not None
    assert with_few.iqr.value == pytest.approx(-spread(enough).iqr)
