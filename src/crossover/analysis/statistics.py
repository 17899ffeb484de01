"""The statistics of the comparison: pure functions of right and wrong answers.

`docs/methods.md` says what each is for and what it cannot tell.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

CONFIDENCE = 0.95
DRAWS = 10_000
_CHUNK = 500  # draws at a time: 500 x 10,000 float32 weights are 20 MB


@dataclass(frozen=True)
class Interval:
    """A closed interval."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def wilson(proportion: float, n: float) -> Interval:
    """Wilson's score interval of a proportion that was observed on n trials (Wilson 1927).

    Unlike the normal interval it stays within 0 and 1 and keeps a width where the proportion is 0 or 1.
    n need not be whole: an effective sample size is welcome.
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(proportion * n, n, alpha=1 - CONFIDENCE, method="wilson")
    return Interval(max(0.0, float(low)), min(1.0, float(high)))


def effective_n(correct: np.ndarray) -> float:
    """How many independent answers the mean accuracy over repetitions is worth.

    The squared standard error of the mean has a part from the choice of the test examples and one from the
    repetitions; an independent sample with the same standard error has p (1 - p) / se² members (Kish's design
    effect). Repetitions share their test examples, so they never count for more than those.

    Args:
        correct: bool (repetitions, n_test).
    """
    repetitions, n_test = correct.shape
    p = correct.mean()
    variance = correct.mean(axis=0).var() / n_test
    if repetitions > 1:
        variance += correct.mean(axis=1).var(ddof=1) / repetitions
    return float(min(n_test, p * (1 - p) / variance)) if variance > 0 else float(n_test)


def accuracy_interval(correct: np.ndarray) -> Interval:
    """Interval of a mean accuracy over repetitions and test examples: Wilson's, on the effective sample size.

    Args:
        correct: bool (repetitions, n_test).
    """
    return wilson(float(correct.mean()), effective_n(correct))


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> float:
    """Two-sided p of McNemar's exact test for two fits on the same test examples (McNemar 1947).

    Args:
        correct_a: bool (n_test,).
        correct_b: bool (n_test,).
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    only_a, only_b = np.sum(correct_a & ~correct_b), np.sum(~correct_a & correct_b)
    table = [[np.sum(correct_a & correct_b), only_a], [only_b, np.sum(~correct_a & ~correct_b)]]
    return float(test(table, exact=True).pvalue)


@dataclass(frozen=True)
class Resamples:
    """Accuracies of the same cells in the same resamples, so that differences of columns are paired.

    Attributes:
        in_bag: (draws, cells), on the test examples that were drawn.
        out_of_bag: (draws, cells), on those that were not; about 37 % of the test part.
    """

    in_bag: np.ndarray
    out_of_bag: np.ndarray


def bootstrap(correct: list[np.ndarray], draws: int = DRAWS, seed: int = 0) -> Resamples:
    """Two-level paired bootstrap over test examples and repetitions (Efron and Tibshirani 1993).

    Each draw takes test examples and repetitions with replacement, the same ones for every cell: repetition k
    is the same split and noise for every model. A cell with one fit has that fit in every repetition.

    Args:
        correct: one bool (repetitions or 1, n_test) a cell.
        draws: number of resamples.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    repetitions, n_test = max(len(c) for c in correct), correct[0].shape[1]
    fits = [np.broadcast_to(c, (repetitions, n_test)) for c in correct]
    right = np.concatenate(fits).astype(np.float32)  # (cells * repetitions, n_test)
    turns = counts(rng, draws, repetitions)

    def mean_accuracy(weights: np.ndarray, rows: slice) -> np.ndarray:
        # Whole numbers up to the one division, so that equal cells are exactly equal on every machine.
        n_right = (right @ weights.T).reshape(len(correct), repetitions, -1).astype(np.int64)
        n_asked = weights.sum(axis=1, keepdims=True) * np.float64(repetitions)
        return np.einsum("crd,dr->dc", n_right, turns[rows]) / n_asked

    parts = [
        (mean_accuracy(weights, rows), mean_accuracy(_unused(weights), rows))
        for rows, weights in _weights(rng, draws, n_test)
    ]
    return Resamples(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _weights(rng: np.random.Generator, draws: int, n: int) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, draws, _CHUNK):
        rows = slice(start, min(start + _CHUNK, draws))
        yield rows, counts(rng, rows.stop - rows.start, n).astype(np.float32)


def counts(rng: np.random.Generator, draws: int, n: int) -> np.ndarray:
    """How often each of n things was drawn in n draws with replacement: int64 (draws, n)."""
    return np.stack([np.bincount(row, minlength=n) for row in rng.integers(n, size=(draws, n))])


def rescaled_turns(rng: np.random.Generator, draws: int, repetitions: int) -> np.ndarray:
    """Weights of the repetitions in the rescaled bootstrap of Rao and Wu (1988).

    R repetitions drawn with replacement scatter too little, by (R - 1) / R in variance, which is half for two; so
    the weight of each is moved away from 1 / R by the root of R / (R - 1). Weights may then be negative. A single
    repetition has no second level.

    Returns:
        float (draws, repetitions), rows that sum to 1.
    """
    if repetitions == 1:
        return np.ones((draws, 1))
    even = 1 / repetitions
    drawn = counts(rng, draws, repetitions) / repetitions
    return even + np.sqrt(repetitions / (repetitions - 1)) * (drawn - even)


def _unused(weights: np.ndarray) -> np.ndarray:
    """1 where a test example was not drawn; all ones where every one was, as happens with a handful only."""
    unused = (weights == 0).astype(np.float32)
    unused[unused.sum(axis=1) == 0] = 1
    return unused


def percentile_interval(samples: np.ndarray) -> Interval:
    """The central interval of bootstrap samples."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return Interval(float(low), float(high))


def share_ahead(differences: np.ndarray) -> float:
    """Share of the resamples in which the difference is positive, ties counted half."""
    return float(np.mean(differences > 0) + np.mean(differences == 0) / 2)


def selected_difference(resamples: Resamples, a: list[int], b: list[int]) -> np.ndarray:
    """Difference of the best of `a` and the best of `b`, each chosen and scored on different test examples.

    The best of several on one test part owes some of its score to luck, the more so the more candidates there
    are. In each draw the best of each side is chosen on the examples in the bag and scored on those outside
    (bootstrap bias correction: Tsamardinos, Greasidou and Borboudakis 2018).

    Args:
        resamples: from `bootstrap`.
        a: cells of one side; of equals in the bag the first is chosen.
        b: cells of the other side.

    Returns:
        One difference a - b a draw; as each is scored on about 37 % of the test part, they scatter about 1.3
        times as widely as the difference on the whole.
    """
    draws = np.arange(len(resamples.in_bag))

    def chosen(side: list[int]) -> np.ndarray:
        best = np.asarray(side)[resamples.in_bag[:, side].argmax(axis=1)]
        return resamples.out_of_bag[draws, best]

    return chosen(a) - chosen(b)
