"""From a data set with faults to what the report says of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.audit.finding import Checks
from crossover.core.cell import LEARNED
from crossover.core.files import read_yaml
from crossover.core.layout import Layout
from crossover.core.settings import validated
from crossover.data.prepared import Input, Meta, Part, modality_of
from crossover.stages.audit import audit_dataset
from crossover.stages.compare import compare, read_audits
from tests.prepared_folder import write_one_split
from tests.results_folder import CONSTRAINTS, ResultsFolder, first_right, study_of

CONFIG = Path(__file__).parents[2] / "conf" / "audit" / "default.yaml"
N_TRAIN, N_TEST = 200, 50


@pytest.fixture
def reports(tmp_path: Path) -> Callable[[Input, np.ndarray], Path]:
    """Audits examples of classes "apple" and "pear", compares a tree and a net on them, and gives `reports/`."""

    def audited(X: Input, y: np.ndarray) -> Path:
        layout, study = Layout(tmp_path), study_of("fruit", ["tree"], ["net"], seeds=1)
        modality: Any = modality_of(X)
        value_max = 16.0 if modality == "image" else 1.0
        everything = Part(X, y, 2, value_max)
        parts = everything.take(np.arange(N_TRAIN)), everything.take(np.arange(N_TRAIN, len(y)))
        facts = list(X.shape[1:]), value_max, N_TRAIN, N_TEST, "a test's", "sum"
        meta = Meta("fruit", modality, ["apple", "pear"], *facts)
        write_one_split(layout.prepared("fruit"), meta, *parts, np.arange(10)[None])
        audit_dataset(
            "fruit", validated(Checks, read_yaml(CONFIG) | {"muted": ["A04", "A06"]}, "a test"), layout
        )
        folder = ResultsFolder(tmp_path, "fruit", N_TEST)
        folder.add("raw", "tree", first_right(N_TEST, 40))
        folder.add(LEARNED, "net", first_right(N_TEST, 45))
        folder.write()
        compare(study, layout, CONSTRAINTS, [], audits=read_audits(study, layout))
        return layout.reports

    return audited


def test_images_whose_labels_are_doubted_are_shown(reports) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N_TRAIN + N_TEST)
    X = rng.integers(0, 8, (len(y), 8, 8, 1), dtype=np.uint8)
    X[y == 0, :4] += 8
    X[y == 1, :, :4] += 8
    y[:7] = 1 - y[:7]
    folder = reports(X, y)
    chapter = (
        (folder / "report.md").read_text(encoding="utf-8").split("### Are the data fit")[1].split("###")[0]
    )
    finding, figure = chapter.split("- **A07, ")[1].split("\n\n")[:2]
    assert "7 of 200. Wrong labels" in finding
    assert figure.startswith("  ![Images of the training part whose labels a model doubts")
    assert figure.endswith("](figures/fruit-doubtful-labels.png)")
    numbers = pd.read_csv(folder / "figures" / "fruit-doubtful-labels.csv")
    assert set(numbers["row"]) == set(range(7))
    assert numbers["label"].tolist() == [["apple", "pear"][label] for label in y[numbers["row"]]]
    assert numbers["by_the_other_rows"].tolist() == [["pear", "apple"][label] for label in y[numbers["row"]]]
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count('alt="Images of the training part whose labels a model doubts') == 1


def test_rows_whose_labels_are_doubted_are_listed(reports) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N_TRAIN + N_TEST)
    X = pd.DataFrame({"size": rng.normal(10 * y, 1), "sort": np.where(y == 1, "long", "round")})
    y[:7] = 1 - y[:7]
    folder = reports(X, y)
    chapter = (
        (folder / "report.md").read_text(encoding="utf-8").split("### Are the data fit")[1].split("###")[0]
    )
    lines = chapter.split("- **A07, ")[1].split("\n\n")[1].splitlines()
    assert len(lines) == 7
    assert all(line.startswith("  - row ") and "by the other rows: s" in line for line in lines)
    assert not list((folder / "figures").glob("*-doubtful-labels.*"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count("by the other rows: s") == 7
