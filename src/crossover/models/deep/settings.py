"""How a network is trained, checked."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from math import ceil
from typing import Any

from crossover.core.errors import CrossoverError

MONITORS = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
SCHEDULES = ("constant", "cosine")


def best_is(monitor: str) -> str:
    """Whether the best value of a metric is its "min" or its "max"."""
    return "max" if monitor.endswith("accuracy") else "min"


@dataclass(frozen=True)
class EarlyStop:
    """Stop when a metric has not improved.

    Attributes:
        monitor: one of MONITORS.
        patience: epochs without a better value before the fit ends.
    """

    monitor: str
    patience: int

    def __post_init__(self) -> None:
        _require_choice("early_stopping.monitor", self.monitor, MONITORS)
        _require_count("early_stopping.patience", self.patience, least=1)

    @classmethod
    def from_keys(cls, keys: dict[str, Any] | None) -> "EarlyStop | None":
        """From the YAML's `early_stopping`.

        Raises:
            CrossoverError: a key is unknown or missing, or a value is refused.
        """
        if keys is None:
            return None
        known = {field.name for field in fields(cls)}
        if not isinstance(keys, dict) or set(keys) != known:
            raise CrossoverError(f"early_stopping must be null or hold monitor and patience, got {keys!r}")
        return cls(**keys)


@dataclass(frozen=True)
class Settings:
    """The training part of a network's YAML; `Network` explains the attributes.

    Raises:
        CrossoverError: a value is refused.
    """

    optimizer: Callable[..., Any]
    learning_rate: float
    schedule: str
    batch_size: int
    max_epochs: int
    min_steps: int
    early_stopping: EarlyStop | None
    select_best: str | None

    def __post_init__(self) -> None:
        rate = self.learning_rate
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < float("inf"):
            raise CrossoverError(f"learning_rate must be a positive number, got {rate!r}")
        _require_choice("schedule", self.schedule, SCHEDULES)
        _require_count("batch_size", self.batch_size, least=1)
        _require_count("max_epochs", self.max_epochs, least=1)
        _require_count("min_steps", self.min_steps, least=0)
        if self.select_best is not None:
            _require_choice("select_best", self.select_best, MONITORS)

    def epochs(self, n_train: int) -> int:
        """Epochs of a fit on `n_train` examples: `max_epochs`, or as many as `min_steps` steps take."""
        return max(self.max_epochs, ceil(self.min_steps / ceil(n_train / self.batch_size)))

    @property
    def monitored(self) -> set[str]:
        """The metrics that decide something."""
        found = {self.select_best, self.early_stopping.monitor if self.early_stopping else None}
        return {monitor for monitor in found if monitor}


def _require_count(key: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise CrossoverError(f"{key} must be an integer of at least {least}, got {value!r}")


def _require_choice(key: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise CrossoverError(f"{key} must be one of {', '.join(choices)}, got {value!r}")
