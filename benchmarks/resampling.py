"""What the statistics of the comparison take at MNIST's size, beside a plain loop over the resamples.

    python benchmarks/resampling.py

10,000 predictions, 10,000 resamples: the bootstrap of a study's cells (12 cells, 5 repetitions) and that of its
learning curves (6 curves, 7 sizes, 3 repetitions). The loop indexes the answers of each resample as one would write
it first; it runs on a hundredth of the resamples, and its time is multiplied by a hundred.
"""

import argparse
from collections.abc import Callable
from time import perf_counter

import numpy as np

from crossover.analysis.bootstrap import bootstrap, resampled_means

N_TEST, DRAWS = 10_000, 10_000


def answers(count: int, *shape: int) -> list[np.ndarray]:
    """`count` arrays of right and wrong answers, 95 % of them right."""
    rng = np.random.default_rng(0)
    return [rng.random((*shape, N_TEST)) < 0.95 for _ in range(count)]


def of_curves(correct: list[np.ndarray], draws: int) -> np.ndarray:
    """As the comparison of learning curves calls it."""
    return resampled_means(np.stack(correct), draws)


def plain_loop(correct: list[np.ndarray], draws: int) -> np.ndarray:
    """Mean accuracies, one resample after the other; repetitions are the last axis but one."""
    rng = np.random.default_rng(0)
    right = np.stack(correct)
    repetitions = right.shape[-2]
    means = []
    for _ in range(draws):
        examples, turns = rng.integers(N_TEST, size=N_TEST), rng.integers(repetitions, size=repetitions)
        means.append(right[..., turns, :][..., examples].mean(axis=(-1, -2)))
    return np.stack(means)


def seconds(run: Callable[[], object]) -> float:
    """Wall-clock time of one call."""
    start = perf_counter()
    run()
    return perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="Time the resampling of the comparison.")
    parser.add_argument("--draws", type=int, default=DRAWS, help="resamples of the vectorised functions")
    draws = parser.parse_args().draws
    cases: dict[str, tuple[list[np.ndarray], Callable[[list[np.ndarray], int], object]]] = {
        "12 cells × 5 repetitions": (answers(12, 5), bootstrap),  # noqa: RUF001
        "6 curves × 7 sizes × 3 repetitions": (answers(6, 7, 3), of_curves),  # noqa: RUF001
    }
    print(f"{N_TEST:,} predictions, {draws:,} resamples")
    for name, (correct, vectorised) in cases.items():
        fast = seconds(lambda: vectorised(correct, draws))  # noqa: B023
        slow = seconds(lambda: plain_loop(correct, draws // 100)) * 100  # noqa: B023
        print(f"{name}: {fast:.1f} s; a plain loop takes {slow / fast:.0f} times as long")


if __name__ == "__main__":
    main()
