"""The metric of a data set, by which its models are chosen and compared, and its words."""

from typing import Final, Literal, get_args

Metric = Literal[
    "accuracy",
    "balanced_accuracy",
    "macro_f1",
    "rarest_f1",
    "roc_auc",
    "average_precision",
    "sensitivity_at_95_specificity",
]
"""Of `columns.METRICS`, those that can be the one: larger is better, 1 is perfect. `scoring.judge` defines them."""

ACCURACY: Final = "accuracy"
SENSITIVITY: Final = "sensitivity_at_95_specificity"

ALLOWED: tuple[Metric, ...] = get_args(Metric)

WORDS: dict[Metric, str] = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "rarest_f1": "F1 of the rarest class",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "sensitivity_at_95_specificity": "sensitivity at 95 % specificity",
}

MEAN_ERRORS: tuple[Metric, ...] = ("accuracy", "balanced_accuracy", "sensitivity_at_95_specificity")
"""Those of which 1 minus the value is an error rate, or a mean of the classes' error rates."""
