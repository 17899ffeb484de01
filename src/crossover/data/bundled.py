"""Data sets that come inside scikit-learn: nothing is fetched."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, write_json
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import Name, Number, checked
from crossover.data.prepared import Input, Part
from crossover.data.source import DataSource, RawData

if TYPE_CHECKING:
    from sklearn.utils import Bunch

RECORD = "bundled.json"
"""What stands for the raw files: the loader's name and the checksum of its arrays."""


class Bundled(DataSource):
    """What images and tables share.

    The download writes the checksum of the library's arrays, which a later scikit-learn must repeat.
    """

    value_max = 1.0

    @checked
    def __init__(self, *, name: Name, loader: str, caveat: str = "", metric: Metric = ACCURACY) -> None:
        """Name a data set.

        Args:
            name: of the data set.
            loader: function in `sklearn.datasets`, for example "load_digits".
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        self.loader = loader

    def download(self, folder: Path) -> list[Path]:
        _, sha256 = self._library_data()
        write_json(folder / RECORD, {"library": "scikit-learn", "loader": self.loader, "sha256": sha256})
        return [folder / RECORD]

    def load(self, folder: Path) -> RawData:
        expected = read_json(folder / RECORD, self.made_by)["sha256"]
        bunch, got = self._library_data()
        if got != expected:
            raise CrossoverError(
                f"the SHA-256 checksum of sklearn.datasets.{self.loader} must be {expected}, got {got} from "
                f"the installed scikit-learn; install the locked one, or accept it with `{self.made_by}`"
            )
        classes = [str(name) for name in bunch.target_names]
        X: Input
        if self.modality == "image":
            X = bunch.images[..., np.newaxis].astype(np.uint8)  # (n, height, width) -> (n, height, width, 1)
        else:
            X = pd.DataFrame(bunch.data, columns=list(map(str, bunch.feature_names)), dtype=np.float64)
        return RawData(Part(X, bunch.target.astype(np.int64), len(classes), self.value_max), None, classes)

    def _library_data(self) -> tuple["Bunch", str]:
        """What the loader gives, and the SHA-256 over type, shape and values of its inputs and labels."""
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
        digest = hashlib.sha256()
        for array in (bunch.data, bunch.target):
            # Type and shape belong to the checksum: equal bytes of another shape are other data.
            digest.update(f"{array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return bunch, digest.hexdigest()


class BundledImages(Bundled):
    """A data set with `images` (n, height, width), for example the digits."""

    modality = "image"

    @checked
    def __init__(
        self, *, name: Name, loader: str, value_max: Number, caveat: str = "", metric: Metric = ACCURACY
    ) -> None:
        """Name a data set of images.

        Args:
            name: of the data set.
            loader: function in `sklearn.datasets`.
            value_max: the largest value that a pixel can take; every pixel is divided by it.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name=name, loader=loader, caveat=caveat, metric=metric)
        self.value_max = float(value_max)


class BundledTable(Bundled):
    """A data set with numeric columns, for example breast cancer."""

    modality = "table"
