"""Published numbers next to ours."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.published import Reproduction, load_published, reproductions
from crossover.analysis.results import DatasetResults, read_results
from crossover.core.cell import LEARNED, TUNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.report.templating import render
from tests.results_folder import ResultsFolder, study_of


def with_accuracy(n_test: int, *accuracies: float) -> np.ndarray:
    return np.arange(n_test) < n_test * np.array(accuracies)[:, None]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Reproduction]:
    """The textbook's forest, at the published value, and its CNN, below it."""
    root = tmp_path_factory.mktemp("project")
    folder = ResultsFolder(root, "mnist", 10_000)
    folder.add("raw", "random_forest", with_accuracy(10_000, 0.9700, 0.9708))
    folder.add(LEARNED, "cnn", with_accuracy(10_000, 0.9880, 0.9890))
    folder.write()
    study = study_of("mnist", ["random_forest"], ["cnn"], 2)
    return reproductions(read_results(study, Layout(root), "mnist"), load_published())


def test_a_published_value_within_its_tolerance_is_reproduced(found: list[Reproduction]) -> None:
    forest = found[0]
    assert (forest.cell.cell.model, forest.published.value) == ("random_forest", 0.9705)
    assert forest.difference == pytest.approx(0.9704 - 0.9705)
    assert forest.reproduced
    assert forest.inside


def test_a_published_value_outside_is_not(found: list[Reproduction]) -> None:
    cnn = found[1]
    assert (cnn.cell.cell.model, cnn.published.value) == ("cnn", 0.9921)
    assert cnn.difference == pytest.approx(0.9885 - 0.9921)
    assert not cnn.reproduced
    assert not cnn.inside


def test_a_tuned_cell_reproduces_nothing(found: list[Reproduction]) -> None:
    forest = found[0].cell
    tuned = replace(forest, cell=replace(forest.cell, variant=TUNED))
    assert reproductions(DatasetResults("mnist", [tuned], [], 10_000, pd.DataFrame()), load_published()) == []


def test_the_report_says_both(found: list[Reproduction]) -> None:
    forest, cnn = render("published", reproductions=found).splitlines()[-2:]
    for words in (
        "published 97.05 %",
        "97.04 %",
        "n = 2, single fits 97.00 to 97.08",
        "**reproduced**",
        "inside",
    ):
        assert words in forest
    for words in ("published 99.21 %", "−0.36 points: **not reproduced**", "outside"):  # noqa: RUF001
        assert words in cnn


def test_the_projects_own_entries_are_accuracies() -> None:
    entries = load_published()
    assert len({(e.dataset, e.features, e.model) for e in entries}) == len(entries) > 0
    assert all(0 < entry.tolerance < entry.value < 1 for entry in entries)


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "published.yaml"
    path.write_text("- {dataset: mnist, feature: raw}\n")
    with pytest.raises(CrossoverError, match=r"check .*feature, .*published\.yaml"):
        load_published(path)
