"""The fair protocol: which examples are for what."""

from typing import Annotated

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.settings import Settings

Fraction = Annotated[float, Field(gt=0, lt=1)]

_SUBSET = 1
"""Keeps the draws of subsets apart from those of a model's own seed."""

ORIGIN = "conf/protocol/default.yaml"


class Protocol(Settings):
    """How a data set is split; repetition k depends on (`split_seed`, k) alone, not on `repetitions`.

    Attributes:
        test_fraction: of a data set whose publisher gives no test part, between 0 and 1.
        validation_fraction: of the training part, between 0 and 1.
        repetitions: validation splits to draw, at least 1.
        split_seed: the only seed of the splits, at least 0.
    """

    test_fraction: Fraction
    validation_fraction: Fraction
    repetitions: PositiveInt
    split_seed: NonNegativeInt

    def test_rows(self, y: np.ndarray) -> np.ndarray:
        """Rows of a stratified test part: int64 (n_test,), sorted.

        Args:
            y: int64 (n,), labels of all examples.

        Raises:
            CrossoverError: a class has too few examples for a stratified split.
        """
        return _stratified(y, self.test_fraction, "test_fraction", np.random.SeedSequence(self.split_seed))

    def validation_rows(self, y: np.ndarray) -> np.ndarray:
        """Rows of the training part that each repetition validates on, stratified.

        Args:
            y: int64 (n,), labels of the training part.

        Returns:
            int64 (repetitions, n_validation), each row sorted.

        Raises:
            CrossoverError: a class has too few examples for a stratified split.
        """
        seeds = [np.random.SeedSequence(self.split_seed, spawn_key=(k,)) for k in range(self.repetitions)]
        return np.stack(
            [_stratified(y, self.validation_fraction, "validation_fraction", seed) for seed in seeds]
        )


def _stratified(y: np.ndarray, fraction: float, key: str, seed: np.random.SeedSequence) -> np.ndarray:
    """Draw ⌈fraction · n⌉ rows with each class's share kept to within one example."""
    from sklearn.model_selection import StratifiedShuffleSplit

    splitter = StratifiedShuffleSplit(1, test_size=fraction, random_state=int(seed.generate_state(1)[0]))
    try:
        _, drawn = next(splitter.split(np.empty((len(y), 0)), y))
    except ValueError as error:
        raise CrossoverError(
            f"{key} must leave an example of each class on both sides of the split, got {fraction} of "
            f"{len(y)} examples, {np.bincount(y).tolist()} a class ({ORIGIN}); change it"
        ) from error
    return np.sort(drawn).astype(np.int64)


def subset_order(y: np.ndarray, seed: int) -> np.ndarray:
    """All rows in an order whose first n are a stratified subset, whatever n.

    Each class is shuffled, and its rows are spread evenly over the order, so that each class's share among the
    first n is kept to within one example.

    Args:
        y: int64 (m,), labels.
        seed: number of the repetition.

    Returns:
        int64 (m,), each row once.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SUBSET,)))
    place = np.empty(len(y))
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        place[rng.permutation(rows)] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place, kind="stable").astype(np.int64)


def subset_rows(y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Rows of a stratified subset; of the same seed, a smaller subset lies inside a larger one.

    Args:
        y: int64 (m,), labels.
        n: size of the subset, at most m.
        seed: number of the repetition.

    Returns:
        int64 (n,), sorted; the first `n` of `subset_order`.

    Raises:
        CrossoverError: the subset would be larger than `y`, or leave a class without an example.
    """
    chosen = subset_order(y, seed)[:n]
    lacking = len(np.unique(y)) - len(np.unique(y[chosen]))
    if n > len(y) or lacking:
        raise CrossoverError(
            f"a subset must hold at least one example of each class and at most all {len(y):,} examples, got a "
            f"subset of {n:,}"
            + (f" that lacks {lacking} of the classes" if lacking else "")
            + "; choose another size"
        )
    return np.sort(chosen)
