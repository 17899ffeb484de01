"""The subsets that a learning curve is measured on: how large they are, and which rows they hold."""

from dataclasses import dataclass
from math import ceil

import numpy as np

from crossover.core.errors import CrossoverError
from crossover.data.splits import subset_order, subset_rows
from crossover.fitting.data import TrainingData

LEAST_PER_CLASS = 5
"""Examples of the rarest class at the smallest size: below that, a fit is as good as its subset by chance."""

_DIGITS = 2
"""Significant digits of a size: 1,600 is read and remembered better than 1,583."""

_TRAIN_SCORED = 1000
"""Examples of a subset that the training accuracy is measured on, so that it costs little next to the fit."""


@dataclass(frozen=True)
class CurveSubset:
    """The rows of the training part that one fit of a curve uses; int64, sorted where nothing else is said.

    Attributes:
        seed: number of the repetition.
        train: (n,), fitted on.
        scored: (at most 1,000,), those of `train` that the training accuracy is measured on: the first ones of the
            nested order.
        watched: (n_watched,), those of `validation` that a model that selects by them may look at.
        validation: (n_validation,), held back from every model and scored on.
    """

    seed: int
    train: np.ndarray
    scored: np.ndarray
    watched: np.ndarray
    validation: np.ndarray

    @property
    def n(self) -> int:
        """Examples that are fitted on."""
        return len(self.train)


def curve_subset(data: TrainingData, n: int, seed: int) -> CurveSubset:
    """The rows of the fit on `n` examples in a repetition, the same ones for every model.

    A model that selects by validation examples gets them in proportion to its subset, so that no early stopping
    rests on more labels than belong to the size; but as many as there are classes, and at most all.

    Raises:
        CrossoverError: the subset cannot hold each class, or the repetition was not prepared.
    """
    validation, rest = data.prepared.validation_rows(seed), data.prepared.fitting_rows(seed)
    y, times, y_validation = data.labels[rest], data.times_of(rest), data.labels[validation]
    share = ceil(n * len(validation) / len(rest))
    watched = subset_order(y_validation, seed)[: max(share, data.meta.n_classes)]
    return CurveSubset(
        seed=seed,
        train=rest[subset_rows(y, n, seed, times)],
        scored=rest[subset_order(y, seed, times)[: min(n, _TRAIN_SCORED)]],
        watched=validation[np.sort(watched)],
        validation=validation,
    )


def sizes_of(data: TrainingData, sizes: int | list[int]) -> list[int]:
    """The sizes of a data set's curves, rising: `curve_sizes` of the examples that every repetition can fit on.

    Raises:
        CrossoverError: see `curve_sizes`.
    """
    rows = data.prepared.fitting_rows(0)
    every = range(data.prepared.repetitions if data.prepared.groups is not None else 1)
    most = min(len(data.prepared.fitting_rows(k)) for k in every)  # groups of validation rows differ in size
    rows = rows[subset_rows(data.labels[rows], most, 0, data.times_of(rows))]
    return curve_sizes(sizes, data.labels[rows], data.times_of(rows))


def curve_sizes(sizes: int | list[int], y: np.ndarray, times: np.ndarray | None = None) -> list[int]:
    """The sizes of one data set, rising; the last one is all examples.

    Args:
        sizes: how many, spaced evenly on a logarithmic scale from about five examples of the rarest class, rounded
            to two significant digits; or the sizes themselves, of which those of at least all examples are
            left out. Sizes that rounding makes equal count once.
        y: int64 (m,), labels of the examples that subsets are drawn from.
        times: float64 (m,), see `subset_order`.

    Raises:
        CrossoverError: a listed size cannot hold an example of each class.
    """
    if isinstance(sizes, int):
        rarest = np.unique(y, return_counts=True)[1].min() / len(y)
        least = min(ceil(LEAST_PER_CLASS / rarest), len(y))
        holding = 0
        if times is not None:  # the latest examples may lack a class that was there before
            latest = y[subset_order(y, 0, times)]
            places = [np.flatnonzero(latest == c)[:LEAST_PER_CLASS] + 1 for c in np.unique(y)]
            holding = max(int(place[0]) for place in places)
            least = max(least, *(int(place[-1]) for place in places))
        spaced = np.geomspace(least, len(y), sizes)[:-1]
        rounded = {int(float(f"{n:.{_DIGITS - 1}e}")) for n in spaced}
        sizes = sorted(n for n in rounded if n >= holding)
    below = [n for n in sizes if n < len(y)]
    for n in below:
        try:
            subset_rows(y, n, seed=0, times=times)
        except CrossoverError as error:
            raise CrossoverError(f"learning_curve.sizes: {error}") from error
    return [*below, len(y)]
