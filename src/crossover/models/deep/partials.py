"""Classes with some of their arguments, as a YAML gives them by `_target_` and `_partial_: true`."""

import importlib
import inspect
from functools import partial
from typing import Any

from crossover.core.errors import CrossoverError

PACKAGE = "crossover."


def checked_partial(key: str, value: Any, later: list[str]) -> partial:
    """Refuse a partial whose class does not take its arguments, before the data are read and it is called.

    Args:
        key: the key in the YAML, for the message.
        value: what the YAML gave.
        later: names of the arguments that the caller will add.

    Returns:
        the same as a plain `functools.partial`.

    Raises:
        CrossoverError: the value is no partial, or names an argument that is unknown, missing or not its own.
    """
    if not isinstance(value, partial):
        raise CrossoverError(f"{key} must be a class with `_target_` and `_partial_: true`, got {value!r}")
    taken = sorted(set(value.keywords) & set(later))
    if taken:
        raise CrossoverError(f"{key} must not set {', '.join(taken)}, which the model gives it")
    try:
        inspect.signature(value.func).bind(**value.keywords, **dict.fromkeys(later))
    except TypeError as error:
        name = getattr(value.func, "__name__", value.func)
        raise CrossoverError(
            f"{key} must hold the arguments of {name}, got {value.keywords}: {error}"
        ) from error
    return partial(value.func, **value.keywords)  # Hydra's own kind refuses to be copied and pickled


def to_spec(value: partial) -> dict[str, Any]:
    """A partial as JSON-serialisable content, the way a YAML holds it."""
    return {"_target_": f"{value.func.__module__}.{value.func.__qualname__}", **value.keywords}


def from_spec(spec: dict[str, Any], origin: str) -> partial:
    """The partial that `to_spec` described.

    Raises:
        CrossoverError: the class is not one of this package's, or is not there.
    """
    keywords = dict(spec)
    target = str(keywords.pop("_target_", None))
    if not target.startswith(PACKAGE):
        raise CrossoverError(
            f"a fitted network's class must be one of the package crossover, got {target} ({origin})"
        )
    module, _, name = target.rpartition(".")
    try:
        return partial(getattr(importlib.import_module(module), name), **keywords)
    except (ImportError, AttributeError) as error:
        raise CrossoverError(
            f"the class of a fitted network must exist, got {target} ({origin}); fit it again"
        ) from error
