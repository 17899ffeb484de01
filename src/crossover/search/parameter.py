"""One parameter of a search space: what it may be, and how Optuna holds it."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

from crossover.core.errors import CrossoverError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

Value = Any
"""None, a boolean, a number, a string, or a list of these."""

TYPES = ("float", "int", "categorical")
_RANGE = ("type", "low", "high", "log", "step", "when")
_CHOICES = ("type", "choices", "when")


def same(one: Value, other: Value) -> bool:
    """Equality in which true is not 1, also inside lists."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


@dataclass(frozen=True)
class Parameter(ABC):
    """One parameter.

    Attributes:
        name: its key in the model's YAML, dotted.
        fields: what the search space's YAML says of it.
        when: the values that other keys must have for it to be active; always active where empty.
    """

    name: str
    fields: dict[str, Any]
    when: dict[str, list[Value]] = field(kw_only=True)

    @abstractmethod
    def distribution(self) -> "BaseDistribution":
        """As Optuna describes it."""

    @abstractmethod
    def suggest(self, trial: "BaseTrial") -> Value:
        """The value that a trial gets."""

    @abstractmethod
    def holds(self, value: Value) -> bool:
        """Whether a trial can get the value."""

    @abstractmethod
    def encode(self, value: Value) -> Value:
        """A value that it holds, as Optuna stores it."""

    @abstractmethod
    def decode(self, stored: Value) -> Value:
        """The reverse of `encode`."""

    @abstractmethod
    def grid(self, points: int) -> list[Value]:
        """The values of a grid, encoded; of a range at most so many, in ascending order."""


@dataclass(frozen=True)
class Range(Parameter):
    """A range of numbers, both ends included, evenly likely on the linear or the log scale.

    Attributes:
        low: least value; an integer in a range of integers.
        high: greatest value, likewise; a whole number of steps above `low`.
        integer: whether it holds integers alone.
        log: whether values are even on the log scale.
        step: distance between two values that are taken; None for any float.
    """

    low: float
    high: float
    integer: bool
    log: bool
    step: float | None

    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.integer:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def suggest(self, trial: "BaseTrial") -> Value:
        if self.integer:
            low, high, step = int(self.low), int(self.high), int(self.step or 1)
            return trial.suggest_int(self.name, low, high, log=self.log, step=step)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log, step=self.step)

    def holds(self, value: Value) -> bool:
        if not _is_number(value) or not self.low <= value <= self.high:
            return False
        if self.integer and value != int(value):
            return False
        return self.step is None or math.isclose(
            value, self._nearest_step(value), rel_tol=1e-9, abs_tol=1e-12
        )

    def encode(self, value: Value) -> Value:
        return int(value) if self.integer else float(value)

    def decode(self, stored: Value) -> Value:
        return self.encode(stored)

    def grid(self, points: int) -> list[Value]:
        shares = [i / (points - 1) for i in range(points)] if points > 1 else [0.5]
        spread = [self._at(share) for share in shares]
        if self.step is None:
            return [self.encode(value) for value in spread]
        return sorted({self.encode(self._nearest_step(value)) for value in spread})

    def _at(self, share: float) -> float:
        """The value at a share of the way from `low`, 0, to `high`, 1, on the range's scale."""
        if share in (0, 1):  # exact, where a logarithm and back may lie outside
            return self.high if share else self.low
        if self.log:
            return self.low * (self.high / self.low) ** share
        return self.low + share * (self.high - self.low)

    def _nearest_step(self, value: float) -> float:
        assert self.step is not None
        return self.low + self.step * round((value - self.low) / self.step)


@dataclass(frozen=True)
class Categorical(Parameter):
    """A list of values, equally likely.

    Attributes:
        choices: the values.
    """

    choices: list[Value]

    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self._stored)

    def suggest(self, trial: "BaseTrial") -> Value:
        return self.decode(trial.suggest_categorical(self.name, self._stored))

    def holds(self, value: Value) -> bool:
        return any(same(value, choice) for choice in self.choices)

    def encode(self, value: Value) -> Value:
        return stored(next(choice for choice in self.choices if same(value, choice)))

    def decode(self, stored: Value) -> Value:
        return self.choices[self._stored.index(stored)]

    def grid(self, points: int) -> list[Value]:
        return self._stored

    @property
    def _stored(self) -> list[Value]:
        return [stored(choice) for choice in self.choices]


def stored(choice: Value) -> Value:
    """A choice as Optuna takes it: a list as its JSON text."""
    return json.dumps(choice) if isinstance(choice, list) else choice


def parse(name: str, fields: Any, origin: str) -> Parameter:
    """A parameter from the YAML of a search space; what refers to other keys is not checked here.

    Args:
        name: its key.
        fields: what the YAML holds below the key.
        origin: the file, for messages.

    Raises:
        CrossoverError: a field is unknown, missing or refused.
    """
    if not isinstance(fields, Mapping):
        raise CrossoverError(f"{name} must hold type and low, high or choices, got {fields!r} ({origin})")
    if fields.get("type") not in TYPES:
        given = repr(fields["type"]) if "type" in fields else "none"
        raise CrossoverError(f"{name}.type must be one of {', '.join(TYPES)}, got {given} ({origin})")
    known = _CHOICES if fields["type"] == "categorical" else _RANGE
    unknown = [str(key) for key in fields if key not in known]
    if unknown:
        raise CrossoverError(
            f"{name} of type {fields['type']} must hold no other fields than {', '.join(known)}, "
            f"got {', '.join(unknown)} ({origin})"
        )
    make = _categorical if fields["type"] == "categorical" else _range
    return make(name, dict(fields), _when(name, fields.get("when", {}), origin), origin)


def _when(name: str, when: Any, origin: str) -> dict[str, list[Value]]:
    if not isinstance(when, Mapping):
        raise CrossoverError(f"{name}.when must hold a list of values for each key, got {when!r} ({origin})")
    for key, values in when.items():
        if not isinstance(values, Sequence) or isinstance(values, str) or not values:
            raise CrossoverError(
                f"{name}.when.{key} must be a list of at least one value, got {values!r} ({origin}); "
                f"write [{values}]"
            )
    return {str(key): list(values) for key, values in when.items()}


def _categorical(name: str, fields: dict[str, Any], when: dict[str, list[Value]], origin: str) -> Categorical:
    choices = fields.get("choices")
    if not isinstance(choices, list) or not choices:
        given = "none" if choices is None else repr(choices)
        raise CrossoverError(f"{name}.choices must be a list of at least one value, got {given} ({origin})")
    for index, choice in enumerate(choices):
        if not _is_choice(choice):
            raise CrossoverError(
                f"{name}.choices must be null, booleans, finite numbers, strings or lists of these, "
                f"got {choice!r} ({origin})"
            )
        # By plain equality, under which true is 1 is 1.0: Optuna cannot tell these apart.
        if stored(choice) in [stored(earlier) for earlier in choices[:index]]:
            raise CrossoverError(f"{name}.choices must not repeat a value, got {choice!r} twice ({origin})")
    return Categorical(name, fields, choices, when=when)


def _is_choice(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_choice, value))
    return value is None or isinstance(value, bool | str) or _is_number(value)


def _range(name: str, fields: dict[str, Any], when: dict[str, list[Value]], origin: str) -> Range:
    integer = fields["type"] == "int"
    low, high = (_number(name, end, fields, integer, origin) for end in ("low", "high"))
    log = fields.get("log", False)
    if not isinstance(log, bool):
        raise CrossoverError(f"{name}.log must be true or false, got {log!r} ({origin})")
    step = _number(name, "step", fields, integer, origin) if fields.get("step") is not None else None
    _require_range(name, low, high, origin)
    if log and low <= 0:
        raise CrossoverError(f"{name}.low must be greater than 0 on the log scale, got {low} ({origin})")
    if step is not None:
        _require_step(name, low, high, step, log, origin)
        high = _last(low, high, step)
    return Range(name, fields, low, high, integer, log, 1 if integer and step is None else step, when=when)


def _require_range(name: str, low: float, high: float, origin: str) -> None:
    if low == high:
        raise CrossoverError(
            f"{name} must span more than one value, got the empty range low = high = {low} ({origin}); "
            "take it out of the search space and set it in the model's YAML"
        )
    if low > high:
        raise CrossoverError(
            f"{name}.low must be less than high, got low {low} and high {high} ({origin}); exchange them"
        )


def _require_step(name: str, low: float, high: float, step: float, log: bool, origin: str) -> None:
    if log:
        raise CrossoverError(
            f"{name} must have a step or the log scale, got both step {step} and log true ({origin})"
        )
    if not 0 < step <= high - low:
        raise CrossoverError(
            f"{name}.step must be greater than 0 and at most the range from {low} to {high}, "
            f"got {step} ({origin})"
        )


def _last(low: float, high: float, step: float) -> float:
    """The last step that is not above `high`, in decimal numbers: in binary ones 0.1 + 2 · 0.1 is above 0.3."""
    first, last, by = (Decimal(str(value)) for value in (low, high, step))
    end = first + (last - first) // by * by
    return int(end) if isinstance(step, int) else float(end)


def _number(name: str, end: str, fields: dict[str, Any], integer: bool, origin: str) -> float:
    value = fields.get(end)
    kind = "an integer" if integer else "a finite number"
    if not _is_number(value) or (integer and value != int(value)):
        given = "none" if end not in fields else repr(value)
        hint = "; YAML reads 1e-5 as text, write 1.0e-5" if isinstance(value, str) else ""
        raise CrossoverError(f"{name}.{end} must be {kind}, got {given} ({origin}){hint}")
    return int(value) if integer else float(value)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
