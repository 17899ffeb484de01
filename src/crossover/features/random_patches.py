"""Random patches: small pieces of the training images as filters, with nothing trained.

Coates and Ng (2011, "The importance of encoding versus training with sparse coding and vector quantization") found that
filters drawn from the images do nearly as well as learned ones; Recht et al. (2019, arXiv 1902.10811) reach 83 to
85 % on CIFAR-10 with a linear model on them.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.files import existing, read_json, write_json
from crossover.core.settings import checked
from crossover.data.prepared import Input, Part
from crossover.features.base import FeatureSet, require_images

CHUNK = 64
"""Images at a time: their patches then fit into a processor's caches."""

SAMPLE = 50_000
"""Patches that the whitening is learned from, at most."""


class RandomPatches(FeatureSet):
    """How strongly each quarter of an image looks like each of some patches, and how strongly like their negatives.

    Every patch of an image is brought to mean 0 and one contrast, whitened, and compared with the filters, which are
    patches that were treated in the same way. What exceeds a threshold is averaged over each zone of the image.

    Args:
        modalities: the kinds of data set that the feature set takes.
        patch: side of a patch, in pixels.
        filters: how many patches are drawn from the training images.
        grid: zones along a side.
        threshold: of the similarity, whose scale is that of a whitened patch.
        contrast: added to the variance of a patch before it is divided by its root, in squares of the pixels' range.
        whitening: added to the eigenvalues of the patches' covariance.
        seed: of the drawing; the same filters for every repetition with the same training part.
    """

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        patch: PositiveInt,
        filters: PositiveInt,
        grid: PositiveInt,
        threshold: Annotated[int | float, Field(ge=0)],
        contrast: PositiveFloat,
        whitening: PositiveFloat,
        seed: NonNegativeInt,
    ) -> None:
        super().__init__(modalities)
        self._options = {
            "patch": patch,
            "filters": filters,
            "grid": grid,
            "threshold": threshold,
            "contrast": contrast,
            "whitening": whitening,
            "seed": seed,
        }
        self.patch, self.filters, self.grid, self.threshold = patch, filters, grid, threshold
        self.contrast, self.whitening, self.seed = contrast, whitening, seed
        self._shape: tuple[int, ...] = ()
        self._value_max = 1.0
        self._matrix = np.empty(
            (0, 0), np.float32
        )  # (patch · patch · channels, filters): whitening and filters
        self._offset = np.empty(0, np.float32)  # (filters,): what the mean patch gives

    def fit(self, train: Part) -> Self:
        self._shape, self._value_max = tuple(train.X.shape[1:]), float(train.value_max)
        if min(self._shape[:2]) < self.patch + self.grid - 1:
            raise CrossoverError(
                f"a patch must leave a place in each of {self.grid} zones along a side, got patch {self.patch} for "
                f"images of {self._shape[0]} by {self._shape[1]}; lower it in the feature set's YAML"
            )
        rng = np.random.default_rng(self.seed)
        drawn = max(SAMPLE, self.filters)
        places = np.sort(rng.integers(len(train), size=drawn))
        top, left = (rng.integers(side - self.patch + 1, size=drawn) for side in self._shape[:2])
        rows, columns = (start[:, None] + np.arange(self.patch) for start in (top, left))
        # -> (drawn, patch, patch, channels) -> (drawn, patch · patch · channels)
        patches = np.asarray(train.X)[places[:, None, None], rows[:, :, None], columns[:, None, :]]
        patches = self._normalised(patches.reshape(drawn, -1))
        mean = patches.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False, dtype=np.float64))
        whiten = (vectors / np.sqrt(values + self.whitening)) @ vectors.T
        chosen = (patches[rng.choice(drawn, self.filters, replace=False)] - mean) @ whiten
        chosen /= np.maximum(np.linalg.norm(chosen, axis=1, keepdims=True), 1e-12)
        matrix = whiten @ chosen.T
        self._matrix, self._offset = matrix.astype(np.float32), (mean @ matrix).astype(np.float32)
        self.learns = True
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        from tqdm import tqdm

        X = require_images(X, self._shape)
        out = np.empty((len(X), self._width), np.float32)
        with tqdm(total=len(X), unit=" images", disable=None if progress else True) as bar:
            for start in range(0, len(X), CHUNK):
                rows = self._describe(X[start : start + CHUNK])
                out[start : start + CHUNK] = rows
                bar.update(len(rows))
        return out

    def names(self) -> list[str]:
        return [f"random patches ({self._width})"]

    @property
    def _width(self) -> int:
        return 2 * self.filters * self.grid**2

    def save(self, folder: Path) -> None:
        np.savez(folder / "filters.npz", matrix=self._matrix, offset=self._offset)
        state = {
            "modalities": sorted(self.modalities),
            "options": self._options,
            "shape": list(self._shape),
            "value_max": self._value_max,
        }
        write_json(folder / "random_patches.json", state)

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "random_patches.json", "dvc repro")
        features = cls(modalities=state["modalities"], **state["options"])
        features._shape, features._value_max = tuple(state["shape"]), state["value_max"]
        with np.load(existing(folder / "filters.npz", "dvc repro")) as arrays:
            features._matrix, features._offset = arrays["matrix"], arrays["offset"]
        features.learns = True
        return features

    def _normalised(self, patches: np.ndarray) -> np.ndarray:
        """Patches (n, values) of mean 0 and one contrast, float32."""
        patches = patches.astype(np.float32) / np.float32(self._value_max)
        patches -= patches.mean(axis=1, keepdims=True)
        return patches / np.sqrt(
            np.einsum("nv,nv->n", patches, patches)[:, None] / patches.shape[1] + self.contrast
        )

    def _describe(self, images: np.ndarray) -> np.ndarray:
        """Images (n, height, width, channels) to (n, columns)."""
        n, channels = len(images), images.shape[3]
        windows = np.lib.stride_tricks.sliding_window_view(images, (self.patch, self.patch), axis=(1, 2))
        height, width = windows.shape[1:3]
        # (n, places down, places across, channels, patch, patch) -> (n · places, patch · patch · channels)
        patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, self.patch * self.patch * channels)
        similar = self._normalised(patches) @ self._matrix - self._offset
        similar = similar.reshape(n, height, width, self.filters)
        down, across = (np.linspace(0, side, self.grid + 1).astype(int) for side in (height, width))
        zones = []
        for top, bottom in pairwise(down):
            for left, right in pairwise(across):
                zone = similar[:, top:bottom, left:right]
                for signed in (zone, -zone):
                    zones.append(np.maximum(signed - self.threshold, 0).mean(axis=(1, 2)))
        return np.concatenate(zones, axis=1)
