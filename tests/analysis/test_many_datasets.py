"""Methods over several data sets, against Demšar 2006 and other independent values."""

from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from crossover.analysis.many_datasets import (
    MethodsComparison,
    Pair,
    compare_methods,
    compare_shared_methods,
)
from crossover.analysis.rank_tests import (
    average_ranks,
    critical_difference,
    friedman,
    iman_davenport,
    signed_rank_interval,
    wilcoxon,
)
from crossover.core.errors import CrossoverError
from crossover.report.figures.ranks import draw_ranks
from tests.demsar_example import DEMSAR, VARIANTS, demsar


def random_scores(n: int, k: int, seed: int = 0, step: float = 0.0) -> np.ndarray:
    """The first method is the best by `step`, the second by `step` of the rest, and so on."""
    return np.random.default_rng(seed).random((n, k)) - step * np.arange(k)


def named(scores: np.ndarray) -> MethodsComparison:
    n, k = scores.shape
    return compare_methods([f"d{i}" for i in range(n)], [f"m{i}" for i in range(k)], scores)


def all_pairs(comparison: MethodsComparison) -> list[Pair]:
    return [comparison.pair(a, b) for a, b in combinations(range(len(comparison.methods)), 2)]


def test_demsars_average_ranks() -> None:
    assert demsar().average_ranks == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert [VARIANTS[i] for i in demsar().ranking] == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]


def test_demsars_friedman() -> None:
    # Demšar: chi2 9.28, F 3.69, without correction for ties. Ties: four on mushroom (4³ - 4 = 60), two on iris, lung
    # cancer and primary tumor (2³ - 2 = 6 each), so chi2 is divided by 1 - 78 / (14 · 4 · (4² - 1)).
    test = demsar().friedman
    assert test is not None
    assert test.chi2 * (1 - 78 / 840) == pytest.approx(9.28, abs=0.005)
    assert iman_davenport(9.28, 14, 4) == pytest.approx(3.69, abs=0.005)
    assert test.df == (3, 39)


def test_friedman_with_ties_is_an_analysis_of_variance_of_ranks() -> None:
    # Conover 1999, Practical Nonparametric Statistics: F of the two-way layout, computed on the ranks.
    ranks = scipy.stats.rankdata(-np.array(list(DEMSAR.values())), axis=1)
    n, k = ranks.shape
    between = n * np.sum((ranks.mean(axis=0) - ranks.mean()) ** 2)
    residual = np.sum((ranks - ranks.mean(axis=0) - ranks.mean(axis=1, keepdims=True) + ranks.mean()) ** 2)
    f = (between / (k - 1)) / (residual / ((k - 1) * (n - 1)))
    test = demsar().friedman
    assert test is not None
    assert test.f == pytest.approx(f)
    assert test.p == pytest.approx(scipy.stats.f.sf(f, 3, 39))


@pytest.mark.parametrize(
    ("k", "q"),
    [
        (2, 1.960),
        (3, 2.343),
        (4, 2.569),
        (5, 2.728),
        (6, 2.850),
        (7, 2.949),
        (8, 3.031),
        (9, 3.102),
        (10, 3.164),
    ],
)
def test_critical_differences_of_demsars_table(k: int, q: float) -> None:
    # Demšar 2006, table 5 (a), alpha 0.05.
    assert critical_difference(14, k) == pytest.approx(q * np.sqrt(k * (k + 1) / (6 * 14)), rel=3e-4)


def test_demsars_post_hoc_test_finds_nothing() -> None:
    # Demšar: CD 1.25, and even the best and the worst differ by less (3.143 - 1.964).
    comparison = demsar()
    assert comparison.critical_difference == pytest.approx(1.25, abs=0.005)
    assert comparison.groups() == [[3, 1, 2, 0]]
    assert min(pair.nemenyi_p for pair in all_pairs(comparison)) > 0.05


def test_nemenyi_is_the_tail_of_the_studentised_range() -> None:
    # Differences of the average ranks over their standard error, sqrt(4 · 5 / (6 · 14)), times sqrt(2).
    for pair in all_pairs(demsar()):
        span = np.sqrt(2) * abs(pair.rank_difference) / np.sqrt(20 / 84)
        assert pair.nemenyi_p == pytest.approx(scipy.stats.studentized_range.sf(span, 4, np.inf))
    # As scikit-posthocs 0.17.1 prints them.
    expected = {(0, 1): 0.088673, (0, 2): 0.956177, (0, 3): 0.074185, (1, 2): 0.259228, (2, 3): 0.226697}
    for (a, b), p in expected.items():
        assert demsar().pair(a, b).nemenyi_p == pytest.approx(p, abs=5e-6)


def test_demsars_wilcoxon() -> None:
    # Demšar: C4.5+m against C4.5, the sums of ranks are 93 and 12, zeros split. Normal approximation: mean 14 · 15 / 4,
    # variance 14 · 15 · 29 / 24 less (2³ - 2) / 48 for each of two ties, the zeros and 0.005.
    z = (12 - 52.5) / np.sqrt(253.75 - 12 / 48)
    assert demsar().pair(1, 0).wilcoxon_p == pytest.approx(2 * scipy.stats.norm.sf(-z))


def test_wilcoxon_is_exact_for_few_data_sets() -> None:
    # All six of one sign: 2 / 2^6. Ranks 1 and 2 negative out of eight: sums of at most 3 can be had by no rank, 1,
    # 2, 3, or 1 and 2: 5 of 2^8, twice.
    assert wilcoxon(np.array([0.01, 0.03, 0.02, 0.05, 0.04, 0.06])) == pytest.approx(2 / 64)
    assert wilcoxon(np.array([-0.01, -0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08])) == pytest.approx(10 / 256)


def test_wilcoxon_of_equal_scores_is_one() -> None:
    assert wilcoxon(np.zeros(8)) == 1


def test_holm_by_hand() -> None:
    comparison = named(random_scores(10, 4, seed=3, step=0.25))
    pairs = sorted(all_pairs(comparison), key=lambda pair: pair.wilcoxon_p)
    corrected = [(len(pairs) - i) * pair.wilcoxon_p for i, pair in enumerate(pairs)]
    expected = np.minimum(1, np.maximum.accumulate(corrected))
    assert [pair.holm_p for pair in pairs] == pytest.approx(expected)
    assert any(pair.holm_p > pair.wilcoxon_p for pair in pairs)


def test_signed_rank_interval_of_six_is_their_range() -> None:
    # Only the outermost of the 21 means can go at 95 %. The 11th of them is the pseudo-median: 1 1.5 2 2 2.5 2.5 3 3
    # 3 3.5 3.5 …, from 1 2 3 4 5 6 each with each.
    median, interval = signed_rank_interval(np.array([3.0, 1.0, 2.0, 6.0, 4.0, 5.0]))
    assert (median, interval.low, interval.high) == (3.5, 1, 6)


@pytest.mark.parametrize("n", [7, 10, 14])
def test_signed_rank_interval_holds_what_the_test_does_not_reject(n: int) -> None:
    differences = np.random.default_rng(n).normal(0.1, 1, n)
    _, interval = signed_rank_interval(differences)
    for end, inwards in ((interval.low, 1e-6), (interval.high, -1e-6)):
        assert scipy.stats.wilcoxon(differences - end - inwards, method="exact").pvalue > 0.05
        assert scipy.stats.wilcoxon(differences - end + inwards, method="exact").pvalue <= 0.05


def test_ranks_share_ties_also_where_the_last_digits_differ() -> None:
    assert average_ranks(np.array([[0.9, 0.8, 0.9]])) == pytest.approx([1.5, 3, 1.5])
    scores = np.tile([0.1 + 0.2, 0.3], (6, 1))  # 0.30000000000000004 and 0.3
    comparison = named(scores)
    assert comparison.average_ranks == pytest.approx([1.5, 1.5])
    assert (comparison.pair(0, 1).wilcoxon_p, comparison.pair(0, 1).ahead) == (1, 3)


def test_a_pair_turns_round() -> None:
    comparison = named(random_scores(8, 3, seed=5, step=0.3))
    there, back = comparison.pair(0, 2), comparison.pair(2, 0)
    assert (back.first, back.second) == ("m2", "m0")
    differences = comparison.scores[:, 2] - comparison.scores[:, 0]
    assert back.median == pytest.approx(signed_rank_interval(differences)[0])
    assert (back.median, back.rank_difference) == (-there.median, -there.rank_difference)
    assert (back.interval.low, back.interval.high) == (-there.interval.high, -there.interval.low)
    assert there.ahead == np.sum(comparison.scores[:, 0] > comparison.scores[:, 2])
    assert there.ahead + back.ahead == 8
    assert there.holm_p == back.holm_p


def test_data_sets_that_rank_alike_are_the_limit_of_friedman() -> None:
    test = friedman(np.tile([0.9, 0.8, 0.7], (6, 1)) + 0.01 * np.arange(6)[:, None])
    assert (test.chi2, test.f, test.p) == (pytest.approx(12), None, 0)


def test_nothing_but_ties_is_no_evidence() -> None:
    test = friedman(np.full((7, 3), 0.5))
    assert (test.chi2, test.f, test.p) == (0, 0, 1)


def test_groups_join_what_the_critical_difference_spans() -> None:
    # With 20 data sets and 4 methods it is 2.569 sqrt(4 · 5 / 120) = 1.05. Ranks 1 and 2 change places on half of the
    # data sets, 3 and 4 too: average ranks 1.5 1.5 3.5 3.5.
    rows = np.array([[4, 3, 2, 1], [3, 4, 1, 2]] * 10)
    assert named(rows / 10).groups() == [[0, 1], [2, 3]]
    # Three in turn and the fourth always last: 2 2 2 4.
    rows = np.array([[4, 3, 2, 1], [3, 2, 4, 1], [2, 4, 3, 1]] * 7)
    assert named(rows / 10).groups() == [[0, 1, 2]]


def test_groups_overlap() -> None:
    comparison = named(random_scores(14, 6, seed=1, step=0.25))
    groups, ranks = comparison.groups(), comparison.average_ranks
    assert len(groups) > 1
    assert comparison.critical_difference is not None
    for group in groups:
        assert ranks[group[-1]] - ranks[group[0]] <= comparison.critical_difference
    for first, second in pairwise(groups):
        assert ranks[second[-1]] - ranks[first[0]] > comparison.critical_difference


def test_five_data_sets_are_too_few() -> None:
    comparison = named(random_scores(5, 3))
    assert comparison.test is comparison.friedman is comparison.critical_difference is None
    assert comparison.groups() == []
    assert not comparison.differ
    assert len(comparison.average_ranks) == 3


def test_one_method_is_no_comparison() -> None:
    assert named(random_scores(8, 1)).test is None
    assert compare_methods(["a"], [], np.empty((1, 0))).test is None


def test_two_methods_have_one_pair_and_no_ranks_to_test() -> None:
    comparison = named(random_scores(8, 2))
    assert comparison.friedman is comparison.critical_difference is None
    assert comparison.test == "wilcoxon"
    assert comparison.pair(0, 1).holm_p == comparison.pair(0, 1).wilcoxon_p
    assert np.isnan(comparison.pair(0, 1).nemenyi_p)


def test_holm_over_many_pairs_of_few_data_sets_can_find_nothing() -> None:
    # Six data sets, three pairs: 3 · 2 / 2^6.
    comparison = named(random_scores(6, 3, step=5.0))
    assert comparison.least_holm_p == pytest.approx(3 / 32)
    assert min(pair.holm_p for pair in all_pairs(comparison)) == pytest.approx(comparison.least_holm_p)


def test_a_missing_score_is_named() -> None:
    scores = random_scores(6, 3)
    scores[2, 1] = np.nan
    with pytest.raises(CrossoverError, match="got nan for m1 on d2"):
        named(scores)


def test_demsars_example_is_undecided() -> None:
    # Demšar 2006: the methods differ, and "the post-hoc test is not powerful enough to detect any significant
    # differences" among them.
    assert demsar().differ
    assert len(demsar().leaders) == 4


def test_one_that_beats_all_leads() -> None:
    comparison = named(np.column_stack([random_scores(20, 2), np.full(20, 2)]))
    assert comparison.leaders == ["m2"]


def test_those_not_told_from_the_best_lead_with_it() -> None:
    # All data sets rank the three alike: with 7 of them the critical difference is 2.343 sqrt(3 · 4 / 42) = 1.25.
    comparison = named(np.tile([0.8, 0.9, 0.7], (7, 1)))
    assert comparison.leaders == ["m1", "m0"]
    assert comparison.best_on.tolist() == [0, 7, 0]
    assert comparison.scores.mean(axis=0) == pytest.approx([0.8, 0.9, 0.7])


def test_equal_methods_do_not_differ() -> None:
    comparison = named(random_scores(14, 3, seed=1))
    assert comparison.friedman is not None
    assert comparison.friedman.p > 0.05
    assert not comparison.differ
    assert len(comparison.leaders) == 3


@pytest.mark.parametrize(("sign", "leader"), [(1, "m0"), (-1, "m1")])
def test_of_two_methods_the_median_says_who_leads(sign: int, leader: str) -> None:
    rising = 0.01 * np.arange(1, 7)
    comparison = named(np.column_stack([0.8 + sign * rising, np.full(6, 0.8)]))
    # All six differences have one sign: p = 2/64.
    assert comparison.pair(0, 1).wilcoxon_p == pytest.approx(2 / 64)
    assert comparison.leaders == [leader]


def test_methods_without_a_score_somewhere_are_left_out_by_name() -> None:
    rows = {f"d{i}": {"tree": 0.8, "net": 0.9, "svm": 0.7} for i in range(6)}
    del rows["d1"]["net"], rows["d4"]["net"]
    rows["d2"]["svm"] = float("nan")
    comparison = compare_shared_methods(rows | {"empty": {}})
    assert comparison.methods == ["tree"]
    assert comparison.left_out == {"net": ["d1", "d4"], "svm": ["d2"]}
    assert "empty" not in comparison.datasets


def test_the_matrix_has_the_scores_in_their_places() -> None:
    comparison = compare_shared_methods({"a": {"x": 0.1, "y": 0.2}, "b": {"y": 0.4, "x": 0.3}})
    assert comparison.scores.tolist() == [[0.1, 0.2], [0.3, 0.4]]


def test_the_diagram_and_its_numbers(tmp_path: Path) -> None:
    comparison = named(random_scores(14, 6, seed=1, step=0.25))
    families = {name: "deep" if name == "m1" else "classical" for name in comparison.methods}
    draw_ranks(tmp_path, comparison, families)
    numbers = pd.read_csv(tmp_path / "critical-difference.csv", dtype={"groups": str})
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".png", ".svg"]
    assert numbers["method"].tolist() == [comparison.methods[i] for i in comparison.ranking]
    assert numbers["average_rank"].is_monotonic_increasing
    assert numbers["family"].tolist().count("deep") == 1
    in_first = numbers["groups"].str.split().map(lambda groups: "1" in groups)
    assert numbers["method"][in_first].tolist() == [comparison.methods[i] for i in comparison.groups()[0]]


def test_without_a_test_there_is_no_diagram(tmp_path: Path) -> None:
    draw_ranks(tmp_path, named(random_scores(5, 3)), {})
    draw_ranks(tmp_path, named(random_scores(8, 2)), {})
    assert list(tmp_path.iterdir()) == []
