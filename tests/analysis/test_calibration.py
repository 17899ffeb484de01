"""Calibration on probabilities whose best temperature and scores can be worked out by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.calibration import DatasetCalibration, calibrate
from crossover.analysis.calibrators import Calibrator, Method
from crossover.analysis.curves import read_curves
from crossover.core.cell import LEARNED, Cell
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.report.figures.calibration import draw_calibration
from crossover.report.templating import render
from tests.curves_folder import CurvesFolder


def two_classes(confidence: float, right: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a model that is always so sure of its answer, and labels: the first `right` are right."""
    proba = np.tile([confidence, 1 - confidence], (n, 1))
    return proba, (np.arange(n) >= right).astype(np.int64)


def calibrated(
    root: Path, test: float | list[float], validation: float = 0.75, n_test: int = 400, repetitions: int = 1
) -> DatasetCalibration:
    """Of one model that is 90 % sure of every answer."""
    folder = CurvesFolder(root, "fruit", [20, 60], repetitions, n_test)
    folder.add("raw", "tree", np.broadcast_to(test, (2, repetitions)), validation=[validation] * 2)
    curves = read_curves(folder.study(), Layout(root), "fruit")
    assert curves is not None
    return calibrate(curves)


def test_temperature_makes_the_confidence_the_share_of_right_answers() -> None:
    # The log loss is least where 9^(1/T) : 1 = 0.75 : 0.25, so 9^(1/T) = 3 and T = 2.
    calibrator = Calibrator("temperature", *two_classes(0.9, 75, 100))
    assert calibrator.temperature == pytest.approx(2, abs=1e-4)
    np.testing.assert_allclose(calibrator(np.array([[0.1, 0.9]])), [[0.25, 0.75]], atol=1e-5)


def test_a_probability_of_zero_counts_as_a_trillionth() -> None:
    # A model that is certain and right in 80 of 100: (1e12)^(1/T) = 4, so T = ln(1e12) / ln 4 = 19.932.
    calibrator = Calibrator("temperature", *two_classes(1.0, 80, 100))
    assert calibrator.temperature == pytest.approx(np.log(1e12) / np.log(4), rel=1e-4)
    np.testing.assert_allclose(calibrator(np.array([[1.0, 0.0]])), [[0.8, 0.2]], atol=1e-5)


def test_temperature_keeps_every_answer() -> None:
    rng = np.random.default_rng(0)
    proba = rng.dirichlet([0.5] * 4, size=200)
    after = Calibrator("temperature", proba, rng.integers(4, size=200))(proba)
    np.testing.assert_array_equal(after.argmax(axis=1), proba.argmax(axis=1))


def test_isotonic_regression_pools_what_falls() -> None:
    # Labels 0, 1, 0, 1 at rising probabilities of class 1: the falling pair 1, 0 is pooled to 0.5 (pool adjacent
    # violators); below the lowest probability and above the highest the ends go on.
    of_one = np.array([0.1, 0.2, 0.3, 0.4])
    calibrator = Calibrator("isotonic", np.column_stack([1 - of_one, of_one]), np.array([0, 1, 0, 1]))
    new = np.array([0.0, 0.1, 0.25, 0.35, 0.9])
    after = calibrator(np.column_stack([1 - new, new]))
    np.testing.assert_allclose(after[:, 1], [0, 0, 0.5, 0.75, 1], atol=1e-9)


@pytest.mark.parametrize("method", ["temperature", "isotonic"])
@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_that_the_validation_part_lacks_is_no_obstacle(method: Method, classes: int) -> None:
    rng = np.random.default_rng(1)
    proba = rng.dirichlet([1.0] * classes, size=30).astype(np.float32)
    after = Calibrator(method, proba, np.zeros(30, dtype=np.int64))(proba)
    assert after.shape == proba.shape
    np.testing.assert_allclose(after.sum(axis=1), 1)
    assert np.isfinite(after).all()


def test_isotonic_regression_gives_a_class_without_examples_nothing() -> None:
    proba = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])
    after = Calibrator("isotonic", proba, np.array([0, 1, 0, 1]))(proba)
    np.testing.assert_allclose(after, [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]], atol=1e-12)


def test_an_overconfident_model_is_helped(tmp_path: Path) -> None:
    model = calibrated(tmp_path, test=0.75).models[0]
    assert model.temperatures == pytest.approx((2.0,), abs=1e-4)
    # Right answers cost 2 · 0.1², wrong ones 2 · 0.9²; after that 2 · 0.25² and 2 · 0.75².
    assert model.scores["brier_score"]["before"] == pytest.approx(0.75 * 0.02 + 0.25 * 1.62)
    assert model.scores["brier_score"]["temperature"] == pytest.approx(0.75 * 0.125 + 0.25 * 1.125, abs=1e-4)
    assert model.scores["calibration_error"]["before"] == pytest.approx(0.15)
    assert model.scores["calibration_error"]["temperature"] == pytest.approx(0, abs=1e-4)
    assert model.scores["log_loss"]["before"] > model.scores["log_loss"]["temperature"]
    change = model.changes["temperature"]
    assert change.difference == pytest.approx(0.375 - 0.42, abs=1e-4)
    assert change.answer == "helps"
    assert change.better > 0.999


def test_a_model_that_was_right_as_it_was_is_hurt(tmp_path: Path) -> None:
    # Right in 75 % of the validation part by chance, in 90 % of the test part as its confidence says.
    change = calibrated(tmp_path, test=0.9).models[0].changes["temperature"]
    assert change.difference == pytest.approx(
        (0.9 * 0.125 + 0.1 * 1.125) - (0.9 * 0.02 + 0.1 * 1.62), abs=1e-4
    )
    assert change.answer == "hurts"
    assert change.better < 0.001


def test_nothing_to_fix_is_no_clear_change(tmp_path: Path) -> None:
    change = calibrated(tmp_path, test=0.9, validation=0.9).models[0].changes["temperature"]
    assert change.answer == "no clear change"
    assert change.difference == pytest.approx(0, abs=1e-3)


def test_the_interval_covers_test_examples_and_repetitions(tmp_path: Path) -> None:
    accuracies = [0.70, 0.72, 0.73, 0.75, 0.75, 0.77, 0.78, 0.80]
    change = calibrated(tmp_path, accuracies, n_test=500, repetitions=8).models[0].changes["temperature"]
    # A right answer costs 0.105 more after calibration, a wrong one 0.495 less. The squared standard error of the
    # mean is the sum of that over the examples and that over the repetitions, here from the textbook's formulas.
    correct = np.load(Layout(tmp_path).curve(Cell("fruit", "raw", "tree", "classical")) / "correct.npy")[-8:]
    changes = np.where(correct, 0.105, -0.495)
    se = np.sqrt(changes.mean(axis=0).var() / 500 + changes.mean(axis=1).var(ddof=1) / 8)
    assert change.difference == pytest.approx(changes.mean(), abs=1e-4)
    assert change.interval.high - change.interval.low == pytest.approx(2 * 1.96 * se, rel=0.05)


def test_the_calibration_says_what_it_rests_on(tmp_path: Path) -> None:
    calibration = calibrated(tmp_path, test=0.75, repetitions=3)
    sizes = (calibration.n, calibration.n_validation, calibration.n_test, calibration.repetitions)
    assert sizes == (60, 100, 400, 3)
    assert calibration.watched == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", [20, 60])
    folder.add("raw", "tree", [0.7, 0.8])
    (folder.folder("raw", "tree") / "largest" / "validation-seed1.npy").unlink()
    curves = read_curves(folder.study(), Layout(tmp_path), "fruit")
    assert curves is not None
    with pytest.raises(
        CrossoverError, match=r"validation-seed1\.npy does not exist; make it again with `dvc"
    ):
        calibrate(curves)


@pytest.fixture(scope="module")
def two_models(tmp_path_factory: pytest.TempPathFactory) -> DatasetCalibration:
    root = tmp_path_factory.mktemp("calibration")
    folder = CurvesFolder(root, "fruit", [20, 60], 2, 400, n_classes=3)
    folder.add("raw", "tree", [0.7, 0.75], validation=[0.7, 0.75])
    folder.add(LEARNED, "net", [0.8, 0.9], validation=[0.8, 1.0], n_watched=100)
    curves = read_curves(folder.study(), Layout(root), "fruit")
    assert curves is not None
    return calibrate(curves)


def test_models_are_sorted_by_answer_and_by_score(two_models: DatasetCalibration) -> None:
    tree, net = two_models.models
    assert two_models.with_answer("temperature", "helps") == ["tree (raw)"]
    assert two_models.with_answer("temperature", "hurts") == ["net"]
    assert two_models.by_brier_score == [net, tree]
    assert tree.errors()[:2] == pytest.approx([0.15, 0], abs=1e-4)
    assert net.errors()[0] == pytest.approx(0, abs=1e-6)
    # A right answer at 0.9 against 0.05, 0.05 with 75 % right: 18^(1/T) = 0.75 / 0.125 = 6, T = ln 18 / ln 6.
    assert tree.median_temperature == pytest.approx(np.log(18) / np.log(6), abs=1e-3)
    # Every validation answer of the net is right: nothing keeps T from falling.
    assert two_models.lowest_temperature == min(net.temperatures) < 0.1
    assert [cell.label for cell in two_models.watched] == ["net"]


def test_no_model_is_ranked_by_its_calibration_error(two_models: DatasetCalibration) -> None:
    tree, net = two_models.models
    guess = replace(tree, cell=replace(tree.cell, model="guess"), scores=tree.scores.copy())
    # It answers with the share of each class: an error of 0, and the worst of the three Brier scores.
    guess.scores.loc["before", ["calibration_error", "brier_score"]] = [0.0, 0.67]
    three = replace(two_models, models=[guess, tree, net])
    assert three.by_brier_score == [net, tree, guess]
    text = render("calibration", calibration=three)
    # 90 % right at 0.015, 10 % wrong at 1.715.
    assert "net (0.185) has the lowest Brier score and guess (raw) (0.670) the highest" in text
    assert "lowest calibration error" not in text


def test_the_chapter_says_what_helps_and_what_hurts(two_models: DatasetCalibration) -> None:
    text = render("calibration", calibration=two_models)
    assert text.startswith("### Calibration")
    assert "temperature scaling helps tree (raw) and hurts net" in text
    assert "1.61 (1.61 to 1.61) |" in text
    assert "net saw the validation part in training" in text
    assert "A temperature below 0.1" in text
    assert "(figures/fruit-calibration.png)" in text


def test_the_figure_comes_with_its_numbers(two_models: DatasetCalibration, tmp_path: Path) -> None:
    draw_calibration(tmp_path, two_models)
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".svg", ".csv"}
    numbers = pd.read_csv(tmp_path / "fruit-calibration.csv")
    counts = numbers.groupby(["model", "calibration"])["count"].sum()
    assert len(counts) == 6  # two models, three states
    assert (counts == 2 * 400).all()
    before = numbers[(numbers["model"] == "tree (raw)") & (numbers["calibration"] == "before")]
    assert before[["confidence", "accuracy"]].to_numpy().tolist() == [[0.9, 0.75]]
