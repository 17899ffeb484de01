"""How a network is trained."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from crossover.core.settings import Settings

Monitor = Literal["train/loss", "train/accuracy", "val/loss", "val/accuracy"]
Schedule = Literal["constant", "cosine"]


def best_is(monitor: str) -> str:
    """Whether the best value of a metric is its "min" or its "max"."""
    return "max" if monitor.endswith("accuracy") else "min"


class EarlyStop(Settings):
    """Stop when a metric has not improved.

    Attributes:
        monitor: the metric.
        patience: epochs without a better value before the fit ends.
    """

    monitor: Monitor
    patience: PositiveInt


class TrainingSettings(Settings):
    """The part of a network's YAML that is not its architecture; `Network` explains the attributes."""

    min_size: PositiveInt | None
    permutation_seed: NonNegativeInt | None
    optimizer: Callable[..., Any]
    learning_rate: PositiveFloat
    schedule: Schedule
    batch_size: PositiveInt
    max_epochs: PositiveInt
    min_steps: NonNegativeInt
    early_stopping: EarlyStop | None
    select_best: Monitor | None

    @property
    def validation_monitors(self) -> list[str]:
        """The metrics of the validation part that decide something, sorted."""
        deciding = {self.select_best, self.early_stopping.monitor if self.early_stopping else None}
        return sorted(monitor for monitor in deciding if monitor and monitor.startswith("val/"))
