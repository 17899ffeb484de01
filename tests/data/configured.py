"""The data sets of `conf/dataset/`, built as the pipeline builds them."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from crossover.core.configuration import build
from crossover.data.source import DataSource
from crossover.data.splits import Protocol

CONF = Path(__file__).parents[2] / "conf"
NAMES = sorted(path.stem for path in (CONF / "dataset").glob("*.yaml"))


def load_source(name: str, **changes: Any) -> DataSource:
    """A data set's source, with keys of its YAML changed."""
    node = OmegaConf.load(CONF / "dataset" / f"{name}.yaml")
    return build(OmegaConf.merge(node, changes), f"conf/dataset/{name}.yaml")


def load_protocol(**changes: Any) -> Protocol:
    """The protocol, with keys of its YAML changed."""
    node = OmegaConf.load(CONF / "protocol" / "default.yaml")
    return build(OmegaConf.merge(node, changes), "conf/protocol/default.yaml")
