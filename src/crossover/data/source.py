"""The contract of a data set's source."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from crossover.core.metric import ACCURACY, Metric
from crossover.data.prepared import Modality, Part


@dataclass(frozen=True)
class RawData:
    """A data set as its publisher gives it, in the types of `crossover.data.prepared`.

    Attributes:
        train: images uint8 (n, height, width, channels), a table (numbers float64, categories strings, missing is
            null) or texts object (n,), with labels int64 (n,); all examples, where the publisher gives no test part.
        test: the publisher's test part in the publisher's order, or None.
        classes: the publisher's name of each class; label i stands for classes[i].
        groups: int64 (n,) of `train`, equal for examples that no split may part; None where each stands for itself.
        times: float64 (n,) of `train`, by which splits go forward; None where the examples are in no order of time.
    """

    train: Part
    test: Part | None
    classes: list[str]
    groups: np.ndarray | None = None
    times: np.ndarray | None = None


class DataSource(ABC):
    """Where a data set comes from and how its files are read; built from `conf/dataset/<name>.yaml`.

    A subclass takes explicit keyword-only arguments (never `**kwargs`), so that a misspelt key is an error.

    Attributes:
        modality: the kind of input.
        name: of the data set, as of its YAML file.
        caveat: what a reader must know to judge the data set's accuracies, as sentences; empty where there is nothing.
        metric: by which its models are chosen and compared, of `core.metric`.
        origin: the file that the source was built from, for an error's advice.
        made_by: the command that makes the raw files, for an error's advice.
        test_fraction: share of the examples that are tested; None for that of the protocol.
    """

    modality: Modality
    test_fraction: float | None = None

    def __init__(self, name: str, caveat: str = "", metric: Metric = ACCURACY) -> None:
        self.name, self.caveat, self.metric = name, caveat, metric
        self.origin = f"conf/dataset/{name}.yaml"
        self.made_by = f"python pipelines/download.py dataset={name}"

    @abstractmethod
    def download(self, folder: Path) -> list[Path]:
        """Put the publisher's files, unaltered, into an existing folder, and return them.

        A file that is there already with the right checksum is kept as it is.

        Raises:
            CrossoverError: no address has a file, or a file's checksum is wrong.
        """

    @abstractmethod
    def load(self, folder: Path) -> RawData:
        """Read what `download` put there.

        Raises:
            CrossoverError: a file is missing, is not the publisher's, or is not as the configuration says.
        """
