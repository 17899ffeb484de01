"""Temperature scaling and isotonic regression of finished class probabilities, by scikit-learn.

This module loads scikit-learn, which the comparison needs for nothing else: import it where probabilities are
calibrated, not at the top of a module of the report.
"""

from typing import Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV

Method = Literal["temperature", "isotonic"]


class Calibrator:
    """A map from class probabilities to better ones, fitted on examples that the model was not fitted on.

    - "temperature" divides the logarithms of the probabilities by one number T, chosen for the lowest log loss
      (Guo et al. 2017). T above 1 takes confidence away; the most probable class stays the same. A probability
      of 0 counts as 1e-12.
    - "isotonic" replaces the probability of each class by a step function of it that never falls, fitted by least
      squares, one class against the rest, and scales each row to sum to 1 (Zadrozny and Elkan 2002). The most
      probable class may change. With two classes there is one such function.

    A class without an example gets probability 0 from isotonic regression.

    Args:
        method: which of the two.
        proba: float (n, k), rows sum to 1 but for rounding.
        y: int64 (n,), classes 0 .. k - 1, of which some may be missing.
    """

    def __init__(self, method: Method, proba: np.ndarray, y: np.ndarray):
        n, k = proba.shape
        # scikit-learn knows the classes that it is shown: a row of no weight shows it each of them.
        rows = np.vstack([scaled(proba), np.eye(k)])
        labels, weights = np.append(y, np.arange(k)), np.append(np.ones(n), np.zeros(k))
        every = np.arange(n + k)  # _Given learns nothing, so the one fold may train and test on every row
        calibrated = CalibratedClassifierCV(_Given(), method=method, ensemble=False, cv=[(every, every)])
        self._calibrated = calibrated.fit(rows, labels, sample_weight=weights)

    def __call__(self, proba: np.ndarray) -> np.ndarray:
        """Calibrate float (n, k); returns float64 (n, k), rows sum to 1."""
        return scaled(self._calibrated.predict_proba(scaled(proba)))

    @property
    def temperature(self) -> float:
        """T of temperature scaling."""
        return float(1 / self._calibrated.calibrated_classifiers_[0].calibrators[0].beta_)


class _Given(ClassifierMixin, BaseEstimator):
    """A classifier whose input is its own output."""

    def fit(self, proba: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Self:
        self.classes_ = np.arange(proba.shape[1])
        return self

    def predict_proba(self, proba: np.ndarray) -> np.ndarray:
        return proba

    def predict(self, proba: np.ndarray) -> np.ndarray:  # scikit-learn asks that there is one
        return proba.argmax(axis=1)


def scaled(proba: np.ndarray) -> np.ndarray:
    """float64 whose rows sum to 1 closely enough for scikit-learn to see that they are probabilities."""
    proba = np.asarray(proba, dtype=np.float64)
    return proba / proba.sum(axis=1, keepdims=True)
