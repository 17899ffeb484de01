"""What a claim requires of a quantity, and whether an estimate meets it."""

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from crossover.analysis.claims.quantity import Estimate
from crossover.analysis.power_law import WORTH_IT
from crossover.analysis.published import published_number
from crossover.core.errors import CrossoverError
from crossover.core.settings import Settings

Answer = Literal["holds", "does not hold", "undecided"]

NAMED = {"WORTH_IT": WORTH_IT}
"""Bounds that the analysis uses itself; a claim gives them by name, so that the two cannot differ."""

Bound = Annotated[
    float, BeforeValidator(lambda value: NAMED.get(value, value) if isinstance(value, str) else value)
]

_KEYS: list[set[str]] = [{"above"}, {"below"}, {"within"}, {"reaches", "tolerance"}]


class Condition(Settings):
    """A bound, a range or a published value.

    The condition holds where the whole interval lies inside the range, does not hold where all of it lies outside, and
    is undecided otherwise. A published value is refuted where the whole interval lies below it; where the interval
    reaches it but the mean is further off than the tolerance, the measurement is too coarse to decide.

    Attributes:
        above: the quantity is above this bound.
        below: it is below this one.
        within: it lies in this range, [low, high], its ends included.
        reaches: it comes up to this published value: its mean within the tolerance of it, or better.
        tolerance: of `reaches`.
        published: name of an entry of published.yaml, in place of `reaches` and `tolerance`.
    """

    above: Bound | None = None
    below: Bound | None = None
    within: Annotated[list[Bound], Field(min_length=2, max_length=2)] | None = None
    reaches: float | None = None
    tolerance: float | None = None
    published: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _look_up(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not isinstance(content.get("published"), str):
            return content
        try:
            number = published_number(content["published"])
        except CrossoverError as error:
            raise ValueError(str(error)) from error
        return {"reaches": number.value, "tolerance": number.tolerance} | content

    @model_validator(mode="after")
    def _is_one(self) -> "Condition":
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        if given - {"published"} not in _KEYS:
            known = ", ".join("{" + ", ".join(sorted(keys)) + "}" for keys in [*_KEYS, {"published"}])
            raise ValueError(
                f"must have the keys of one of {known}, got {', '.join(sorted(given)) or 'none'}"
            )
        if self.within and not self.within[0] < self.within[1]:
            raise ValueError(f"within must be two rising numbers, [low, high], got {self.within}")
        return self

    @property
    def least(self) -> float:
        """The lowest mean that is close enough to the published value."""
        assert self.reaches is not None
        assert self.tolerance is not None
        return self.reaches - self.tolerance

    def answer(self, estimate: Estimate) -> Answer:
        """Whether the estimate meets the condition, by its interval."""
        low, high = estimate.interval.low, estimate.interval.high
        if self.above is not None:
            met, refuted = low > self.above, high < self.above
        elif self.below is not None:
            met, refuted = high < self.below, low > self.below
        elif self.within is not None:
            least, most = self.within
            met, refuted = least <= low and high <= most, high < least or most < low
        else:
            assert self.reaches is not None
            refuted = high < self.reaches
            met = bool(self.meets(np.array([estimate.value]))[0]) and not refuted
        return "holds" if met else "does not hold" if refuted else "undecided"

    def meets(self, values: np.ndarray) -> np.ndarray:
        """bool (n,): which of the values (n,) meet the condition."""
        if self.above is not None:
            return values > self.above
        if self.below is not None:
            return values < self.below
        if self.within is not None:
            return (values >= self.within[0]) & (values <= self.within[1])
        return values >= self.least - 1e-12  # keeps 0.9675 within 0.003 of 0.9705
