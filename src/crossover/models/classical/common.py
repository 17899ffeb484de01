"""What the classical adapters share."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from scipy.sparse import issparse

from crossover.core.errors import CrossoverError
from crossover.data.prepared import Input

_XGBOOST_PREFIX = re.compile(
    r"^\[[\d:]+\] \S+: (Check failed: .* : )?"
)  # "[12:00:00] file.cc:29: Check failed: … : "


def expand(proba: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Probabilities of all classes of a data set from those of the classes that were fitted.

    The adapters number the classes of a training part 0 .. k-1: XGBoost and scikit-learn's temperature
    scaling want no gap, and a small subset may lack a class.

    Args:
        proba: float (n, len(classes)).
        classes: int (len(classes),), the class behind each column.
        n_classes: classes of the data set.

    Returns:
        float (n, n_classes), probability 0 for a class that had no training example.
    """
    if len(classes) == n_classes:
        return proba
    full = np.zeros((len(proba), n_classes), dtype=proba.dtype)
    full[:, classes] = proba
    return full


def refuse_infinity(X: Input) -> None:
    """Raise a ValueError, as scikit-learn does, for libraries that put infinity into the highest bin."""
    if np.isinf(X.data if issparse(X) else np.asarray(X)).any():
        raise ValueError("Input X contains infinity or a value too large for float32")


@contextmanager
def refusals_as(activity: str) -> Iterator[None]:
    """Turn a library's refusal of a value or of the data into one sentence.

    scikit-learn and XGBoost check their parameters and their input when they fit, and raise a ValueError
    whose first line states the rule and the value; further lines are general advice.

    Args:
        activity: what was going on, for example "RandomForestClassifier cannot be fitted".

    Raises:
        CrossoverError: in place of the library's ValueError.
    """
    try:
        yield
    except ValueError as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        rule = _XGBOOST_PREFIX.sub("", lines[0]).rstrip(".").replace(". Got", ", got")
        raise CrossoverError(
            f"{activity}: {rule}; correct the model's YAML in conf/model/, its override, or the features"
        ) from error
