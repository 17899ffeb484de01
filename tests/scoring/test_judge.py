import numpy as np
import pytest
import torch
from sklearn import metrics
from torchmetrics.functional.classification import multiclass_calibration_error

from crossover.core.columns import METRICS
from crossover.core.errors import CrossoverError
from crossover.core.metric import SENSITIVITY
from crossover.scoring.judge import evaluate, reliability


def _random(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, k))
    y_true = np.array([rng.choice(k, p=p) for p in _softmax(1.5 * logits)])
    return y_true, _softmax(3 * logits)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def test_four_binary_predictions_by_hand() -> None:
    y_true = np.array([0, 0, 1, 1])
    proba = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.7, 0.3]])
    scores = evaluate(y_true, proba)
    assert list(scores) == METRICS
    assert scores["accuracy"] == 0.5
    assert scores["balanced_accuracy"] == 0.5
    assert scores["macro_f1"] == pytest.approx(0.5)
    assert scores["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.3]).mean())
    # Of the four pairs of a positive and a negative, 0.8 beats 0.1 and 0.6, 0.3 beats 0.1.
    assert scores["roc_auc"] == 0.75
    assert scores["brier_score"] == pytest.approx(2 * (0.01 + 0.36 + 0.04 + 0.49) / 4)
    # Confidences 0.9, 0.6, 0.8, 0.7 fall into four bins of one example each.
    assert scores["calibration_error"] == pytest.approx((0.1 + 0.6 + 0.2 + 0.7) / 4)


def test_three_classes_by_hand() -> None:
    y_true = np.array([0, 1, 2, 2])
    proba = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]])
    scores = evaluate(y_true, proba)
    assert scores["accuracy"] == 0.75
    assert scores["balanced_accuracy"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1 + 2 / 3) / 3)
    assert scores["brier_score"] == pytest.approx((3 * 0.06 + (0.64 + 0.01 + 0.81)) / 4)
    assert scores["calibration_error"] == pytest.approx(0.05)


@pytest.mark.parametrize("k", [2, 3, 10])
def test_agrees_with_scikit_learn(k: int) -> None:
    y_true, proba = _random(500, k)
    y_pred = proba.argmax(axis=1)
    scores = evaluate(y_true, proba)
    assert scores["accuracy"] == metrics.accuracy_score(y_true, y_pred)
    assert scores["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(y_true, y_pred))
    assert scores["macro_f1"] == pytest.approx(metrics.f1_score(y_true, y_pred, average="macro"))
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(y_true, proba))
    auc = metrics.roc_auc_score(y_true, proba[:, 1] if k == 2 else proba, multi_class="ovr")
    assert scores["roc_auc"] == pytest.approx(auc)
    assert scores["brier_score"] == pytest.approx(((proba - np.eye(k)[y_true]) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize("k", [2, 10])
def test_calibration_error_agrees_with_torchmetrics(k: int) -> None:
    y_true, proba = _random(2000, k)
    expected = multiclass_calibration_error(
        torch.tensor(proba), torch.tensor(y_true), num_classes=k, n_bins=15, norm="l1"
    )
    assert evaluate(y_true, proba)["calibration_error"] == pytest.approx(float(expected), abs=1e-6)


def test_a_confidence_on_an_edge_belongs_to_the_bin_below_it_in_any_precision() -> None:
    proba = np.array([[0.6, 0.4], [0.59, 0.41], [0.61, 0.39]])
    for dtype in (np.float32, np.float64):
        assert reliability(np.array([0, 0, 0]), proba.astype(dtype))["count"].tolist() == [2, 1]


def test_certain_and_right_is_perfect() -> None:
    y_true = np.array([0, 1, 2, 1])
    scores = evaluate(y_true, np.eye(3, dtype=np.float32)[y_true])
    assert scores == pytest.approx(
        {name: 0.0 if name in ("log_loss", "brier_score", "calibration_error") else 1.0 for name in METRICS}
    )


def test_certain_and_wrong_has_a_finite_log_loss() -> None:
    assert evaluate(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))["log_loss"] == pytest.approx(
        18.02, abs=0.01
    )


def test_a_class_without_examples_is_left_out_of_the_averages() -> None:
    y_true = np.array([0, 0, 2, 2])
    proba = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.1, 0.2, 0.7]])
    scores = evaluate(y_true, proba)
    assert scores["balanced_accuracy"] == 0.75
    assert scores["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert scores["roc_auc"] == 1.0
    assert np.isfinite(list(scores.values())).all()


def _sensitivity_by_brute_force(actual: np.ndarray, score: np.ndarray) -> float:
    """Every threshold is tried, and the best one kept that takes at most 5 % of the others for the class."""
    allowed = [t for t in [*score, np.inf] if 20 * (score[~actual] >= t).sum() <= (~actual).sum()]
    return max(float((score[actual] >= t).mean()) for t in allowed)


@pytest.mark.parametrize("decimals", [8, 1])  # continuous scores, and scores with many ties
@pytest.mark.parametrize("k", [2, 3, 10])
def test_sensitivity_at_95_specificity_is_the_best_threshold(k: int, decimals: int) -> None:
    for seed, n in enumerate([15, 60, 200]):  # 15 examples have fewer than 20 negatives
        y_true, proba = _random(n, k, seed)
        proba = np.round(proba, decimals) + 1e-3  # no row of zeros
        proba = np.round(proba / proba.sum(axis=1, keepdims=True), 12)
        present, counts = np.unique(y_true, return_counts=True)
        classes = present[-1:] if counts[-1] <= counts[0] else present[:1]
        expected = [
            _sensitivity_by_brute_force(y_true == j, proba[:, j]) for j in (classes if k == 2 else present)
        ]
        assert evaluate(y_true, proba)[SENSITIVITY] == pytest.approx(np.mean(expected)), (seed, n)


def _two_classes(negatives: list[float], positives: list[float]) -> dict[str, float]:
    of_one = np.array(negatives + positives)
    y_true = np.repeat([0, 1], [len(negatives), len(positives)])
    return evaluate(y_true, np.column_stack([1 - of_one, of_one]))


def test_sensitivity_at_95_specificity_by_hand() -> None:
    low, positives = [0.1] * 18, [0.85, 0.7, 0.7, 0.5]
    # One false positive in twenty: the threshold lies above the second highest negative.
    assert _two_classes([*low, 0.6, 0.8], positives)[SENSITIVITY] == 0.75
    # Of nineteen not even one.
    assert _two_classes([*low, 0.8], positives)[SENSITIVITY] == 0.25
    # Two negatives of equal score are both on one side, so neither is allowed; a positive of that score is lost.
    assert _two_classes([*low, 0.7, 0.7], positives)[SENSITIVITY] == 0.25


def test_a_model_that_scores_all_alike_finds_nothing_at_95_specificity() -> None:
    assert _two_classes([0.3] * 40, [0.3] * 10)[SENSITIVITY] == 0


def test_a_single_class_has_no_ranking_to_judge() -> None:
    scores = evaluate(np.array([1, 1]), np.array([[0.2, 0.8], [0.6, 0.4]]))
    assert np.isnan([scores.pop(name) for name in ("roc_auc", "average_precision", SENSITIVITY)]).all()
    assert np.isfinite(list(scores.values())).all()


def test_rows_that_nearly_sum_to_one_are_scaled() -> None:
    y_true, proba = _random(50, 4)
    assert evaluate(y_true, proba * 1.0005) == pytest.approx(evaluate(y_true, proba))


@pytest.mark.parametrize(
    ("y_true", "proba", "rule"),
    [
        ([0, 1], [[0.5, 0.5]], "shape"),
        ([], np.empty((0, 2)), "at least 1"),
        ([0], [[1.0]], "at least 2"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "from 0 to 1"),
        ([-1, 0], [[0.5, 0.5], [0.5, 0.5]], "from 0 to 1"),
        ([0.0, 0.5], [[0.5, 0.5], [0.5, 0.5]], "whole numbers"),
        ([0, 1], [[0.5, 0.5], [np.nan, 0.5]], "nan, 0.5] in row 1"),
        ([0, 1], [[0.5, 0.5], [0.5, np.inf]], "finite"),
        ([0, 1], [[0.5, 0.5], [0.6, 0.5]], "sum to 1 within 0.001"),
        ([0, 1], [[0.5, 0.5], [1.2, -0.2]], "not negative"),
    ],
)
def test_what_is_no_prediction_is_refused(y_true: list, proba: list, rule: str) -> None:
    with pytest.raises(CrossoverError, match=rule.replace("[", r"\[")):
        evaluate(
            np.array(y_true, dtype=np.int64 if not y_true or isinstance(y_true[0], int) else float),
            np.array(proba),
        )
