"""No name of a data set, a feature set or a model leads out of the project."""

from pathlib import Path

import pytest

from crossover.core.cell import Cell
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout

WRONG = ["../../src", "/etc", "", ".", "..", "a/b", "a b", "-rf", ".hidden", "x\n", "x;y", "ä", "x" * 101]


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_name_is_refused(name: str, tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for path in (layout.raw, layout.prepared, layout.results):
        with pytest.raises(CrossoverError, match=r"must be a name of at most 100"):
            path(name)
    for names in [(name, "raw", "svm"), ("digits", name, "svm"), ("digits", "raw", name)]:
        for of_cell in (layout.models, layout.tuning, layout.curve):
            with pytest.raises(CrossoverError, match=r"must be a name of at most 100"):
                of_cell(Cell(*names, "classical"))


@pytest.mark.parametrize("name", ["digits", "fashion_mnist", "A.1-b", "x" * 100])
def test_a_name_is_a_folder_of_the_project(name: str, tmp_path: Path) -> None:
    assert Layout(tmp_path).raw(name) == tmp_path / "data" / "raw" / name
