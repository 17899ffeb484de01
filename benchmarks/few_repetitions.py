"""How often learning curves of two equal learners show a lead, and how wide the band is that prevents it.

    python benchmarks/few_repetitions.py

Each repetition's subset suits one of the two by chance. `subset effect` is the standard deviation of that on the
smallest subset, in points. It falls with the size of the subset to the power of 0.4; on MNIST, the standard deviations
of the classical curves fall to the power of 0.4 to 0.7 (`benchmarks/published_curve.yaml`).
The plain band is the bootstrap's alone: the same band without what `crossing.simultaneous_band` does about few
repetitions.
"""

import argparse

import numpy as np

from crossover.analysis.bootstrap import resampled_means
from crossover.analysis.crossing import simultaneous_band
from crossover.analysis.statistics import CONFIDENCE

ACCURACY, DRAWS = 0.9, 400
SCENARIOS = [
    (n_sizes, n_test, repetitions, effect)
    for n_sizes, n_test in ((4, 450), (7, 2000))
    for repetitions in (2, 3, 5)
    for effect in (0.5, 3.0)
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Simulate learning curves of two equal learners.")
    parser.add_argument("--studies", type=int, default=200, help="studies for each row")
    studies = parser.parse_args().studies
    rng = np.random.default_rng(0)
    print(f"{studies} studies a row; the nominal rate of false leads is {1 - CONFIDENCE:.0%}\n")
    print(
        "| sizes | test examples | repetitions | subset effect "
        "| false leads | half-width | plain: false leads | half-width |"
    )
    print("|--:|--:|--:|--:|--:|--:|--:|--:|")
    for n_sizes, n_test, repetitions, effect in SCENARIOS:
        sizes = np.geomspace(100, 50_000, n_sizes)
        scatter = effect / 100 * (sizes / sizes[0]) ** -0.4
        leads = np.zeros(2)
        halves: tuple[list[float], list[float]] = ([], [])
        for _ in range(studies):
            by_chance = rng.normal(size=(2, n_sizes, repetitions, 1)) * scatter[:, None, None]
            difficulty = 0.05 * (rng.random(n_test) - 0.5)
            right = rng.random((2, n_sizes, repetitions, n_test)) < ACCURACY + by_chance + difficulty
            draws = resampled_means(right, draws=DRAWS)
            draws = draws[:, 0] - draws[:, 1]
            differences = np.subtract(*right.mean(axis=3))
            difference, error = differences.mean(axis=1), draws.std(axis=0)
            quantile = np.quantile((np.abs(draws - difference) / error).max(axis=1), CONFIDENCE)
            bands = simultaneous_band(sizes, differences, draws)[1] - difference, quantile * error
            for which, half in enumerate(bands):
                leads[which] += (np.abs(difference) > half).any()
                halves[which].append(half.mean())
        ours, plain = (
            f"{lead / studies:.1%} | {100 * np.median(half):.2f}"
            for lead, half in zip(leads, halves, strict=True)
        )
        print(f"| {n_sizes} | {n_test:,} | {repetitions} | {effect:g} | {ours} | {plain} |", flush=True)


if __name__ == "__main__":
    main()
