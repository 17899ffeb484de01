"""What the stages record of a fit, a search and a trial. Here nothing is recorded; `MlflowTracker` records in MLflow.

A tracker only records: no result and no decision is ever read from it.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.core.cell import Cell
from crossover.data.prepared import Input, Meta

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEARNING_CURVE = "learning_curve"
"""Variant of a run that records a learning curve: its steps are sizes, and its metrics means over repetitions."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a fit or a search before it starts.

    Attributes:
        cell: what is fitted or searched; the fits of a whole learning curve have the variant `LEARNING_CURVE`.
        params: the configuration; nested keys become `outer.inner`.
        git_commit: of the project, with "+" at its end if the work tree had changes; "" outside of git.
        meta: of the prepared data set.
        stage: the DVC stage.
    """

    cell: Cell
    params: dict[str, Any]
    git_commit: str
    meta: Meta
    stage: str


@dataclass(frozen=True, kw_only=True)
class FitFacts(Facts):
    """What is known of a fit.

    Attributes:
        seed: number of the repetition.
        fit_id: SHA-256 of configuration, seed, data and code.
        parent: name of the parent run; None names it after the DVC experiment or the commit.
    """

    seed: int
    fit_id: str
    parent: str | None = None


@dataclass(frozen=True, kw_only=True)
class SweepFacts(Facts):
    """What is known of a search. Its params hold under "budget" what may differ from one start to the next.

    Attributes:
        name: of the search's run; the same in every process and every start.
        sweep_id: SHA-256 of what the search is (space, sampler, seed, data, code), without its budget.
    """

    name: str
    sweep_id: str
    stage: str = "tune"


@dataclass(frozen=True)
class TrialFacts:
    """What is known of a trial before it starts.

    Attributes:
        sweep: the search that it belongs to.
        number: of the trial, from 0 on.
        trial_id: SHA-256 of the search's id and the configuration.
        params: what was searched; keys are those of the model's YAML, `estimator.max_depth`.
        config: the whole configuration, with that of the model under "model".
    """

    sweep: SweepFacts
    number: int
    trial_id: str
    params: dict[str, Any]
    config: dict[str, Any]


class Log:
    """The record of one fit, search or trial; this one keeps nothing.

    Attributes:
        keeps: whether anything is kept, so whether a figure is worth drawing.
        resumed: whether an earlier process began this record of a fit.
    """

    keeps = False
    resumed = False

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        """Record the metrics of one epoch or step, numbered from 0."""

    def metrics(self, values: dict[str, float]) -> None:
        """Record the final metrics; keys are `{part}/{metric}`."""

    def figure(self, figure: "Figure", name: str) -> None:
        """Record a figure as `figures/<name>.png`."""

    def artifact(self, path: Path) -> None:
        """Record a copy of a file; it replaces one of the same name."""

    def model(self, model_folder: Path, featurizer_folder: Path | None, example: Input) -> None:
        """Record a copy of a fit's model, unless the record has one already.

        Args:
            model_folder: the model as saved, with its `config.json`.
            featurizer_folder: the fitted feature set in front of it; None for a model that takes raw input.
            example: raw input; two of its rows are kept with the model as an example request.
        """

    def ended(self, state: str, error: str = "") -> None:
        """Say that a trial "completed", was "pruned" or "failed" and why; a later exception does not change it."""

    def best(self, trial_id: str | None) -> None:
        """Mark the best trial of a search, and no other; None if no trial has completed.

        The search gets the best trial's number and validation metrics, the number of completed, pruned and failed
        trials, and a note with the best parameters.
        """


class Tracker:
    """Where fits and searches are recorded; this one records nothing."""

    def fit(self, facts: FitFacts, *, resume: bool = False) -> AbstractContextManager[Log]:
        """Record one fit while the block runs.

        The run ends FINISHED, KILLED after a KeyboardInterrupt, or FAILED after another exception; the exception
        goes on.

        Args:
            facts: what identifies the fit.
            resume: continue the newest run of this fit even if it has finished, to add its scores. So does a fit
                without a parent of its own; and a run that was broken off is continued in any case, so that its
                curves stay whole.
        """
        return nullcontext(Log())

    def report(self, meta: Meta, git_commit: str, reports: Path, answer: str) -> dict[str, str]:
        """Record what the comparison says of a data set: the study's answer, and a run for each cell and each curve.

        Args:
            meta: of the prepared data set.
            git_commit: of the project.
            reports: what the stage `compare` wrote.
            answer: the verdict in Markdown.

        Returns:
            where it is found: what is there, and the address of its page; empty where nothing is recorded.
        """
        return {}

    def sweep(self, facts: SweepFacts) -> AbstractContextManager[Log]:
        """Record one search while the block runs; a search that began earlier continues in its run.

        The run is RUNNING during the block and ends like the run of a fit. A trial that is still open then was
        broken off, and its run ends KILLED.
        """
        return nullcontext(Log())

    def trial(self, facts: TrialFacts) -> AbstractContextManager[Log]:
        """Record one trial of a search while the block runs, below the run of the search.

        A trial that was broken off or failed before continues in its run. For a trial that has completed or was
        pruned before, nothing is recorded. Unless `Log.ended` says otherwise, the trial is "completed", after an
        exception "failed" with the exception as its error, and after a KeyboardInterrupt broken off; the exception
        goes on.
        """
        return nullcontext(Log())
