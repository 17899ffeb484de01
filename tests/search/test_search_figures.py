"""Optuna's plots of studies whose trials are made up."""

import logging
import math
import random
import warnings
from pathlib import Path

import matplotlib
import optuna
import pytest
from matplotlib.figure import Figure
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from crossover.search.figures import sweep_figures
from crossover.search.outcome import importance

DISTRIBUTIONS: dict[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(1e-5, 0.7, log=True),
    "max_depth": IntDistribution(1, 11),
    "estimator.max_features": CategoricalDistribution(["sqrt", None, 0.3]),
    "estimator.bootstrap": CategoricalDistribution([True, False]),
    "estimator.max_samples": FloatDistribution(0.5, 1),  # with bootstrap alone
    "architecture.filters": CategoricalDistribution(["[32, 64]", "[64, 128]"]),
}
ALL = ["optimization_history", "parallel_coordinate", "param_importances", "pareto_front"]


def drawn_trial(number: int, objectives: int) -> FrozenTrial:
    """A random configuration, of which some fail, are pruned, or are hopeless."""
    draw = random.Random(number)
    params = {
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


def study_of(trials: list[FrozenTrial], objectives: int = 1) -> optuna.Study:
    study = optuna.create_study(directions=["maximize", "minimize"][:objectives])
    study.add_trials(trials)
    return study


def drawn_study(trials: int, objectives: int = 1) -> optuna.Study:
    return study_of([drawn_trial(k, objectives) for k in range(trials)], objectives)


@pytest.mark.parametrize(
    ("objectives", "names"), [(["accuracy"], ALL[:3]), (["accuracy", "fit_seconds"], ALL)]
)
def test_a_search_of_thirty_trials_has_every_figure(
    objectives: list[str], names: list[str], tmp_path: Path
) -> None:
    figures = sweep_figures(drawn_study(30, len(objectives)), objectives)
    assert list(figures) == names
    for name, figure in figures.items():
        figure.savefig(tmp_path / name)
        assert (tmp_path / f"{name}.png").stat().st_size > 5_000


def axis_labels(figure: Figure) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_xticklabels()]


def test_parameters_have_short_names_and_keep_their_log_scale() -> None:
    figure = sweep_figures(drawn_study(30), ["accuracy"])["parallel_coordinate"]
    names = ["bootstrap", "filters", "learning_rate", "max_depth", "max_features", "max_samples"]
    assert axis_labels(figure) == ["validation accuracy", *names]
    scales = [axes.get_yscale() for axes in figure.axes]
    assert scales.count("log") == 1


def test_a_hopeless_trial_leaves_the_others_their_room() -> None:
    figures = sweep_figures(drawn_study(30, 2), ["accuracy", "fit_seconds"])
    (history,), (front,) = figures["optimization_history"].axes, figures["pareto_front"].axes
    for axes, limits in ((history, history.get_ylim()), (front, front.get_xlim())):
        assert limits[0] > 0.5
        assert "(1 below 0." in axes.get_title()
    assert front.get_yscale() == "log"


def test_the_importances_are_those_of_the_results() -> None:
    study = drawn_study(30)
    (axes,) = sweep_figures(study, ["accuracy"])["param_importances"].axes
    bars = sorted(patch.get_width() for patch in axes.patches)
    assert bars == pytest.approx(sorted(importance(study.trials, ["maximize"]).values()))


@pytest.mark.parametrize(
    ("trials", "names"),
    [
        ([], []),
        ([drawn_trial(5, 1), drawn_trial(6, 1)], []),  # pruned and failed
        ([drawn_trial(1, 1)], ["optimization_history"]),
        ([drawn_trial(1, 1)] * 6, ["optimization_history"]),
        ([drawn_trial(k, 1) for k in range(3)], ["optimization_history", "parallel_coordinate"]),
        (
            [create_trial(value=0.9, params={"max_depth": k + 1}, distributions={"max_depth": IntDistribution(1, 9)})
             for k in range(6)],
            ["optimization_history", "parallel_coordinate"],
        ),
        ([create_trial(value=0.8 + k / 100) for k in range(6)], ["optimization_history"]),
    ],
    ids=["none", "none completed", "one", "equal ones", "three", "equal accuracies", "no parameters"],
)  # fmt: skip
def test_what_cannot_be_drawn_is_left_out_without_a_word(
    trials: list[FrozenTrial], names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    optuna.logging.enable_propagation()
    try:
        study = study_of(trials)
        caplog.clear()
        with warnings.catch_warnings(), caplog.at_level(logging.INFO):
            warnings.simplefilter("error")
            figures = sweep_figures(study, ["accuracy"])
    finally:
        optuna.logging.disable_propagation()
    assert list(figures) == names
    assert caplog.messages == []


def test_the_callers_style_and_open_figures_stay() -> None:
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    sweep_figures(drawn_study(10), ["accuracy"])
    assert {key for key, value in matplotlib.rcParams.items() if value != before[key]} <= {"backend"}
    assert pyplot.get_fignums() == []
    assert optuna.logging.get_verbosity() == optuna.logging.INFO
