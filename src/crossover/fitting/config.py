"""What to fit: a cell with the configuration of its model."""

from dataclasses import dataclass
from typing import Any

from crossover.core.cell import Cell
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.settings import Settings
from crossover.models.base import Model


@dataclass(frozen=True)
class FitConfig:
    """What to fit.

    Attributes:
        cell: which data set, features and model; a model of the other family is refused.
        model: the model's YAML, overrides applied.
        trainer: the trainer's YAML for a network, else None.
        model_origin: the file behind `model`, for messages.
        trainer_origin: the file behind `trainer`, for messages.
    """

    cell: Cell
    model: dict[str, Any]
    trainer: dict[str, Any] | None = None
    model_origin: str = "the model's configuration"
    trainer_origin: str = "the trainer's configuration"

    def build(self) -> Model:
        """A new, unfitted model.

        Raises:
            CrossoverError: a key is unknown, a value is refused, or the model is of the other family.
        """
        model = build(self.model, self.model_origin, Model)
        if model.family != self.cell.family:
            raise CrossoverError(
                f"this stage fits {self.cell.family} models, got {self.cell.model}, which is {model.family} "
                f"({self.model_origin}); use pipelines/train_{model.family}.py"
            )
        if self.trainer is not None:
            model.trainer = build(self.trainer, self.trainer_origin, Settings)
        return model

    @property
    def params(self) -> dict[str, Any]:
        """The configuration as the tracker records it."""
        return {"model": self.model, **({"trainer": self.trainer} if self.trainer else {})}
