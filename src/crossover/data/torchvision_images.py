"""Image data sets whose addresses, checksums and file formats torchvision knows."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import AllDifferent, Name, checked
from crossover.data.fetch import MOST_BYTES, PublishedFile, fetch, require_published
from crossover.data.prepared import Part
from crossover.data.source import DataSource, RawData

VALUE_MAX = 255.0


class TorchvisionImages(DataSource):
    """What the families share: torchvision's class reads the publisher's files from a temporary folder."""

    modality = "image"
    family: ClassVar[str]  # torchvision's base class
    _unpacked: ClassVar[str]  # where below its root that class looks for the unpacked files

    @checked
    def __init__(
        self,
        *,
        name: Name,
        dataset: str,
        classes: Annotated[Sequence[str] | None, AllDifferent] = None,
        most_bytes: PositiveInt = MOST_BYTES,
        caveat: str = "",
        metric: Metric = ACCURACY,
    ) -> None:
        """Name a data set.

        Args:
            name: of the data set.
            dataset: class in `torchvision.datasets`, for example "MNIST".
            classes: names of the classes; torchvision's where none are given.
            most_bytes: of a file; no more is fetched.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        self.dataset, self.most_bytes = dataset, most_bytes
        self.classes = None if classes is None else list(classes)

    def download(self, folder: Path) -> list[Path]:
        return [fetch(file, self.name, folder) for file in self._files()]

    def load(self, folder: Path) -> RawData:
        from torchvision.datasets.utils import extract_archive

        archives = [require_published(file, folder, self.made_by) for file in self._files()]
        with TemporaryDirectory() as root:
            unpacked = Path(root) / self._unpacked.format(dataset=self.dataset)
            unpacked.mkdir(parents=True, exist_ok=True)
            for archive in archives:
                extract_archive(archive, unpacked)
            cls = self._torchvision_class()
            parts = []
            for is_train in (True, False):
                dataset = cls(Path(root), train=is_train, download=False)
                classes = self.classes or [str(name) for name in dataset.classes]
                X = np.asarray(dataset.data, dtype=np.uint8)
                if X.ndim == 3:
                    X = X[..., np.newaxis]  # (n, height, width) -> (n, height, width, 1)
                y = np.asarray(dataset.targets, dtype=np.int64)
                parts.append(Part(X, y, len(classes), VALUE_MAX))
            return RawData(train=parts[0], test=parts[1], classes=classes)

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
    _unpacked = "{dataset}/raw"

    def _files(self) -> list[PublishedFile]:
        cls = self._torchvision_class()
        return [
            PublishedFile(name, md5, tuple(f"{mirror}{name}" for mirror in cls.mirrors), self.most_bytes)
            for name, md5 in cls.resources
        ]


class CIFARImages(TorchvisionImages):
    """CIFAR-10 and the data sets in its format: one archive, colour images."""

    family = "CIFAR10"
    _unpacked = "."

    def _files(self) -> list[PublishedFile]:
        cls = self._torchvision_class()
        return [PublishedFile(cls.filename, cls.tgz_md5, (cls.url,), self.most_bytes)]
