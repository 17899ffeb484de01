"""Optuna's own plots of a search, for the tracker."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crossover.core.metric import ACCURACY, WORDS, Metric
from crossover.search.outcome import drawn, study_of
from crossover.search.plan import Direction

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from optuna.trial import FrozenTrial

LABELS = {
    "fit_seconds": "fit time (s)",
    "latency_p50_ms": "latency of one prediction (ms)",
}


def search_figures(
    trials: list["FrozenTrial"], objectives: list[str], directions: list[Direction], metric: Metric = ACCURACY
) -> "dict[str, Figure]":
    """What Optuna draws of the trials: history, parameters, importances, and the Pareto front of two objectives.

    A plot that the trials do not suffice for is left out. Matplotlib draws without a window from then on.

    Args:
        trials: of a storage; the first is the default configuration.
        objectives: names, "accuracy" first.
        directions: of the objectives.
        metric: of the data set.

    Returns:
        "optimization_history", "parallel_coordinate", "param_importances" and "pareto_front", those that can be drawn.
    """
    completed = [trial for trial in trials if trial.state.name == "COMPLETE"]
    if not completed:
        return {}
    labels = LABELS | {ACCURACY: f"validation {WORDS[metric]}"}
    with _drawing():
        from optuna.importance import FanovaImportanceEvaluator
        from optuna.visualization import matplotlib as plots

        study, names = study_of(completed, directions), [labels[name] for name in objectives]
        study.set_metric_names(names)
        # Optuna draws the best value so far only where it is left to find the objective itself.
        target = None if len(objectives) == 1 else lambda trial: float(trial.values[0])
        history = plots.plot_optimization_history(study, target=target, target_name=names[0])
        axes = {"optimization_history": history}
        if any(trial.params for trial in completed):
            axes["parallel_coordinate"] = plots.plot_parallel_coordinate(study, target_name=names[0])
        if found := [trial for trial in drawn(trials) if trial.params]:
            axes["param_importances"] = plots.plot_param_importances(
                study_of(found, directions),
                FanovaImportanceEvaluator(seed=0),
                target=lambda trial: float(trial.values[0]),
                target_name=names[0],
            )
        if len(objectives) == 2:
            axes["pareto_front"] = plots.plot_pareto_front(study, target_names=names)
        figures = {}
        for name, drawing in axes.items():
            figure = drawing.get_figure(root=True)
            assert figure is not None
            figure.set_size_inches(10, 6)
            figure.set_layout_engine("tight")
            figures[name] = figure
        return figures


@contextmanager
def _drawing() -> Iterator[None]:
    """No window, no notes on what is experimental, and afterwards the caller's style: Optuna sets its own."""
    import matplotlib
    import optuna
    from matplotlib import pyplot

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    matplotlib.use("agg")
    before = set(pyplot.get_fignums())
    try:
        with matplotlib.rc_context(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
        for number in set(pyplot.get_fignums()) - before:  # pyplot would keep them open
            pyplot.close(number)
