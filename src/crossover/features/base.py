"""The contract of a feature set, and the form in which features lie on disk.

`data/features/<dataset>/<feature set>/` holds

    train/meta.json   FeatureMeta; where the feature set does not apply, this file is all there is
    cost.json         FeatureCosts, measured
    train/<k>/X.npy   float32 (n_train, n_features), memory-mappable; of a sparse feature set X.npz, in SciPy's format
    train/<k>/V.npy   float32 (n_train, versions, n_features), likewise: virtual examples; missing where there are none
    test/<k>/X.npy    float32 (n_test, n_features), or X.npz
    featurizer/<k>/   the fitted feature set, as `FeatureSet.save` wrote it

for each split k of the prepared data set.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from crossover.core.errors import CrossoverError
from crossover.core.files import broken_as, read_array, read_json
from crossover.data.prepared import Input, Part, PartName, modality_set


@dataclass(frozen=True)
class FeatureMeta:
    """What the training stage must know about a feature matrix without reading it.

    Attributes:
        dataset: name of the data set.
        features: name of the feature set.
        applicable: whether the feature set takes this data set's modality.
        reason: why it does not; empty where it does.
        n_features: columns of the matrix of the first split; 0 where it does not apply.
        names: one name a column, or a block with its width such as "hog (576)"; empty where not applicable.
        learns: as `FeatureSet.learns`, after the fit on the whole training part.
        n_codes: as `FeatureSet.n_codes`, likewise.
        config: the feature set's YAML, from which another one is built that learns from a subset.
    """

    dataset: str
    features: str
    applicable: bool
    reason: str
    n_features: int
    names: list[str]
    learns: bool = False
    n_codes: int = 0
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FeatureCosts:
    """What it took to make the features of the training part.

    Attributes:
        seconds: wall clock of `fit` and of `transform`, virtual examples included.
        n: examples.
    """

    seconds: float
    n: int

    def of(self, n: int) -> float:
        """Seconds for `n` examples, in proportion: each row depends on its own example."""
        return self.seconds * n / self.n


class FeatureSet(ABC):
    """Turns prepared input into a feature matrix; built from `conf/features/<name>.yaml`.

    Attributes:
        modalities: the kinds of data set that it takes.
        learns: whether `fit` learned something from the values of the examples (means, categories). Then a fit on a
            subset needs features that were learned from the subset alone.
        n_codes: how many of the last columns hold codes of categories, whole numbers from 0.
    """

    modalities: frozenset[str]
    learns: bool = False

    @property
    def n_codes(self) -> int:
        return 0

    def __init__(self, modalities: Iterable[str]) -> None:
        self.modalities = modality_set(modalities)

    @abstractmethod
    def fit(self, train: Part) -> Self:
        """Learn whatever the transformation needs (means, categories) from the training part alone."""

    @abstractmethod
    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        """Features float32 (n, n_features); each row depends on its own example and on `fit` alone.

        A sparse feature set gives SciPy's `csr_matrix`.
        """

    def versions(self, X: Input) -> list[Input]:
        """Virtual examples: for the training, other versions of each example that have its class, as n more each."""
        return []

    @abstractmethod
    def names(self) -> list[str]:
        """One name a column, or block names with their widths."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the fitted feature set into an existing empty folder, in a format that holds no code."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read a fitted feature set back; runs no code from the file."""


def require_images(X: Input, shape: tuple[int, ...]) -> np.ndarray:
    """The same images (n, *shape), of the shape that a feature set was fitted on.

    Raises:
        CrossoverError: it is a table, or of another shape.
    """
    if tuple(X.shape[1:]) != shape or not isinstance(X, np.ndarray):
        raise CrossoverError(
            f"images must have the shape that the feature set was fitted on, {shape}, got {tuple(X.shape[1:])}; "
            "make the features again with `dvc repro`"
        )
    return X


class Features:
    """A feature matrix on disk, memory-mapped.

    Args:
        folder: of the feature set of a data set.
        split: number of the data set's split.
    """

    def __init__(self, folder: Path, split: int = 0):
        self.folder, self.split = folder, split
        self._made_by = f"python pipelines/featurize.py dataset={folder.parent.name} features={folder.name}"

    @property
    def meta(self) -> FeatureMeta:
        return FeatureMeta(**read_json(self.folder / "train" / "meta.json", self._made_by))

    @property
    def costs(self) -> FeatureCosts:
        return FeatureCosts(**read_json(self.folder / "cost.json", self._made_by))

    @property
    def featurizer(self) -> Path:
        """The folder of the fitted feature set."""
        return self.folder / "featurizer" / str(self.split)

    def matrix(self, part: PartName) -> np.ndarray:
        """Features of one part: float32 (n, n_features); SciPy's `csr_matrix` of a sparse feature set."""
        path = self.folder / part / str(self.split) / "X.npy"
        sparse = path.with_suffix(".npz")
        if not sparse.exists():
            return read_array(path, self._made_by, mapped=True)
        from scipy.sparse import load_npz

        with broken_as(sparse, self._made_by):
            return load_npz(sparse)

    def versions(self) -> np.ndarray | None:
        """Features of the virtual examples of the training part: float32 (n_train, versions, n_features)."""
        path = self.folder / "train" / str(self.split) / "V.npy"
        return read_array(path, self._made_by, mapped=True) if path.exists() else None


def write_matrix(folder: Path, X: np.ndarray) -> None:
    """Write the features of one part, dense or sparse, into an existing folder."""
    if isinstance(X, np.ndarray):
        np.save(folder / "X.npy", np.ascontiguousarray(X, np.float32))
        return
    from scipy.sparse import save_npz

    save_npz(folder / "X.npz", X.astype(np.float32), compressed=False)


def versions_of(feature_set: FeatureSet, X: Input, *, jobs: int = 1) -> np.ndarray | None:
    """Features of the virtual examples of a fitted feature set: float32 (n, versions, n_features); None without any."""
    made = [feature_set.transform(version, jobs=jobs) for version in feature_set.versions(X)]
    return np.stack(made, axis=1) if made else None
