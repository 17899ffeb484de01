"""What the curve of one cell is fitted and scored on."""

from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from crossover.core.cell import LEARNED
from crossover.core.layout import Layout
from crossover.data.prepared import Meta, Part
from crossover.data.splits import subset_order, subset_rows
from crossover.fitting.sizes import curve_sizes
from crossover.fitting.training import FitConfig, TrainingData

_TRAIN_SCORED = 1000
"""Examples of a subset that the training accuracy is measured on, so that it costs little beside the fit."""


@dataclass(frozen=True)
class Draw:
    """The rows of the training part that one fit is about; int64, sorted where nothing else is said.

    Attributes:
        seed: number of the repetition.
        subset: (n,), fitted on.
        scored: (at most 1,000,), those of `subset` that the training accuracy is measured on: the first ones of the
            nested order.
        watched: (n_watched,), those of `validation` that a model that selects by them may look at.
        validation: (n_validation,), held back from every model and scored on.
    """

    seed: int
    subset: np.ndarray
    scored: np.ndarray
    watched: np.ndarray
    validation: np.ndarray

    @property
    def n(self) -> int:
        """Examples that are fitted on."""
        return len(self.subset)


class CurveData:
    """The training and the test part, each read once, and the rows of each fit.

    Args:
        config: which data set and features, and the model's `modalities`.
        layout: where the data lie.
    """

    def __init__(self, config: FitConfig, layout: Layout):
        self._cell = config.cell
        self.cell_data = TrainingData(config, layout)

    @property
    def meta(self) -> Meta:
        return self.cell_data.meta

    @cached_property
    def train(self) -> Part:
        """The training part, validation rows included, in memory."""
        return _in_memory(self.cell_data.train)

    @cached_property
    def test(self) -> Part:
        """The test part, in memory; only for scores."""
        prepared = self.cell_data.prepared
        if self._cell.features == LEARNED:
            return _in_memory(prepared.test())
        X = self.cell_data.features.matrix("test")
        return _in_memory(Part(X, prepared.labels("test"), self.meta.n_classes))

    def sizes(self, sizes: int | list[int]) -> list[int]:
        """The sizes of every repetition; see `curve_sizes`."""
        return curve_sizes(sizes, self._labels[self._rest(0)])

    def draw(self, n: int, seed: int) -> Draw:
        """The rows of the fit on `n` examples in a repetition.

        A model that selects by validation examples gets them in proportion to its subset, so that no early stopping
        rests on more labels than belong to the size; but as many as there are classes, and at most all.

        Raises:
            CrossoverError: the subset cannot hold each class, or the repetition was not prepared.
        """
        rest, validation = self._rest(seed), self._validation(seed)
        y, y_validation = self._labels[rest], self._labels[validation]
        share = ceil(n * len(validation) / len(rest))
        watched = subset_order(y_validation, seed)[: max(share, self.meta.n_classes)]
        return Draw(
            seed=seed,
            subset=rest[subset_rows(y, n, seed)],
            scored=rest[subset_order(y, seed)[: min(n, _TRAIN_SCORED)]],
            watched=validation[np.sort(watched)],
            validation=validation,
        )

    @cached_property
    def _labels(self) -> np.ndarray:
        return self.cell_data.prepared.labels("train")

    def _validation(self, seed: int) -> np.ndarray:
        return self.cell_data.prepared.validation_rows(seed)

    def _rest(self, seed: int) -> np.ndarray:
        """The rows of the training part that subsets are drawn from."""
        return np.setdiff1d(np.arange(self.meta.n_train), self._validation(seed))


def _in_memory(part: Part) -> Part:
    """A copy of a memory-mapped part, so that no fit pays for the reading."""
    X = np.array(part.X) if isinstance(part.X, np.ndarray) else part.X
    return Part(X, part.y, part.n_classes, part.value_max)
