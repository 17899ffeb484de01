"""The one bootstrap behind the verdict, the learning curves, calibration and the claims.

It is paired and has two levels, test examples and repetitions (Efron and Tibshirani 1993), and draws the same ones
for everything that it is given: repetition k is the same split and noise for every model. `docs/methods.md` says what
it is for and what it cannot tell.
"""

from collections.abc import Iterator

import numpy as np

from crossover.analysis.statistics import widening

DRAWS = 10_000
_CHUNK = 500  # draws at a time: 500 x 10,000 float32 weights are 20 MB


def bootstrap(
    correct: list[np.ndarray], overlap: float | None = None, draws: int = DRAWS, seed: int = 0
) -> np.ndarray:
    """Accuracies of the same cells in the same resamples, so that differences of columns are paired.

    Args:
        correct: one bool (repetitions or 1, n_test) per cell; a single fit stands for every repetition.
        overlap: share of its examples that a repetition's test part has in common with another's; None where all have
            the same one.
        draws: number of resamples.
        seed: of the resampling.

    Returns:
        float (draws, cells); see `resampled_means` and `split_means`.
    """
    shape = max(len(fits) for fits in correct), correct[0].shape[1]
    stacked = np.stack([np.broadcast_to(fits, shape) for fits in correct])
    if overlap is None or shape[0] < 2:
        return resampled_means(stacked, draws, seed)
    return split_means(stacked.mean(axis=2).T, overlap, draws, seed)


def split_means(accuracies: np.ndarray, overlap: float, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Draws of the mean accuracies over random splits of one data set.

    They follow Student's t with k - 1 degrees of freedom around the means, and the scale of `statistics.widening`. The
    middle 95 % of the difference of two columns are the interval of the corrected resampled t-test (Nadeau and Bengio
    2003), which is that of the Bayesian correlated t-test (Corani and Benavoli 2015) as well.

    Args:
        accuracies: float (k, cells), of at least two splits.
        overlap: share of its examples that a test part has in common with another one.
        draws: number of draws.
        seed: of the drawing.

    Returns:
        float (draws, cells).
    """
    k, rng = len(accuracies), np.random.default_rng(seed)
    mean = accuracies.mean(axis=0)
    # Each draw is one sum over the splits for all cells: their covariance is that of the splits.
    weights = rng.standard_normal((draws, k)) / np.sqrt(rng.chisquare(k - 1, (draws, 1)))
    return mean + np.sqrt(widening(k, overlap)) * weights @ (accuracies - mean)


def resampled_means(values: np.ndarray, draws: int = DRAWS, seed: int = 0) -> np.ndarray:
    """Means over repetitions and test examples in resamples of both.

    Each draw takes test examples and repetitions with replacement. The means of R repetitions drawn so have too small
    a variance, (R - 1) / R of the right one, which is half for two; so the distance of each weight from 1 / R is
    multiplied by sqrt(R / (R - 1)) (the rescaled bootstrap: Rao and Wu 1988). Weights may then be negative, and the
    mean of answers may lie above 1. A single repetition has no second level.

    Args:
        values: (..., R, n_test), bool answers or numbers.
        draws: number of resamples.
        seed: of the resampling; the same draws for all that have the same R and n_test.

    Returns:
        float (draws, ...).
    """
    values = values.astype(np.float32) if values.dtype == bool else values
    repetitions, n_test = values.shape[-2:]
    chunks = _draws(repetitions, n_test, draws, seed)
    return np.concatenate([_means(values, examples, repeats) for examples, repeats in chunks])


def _draws(repetitions: int, n_test: int, draws: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How often each test example, float32 (chunk, n_test), and each repetition, (chunk, R), is drawn."""
    rng = np.random.default_rng(seed)
    repeats = _counts(rng, draws, repetitions)
    for start in range(0, draws, _CHUNK):
        chunk = repeats[start : start + _CHUNK]
        yield _counts(rng, len(chunk), n_test).astype(np.float32), chunk


def _counts(rng: np.random.Generator, draws: int, n: int) -> np.ndarray:
    """How often each of n things is drawn in n draws with replacement: int64 (draws, n)."""
    drawn = rng.integers(n, size=(draws, n)) + n * np.arange(draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * n).reshape(draws, n)


def _means(values: np.ndarray, examples: np.ndarray, repeats: np.ndarray) -> np.ndarray:
    """Means of values (..., R, n_test), weighted as `resampled_means` says: (draws, ...).

    Of bool answers, `even` and `drawn` are whole numbers, so that equal cells are exactly equal on every machine.
    """
    *shape, repetitions, n_test = values.shape
    sums = (
        (values.reshape(-1, n_test) @ examples.T).astype(np.float64).reshape(-1, repetitions, len(examples))
    )
    # each repetition once, and as often as it was drawn
    even, drawn = sums.sum(axis=1), np.einsum("krd,dr->kd", sums, repeats)
    rescaled = even + np.sqrt(repetitions / max(repetitions - 1, 1)) * (drawn - even)
    n_answers = examples.sum(axis=1, dtype=np.float64) * repetitions
    return np.ascontiguousarray((rescaled / n_answers).T).reshape(len(examples), *shape)
