"""Small data sets in the prepared form, and the feature sets that conf/ describes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from crossover.core.configuration import build
from crossover.core.layout import Layout
from crossover.data.prepared import Input, Meta, Part, modality_of
from crossover.features.base import FeatureSet
from tests.prepared_folder import write_one_split

CONF = Path(__file__).parents[2] / "conf" / "features"
SHAPES = {"digits8": (8, 8, 1), "grey": (28, 28, 1), "colour": (32, 32, 3), "oblong": (20, 30, 1)}


def images(shape: tuple[int, ...], n: int = 12, value_max: int = 255) -> np.ndarray:
    """Smooth random images: uint8 (n, height, width, channels)."""
    rng = np.random.default_rng(0)
    noise = rng.uniform(size=(n, *shape))
    smooth = (noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)) / 3
    return np.rint(smooth * value_max).astype(np.uint8)


def table(n: int = 12) -> pd.DataFrame:
    """Two numbers, one with missing values, and two categories, one with missing values."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "age": rng.uniform(20, 70, n),
            "income": np.where(np.arange(n) % 3 == 0, np.nan, rng.uniform(1e6, 2e6, n)),
            "city": pd.Series(np.resize(["Bonn", "Kiel"], n), dtype="str"),
            "job": pd.Series(np.resize(["baker", None, "clerk"], n), dtype="str"),
        }
    )


def texts(n: int = 12) -> np.ndarray:
    """Some words each, with capitals, digits and marks; one text has none."""
    some = ["Win £100 now!", "see you at noon", "Call 0800 123456", "see you", "ok", "www.here.com, now"]
    X = np.resize(np.array(some, dtype=object), n)
    X[0] = ""
    return X


@pytest.fixture
def make_set() -> Callable[..., FeatureSet]:
    """Build a feature set from its YAML in conf/features/, with some keys changed."""

    def make(name: str, **changes: Any) -> FeatureSet:
        config = OmegaConf.load(CONF / f"{name}.yaml")
        for key, value in changes.items():
            OmegaConf.update(config, key.replace("__", "."), value, force_add=True)
        return build(config, f"conf/features/{name}.yaml")

    return make


@pytest.fixture
def inputs() -> Callable[..., Input]:
    """Inputs of a kind: "table", "text" or one of the image shapes."""

    def make(kind: str, n: int = 12) -> Input:
        if kind == "text":
            return texts(n)
        return table(n) if kind == "table" else images(SHAPES[kind], n, value_max=pixel_max(kind))

    return make


def pixel_max(kind: str) -> int:
    return 16 if kind == "digits8" else 255


@pytest.fixture
def part(inputs: Callable[..., Input]) -> Callable[..., Part]:
    """A part with two classes."""

    def make(kind: str, n: int = 12) -> Part:
        value_max = 1.0 if kind in ("table", "text") else float(pixel_max(kind))
        return Part(inputs(kind, n), np.arange(n) % 2, 2, value_max)

    return make


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


@pytest.fixture
def prepare(layout: Layout) -> Callable[[str, Part, Part], None]:
    """Write a prepared data set below the layout's root."""

    def write(dataset: str, train: Part, test: Part) -> None:
        meta = Meta(
            dataset=dataset,
            modality=modality_of(train.X),
            classes=["a", "b"],
            input_shape=list(train.X.shape[1:]),
            value_max=train.value_max,
            n_train=len(train),
            n_test=len(test),
            split="made for a test",
            checksum="0",
        )
        folder = layout.prepared(dataset)
        folder.mkdir(parents=True)
        write_one_split(folder, meta, train, test, np.array([[0, 1]]))

    return write
