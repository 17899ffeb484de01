"""What a cell is fitted on."""

import logging
from dataclasses import replace
from functools import cached_property
from time import perf_counter
from typing import Literal

import numpy as np

from crossover.core.cell import LEARNED
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.data.prepared import Meta, Part, PartName, Prepared, modality_set
from crossover.data.splits import subset_rows
from crossover.features.base import Features, FeatureSet, versions_of
from crossover.fitting.config import FitConfig

log = logging.getLogger(__name__)


class TrainingData:
    """A training part of a cell's data set, as features or as it is, and its validation rows.

    Args:
        config: which data set and features, and the model's `modalities`.
        layout: where the data lie.
        split: number of the data set's split; searches and learning curves have the first one.
    """

    def __init__(self, config: FitConfig, layout: Layout, split: int = 0):
        self.config, self.layout, self.split_number = config, layout, split
        self.prepared = Prepared(layout.prepared(config.cell.dataset), split)
        self.features = Features(layout.features(config.cell.dataset, config.cell.features), split)

    @property
    def meta(self) -> Meta:
        return self.prepared.meta

    @cached_property
    def train(self) -> Part:
        """The whole training part, validation rows included; an array is memory-mapped. See `fitted`."""
        if self.config.cell.features == LEARNED:
            return self.prepared.train()
        return self._of_features("train", self.labels)

    @property
    def fitted(self) -> Part:
        """What a fit on the whole training part gets: its rows and, after them, their virtual examples."""
        versions = None if self.config.cell.features == LEARNED else self.features.versions()
        return _with_versions(self.train, versions)

    @cached_property
    def test(self) -> Part:
        """The test part, only for scores; in memory, so that no prediction pays for the reading."""
        if self.config.cell.features == LEARNED:
            part = self.prepared.test()
        else:
            part = self._of_features("test", self.prepared.labels("test"))
        return replace(part, X=np.array(part.X)) if isinstance(part.X, np.ndarray) else part

    def _of_features(self, name: PartName, y: np.ndarray) -> Part:
        n_codes = self.features.meta.n_codes
        return Part(self.features.matrix(name), y, self.meta.n_classes, n_codes=n_codes)

    @cached_property
    def labels(self) -> np.ndarray:
        """Labels of the whole training part: int64 (n_train,)."""
        return self.prepared.labels("train")

    def split(self, repetition: int, examples: int | None = None) -> tuple["SubsetInputs", Part]:
        """The rows of the training part that a repetition fits on, and its validation rows.

        Args:
            repetition: its number.
            examples: size of a subset of the former, see `subset_rows`; None for all of them.

        Raises:
            CrossoverError: see `subset_rows`.
        """
        rows = self.prepared.fitting_rows(repetition)
        if examples is not None:
            rows = rows[subset_rows(self.labels[rows], examples, repetition, self.times_of(rows))]
        inputs = SubsetInputs(self, rows)
        return inputs, inputs.take(self.prepared.validation_rows(repetition))

    def times_of(self, rows: np.ndarray) -> np.ndarray | None:
        """When these rows of the training part were; None where they are in no order of time."""
        return None if self.prepared.times is None else self.prepared.times[rows]

    def stored_feature_seconds(self, n: int) -> float:
        """Wall clock of making the features of `n` examples that lie on disk; 0 where a fit makes its own."""
        if self.config.cell.features == LEARNED or self.features.meta.learns:
            return 0.0
        return self.features.costs.of(n)

    def why_not(self) -> str:
        """The reason why the cell does not apply to its data set; empty where it does.

        Reads the YAML alone, so that it costs no import of a model library.

        Raises:
            CrossoverError: the YAML's `modalities` names no kind of data set.
        """
        cell = self.config.cell
        takes = modality_set(self.config.model.get("modalities"), self.config.model_origin)
        if self.meta.modality not in takes:
            return f"{cell.model} takes {' and '.join(sorted(takes))} data, {cell.dataset} is {self.meta.modality} data"
        return "" if cell.features == LEARNED else self.features.meta.reason

    def refused(self, not_applicable: Literal["record", "error"]) -> str:
        """`why_not`, logged where it is to be written down.

        Raises:
            CrossoverError: the cell does not apply, and that is to be an error.
        """
        reason = self.why_not()
        if reason and not_applicable == "error":
            raise CrossoverError(f"{reason} ({self.config.model_origin}); choose another model or data set")
        if reason:
            log.info("%s: does not apply: %s", self.config.cell.path, reason)
        return reason


class SubsetInputs:
    """What a fit on some rows of the training part gets, and what it predicts on.

    A network gets the prepared input. A classical model gets features; where the feature set learns from the examples
    (means, categories), it learns from these rows alone, as the encoder inside a network does.

    Args:
        data: of the cell.
        rows: int64 (n,), rows of the training part to fit on.

    Attributes:
        train: these rows.
        fitted: what the fit gets: these rows and, after them, their virtual examples.
    """

    def __init__(self, data: TrainingData, rows: np.ndarray):
        self._data, self._feature_set = data, None
        self._learned = data.config.cell.features == LEARNED
        if self._learned or not data.features.meta.learns:
            self.train = data.train.take(rows)
            versions = None if self._learned else data.features.versions()
            self.fitted = _with_versions(self.train, None if versions is None else versions[rows])
            return
        start = perf_counter()
        part = data.prepared.train().take(rows)
        self._feature_set = build(
            data.features.meta.config, f"conf/features/{data.features.meta.features}.yaml", FeatureSet
        ).fit(part)
        self.train = self._transformed(part)
        self.fitted = _with_versions(self.train, versions_of(self._feature_set, part.X))
        self._seconds = perf_counter() - start

    @property
    def feature_seconds(self) -> float:
        """Wall clock of making the features of `train`; 0 for a network, whose input needs none.

        Features that learn nothing lie on disk for all rows, and these rows take their share of the time.
        """
        return self._seconds if self._feature_set else self._data.stored_feature_seconds(len(self.train))

    def take(self, rows: np.ndarray) -> Part:
        """Other rows of the training part."""
        if self._feature_set is None:
            return self._data.train.take(rows)
        return self._transformed(self._data.prepared.train().take(rows))

    @property
    def test(self) -> Part:
        """The test part, only for scores."""
        if self._feature_set is None:
            return self._data.test
        return self._transformed(self._data.prepared.test())

    def _transformed(self, part: Part) -> Part:
        assert self._feature_set is not None
        X, n_codes = self._feature_set.transform(part.X), self._feature_set.n_codes
        return Part(X, part.y, part.n_classes, n_codes=n_codes)


def _with_versions(part: Part, versions: np.ndarray | None) -> Part:
    """A part of features and, after its rows, their virtual examples (n, versions, n_features)."""
    if versions is None:
        return part
    _, count, width = versions.shape
    X = np.concatenate([part.X, versions.reshape(-1, width)])
    return replace(part, X=X, y=np.concatenate([part.y, np.repeat(part.y, count)]))
