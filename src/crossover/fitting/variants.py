"""The configuration of a cell's variant, as the training stages read it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from crossover.core.cell import DEFAULT, TEXTBOOK, TIERS, TUNED
from crossover.core.errors import CrossoverError
from crossover.core.files import read_yaml
from crossover.core.layout import Layout
from crossover.fitting.config import FitConfig
from crossover.fitting.keys import leaves, searchable, with_values


def configured(config: FitConfig, layout: Layout) -> FitConfig:
    """The configuration of the cell's variant: of the textbook, or the best one that a search found.

    Raises:
        CrossoverError: the variant is none of `TIERS`, there is no recipe or the search has not run, a file is broken,
            or it does not fit the model's YAML.
    """
    cell = config.cell
    if cell.variant == DEFAULT:
        return config
    if cell.variant == TEXTBOOK:
        path = textbook_path(cell.model, layout.root)
        recipe = _read(path, f"conf/model/{cell.model}.yaml has no other recipe; leave variant out")
        model = apply_textbook(config.model, recipe, str(path), config.model_origin)
    elif cell.variant == TUNED:
        path = layout.tuning(cell) / "best.yaml"
        found = _read(
            path, "search for it with `dvc repro` and the model in the lists of tuning in params.yaml"
        )
        if set(found) != {"model"} or not isinstance(found["model"], dict):
            raise CrossoverError(
                f"{path} must hold the key model with the keys of the model's YAML; search again"
            )
        model = apply_best(config.model, found["model"], str(path), config.model_origin)
    else:
        raise CrossoverError(
            f"variant must be one of {', '.join(TIERS)}, got {cell.variant!r} (the command line)"
        )
    return replace(config, model=model, model_origin=f"{config.model_origin} with {path}")


def textbook_path(model: str, root: Path) -> Path:
    """The file of what the textbook's recipe changes in a model's YAML."""
    return root / "conf" / "textbook" / f"{model}.yaml"


def textbook_or_default(model_config: Mapping[str, Any], model: str, root: Path) -> dict[str, Any]:
    """A copy of a model's configuration with the textbook's recipe, where it has another one."""
    path = textbook_path(model, root)
    recipe = read_yaml(path) if path.exists() else None
    return apply_textbook(model_config, recipe or {}, str(path), f"conf/model/{model}.yaml")


def _read(path: Path, missing: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise CrossoverError(f"the variant needs {path}, which does not exist; {missing}") from None
    except yaml.YAMLError as error:
        raise CrossoverError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        got = "an empty file" if content is None else repr(content)
        raise CrossoverError(f"{path} must hold keys with values, got {got}; {missing}")
    return content


def apply_textbook(
    model_config: Mapping[str, Any], recipe: Mapping[str, Any], recipe_origin: str, model_origin: str
) -> dict[str, Any]:
    """A copy of a model's configuration with the values of a textbook's recipe.

    Args:
        model_config: of the model's YAML, plain.
        recipe: keys of that YAML; a mapping changes the keys that it holds, any other value takes the whole place.
        recipe_origin: the file of the latter, for messages.
        model_origin: the file of the former.

    Raises:
        CrossoverError: `recipe` holds a key that the model does not have.
    """
    from omegaconf import OmegaConf

    unknown = sorted(set(recipe) - set(model_config))
    if unknown:
        raise CrossoverError(
            f"a recipe must hold keys of its model alone, but {recipe_origin} holds {', '.join(unknown)}, which "
            f"{model_origin} does not have; see the comments there"
        )
    return OmegaConf.to_container(OmegaConf.merge(dict(model_config), dict(recipe)))  # type: ignore[return-value]


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
