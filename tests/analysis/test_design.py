"""Which statistics fit, and what the report says of them."""

from pathlib import Path

import numpy as np
import pytest
from curves_folder import CurvesFolder
from demsar_example import DEMSAR, demsar

from crossover.analysis.curves import read_curves
from crossover.analysis.design import (
    NOT_TESTED,
    AcrossDatasets,
    Design,
    ResampledComparison,
    choose,
    compare_datasets,
    compare_families,
    compare_resamples,
)
from crossover.analysis.many_datasets import compare_methods
from crossover.core.cell import LEARNED
from crossover.core.layout import Layout
from crossover.report.text.design import HEADING, design_section, methods_sentence, resampled_sentence


def resampled(a: list[float], b: list[float], **values: object) -> ResampledComparison:
    sizes = {"n_train": 900, "n_validation": 100}
    return ResampledComparison("fruit", "net", "tree", np.array(a), np.array(b), **(sizes | values))  # type: ignore[arg-type]


def scores(n: int, **methods: float) -> dict[str, dict[str, float]]:
    """Data sets on which every method has its score and a little more from one to the next."""
    return {f"d{i}": {name: score + 0.001 * i for name, score in methods.items()} for i in range(n)}


def design(across: AcrossDatasets, resamples: list[ResampledComparison] | None = None) -> Design:
    return Design(resamples or [], compare_families({}, {}), across)


def method_names(*shape: int) -> list[str]:
    return [choice.method for choice in choose(*shape)]


def test_one_test_part_has_the_bootstrap_and_mcnemar() -> None:
    assert method_names(1, 1, 5, 0) == [
        "paired two-level bootstrap",
        "McNemar's exact test",
        NOT_TESTED,
        NOT_TESTED,
        NOT_TESTED,
    ]


def test_repeated_splits_have_both_t_tests() -> None:
    assert method_names(1, 1, 5, 2)[2] == "corrected resampled t-test and Bayesian correlated t-test"
    assert method_names(1, 1, 5, 1)[2] == NOT_TESTED


@pytest.mark.parametrize(
    ("n", "k", "method"),
    [(5, 9, NOT_TESTED), (6, 2, "Wilcoxon"), (6, 3, "Friedman"), (20, 1, NOT_TESTED), (20, 12, "Friedman")],
)
def test_data_sets_and_methods_choose_the_test_over_them(n: int, k: int, method: str) -> None:
    assert method_names(0, n, k, 0)[4].startswith(method)


def test_the_families_need_six_data_sets_of_their_own() -> None:
    assert method_names(6, 7, 1, 0)[3:] == ["Wilcoxon's signed-rank test", NOT_TESTED]
    assert method_names(5, 7, 3, 0)[3] == NOT_TESTED


@pytest.mark.parametrize(
    ("n", "why"), [(3, "3 data sets are too few"), (1, "one data set is too few"), (0, "no data set has")]
)
def test_too_few_data_sets_are_counted(n: int, why: str) -> None:
    assert choose(n, n, 4, 0)[4].why.startswith(why)


def test_methods_without_a_score_somewhere_are_left_out_by_name() -> None:
    rows = scores(6, tree=0.8, net=0.9, svm=0.7)
    del rows["d1"]["net"], rows["d4"]["net"]
    rows["d2"]["svm"] = float("nan")
    across = compare_datasets(rows | {"empty": {}})
    assert across.comparison.methods == ["tree"]
    assert across.left_out == {"net": ["d1", "d4"], "svm": ["d2"]}
    assert "empty" not in across.comparison.datasets


def test_the_matrix_has_the_scores_in_their_places() -> None:
    comparison = compare_datasets({"a": {"x": 0.1, "y": 0.2}, "b": {"y": 0.4, "x": 0.3}}).comparison
    assert comparison.scores.tolist() == [[0.1, 0.2], [0.3, 0.4]]


def test_families_are_compared_where_both_have_a_result() -> None:
    across = compare_families({"a": 0.9, "b": 0.8}, {"b": 0.7, "c": 0.6})
    assert across.comparison.datasets == ["b"]
    assert across.comparison.scores.tolist() == [[0.8, 0.7]]


def test_resamples_are_the_best_of_each_family_by_validation_accuracy(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", sizes=[50, 400], repetitions=2, n_validation=100)
    folder.add("raw", "tree", [0.99, 0.5], validation=[[0.9, 0.9], [0.80, 0.84]])
    folder.add("raw", "svm", [0.4, 0.4], validation=[[0.4, 0.4], [0.81, 0.85]])
    folder.add(LEARNED, "net", [0.4, 0.4], validation=[[0.4, 0.4], [0.9, 0.88]], n_watched=100)
    curves = read_curves(folder.study(), Layout(tmp_path), "fruit")
    assert curves is not None
    comparison = compare_resamples(curves)
    assert comparison is not None
    assert (comparison.name_a, comparison.name_b) == ("net", "svm (raw)")
    assert comparison.differences == pytest.approx([0.09, 0.03])
    assert (comparison.n_train, comparison.n_validation, comparison.candidates) == (400, 100, (1, 2))
    assert comparison.watched == ("net",)


def test_resamples_take_both_families(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", sizes=[50, 400], repetitions=2)
    folder.add("raw", "tree", [0.9, 0.9])
    curves = read_curves(folder.study(), Layout(tmp_path), "fruit")
    assert curves is not None
    assert compare_resamples(curves) is None


@pytest.mark.parametrize(
    ("a", "b", "opening"),
    [
        ([0.90, 0.91, 0.90], [0.80, 0.80, 0.81], "net leads by more than 1 point"),
        ([0.80, 0.80, 0.81], [0.90, 0.91, 0.90], "tree leads by more than 1 point"),
        ([0.801, 0.802, 0.799], [0.800, 0.801, 0.801], "They tie"),
        ([0.805, 0.8052, 0.8051], [0.80, 0.80, 0.80], "net leads, by less than 1 point"),
        ([0.810, 0.812, 0.811], [0.80, 0.80, 0.80], "net leads, perhaps by less than 1 point"),
        ([0.80, 0.85, 0.90], [0.85, 0.80, 0.82], "Undecided"),
        ([0.80, 0.81], [0.80, 0.81], "They tie"),
        ([0.80, 0.81], [0.85, 0.86], "tree is ahead, untested"),
    ],
)
def test_every_verdict_over_splits_has_its_words(a: list[float], b: list[float], opening: str) -> None:
    assert f"fruit: **{opening}**. net (" in resampled_sentence(resampled(a, b))


def test_the_sentence_over_splits_has_a_difference_an_interval_and_probabilities() -> None:
    # Differences 0.02, 0.00 and 0.04: mean 0.02, sd 0.02; factor 1/3 + 1/9 = 4/9, so the standard error is 0.02 · 2/3;
    # t = 1.5 with 2 degrees of freedom, whose tail is (1 - 1.5 / sqrt(2 + 1.5²)) / 2; 4.302653 standard errors.
    sentence = resampled_sentence(resampled([0.82, 0.80, 0.84], [0.80, 0.80, 0.80]))
    assert (
        "net (82.00 %) minus tree (80.00 %) is **+2.00 points** of validation accuracy over 3 splits"
        in sentence
    )
    assert f"p {1 - 1.5 / np.sqrt(4.25):.2f}" in sentence
    assert "95 % interval −3.74 to +7.74" in sentence  # noqa: RUF001
    above = 50 * (1 + 0.75 / np.sqrt(2 + 0.75**2))  # (0.02 - 0.01) / 0.01333 = 0.75
    below = 50 * (1 - 2.25 / np.sqrt(2 + 2.25**2))
    assert f"net is better by more than 1 point: {above:.1f} %" in sentence
    assert f"tree is better by more: {below:.1f} %" in sentence
    assert f"within 1 point of each other: {100 - above - below:.1f} %" in sentence
    assert "of the errors" not in sentence


def test_a_region_as_large_as_the_errors_is_remarked() -> None:
    assert "1 point is 50 % of the errors" in resampled_sentence(resampled([0.98, 0.98], [0.97, 0.96]))
    assert "more than all errors" in resampled_sentence(resampled([0.995, 0.997], [0.97, 0.96]))


def test_another_region_is_named() -> None:
    sentence = resampled_sentence(resampled([0.90, 0.91, 0.90], [0.80, 0.80, 0.81], rope=0.005))
    assert "by more than 0.5 points" in sentence


def test_one_split_has_a_reason_and_no_numbers() -> None:
    sentence = resampled_sentence(resampled([0.9], [0.8]))
    assert sentence == "fruit: **no test**; it takes 2 splits or more, and there is one."


def test_the_section_begins_with_the_choices_and_names_what_flatters() -> None:
    comparison = resampled([0.9, 0.91], [0.8, 0.82], candidates=(2, 4), watched=("net",))
    section = "\n\n".join(
        design_section(design(compare_datasets(scores(3, tree=0.8, net=0.9)), [comparison]))
    )
    assert section.startswith(HEADING)
    assert "*Is the best of a family ahead on one data set?* **Paired two-level bootstrap**:" in section
    assert "No test: 3 data sets are too few" in section
    assert "(networks and classical models: 2 and 4)" in section
    assert "(early stopping) for net" in section
    assert "Over the data sets" not in section


def test_the_section_over_many_data_sets_has_ranks_pairs_and_the_diagram() -> None:
    rows = scores(7, tree=0.80, net=0.90, svm=0.70)
    rows["d0"]["cnn"] = 0.99
    section = "\n\n".join(design_section(design(compare_datasets(rows))))
    assert "**net and tree tie in the lead**: 3 methods on 7 data sets, Friedman's χ² = 14.00" in section
    assert "all data sets rank them alike" in section
    assert (
        "Left out, since a rank needs a score on every data set: cnn (none on d1, d2, d3, d4, d5, d6)."
        in section
    )
    assert "| **net** |         1.00 |           90.30 |       7 |" in section
    assert (
        "![Critical-difference diagram. Average ranks on 7 data sets: net 1.00, tree 2.00, svm 3.00."
        in section
    )
    assert "(figures/critical-difference.png)" in section


def test_two_families_over_many_data_sets_have_wilcoxon_alone() -> None:
    deep, classical = (
        {f"d{i}": base + 0.01 * i * slope for i in range(6)} for base, slope in ((0.8, 2), (0.79, 1))
    )
    across = compare_families(deep, classical)
    section = "\n\n".join(design_section(Design([], across, compare_datasets({}))))
    # All six differences are positive, 0.01 to 0.06: p = 2/64, the interval is their range.
    assert (
        "**The best network leads**: over 6 data sets the median of the best network minus the best"
        in section
    )
    assert "**+3.50 points** (95 % interval +1.00 to +6.00; the best network is ahead on 6 of 6;" in section
    assert "p 0.031" in section
    assert "flatters the family with more candidates" in section


def test_demsars_example_is_undecided() -> None:
    # Demšar 2006: the methods differ, and "the post-hoc test is not powerful enough to detect any significant
    # differences" among them.
    sentence = methods_sentence(demsar())
    assert sentence.startswith(
        "**Undecided: the methods differ, and Nemenyi's test cannot say which**: 4 methods on 14"
    )
    assert "C4.5+m+cf has the average rank 1.96 and C4.5+m 2.00" in sentence
    assert "Nemenyi's test needs 1.25" in sentence


def test_one_that_beats_all_leads() -> None:
    rng = np.random.default_rng(0)
    others = rng.random((20, 2))
    comparison = compare_methods(
        [*map(str, range(20))], ["a", "b", "c"], np.column_stack([others, np.full(20, 2)])
    )
    assert methods_sentence(comparison).startswith("**c leads**")


def test_equal_methods_tie() -> None:
    comparison = compare_methods(list(DEMSAR), ["a", "b", "c"], np.random.default_rng(1).random((14, 3)))
    assert comparison.friedman is not None
    assert comparison.friedman.p > 0.05
    assert methods_sentence(comparison).startswith("**They tie**: 3 methods on 14 data sets")


def test_a_correction_that_leaves_no_chance_is_said() -> None:
    rows = {name: row for name, row in zip("abcdef", DEMSAR.values(), strict=False)}
    across = compare_datasets({d: dict(zip("wxyz", row, strict=True)) for d, row in rows.items()})
    section = "\n\n".join(design_section(design(across)))
    # Six pairs of six data sets: 6 · 2 / 2^6.
    assert "With 6 data sets the smallest p that this can give is 0.19" in section
