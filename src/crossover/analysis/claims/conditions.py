"""What a claim asks of a quantity, and whether an estimate meets it.

An interval that lies wholly where it should decides for the claim, one that lies wholly outside against it; one
that does both leaves it undecided.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np

from crossover.analysis.claims.quantity import Estimate
from crossover.analysis.power_law import WORTH_IT
from crossover.analysis.published import published_number
from crossover.analysis.sensitivity import Answer
from crossover.analysis.statistics import Interval
from crossover.core.errors import CrossoverError


class Condition(Protocol):
    """One way to judge an estimate."""

    def answer(self, estimate: Estimate) -> Answer:
        """Whether the estimate meets the condition, by its interval."""

    def meets(self, values: np.ndarray) -> np.ndarray:
        """bool (n,): which of the values (n,) meet it."""

    def words(self, text: Callable[[float], str], unit: str) -> str:
        """The condition, after "asked:", with each number written by `text` and the unit after the last."""


def _by_place(inside: bool, outside: bool) -> Answer:
    return "holds" if inside else "does not hold" if outside else "undecided"


@dataclass(frozen=True)
class Above:
    """The quantity is above a bound."""

    above: float

    def answer(self, estimate: Estimate) -> Answer:
        return _by_place(estimate.interval.low > self.above, estimate.interval.high < self.above)

    def meets(self, values: np.ndarray) -> np.ndarray:
        return values > self.above

    def words(self, text: Callable[[float], str], unit: str) -> str:
        return f"above {text(self.above)}{unit}"


@dataclass(frozen=True)
class Below:
    """The quantity is below a bound."""

    below: float

    def answer(self, estimate: Estimate) -> Answer:
        return _by_place(estimate.interval.high < self.below, estimate.interval.low > self.below)

    def meets(self, values: np.ndarray) -> np.ndarray:
        return values < self.below

    def words(self, text: Callable[[float], str], unit: str) -> str:
        return f"below {text(self.below)}{unit}"


@dataclass(frozen=True)
class Within:
    """The quantity lies in a range, its ends included."""

    within: Interval

    def answer(self, estimate: Estimate) -> Answer:
        here, asked = estimate.interval, self.within
        return _by_place(
            asked.low <= here.low and here.high <= asked.high, here.high < asked.low or asked.high < here.low
        )

    def meets(self, values: np.ndarray) -> np.ndarray:
        return (values >= self.within.low) & (values <= self.within.high)

    def words(self, text: Callable[[float], str], unit: str) -> str:
        return f"within {text(self.within.low)} to {text(self.within.high)}{unit}"


@dataclass(frozen=True)
class Reaches:
    """The quantity comes up to a published value: its mean within a tolerance of it or better.

    It is refuted where the whole interval lies below the value. Where the interval reaches it and the mean is
    further off than the tolerance, the measurement is too coarse to tell.
    """

    reaches: float
    tolerance: float

    def answer(self, estimate: Estimate) -> Answer:
        near = bool(self.meets(np.array([estimate.value]))[0])
        below = estimate.interval.high < self.reaches
        return _by_place(near and not below, below)

    def meets(self, values: np.ndarray) -> np.ndarray:
        # The tolerance of rounding keeps 0.9675 within 0.003 of 0.9705.
        return values >= self.reaches - self.tolerance - 1e-12

    def words(self, text: Callable[[float], str], unit: str) -> str:
        least = text(self.reaches - self.tolerance)
        return f"at least {least}{unit} and an interval that reaches {text(self.reaches)}{unit}"


_CONDITIONS: list[type] = [Above, Below, Within, Reaches]

NAMED = {"WORTH_IT": WORTH_IT}
"""Bounds that the analysis uses itself; a claim gives them by name, so that the two cannot differ."""


def build_condition(content: Any) -> Condition:
    """The condition of a claim, as YAML holds it; {published: <name>} is `Reaches` of an entry of published.yaml.

    Raises:
        CrossoverError: its keys are those of no condition, or a value is no number.
    """
    keys = set(content) if isinstance(content, dict) else None
    if keys == {"published"}:
        number = published_number(content["published"])
        return Reaches(number.value, number.tolerance)
    for kind in _CONDITIONS:
        if keys == {field.name for field in fields(kind)}:
            condition: Condition = kind(**{key: _value(key, value) for key, value in content.items()})
            return condition
    known = ["{" + ", ".join(field.name for field in fields(kind)) + "}" for kind in _CONDITIONS]
    raise CrossoverError(
        f"condition must have the keys of one of {', '.join(known)}, {{published}}, got {content!r}"
    )


def _value(key: str, value: Any) -> float | Interval:
    if key != "within":
        return _number(key, value)
    if not isinstance(value, list) or len(value) != 2:
        raise CrossoverError(f"within must be two numbers, [low, high], got {value!r}")
    low, high = (_number(key, end) for end in value)
    if low >= high:
        raise CrossoverError(f"within must be two rising numbers, [low, high], got {value!r}")
    return Interval(low, high)


def _number(key: str, value: Any) -> float:
    if isinstance(value, str) and value in NAMED:
        return NAMED[value]
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise CrossoverError(f"{key} must be a number, got {value!r}")
    return float(value)
