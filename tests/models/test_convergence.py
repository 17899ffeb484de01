"""Whether a fit says that it ended too early, or went on for too long."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.core.configuration import build
from crossover.data.prepared import Part
from crossover.models.base import Model
from crossover.models.convergence import problem_of
from tests.model_configs import NETWORK, STOPPING

LOGISTIC: dict[str, Any] = {
    "_target_": "crossover.models.classical.sklearn_model.SklearnClassifier",
    "modalities": ["table"],
    "stochastic": False,
    "estimator": {"_target_": "sklearn.linear_model.LogisticRegression", "max_iter": 1},
}


def remedy(losses: np.ndarray | list[float], best: str | None = "best") -> str | None:
    found = problem_of(list(losses), "epochs", "longer", best)
    return found.remedy if found else None


@pytest.mark.parametrize("n", [5, 50, 500])
def test_a_loss_that_falls_to_the_end_wants_a_longer_fit(n: int) -> None:
    rng = np.random.default_rng(0)
    falling = np.arange(1, n + 1) ** -0.5 * (1 + 0.02 * rng.normal(size=n))
    assert remedy(falling) == "longer"
    assert remedy(0.4 + 0.01 * rng.normal(size=n)) is None


def test_the_fall_of_the_second_half_is_told() -> None:
    found = problem_of([4.0, 2.0, 1.5, 1.0], "rounds", "n_estimators=8", "best")
    assert found is not None
    assert found.what == "its validation loss still fell by 50 % in the second half of its 4 rounds"


def test_a_fall_or_rise_of_nearly_nothing_is_none() -> None:
    assert remedy([0.9, 0.006, 0.004, 0.003, 0.002]) is None
    assert remedy([0.9, 0.001, 0.002, 0.003, 0.004]) is None


def test_a_loss_that_rose_for_long_wants_its_best_epoch() -> None:
    rising = [1.0, 0.5, 0.3, 0.4, 0.5, 0.6, 0.7]
    found = problem_of(rising, "epochs", "longer", "best")
    assert found is not None
    assert found.what == "its validation loss was lowest after 3 of its 7 epochs and rose to 2.3 times that"
    assert found.remedy == "best"
    assert remedy(rising, best=None) is None  # it ended with the best epoch's weights
    assert remedy([1.0, 0.8, 0.6, 0.5, 0.4, 0.38, 0.6]) is None  # it rose at the end alone


def test_one_epoch_tells_nothing() -> None:
    assert remedy([1.0]) is None


def parts() -> tuple[Part, Part]:
    """A table whose two classes overlap a little."""
    rng = np.random.default_rng(0)
    y = np.arange(240) % 2
    table = pd.DataFrame({"a": y + rng.normal(0, 0.4, 240), "b": rng.normal(size=240)})
    part = Part(table, y, 2)
    return part.take(np.arange(160)), part.take(np.arange(160, 240))


def features(part: Part) -> Part:
    return Part(part.X.to_numpy(np.float32), part.y, 2)  # type: ignore[union-attr]


def network(**changes: Any) -> Model:
    train, val = parts()
    return build(NETWORK | {"batch_size": 16} | changes, "this test").fit(train, val, seed=0)


def test_a_network_that_ended_too_early_says_by_what_to_go_on() -> None:
    problem = network(max_epochs=4, learning_rate=0.01).problem
    assert problem is not None
    assert "still fell" in problem.what
    assert problem.remedy == "min_steps=80"  # twice four epochs of ten steps
    assert (
        network(max_epochs=4, learning_rate=0.01, schedule="cosine").problem is None
    )  # a rate of 0 ends every fall


def test_early_stopping_must_come_before_the_last_epoch() -> None:
    stop = {"monitor": "val/loss", "patience": 2}
    problem = network(max_epochs=3, early_stopping=stop).problem
    assert problem is not None
    assert problem.what == "its 3 epochs ended before early stopping did"
    assert problem.remedy == "min_steps=60"
    assert network(max_epochs=200, early_stopping=stop, learning_rate=0.1).problem is None


def test_nothing_is_known_of_a_fit_without_validation_rows() -> None:
    assert build(NETWORK | {"max_epochs": 4}, "this test").fit(parts()[0], None, seed=0).problem is None


def boosted(**changes: Any) -> Model:
    train, val = map(features, parts())
    return build(STOPPING | changes, "this test").fit(train, val, seed=0)


def test_boosting_that_ended_too_early_says_so() -> None:
    problem = boosted().problem
    assert problem is not None
    assert (problem.what, problem.remedy) == (
        "its 3 rounds ended before early stopping did",
        "n_estimators=6",
    )
    fixed = boosted(early_stopping_rounds=None).problem
    assert fixed is not None
    assert fixed.remedy == "n_estimators=6"
    assert boosted(n_estimators=300).problem is None


def test_boosting_that_went_on_for_too_long_says_so() -> None:
    problem = boosted(n_estimators=300, max_depth=6, learning_rate=1.0, early_stopping_rounds=None).problem
    assert problem is not None
    assert problem.remedy == "early_stopping_rounds=10"


def test_scikit_learn_s_own_warning_is_told() -> None:
    train, val = map(features, parts())
    problem = build(LOGISTIC, "this test").fit(train, None, seed=0).problem
    assert problem is not None
    assert problem.what.startswith("it did not converge (")
    assert problem.remedy == "estimator.max_iter=2"
    enough = LOGISTIC | {"estimator": LOGISTIC["estimator"] | {"max_iter": 1000}}
    assert build(enough, "this test").fit(train, val, seed=0).problem is None
