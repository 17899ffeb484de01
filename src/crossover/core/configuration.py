"""From YAML to objects, with an error that names the file and the key."""

import json
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossover.core.errors import CrossoverError, first_line
from crossover.core.files import read_json, write_json
from crossover.core.settings import explained


def build(node: Any, origin: str) -> Any:
    """Instantiate a config node by its `_target_`.

    Args:
        node: a DictConfig or dict.
        origin: the file that the node came from, for the error message.

    Raises:
        CrossoverError: the class does not take one of the keys, or refuses a value.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import UNSAFE_DISABLE_EXECUTION_CHECKS, get_class, instantiate
    from omegaconf import OmegaConf

    try:
        # The project's own YAML files may name a class of any library: that is how a model is added.
        return instantiate(node, _convert_="all", _execution_whitelist_=UNSAFE_DISABLE_EXECUTION_CHECKS)
    except CrossoverError as error:
        raise CrossoverError(f"{origin}: {error}") from error
    except ValidationError as error:
        # Hydra notes where in the configuration the class stands, unless it is that of the whole node.
        notes = [note.partition("full_key: ")[2] for note in getattr(error, "__notes__", [])]
        key = next(filter(None, notes), "")
        target = OmegaConf.select(OmegaConf.create(node), f"{key}._target_" if key else "_target_")
        raise CrossoverError(explained(error, get_class(target), origin, key=key)) from error
    except (InstantiationException, TypeError) as error:  # a class that refuses a key raises TypeError
        raise CrossoverError(
            f"{origin}: {first_line(error)}; see the comments in that file for its keys"
        ) from error


def plain(node: Any) -> dict[str, Any]:
    """A config node as plain dictionaries and lists, interpolations resolved."""
    from omegaconf import DictConfig, OmegaConf

    return OmegaConf.to_container(node, resolve=True) if isinstance(node, DictConfig) else dict(node)  # type: ignore[return-value]


def override_text(value: Any) -> str:
    """A value in the grammar of Hydra's overrides, which reads it back as the same value of the same type.

    Args:
        value: None, a boolean, a number, a string, or a list of these.
    """
    from hydra.core.override_parser.types import Quote, QuotedString

    if isinstance(value, list):
        return f"[{','.join(map(override_text, value))}]"
    if not isinstance(value, str):
        return json.dumps(value)  # null, true, and the shortest digits that give the same float
    word = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", value)
    if word and value.lower() not in ("null", "true", "false", "nan", "inf"):
        return value
    return QuotedString(text=value, quote=Quote.single).with_quotes()


def save_config(folder: Path, node: dict[str, Any]) -> None:
    """Keep the configuration of a fitted object next to it."""
    write_json(folder / "config.json", node)


def load_fitted(folder: Path, made_by: str) -> Any:
    """Load a fitted model or feature set; its class must be one of this package's.

    Raises:
        CrossoverError: the folder holds no configuration, or names a class outside the package.
    """
    from hydra.utils import get_class

    target = read_json(folder / "config.json", made_by)["_target_"]
    if not target.startswith("crossover."):
        raise CrossoverError(
            f"a fitted object's class must be one of the package crossover, got {json.dumps(target)} "
            f"({folder / 'config.json'}); make it again with `{made_by}`"
        )
    fitted: Any = get_class(target)
    return fitted.load(folder)
