"""The best configuration of a search, as the training stages read it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from crossover.core.cell import DEFAULT, TUNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.fitting.config import FitConfig
from crossover.fitting.keys import leaves, searchable, with_values


def configured(config: FitConfig, layout: Layout) -> FitConfig:
    """The configuration of the cell's variant: "tuned" takes the best one that a search found.

    Raises:
        CrossoverError: the variant is neither "default" nor "tuned", the search has not run, its file is broken, or
            what it found no longer fits the model's YAML.
    """
    variant = config.cell.variant
    if variant == DEFAULT:
        return config
    if variant != TUNED:
        raise CrossoverError(f"variant must be {DEFAULT} or {TUNED}, got {variant!r} (the command line)")
    path = layout.tuning(config.cell) / "best.yaml"
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise CrossoverError(
            f"variant=tuned needs the best configuration of a search, and {path} does not exist; search for it "
            "with `dvc repro` and the model in the lists of tuning in params.yaml"
        ) from None
    except yaml.YAMLError as error:
        raise CrossoverError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or set(content) != {"model"} or not isinstance(content["model"], dict):
        raise CrossoverError(
            f"{path} must hold the key model with the keys of the model's YAML; search again"
        )
    model = apply_best(config.model, content["model"], str(path), config.model_origin)
    return replace(config, model=model, model_origin=f"{config.model_origin} with {path}")


def apply_best(
    model_config: Mapping[str, Any], best: Mapping[str, Any], best_origin: str, model_origin: str
) -> dict[str, Any]:
    """A copy of a model's configuration with the values that a search found best.

    Args:
        model_config: of the model's YAML, plain.
        best: what a `best.yaml` holds below `model`, nested as in the model's YAML.
        best_origin: the file of the latter, for messages.
        model_origin: the file of the former.

    Raises:
        CrossoverError: `best` holds a key that the model no longer has.
    """
    values, known = dict(leaves(best)), searchable(model_config)
    for name in values:
        if name not in known:
            raise CrossoverError(
                f"a best configuration must hold keys of its model alone, but {best_origin} holds {name}, "
                f"which {model_origin} no longer has; run `dvc repro` to search again"
            )
    return with_values(model_config, values)


def write_best(path: Path, params: dict[str, Any], head: str) -> None:
    """Write the best trial's parameters as the nested keys of the model's YAML.

    Args:
        path: the file.
        params: dotted key of the model's YAML to value; empty where the default configuration is the best.
        head: one line that says where the values come from.
    """
    content = {"model": with_values({}, params)}
    path.write_text(f"# {head}\n{yaml.safe_dump(content, sort_keys=False)}")
