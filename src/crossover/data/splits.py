"""The fair protocol: which examples are for what."""

from dataclasses import dataclass

import numpy as np

from crossover.errors import CrossoverError

ORIGIN = "conf/protocol/default.yaml"


@dataclass(frozen=True)
class Protocol:
    """How a data set is split; repetition k depends on (`split_seed`, k) alone, not on `repetitions`.

    Attributes:
        test_fraction: of a data set whose publisher gives no test part, between 0 and 1.
        validation_fraction: of the training part, between 0 and 1.
        repetitions: validation splits to draw, at least 1.
        split_seed: the only seed of the splits, at least 0.

    Raises:
        CrossoverError: a value lies outside its range.
    """

    test_fraction: float
    validation_fraction: float
    repetitions: int
    split_seed: int

    def __post_init__(self) -> None:
        for name in ("test_fraction", "validation_fraction"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
                raise CrossoverError(f"{name} must be a number between 0 and 1, both excluded, got {value!r}")
        for name, least in (("repetitions", 1), ("split_seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise CrossoverError(f"{name} must be an integer of at least {least}, got {value!r}")

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
