"""How each trial of a search is scored, the same for every model."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from crossover.core.errors import CrossoverError
from crossover.core.study import SECOND_OBJECTIVES
from crossover.data.prepared import Prepared

Direction = Literal["maximize", "minimize"]

ACCURACY = "accuracy"

ORIGIN = "conf/tune.yaml or the command line"


@dataclass(frozen=True)
class Plan:
    """The keys of `conf/tune.yaml` that decide what a trial is.

    Attributes:
        objectives: "accuracy" on validation data, and at most one of "fit_seconds" and "latency_p50_ms".
        examples: size of the stratified subset of the training part that a trial is fitted on; None is all of it.
        min_validation_examples: a trial is scored on as many validation splits as hold so many examples together …
        max_repetitions: … but on no more splits than this.
        pruner: config node of an Optuna pruner; NopPruner lets every trial end.

    Raises:
        CrossoverError: a value is refused.
    """

    objectives: tuple[str, ...]
    examples: int | None
    min_validation_examples: int
    max_repetitions: int
    pruner: dict[str, Any]

    def __post_init__(self) -> None:
        first, *rest = self.objectives or ("",)
        if first != ACCURACY or len(rest) > 1 or not set(rest) <= set(SECOND_OBJECTIVES):
            raise CrossoverError(
                f"objectives must be [{ACCURACY}] or {ACCURACY} and one of {', '.join(SECOND_OBJECTIVES)}, "
                f"got {list(self.objectives)} ({ORIGIN})"
            )
        for name in ("examples", "min_validation_examples", "max_repetitions"):
            value = getattr(self, name)
            optional = name == "examples" and value is None
            if not optional and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                raise CrossoverError(f"{name} must be a positive integer, got {value!r} ({ORIGIN})")

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
        wanted = math.ceil(self.min_validation_examples / len(prepared.validation_rows(0)))
        return [prepared_splits - 1 - k for k in range(min(wanted, self.max_repetitions, prepared_splits))]
