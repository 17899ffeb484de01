"""The input as it is: flattened pixels, encoded columns."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from crossover.core.files import read_json, write_json
from crossover.data.prepared import Input, Part
from crossover.features.base import FeatureSet


class RawFeatures(FeatureSet):
    """Pixels between 0 and 1, row by row; a table through `crossover.features.tables`."""

    def __init__(self, *, modalities: Iterable[str]) -> None:
        super().__init__(modalities)
        self._shape: list[int] = []
        self._value_max = 1.0
        self._encoder: Any = None  # a fitted scikit-learn pipeline for a table, None for images

    def fit(self, train: Part) -> Self:
        if isinstance(train.X, pd.DataFrame):
            # scikit-learn takes seconds to import, and images do without it.
            from crossover.features.tables import refuse_infinite, table_encoder

            refuse_infinite(train.X)
            self._encoder, self.learns = table_encoder(train.X).fit(train.X), True
        else:
            self._encoder, self.learns = None, False
            self._shape, self._value_max = list(train.X.shape[1:]), train.value_max
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        if isinstance(X, pd.DataFrame):
            from crossover.features.tables import refuse_infinite

            refuse_infinite(X)
            return self._encoder.transform(X)
        # (n, height, width, channels) -> (n, height · width · channels)
        return X.reshape(len(X), -1).astype(np.float32) / np.float32(self._value_max)

    def names(self) -> list[str]:
        if self._encoder is None:
            return [f"pixels ({int(np.prod(self._shape))})"]
        from crossover.features.tables import encoded_names

        return encoded_names(self._encoder)

    def save(self, folder: Path) -> None:
        state = {
            "modalities": sorted(self.modalities),
            "shape": self._shape,
            "value_max": self._value_max,
            "table": self._encoder is not None,
        }
        write_json(folder / "raw.json", state)
        if self._encoder is not None:
            from crossover.core import skops_io

            skops_io.dump(self._encoder, folder / "encoder.skops")

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "raw.json", "dvc repro")
        features = cls(modalities=state["modalities"])
        features._shape, features._value_max = state["shape"], state["value_max"]
        if state["table"]:
            from crossover.core import skops_io

            features._encoder, features.learns = skops_io.load(folder / "encoder.skops"), True
        return features
