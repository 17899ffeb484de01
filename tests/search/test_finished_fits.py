"""No search space draws a fit that its learning rate cannot finish: such trials measure the budget, not the model."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from crossover.core.configuration import build
from crossover.data.prepared import Part
from crossover.fitting.keys import with_values
from crossover.models.deep.trainer import TrainerConfig
from tests.search.test_space import of

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def halves() -> tuple[Part, Part]:
    digits = load_digits()
    X = digits.images[..., np.newaxis].astype(np.uint8)
    rows = np.arange(len(X))
    parts = train_test_split(rows, test_size=0.5, stratify=digits.target, random_state=0)
    train, other = (Part(X[part], digits.target[part].astype(np.int64), 10, 16.0) for part in parts)
    return train, other


def flat(part: Part) -> Part:
    """As the feature set raw makes it."""
    return Part(np.reshape(part.X, (len(part), -1)).astype(np.float32), part.y, 10)


def accuracy(config: dict[str, Any], train: Part, other: Part) -> float:
    model = build(config, "lenet5")
    model.trainer = TrainerConfig(accelerator="cpu", threads=1)
    fitted = model.fit(train, None, seed=0)
    return float(np.mean(fitted.predict_proba(other.X).argmax(axis=1) == other.y))


@pytest.mark.parametrize(
    "name",
    ["xgboost", pytest.param("mlp", marks=pytest.mark.slow), pytest.param("cnn", marks=pytest.mark.slow)],
)
def test_what_stops_early_stops_at_the_lowest_rate_too(name: str) -> None:
    space, config = of(name)
    lowest: Any = space.distributions["learning_rate"]
    model = build(with_values(config, {"learning_rate": lowest.low}), name)
    if model.family == "deep":
        model.trainer = TrainerConfig(accelerator="cpu", threads=1)
    train, other = (flat(part) if name == "xgboost" else part for part in halves())
    model.fit(train, other, seed=0)
    assert model.selects
    assert model.problem is None


@pytest.mark.slow
def test_the_lowest_rate_finishes_in_the_fewest_steps() -> None:
    """Of a network without early stopping."""
    space, config = of("lenet5")
    ranges: Any = space.distributions
    lowest = {key: ranges[key].low for key in ("learning_rate", "min_steps")}
    shortest = with_values(config, lowest) | {"max_epochs": 1}
    longer = shortest | {"min_steps": 3 * shortest["min_steps"]}
    short, long = (accuracy(one, *halves()) for one in (shortest, longer))
    assert short > long - 0.015  # the rule of docs/methods.md
