"""From the files of the stage `learning_curve` to curves."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.curves import DatasetCurves, read_curves
from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import LearningCurve
from tests.curves_folder import CurvesFolder


def two_curves(root: Path, **values: Any) -> CurvesFolder:
    """A tree and a net on 20, 60 and 200 examples, twice each, with 50 test examples."""
    folder = CurvesFolder(root, "fruit", [20, 60, 200], repetitions=2, n_test=50)
    folder.add("raw", "tree", [[0.5, 0.6], [0.7, 0.8], [0.82, 0.84]], validation=[0.4, 0.5, 0.6])
    folder.add(LEARNED, "net", [0.3, 0.6, 0.9], seconds=[[1, 3], [4, 6], [7, 9]], **values)
    return folder


def read(folder: CurvesFolder) -> DatasetCurves:
    curves = read_curves(folder.study(), folder.layout, "fruit")
    assert curves is not None
    return curves


def spoil(folder: CurvesFolder, table: str, **values: Any) -> None:
    path = folder.folder("raw", "tree") / table
    pd.read_csv(path).assign(**values).to_csv(path, index=False)


def test_a_curve_has_an_accuracy_for_each_size_and_repetition(tmp_path: Path) -> None:
    tree, net = read(two_curves(tmp_path)).curves
    assert tree.sizes.tolist() == [20, 60, 200]
    assert tree.correct.shape == (3, 2, 50)
    assert tree.accuracy.tolist() == [[0.5, 0.6], [0.7, 0.8], [0.82, 0.84]]
    assert net.accuracy[:, 1].tolist() == [0.3, 0.6, 0.9]
    assert (tree.label, net.label) == ("tree (raw)", "net")
    assert (tree.family, net.family) == ("classical", "deep")


def test_the_columns_of_both_tables_come_as_grids(tmp_path: Path) -> None:
    tree, net = read(two_curves(tmp_path)).curves
    assert tree.grid("validation_accuracy").tolist() == [[0.4, 0.4], [0.5, 0.5], [0.6, 0.6]]
    assert net.grid("fit_seconds").tolist() == [[1, 3], [4, 6], [7, 9]]


def test_the_families_and_the_largest_number_watched(tmp_path: Path) -> None:
    curves = read(two_curves(tmp_path, n_watched=7))
    assert [curve.label for curve in curves.family("deep")] == ["net"]
    assert [curve.n_watched for curve in curves.curves] == [0, 7]
    assert curves.n_test == 50


def test_probabilities_of_the_largest_fits_agree_with_their_answers(tmp_path: Path) -> None:
    tree = read(two_curves(tmp_path)).curves[0]
    for repetition, fit in enumerate(tree.largest()):
        assert ((fit.test.argmax(axis=1) == fit.y_test) == tree.correct[-1, repetition]).all()
        assert (fit.validation.argmax(axis=1) == fit.y_validation).mean() == pytest.approx(0.6)


def test_a_cell_that_does_not_apply_comes_with_its_reason(tmp_path: Path) -> None:
    folder = two_curves(tmp_path)
    folder.add_not_applicable(LEARNED, "cnn", "takes images only")
    curves = read(folder)
    assert [(cell.model, reason) for cell, reason in curves.not_applicable] == [("cnn", "takes images only")]
    assert len(curves.curves) == 2


def test_no_curve_is_none(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", [20, 60])
    folder.add_not_applicable(LEARNED, "cnn", "takes images only")
    assert read_curves(folder.study(), folder.layout, "fruit") is None
    none = folder.study().model_copy(update={"learning_curve": LearningCurve()})
    assert read_curves(none, Layout(tmp_path), "fruit") is None


def test_a_missing_cell_says_how_to_make_it(tmp_path: Path) -> None:
    folder = two_curves(tmp_path)
    (folder.folder("raw", "tree") / "scores.csv").unlink()
    with pytest.raises(
        CrossoverError, match=r"scores\.csv does not exist.*learning_curve_classical@fruit-raw-tree"
    ):
        read(folder)


@pytest.mark.parametrize("table", ["scores.csv", "costs.csv"])
def test_a_missing_row_is_refused(tmp_path: Path, table: str) -> None:
    folder = two_curves(tmp_path)
    path = folder.folder("raw", "tree") / table
    pd.read_csv(path).iloc[:-1].to_csv(path, index=False)
    with pytest.raises(CrossoverError, match="must hold each size with each seed, in order"):
        read(folder)


@pytest.mark.parametrize("table", ["scores.csv", "costs.csv"])
def test_an_unknown_column_is_refused(tmp_path: Path, table: str) -> None:
    folder = two_curves(tmp_path)
    spoil(folder, table, surprise=1)
    with pytest.raises(CrossoverError, match="surprise"):
        read(folder)


def test_answers_that_do_not_fit_the_rows_are_refused(tmp_path: Path) -> None:
    folder = two_curves(tmp_path)
    np.save(folder.folder("raw", "tree") / "correct.npy", np.ones((5, 50), dtype=bool))
    with pytest.raises(CrossoverError, match="must have a row a fit, got 5 for 6"):
        read(folder)


def test_curves_of_different_sizes_are_refused(tmp_path: Path) -> None:
    folder = two_curves(tmp_path)
    for table in ("scores.csv", "costs.csv"):
        spoil(folder, table, n=[20, 20, 60, 60, 210, 210])
    with pytest.raises(
        CrossoverError, match=r"must have the sizes \[20, 60, 210\].*got \[20, 60, 200\].*fruit-net"
    ):
        read(folder)


def test_a_missing_or_broken_file_of_the_largest_fits_is_named(tmp_path: Path) -> None:
    folder = two_curves(tmp_path)
    path = folder.folder(LEARNED, "net") / "largest" / "test-seed1.npy"
    path.write_text("no array")
    net = read(folder).curves[1]
    with pytest.raises(CrossoverError, match=r"test-seed1\.npy is no NumPy array"):
        net.largest()
    path.unlink()
    with pytest.raises(
        CrossoverError, match=r"test-seed1\.npy does not exist.*learning_curve_deep@fruit-net"
    ):
        net.largest()
