"""The input as it is: flattened pixels, encoded columns."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from crossover.core.files import read_json, write_json
from crossover.core.settings import checked
from crossover.data.prepared import Input, Part
from crossover.features.base import FeatureSet


class RawFeatures(FeatureSet):
    """Pixels between 0 and 1, row by row; a table through `crossover.features.tables`.

    Args:
        modalities: the kinds of data set that the feature set takes.
        codes: each column of categories becomes one of codes, after all numbers; else a column for each category.
    """

    @checked
    def __init__(self, *, modalities: Iterable[str], codes: bool = False) -> None:
        super().__init__(modalities)
        self.codes = codes
        self._shape: list[int] = []
        self._value_max = 1.0
        self._encoder: Any = None  # a fitted scikit-learn pipeline for a table, None for images

    def fit(self, train: Part) -> Self:
        if isinstance(train.X, pd.DataFrame):
            # scikit-learn takes seconds to import, and images do without it.
            from crossover.features.tables import refuse_infinite, table_encoder

            refuse_infinite(train.X)
            self._encoder, self.learns = table_encoder(train.X, codes=self.codes).fit(train.X), True
        else:
            self._encoder, self.learns = None, False
            self._shape, self._value_max = list(train.X.shape[1:]), train.value_max
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        if isinstance(X, pd.DataFrame):
            from crossover.features.tables import MISSING, refuse_infinite

            refuse_infinite(X)
            encoded = self._encoder.transform(X)
            if n := self.n_codes:
                encoded[:, -n:] -= MISSING  # from 0, as XGBoost wants them
            return encoded
        # (n, height, width, channels) -> (n, height · width · channels)
        return X.reshape(len(X), -1).astype(np.float32) / np.float32(self._value_max)

    @property
    def n_codes(self) -> int:
        if not self.codes or self._encoder is None:
            return 0
        from crossover.features.tables import category_counts

        return len(category_counts(self._encoder))

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
            "codes": self.codes,
        }
        write_json(folder / "raw.json", state)
        if self._encoder is not None:
            from crossover.core import skops_io

            skops_io.dump(self._encoder, folder / "encoder.skops")

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "raw.json", "dvc repro")
        features = cls(modalities=state["modalities"], codes=state["codes"])
        features._shape, features._value_max = state["shape"], state["value_max"]
        if state["table"]:
            from crossover.core import skops_io

            features._encoder, features.learns = skops_io.load(folder / "encoder.skops"), True
        return features
