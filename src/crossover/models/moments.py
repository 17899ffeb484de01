"""A model as it was before its fit ended: what a user would have had who stopped it in time."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from crossover.data.prepared import Input

GROWTH = 2**0.5
"""A moment follows another one when the fit has taken so many times as long: some fourteen from 1 to 100 seconds."""


@dataclass(frozen=True)
class Moment:
    """A fitted model as it was before its fit ended.

    Attributes:
        share: of the fit's time that had passed, above 0 and at most 1.
        predict_proba: as that of the model, had the fit been stopped then.
    """

    share: float
    predict_proba: Callable[[Input], np.ndarray]


class MomentClock:
    """Says when a fit keeps what it has. The clock runs from when it is made."""

    def __init__(self) -> None:
        self.start = perf_counter()
        self.kept: list[float] = []

    def seconds(self) -> float:
        """Up to now."""
        return perf_counter() - self.start

    def due(self) -> bool:
        """Whether this is a moment to keep; then its time is noted in `kept`, in seconds."""
        seconds = self.seconds()
        if self.kept and seconds < GROWTH * self.kept[-1]:
            return False
        self.kept.append(seconds)
        return True

    def shares(self) -> list[float]:
        """The moments kept, as shares of the time up to now."""
        now = self.seconds()
        return [seconds / now for seconds in self.kept]
