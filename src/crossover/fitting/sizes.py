"""The sizes at which a learning curve is measured."""

from math import ceil

import numpy as np

from crossover.core.errors import CrossoverError
from crossover.data.splits import subset_rows

LEAST_PER_CLASS = 5
"""Examples of the rarest class at the smallest size: below that, a fit is as good as its draw."""

_DIGITS = 2
"""Significant digits of a size: 1,600 is read and remembered better than 1,583."""


def curve_sizes(sizes: int | list[int], y: np.ndarray) -> list[int]:
    """The sizes of one data set, rising; the last one is all examples.

    Args:
        sizes: how many, spaced evenly on a logarithmic scale from about five examples of the rarest class, rounded
            to two significant digits; or the sizes themselves, of which those of at least all examples are
            left out. Sizes that rounding makes equal count once.
        y: int64 (m,), labels of the examples that subsets are drawn from.

    Raises:
        CrossoverError: a listed size cannot hold an example of each class.
    """
    below = _spaced(sizes, y) if isinstance(sizes, int) else [n for n in sizes if n < len(y)]
    for n in below:
        _require_every_class(n, y)
    return [*below, len(y)]


def _spaced(count: int, y: np.ndarray) -> list[int]:
    share = np.unique(y, return_counts=True)[1].min() / len(y)
    least = min(ceil(LEAST_PER_CLASS / share), len(y))
    rounded = {_rounded(n) for n in np.geomspace(least, len(y), count)[:-1]}
    return sorted(n for n in rounded if n < len(y))


def _rounded(n: float) -> int:
    return int(float(f"{n:.{_DIGITS - 1}e}"))


def _require_every_class(n: int, y: np.ndarray) -> None:
    try:
        subset_rows(y, n, seed=0)
    except CrossoverError as error:
        raise CrossoverError(f"learning_curve.sizes: {error}") from error
