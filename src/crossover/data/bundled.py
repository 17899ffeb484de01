"""Data sets that come inside scikit-learn: nothing is fetched."""

import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, write_json
from crossover.data.prepared import Part
from crossover.data.source import DataSource, RawData

if TYPE_CHECKING:
    from sklearn.utils import Bunch

RECORD = "bundled.json"
"""What stands for the raw files: the loader's name and the checksum of its arrays."""


class Bundled(DataSource):
    """What images and tables share.

    The download writes the checksum of the library's arrays, which a later scikit-learn must repeat.
    """

    def __init__(self, *, name: str, loader: str) -> None:
        """Name a data set.

        Args:
            name: of the data set.
            loader: function in `sklearn.datasets`, for example "load_digits".
        """
        super().__init__(name)
        self.loader = loader

    def download(self, folder: Path) -> list[Path]:
        record = {"library": "scikit-learn", "loader": self.loader, "sha256": _checksum(self._bunch())}
        write_json(folder / RECORD, record)
        return [folder / RECORD]

    def load(self, folder: Path) -> RawData:
        expected = read_json(folder / RECORD, self.made_by)["sha256"]
        bunch = self._bunch()
        if (got := _checksum(bunch)) != expected:
            raise CrossoverError(
                f"the SHA-256 checksum of sklearn.datasets.{self.loader} must be {expected}, got {got} from "
                f"the installed scikit-learn; install the locked one, or accept it with `{self.made_by}`"
            )
        classes = [str(name) for name in bunch.target_names]
        return RawData(self._part(bunch, len(classes)), None, classes)

    @abstractmethod
    def _part(self, bunch: "Bunch", n_classes: int) -> Part:
        """All examples of the library's data set."""

    def _bunch(self) -> "Bunch":
        import sklearn.datasets

        if not self.loader.startswith("load_") or not hasattr(sklearn.datasets, self.loader):
            raise CrossoverError(
                f"loader must name a load_… function of sklearn.datasets, got {self.loader!r} ({self.origin})"
            )
        bunch = getattr(sklearn.datasets, self.loader)()
        if "target_names" not in bunch:
            raise CrossoverError(
                f"loader must name a data set with classes, got {self.loader!r} ({self.origin}); "
                "choose one for classification"
            )
        return bunch


class BundledImages(Bundled):
    """A data set with `images` (n, height, width), for example the digits."""

    modality = "image"

    def __init__(self, *, name: str, loader: str, value_max: float) -> None:
        """Name a data set of images.

        Args:
            name: of the data set.
            loader: function in `sklearn.datasets`.
            value_max: the largest value that a pixel can take.
        """
        super().__init__(name=name, loader=loader)
        self.value_max = float(value_max)

    def _part(self, bunch: "Bunch", n_classes: int) -> Part:
        X = bunch.images[..., np.newaxis].astype(np.uint8)  # (n, height, width) -> (n, height, width, 1)
        return Part(X, bunch.target.astype(np.int64), n_classes, self.value_max)


class BundledTable(Bundled):
    """A data set with numeric columns, for example breast cancer."""

    modality = "table"

    def _part(self, bunch: "Bunch", n_classes: int) -> Part:
        X = pd.DataFrame(bunch.data, columns=[str(name) for name in bunch.feature_names], dtype=np.float64)
        return Part(X, bunch.target.astype(np.int64), n_classes)


def _checksum(bunch: "Bunch") -> str:
    """SHA-256 over type, shape and values of inputs and labels."""
    digest = hashlib.sha256()
    for array in (bunch.data, bunch.target):
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
