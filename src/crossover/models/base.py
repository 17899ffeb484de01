"""The contract of a model."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np

from crossover.core.errors import CrossoverError
from crossover.data.prepared import Input, Part, modality_set
from crossover.models.moments import Moment

Family = Literal["classical", "deep"]


@dataclass(frozen=True)
class Complexity:
    """How large a fitted model is, whatever its form on disk.

    Attributes:
        count: of `unit`.
        unit: "parameters" (weights that a fit finds), "nodes" (of trees, leaves included) or "stored values"
            (numbers of the training examples that are kept). Counts of different units do not compare.
    """

    count: int
    unit: Literal["parameters", "nodes", "stored values"]


@dataclass(frozen=True)
class FitHooks:
    """What a fit may use apart from its data.

    Attributes:
        checkpoints: a folder that survives a kill, where a fit that trains in epochs keeps its last state and
            resumes from it; None switches checkpoints off. The folder belongs to one configuration and
            seed, so a state found there always fits.
        on_epoch: called after each epoch (or boosting round) with its number from 0 and its metrics, whose keys
            are `train/loss`, `val/loss`, `val/accuracy`.
        keep_moments: whether a fit in epochs keeps what `Model.moments` returns.
    """

    checkpoints: Path | None = None
    on_epoch: Callable[[int, dict[str, float]], None] = lambda epoch, metrics: None
    keep_moments: bool = False


@dataclass(frozen=True)
class TrainingProblem:
    """Why a fit says little about what its model can do.

    Attributes:
        what: a clause that begins with "it" or "its".
        remedy: what to change in the model's YAML, as an override: "min_steps=1000"; empty where nothing is known.
    """

    what: str
    remedy: str = ""


class Model(ABC):
    """A classifier of either family, built from `conf/model/<name>.yaml`.

    A subclass takes explicit keyword-only arguments (never `**kwargs`), so that a misspelt key is an error.

    Attributes:
        family: "classical" models take features float32 (n, d); "deep" ones take the prepared input itself.
        modalities: the kinds of data set that the model takes.
        stochastic: whether the fit draws random numbers; one that does not is fitted once where its training
            part is the same in every repetition.
        selects: whether a validation part decides what is fitted (early stopping, selection of an epoch). Such a model
            is fitted on the whole training part as well, with what was decided: see `chosen`.
        device: where the last fit ran, for example "cpu" or "cuda: NVIDIA H200".
        seconds_before: of the last fit, what an earlier process had spent on it before this one went on.
        history: one entry an epoch of the last fit, as given to `FitHooks.on_epoch`; empty without epochs.
        problem: what went wrong with the last fit, such as that it ended too early; None where nothing is known. A fit
            in epochs needs a validation part to tell.
    """

    family: ClassVar[Family]
    modalities: frozenset[str]
    stochastic: bool
    selects: bool = False
    device: str = "cpu"
    seconds_before: float = 0.0

    def __init__(self, modalities: Iterable[str]) -> None:
        self.modalities = modality_set(modalities)
        self.history: list[dict[str, float]] = []
        self.problem: TrainingProblem | None = None

    @abstractmethod
    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:
        """Fit in place and return the model.

        Args:
            train: the training part (a pandas frame or memory-mapped array is not altered).
            val: the validation part of a model that selects by one, else None. A model that does not may be
                given one to watch: its epochs are reported to `hooks`, and the fit is the same as without it.
            seed: number of the repetition; the only source of randomness.
            hooks: checkpoints and progress.

        Raises:
            CrossoverError: the part has a single class, holds NaN that the model cannot take, or the device
                that the configuration names is not there.
        """

    def chosen(self) -> dict[str, Any]:
        """What the validation part decided in the last fit, such as the number of epochs.

        Keys of the model's YAML. With these values in place of its own, the model needs no validation part, and a fit
        on other rows goes as far as this one. Empty for a model that does not select.
        """
        return {}

    def moments(self) -> list[Moment]:
        """The model as it was after some of the epochs (or boosting rounds) of its last fit, by time.

        A model that selects its epoch has the best one up to then. Empty for a model that is not fitted in epochs, for
        a fit that was not asked to keep moments, and for one that resumed, whose clock is not the whole fit's.
        """
        return []

    def planned_epochs(self, n_train: int) -> int | None:
        """How many epochs (or boosting rounds) a fit on `n_train` examples plans to report to its hooks.

        None for a model that is not fitted in epochs.
        """
        return None

    def warm_up(self, train: Part) -> None:
        """Start lazy imports, thread pools and the device before a clock does: fit a copy on random numbers.

        Args:
            train: the training part, of which only the shape is used.
        """
        y = np.repeat(np.arange(train.n_classes), 8)
        if isinstance(train.X, np.ndarray):
            X: Input = np.random.default_rng(0).random((len(y), *train.X.shape[1:]), dtype=np.float32)
        else:
            from scipy.sparse import random as sparse_random

            density = min(1.0, 100 / train.X.shape[1])
            shape = (len(y), train.X.shape[1])
            X = sparse_random(*shape, density, "csr", np.float32, np.random.default_rng(0))
        part = Part(X, y, train.n_classes)
        copy.deepcopy(self).fit(part, part if self.selects else None, seed=0)

    @abstractmethod
    def predict_proba(self, X: Input) -> np.ndarray:
        """Class probabilities: float32 or float64 (n, n_classes), rows sum to 1."""

    @abstractmethod
    def complexity(self) -> Complexity:
        """The size of the fitted model, the same before and after `save` and `load`."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the fitted model into an existing empty folder, in a format that holds no code."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read a fitted model back; runs no code from the file.

        Raises:
            CrossoverError: a file is missing, is broken, or holds a type that is not trusted.
        """


def require_classes(part: Part, model: str) -> None:
    """Refuse a training part that a classifier cannot learn from.

    Raises:
        CrossoverError: the part is empty or holds a single class.
    """
    present = np.unique(part.y)
    if len(present) < 2:
        raise CrossoverError(
            f"{model} needs training examples of at least two classes, got {len(part)} examples of "
            f"class {present.tolist()}; check the data set's split and the size of the subset"
        )
