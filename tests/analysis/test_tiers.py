"""Levels of effort: which cells speak for their families, and what the report says of each level."""

import re
from pathlib import Path

from crossover.analysis.claims.cell_quantities import Accuracy
from crossover.analysis.claims.quantity import ClaimInputs, Estimate
from crossover.analysis.results import DatasetResults, read_results
from crossover.analysis.study import analyse
from crossover.core.cell import DEFAULT, LEARNED, TEXTBOOK, TUNED
from crossover.core.layout import Layout
from crossover.core.study import Textbook, Tuning
from crossover.report.document import render
from tests.results_folder import CONSTRAINTS, ResultsFolder, first_right, study_of

N_TEST = 1000
CLASSICAL_TUNED = Tuning(feature_sets=["raw"], classical_models=["tree"])
BOTH_TUNED = Tuning(feature_sets=["raw"], classical_models=["tree"], deep_models=["net"])
OF_THE_NET = Textbook(deep_models=["net"])


def write(root: Path) -> None:
    """Right of 1,000: tree 900, tuned 930; net 950, by the textbook 850, tuned 960; modern 990."""
    folder = ResultsFolder(root, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 900, 900))
    folder.add_variant(TUNED, "raw", "tree", first_right(N_TEST, 930, 930))
    folder.add(LEARNED, "net", first_right(N_TEST, 950, 950))
    # By luck, the best of all on validation rows.
    folder.add_variant(TEXTBOOK, LEARNED, "net", first_right(N_TEST, 850, 850), validation=1.0)
    folder.add_variant(TUNED, LEARNED, "net", first_right(N_TEST, 960, 960))
    folder.add(LEARNED, "modern", first_right(N_TEST, 990, 990))
    folder.write()


def results(
    root: Path,
    tuning: Tuning = Tuning(),  # noqa: B008
    textbook: Textbook = Textbook(),  # noqa: B008
    deep: tuple[str, ...] = ("net",),
    known: frozenset[str] | None = None,
) -> DatasetResults:
    write(root)
    study = study_of("fruit", ["tree"], list(deep), 2, tuning=tuning, textbook=textbook)
    return read_results(study, Layout(root), "fruit", known)


def names(found: DatasetResults, tier: str) -> set[str]:
    return {cell.cell.name for cell in found.at(tier)}  # type: ignore[arg-type]


def test_the_textbooks_recipe_does_not_speak_for_its_family(tmp_path: Path) -> None:
    found = results(tmp_path, textbook=OF_THE_NET)
    assert {cell.cell.name for cell in found.best} == {"raw-tree", "learned-net"}
    assert "learned-net-textbook" in {cell.cell.name for cell in found.cells}
    assert found.tiers == [TEXTBOOK, DEFAULT]


def test_where_the_textbook_has_no_other_recipe_the_default_one_is_its_own(tmp_path: Path) -> None:
    found = results(tmp_path, textbook=OF_THE_NET)
    assert names(found, TEXTBOOK) == {"raw-tree", "learned-net-textbook"}


def test_a_default_recipe_that_is_not_the_textbooks_is_not_among_its_own(tmp_path: Path) -> None:
    known = frozenset({"tree"})
    found = results(tmp_path, textbook=OF_THE_NET, deep=("net", "modern"), known=known)
    assert names(found, TEXTBOOK) == {"raw-tree", "learned-net-textbook"}
    assert names(found, DEFAULT) == {"raw-tree", "learned-net", "learned-modern"}


def test_a_search_in_one_family_alone_decides_nothing(tmp_path: Path) -> None:
    found = results(tmp_path, CLASSICAL_TUNED)
    assert found.tiers == [DEFAULT]
    assert {cell.cell.name for cell in found.best} == {"raw-tree", "learned-net"}


def test_searches_in_both_families_decide(tmp_path: Path) -> None:
    found = results(tmp_path, BOTH_TUNED, OF_THE_NET)
    assert found.tiers == [TEXTBOOK, DEFAULT, TUNED]
    assert {cell.cell.name for cell in found.best} == {"raw-tree-tuned", "learned-net-tuned"}
    assert names(found, TUNED) == {"raw-tree", "raw-tree-tuned", "learned-net", "learned-net-tuned"}


def test_each_level_has_its_verdict_and_the_highest_is_the_studys(tmp_path: Path) -> None:
    write(tmp_path)
    study = study_of("fruit", ["tree"], ["net"], 2, textbook=OF_THE_NET)
    analysed = analyse(study, Layout(tmp_path), CONSTRAINTS, [])
    (found,) = analysed.datasets
    assert {tier: round(one.difference, 6) for tier, one in found.tiers.items()} == {
        TEXTBOOK: -0.05,
        DEFAULT: 0.05,
    }
    assert {tier: one.winner for tier, one in found.tiers.items()} == {TEXTBOOK: "classical", DEFAULT: "deep"}
    assert found.verdict is found.tiers[DEFAULT]
    assert found.decision is not None
    assert all("textbook" not in r.use.cell.name for r in found.decision.recommendations if r.use)
    text = re.sub(" +", " ", render(analysed))
    assert "| textbook | net, textbook, 85.00 % | tree (raw), 90.00 % | −5.00 [" in text  # noqa: RUF001
    assert "textbook −5.00 points (classical leads); default +5.00 points (deep learning leads)" in text  # noqa: RUF001


def test_a_study_without_other_levels_says_nothing_of_them(tmp_path: Path) -> None:
    write(tmp_path)
    text = render(analyse(study_of("fruit", ["tree"], ["net"], 2), Layout(tmp_path), CONSTRAINTS, []))
    assert "By effort" not in text


def test_a_claim_is_about_the_textbooks_recipe(tmp_path: Path) -> None:
    inputs = ClaimInputs(results(tmp_path, textbook=OF_THE_NET), None, None)
    values = {}
    for tier in (TEXTBOOK, DEFAULT):
        measured = Accuracy(kind="accuracy", features=LEARNED, model="net", tier=tier).measure(inputs)
        assert isinstance(measured, Estimate)
        values[tier] = measured.value
    assert values == {TEXTBOOK: 0.85, DEFAULT: 0.95}
    assert Accuracy(kind="accuracy", features=LEARNED, model="net").tier == TEXTBOOK
