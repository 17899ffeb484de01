"""Virtual examples: features of images, for the training also of the same images moved a little.

An image that is moved by a pixel shows the same thing, which a network learns from augmented batches, and a classical
model from more examples: Schölkopf, Burges and Vapnik 1996 ("Incorporating invariances in support vector learning
machines"), DeCoste and Schölkopf 2002 ("Training invariant support vector machines").
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import PositiveInt

from crossover.core.configuration import load_fitted, save_config
from crossover.core.files import read_json, write_json
from crossover.core.settings import checked
from crossover.data.prepared import Input, Part
from crossover.features.base import FeatureSet


class Shifted(FeatureSet):
    """Another feature set, and four virtual examples of each training image: moved up, down, to the left, to the right.

    What comes in at the border is 0. Predictions are made from the image as it is.

    Args:
        modalities: the kinds of data set that the feature set takes.
        features: the other feature set.
        pixels: how far the images are moved.
    """

    @checked
    def __init__(self, *, modalities: Iterable[str], features: FeatureSet, pixels: PositiveInt) -> None:
        super().__init__(modalities)
        self.features, self.pixels = features, pixels

    def fit(self, train: Part) -> Self:
        self.features.fit(train)
        self.learns = self.features.learns
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        return self.features.transform(X, jobs=jobs, progress=progress)

    def versions(self, X: Input) -> list[Input]:
        images, far = np.asarray(X), self.pixels  # (n, height, width, channels)
        moved: list[Input] = []
        for axis in (1, 2):
            for step in (far, -far):
                version = np.roll(images, step, axis)
                came_in = slice(None, step) if step > 0 else slice(step, None)
                version[(slice(None),) * axis + (came_in,)] = 0
                moved.append(version)
        return moved

    def names(self) -> list[str]:
        return self.features.names()

    def save(self, folder: Path) -> None:
        write_json(folder / "shifted.json", {"modalities": sorted(self.modalities), "pixels": self.pixels})
        inner = folder / "features"
        inner.mkdir()
        self.features.save(inner)
        kind = type(self.features)
        save_config(inner, {"_target_": f"{kind.__module__}.{kind.__qualname__}"})

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "shifted.json", "dvc repro")
        inner = load_fitted(folder / "features", "dvc repro")
        features = cls(modalities=state["modalities"], features=inner, pixels=state["pixels"])
        features.learns = inner.learns
        return features
