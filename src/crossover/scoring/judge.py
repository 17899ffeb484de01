"""The one judge: every model of every family is scored here, from its class probabilities alone."""

from fractions import Fraction
from math import floor

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    recall_score,
    roc_auc_score,
)

from crossover.core.columns import METRICS
from crossover.core.errors import CrossoverError

FALSE_POSITIVE_RATE = Fraction(1, 20)
"""Of `sensitivity_at_95_specificity`: the specificity is 1 minus it. A fraction, so that of 20 examples it is one."""

CALIBRATION_BINS = 15  # as Guo et al. (2017) have it
_SUM_TOLERANCE = 1e-3  # rows of float32 probabilities over some hundred classes sum to 1 well within this


def evaluate(y_true: np.ndarray, proba: np.ndarray) -> dict[str, float]:
    """Score class probabilities against labels.

    The predicted class is the one of highest probability, the first of equals. Classes that `y_true` lacks
    are left out of the averages over classes.

    - `accuracy`, `balanced_accuracy` (mean recall), `macro_f1`: of the predicted class.
    - `rarest_f1`: F1 of the class that is rarest in `y_true`, of equally rare ones the last.
    - `log_loss`: mean negative logarithm of the true class's probability in nats, kept off zero by the
      spacing of float64 (scikit-learn's convention): a certain and wrong prediction costs 36.
    - `roc_auc`: two classes: of the second one; more: one class against the rest, unweighted mean; NaN where
      `y_true` holds a single class.
    - `average_precision`: the area under the steps of precision against recall. Two classes: of the rarer one in
      `y_true`, of equally many the second one; more: one class against the rest, unweighted mean; NaN where `y_true`
      holds a single class.
    - `sensitivity_at_95_specificity`: the largest share of a class that a threshold on its probability finds, if it
      takes at most 5 % of the other examples for the class; examples of equal probability are on the same side. Of
      the classes, and NaN, as `average_precision`. With fewer than 20 other examples, it may take none of them.
    - `brier_score`: squared distance between probabilities and the one-hot label, summed over classes, mean
      over examples: 0 to 2, also for two classes (Brier 1950, Monthly Weather Review 78).
    - `calibration_error`: expected calibration error, the mean distance between confidence and accuracy over
      15 equally wide bins of the predicted class's probability, weighted by their counts (Guo et al. 2017,
      On Calibration of Modern Neural Networks).

    Args:
        y_true: int64 (n,), classes 0 .. k - 1.
        proba: float (n, k), k at least 2; rows are scaled to sum to exactly 1.

    Returns:
        one number for each name of `columns.METRICS`, in that order.

    Raises:
        CrossoverError: shapes disagree, a label is no class, or a row is no distribution.
    """
    y_true, proba = checked(y_true, proba)
    y_pred, classes, present = proba.argmax(axis=1), np.arange(proba.shape[1]), np.unique(y_true)
    average_precision = sensitivity = np.nan
    if len(present) > 1:
        detected = detected_classes(y_true, len(classes))
        average_precision = average_precision_score(
            y_true[:, None] == detected, proba[:, detected], average="macro"
        )
        sensitivity = np.mean(
            [(proba[y_true == k, k] > threshold(proba[y_true != k, k])).mean() for k in detected]
        )
    if len(present) < 2:
        roc_auc = np.nan
    elif len(classes) == 2:
        roc_auc = roc_auc_score(y_true, proba[:, 1])
    else:
        roc_auc = roc_auc_score(y_true[:, None] == present, proba[:, present], average="macro")
    bins = reliability(y_true, proba)
    scores = {
        "accuracy": accuracy_score(y_true, y_pred),
        "balanced_accuracy": recall_score(y_true, y_pred, labels=present, average="macro"),
        "macro_f1": f1_score(y_true, y_pred, labels=present, average="macro"),
        "rarest_f1": f1_score(y_true, y_pred, labels=[rarest_class(y_true)], average="macro"),
        "log_loss": log_loss(y_true, proba, labels=classes),
        "roc_auc": roc_auc,
        "average_precision": average_precision,
        "sensitivity_at_95_specificity": sensitivity,
        "brier_score": brier_score_loss(y_true, proba, labels=classes, scale_by_half=False),
        "calibration_error": np.average((bins["accuracy"] - bins["confidence"]).abs(), weights=bins["count"]),
    }
    return {name: float(scores[name]) for name in METRICS}


def reliability(y_true: np.ndarray, proba: np.ndarray) -> pd.DataFrame:
    """Confidence and accuracy in equally wide bins of the predicted class's probability (Guo et al. 2017).

    Args:
        y_true: int64 (n,).
        proba: float (n, k), rows sum to 1.

    Returns:
        one row for each bin that holds an example: `confidence` and `accuracy` (means), `count`.
    """
    confidence = proba.max(axis=1).astype(np.float64)
    correct = proba.argmax(axis=1) == y_true
    # A vote of 3 among 5 neighbours lies on an edge and belongs to the bin below it, (0.533, 0.6]; rounding
    # keeps the last digit of a float32 from deciding that.
    bins = np.ceil(np.round(confidence * CALIBRATION_BINS, 5)).astype(int).clip(1, CALIBRATION_BINS)
    table = pd.DataFrame({"bin": bins, "confidence": confidence, "accuracy": correct})
    grouped = table.groupby("bin").agg(
        confidence=("confidence", "mean"), accuracy=("accuracy", "mean"), count=("accuracy", "size")
    )
    return grouped.reset_index(drop=True)


def rarest_class(y_true: np.ndarray) -> int:
    """The class with the fewest examples, of equally rare ones the last."""
    present, counts = np.unique(y_true, return_counts=True)
    return int(present[len(counts) - 1 - counts[::-1].argmin()])


def detected_classes(y_true: np.ndarray, n_classes: int) -> np.ndarray:
    """The classes that are to be found among the others: of two the rarer one, of more all."""
    return np.unique(y_true) if n_classes > 2 else np.array([rarest_class(y_true)])


def threshold(negatives: np.ndarray) -> float:
    """The score that an example must exceed to be called positive, the lowest with at most 5 % false positives.

    It is the highest score of a negative that would be one too many, so examples of equal score are on the same side.

    Args:
        negatives: float (n,), the scores of the examples that are not of the class, at least one.
    """
    too_many = len(negatives) - 1 - floor(FALSE_POSITIVE_RATE * len(negatives))
    return float(np.partition(negatives, too_many)[too_many])


def checked(y_true: np.ndarray, proba: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The labels and the float64 probabilities, rows scaled to sum to 1.

    Raises:
        CrossoverError: as of `evaluate`.
    """
    y_true, proba = np.asarray(y_true), np.asarray(proba, dtype=np.float64)
    if proba.ndim != 2 or proba.shape[1] < 2 or y_true.shape != proba.shape[:1] or len(y_true) == 0:
        raise CrossoverError(
            "scoring needs labels of shape (n,) and probabilities of shape (n, classes), n at least 1 and "
            f"classes at least 2, got {y_true.shape} and {proba.shape}; check the model's predict_proba"
        )
    if not np.issubdtype(y_true.dtype, np.integer) or not np.isin(y_true, np.arange(proba.shape[1])).all():
        raise CrossoverError(
            f"labels must be whole numbers from 0 to {proba.shape[1] - 1}, one for each column of the "
            f"probabilities, got {y_true.dtype} with {np.unique(y_true)[[0, -1]].tolist()} at the ends; "
            "check that the model knows every class of the data set"
        )
    sums = proba.sum(axis=1)
    wrong = ~(
        np.isfinite(proba).all(axis=1) & (proba >= 0).all(axis=1) & (np.abs(sums - 1) <= _SUM_TOLERANCE)
    )
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise CrossoverError(
            f"each row of probabilities must be finite, not negative, and sum to 1 within {_SUM_TOLERANCE}, "
            f"got {np.round(proba[row], 4).tolist()} in row {row} ({wrong.sum()} such rows); "
            "check the model's predict_proba"
        )
    return y_true, proba / sums[:, None]
