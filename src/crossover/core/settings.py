"""What a YAML file may hold, as pydantic models, and one sentence for what it may not.

class Budget(Settings):
    trials: PositiveInt | None = None

validated(Budget, {"trials": 0}, "params.yaml", key="tuning")
# CrossoverError: tuning.trials must be greater than 0, got 0 (params.yaml)
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from crossover.core.errors import CrossoverError


class Settings(BaseModel):
    """A model whose keys are exactly its fields and whose values are not converted: "5" and True are no integers."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True)


Kind = TypeVar("Kind", bound=Settings)


def validated(kind: type[Kind], content: Any, origin: str, *, key: str = "") -> Kind:
    """The settings that plain YAML content gives.

    Args:
        kind: what the content must be.
        content: dictionaries, lists, strings, numbers, booleans and None.
        origin: the file that the content came from, for the error message.
        key: where in that file it stands, dotted; empty for the whole of it.

    Raises:
        CrossoverError: a key is unknown or missing, or a value is refused: the rule, the value, the file.
    """
    try:
        return kind.model_validate({} if content is None else content)
    except ValidationError as error:
        raise CrossoverError(_sentence(kind, error.errors(), origin, key)) from error


def _sentence(kind: type[Settings], errors: list[ErrorDetails], origin: str, key: str) -> str:
    """One sentence for the first thing that is wrong; all misspelt or missing keys of one place together."""
    first = errors[0]
    place = [*filter(None, [key]), *(str(part) for part in first["loc"])]
    if first["type"] in ("extra_forbidden", "missing"):
        wrong = [
            str(e["loc"][-1])
            for e in errors
            if e["type"] in ("extra_forbidden", "missing") and e["loc"][:-1] == first["loc"][:-1]
        ]
        where, known = ".".join(place[:-1]) or origin, _keys_at(kind, first["loc"][:-1])
        source = "" if where == origin else f" ({origin})"
        return (
            f"{where} must hold exactly the keys {', '.join(known)}; check {', '.join(sorted(wrong))}{source}"
        )
    name, message = ".".join(place) or origin, first["msg"]
    source = "" if name == origin else f" ({origin})"
    if first["type"] == "value_error":  # a rule of ours, which says itself what it refuses
        rule, advice = str(first["ctx"]["error"]), ""
        rule, _, advice = rule.partition("; ")
        subject = f"{name} " if name and not rule.startswith(name) else ""
        return f"{subject}{rule}{source}{f'; {advice}' if advice else ''}"
    rule = message.replace("Input should be", "must be").replace("Input should", "must")
    return f"{name} {rule[0].lower()}{rule[1:]}, got {first['input']!r}{source}"


def _keys_at(kind: type[Settings], place: tuple[int | str, ...]) -> list[str]:
    """The keys of the model that stands at a place inside another."""
    for name in place:
        inner = kind.model_fields[str(name)].annotation if str(name) in kind.model_fields else None
        if isinstance(inner, type) and issubclass(inner, Settings):
            kind = inner
    return [field.alias or name for name, field in kind.model_fields.items()]
