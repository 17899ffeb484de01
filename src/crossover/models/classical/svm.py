"""A support vector machine with an RBF kernel, principal components before it and calibration behind it."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from joblib import parallel_config
from pydantic import Field, PositiveInt
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from crossover.core.settings import checked
from crossover.core.skops_io import dump, load
from crossover.data.prepared import Input, Part
from crossover.models.base import Complexity, Family, FitHooks, Model, require_classes
from crossover.models.classical.common import expand, refusals_as
from crossover.models.classical.complexity import complexity_of

log = logging.getLogger(__name__)

CACHE_MB = 1000
"""Kernel cache of one fit. libsvm's default of 200 MB holds 1 % of the rows of MNIST's kernel matrix."""


class SupportVectorMachine(Model):
    """RBF support vector classification.

    The most probable class is always the machine's own decision: temperature scaling (Guo et al. 2017)
    divides the decision values by one number, found on cross-validated decision values of the training part.

    Args:
        modalities: the kinds of data set that it takes.
        C: weight of a misclassified example.
        gamma: width of the kernel, "scale", "auto" or a number.
        pca_components: principal components at most, fewer where the data have fewer; None is no PCA.
        standardize: whether features are scaled to mean 0 and variance 1 of the training part first.
        calibration_folds: folds of the cross-validation behind the probabilities, fewer where a class has
            fewer examples. A class with one example leaves the decision values as they are.

    Raises:
        ValidationError: an argument is of another type, or a count is too small.
    """

    family: ClassVar[Family] = "classical"
    stochastic = False

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        C: int | float,
        gamma: int | float | Literal["scale", "auto"],
        pca_components: PositiveInt | None,
        standardize: bool,
        calibration_folds: Annotated[int, Field(ge=2)],
    ) -> None:
        super().__init__(modalities)
        self.C, self.gamma = C, gamma
        self.pca_components = pca_components
        self.standardize = standardize
        self.calibration_folds = calibration_folds
        self._classes = np.empty(0, dtype=np.int64)
        self._n_classes = 0

    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:  # noqa: B008
        require_classes(train, "svm")
        self._classes, labels = np.unique(train.y, return_inverse=True)
        steps = [StandardScaler()] if self.standardize else []
        if self.pca_components is not None:
            components = min(self.pca_components, *train.X.shape)
            # Exact, where PCA's default may draw random vectors; fast up to some thousand columns.
            steps.append(PCA(components, svd_solver="covariance_eigh"))
        # break_ties makes `predict` the argmax of the decision values, which calibration then keeps.
        svc = SVC(
            C=self.C, gamma=self.gamma, decision_function_shape="ovr", break_ties=True, cache_size=CACHE_MB
        )
        smallest = int(np.unique(labels, return_counts=True)[1].min())
        if smallest < 2:
            log.warning("svm: a class has a single example, so its probabilities are not calibrated")
            steps.append(svc)
        else:
            folds = StratifiedKFold(min(self.calibration_folds, smallest), shuffle=True, random_state=0)
            steps.append(
                CalibratedClassifierCV(svc, method="temperature", cv=folds, ensemble=False, n_jobs=-1)
            )
        # libsvm releases Python's lock, so threads fit the folds side by side without a copy of the data.
        with refusals_as("svm cannot be fitted"), parallel_config("threading"):
            self._machine = make_pipeline(*steps).fit(train.X, labels)
        if isinstance(self._machine[-1], CalibratedClassifierCV):
            self._machine[-1].cv = None  # no longer needed, and a stored model holds trusted types alone
        self._n_classes = train.n_classes
        return self

    def predict_proba(self, X: Input) -> np.ndarray:
        with refusals_as("svm cannot predict"):
            if isinstance(self._machine[-1], CalibratedClassifierCV):
                proba = self._machine.predict_proba(X)
            else:  # calibration was impossible
                decision = self._machine.decision_function(X)
                if decision.ndim == 1:  # of two classes, as in scikit-learn's temperature scaling
                    decision = np.stack([-decision, decision], axis=1)  # (n,) -> (n, 2)
                proba = softmax(decision, axis=1)
            return expand(proba, self._classes, self._n_classes)

    def complexity(self) -> Complexity:
        """Numbers in support vectors, their weights and the principal components."""
        return complexity_of(self._machine)

    def save(self, folder: Path) -> None:
        state = {
            "machine": self._machine,
            "classes": self._classes,
            "n_classes": self._n_classes,
            "settings": {
                "modalities": sorted(self.modalities),
                "C": self.C,
                "gamma": self.gamma,
                "pca_components": self.pca_components,
                "standardize": self.standardize,
                "calibration_folds": self.calibration_folds,
            },
        }
        dump(state, folder / "model.skops")

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = load(folder / "model.skops")
        model = cls(**state["settings"])
        model._machine = state["machine"]
        model._classes, model._n_classes = state["classes"], state["n_classes"]
        return model
