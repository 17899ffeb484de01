"""Published numbers next to ours."""

from pathlib import Path

import numpy as np
import pytest
from results_folder import ResultsFolder, read_report, study_of

from crossover.analysis.published import load_published
from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.report.document import render


def with_accuracy(n_test: int, *accuracies: float) -> np.ndarray:
    return np.arange(n_test) < n_test * np.array(accuracies)[:, None]


@pytest.fixture(scope="module")
def mnist_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("project")
    folder = ResultsFolder(root, "mnist", 10_000)
    folder.add("raw", "random_forest", with_accuracy(10_000, 0.9700, 0.9708))
    folder.add(LEARNED, "cnn", with_accuracy(10_000, 0.9880, 0.9890))
    folder.write()
    study = study_of("mnist", ["random_forest"], ["cnn"], 2)
    return render(read_report(study, Layout(root)))


def test_a_published_value_within_its_tolerance_is_reproduced(mnist_report: str) -> None:
    line = next(
        line for line in mnist_report.splitlines() if line.startswith("- raw / random_forest: published")
    )
    assert "published 97.05 %" in line
    assert "Ours is 97.04 %" in line
    assert "n = 2, single fits 97.00 to 97.08" in line
    assert "**reproduced**" in line
    assert "inside our interval" in line


def test_a_published_value_outside_is_not(mnist_report: str) -> None:
    line = next(line for line in mnist_report.splitlines() if line.startswith("- learned / cnn: published"))
    assert "published 99.21 %" in line
    assert "−0.36 points: **not reproduced**" in line  # noqa: RUF001
    assert "outside our interval" in line


def test_the_projects_own_entries_are_accuracies() -> None:
    entries = load_published()
    assert len({(e.dataset, e.features, e.model) for e in entries}) == len(entries) > 0
    assert all(0 < entry.tolerance < entry.value < 1 for entry in entries)


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "published.yaml"
    path.write_text("- {dataset: mnist, feature: raw}\n")
    with pytest.raises(CrossoverError, match=r"check .*feature, .*published\.yaml"):
        load_published(path)
