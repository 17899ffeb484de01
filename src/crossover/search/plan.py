"""How each trial of a search is scored, the same for every model."""

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PositiveInt, field_validator

from crossover.core.settings import Settings
from crossover.core.study import SECOND_OBJECTIVES
from crossover.data.prepared import Prepared

Direction = Literal["maximize", "minimize"]

ACCURACY = "accuracy"

DVC_NULL = BeforeValidator(lambda value: None if value == "None" else value)
"""A null in params.yaml stands as None in the command that DVC makes of it."""


class Plan(Settings):
    """The keys of `conf/tune.yaml` that decide what a trial is.

    Attributes:
        objectives: "accuracy", which stands for the data set's metric on validation data, and at most one of
            "fit_seconds" and "latency_p50_ms".
        examples: size of the stratified subset of the training part that a trial is fitted on; None is all of it.
        min_validation_examples: a trial is scored on as many validation splits as hold so many examples together …
        max_repetitions: … but on no more splits than this.
        pruner: config node of an Optuna pruner; NopPruner lets every trial end.
    """

    objectives: tuple[str, ...]
    examples: Annotated[PositiveInt | None, DVC_NULL]
    min_validation_examples: PositiveInt
    max_repetitions: PositiveInt
    pruner: dict[str, Any]

    @field_validator("objectives", mode="before")
    @classmethod
    def _known_objectives(cls, given: Any) -> tuple[str, ...]:
        names = tuple(name for name in given if name not in (None, "None")) if isinstance(given, list) else ()
        if names[:1] != (ACCURACY,) or len(names) > 2 or not set(names[1:]) <= set(SECOND_OBJECTIVES):
            raise ValueError(
                f"must be [{ACCURACY}] or {ACCURACY} and one of {', '.join(SECOND_OBJECTIVES)}, got {given}"
            )
        return names

    @property
    def directions(self) -> list[Direction]:
        """Optuna's directions of the objectives."""
        return ["maximize", "minimize"][: len(self.objectives)]  # type: ignore[return-value]

    @property
    def prunes(self) -> bool:
        """Whether hopeless trials are broken off; Optuna cannot where there are two objectives."""
        return len(self.objectives) == 1 and not str(self.pruner["_target_"]).endswith(".NopPruner")

    def repetitions(self, prepared: Prepared) -> list[int]:
        """The validation splits that a trial is scored on.

        Counted from the last split that was prepared, so that the study's own, counted from the first, are fresh
        when the best configuration is fitted again.
        """
        prepared_splits = prepared.repetitions
        if prepared.times is not None:  # all have the same validation rows
            return [prepared_splits - 1]
        wanted = math.ceil(self.min_validation_examples / len(prepared.validation_rows(0)))
        return [prepared_splits - 1 - k for k in range(min(wanted, self.max_repetitions, prepared_splits))]
