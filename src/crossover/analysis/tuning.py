"""The searches behind the tuned cells of one data set: what they gained, cost and found."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from crossover.analysis.bootstrap import bootstrap
from crossover.analysis.results import CellResult
from crossover.analysis.sensitivity import (
    ENOUGH,
    BestCurve,
    Spread,
    SpreadComparison,
    best_curve,
    compare_spreads,
    spread,
)
from crossover.analysis.statistics import Interval, percentile_interval
from crossover.core.cell import FAMILIES, Family
from crossover.core.columns import COMPLETED, FAILED, PARAMETER, PRUNED
from crossover.core.metric import Metric
from crossover.core.study import Tuning


@dataclass(frozen=True)
class Importance:
    """A hyperparameter that matters.

    Attributes:
        parameter: its key.
        share: of the variance that all explain.
        best: its value in the best trial, as text; None without a best trial, or where a condition leaves it out.
    """

    parameter: str
    share: float
    best: str | None


@dataclass(frozen=True)
class FrontTrial:
    """A trial on the Pareto front of the metric and a second objective.

    Attributes:
        number: 0 is the default configuration.
        score: the metric on the validation examples.
        cost: the second objective.
        chosen: whether the tuned cell has its configuration.
        parameters: those in force, as text, in the order of the space.
    """

    number: int
    score: float
    cost: float
    chosen: bool
    parameters: dict[str, str]


@dataclass(frozen=True, eq=False)  # equal is the same: frames have no plain ==
class Search:
    """The search for the configuration of one tuned cell.

    Attributes:
        tuned: the cell, as fitted with what was found.
        default: the same model as its YAML says.
        facts: `sweep.json`.
        trials: one row per trial, in the order of their numbers; the columns `param.…` hold text.
        costs: likewise.
        importance: share of each hyperparameter, the largest first; empty where it is not known.
    """

    tuned: CellResult
    default: CellResult
    facts: dict[str, Any]
    trials: pd.DataFrame
    costs: pd.DataFrame
    importance: pd.DataFrame

    @property
    def second_objective(self) -> str | None:
        """The column of `costs` that was an objective next to the metric, if one was."""
        return next((name for name in self.facts["objectives"] if name != "accuracy"), None)

    @property
    def independent(self) -> bool:
        """Whether the configurations were drawn without a look at earlier trials."""
        return bool(self.facts["independent"])

    @property
    def few_pruned(self) -> bool:
        """Whether so few trials were pruned that the quartiles of the final scores are known."""
        pruned = self.count(PRUNED)
        return pruned == 0 or 4 * pruned < len(self.scores)

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
        """The trials that have a score, without the default configuration, which was not drawn."""
        return self.trials[(self.trials["trial"] != 0) & self.trials["score"].notna()]

    @property
    def scores(self) -> np.ndarray:
        """Validation score of each of `scored`, float (n,); a pruned trial has the last one that it reported."""
        return self.scored["score"].to_numpy(dtype=float)

    @cached_property
    def spread(self) -> Spread:
        return spread(self.scores)

    @cached_property
    def curve(self) -> BestCurve:
        """Expected best after k draws; the best after each trial where they were not drawn independently."""
        if self.independent and len(self.scores):
            return best_curve(self.scores)
        so_far = np.maximum.accumulate(self.scores)
        return BestCurve(so_far, so_far, so_far)

    @property
    def still_improving(self) -> tuple[str, str] | None:
        """Why another search of twice the budget may find more, and the override of params.yaml that runs it.

        None where the best of the second half of the trials is at most a standard error above that of the first half,
        the default configuration included: of independent draws, the next half would find as much again.
        """
        scores = self.trials["score"].dropna().to_numpy(dtype=float)
        half = len(scores) // 2
        if half == 0:
            return None
        first, second = scores[:half].max(), scores[half:].max()
        n = self.facts["n_validation"] * len(self.facts["repetitions"])
        if second - first <= np.sqrt(second * (1 - second) / n):
            return None
        name = "trials" if self.facts["budget"]["trials"] else "seconds"
        return (
            f"its search still improved: the best of the second half of its {len(scores)} trials is "
            f"{100 * (second - first):.1f} points above the best of the first half",
            f"tuning.{name}={2 * self.facts['budget'][name]}",
        )

    @property
    def first_error(self) -> str:
        """Why the first of the failed trials failed, in one line."""
        return " ".join(str(self.trials.loc[self.trials["state"] == FAILED, "error"].iloc[0]).split())

    def most_important(self, n: int) -> list[Importance]:
        """The n hyperparameters that matter most, or as many as were rated."""
        best = {} if self.best is None else self.parameters(self.best)
        rows = self.importance.head(n).itertuples(index=False)
        return [Importance(key, float(share), best.get(key)) for key, share in rows]

    @property
    def front(self) -> list[FrontTrial]:
        """The Pareto front, the best by the metric first."""
        rows = self.trials[self.trials["pareto"]].sort_values("score", ascending=False, kind="stable")
        costs = self.costs.set_index("trial")[self.second_objective or "fit_seconds"]
        return [
            FrontTrial(row["trial"], row["score"], costs[row["trial"]], row["best"], self.parameters(row))
            for _, row in rows.iterrows()
        ]

    def count(self, state: str) -> int:
        """Number of trials that ended so."""
        return int((self.trials["state"] == state).sum())

    @property
    def seconds(self) -> float:
        """Wall-clock time of all trials, one after the other."""
        return float(self.costs["seconds"].sum())

    @property
    def in_default_fits(self) -> float:
        """The same as a multiple of one fit of the default configuration."""
        return self.seconds / self.default.mean("fit_seconds")

    @property
    def gain(self) -> float:
        """Mean test score, tuned minus default."""
        return self.tuned.score - self.default.score

    @cached_property
    def gain_interval(self) -> Interval:
        """Of `gain`, from the same kind of resamples as the verdict."""
        resamples = bootstrap([self.tuned.correct, self.default.correct], self.tuned.test_overlap)
        return percentile_interval(resamples[:, 0] - resamples[:, 1])

    def parameters(self, trial: pd.Series) -> dict[str, str]:
        """All hyperparameters of a trial that are in force, as text, in the order of the space."""
        keys = [c.removeprefix(PARAMETER) for c in self.trials.columns if c.startswith(PARAMETER)]
        found = {key: trial[f"{PARAMETER}{key}"] for key in keys}
        return {key: str(value) for key, value in found.items() if not pd.isna(value)}


@dataclass(frozen=True)
class NotCompared:
    """Why the families' spreads are not compared.

    Attributes:
        reason: which of the four it is.
        family: that was not tuned; None for another reason.
        searches: of which too many trials were pruned; empty for another reason.
        least: scored draws that a spread takes.
    """

    reason: Literal["family not tuned", "dependent proposals", "pruned", "too few trials"]
    family: Family | None = None
    searches: tuple[Search, ...] = ()
    least: int = ENOUGH


@dataclass(frozen=True)
class DatasetTuning:
    """The searches of one data set.

    Attributes:
        dataset: its name.
        budget: of each search.
        searches: in the order of the study.
        examples: sizes of the subsets that trials were fitted on; empty where they had the whole training part.
        n_validation: on how many validation examples trials were scored.
        splits: on how many validation splits.
    """

    dataset: str
    budget: Tuning
    searches: list[Search]
    examples: list[int]
    n_validation: list[int]
    splits: list[int]

    @property
    def metric(self) -> Metric:
        """Of the data set, which the trials were compared by."""
        return self.searches[0].tuned.metric

    @property
    def with_second_objective(self) -> list[Search]:
        return [search for search in self.searches if search.second_objective]

    @property
    def independent(self) -> list[Search]:
        """The searches with a spread: independent draws, at least one of them scored."""
        return [search for search in self.searches if search.independent and len(search.scores)]

    def family(self, family: str) -> list[Search]:
        return [search for search in self.searches if search.tuned.family == family]

    def comparable(self, family: str) -> list[Search]:
        """Those whose spread can be compared: enough independent draws, few of them pruned."""
        searches = self.family(family)
        return [s for s in searches if s.independent and s.few_pruned and len(s.scores) >= ENOUGH]

    @cached_property
    def sensitivity(self) -> SpreadComparison | None:
        """Networks against classical models; None where one of the families has no comparable search."""
        deep, classical = (self.comparable(family) for family in ("deep", "classical"))
        return compare_spreads([s.scores for s in deep], [s.scores for s in classical])

    @property
    def not_compared(self) -> NotCompared | None:
        """Why there is no `sensitivity`; None where there is one."""
        if self.sensitivity is not None:
            return None
        for family in reversed(FAMILIES):
            if not self.family(family):
                return NotCompared("family not tuned", family)
        if not all(search.independent for search in self.searches):
            return NotCompared("dependent proposals")
        pruned = tuple(search for search in self.searches if not search.few_pruned)
        return NotCompared("pruned", searches=pruned) if pruned else NotCompared("too few trials")


def tuning_table(tunings: list[DatasetTuning]) -> pd.DataFrame:
    """One row per tuned cell, in plain numbers: scores as shares of 1."""
    rows = []
    for search in (search for tuning in tunings for search in tuning.searches):
        cell, facts, best, spread = search.tuned.cell, search.facts, search.best, search.spread
        row = {
            "dataset": cell.dataset,
            "features": cell.features,
            "model": cell.model,
            "family": search.tuned.family,
            "sampler": facts["sampler"],
            "budget_trials": facts["budget"]["trials"],
            "budget_seconds": facts["budget"]["seconds"],
            **{state: search.count(state) for state in (COMPLETED, PRUNED, FAILED)},
            "tuning_seconds": search.seconds,
            "tuning_default_fits": search.in_default_fits,
            "best_trial": None if best is None else int(best["trial"]),
            "validation_default": search.default_trial["score"],
            "validation_best": None if best is None else best["score"],
            "test_default": search.default.score,
            "test_tuned": search.tuned.score,
            "difference": search.gain,
            "difference_low": search.gain_interval.low,
            "difference_high": search.gain_interval.high,
        }
        if search.independent:
            row |= {
                "draws": spread.n,
                "validation_median": spread.median,
                "validation_iqr": spread.iqr,
                "validation_sd": spread.sd,
                "far_below_best": spread.far_below,
            }
        rows.append(row)
    return pd.DataFrame(rows)
