"""Image data sets whose addresses, checksums and file formats torchvision knows."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from crossover.core.errors import CrossoverError
from crossover.data.fetch import PublishedFile, fetch, require_published
from crossover.data.prepared import Part
from crossover.data.source import DataSource, RawData

VALUE_MAX = 255.0


class TorchvisionImages(DataSource):
    """What the families share: torchvision's class reads the publisher's files from a temporary folder."""

    modality = "image"
    family: str  # torchvision's base class

    def __init__(self, *, name: str, dataset: str, classes: Sequence[str] | None = None) -> None:
        """Name a data set.

        Args:
            name: of the data set.
            dataset: class in `torchvision.datasets`, for example "MNIST".
            classes: names of the classes; torchvision's where none are given.
        """
        super().__init__(name)
        self.dataset = dataset
        self.classes = None if classes is None else list(classes)

    def download(self, folder: Path) -> list[Path]:
        return [fetch(file, self.name, folder) for file in self._files()]

    def load(self, folder: Path) -> RawData:
        from torchvision.datasets.utils import extract_archive

        archives = [require_published(file, folder, self.made_by) for file in self._files()]
        with TemporaryDirectory() as root:
            unpacked = Path(root) / self._unpacked
            unpacked.mkdir(parents=True, exist_ok=True)
            for archive in archives:
                extract_archive(archive, unpacked)
            cls = self._torchvision_class()
            train, test = (cls(Path(root), train=is_train, download=False) for is_train in (True, False))
            classes = self.classes or [str(name) for name in train.classes]
            return RawData(_part(train, len(classes)), _part(test, len(classes)), classes)

    @property
    @abstractmethod
    def _unpacked(self) -> str:
        """The folder below torchvision's root where its class looks for the unpacked files."""

    @abstractmethod
    def _files(self) -> list[PublishedFile]:
        """The published files, as torchvision describes them."""

    def _torchvision_class(self) -> Any:
        import torchvision.datasets

        cls = getattr(torchvision.datasets, self.dataset, None)
        if not isinstance(cls, type) or not issubclass(cls, getattr(torchvision.datasets, self.family)):
            raise CrossoverError(
                f"dataset must name torchvision's {self.family} or a class derived from it, got "
                f"{self.dataset!r} ({self.origin})"
            )
        return cls


class MNISTImages(TorchvisionImages):
    """MNIST and the data sets in its format: four compressed files, grey images."""

    family = "MNIST"

    @property
    def _unpacked(self) -> str:
        return f"{self.dataset}/raw"

    def _files(self) -> list[PublishedFile]:
        cls = self._torchvision_class()
        return [PublishedFile(n, md5, tuple(f"{m}{n}" for m in cls.mirrors)) for n, md5 in cls.resources]


class CIFARImages(TorchvisionImages):
    """CIFAR-10 and the data sets in its format: one archive, colour images."""

    family = "CIFAR10"
    _unpacked = "."

    def _files(self) -> list[PublishedFile]:
        cls = self._torchvision_class()
        return [PublishedFile(cls.filename, cls.tgz_md5, (cls.url,))]


def _part(dataset: Any, n_classes: int) -> Part:
    X = np.asarray(dataset.data, dtype=np.uint8)
    if X.ndim == 3:
        X = X[..., np.newaxis]  # (n, height, width) -> (n, height, width, 1)
    return Part(X, np.asarray(dataset.targets, dtype=np.int64), n_classes, VALUE_MAX)
