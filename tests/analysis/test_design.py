"""What the design of the study lets it compare, and the chapter of the report that says it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossover.analysis.curves import read_curves
from crossover.analysis.design import (
    Design,
    ResampledComparison,
    compare_families,
    compare_resamples,
)
from crossover.analysis.many_datasets import MethodsComparison, compare_methods, compare_shared_methods
from crossover.core.cell import LEARNED, Cell
from crossover.core.layout import Layout
from crossover.report.templating import render
from tests.curves_folder import CurvesFolder
from tests.demsar_example import DEMSAR

NET = Cell("fruit", LEARNED, "net", "deep")
TREE = Cell("fruit", "raw", "tree", "classical")
NONE = compare_shared_methods({})


def resampled(a: list[float], b: list[float], **values: Any) -> ResampledComparison:
    sizes: dict[str, Any] = {"n_train": 900, "n_scored": 100}
    return ResampledComparison(NET, TREE, np.array(a), np.array(b), **(sizes | values))


def scores(n: int, **methods: float) -> dict[str, dict[str, float]]:
    """Data sets on which every method has its score and a little more from one to the next."""
    return {f"d{i}": {name: score + 0.001 * i for name, score in methods.items()} for i in range(n)}


def text(
    *resamples: ResampledComparison, families: MethodsComparison = NONE, methods: MethodsComparison = NONE
) -> str:
    return render("statistics", design=Design(list(resamples), families, methods))


@pytest.mark.parametrize(
    ("n", "k", "test"),
    [
        (0, 0, None),
        (5, 9, None),
        (5, 2, None),
        (20, 1, None),
        (6, 2, "wilcoxon"),
        (6, 3, "friedman"),
        (20, 12, "friedman"),
    ],
)
def test_data_sets_and_methods_choose_the_test_over_them(n: int, k: int, test: str | None) -> None:
    values = np.random.default_rng(0).random((n, k))
    assert compare_methods([*map(str, range(n))], [*map(str, range(k))], values).test == test


@pytest.mark.parametrize(
    ("k", "n", "answer"),
    [
        (3, 11, "**Friedman's test, then Nemenyi's critical difference; Wilcoxon's test with Holm's"),
        (2, 6, "**Wilcoxon's signed-rank test**: two sides on 6 data sets"),
        (1, 6, "No test: fewer than two methods have a score on every data set."),
        (3, 3, "No test: 3 data sets are too few for a test, which takes 6"),
        (3, 1, "No test: one data set is too few"),
        (3, 0, "No test: no data set has results to compare."),
    ],
)
def test_each_test_over_data_sets_has_its_reason(k: int, n: int, answer: str) -> None:
    methods = compare_shared_methods(scores(n, **{f"m{i}": 0.1 * i for i in range(k)}))
    assert f"*Which methods lead over the data sets?* {answer}" in text(methods=methods)


def test_repeated_splits_have_both_t_tests() -> None:
    question = "*Would the lead hold with other training examples?*"
    two, one = resampled([0.9, 0.91], [0.8, 0.82]), resampled([0.9], [0.8])
    assert f"{question} **Corrected resampled t-test and Bayesian correlated t-test**: 2 random" in text(two)
    assert f"{question} No test: it takes 2 repeated splits" in text(one)
    assert "- fruit: **no test**; it takes 2 splits or more, and there is one." in text(one)


def test_families_are_compared_where_both_have_a_result() -> None:
    comparison = compare_families({"a": 0.9, "b": 0.8}, {"b": 0.7, "c": 0.6})
    assert comparison.datasets == ["b"]
    assert comparison.methods == ["deep", "classical"]
    assert comparison.scores.tolist() == [[0.8, 0.7]]


def test_resamples_are_the_best_of_each_family_by_validation_accuracy(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", sizes=[50, 400], repetitions=2, n_validation=100)
    folder.add("raw", "tree", [0.99, 0.5], validation=[[0.9, 0.9], [0.80, 0.84]])
    folder.add("raw", "svm", [0.4, 0.4], validation=[[0.4, 0.4], [0.81, 0.85]])
    folder.add(LEARNED, "net", [0.4, 0.4], validation=[[0.4, 0.4], [0.9, 0.88]], n_watched=100)
    curves = read_curves(folder.study(), Layout(tmp_path), "fruit")
    assert curves is not None
    comparison = compare_resamples(curves)
    assert comparison is not None
    assert (comparison.deep.label, comparison.classical.label) == ("net", "svm (raw)")
    assert comparison.differences == pytest.approx([0.09, 0.03])
    assert (comparison.n_train, comparison.n_scored, comparison.candidates) == (400, 100, (1, 2))
    assert comparison.watched == (comparison.deep,)


def test_resamples_take_both_families(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", sizes=[50, 400], repetitions=2)
    folder.add("raw", "tree", [0.9, 0.9])
    curves = read_curves(folder.study(), Layout(tmp_path), "fruit")
    assert curves is not None
    assert compare_resamples(curves) is None


@pytest.mark.parametrize(
    ("a", "b", "outcome", "opening"),
    [
        ([0.90, 0.91, 0.90], [0.80, 0.80, 0.81], "lead", "net leads by more than 1 point"),
        ([0.80, 0.80, 0.81], [0.90, 0.91, 0.90], "lead", "tree (raw) leads by more than 1 point"),
        ([0.801, 0.802, 0.799], [0.800, 0.801, 0.801], "tie", "They tie"),
        ([0.805, 0.8052, 0.8051], [0.80, 0.80, 0.80], "small lead", "net leads, by less than 1 point"),
        (
            [0.810, 0.812, 0.811],
            [0.80, 0.80, 0.80],
            "lead of unknown size",
            "net leads, perhaps by less than 1 point",
        ),
        ([0.80, 0.85, 0.90], [0.85, 0.80, 0.82], "undecided", "Undecided"),
        ([0.80, 0.81], [0.80, 0.81], "tie", "They tie"),
        ([0.80, 0.81], [0.85, 0.86], "lead without scatter", "tree (raw) is ahead, untested"),
    ],
)
def test_every_outcome_over_splits_has_its_words(
    a: list[float], b: list[float], outcome: str, opening: str
) -> None:
    assert resampled(a, b).outcome == outcome
    assert f"fruit: **{opening}**. net (" in text(resampled(a, b))


def test_one_split_is_no_sample() -> None:
    assert resampled([0.9], [0.8]).outcome == "no test"


def test_the_difference_over_splits_has_an_interval_and_probabilities() -> None:
    # Differences 0.02, 0.00 and 0.04: mean 0.02, sd 0.02; factor 1/3 + 1/9 = 4/9, so the standard error is 0.02 · 2/3;
    # t = 1.5 with 2 degrees of freedom, whose tail is (1 - 1.5 / sqrt(2 + 1.5²)) / 2; 4.302653 standard errors.
    comparison = resampled([0.82, 0.80, 0.84], [0.80, 0.80, 0.80])
    assert comparison.t.mean == pytest.approx(0.02)
    assert comparison.t.p == pytest.approx(1 - 1.5 / np.sqrt(4.25))
    ends = [comparison.t.interval.low, comparison.t.interval.high]
    assert ends == pytest.approx([0.02 - 4.302653 * 0.04 / 3, 0.02 + 4.302653 * 0.04 / 3], rel=1e-6)
    above = (1 + 0.75 / np.sqrt(2 + 0.75**2)) / 2  # (0.02 - 0.01) / 0.01333 = 0.75
    below = (1 - 2.25 / np.sqrt(2 + 2.25**2)) / 2
    assert comparison.posterior.p_above == pytest.approx(above)
    assert comparison.posterior.p_below == pytest.approx(below)
    assert "net is better by more than 1 point: 73." in text(comparison)


def test_a_region_as_large_as_the_errors_is_remarked() -> None:
    half, all_errors = resampled([0.98, 0.98], [0.97, 0.96]), resampled([0.995, 0.997], [0.97, 0.96])
    assert half.rope_of_errors == pytest.approx(0.5)
    assert "1 point is 50 % of the errors" in text(half)
    assert all_errors.rope_of_errors == pytest.approx(2.5)
    assert "more than all errors" in text(all_errors)
    assert resampled([1.0, 1.0], [0.9, 0.8]).rope_of_errors == np.inf
    assert "of the errors" not in text(resampled([0.82, 0.80], [0.80, 0.80]))


def test_another_region_is_named() -> None:
    assert "by more than 0.5 points" in text(resampled([0.90, 0.91, 0.90], [0.80, 0.80, 0.81], rope=0.005))


def test_the_design_counts_splits_and_candidates_and_names_who_watched() -> None:
    first = resampled([0.9, 0.91], [0.8, 0.82], candidates=(2, 4), watched=(NET,))
    design = Design([first, resampled([0.9], [0.8])], NONE, NONE)
    assert (design.n_splits, design.candidates, design.watched) == (2, [(2, 4)], ["net"])
    assert "(networks and classical models: 2 and 4)" in text(first)
    assert "net saw the same examples in training (early stopping)" in text(first)


def test_few_data_sets_have_no_section_of_their_own() -> None:
    chapter = text(methods=compare_shared_methods(scores(3, tree=0.8, net=0.9)))
    assert "### Over" not in chapter


def test_the_chapter_over_many_data_sets_has_ranks_pairs_and_the_diagram() -> None:
    rows = scores(7, tree=0.80, net=0.90, svm=0.70)
    rows["d0"]["cnn"] = 0.99
    chapter = text(methods=compare_shared_methods(rows))
    assert "**net and tree tie in the lead**: 3 methods on 7 data sets, Friedman's χ² = 14.00" in chapter
    assert "cnn (none on d1, d2, d3, d4, d5, d6)." in chapter
    assert "| **net** |         1.00 |           90.30 |       7 |" in chapter
    assert "(figures/critical-difference.png)" in chapter


def test_two_families_over_many_data_sets_have_wilcoxon_alone() -> None:
    deep, classical = (
        {f"d{i}": base + 0.01 * i * slope for i in range(6)} for base, slope in ((0.8, 2), (0.79, 1))
    )
    families = compare_families(deep, classical)
    pair = families.pair(0, 1)
    # All six differences are positive, 0.01 to 0.06: p = 2/64, the interval is their range.
    assert (pair.median, pair.ahead, pair.wilcoxon_p) == (pytest.approx(0.035), 6, pytest.approx(2 / 64))
    assert [pair.interval.low, pair.interval.high] == pytest.approx([0.01, 0.06])
    assert families.leaders == ["deep"]
    chapter = text(families=families)
    assert "**The best network leads**: over 6 data sets the median of the best network minus the" in chapter
    assert "critical-difference" not in chapter


def test_a_correction_that_leaves_no_chance_is_said() -> None:
    rows = {d: dict(zip("wxyz", row, strict=True)) for d, row in list(DEMSAR.items())[:6]}
    methods = compare_shared_methods(rows)
    assert methods.least_holm_p == pytest.approx(6 * 2 / 2**6)  # six pairs of six data sets
    assert "With 6 data sets the smallest p that this correction can give is 0.19" in text(methods=methods)
    assert "the smallest p that this correction can give" not in text(
        methods=compare_shared_methods(scores(9, a=0.1, b=0.2, c=0.3))
    )
