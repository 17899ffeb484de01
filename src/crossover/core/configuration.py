"""From YAML to objects, with an error that names the file and the key."""

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from crossover.core.errors import CrossoverError, first_line
from crossover.core.files import read_json, write_json
from crossover.core.settings import explained

PARTS = {
    "crossover.core.settings.Settings",
    "crossover.features.base.FeatureSet",
    "sklearn.base.BaseEstimator",
    "torch.nn.modules.module.Module",
    "torch.optim.optimizer.Optimizer",
}
"""What a `_target_` inside a configuration may name a subclass of; the configuration's own has a kind of its own."""


def build(node: Any, origin: str, kind: type = object) -> Any:
    """Instantiate a config node by its `_target_`.

    Args:
        node: a DictConfig or dict.
        origin: the file that the node came from, for the error message.
        kind: what the node must make; nothing else is called.

    Raises:
        CrossoverError: a class is of another kind, does not take one of the keys, or refuses a value.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import UNSAFE_DISABLE_EXECUTION_CHECKS, get_class, instantiate
    from omegaconf import OmegaConf

    _refuse_other_kinds(node, origin, kind)
    try:
        # A class of any library: that is how a model is added.
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


def class_of(node: Any, origin: str, kind: type) -> type:
    """The class that a config node's `_target_` names.

    Raises:
        CrossoverError: there is no such class, or it is of another kind.
    """
    found = _located(node.get("_target_"))
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise CrossoverError(_of_other_kind(node.get("_target_"), origin, kind.__name__))
    return found


def _refuse_other_kinds(node: Any, origin: str, kind: type) -> None:
    """Refuse a `_target_` that is no class, or not one of what belongs there, before anything is called."""

    def within(part: Any, outermost: bool) -> None:
        if isinstance(part, list):
            for inner in part:
                within(inner, False)
        if not isinstance(part, dict):
            return
        found = _located(part.get("_target_"))
        if found is not None:  # of one that is not there, Hydra tells more
            bases = getattr(found, "__mro__", ())
            names = {f"{base.__module__}.{base.__qualname__}" for base in bases}
            if not (kind in bases if outermost else names & PARTS):
                wanted = (
                    kind.__name__
                    if outermost
                    else " or ".join(name.rpartition(".")[2] for name in sorted(PARTS))
                )
                raise CrossoverError(_of_other_kind(part["_target_"], origin, wanted))
        for inner in part.values():
            within(inner, False)

    within(plain(node), True)


def _of_other_kind(target: Any, origin: str, wanted: str) -> str:
    return f"_target_ must name a subclass of {wanted}, got {target!r} ({origin}); name another class"


def _located(target: Any) -> Any:
    """What a dotted path names; None where there is nothing."""
    module, _, name = str(target).rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return None


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
        CrossoverError: the folder holds no configuration, or names a class that is none of the package's.
    """
    path = folder / "config.json"
    config = read_json(path, made_by)
    target = config.get("_target_") if isinstance(config, dict) else None
    found = _located(target) if str(target).startswith("crossover.") else None
    if found is None or not hasattr(found, "load"):
        raise CrossoverError(
            f"a fitted object's class must be one of the package crossover, got {json.dumps(target)} ({path}); "
            f"make it again with `{made_by}`"
        )
    return found.load(folder)
