"""How a network is trained."""

from functools import partial
from math import ceil
from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    InstanceOf,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from crossover.core.settings import Settings
from crossover.models.deep.vocabulary import TextSettings

Monitor = Literal["train/loss", "train/accuracy", "val/loss", "val/accuracy"]
Schedule = Literal["constant", "cosine", "one_cycle", "coslog4"]

RATE_DROP = 0.1
"""What a learning rate is multiplied by where it falls: the usual step, as in ResNet's schedule (He et al. 2016)."""


def best_is(monitor: str) -> str:
    """Whether the best value of a metric is its "min" or its "max"."""
    return "max" if monitor.endswith("accuracy") else "min"


class EarlyStop(Settings):
    """Lower the learning rate, or end the fit, when a metric has not improved.

    Attributes:
        monitor: the metric.
        patience: epochs without a better value before that happens.
        patience_steps: a small data set gets as many more epochs of patience as these optimiser steps take.
        min_delta: a value counts as better where it is better by more than this.
        rate_drops: how often the rate falls to a tenth and the fit goes on, before it ends.
    """

    monitor: Monitor
    patience: PositiveInt
    patience_steps: NonNegativeInt = 0
    min_delta: NonNegativeFloat = 0.0
    rate_drops: NonNegativeInt = 0

    def patient_epochs(self, steps_of_an_epoch: int) -> int:
        """Epochs without a better value before something happens."""
        return max(self.patience, ceil(self.patience_steps / steps_of_an_epoch))


class TrainingSettings(Settings):
    """The part of a network's YAML that is not its architecture; `Network` explains the attributes."""

    min_size: PositiveInt | None
    text: TextSettings | None
    permutation_seed: NonNegativeInt | None
    optimizer: InstanceOf[partial]
    learning_rate: PositiveFloat
    schedule: Schedule
    fade_regularization: bool
    label_smoothing: Annotated[float, Field(ge=0, lt=1)]
    batch_size: PositiveInt
    max_epochs: PositiveInt
    min_steps: NonNegativeInt
    epochs: PositiveInt | None
    last_epoch: PositiveInt | None
    rate_drops: list[PositiveInt]
    early_stopping: EarlyStop | None
    select_best: Monitor | None

    @model_validator(mode="after")
    def _one_rule_for_the_rate(self) -> Self:
        drops = self.rate_drops or (self.early_stopping and self.early_stopping.rate_drops)
        if drops and self.schedule != "constant":
            raise ValueError(f"rate_drops needs schedule constant, got {self.schedule}; set rate_drops to 0")
        return self

    @property
    def validation_monitors(self) -> list[str]:
        """The metrics of the validation part that decide something, sorted."""
        deciding = {self.select_best, self.early_stopping.monitor if self.early_stopping else None}
        return sorted(monitor for monitor in deciding if monitor and monitor.startswith("val/"))
