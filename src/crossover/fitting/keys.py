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
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def value_at(node: Mapping[str, Any], name: str) -> Any:
    for part in name.split("."):
        node = node[part]
    return node


def set_at(node: dict[str, Any], name: str, value: Any) -> None:
    *groups, last = name.split(".")
    for part in groups:
        node = node.setdefault(part, {})
    node[last] = copy.deepcopy(value)
