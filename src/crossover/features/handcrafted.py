"""Handcrafted features of images: what a vision engineer wrote before deep learning."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
import skimage.transform
from pydantic import PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, write_json
from crossover.core.settings import checked
from crossover.data.prepared import Input, Part
from crossover.features.base import FeatureSet, require_images
from crossover.features.blocks import (
    Colours,
    Edges,
    Hog,
    LocalBinaryPatterns,
    Moments,
    Profiles,
    Zoning,
)

CHUNK = 2_000
"""Images that a process takes at a time, fixed so that the number of processes does not change the result.

Fewer than that are done in less time than a second process needs to start.
"""


class Handcrafted(FeatureSet):
    """Blocks of columns next to each other, in the order of the arguments.

    Nothing is learned from the training part but its shape and the range of its pixels, so no example has an
    influence on another one. Columns are not scaled: a model that cares scales for itself.
    """

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        min_size: PositiveInt,
        hog: Hog | None,
        zoning: Zoning | None,
        profiles: Profiles | None,
        lbp: LocalBinaryPatterns | None,
        moments: Moments | None,
        edges: Edges | None,
        colours: Colours | None,
    ) -> None:
        """Build the blocks.

        Args:
            modalities: the kinds of data set that the feature set takes.
            min_size: a smaller image is enlarged by a whole factor until its shorter side has so many pixels.
            hog: histograms of oriented gradients; null switches the block off, here and below.
            zoning: means of zones.
            profiles: means of rows and columns.
            lbp: local binary patterns.
            moments: moments of the image.
            edges: edge density of zones.
            colours: histograms of colours.
        """
        super().__init__(modalities)
        blocks = dict(
            hog=hog, zoning=zoning, profiles=profiles, lbp=lbp, moments=moments, edges=edges, colours=colours
        )
        self._min_size = min_size
        self._options = {name: block and block.model_dump() for name, block in blocks.items()}
        self._blocks = {name: block for name, block in blocks.items() if block is not None}
        if not self._blocks:
            raise CrossoverError(f"at least one block must be on, got none of {', '.join(blocks)}")
        self._shape: tuple[int, ...] = ()
        self._value_max = 1.0
        self._widths: dict[str, int] = {}

    def fit(self, train: Part) -> Self:
        self._shape, self._value_max = tuple(train.X.shape[1:]), float(train.value_max)
        black = np.zeros((1, *self._shape), np.uint8)
        self._widths = {name: part.shape[1] for name, part in self._describe(black).items()}
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        from joblib import Parallel, delayed
        from tqdm import tqdm

        X = require_images(X, self._shape)
        starts = range(0, len(X), CHUNK)
        work = (delayed(self._describe)(X[start : start + CHUNK]) for start in starts)
        chunks = Parallel(n_jobs=jobs if len(starts) > 1 else 1, return_as="generator")(work)
        out = np.empty((len(X), sum(self._widths.values())), np.float32)
        with tqdm(total=len(X), unit=" images", disable=None if progress else True) as bar:
            for start, chunk in zip(starts, chunks, strict=True):
                rows = np.hstack(list(chunk.values()))
                out[start : start + CHUNK] = rows
                bar.update(len(rows))
        return out

    def names(self) -> list[str]:
        # A block may have no columns, as colours have none on grey images.
        return [f"{name} ({self._widths[name]})" for name in self._blocks if self._widths[name]]

    def save(self, folder: Path) -> None:
        state = {
            "modalities": sorted(self.modalities),
            "options": {"min_size": self._min_size, **self._options},
            "shape": list(self._shape),
            "value_max": self._value_max,
            "widths": self._widths,
        }
        write_json(folder / "handcrafted.json", state)

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "handcrafted.json", "dvc repro")
        features = cls(modalities=state["modalities"], **state["options"])
        features._shape, features._value_max = tuple(state["shape"]), state["value_max"]
        features._widths = state["widths"]
        return features

    def _describe(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Each block's columns, from unsigned integers (n, height, width, channels)."""
        images = images.astype(np.float32) / np.float32(self._value_max)
        height, width, channels = images.shape[1:]
        factor = -(-self._min_size // min(height, width))
        if factor > 1:
            shape = (factor * height, factor * width, channels)
            images = np.stack([skimage.transform.resize(image, shape, order=1) for image in images])
        return {name: block.describe(images) for name, block in self._blocks.items()}
