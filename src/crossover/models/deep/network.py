"""A network as a model of the study: the adapter between the prepared arrays and Lightning.

Lightning is imported by `fit` alone: predicting needs torch, and no more.
"""

from collections.abc import Iterable
from functools import partial
from math import ceil
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import torch

from crossover.core.errors import CrossoverError
from crossover.data.prepared import Input, Part
from crossover.models.base import Complexity, Family, FitHooks, Model, require_classes
from crossover.models.deep.fitted import FittedFacts, FittedNetwork, to_tensor
from crossover.models.deep.partials import checked_partial, from_spec, to_spec
from crossover.models.deep.randomness import WEIGHTS, stream
from crossover.models.deep.settings import EarlyStop, Monitor, Schedule, TrainingSettings
from crossover.models.deep.trainer import TrainerConfig


class Network(Model):
    """A neural network trained by Lightning on images or encoded tables.

    Args:
        modalities: the kinds of data set that the network takes.
        architecture: an `nn.Module` of this package without its `input_shape` and `n_classes`.
        min_size: a smaller image is resized up to it, bilinearly; None keeps every image as it is.
        permutation_seed: seed of one random order in which every image's pixels are put; None leaves them in place.
        optimizer: a torch optimiser without its parameters and learning rate; Adam where None.
        learning_rate: of the optimiser; with `schedule: cosine` the first one.
        schedule: "constant", or "cosine": down to 0 over the whole fit.
        batch_size: examples a step.
        max_epochs: passes over the training part.
        min_steps: a small data set gets as many more epochs as these optimiser steps take.
        early_stopping: None, or {"monitor": "val/loss", "patience": 3}.
        select_best: None for the last epoch's weights, or the metric whose best epoch gives them.

    Attributes:
        trainer: device and precision of the next fit.

    Raises:
        CrossoverError: `architecture` or `optimizer` is refused.
        ValidationError: another argument is.
    """

    family: ClassVar[Family] = "deep"
    stochastic = True

    def __init__(
        self,
        *,
        modalities: Iterable[str],
        architecture: partial,
        min_size: int | None,
        permutation_seed: int | None = None,
        optimizer: partial | None = None,
        learning_rate: float = 1e-3,
        schedule: Schedule = "constant",
        batch_size: int = 128,
        max_epochs: int = 5,
        min_steps: int = 0,
        early_stopping: EarlyStop | None = None,
        select_best: Monitor | None = None,
    ) -> None:
        super().__init__(modalities)
        self.architecture = checked_partial("architecture", architecture, later=["input_shape", "n_classes"])
        optimizer = partial(torch.optim.Adam) if optimizer is None else optimizer
        self.settings = TrainingSettings(
            min_size=min_size,
            permutation_seed=permutation_seed,
            optimizer=checked_partial("optimizer", optimizer, later=["params", "lr"]),
            learning_rate=learning_rate,
            schedule=schedule,
            batch_size=batch_size,
            max_epochs=max_epochs,
            min_steps=min_steps,
            early_stopping=early_stopping,
            select_best=select_best,
        )
        self.selects = bool(self.settings.validation_monitors)
        self.trainer = TrainerConfig()
        self._fitted: FittedNetwork | None = None

    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:  # noqa: B008
        """See `Model.fit`. Weights, order and dropout depend on the seed alone; torch's own state is kept.

        `val` may be None where nothing is monitored on it.

        Raises:
            CrossoverError: also where the architecture does not suit the input, or the training diverges.
        """
        name = self.architecture.func.__name__
        require_classes(train, name)
        modality = "table" if isinstance(train.X, pd.DataFrame) else "image"
        if modality not in self.modalities:
            raise CrossoverError(
                f"{name} takes {' and '.join(sorted(self.modalities))} data, got {modality} data"
            )
        if self.selects and not val:
            raise CrossoverError(
                f"{self.settings.validation_monitors[0]} needs a validation part, and the fit has none; "
                "monitor train/loss"
            )
        trainer = self.trainer.resolved()
        encoder = None
        if isinstance(train.X, pd.DataFrame):
            from crossover.features.tables import refuse_infinite, table_encoder

            refuse_infinite(train.X)
            encoder = table_encoder(train.X).fit(train.X)
        tensors = [(to_tensor(part.X, encoder), torch.from_numpy(part.y)) for part in (train, val) if part]
        facts = FittedFacts(
            architecture=to_spec(self.architecture),
            modalities=sorted(self.modalities),
            min_size=self.settings.min_size,
            permutation_seed=self.settings.permutation_seed,
            input_shape=list(tensors[0][0].shape[1:]),
            n_classes=train.n_classes,
            value_max=train.value_max,
            fitted_on="cuda" if trainer.accelerator == "gpu" else "cpu",
        )
        # The weights are drawn on the CPU, the same for every device.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream(seed, WEIGHTS))
            network = facts.build(self.architecture)
        from crossover.models.deep.training import train_network

        epochs = self.planned_epochs(len(train))
        self.history = train_network(
            network, tensors, self.settings, trainer, epochs=epochs, seed=seed, hooks=hooks
        )
        self._fitted = FittedNetwork(facts, network, encoder)
        self.device = self._fitted.device
        return self

    def planned_epochs(self, n_train: int) -> int:
        steps = ceil(n_train / self.settings.batch_size)  # of an epoch
        return self.trainer.max_epochs or max(self.settings.max_epochs, ceil(self.settings.min_steps / steps))

    def warm_up(self, train: Part) -> None:
        """Import Lightning and run a few epochs of two batches on random examples of the training part's shape.

        Whole batches, since the first fit of a process was seen to take 1.5 times as long as the next ones after
        a warm-up on a few examples.
        """
        y = np.arange(2 * max(self.settings.batch_size, train.n_classes)) % train.n_classes
        shape = (len(y), *train.X.shape[1:])
        X: Input = np.random.default_rng(0).integers(0, 2, shape, dtype=np.uint8)
        if isinstance(train.X, pd.DataFrame):
            X = pd.DataFrame(X, columns=train.X.columns, dtype=float)
        copy = Network(
            modalities=self.modalities, architecture=self.architecture, min_size=self.settings.min_size
        )
        copy.trainer = self.trainer
        copy.settings = self.settings.model_copy(update={"max_epochs": 3, "min_steps": 0})
        part = Part(X, y, train.n_classes)
        copy.fit(part, part, seed=0).predict_proba(part.X)

    def predict_proba(self, X: Input) -> np.ndarray:
        """Softmax of the logits, float32 (n, n_classes), on a device of the kind that it was fitted on.

        Raises:
            CrossoverError: the model is not fitted, or the input is not of the shape that it was fitted on.
        """
        return self._require_fitted().predict_proba(X)

    def complexity(self) -> Complexity:
        """Trainable weights.

        Raises:
            CrossoverError: the model is not fitted.
        """
        weights = self._require_fitted().network.parameters()
        return Complexity(sum(weight.numel() for weight in weights if weight.requires_grad), "parameters")

    def save(self, folder: Path) -> None:
        """Write the fitted network; see `crossover.models.deep.fitted` for the files."""
        self._require_fitted().save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a network that predicts; its training settings are not restored."""
        fitted = FittedNetwork.load(folder)
        facts = fitted.facts
        architecture = from_spec(facts.architecture, str(folder))
        model = cls(
            modalities=facts.modalities,
            architecture=architecture,
            min_size=facts.min_size,
            permutation_seed=facts.permutation_seed,
        )
        model._fitted = fitted
        model.device = fitted.device
        return model

    def _require_fitted(self) -> FittedNetwork:
        if self._fitted is None:
            raise CrossoverError(
                "a network must be fitted before it predicts or is saved; call fit, or load one"
            )
        return self._fitted
