"""The fair protocol: which examples are for what."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.settings import Settings

Fraction = Annotated[float, Field(gt=0, lt=1)]

_SUBSET = 1
"""Keeps the draws of subsets apart from those of a model's own seed."""

ORIGIN = "conf/protocol/default.yaml"


@dataclass(frozen=True)
class Split:
    """A training part and a test part.

    Attributes:
        train: int64 (n_train,), sorted rows of all examples.
        test: int64 (n_test,), likewise.
        validation: int64 (repetitions, n_validation), sorted rows of the training part, a line a repetition.
    """

    train: np.ndarray
    test: np.ndarray
    validation: np.ndarray


class Protocol(Settings):
    """How a data set is split; what repetition k gets depends on (`split_seed`, k) alone, not on `repetitions`.

    Where the publisher gives no test part, repetition k tests on part k of several. The examples that validation rows
    are drawn from are in none of them, so that no choice that they make has seen an example that is ever tested.

    Attributes:
        test_fraction: of a data set whose publisher gives no test part, between 0 and 1.
        test_parts: of such a data set, and so its most repetitions.
        never_tested: share of the examples of such a data set that are in no test part, between 0 and 1.
        validation_fraction: of the training part, between 0 and 1.
        repetitions: validation splits to draw, at least 1.
        split_seed: the only seed of the splits, at least 0.
    """

    test_fraction: Fraction
    test_parts: PositiveInt
    never_tested: Fraction
    validation_fraction: Fraction
    repetitions: PositiveInt
    split_seed: NonNegativeInt

    def splits(self, y: np.ndarray) -> list[Split]:
        """The splits of a data set whose publisher gives no test part, stratified.

        Args:
            y: int64 (n,), labels of all examples.

        Raises:
            CrossoverError: a class has too few examples for a stratified split.
        """
        kept = _stratified(y, self.never_tested * len(y), "never_tested", self.never_tested, self._seed(0, 0))
        tested = _others(kept, len(y))
        splits = []
        for part in range(self.test_parts):
            n_test = self.test_fraction * len(y)
            drawn = _stratified(y[tested], n_test, "test_fraction", self.test_fraction, self._seed(1, part))
            test = tested[drawn]
            train = _others(test, len(y))
            validation = self.validation_rows(y[train], among=np.flatnonzero(np.isin(train, kept)))
            splits.append(Split(train, test, validation))
        return splits

    def validation_rows(self, y: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
        """Rows of the training part that each repetition validates on, stratified.

        Args:
            y: int64 (n,), labels of the training part.
            among: the rows to draw them from; None is all.

        Returns:
            int64 (repetitions, n_validation), each row sorted.

        Raises:
            CrossoverError: a class has too few examples for a stratified split.
        """
        among = np.arange(len(y)) if among is None else among
        n, key = self.validation_fraction * len(y), "validation_fraction"
        drawn = [
            _stratified(y[among], n, key, self.validation_fraction, self._seed(k))
            for k in range(self.repetitions)
        ]
        return np.stack([among[rows] for rows in drawn])

    def _seed(self, *key: int) -> np.random.SeedSequence:
        """That of repetition k is (k,), that of test part j (1, j), that of the examples in none (0, 0)."""
        return np.random.SeedSequence(self.split_seed, spawn_key=key)


def _stratified(
    y: np.ndarray, n: float, key: str, fraction: float, seed: np.random.SeedSequence
) -> np.ndarray:
    """Draw ⌈n⌉ rows with each class's share kept to within one example.

    They are the test rows of scikit-learn's `StratifiedShuffleSplit`, in a tenth of its time: of a million rows, it
    makes a list of those that are not drawn.
    """
    from sklearn.utils.extmath import _approximate_mode

    # A product such as 0.1 * 1350 may lie a rounding error above the whole number that it stands for.
    drawn = ceil(round(n, 6))
    counts = np.bincount(y)
    present = counts[counts > 0]
    if present.min() < 2 or not len(present) <= drawn <= len(y) - len(present):
        raise CrossoverError(
            f"{key} must leave an example of each class on both sides of the split, got {fraction}, which is "
            f"{drawn} of {len(y)} examples, {counts.tolist()} a class ({ORIGIN}); change it"
        )
    rng = np.random.RandomState(int(seed.generate_state(1)[0]))
    left = _approximate_mode(present, len(y) - drawn, rng)
    taken = _approximate_mode(present - left, drawn, rng)
    rows = []
    for label, before, count in zip(np.flatnonzero(counts), left, taken, strict=True):
        of_class = np.flatnonzero(y == label)
        rows.append(of_class[rng.permutation(len(of_class))[before : before + count]])
    return np.sort(np.concatenate(rows)).astype(np.int64)


def _others(rows: np.ndarray, n: int) -> np.ndarray:
    """The rows of 0 … n - 1 that are not given, sorted: int64."""
    mask = np.ones(n, dtype=bool)
    mask[rows] = False
    return np.flatnonzero(mask)


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
