"""Optuna's own plots of a study, as figures for the tracker."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from optuna.study import Study
    from optuna.trial import FrozenTrial

FEWEST_TRIALS = 4
"""Trials that importances need."""

LABELS = {
    "accuracy": "validation accuracy",
    "fit_seconds": "fit time (s)",
    "latency_p50_ms": "latency of one prediction (ms)",
}


def sweep_figures(study: "Study", objectives: list[str]) -> "dict[str, Figure]":
    """What Optuna draws of a study: history, parameters, importances, and the Pareto front of two objectives.

    A plot that the trials do not suffice for is left out. Matplotlib draws without a window from then on.

    Args:
        study: its trial 0 is the default configuration, which may lie outside of the search space.
        objectives: one name for each of its objectives, "accuracy" first.

    Returns:
        "optimization_history", "parallel_coordinate", "param_importances" and "pareto_front", those that
        can be drawn.
    """
    figures = {}
    for name, plot in _PLOTS.items():
        with _drawing():
            figure = plot(study, objectives) if _completed(study) else None
        if figure is not None:
            figures[name] = figure
    return figures


@contextmanager
def _drawing() -> Iterator[None]:
    """No window, no notes on what is experimental, and afterwards the caller's style: Optuna sets its own."""
    import matplotlib
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    matplotlib.use("agg")
    try:
        with matplotlib.rc_context(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


def _history(study: "Study", objectives: list[str]) -> "Figure":
    from optuna.visualization.matplotlib import plot_optimization_history

    # Optuna draws the best value so far only where it is left to find the objective itself.
    target = _accuracy if len(objectives) > 1 else None
    axes = plot_optimization_history(study, target=target, target_name=LABELS["accuracy"])
    axes.set_ylim(*_limits(_near(_completed(study))))
    axes.set_title(f"Accuracy of each trial{_left_out(_completed(study))}")
    axes.legend(loc="best")
    return _finished(axes, 8, 4.5)


def _parallel(study: "Study", objectives: list[str]) -> "Figure | None":
    from optuna.visualization.matplotlib import plot_parallel_coordinate

    trials = _comparable(_completed(study))
    names = _varied(trials)
    if not names:
        return None
    axes = plot_parallel_coordinate(_copy(_near(trials), _short(names)), target_name=LABELS["accuracy"])
    axes.set_title(f"Parameters and accuracy of each trial{_left_out(trials)}", y=1.04)
    axes.collections[0].set_cmap(_blues())
    figure = _finished(axes, 4 + 1.5 * len(names), 5)
    for label in axes.get_xticklabels():
        label.set(rotation=-20, ha="left", rotation_mode="anchor")
    for label in (label for axis in figure.axes for label in axis.get_yticklabels()):
        label.set_bbox({"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 1})  # lines run below it
    return figure


def _blues() -> "Colormap":
    """Matplotlib's Blues without the palest quarter, in which a line cannot be seen."""
    import matplotlib
    import numpy as np
    from matplotlib.colors import ListedColormap

    return ListedColormap(matplotlib.colormaps["Blues"](np.linspace(0.25, 1, 256)))


def _importances(study: "Study", objectives: list[str]) -> "Figure | None":
    from optuna.importance import FanovaImportanceEvaluator
    from optuna.visualization.matplotlib import plot_param_importances

    trials = _drawn(_completed(study))
    # fANOVA takes the parameters that every trial has, so none that depends on a condition.
    varied = [name for name in _varied(trials) if name in _shared(trials)]
    if len(trials) < FEWEST_TRIALS or not varied or len(set(map(_accuracy, trials))) == 1:
        return None
    # Under their own names: the forest behind fANOVA depends on the order of the parameters.
    names = {name: name for trial in trials for name in trial.params}
    axes = plot_param_importances(_copy(trials, names), FanovaImportanceEvaluator(seed=0))
    axes.set_title("Importance of each parameter for the accuracy (fANOVA)", loc="left")
    axes.set(xlabel="share of the variance", ylabel="")
    axes.legend().remove()  # there is one kind of bar
    bars = [label.get_text() for label in axes.get_yticklabels()]
    axes.set_yticks(axes.get_yticks(), list(_short(bars).values()))
    return _finished(axes, 8, 1.5 + 0.4 * len(bars))


def _pareto(study: "Study", objectives: list[str]) -> "Figure | None":
    from optuna.visualization.matplotlib import plot_pareto_front

    if len(objectives) != 2:
        return None
    trials = _completed(study)
    axes = plot_pareto_front(study, target_names=[LABELS.get(name, name) for name in objectives])
    axes.set_xlim(*_limits(_near(trials)))
    costs = [trial.values[1] for trial in trials]
    if 0 < 10 * min(costs) < max(costs):
        axes.set_yscale("log")
    axes.set_title(f"Pareto front{_left_out(trials)}")
    return _finished(axes, 7, 5)


_PLOTS = {
    "optimization_history": _history,
    "parallel_coordinate": _parallel,
    "param_importances": _importances,
    "pareto_front": _pareto,
}


def _completed(study: "Study") -> "list[FrozenTrial]":
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _accuracy(trial: "FrozenTrial") -> float:
    return float(trial.values[0])


def _drawn(trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
    """Those that are draws from the search space: all but the default configuration."""
    return [trial for trial in trials if trial.number > 0]


def _comparable(trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
    """The draws, and the default configuration unless a value of it lies outside of the search space."""
    shared = _shared(_drawn(trials))
    return [trial for trial in trials if trial.number > 0 or shared <= set(trial.params)]


def _shared(trials: "list[FrozenTrial]") -> set[str]:
    """The parameters that each of the trials has."""
    return set.intersection(*(set(trial.params) for trial in trials)) if trials else set()


def _varied(trials: "list[FrozenTrial]") -> list[str]:
    """The parameters that differ between the trials; one that is missing in some does."""
    names = {name: None for trial in trials for name in trial.params}
    return [name for name in names if len({str(trial.params.get(name)) for trial in trials}) > 1]


def _near(trials: "list[FrozenTrial]") -> "list[FrozenTrial]":
    """The trials worth room on an axis.

    A far outlier by Tukey's rule, over three times the interquartile range below the lower quartile, would
    press all others together.
    """
    import numpy as np

    lower, upper = np.quantile([_accuracy(trial) for trial in trials], [0.25, 0.75])
    return [trial for trial in trials if _accuracy(trial) >= lower - 3 * (upper - lower)]


def _limits(shown: "list[FrozenTrial]") -> tuple[float, float]:
    """Of an axis with the accuracies of these trials."""
    accuracies = [_accuracy(trial) for trial in shown]
    margin = 0.05 * (max(accuracies) - min(accuracies)) or 0.01
    return min(accuracies) - margin, max(accuracies) + margin


def _left_out(trials: "list[FrozenTrial]") -> str:
    """What a title says of the trials for which there is no room."""
    shown = _near(trials)
    missing = len(trials) - len(shown)
    return f" ({missing} below {min(map(_accuracy, shown)):.3f} not shown)" if missing else ""


def _copy(trials: "list[FrozenTrial]", names: dict[str, str]) -> "Study":
    """A study of these trials with the accuracy as its only objective.

    Args:
        trials: of the study.
        names: the parameters to keep, with their new names.
    """
    import optuna

    study = optuna.create_study(direction="maximize")
    for trial in trials:
        kept = [name for name in names if name in trial.params]
        study.add_trial(
            optuna.trial.create_trial(
                value=_accuracy(trial),
                params={names[name]: trial.params[name] for name in kept},
                distributions={names[name]: trial.distributions[name] for name in kept},
            )
        )
    return study


def _short(names: list[str]) -> dict[str, str]:
    """The last part of each dotted name; the whole of it where two names end in the same."""
    ends = [name.rsplit(".", 1)[-1] for name in names]
    return {name: end if ends.count(end) == 1 else name for name, end in zip(names, ends, strict=True)}


def _finished(axes: "Axes", width: float, height: float) -> "Figure":
    """The figure of the axes, in a size in inches and out of pyplot's hands."""
    from matplotlib import pyplot

    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.set_size_inches(width, height)
    figure.set_layout_engine("tight")
    pyplot.close(figure)
    return figure
