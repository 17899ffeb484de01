"""Optuna's plots of studies whose trials are made up."""

import logging
import math
import random
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import optuna
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from crossover.search.figures import search_figures
from crossover.search.outcome import importance
from crossover.search.plan import Direction

DISTRIBUTIONS: dict[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(1e-5, 0.7, log=True),
    "max_depth": IntDistribution(1, 11),
    "estimator.max_features": CategoricalDistribution(["sqrt", None, 0.3]),
    "estimator.bootstrap": CategoricalDistribution([True, False]),
    "estimator.max_samples": FloatDistribution(0.5, 1),  # with bootstrap alone
    "architecture.filters": CategoricalDistribution(["[32, 64]", "[64, 128]"]),
}
DIRECTIONS: list[Direction] = ["maximize", "minimize"]
ALL = ["optimization_history", "parallel_coordinate", "param_importances", "pareto_front"]


def drawn_trial(number: int, objectives: int) -> FrozenTrial:
    """A random configuration, of which some fail, are pruned, or are hopeless."""
    draw = random.Random(number)
    params: dict[str, Any] = {
        "learning_rate": 10 ** draw.uniform(-5, -0.2),
        "max_depth": draw.randint(1, 11),
        "estimator.max_features": draw.choice(["sqrt", None, 0.3]),
        "estimator.bootstrap": draw.random() < 0.5,
        "architecture.filters": draw.choice(["[32, 64]", "[64, 128]"]),
    }
    if params["estimator.bootstrap"]:
        params["estimator.max_samples"] = draw.uniform(0.5, 1)
    if number == 0:
        del params["learning_rate"]  # the default one lies outside of the range
    accuracy = 0.97 - 0.01 * (math.log10(params.get("learning_rate", 0.01)) + 2) ** 2
    values = [0.1 if number == 3 else accuracy, 0.05 * params["max_depth"] ** 2][:objectives]
    state = {5: TrialState.PRUNED, 6: TrialState.FAIL}.get(number % 7, TrialState.COMPLETE)
    return create_trial(
        state=state,
        params=params,
        distributions={name: DISTRIBUTIONS[name] for name in params},
        values=values if state == TrialState.COMPLETE else None,
    )


def drawn_trials(trials: int, objectives: int = 1) -> list[FrozenTrial]:
    """As a storage numbers them."""
    study = optuna.create_study(directions=DIRECTIONS[:objectives])
    study.add_trials([drawn_trial(k, objectives) for k in range(trials)])
    return study.trials


def figures_of(trials: list[FrozenTrial], *costs: str) -> dict[str, Figure]:
    return search_figures(trials, ["accuracy", *costs], DIRECTIONS[: 1 + len(costs)])


@pytest.mark.slow
@pytest.mark.parametrize(("costs", "names"), [([], ALL[:3]), (["fit_seconds"], ALL)])
def test_a_search_of_thirty_trials_has_every_figure(
    costs: list[str], names: list[str], tmp_path: Path
) -> None:
    figures = figures_of(drawn_trials(30, 1 + len(costs)), *costs)
    assert list(figures) == names
    for name, figure in figures.items():
        figure.savefig(tmp_path / name)
        assert (tmp_path / f"{name}.png").stat().st_size > 5_000


def test_the_importances_are_those_of_the_results() -> None:
    trials = drawn_trials(30)
    (axes,) = figures_of(trials)["param_importances"].axes
    bars = sorted(patch.get_width() for patch in axes.patches if isinstance(patch, Rectangle))
    assert bars == pytest.approx(sorted(importance(trials, ["maximize"]).values()))


@pytest.mark.parametrize(
    ("trials", "names"),
    [
        ([], []),
        ([drawn_trial(5, 1), drawn_trial(6, 1)], []),  # pruned and failed
        ([drawn_trial(1, 1)], ALL[:2]),
        ([drawn_trial(1, 1)] * 6, ALL[:2]),
        ([drawn_trial(k, 1) for k in range(3)], ALL[:2]),
        (
            [create_trial(value=0.9, params={"max_depth": k + 1}, distributions={"max_depth": IntDistribution(1, 9)})
             for k in range(6)],
            ALL[:2],
        ),
        ([create_trial(value=0.8 + k / 100) for k in range(6)], ALL[:1]),
    ],
    ids=["none", "none completed", "one", "equal ones", "three", "equal accuracies", "no parameters"],
)  # fmt: skip
def test_what_cannot_be_drawn_is_left_out_without_a_word(
    trials: list[FrozenTrial], names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    optuna.logging.enable_propagation()
    try:
        with warnings.catch_warnings(), caplog.at_level(logging.INFO):
            warnings.simplefilter("error")
            figures = figures_of(trials)
    finally:
        optuna.logging.disable_propagation()
    assert list(figures) == names
    assert caplog.messages == []


def test_the_callers_style_and_open_figures_stay() -> None:
    from matplotlib import pyplot

    own = pyplot.figure()
    optuna.logging.set_verbosity(optuna.logging.INFO)  # a search in this process may have changed it
    before = dict(matplotlib.rcParams)
    figures_of(drawn_trials(10))
    assert {key for key, value in matplotlib.rcParams.items() if value != before[key]} <= {"backend"}
    assert pyplot.get_fignums() == [own.number]
    pyplot.close(own)
    assert optuna.logging.get_verbosity() == optuna.logging.INFO
