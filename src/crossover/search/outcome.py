"""What a search leaves in `results/tuning/<dataset>/<features>/<model>/`; the columns are in `core.columns`."""

import json
import math
import warnings
from dataclasses import dataclass
from functools import cached_property
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
from crossover.core.files import atomic_folder, write_csv, write_json
from crossover.core.metric import WORDS
from crossover.fitting.variants import write_best
from crossover.search.plan import Direction
from crossover.search.proposals import PARAMS
from crossover.search.trial import TrialResult

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

RESULT = "result"
"""Key under which a trial of the storage keeps its `TrialResult` as JSON."""

LEAST_FOR_IMPORTANCE = 4
"""Completed trials below which an importance would say nothing."""


@dataclass(frozen=True)
class FinishedTrial:
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
class SearchResult:
    """A finished search.

    Attributes:
        facts: the keys of `columns.SWEEP`, as far as they were known before a trial ended.
        names: the keys of the search space, in its order.
        stored: the trials as the storage holds them, in the order of their numbers; all have ended.
        directions: of the objectives.
    """

    facts: dict[str, Any]
    names: list[str]
    stored: list["FrozenTrial"]
    directions: list[Direction]

    @cached_property
    def trials(self) -> list[FinishedTrial]:
        """The trials, in the order of their numbers."""
        return [finished_trial(trial) for trial in self.stored]

    @cached_property
    def best(self) -> FinishedTrial | None:
        """The best trial; see `best_of`."""
        return best_of(self.trials)

    @property
    def counts(self) -> dict[str, int]:
        """How many trials ended in each state."""
        states = [trial.result.state for trial in self.trials]
        return {state: states.count(state) for state in (COMPLETED, PRUNED, FAILED)}

    def write(self, folder: Path) -> None:
        """Write the files, all or none."""
        best = self.best
        number = best.number if best else None
        facts = {**{name: self.facts.get(name) for name in SWEEP}, **self.counts, "best_trial": number}
        importances = importance(self.stored, self.directions)
        where = "{model} on {dataset} ({features})".format_map(self.facts)
        if best is None:
            head = f"{where}: {self.facts['reason'] or 'no trial was completed'}"
        else:
            found = f"trial {best.number} of {len(self.trials)}"
            text = "the default configuration" if best.number == 0 else "the keys that were searched"
            metric = WORDS[self.facts["metric"]]
            head = f"Best of {where}: {found}, validation {metric} {best.result.score:.4f}; {text}"
        trials, costs = self._tables()
        with atomic_folder(folder) as fresh:
            write_csv(trials, fresh / "trials.csv")
            write_csv(costs, fresh / "costs.csv")
            table = pd.DataFrame(list(importances.items()), columns=IMPORTANCE)
            write_csv(table, fresh / "importance.csv")
            write_json(fresh / "sweep.json", facts)
            write_best(fresh / "best.yaml", best.params if best and best.number else {}, head)

    def _tables(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Two tables with one row a trial: `TRIALS` with a column for each parameter, and `TRIAL_COSTS`."""
        front = pareto_front(self.stored, self.directions)
        rows, costs = [], []
        for trial in self.trials:
            result = trial.result
            keys = {name: self.facts[name] for name in ("dataset", "features", "model", "family")}
            keys["trial"] = trial.number
            several = len(result.accuracies) > 1
            params = {
                f"{PARAMETER}{key}": json.dumps(value) if isinstance(value, list | bool | None) else value
                for key, value in trial.params.items()
            }
            rows.append(
                {
                    **keys,
                    "state": result.state,
                    "best": trial is self.best,
                    "pareto": trial.number in front,
                    "accuracy": result.accuracy,
                    "accuracy_sd": float(np.std(result.accuracies, ddof=1)) if several else math.nan,
                    "score": result.score,
                    "score_sd": float(np.std(result.scores, ddof=1)) if several else math.nan,
                    "log_loss": float(np.mean(result.log_losses)) if result.log_losses else math.nan,
                    "repetitions": len(result.accuracies),
                    "error": result.error,
                    **params,
                }
            )
            means = {"fit_seconds": result.fit_seconds, "latency_p50_ms": result.latencies}
            costs.append(
                keys
                | {name: float(np.mean(values)) if values else math.nan for name, values in means.items()}
                | {name: getattr(result, name) for name in ("seconds", "device", "threads", "started_at")}
            )
        columns = [*TRIALS, *(f"{PARAMETER}{name}" for name in self.names)]
        return (
            _table(rows, columns).astype({"repetitions": "Int64"}),
            _table(costs, TRIAL_COSTS).astype({"threads": "Int64"}),
        )


def finished_trial(trial: "FrozenTrial") -> FinishedTrial:
    """A trial of a storage that has ended."""
    result = TrialResult(**json.loads(trial.user_attrs[RESULT]))
    return FinishedTrial(trial.number, json.loads(trial.user_attrs[PARAMS]), result)


def best_of(trials: list[FinishedTrial]) -> FinishedTrial | None:
    """The completed trial with the most of the metric, then the lowest log loss, then the lowest number."""
    return min(
        (trial for trial in trials if trial.result.state == COMPLETED),
        key=lambda trial: (-trial.result.score, float(np.mean(trial.result.log_losses)), trial.number),
        default=None,
    )


def study_of(trials: list["FrozenTrial"], directions: list[Direction]) -> "Study":
    """A study in memory of these trials, which get new numbers."""
    import optuna

    study = optuna.create_study(directions=directions)
    study.add_trials(trials)
    return study


def pareto_front(trials: list["FrozenTrial"], directions: list[Direction]) -> set[int]:
    """Positions of the completed trials that no other one beats: as good in every objective and better in one."""
    return {found.number for found in study_of(trials, directions).best_trials} if trials else set()


def drawn(trials: list["FrozenTrial"]) -> list["FrozenTrial"]:
    """The completed trials that say something about importance; none where they are too few or all alike.

    The default configuration is no draw, and may hold values that lie outside the search space.
    """
    completed = [trial for trial in trials if trial.state.name == "COMPLETE" and trial.number > 0]
    enough = len(completed) >= LEAST_FOR_IMPORTANCE and len({trial.values[0] for trial in completed}) > 1
    return completed if enough else []


def importance(trials: list["FrozenTrial"], directions: list[Direction]) -> dict[str, float]:
    """Share of each parameter in the variance of the metric, by Optuna's fANOVA; largest first.

    Args:
        trials: of a storage.
        directions: of the objectives, of which the metric is the first.
    """
    import optuna

    found = drawn(trials)
    if not found:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = optuna.importance.get_param_importances(
            study_of(found, directions), evaluator=evaluator, target=lambda trial: trial.values[0]
        )
    return {name: float(value) for name, value in shares.items()}


def _table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    # As objects, since a whole number in a column with gaps would be written as 3.0.
    table = pd.DataFrame(rows, columns=None if rows else columns, dtype=object)
    table = table.reindex(columns=[*columns, *table.columns.difference(columns)])
    check_columns(table, columns, "rows of crossover.search.outcome")
    return table
