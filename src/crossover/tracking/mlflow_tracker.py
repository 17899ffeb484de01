"""Fits and searches in MLflow.

One experiment is a data set. A parent run in it is a study (a `dvc repro` at one commit, a DVC experiment, a Hydra
multirun) and a child run a fit, or the parent is a search and a child one of its trials. A fit, a search or a trial
may continue in another process, on another machine or in a later start, so its run is found by its content: by the
tag `crossover.fit_id`, `crossover.sweep_id` or `crossover.trial_id`.

Not used are `mlflow.start_run`, whose active run and address belong to the caller, and MLflow's logging in the
background, which either makes one call an epoch or lets the end of each fit wait for its buffer, here 2 s.
"""

import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.core import columns
from crossover.core.errors import first_line
from crossover.data.prepared import Input, Meta
from crossover.tracking.contents import (
    NOTE,
    PARENT,
    SEARCHED,
    STATE,
    dataset_key,
    fit_name,
    fit_note,
    flat,
    params_of,
    readable,
    study_name,
    study_note,
    sweep_note,
    tags_of,
    trial_note,
)
from crossover.tracking.logged_model import log_model
from crossover.tracking.store import Store
from crossover.tracking.tracker import FitFacts, Log, SweepFacts, Tracker, TrialFacts

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Metric, Run

DEFAULT_URI = "sqlite:///mlflow.db"
"""MLflow's own default, so that a bare `mlflow ui` in the project's root shows the runs."""

SECONDS_BETWEEN_CALLS = 2.0
"""Epochs are sent together, so that a fit of many short ones does not wait for the store at each."""

MOST_METRICS = 500
"""How many values may wait; MLflow takes 1,000 in one call."""

RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"

STATUS = {
    columns.COMPLETED: FINISHED,
    # MLflow's page shows KILLED with the red cross of FAILED, and a pruned trial is no failure: the tag tells it.
    columns.PRUNED: FINISHED,
    columns.FAILED: FAILED,
}
"""MLflow's status of a trial that has ended."""

FIT_ID, SWEEP_ID, TRIAL_ID, STUDY = (
    f"crossover.{name}" for name in ("fit_id", "sweep_id", "trial_id", "study")
)


class MlflowTracker(Tracker):
    """Records in MLflow; a store that fails costs one warning, never a result.

    Args:
        uri: address of the store; None takes MLFLOW_TRACKING_URI from the environment, else `DEFAULT_URI`.
        log_models: whether to record copies of the fitted models; of trials none is recorded.
    """

    def __init__(self, *, uri: str | None, log_models: bool):
        self.log_models = log_models
        self._store = Store(uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)

    def fit(self, facts: FitFacts, *, resume: bool = False) -> AbstractContextManager[Log]:
        return self._recorded(_start_fit, facts, resume, self.log_models)

    def sweep(self, facts: SweepFacts) -> AbstractContextManager[Log]:
        return self._recorded(_start_sweep, facts)

    def trial(self, facts: TrialFacts) -> AbstractContextManager[Log]:
        return self._recorded(_start_trial, facts)

    @contextmanager
    def _recorded(self, start: "Callable[..., _RunLog | None]", *args: Any) -> Iterator[Log]:
        log = self._store.attempt(start, self._store, *args)
        if log is None:
            yield Log()
            return
        status, error = FAILED, ""
        try:
            yield log
            status = FINISHED
        except KeyboardInterrupt:
            status = KILLED
            raise
        except Exception as problem:
            error = first_line(problem)
            raise
        finally:
            log.end(status, error)


class _RunLog(Log):
    """What is recorded in one MLflow run, in few calls."""

    keeps = True

    def __init__(self, store: Store, run: "Run", facts: Any, meta: Meta):
        self.store, self.client, self.run, self.facts, self.meta = store, store.client, run, facts, meta
        self.run_id: str = run.info.run_id
        self.model_id: str | None = None
        self.last_step = 0
        self._kept_at = 0
        self._unsent: list[Metric] = []
        self._sent_at = time.monotonic()

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        self.last_step = step
        self.keep(metrics)
        if time.monotonic() - self._sent_at > SECONDS_BETWEEN_CALLS or len(self._unsent) > MOST_METRICS:
            self.send()

    def metrics(self, values: dict[str, float]) -> None:
        # At the last epoch's step, so that a key that has a curve keeps its order.
        self.keep(values)
        self.send()

    def figure(self, figure: "Figure", name: str) -> None:
        self.store.attempt(self.client.log_figure, self.run_id, figure, f"figures/{name}.png")

    def artifact(self, path: Path) -> None:
        self.store.attempt(self.client.log_artifact, self.run_id, str(path))

    def keep(self, values: dict[str, float]) -> None:
        from mlflow.entities import Metric

        # Of two values of one step MLflow shows the later one, and in the same millisecond the larger one.
        self._kept_at = max(int(time.time() * 1000), self._kept_at + 1)
        at, of = (self._kept_at, self.last_step), (self.model_id, *dataset_key(self.meta))
        self._unsent += [Metric(key, value, *at, *of) for key, value in values.items()]

    def send(self) -> None:
        metrics, self._unsent, self._sent_at = self._unsent, [], time.monotonic()
        if metrics:
            self.store.attempt(self.client.log_batch, self.run_id, metrics)

    def end(self, status: str, error: str) -> None:
        """End the run with the status that the block's end stands for; `error` is its exception."""
        self.send()
        if self.store.failed:
            # What failed may have been a single file: leave no run open that can still be closed.
            with contextlib.suppress(Exception):
                self.close(status, error)
        else:
            self.store.attempt(self.close, status, error)

    def close(self, status: str, error: str) -> None:
        raise NotImplementedError


def _start_fit(store: Store, facts: FitFacts, resume: bool, log_models: bool) -> "_FitLog":
    experiment_id = store.experiment(facts.cell.dataset, facts.meta)
    query = f"tags.`{FIT_ID}` = '{facts.fit_id}'" + (
        "" if resume else f" and attributes.status != '{FINISHED}'"
    )
    run = store.newest(experiment_id, query)
    resumed = run is not None
    if run is None:
        note = {NOTE: study_note(facts)}
        study = store.shared_run(
            experiment_id, STUDY, study_name(facts), study_name(facts), tags_of(facts) | note
        )
        tags = tags_of(facts) | {
            PARENT: study,
            NOTE: fit_note(facts),
            FIT_ID: facts.fit_id,
            "seed": str(facts.seed),
        }
        params = params_of(facts.params, facts.meta)
        run = store.create_run(experiment_id, fit_name(facts), tags, params, facts.meta)
    elif run.info.status != FINISHED:
        store.client.update_run(run.info.run_id, status=RUNNING)
    log = _FitLog(store, run, facts, facts.meta)
    log.log_models, log.resumed = log_models, resumed
    models = run.outputs.model_outputs if run.outputs else []
    log.model_id = models[0].model_id if models else None
    return log


class _FitLog(_RunLog):
    """The record of one fit in an MLflow run."""

    facts: FitFacts
    log_models: bool

    def model(self, model_folder: Path, featurizer_folder: Path | None, example: Input) -> None:
        if self.log_models and self.model_id is None:
            folders = {"model": model_folder} | (
                {"featurizer": featurizer_folder} if featurizer_folder else {}
            )
            self.model_id = self.store.attempt(
                log_model, self.client, self.run, self.facts, folders, example, self.last_step
            )

    def close(self, status: str, error: str) -> None:
        """End the run, and with it for the time being its study; a run that had ended before keeps its time."""
        ended = self.run.info.end_time if self.run.info.status == FINISHED else None
        self.client.set_terminated(self.run_id, status, ended)
        if ended is None:
            self.client.set_terminated(self.run.data.tags[PARENT], status)


def _search_run(store: Store, facts: SweepFacts) -> tuple[str, str]:
    """The ids of a search's experiment and of its run, which the first of its processes creates."""
    experiment_id = store.experiment(facts.cell.dataset, facts.meta)
    tags = tags_of(facts, variant="sweep") | {NOTE: sweep_note(facts)}
    return experiment_id, store.shared_run(experiment_id, SWEEP_ID, facts.sweep_id, facts.name, tags)


def _start_sweep(store: Store, facts: SweepFacts) -> "_SweepLog":
    _, run_id = _search_run(store, facts)
    store.client.update_run(run_id, status=RUNNING)
    run = store.client.get_run(run_id)
    known = run.data.params
    params = params_of({key: value for key, value in facts.params.items() if key != "budget"}, facts.meta)
    # MLflow lets nobody change a parameter: what may change, or did, is a tag.
    tags = flat({key: value for key, value in facts.params.items() if key == "budget"})
    tags |= {param.key: param.value for param in params if known.get(param.key, param.value) != param.value}
    store.client.log_batch(run_id, params=[param for param in params if param.key not in known])
    store.set_tags(run_id, tags)
    return _SweepLog(store, run, facts, facts.meta)


class _SweepLog(_RunLog):
    """The record of one search in an MLflow run."""

    facts: SweepFacts

    def text(self, content: str, name: str) -> None:
        self.store.attempt(self.client.log_text, self.run_id, content, name)

    def best(self, trial_id: str | None) -> None:
        self.store.attempt(self._mark, trial_id)
        self.send()

    def _mark(self, trial_id: str | None) -> None:
        trials = self.store.children(self.run)
        best = next((run for run in trials if run.data.tags.get(TRIAL_ID) == trial_id), None)
        for run in trials:
            if "best" in run.data.tags and run is not best:
                self.client.delete_tag(run.info.run_id, "best")
        counts = Counter(run.data.tags.get(STATE) for run in trials)
        numbers: dict[str, float] = {state: counts[state] for state in STATUS}
        # One point for each number of ended trials, so that the best of a search that goes on is a curve.
        self.last_step = sum(counts[state] for state in STATUS)
        if best is not None:
            self.client.set_tag(best.info.run_id, "best", "true")
            numbers |= {key: value for key, value in best.data.metrics.items() if key.startswith("val/")}
            numbers["best_trial"] = int(best.data.tags["trial"])
        self.keep(numbers)
        self.client.set_tag(self.run_id, NOTE, sweep_note(self.facts, best, counts))

    def close(self, status: str, error: str) -> None:
        for run in self.store.children(self.run):
            if run.info.status == RUNNING:  # its process is gone
                self.client.set_terminated(run.info.run_id, KILLED)
        self.client.set_terminated(self.run_id, status)


def _start_trial(store: Store, facts: TrialFacts) -> "_TrialLog | None":
    """The record of a trial; None if the trial has completed or was pruned before."""
    sweep = facts.sweep
    experiment_id, parent = _search_run(store, sweep)
    name = f"trial {facts.number}"
    tags = tags_of(sweep, variant="trial") | {
        PARENT: parent,
        NOTE: trial_note(facts),
        TRIAL_ID: facts.trial_id,
        SEARCHED: json.dumps(facts.params),
        "trial": str(facts.number),
    }
    run = store.newest(
        experiment_id, f"tags.`{TRIAL_ID}` = '{facts.trial_id}' and tags.`{PARENT}` = '{parent}'"
    )
    if run is None:
        searched = {f"model.{key}": readable(value) for key, value in facts.params.items()}
        params = params_of(flat(facts.config) | searched, sweep.meta)
        run = store.create_run(experiment_id, name, tags, params, sweep.meta)
    elif run.info.status == FINISHED:
        return None
    else:
        store.client.update_run(run.info.run_id, status=RUNNING, name=name)
        store.set_tags(run.info.run_id, tags)
        if STATE in run.data.tags:
            store.client.delete_tag(run.info.run_id, STATE)
    return _TrialLog(store, run, facts, sweep.meta)


class _TrialLog(_RunLog):
    """The record of one trial in an MLflow run."""

    facts: TrialFacts
    state = error = ""

    def ended(self, state: str, error: str = "") -> None:
        self.state, self.error = state, error

    def close(self, status: str, error: str) -> None:
        """End the run as the trial ended; one that was broken off has no state and can continue."""
        state = self.state or (columns.COMPLETED if status == FINISHED else columns.FAILED if error else "")
        if state:
            self.store.set_tags(
                self.run_id, {STATE: state, NOTE: trial_note(self.facts, self.error or error)}
            )
        self.client.set_terminated(self.run_id, STATUS[state] if state else status)
