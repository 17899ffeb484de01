"""No search space draws a fit that its learning rate cannot finish: such trials measure the budget, not the model."""

from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from crossover.core.configuration import build
from crossover.data.prepared import Part
from crossover.fitting.keys import with_values
from crossover.models.deep.trainer import TrainerConfig
from tests.search.test_space import of

LENGTH = {"xgboost": "n_estimators", "mlp": "min_steps", "cnn": "min_steps", "lenet5": "min_steps"}
"""What the number of boosting rounds or optimiser steps is called."""


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def halves() -> tuple[Part, Part]:
    digits = load_digits()
    X = digits.images[..., np.newaxis].astype(np.uint8)
    rows = np.arange(len(X))
    parts = train_test_split(rows, test_size=0.5, stratify=digits.target, random_state=0)
    train, other = (Part(X[part], digits.target[part].astype(np.int64), 10, 16.0) for part in parts)
    return train, other


def accuracy(name: str, config: dict[str, Any], train: Part, other: Part) -> float:
    if name == "xgboost":  # takes features, as the feature set raw makes them
        train, other = (
            Part(np.reshape(part.X, (len(part), -1)).astype(np.float32), part.y, 10)
            for part in (train, other)
        )
    model = build(config, name)
    if model.family == "deep":
        model.trainer = TrainerConfig(accelerator="cpu", threads=1)
    fitted = model.fit(train, None, seed=0)
    return float(np.mean(fitted.predict_proba(other.X).argmax(axis=1) == other.y))


@pytest.mark.parametrize(
    "name",
    [
        "xgboost",
        "mlp",
        pytest.param("cnn", marks=pytest.mark.slow),
        pytest.param("lenet5", marks=pytest.mark.slow),
    ],
)
def test_the_lowest_rate_finishes_in_the_fewest_steps(name: str) -> None:
    space, model = of(name)
    lowest: Any = {key: space.distributions[key] for key in ("learning_rate", LENGTH[name])}
    assert not any(isinstance(found, CategoricalDistribution) for found in lowest.values())
    shortest = with_values(model, {key: found.low for key, found in lowest.items()})
    if name != "xgboost":
        shortest["max_epochs"] = 1
    longer = {**shortest, LENGTH[name]: 3 * shortest[LENGTH[name]]}
    short, long = (accuracy(name, config, *halves()) for config in (shortest, longer))
    assert short > long - 0.015  # the rule of docs/methods.md
