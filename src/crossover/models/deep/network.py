"""A network as a model of the study: the adapter between the prepared arrays and Lightning.

Lightning is imported by `fit` alone: predicting needs torch, and no more.
"""

import sys
from collections.abc import Iterable, Mapping
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import torch

from crossover.core.errors import CrossoverError
from crossover.data.prepared import Input, Part, modality_of, texts_of
from crossover.models.base import Complexity, Family, FitHooks, Model, TrainingProblem, require_classes
from crossover.models.convergence import problem_of
from crossover.models.deep.fitted import FittedFacts, FittedNetwork, takes, to_tensor
from crossover.models.deep.partials import checked_partial, from_spec, to_spec
from crossover.models.deep.randomness import WEIGHTS, stream
from crossover.models.deep.settings import EarlyStop, Monitor, Schedule, TrainingSettings, best_is
from crossover.models.deep.trainer import TrainerConfig
from crossover.models.deep.vocabulary import TextSettings, Vocabulary
from crossover.models.moments import Moment, MomentClock


class Network(Model):
    """A neural network trained by Lightning on images, encoded tables or texts.

    Args:
        modalities: the kinds of data set that the network takes.
        architecture: an `nn.Module` of this package without its `input_shape` and `n_classes`. One that also has an
            argument `categories` gets a table's categories as codes (`crossover.features.tables`), the others one
            column for each. One for texts has an argument `vocabulary`, how many words there are. One with a method
            `observe` is shown the inputs of the training part before it is trained; one with `parameter_groups` gives
            its parameters learning rates of their own.
        min_size: a smaller image is resized up to it, bilinearly; None keeps every image as it is.
        text: of a network for texts, how it reads them; see `TextSettings`.
        permutation_seed: seed of one random order in which every image's pixels are put; None leaves them in place.
        optimizer: a torch optimiser without its parameters and learning rate; Adam where None.
        learning_rate: of the optimiser; with `schedule: cosine` the first one, with `one_cycle` the highest.
        schedule: "constant"; "cosine": down to 0 over the whole fit; "one_cycle": up to the rate in its first 30 %
            and then down to 0 (Smith and Topin 2017), with torch's defaults; "coslog4": up and down four times, each
            wave twice as long as the one before (Holzmüller et al. 2024, arXiv 2407.04491).
        fade_regularization: whether dropout and weight decay fall from half of the fit on, as half a cosine, to 0
            (likewise).
        label_smoothing: share of a label's weight that all classes get alike, in the loss of the training.
        batch_size: examples a step.
        max_epochs: passes over the training part.
        min_steps: a small data set gets as many more epochs as these optimiser steps take.
        epochs: exactly so many, whatever `max_epochs`, `min_steps` and the trainer say; None leaves it to them.
        last_epoch: after so many epochs the fit ends, in the middle of its schedule; None for the whole of it.
        rate_drops: epochs, from 0, at whose start the learning rate falls to a tenth of what it was.
        early_stopping: None, or {"monitor": "val/loss", "patience": 3}; see `EarlyStop` for more.
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
        text: Mapping[str, int] | None = None,
        permutation_seed: int | None = None,
        optimizer: partial | None = None,
        learning_rate: float = 1e-3,
        schedule: Schedule = "constant",
        fade_regularization: bool = False,
        label_smoothing: float = 0.0,
        batch_size: int = 128,
        max_epochs: int = 5,
        min_steps: int = 0,
        epochs: int | None = None,
        last_epoch: int | None = None,
        rate_drops: Iterable[int] = (),
        early_stopping: EarlyStop | None = None,
        select_best: Monitor | None = None,
    ) -> None:
        super().__init__(modalities)
        later = ["input_shape", "n_classes"]
        if isinstance(architecture, partial):
            later += [name for name in ("categories", "vocabulary") if takes(architecture, name)]
        self.architecture = checked_partial("architecture", architecture, later=later)
        optimizer = partial(torch.optim.Adam) if optimizer is None else optimizer
        self.settings = TrainingSettings(
            min_size=min_size,
            text=None if text is None else TextSettings(**text),
            permutation_seed=permutation_seed,
            optimizer=checked_partial("optimizer", optimizer, later=["params", "lr"]),
            learning_rate=learning_rate,
            schedule=schedule,
            fade_regularization=fade_regularization,
            label_smoothing=label_smoothing,
            batch_size=batch_size,
            max_epochs=max_epochs,
            min_steps=min_steps,
            epochs=epochs,
            last_epoch=last_epoch,
            rate_drops=list(rate_drops),
            early_stopping=early_stopping,
            select_best=select_best,
        )
        self.selects = bool(self.settings.validation_monitors)
        self.trainer = TrainerConfig()
        self._fitted: FittedNetwork | None = None
        self._rate_drops: list[int] = []
        self._epochs_of_schedule = 0  # of the last fit
        self._moments: list[Moment] = []

    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:  # noqa: B008
        """See `Model.fit`. Weights, order and dropout depend on the seed alone; torch's own state is kept.

        `val` may be None where nothing is monitored on it.

        Raises:
            CrossoverError: also where the architecture does not suit the input, or the training diverges.
        """
        clock, name = MomentClock(), self.architecture.func.__name__
        require_classes(train, name)
        modality = modality_of(train.X)
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
        encoder, categories = self._encoder(train.X)
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
            categories=categories,
            vocabulary=len(encoder) if isinstance(encoder, Vocabulary) else 0,
        )
        # The weights are drawn on the CPU, the same for every device.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream(seed, WEIGHTS))
            network = facts.build(self.architecture)
        if observe := getattr(network[1], "observe", None):
            observe(tensors[0][0])
        from crossover.models.deep.training import train_network

        epochs, self._epochs_of_schedule = self.planned_epochs(len(train)), self._scheduled_epochs(len(train))
        trained = train_network(
            network,
            tensors,
            self.settings,
            trainer,
            epochs=epochs,
            of_schedule=self._epochs_of_schedule,
            seed=seed,
            hooks=hooks,
            clock=clock,
        )
        self.history, self._rate_drops = trained.history, trained.rate_drops
        self.seconds_before = trained.seconds_before
        self.problem = self._problem(epochs, len(train))
        self._fitted = FittedNetwork(facts, network, encoder)
        self.device = self._fitted.device
        self._moments = [
            Moment(share, partial(self._fitted.predict_with, weights))
            for share, weights in zip(clock.shares(), trained.kept, strict=True)
        ]
        return self

    def _encoder(self, X: Input) -> tuple[Any, list[int]]:
        """What makes numbers of texts or a table, if anything; and how many categories each column of codes has."""
        if modality_of(X) == "text":
            if self.settings.text is None:
                raise CrossoverError(
                    f"text must say how {self.architecture.func.__name__} reads texts, got null; see "
                    "conf/model/text_cnn.yaml"
                )
            return Vocabulary.of(texts_of(X), self.settings.text), []
        if not isinstance(X, pd.DataFrame):
            return None, []
        from crossover.features.tables import category_counts, refuse_infinite, table_encoder

        refuse_infinite(X)
        codes = takes(self.architecture, "categories")
        encoder = table_encoder(X, codes=codes).fit(X)
        return encoder, category_counts(encoder) if codes else []

    def moments(self) -> list[Moment]:
        return self._moments

    def planned_epochs(self, n_train: int) -> int:
        return min(self._scheduled_epochs(n_train), self.settings.last_epoch or sys.maxsize)

    def _scheduled_epochs(self, n_train: int) -> int:
        """Those of the whole schedule."""
        steps = ceil(n_train / self.settings.batch_size)  # of an epoch
        least = ceil(self.settings.min_steps / steps)
        return self.settings.epochs or self.trainer.max_epochs or max(self.settings.max_epochs, least)

    def chosen(self) -> dict[str, Any]:
        """The number of epochs up to the best one, and what the learning rate did in them.

        Without `select_best` the last epoch is the best one. Where a schedule ends with the fit, the best epoch came in
        the middle of it, and a fit on other rows ends there as well.
        """
        if not self.selects:
            return {}
        epochs, best = len(self.history), self.settings.select_best
        if best is not None:
            values = [entry[best] for entry in self.history]
            epochs = values.index(max(values) if best_is(best) == "max" else min(values)) + 1
        length: dict[str, Any] = {"epochs": epochs}
        if self.settings.schedule != "constant" or self.settings.fade_regularization:
            length = {"epochs": self._epochs_of_schedule, "last_epoch": epochs}
        return {
            **length,
            "rate_drops": [epoch for epoch in self._rate_drops if epoch < epochs],
            "early_stopping": None,
            "select_best": None,
        }

    def _problem(self, planned: int, n_train: int) -> TrainingProblem | None:
        """A schedule that ends at 0 makes every loss flat at the end, so that it tells nothing."""
        settings = self.settings
        steps = ceil(n_train / settings.batch_size)
        longer = f"min_steps={2 * planned * steps}"
        if settings.early_stopping is not None:
            if len(self.history) < planned or not self.selects:
                return None
            return TrainingProblem(f"its {planned} epochs ended before early stopping did", longer)
        losses = [entry["val/loss"] for entry in self.history if "val/loss" in entry]
        if settings.schedule != "constant":
            return None
        return problem_of(losses, "epochs", longer, None if settings.select_best else "select_best=val/loss")

    def warm_up(self, train: Part) -> None:
        """Import Lightning and run a few epochs of two batches on random examples of the training part's shape.

        Whole batches, since the first fit of a process was seen to take 1.5 times as long as the next ones after
        a warm-up on a few examples.
        """
        y = np.arange(2 * max(self.settings.batch_size, train.n_classes)) % train.n_classes
        shape = (len(y), *train.X.shape[1:])
        X: Input = np.random.default_rng(0).integers(0, 2, shape, dtype=np.uint8)
        if self.settings.text is not None and modality_of(train.X) == "text":
            typical = int(np.median([len(text.split()) for text in texts_of(train.X)[:200]])) + 1
            X = np.array([f"{'a b ' * typical}" for _ in y], dtype=object)
        if isinstance(train.X, pd.DataFrame):
            X = pd.DataFrame(X, columns=train.X.columns, dtype=float)
        copy = Network(
            modalities=self.modalities, architecture=self.architecture, min_size=self.settings.min_size
        )  # how it is trained follows
        copy.trainer = self.trainer
        copy.settings = self.settings.model_copy(update={"epochs": 3})
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
