"""What a search leaves: `results/tuning/<dataset>/<features>/<model>/`, the columns of `schema`."""

import json
import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crossover.core.columns import (
    COMPLETED,
    FAILED,
    IMPORTANCE,
    PARAMETER,
    PRUNED,
    SWEEP,
    TRIAL_COSTS,
    TRIALS,
    check_columns,
)
from crossover.core.files import atomic_folder, write_json
from crossover.fitting.best import write_best
from crossover.search.plan import Direction
from crossover.search.proposals import PARAMS
from crossover.search.trial import TrialResult

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

RESULT = "result"
"""Key under which a trial of the storage keeps its `TrialResult` as JSON."""

_LEAST_FOR_IMPORTANCE = 4
"""Completed trials below which an importance would say nothing."""


@dataclass(frozen=True)
class Ended:
    """A trial that has ended.

    Attributes:
        number: of the trial.
        params: what was searched, by key.
        result: how it ended.
    """

    number: int
    params: dict[str, Any]
    result: TrialResult


@dataclass(frozen=True)
class Outcome:
    """A finished search.

    Attributes:
        facts: the keys of `schema.SWEEP`.
        names: the keys of the search space, in its order.
        trials: in the order of their numbers.
        objectives: names of the objectives.
        importance: share of each parameter in the variance of the accuracy, largest first.
    """

    facts: dict[str, Any]
    names: list[str]
    trials: list[Ended]
    objectives: tuple[str, ...]
    importance: dict[str, float]

    @property
    def best(self) -> Ended | None:
        """The completed trial of the highest accuracy, then the lowest log loss, then the lowest number."""
        return best_of(self.trials)

    def write(self, folder: Path) -> None:
        """Write the files, all or none."""
        with atomic_folder(folder) as fresh:
            self.trial_table().to_csv(fresh / "trials.csv", index=False)
            self.cost_table().to_csv(fresh / "costs.csv", index=False)
            importance = pd.DataFrame(list(self.importance.items()), columns=IMPORTANCE)
            importance.to_csv(fresh / "importance.csv", index=False)
            write_json(fresh / "sweep.json", self.facts)
            best = self.best
            write_best(fresh / "best.yaml", best.params if best and best.number else {}, self._head())

    def trial_table(self) -> pd.DataFrame:
        """One row a trial, the columns `schema.TRIALS` and one for each parameter."""
        best, front = self.best, pareto(self.trials, self.objectives)
        rows = [self._row(trial, trial is best, trial in front) for trial in self.trials]
        columns = [*TRIALS, *(f"{PARAMETER}{name}" for name in self.names)]
        return _table(rows, columns).astype({"repetitions": "Int64"})

    def cost_table(self) -> pd.DataFrame:
        """One row a trial, the columns `schema.TRIAL_COSTS`."""
        return _table([self._cost_row(trial) for trial in self.trials], TRIAL_COSTS).astype(
            {"threads": "Int64"}
        )

    def _keys(self, trial: Ended) -> dict[str, Any]:
        keys = {name: self.facts[name] for name in ("dataset", "features", "model", "family")}
        return keys | {"trial": trial.number}

    def _row(self, trial: Ended, best: bool, in_front: bool) -> dict[str, Any]:
        result = trial.result
        several = len(result.accuracies) > 1
        row = self._keys(trial) | {
            "state": result.state,
            "best": best,
            "pareto": in_front,
            "accuracy": result.accuracy,
            "accuracy_sd": float(np.std(result.accuracies, ddof=1)) if several else math.nan,
            "log_loss": float(np.mean(result.log_losses)) if result.log_losses else math.nan,
            "repetitions": len(result.accuracies),
            "error": result.error,
        }
        return row | {f"{PARAMETER}{key}": _cell(value) for key, value in trial.params.items()}

    def _cost_row(self, trial: Ended) -> dict[str, Any]:
        result = trial.result
        means = {"fit_seconds": result.fit_seconds, "latency_p50_ms": result.latencies}
        row = {name: float(np.mean(values)) if values else math.nan for name, values in means.items()}
        names = ("seconds", "device", "threads", "started_at")
        return self._keys(trial) | row | {name: getattr(result, name) for name in names}

    def _head(self) -> str:
        f = self.facts
        where = f"{f['model']} on {f['dataset']} ({f['features']})"
        if self.best is None:
            return f"{where}: {f['reason'] or 'no trial was completed'}"
        found = f"trial {self.best.number} of {len(self.trials)}"
        text = "the default configuration" if self.best.number == 0 else "the keys that were searched"
        return f"Best of {where}: {found}, validation accuracy {self.best.result.accuracy:.4f}; {text}"


def ended(trial: "FrozenTrial") -> Ended:
    """A trial of a storage that has ended."""
    return Ended(trial.number, json.loads(trial.user_attrs[PARAMS]), result_of(trial))


def result_of(trial: "FrozenTrial") -> TrialResult:
    """How a finished trial of a storage ended."""
    return TrialResult(**json.loads(trial.user_attrs[RESULT]))


def best_of(trials: list[Ended]) -> Ended | None:
    """See `Outcome.best`."""
    completed = [trial for trial in trials if trial.result.state == COMPLETED]
    return min(completed, key=_rank) if completed else None


def _rank(trial: Ended) -> tuple[float, float, int]:
    return -trial.result.accuracy, float(np.mean(trial.result.log_losses)), trial.number


def pareto(trials: list[Ended], objectives: tuple[str, ...]) -> list[Ended]:
    """The completed trials that no other one beats: as good in every objective and better in one."""
    completed = [trial for trial in trials if trial.result.state == COMPLETED]
    if not completed:
        return []
    losses = np.array([trial.result.objectives(objectives) for trial in completed])
    losses[:, 0] *= -1  # the accuracy is maximised, each cost is minimised
    no_worse = (losses[:, None] <= losses[None]).all(axis=2)  # (trials, trials)
    better = (losses[:, None] < losses[None]).any(axis=2)
    beaten = np.any(no_worse & better, axis=0)
    return [completed[i] for i in np.flatnonzero(~beaten)]


def counts(trials: list[Ended]) -> dict[str, int]:
    """How many trials ended in each state."""
    states = [trial.result.state for trial in trials]
    return {state: states.count(state) for state in (COMPLETED, PRUNED, FAILED)}


def importance(trials: list["FrozenTrial"], directions: list[Direction]) -> dict[str, float]:
    """Share of each parameter in the variance of the accuracy, by Optuna's fANOVA; largest first.

    Only parameters that every drawn trial has are rated; the default configuration is no draw, and may hold values
    that lie outside the search space.

    Args:
        trials: of a storage.
        directions: of the objectives, of which the accuracy is the first.
    """
    import optuna

    completed = optuna.trial.TrialState.COMPLETE
    drawn = [trial for trial in trials if trial.state == completed and trial.number > 0]
    if len(drawn) < _LEAST_FOR_IMPORTANCE or len({trial.values[0] for trial in drawn}) < 2:
        return {}
    memory = optuna.create_study(directions=directions)
    memory.add_trials(drawn)
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optuna.importance.get_param_importances(
            memory, evaluator=evaluator, target=lambda trial: trial.values[0]
        )
    return {name: float(value) for name, value in found.items()}


def does_not_apply(facts: dict[str, Any]) -> Outcome:
    """The outcome of a search whose model does not take the data set."""
    return Outcome({name: facts.get(name) for name in SWEEP}, [], [], tuple(facts["objectives"]), {})


def _cell(value: Any) -> Any:
    """A value as a cell of a CSV file: None and lists as JSON."""
    return json.dumps(value) if value is None or isinstance(value, list | bool) else value


def _table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    # As objects, since a whole number in a column with gaps would be written as 3.0.
    table = pd.DataFrame(rows, columns=None if rows else columns, dtype=object)
    table = table.reindex(columns=[*columns, *table.columns.difference(columns)])
    check_columns(table, columns, "rows of crossover.search.outcome")
    return table
