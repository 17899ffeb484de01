"""Searches and tuned cells as the pipeline writes them, made up by a test."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossover.core.cell import LEARNED, Cell, Family
from crossover.core.columns import COMPLETED, FAILED, PRUNED, TRIAL_COSTS, TRIALS
from crossover.core.layout import Layout
from tests.results_folder import ResultsFolder


class TunedResults(ResultsFolder):
    """`results/<dataset>/` with tuned cells."""

    def add_tuned(self, features: str, model: str, correct: np.ndarray, **values: Any) -> None:
        """As `add`, for the variant "tuned" of a model."""
        self.add_variant("tuned", features, model, correct, **values)

    def add_tuned_not_applicable(self, features: str, model: str, reason: str) -> None:
        self.add_not_applicable(features, model, reason)
        for rows in (self._scores, self._costs):
            rows[-1] |= {"variant": "tuned"}


class SearchFolder:
    """`results/tuning/<dataset>/<features>/<model>/`, from the validation accuracies of its trials.

    Attributes:
        trials: what `write` puts into trials.csv; a test may spoil it, as also `costs` and `facts`.
    """

    def __init__(
        self, root: Path, dataset: str, features: str, model: str, accuracies: list[float], **facts: Any
    ):
        """`accuracies` begin with the default configuration's; NaN is a failed trial."""
        family: Family = "deep" if features == LEARNED else "classical"
        self.folder = Layout(root).tuning(Cell(dataset, features, model, family))
        keys = {"dataset": dataset, "features": features, "model": model, "family": family}
        best = int(np.nanargmax(accuracies))
        self.trials = [keys | _trial(number, value, best) for number, value in enumerate(accuracies)]
        self.costs = [keys | _cost(number) for number in range(len(accuracies))]
        self.importance = [("estimator.depth", 0.7), ("rate", 0.25), ("kind", 0.05)]
        self.facts = keys | _facts(accuracies, best) | facts

    def prune(self, *numbers: int) -> None:
        for number in numbers:
            self.trials[number]["state"] = PRUNED

    def second_objective(self, column: str, values: list[float], front: set[int]) -> None:
        """Make the cost `column`, one value a trial, an objective with the given Pareto front."""
        self.facts["objectives"] = ["accuracy", column]
        for trial, cost, value in zip(self.trials, self.costs, values, strict=True):
            trial["pareto"] = trial["trial"] in front
            cost[column] = value

    def write(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        columns = [*TRIALS, "param.estimator.depth", "param.rate", "param.kind"]
        pd.DataFrame(self.trials, columns=columns).to_csv(self.folder / "trials.csv", index=False)
        pd.DataFrame(self.costs, columns=TRIAL_COSTS).to_csv(self.folder / "costs.csv", index=False)
        importance = pd.DataFrame(self.importance, columns=["parameter", "importance"])
        importance.to_csv(self.folder / "importance.csv", index=False)
        (self.folder / "sweep.json").write_text(json.dumps(self.facts))


def _trial(number: int, accuracy: float, best: int) -> dict[str, Any]:
    failed = bool(np.isnan(accuracy))
    return {
        "trial": number,
        "state": FAILED if failed else COMPLETED,
        "best": number == best,
        "pareto": number == best,
        "accuracy": None if failed else accuracy,
        "score": None if failed else accuracy,
        "repetitions": 0 if failed else 3,
        "error": "ValueError: no such kind" if failed else None,
        "param.estimator.depth": None if number % 5 == 3 else number + 3,
        "param.rate": 0.1234567 / (number + 1),
        "param.kind": "null" if number % 2 else "wide",
    }


def _cost(number: int) -> dict[str, Any]:
    return {
        "trial": number,
        "seconds": 2.0,
        "fit_seconds": 0.5 + number / 10,
        "device": "cpu",
        "threads": 1,
        "started_at": "2025-01-01T00:00:00+00:00",
    }


def _facts(accuracies: list[float], best: int) -> dict[str, Any]:
    failed = int(np.isnan(accuracies).sum())
    return {
        "status": "ok",
        "reason": "",
        "sampler": "random",
        "seed": 0,
        "pruner": "none",
        "metric": "accuracy",
        "objectives": ["accuracy"],
        "budget": {"trials": len(accuracies), "seconds": None},
        "examples": None,
        "repetitions": [31, 30, 29],
        "n_train": 1000,
        "n_validation": 100,
        "completed": len(accuracies) - failed,
        "pruned": 0,
        "failed": failed,
        "best_trial": best,
        "exhausted": False,
        "independent": True,
        "space": {},
        "data_checksum": "feed" * 16,
    }
