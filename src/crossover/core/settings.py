"""What a YAML file may hold, as pydantic models, and one sentence for what it may not.

class Budget(Settings):
    trials: PositiveInt | None = None

validated(Budget, {"trials": 0}, "params.yaml", key="tuning")
# CrossoverError: tuning.trials must be a positive integer, got 0 (params.yaml)
"""

import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, validate_call
from pydantic_core import ErrorDetails

from crossover.core.errors import CrossoverError

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True, allow_inf_nan=False)


class Settings(BaseModel):
    """A model whose keys are exactly its fields and whose values are not converted: "5" and True are no integers."""

    model_config = ConfigDict(extra="forbid", frozen=True, **STRICT)


def _no_repeats(names: list[str] | None) -> list[str] | None:
    if names is not None and len(set(names)) < len(names):
        raise ValueError(f"must not repeat a name, got {names}")
    return names


AllDifferent = AfterValidator(_no_repeats)


def _is_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"must be {NAME_IN_WORDS}, got {name!r}")
    return name


def _is_file_name(name: str) -> str:
    if name in ("", ".", "..") or re.search(r"[/\\\0]", name):
        raise ValueError(f"must be the name of a file without a folder, got {name!r}")
    return name


NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
NAME_IN_WORDS = (
    "a name of at most 100 letters, digits, dots, dashes and underscores that begins with a letter or digit"
)

Name = Annotated[str, AfterValidator(_is_name)]
"""Of a data set, a feature set or a model: it becomes part of paths and of commands."""
FileName = Annotated[str, AfterValidator(_is_file_name)]
"""Of a file inside a folder that the configuration does not choose."""
Names = Annotated[list[Name], AllDifferent]
Number = Annotated[int | float, Field(gt=0.0)]
"""A positive number that stays what the YAML gives, 1 or 1.0, where it is written into a file again."""

checked = validate_call(config=STRICT)
"""Decorates an `__init__` that a YAML's `_target_` calls: checks its arguments by their annotations, like `Settings`.

`crossover.core.configuration.build` turns the error into a sentence with the YAML's name.
"""

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
        raise CrossoverError(explained(error, kind, origin, key=key)) from error


def explained(error: ValidationError, kind: Callable[..., Any], origin: str, *, key: str = "") -> str:
    """One sentence for what is wrong: the rule, the value, the file, what to do.

    Misspelt and missing keys come first, since a missing one is often the other's right spelling; then the value that
    lies deepest, since of a union's alternatives that is the one that fits best.

    Args:
        error: of pydantic.
        kind: the class that was to be made, which knows its keys.
        origin: the file.
        key: where in that file the content stands, dotted.
    """
    errors = [(_location(one), one) for one in error.errors()]
    if wrong := [(place, one) for place, one in errors if one["type"] in _WRONG_KEYS]:
        where = wrong[0][0][:-1]
        names = sorted(str(place[-1]) for place, _ in wrong if place[:-1] == where)
        return _keys_sentence(kind, where, _dotted(key, where), names, origin)
    place, first = max(errors, key=lambda pair: len(pair[0]))  # the first of several
    name = _dotted(key, place)
    source = f" ({origin})" if name else ""
    subject = f"{name} " if name else f"{origin} "
    if first["type"] == "value_error":  # a rule of ours, which says itself what it refuses
        rule, _, advice = str(first["ctx"]["error"]).partition("; ")
        if not rule.startswith("must"):  # it names the key itself
            subject, source = "", f" ({origin})"
        return f"{subject}{rule}{source}{f'; {advice}' if advice else ''}"
    rules = list(dict.fromkeys(_rule(one) for here, one in errors if here == place))
    if "be a number" in rules and "be an integer" in rules:
        rules.remove("be an integer")
    rule, value = " or ".join(rules).replace(" or be ", " or "), first["input"]
    return f"{subject}must {rule}, got {value!r}{source}{_advice(first['type'], value)}"


_WRONG_KEYS = {
    "missing",
    "missing_argument",
    "missing_keyword_only_argument",
    "extra_forbidden",
    "unexpected_keyword_argument",
}

_RULES = {  # pydantic's error types; its own words serve for all others
    "int_type": "be an integer",
    "int_from_float": "be an integer",
    "float_type": "be a number",
    "finite_number": "be a finite number",
    "bool_type": "be true or false",
    "string_type": "be text",
    "list_type": "be a list",
    "iterable_type": "be a list",
    "dict_type": "be a mapping",
    "mapping_type": "be a mapping",
    "model_type": "be a mapping",
    "none_required": "be null",
    "literal_error": "be one of {expected}",
    "is_instance_of": "be a {class}",
    "union_tag_invalid": "have as {discriminator} one of {expected_tags}",
    "union_tag_not_found": "have the key {discriminator}",
    "greater_than": "be above {gt:g}",
    "greater_than_equal": "be at least {ge:g}",
    "less_than": "be below {lt:g}",
    "less_than_equal": "be at most {le:g}",
    "too_short": "be a list of at least {min_length}",
    "too_long": "be a list of at most {max_length}",
}


def _rule(error: ErrorDetails) -> str:
    """What the value must do, after "must"."""
    kind, context = error["type"], error.get("ctx", {})
    bound = context.get("gt", context.get("ge"))
    if bound == 0 and kind == "greater_than":
        return "be a positive integer" if isinstance(bound, int) else "be a positive number"
    if kind == "greater_than_equal" and isinstance(bound, int):
        return f"be an integer of at least {bound}"
    if kind == "literal_error":  # "'a', 'b' or 'c'"
        context = {"expected": ", ".join(re.findall(r"'([^']*)'", context["expected"]))}
    if kind == "too_short" and context["min_length"] == 1:
        return "not be empty"
    own = error["msg"].removeprefix("Input should ").rstrip(".")
    return _RULES[kind].format(**context) if kind in _RULES else own


def _advice(kind: str, value: Any) -> str:
    """What to do about a number that YAML reads as text."""
    if kind not in ("int_type", "float_type") or not isinstance(value, str):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    exponent = "e" in value.lower() and "." not in value
    return f"; YAML reads it as text, write {re.sub('[eE]', '.0e', value) if exponent else f'{number:g}'}"


# Pydantic names the alternative of a union in an error's location: "constrained-int", "list[str]", "literal['a','b']".
_ALTERNATIVE = re.compile(r"int|float|str|bool|none|dict|list|[a-z]+-[a-z]+.*|.+\[.*\]", re.DOTALL)


def _location(error: ErrorDetails) -> tuple[int | str, ...]:
    """The keys and list positions that lead to a value."""
    wrong_key = error["type"] in _WRONG_KEYS  # which may look like anything
    *parts, last = error["loc"] or [""]
    kept = [part for part in parts if isinstance(part, int) or not _ALTERNATIVE.fullmatch(part)]
    if wrong_key or isinstance(last, int) or (last and not _ALTERNATIVE.fullmatch(last)):
        kept.append(last)
    return tuple(kept)


def _dotted(key: str, place: tuple[int | str, ...]) -> str:
    """For example "learning_curve.sizes[1]"."""
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return f"{key}{parts}".removeprefix(".")


def _keys_sentence(
    kind: Callable[..., Any], place: tuple[int | str, ...], where: str, wrong: list[str], origin: str
) -> str:
    models: list[type[BaseModel]] = []
    for part in place:  # a position in a list and the name of a dictionary's entry are no keys of `kind`
        # Of a union's models, pydantic names in `place` the literal that tells one from the others.
        tagged = (m for m in models if any(part in get_args(f.annotation) for f in m.model_fields.values()))
        if model := next(tagged, None):
            kind = model
        elif known := inspect.signature(kind).parameters.get(str(part)):
            models = _models_in(known.annotation)
            kind = models[0] if models else kind
    known_keys = inspect.signature(kind).parameters.values()
    required = ", ".join(one.name for one in known_keys if one.default is inspect.Parameter.empty)
    optional = ", ".join(one.name for one in known_keys if one.default is not inspect.Parameter.empty)
    must = f"must hold {'' if optional else 'exactly '}the keys {required}" if required else ""
    may = f"may hold the keys {optional}" if optional else ""
    source = f" ({origin})" if where else ""
    return f"{where or origin} {' and '.join(filter(None, (must, may)))}; check {', '.join(wrong)}{source}"


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """The settings in an annotation such as `list[Stop] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
