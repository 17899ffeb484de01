"""How much a search may take: a total, however often it is killed and resumed."""

from dataclasses import dataclass
from typing import Any

from crossover.core.errors import CrossoverError

ORIGIN = "hydra.sweeper: conf/hydra/sweeper/search.yaml, tuning in params.yaml or the command line"


@dataclass(frozen=True)
class Budget:
    """The same for each model of a comparison.

    Attributes:
        trials: how many, the default configuration among them; None where `seconds` is the budget.
        seconds: wall clock of the trials, summed, those that ran at once included; no trial begins after that.

    Raises:
        CrossoverError: not exactly one of the two is given, or it is no positive number.
    """

    trials: int | None
    seconds: float | None

    def __post_init__(self) -> None:
        if (self.trials is None) == (self.seconds is None):
            raise CrossoverError(
                f"a search needs a budget of either trials or seconds, got n_trials={_shown(self.trials)} and "
                f"n_seconds={_shown(self.seconds)} ({ORIGIN}); set one of them and the other to null"
            )
        whole = isinstance(self.trials, int) and not isinstance(self.trials, bool)
        if self.trials is not None and not (whole and self.trials >= 1):
            raise CrossoverError(f"n_trials must be a positive integer, got {self.trials!r} ({ORIGIN})")
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if self.seconds is not None and not (number and 0 < self.seconds < float("inf")):
            raise CrossoverError(f"n_seconds must be a positive number, got {self.seconds!r} ({ORIGIN})")

    def left(self, begun: int, spent: float, at_once: int) -> int:
        """How many trials may begin now.

        Args:
            begun: trials that were begun so far.
            spent: seconds that the finished ones took together.
            at_once: as many as this run at the same time.
        """
        if self.trials is not None:
            return max(0, min(at_once, self.trials - begun))
        return at_once if spent < (self.seconds or 0) else 0

    def words(self) -> str:
        """For a sentence: "30 trials", "600 s of trials"."""
        return f"{self.trials} trials" if self.trials is not None else f"{self.seconds:g} s of trials"

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return {"trials": self.trials, "seconds": self.seconds}


def _shown(value: Any) -> str:
    return "null" if value is None else str(value)
