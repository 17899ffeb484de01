"""NumPy arrays of the user's own in one archive, as `numpy.savez` writes it: `X`, `y` and, if there is a test part,
`X_test`, `y_test`.

`crossover study` writes the YAML of such a data set; each key can be changed by hand.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt

from crossover.core.errors import CrossoverError, first_line
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import AllDifferent, Name, checked
from crossover.data.own_table import OwnFile, take
from crossover.data.prepared import Input, Modality, Part, keys_of
from crossover.data.source import DataSource, RawData
from crossover.data.splits import Fraction, subset_rows


class OwnArrays(DataSource):
    """Images uint8 (n, height, width) or (n, height, width, channels), numbers (n, columns), or texts (n,)."""

    modality: Modality

    @checked
    def __init__(
        self,
        *,
        name: Name,
        train: OwnFile,
        modality: Modality,
        classes: Annotated[Sequence[str], AllDifferent, Field(min_length=2)],
        sample: PositiveInt | None = None,
        groups: Literal["auto"] | None = None,
        test_fraction: Fraction | None = None,
        caveat: str = "",
        metric: Metric = ACCURACY,
    ) -> None:
        """Describe an archive.

        Args:
            name: of the data set.
            train: the archive.
            modality: what `X` holds.
            classes: the values of `y`, as text.
            sample: so many examples of a training part that has more, drawn with each class's share; None is all.
            groups: "auto" keeps equal examples in one part; None lets each stand for itself.
            test_fraction: share of the examples that are tested, without a test part; None for that of the protocol.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        self.train, self.modality, self.classes = train, modality, list(classes)
        self.sample, self.groups, self.test_fraction = sample, groups, test_fraction

    def download(self, folder: Path) -> list[Path]:
        return [take(self.train, folder, self.name)]

    def load(self, folder: Path) -> RawData:
        path = folder / self.train.name
        if not path.is_file():
            raise CrossoverError(f"{path} does not exist; make it with `{self.made_by}`")
        arrays = read_arrays(path)
        train = self._part(arrays["X"], arrays["y"], path)
        test = self._part(arrays["X_test"], arrays["y_test"], path) if "X_test" in arrays else None
        if self.sample is not None and self.sample < len(train):
            train = train.take(subset_rows(train.y, self.sample, seed=0))
        groups = None if self.groups is None else keys_of(train.X)
        return RawData(train, test, self.classes, groups)

    def _part(self, X: np.ndarray, y: np.ndarray, path: Path) -> Part:
        codes = pd.Series(labels_of(y)).map({label: code for code, label in enumerate(self.classes)})
        if codes.isna().any():
            raise CrossoverError(
                f"a label of {path} must be one of {self.classes}, got {labels_of(y)[codes.isna()][0]!r}; describe the "
                f"data anew with `crossover study`, or add it to classes in {self.origin}"
            )
        labels = codes.to_numpy(dtype=np.int64)
        if self.modality == "image":
            images = X if X.ndim == 4 else X[..., np.newaxis]  # (n, height, width) -> (n, height, width, 1)
            return Part(images, labels, len(self.classes), 255.0)
        return Part(as_input(X, self.modality), labels, len(self.classes))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an archive, checked for what all kinds of data need.

    Raises:
        CrossoverError: it is none, lacks an array, holds objects, or arrays of different lengths.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, AttributeError, TypeError, BadZipFile) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CrossoverError(
            f"{path} must be an archive of arrays without objects, as numpy.savez writes it, got {first_line(error)}; "
            "write it anew"
        ) from error
    wanted = ["X", "y"] + (["X_test", "y_test"] if {"X_test", "y_test"} & set(arrays) else [])
    for name in wanted:
        if name not in arrays:
            raise CrossoverError(
                f"{path} must hold the arrays {', '.join(wanted)}, got {', '.join(arrays) or 'none'}; write it anew"
            )
    for X, y in (("X", "y"), ("X_test", "y_test"))[: len(wanted) // 2]:
        if arrays[y].ndim != 1 or len(arrays[X]) != len(arrays[y]) or not len(arrays[y]):
            raise CrossoverError(
                f"{path} must hold a label in {y} for each example of {X}, got {arrays[y].shape} and {arrays[X].shape}"
            )
        if arrays[X].shape[1:] != arrays["X"].shape[1:] or arrays[X].dtype.kind != arrays["X"].dtype.kind:
            raise CrossoverError(f"{path} must hold the same kind of examples in X and in {X}; write it anew")
    return arrays


def labels_of(y: np.ndarray) -> np.ndarray:
    """Labels as text: object (n,)."""
    return np.array([str(label) for label in y.tolist()], dtype=object)


def as_input(X: np.ndarray, modality: Modality) -> Input:
    """Numbers as a table with the columns x0, x1, …, or texts as objects."""
    if modality == "text":
        return X.astype(str).astype(object)
    return pd.DataFrame(X.astype(np.float64), columns=[f"x{k}" for k in range(X.shape[1])])
