"""How often a 95 % interval of a metric, and of the difference of two models, holds the truth: a table of shares.

    python benchmarks/metric_coverage.py        # five minutes; docs/methods.md has the table

Two classes, one of them rare; two made-up models that see the same noisy score, and each a noise of its own. The truth
is the metric on 400,000 examples.
"""

import numpy as np

from crossover.analysis.bootstrap import bootstrap
from crossover.analysis.statistics import accuracy_interval, percentile_interval
from crossover.core.metric import ALLOWED, WORDS
from crossover.scoring.contributions import balance, contributions
from crossover.scoring.judge import evaluate

N_TEST, RUNS, LARGE = 1000, 250, 400_000
SHARES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.3)  # of the rare class
MODELS = ((3.2, 0.6), (2.6, 0.9))  # how far apart each has the classes, and its own noise


def draw(rng: np.random.Generator, n: int, share: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Labels int64 (n,), and the probabilities (n, 2) of each model."""
    y, shared = (rng.random(n) < share).astype(np.int64), rng.normal(size=n)
    scores = [apart * y - 2 + 0.8 * shared + noise * rng.normal(size=n) for apart, noise in MODELS]
    of_rare = [1 / (1 + np.exp(-score)) for score in scores]
    return y, [np.column_stack([1 - p, p]) for p in of_rare]


def main() -> None:
    print(f"{'metric':32}{'rare':>6}{'one model':>12}{'difference':>12}")
    for metric in ALLOWED:
        # The same samples for each metric, so that another one changes no line.
        rng = np.random.default_rng(0)
        for share in SHARES:
            y, probas = draw(rng, LARGE, share)
            a, b = (evaluate(y, proba)[metric] for proba in probas)
            one: list[bool] = []
            two: list[bool] = []
            while len(one) < RUNS:
                y, probas = draw(rng, N_TEST, share)
                if y.sum() < 2:
                    continue
                answers = [contributions(metric, y, proba)[np.newaxis] for proba in probas]
                one.append(a in accuracy_interval(answers[0], balance=balance(metric, y)))
                samples = bootstrap(answers, draws=1000)
                two.append(a - b in percentile_interval(samples[:, 0] - samples[:, 1]))
            shown = f"{WORDS[metric]:32}{share * N_TEST:6.0f}"
            print(f"{shown}{np.mean(one):12.0%}{np.mean(two):12.0%}", flush=True)


if __name__ == "__main__":
    main()
