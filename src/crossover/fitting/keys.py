"""Dotted keys of a model's YAML: `estimator.max_depth`."""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

DECLARATIONS = ("modalities", "stochastic")
"""Keys of a model's YAML that say what the model is; a value that is not true would not make it so."""


def searchable(model_config: Mapping[str, Any]) -> list[str]:
    """The dotted keys of the single values of a model's YAML, without those that say what the model is."""
    return [
        name
        for name, _ in leaves(model_config)
        if name not in DECLARATIONS and not any(part.startswith("_") for part in name.split("."))
    ]


def leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each single value with its dotted key, in order."""
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def values_at(node: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """Copies of the values of these dotted keys."""
    there = dict(leaves(node))
    return {name: copy.deepcopy(there[name]) for name in names}


def with_values(node: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a nested configuration in which these dotted keys have these values; new keys are made."""
    changed = copy.deepcopy(dict(node))
    for name, value in values.items():
        inner = changed
        *groups, last = name.split(".")
        for part in groups:
            inner = inner.setdefault(part, {})
        inner[last] = copy.deepcopy(value)
    return changed
