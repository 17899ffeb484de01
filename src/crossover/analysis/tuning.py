"""The searches behind the tuned cells of one data set, read from `results/tuning/`."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossover.analysis.results import CellResult, DatasetResults
from crossover.analysis.sensitivity import (
    ENOUGH,
    BestCurve,
    SensitivityVerdict,
    Spread,
    best_curve,
    judge_sensitivity,
    spread,
)
from crossover.analysis.statistics import Interval, bootstrap, percentile_interval
from crossover.core.cell import DEFAULT, TUNED
from crossover.core.columns import (
    FAILED,
    IMPORTANCE,
    PARAMETER,
    PRUNED,
    SWEEP,
    TRIAL_COSTS,
    TRIALS,
    read_rows,
)
from crossover.core.errors import CrossoverError
from crossover.core.files import read_json
from crossover.core.layout import Layout
from crossover.core.study import Study, Tuning

_MADE_BY = "dvc repro"


@dataclass(frozen=True, eq=False)  # equal is the same: frames have no plain ==
class Search:
    """The search for the configuration of one tuned cell.

    Attributes:
        tuned: the cell, as fitted with what was found.
        default: the same model as its YAML says.
        facts: `sweep.json`.
        trials: one row a trial, in the order of their numbers; the columns `param.…` hold text.
        costs: likewise.
        importance: share of each hyperparameter, the largest first; empty where it could not be told.
    """

    tuned: CellResult
    default: CellResult
    facts: dict[str, Any]
    trials: pd.DataFrame
    costs: pd.DataFrame
    importance: pd.DataFrame

    @property
    def second_objective(self) -> str | None:
        """The column of `costs` that was an objective beside accuracy, if one was."""
        return next((name for name in self.facts["objectives"] if name != "accuracy"), None)

    @property
    def independent(self) -> bool:
        """Whether the configurations were drawn without a look at earlier trials."""
        return bool(self.facts["independent"])

    @property
    def settled(self) -> bool:
        """Whether so few were pruned that the quartiles are those of accuracies at the end."""
        pruned = self.count(PRUNED)
        return pruned == 0 or 4 * pruned < len(self.accuracies)

    @property
    def best(self) -> pd.Series | None:
        """The trial that the tuned cell has its configuration from; None where no trial was completed."""
        rows = self.trials[self.trials["best"]]
        return None if rows.empty else rows.iloc[0]

    @property
    def default_trial(self) -> pd.Series:
        return self.trials.iloc[0]

    @cached_property
    def scored(self) -> pd.DataFrame:
        """The trials that have an accuracy, without the default configuration, which nobody drew."""
        return self.trials[(self.trials["trial"] != 0) & self.trials["accuracy"].notna()]

    @property
    def accuracies(self) -> np.ndarray:
        """Validation accuracy of each of `scored`: float (n,); of a pruned one the last that it reported."""
        return self.scored["accuracy"].to_numpy(dtype=float)

    @cached_property
    def spread(self) -> Spread:
        return spread(self.accuracies)

    @cached_property
    def curve(self) -> BestCurve:
        """Expected best after k draws; where the proposals are no independent draws, the best so far."""
        if self.independent and len(self.accuracies):
            return best_curve(self.accuracies)
        so_far = np.maximum.accumulate(self.accuracies)
        return BestCurve(so_far, so_far, so_far)

    @property
    def failures(self) -> pd.DataFrame:
        return self.trials[self.trials["state"] == FAILED]

    def count(self, state: str) -> int:
        """Number of trials that ended so."""
        return int((self.trials["state"] == state).sum())

    @property
    def seconds(self) -> float:
        """Wall-clock time of all trials, one after the other."""
        return float(self.costs["seconds"].sum())

    @property
    def fits_worth(self) -> float:
        """The same as a multiple of one fit of the default configuration."""
        return self.seconds / self.default.mean("fit_seconds")

    @property
    def gain(self) -> float:
        """Mean test accuracy, tuned minus default."""
        return self.tuned.mean("accuracy") - self.default.mean("accuracy")

    @cached_property
    def gain_interval(self) -> Interval:
        """Of `gain`, by the paired two-level bootstrap."""
        resamples = bootstrap([self.tuned.correct, self.default.correct]).in_bag
        return percentile_interval(resamples[:, 0] - resamples[:, 1])

    def parameter(self, trial: pd.Series, key: str) -> str | None:
        """Text of a hyperparameter in a trial; None where a condition leaves it out."""
        value = trial[f"{PARAMETER}{key}"]
        return None if pd.isna(value) else str(value)

    def parameters(self, trial: pd.Series) -> dict[str, str]:
        """All hyperparameters of a trial that are in force, in the order of the space."""
        keys = [c.removeprefix(PARAMETER) for c in self.trials.columns if c.startswith(PARAMETER)]
        found = {key: self.parameter(trial, key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}


@dataclass(frozen=True)
class DatasetTuning:
    """The searches of one data set, in the order of the study."""

    dataset: str
    budget: Tuning
    searches: list[Search]

    def family(self, family: str) -> list[Search]:
        return [search for search in self.searches if search.tuned.family == family]

    def comparable(self, family: str) -> list[Search]:
        """Those whose spread can be compared: independent draws, enough of them, and their quartiles known."""
        return [s for s in self.family(family) if s.independent and s.settled and len(s.accuracies) >= ENOUGH]

    @cached_property
    def sensitivity(self) -> SensitivityVerdict | None:
        """The answer to claim C14; None where one of the families has no comparable search."""
        deep, classical = (self.comparable(family) for family in ("deep", "classical"))
        return judge_sensitivity([s.accuracies for s in deep], [s.accuracies for s in classical])


def read_tuning(study: Study, layout: Layout, results: DatasetResults) -> DatasetTuning | None:
    """Read the searches behind the tuned cells that have results; None where there is none.

    Raises:
        CrossoverError: a file or a column is missing, files disagree, a search had another budget, sampler or
            seed than the study gives, or has seen a repetition on which its best configuration is fitted.
    """
    cells = {result.cell: result for result in results.cells}
    tuned = [cells[cell] for cell in study.cells(results.dataset) if cell.variant == TUNED and cell in cells]
    if not tuned:
        return None
    searches = []
    for result in tuned:
        cell = result.cell
        reader = _Reader(layout.tuning(cell))
        searches.append(reader.search(result, cells[replace(cell, variant=DEFAULT)], study.tuning))
    return DatasetTuning(results.dataset, study.tuning, searches)


class _Reader:
    """The files of one search."""

    def __init__(self, folder: Path):
        self._folder = folder

    def search(self, tuned: CellResult, default: CellResult, asked: Tuning) -> Search:
        facts, trials = self._facts(asked), self._trials()
        costs = read_rows(self._folder / "costs.csv", TRIAL_COSTS, _MADE_BY).sort_values("trial")
        if trials["trial"].tolist() != costs["trial"].tolist() or 0 not in set(trials["trial"]):
            raise self._wrong("trials.csv", "must hold trial 0 and the same trials as costs.csv")
        both = set(facts["repetitions"]) & set(tuned.scores["seed"].astype(int))
        if both:
            raise self._wrong(
                "sweep.json", f"must not have seen repetition {min(both)}, on which the best is fitted"
            )
        if trials["best"].sum() > 1:
            raise self._wrong("trials.csv", "must mark one trial as the best")
        importance = read_rows(self._folder / "importance.csv", IMPORTANCE, _MADE_BY)
        importance = importance.sort_values("importance", ascending=False, kind="stable")
        return Search(tuned, default, facts, trials, costs, importance)

    def _facts(self, asked: Tuning) -> dict[str, Any]:
        facts = read_json(self._folder / "sweep.json", _MADE_BY)
        wrong = sorted(set(facts) ^ set(SWEEP))
        if wrong:
            raise self._wrong("sweep.json", f"must have exactly the keys of the schema, check {wrong[0]}")
        found = {"sampler": facts["sampler"], "seed": facts["seed"], **facts["budget"]}
        for name in ("trials", "seconds", "sampler", "seed"):
            if found.get(name) != getattr(asked, name):
                rule = (
                    f"must be of the {name} in params.yaml, {getattr(asked, name)}, but has {found.get(name)}"
                )
                raise self._wrong("sweep.json", rule)
        return facts

    def _trials(self) -> pd.DataFrame:
        path = self._folder / "trials.csv"
        if not path.exists():
            raise CrossoverError(f"{path} does not exist; make it with `{_MADE_BY}`")
        text = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=str)
        parameters = [column for column in text.columns if column.startswith(PARAMETER)]
        wrong = sorted(set(text.columns) ^ {*TRIALS, *parameters})
        if wrong:
            raise self._wrong("trials.csv", f"must have exactly the columns of the schema, check {wrong[0]}")
        # The numbers as pandas reads them, the hyperparameters as they were written: 5, and not 5.0 beside a gap.
        rows = pd.read_csv(path, keep_default_na=False, na_values=[""])
        rows[parameters] = text[parameters]
        return rows.sort_values("trial", ignore_index=True)

    def _wrong(self, file: str, rule: str) -> CrossoverError:
        return CrossoverError(f"{self._folder / file} {rule}; make it again with `{_MADE_BY}`")


def tuning_table(tunings: list[DatasetTuning]) -> pd.DataFrame:
    """One row a tuned cell, in plain numbers: accuracies as shares of 1."""
    return pd.DataFrame([_row(search) for tuning in tunings for search in tuning.searches])


def _row(search: Search) -> dict[str, Any]:
    cell, facts, best = search.tuned.cell, search.facts, search.best
    row = {
        "dataset": cell.dataset,
        "features": cell.features,
        "model": cell.model,
        "family": search.tuned.family,
        "sampler": facts["sampler"],
        "budget_trials": facts["budget"]["trials"],
        "budget_seconds": facts["budget"]["seconds"],
    }
    row |= {state: search.count(state) for state in ("completed", "pruned", "failed")}
    row |= {"tuning_seconds": search.seconds, "tuning_default_fits": search.fits_worth}
    row |= {
        "best_trial": None if best is None else int(best["trial"]),
        "validation_default": search.default_trial["accuracy"],
        "validation_best": None if best is None else best["accuracy"],
        "test_default": search.default.mean("accuracy"),
        "test_tuned": search.tuned.mean("accuracy"),
        "difference": search.gain,
        "difference_low": search.gain_interval.low,
        "difference_high": search.gain_interval.high,
    }
    return row | (_spread(search) if search.independent else {})


def _spread(search: Search) -> dict[str, float]:
    s = search.spread
    return {
        "draws": s.n,
        "validation_median": s.median,
        "validation_iqr": s.iqr,
        "validation_sd": s.sd,
        "far_below_best": s.far_below,
    }
