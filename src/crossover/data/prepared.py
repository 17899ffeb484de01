"""The prepared data set: what every later stage reads, and the only form in which data pass between stages.

`data/prepared/<dataset>/` holds

    meta.json                 Meta
    statistics.json           statistics of the first training part
    train/<k>/X.npy           images: uint8 (n, height, width, channels)
    train/<k>/X.parquet       tables: one column a variable; numbers float64, categories strings, missing null;
                              texts: one column of strings, "text"
    train/<k>/y.npy           int64 (n,), classes are 0 .. n_classes - 1
    train/<k>/rows.npy        int64 (n,): which examples of the raw files these are
    train/<k>/validation.npy  int64 (repetitions, n_validation): sorted rows of train, one line a repetition
    train/<k>/groups.npy      int64 (n,), equal for examples that stay together; missing where each stands for itself
    train/<k>/times.npy       float64 (n,); missing where the examples are in no order of time
    test/<k>/X.npy | X.parquet, y.npy, rows.npy

for each split k. A publisher's split is the only one, and its test part stays in the publisher's order; a split by time
is the only one, too. Else repetition k has split k.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np
import pandas as pd

from crossover.core.errors import CrossoverError
from crossover.core.files import broken_as, existing, read_array, read_json, write_json
from crossover.core.metric import ACCURACY, Metric
from crossover.data.splits import Split, fitting_rows

Modality = Literal["image", "table", "text"]
PartName = Literal["train", "test"]
Input = np.ndarray | pd.DataFrame
"""Examples: images uint8 (n, height, width, channels), a table with n rows, texts object (n,) of strings, or features
float32 (n, d), which may be a sparse matrix of SciPy's as well."""


def modality_of(X: Input) -> Modality:
    """The kind of data set that prepared examples belong to."""
    if isinstance(X, pd.DataFrame):
        return "table"
    return "text" if X.dtype == object else "image"


def texts_of(X: Input) -> list[str]:
    """The texts of a set of texts."""
    return np.asarray(X).tolist()


def modality_set(names: Any, origin: str = "") -> frozenset[str]:
    """The kinds of data set that a model or feature set takes, as its YAML lists them under `modalities`.

    Args:
        names: what the YAML gives.
        origin: the file, for the error message; empty where the caller adds it.

    Raises:
        CrossoverError: it is no list, is empty or names another kind: such a cell would apply to no data set,
            and would be left out without a message.
    """
    known = get_args(Modality)
    found = list(names) if isinstance(names, Iterable) and not isinstance(names, str) else []
    if not found or not set(found) <= set(known):
        raise CrossoverError(
            f"modalities must be a list of {', '.join(known[:-1])} and {known[-1]}, one or more of them, got "
            f"{found or names!r}" + (f" ({origin})" if origin else "")
        )
    return frozenset(found)


@dataclass(frozen=True)
class Part:
    """Examples with their labels.

    Attributes:
        X: as `Input`.
        y: int64 (n,), classes 0 .. n_classes - 1; a part need not hold every class.
        n_classes: number of classes of the data set.
        value_max: the largest value that a pixel can take (255, or 16 for digits); 1.0 for what is no image.
        n_codes: how many of the last columns of features hold codes of categories.
    """

    X: Input
    y: np.ndarray
    n_classes: int
    value_max: float = 1.0
    n_codes: int = 0

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: np.ndarray) -> "Part":
        """The given rows, in the given order."""
        X = self.X.iloc[rows].reset_index(drop=True) if isinstance(self.X, pd.DataFrame) else self.X[rows]
        return replace(self, X=X, y=self.y[rows])

    def without(self, rows: np.ndarray) -> "Part":
        """All but the given rows, in their own order."""
        keep = np.ones(len(self), dtype=bool)
        keep[rows] = False
        return self.take(np.flatnonzero(keep))


@dataclass(frozen=True)
class Meta:
    """What a stage must know about a data set without reading it.

    Attributes:
        dataset: name, as in `conf/dataset/<name>.yaml`.
        modality: "image", "table" or "text".
        classes: the publisher's name of each class.
        input_shape: (height, width, channels) of an image, (columns,) of a table, () of a text.
        value_max: the largest value that a pixel can take; 1.0 for what is no image.
        n_train: rows of the training part, validation rows included; of the first one, where groups make them differ.
        n_test: rows of the test part.
        split: how the test part was chosen, in words.
        splits: how many splits there are: 1 for a publisher's and for one by time.
        test_overlap: share of its test examples that a test part has in common with another one, on average; None
            for a single split.
        metric: by which models are chosen and compared on it.
        checksum: SHA-256 of the raw files (which record that of the arrays, for a data set inside a library).
    """

    dataset: str
    modality: Modality
    classes: list[str]
    input_shape: list[int]
    value_max: float
    n_train: int
    n_test: int
    split: str
    checksum: str
    splits: int = 1
    test_overlap: float | None = None
    task: str = "classification"
    metric: Metric = ACCURACY

    @property
    def n_classes(self) -> int:
        return len(self.classes)


class Prepared:
    """A split of a prepared data set on disk; arrays are memory-mapped, and each part is read when it is asked for.

    Args:
        folder: of the data set.
        split: number of the split.
    """

    def __init__(self, folder: Path, split: int = 0):
        self.folder, self.split = folder, split
        self._made_by = f"python pipelines/prepare.py dataset={folder.name}"

    def of(self, repetition: int) -> Self:
        """The split of a repetition; one beyond the last split begins again with the first."""
        return type(self)(self.folder, repetition % self.meta.splits)

    def require_splits(self, repetitions: int) -> None:
        """Refuse more repetitions than the data set has splits, where it has several.

        Raises:
            CrossoverError: two of the repetitions would share a test part, and count as independent.
        """
        if 1 < self.meta.splits < repetitions:
            raise CrossoverError(
                f"each repetition needs a test part of its own, got {repetitions} repetitions of {self.meta.dataset}, "
                f"which has {self.meta.splits} parts; raise `test_parts` in conf/protocol/default.yaml and run "
                f"`{self._made_by}`"
            )

    @cached_property
    def meta(self) -> Meta:
        return Meta(**read_json(self.folder / "meta.json", self._made_by))

    @cached_property
    def statistics(self) -> dict[str, Any]:
        """Statistics of the first training part (see `crossover.data.statistics`)."""
        return read_json(self.folder / "statistics.json", self._made_by)

    def train(self) -> Part:
        """The training part, validation rows included."""
        return Part(self.inputs("train"), self.labels("train"), self.meta.n_classes, self.meta.value_max)

    def test(self) -> Part:
        """The test part; only the stages that score may ask for it."""
        return Part(self.inputs("test"), self.labels("test"), self.meta.n_classes, self.meta.value_max)

    def labels(self, part: PartName) -> np.ndarray:
        """Labels alone: int64 (n,)."""
        return read_array(self._of(part) / "y.npy", self._made_by)

    def inputs(self, part: PartName) -> Input:
        """Inputs alone, without labels."""
        if self.meta.modality != "image":
            path = self._of(part) / "X.parquet"
            with broken_as(path, self._made_by):
                table = pd.read_parquet(existing(path, self._made_by))
                return table if self.meta.modality == "table" else table["text"].to_numpy(dtype=object)
        return read_array(self._of(part) / "X.npy", self._made_by, mapped=True)

    def rows(self, part: PartName) -> np.ndarray:
        """Which examples of the raw files the part holds: int64 (n,); those of a publisher's part by themselves."""
        return read_array(self._of(part) / "rows.npy", self._made_by)

    def _of(self, part: PartName) -> Path:
        return self.folder / part / str(self.split)

    @cached_property
    def _validation(self) -> np.ndarray:
        return read_array(self._of("train") / "validation.npy", self._made_by)

    @property
    def repetitions(self) -> int:
        """How many validation splits were drawn."""
        return len(self._validation)

    @cached_property
    def groups(self) -> np.ndarray | None:
        """Of the training part, int64 (n,), equal for examples that stay together; None where there are none."""
        return self._if_there("groups.npy")

    @cached_property
    def times(self) -> np.ndarray | None:
        """Of the training part, float64 (n,); None where they are in no order of time.

        Where there are some, all repetitions have the same parts and the same validation rows.
        """
        return self._if_there("times.npy")

    def _if_there(self, name: str) -> np.ndarray | None:
        path = self._of("train") / name
        return read_array(path, self._made_by) if path.exists() else None

    def fitting_rows(self, repetition: int) -> np.ndarray:
        """Rows of the training part that repetition k fits on next to its validation rows: int64, sorted.

        Raises:
            CrossoverError: see `validation_rows`.
        """
        return fitting_rows(len(self.labels("train")), self.validation_rows(repetition), self.groups)

    def validation_rows(self, repetition: int) -> np.ndarray:
        """Rows of the training part that repetition k validates on: int64 (n_validation,), sorted.

        Raises:
            CrossoverError: the data set was prepared for fewer repetitions.
        """
        rows = self._validation
        if not 0 <= repetition < len(rows):
            raise CrossoverError(
                f"a repetition must lie between 0 and {len(rows) - 1}, got {repetition}; for more, "
                f"raise `repetitions` in conf/protocol/default.yaml and run `{self._made_by}`"
            )
        return rows[repetition]


def write_prepared(
    folder: Path,
    meta: Meta,
    statistics: dict[str, Any],
    parts: Iterable[tuple[Part, Part]],
    splits: list[Split],
    groups: np.ndarray | None = None,
    times: np.ndarray | None = None,
) -> None:
    """Write a prepared data set into an existing empty folder.

    Args:
        folder: where to.
        meta: what later stages know of the data set.
        statistics: of the first training part, JSON-serialisable.
        parts: training and test part of each split.
        splits: which rows they are.
        groups: of all rows that training parts are taken from, see `Prepared`.
        times: likewise.
    """
    write_json(folder / "meta.json", asdict(meta))
    write_json(folder / "statistics.json", statistics)
    for k, (both, split) in enumerate(zip(parts, splits, strict=True)):
        for name, part, rows in zip(("train", "test"), both, (split.train, split.test), strict=True):
            place = folder / name / str(k)
            place.mkdir(parents=True)
            if modality_of(part.X) == "image":
                np.save(place / "X.npy", part.X)
            else:
                table = part.X if isinstance(part.X, pd.DataFrame) else pd.DataFrame({"text": part.X})
                table.to_parquet(place / "X.parquet", index=False)
            np.save(place / "y.npy", part.y.astype(np.int64))
            np.save(place / "rows.npy", rows)
        np.save(folder / "train" / str(k) / "validation.npy", split.validation)
        for name, values in (("groups", groups), ("times", times)):
            if values is not None:
                np.save(folder / "train" / str(k) / f"{name}.npy", values[split.train])


def keys_of(*inputs: Input) -> np.ndarray:
    """Numbers of examples, equal where the examples are: int64 (n,), for all inputs one after the other.

    Texts that differ in capitals and blanks alone are equal.
    """
    if isinstance(inputs[0], pd.DataFrame):
        table = pd.concat([X for X in inputs if isinstance(X, pd.DataFrame)], ignore_index=True)
        hashes = pd.util.hash_pandas_object(table, index=False).to_numpy()
    elif modality_of(inputs[0]) == "text":
        texts = [" ".join(text.split()).casefold() for X in inputs for text in texts_of(X)]
        hashes = pd.util.hash_array(np.array(texts, dtype=object))
    else:
        flat = np.concatenate([np.asarray(X).reshape(len(X), -1) for X in inputs])
        hashes = np.ascontiguousarray(flat).view(f"V{flat.shape[1]}").ravel()
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)
