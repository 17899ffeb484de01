"""Which learning rates finish in the fewest steps of the search spaces, on digits.

    python benchmarks/learning_rates.py mlp cnn lenet5 xgboost

Each row is one learning rate in the model's textbook recipe, or in its default one where it has no other: the
validation accuracy, mean over the splits, after the fewest optimiser steps (boosting rounds) that
`conf/search/<model>.yaml` can draw, or those of the recipe, at a constant rate and with the
cosine schedule, and after several times as many at a constant rate. XGBoost has no schedule.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sklearn.datasets import load_digits

from crossover.core.configuration import build
from crossover.data.prepared import Part
from crossover.data.splits import Protocol
from crossover.fitting.variants import textbook_or_default
from crossover.models.deep.trainer import TrainerConfig
from crossover.search.space import SearchSpace

CONF = Path(__file__).parents[1] / "conf"
RATES = {
    "xgboost": [1e-3, 0.01, 0.03, 0.05, 0.1, 0.3, 0.7],
    "resnet18": [1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0],
}
ADAM = [1e-4, 3e-4, 5e-4, 1e-3, 3e-3, 1e-2]


def training_part() -> Part:
    """The training part of digits as the stage `prepare` makes it."""
    digits = load_digits()
    X = digits.images[..., np.newaxis].astype(np.uint8)  # (n, 8, 8) -> (n, 8, 8, 1)
    whole = Part(X, digits.target.astype(np.int64), n_classes=10, value_max=16.0)
    return whole.without(PROTOCOL.test_rows(whole.y))


def accuracy(config: dict[str, Any], train: Part, splits: int) -> float:
    """On the validation rows, mean over the splits."""
    right = []
    for seed, rows in enumerate(PROTOCOL.validation_rows(train.y)[:splits]):
        model = build(config, "the benchmark")
        if model.family == "deep":
            model.trainer = TrainerConfig(accelerator="auto")
        fitted = model.fit(train.without(rows), None, seed=seed)
        right.append(np.mean(fitted.predict_proba(train.X[rows]).argmax(axis=1) == train.y[rows]))
    return float(np.mean(right))


def of(folder: str, name: str) -> dict[str, Any]:
    return yaml.safe_load((CONF / folder / f"{name}.yaml").read_text())


PROTOCOL = build(of("protocol", "default"), "conf/protocol/default.yaml")
assert isinstance(PROTOCOL, Protocol)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="+")
    parser.add_argument(
        "--rates", nargs="+", type=float, help="learning rates; some of the space's by default"
    )
    parser.add_argument(
        "--steps", type=int, help="optimiser steps or rounds; the fewest of the space by default"
    )
    parser.add_argument("--times", type=int, default=10, help="how many times as many to compare with")
    parser.add_argument("--splits", type=int, default=3, help="validation splits")
    arguments = parser.parse_args()
    train, times = training_part(), arguments.times
    flat = Part(np.reshape(train.X, (len(train), -1)).astype(np.float32), train.y, 10)
    print(f"| model | learning rate | steps | accuracy % | with cosine % | after {times} times the steps % |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in arguments.models:
        config = textbook_or_default(of("model", name), name, CONF.parent)  # of a fixed length
        space = SearchSpace.load(of("search", name), config, "the search space", "the model")
        boosts = name == "xgboost"
        key = "n_estimators" if boosts else "min_steps"
        found: Any = space.distributions.get(key)
        fewest = arguments.steps or (config[key] if found is None else found.low)
        for rate in arguments.rates or RATES.get(name, ADAM):
            changed = {**config, "learning_rate": rate} | ({} if boosts else {"max_epochs": 1})
            few, many = (
                accuracy({**changed, key: n}, flat if boosts else train, arguments.splits)
                for n in (fewest, times * fewest)
            )
            cosine = {**changed, key: fewest, "schedule": "cosine"}
            with_cosine = "-" if boosts else f"{100 * accuracy(cosine, train, arguments.splits):.1f}"
            print(
                f"| {name} | {rate:g} | {fewest} | {100 * few:.1f} | {with_cosine} | {100 * many:.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
