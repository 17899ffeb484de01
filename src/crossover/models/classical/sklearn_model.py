"""Any scikit-learn classifier as a model: a new one is a YAML file and no Python."""

import inspect
import logging
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from crossover.core.errors import CrossoverError
from crossover.core.skops_io import dump, load
from crossover.data.prepared import Input, Part
from crossover.models.base import Complexity, Family, FitHooks, Model, TrainingProblem, require_classes
from crossover.models.classical.common import expand, refusals_as, refuse_infinity
from crossover.models.classical.complexity import complexity_of

log = logging.getLogger(__name__)


class SklearnClassifier(Model):
    """A scikit-learn classifier with `predict_proba`.

    Args:
        estimator: the unfitted classifier, or a pipeline that ends in one. Every `random_state` in it is set
            from the seed of the repetition.
        modalities: the kinds of data set that it takes.
        stochastic: whether its fit draws random numbers.
        standardize: whether features are scaled to mean 0 and variance 1 of the training part first. Sparse ones are
            not, since they would no longer be sparse, and those of words are weighted already.

    Raises:
        CrossoverError: `estimator` is no classifier, gives no probabilities, or has true or 10^27 for a number.
    """

    family: ClassVar[Family] = "classical"

    def __init__(
        self,
        *,
        estimator: BaseEstimator,
        modalities: Iterable[str],
        stochastic: bool,
        standardize: bool = False,
    ) -> None:
        super().__init__(modalities)
        last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
        self.name = type(last).__name__
        if not is_classifier(estimator) or not hasattr(estimator, "predict_proba"):
            raise CrossoverError(
                f"estimator must be a scikit-learn classifier with predict_proba, got {self.name}; "
                "choose another class or an option that gives it probabilities"
            )
        _refuse_odd_integers(estimator)
        self.stochastic = stochastic
        self.standardize = standardize
        self._estimator = estimator
        self._classes = np.empty(0, dtype=np.int64)
        self._n_classes = 0

    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:  # noqa: B008
        require_classes(train, self.name)
        estimator = clone(self._estimator)
        _set_everywhere(estimator, "random_state", seed)
        scaled = self.standardize and not issparse(train.X)
        fresh = make_pipeline(StandardScaler(), estimator) if scaled else estimator
        self._classes, labels = np.unique(train.y, return_inverse=True)
        with (
            refusals_as(f"{self.name} cannot be fitted"),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always", ConvergenceWarning)
            if get_tags(estimator).input_tags.allow_nan:  # the others refuse infinity by themselves
                refuse_infinity(train.X)
            self._fitted = fresh.fit(train.X, labels)
        # What scikit-learn warns of, such as a fit that did not converge, is one line each in the log.
        lines = dict.fromkeys(
            str(warning.message).strip().splitlines()[0].rstrip(":. ") for warning in caught
        )
        self.problem = None
        for line in lines:
            log.warning("%s: %s", self.name, line)
            steps = getattr(self._estimator, "max_iter", None)
            remedy = f"estimator.max_iter={2 * steps}" if steps else ""
            self.problem = TrainingProblem(f"it did not converge ({line})", remedy)
        # Threads of a forest add up the trees' votes in the order in which they finish, and a sum of floats
        # depends on its order: with one thread, equal models predict equal bits.
        _set_everywhere(self._fitted, "n_jobs", 1)
        self._n_classes = train.n_classes
        return self

    def predict_proba(self, X: Input) -> np.ndarray:
        with refusals_as(f"{self.name} cannot predict"):
            return expand(self._fitted.predict_proba(X), self._classes, self._n_classes)

    def complexity(self) -> Complexity:
        return complexity_of(self._fitted)

    def save(self, folder: Path) -> None:
        state = {
            "fitted": self._fitted,
            "classes": self._classes,
            "n_classes": self._n_classes,
            "modalities": sorted(self.modalities),
            "stochastic": self.stochastic,
            "standardize": self.standardize,
        }
        dump(state, folder / "model.skops")

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = load(folder / "model.skops")
        model = cls(
            estimator=state["fitted"][-1] if isinstance(state["fitted"], Pipeline) else state["fitted"],
            modalities=state["modalities"],
            stochastic=state["stochastic"],
            standardize=state["standardize"],
        )
        model._fitted = state["fitted"]
        model._classes, model._n_classes = state["classes"], state["n_classes"]
        return model


def _set_everywhere(estimator: BaseEstimator, parameter: str, value: int) -> None:
    """Set a parameter of the estimator and of each one nested in it."""
    names = [name for name in estimator.get_params() if name.rsplit("__", 1)[-1] == parameter]
    estimator.set_params(**dict.fromkeys(names, value))


def _refuse_odd_integers(estimator: BaseEstimator) -> None:
    """scikit-learn takes true for 1, and would make trees for ever.

    Raises:
        CrossoverError: a parameter that is a number by default is true or false, or an integer has over 31 bits.
    """
    defaults = {name: one.default for name, one in inspect.signature(type(estimator)).parameters.items()}
    for name, value in estimator.get_params(deep=False).items():
        if isinstance(value, BaseEstimator):
            _refuse_odd_integers(value)
        default = defaults.get(name)
        if isinstance(value, bool) and isinstance(default, int | float) and not isinstance(default, bool):
            raise CrossoverError(f"estimator.{name} must be a number, got {str(value).lower()}")
        if isinstance(value, int) and abs(value) >= 2**31:
            raise CrossoverError(f"estimator.{name} must be an integer of at most 31 bits, got {value}")
