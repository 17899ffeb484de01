"""Fits and searches in MLflow.

One experiment is a data set. A parent run in it is a study (a `dvc repro` at one commit, a DVC experiment, a Hydra
multirun) and a child run a fit, or the parent is a search and a child one of its trials. A fit, a search or a trial
may continue in another process, on another machine or in a later start, so its run is found by its content: by the
tag `crossover.fit_id`, `crossover.sweep_id` or `crossover.trial_id`.

Not used are `mlflow.start_run`, whose active run and address belong to the caller, and MLflow's logging in the
background, which either makes one call an epoch or lets the end of each fit wait for its buffer, here 2 s.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.core import columns
from crossover.core.cell import DEFAULT
from crossover.core.errors import first_line
from crossover.data.prepared import Input, Meta
from crossover.tracking.contents import (
    NOTE,
    PARENT,
    SEARCHED,
    STATE,
    command,
    flat,
    origin_tags,
    params_of,
    readable,
    study_name,
    study_tags,
    sweep_note,
    trial_note,
)
from crossover.tracking.logged_model import log_model
from crossover.tracking.report import FIT, record_report
from crossover.tracking.store import FAILED, FINISHED, KILLED, RUNNING, RunLog, Store
from crossover.tracking.tracker import LEARNING_CURVE, FitFacts, Log, SweepFacts, Tracker, TrialFacts

if TYPE_CHECKING:
    from mlflow.entities import Run

DEFAULT_URI = "sqlite:///mlflow.db"
"""MLflow's own default, so that a bare `mlflow ui` in the project's root shows the runs."""

STATUS = {
    columns.COMPLETED: FINISHED,
    # MLflow's page shows KILLED with the red cross of FAILED, and a pruned trial is no failure: the tag tells it.
    columns.PRUNED: FINISHED,
    columns.FAILED: FAILED,
}
"""MLflow's status of a trial that has ended."""

TRIAL_ID = "crossover.trial_id"


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

    def report(self, meta: Meta, git_commit: str, reports: Path, answer: str) -> dict[str, str]:
        return self._store.attempt(record_report, self._store, meta, git_commit, reports, answer) or {}

    @contextmanager
    def _recorded(self, start: "Callable[..., RunLog | None]", *args: Any) -> Iterator[Log]:
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


def _start_fit(store: Store, facts: FitFacts, resume: bool, log_models: bool) -> "_FitLog":
    # Of one id are equal fits: that of a study goes on in its run. A multirun may repeat a finished one as its own.
    again = "" if resume or facts.parent is None else f" and attributes.status != '{FINISHED}'"
    with store.locked():  # a stage whose `dvc` was killed may record the same at the same time
        run = store.newest(facts, f"tags.`{FIT}` = '{facts.fit_id}'{again}")
        resumed = run is not None
        if run is None:
            run = _new_run(store, facts)
        elif run.info.status != FINISHED:
            store.client.update_run(run.info.run_id, status=RUNNING)
    log = _FitLog(store, run, facts, facts.meta)
    log.log_models, log.resumed = log_models, resumed
    models = run.outputs.model_outputs if run.outputs else []
    log.model_id = models[0].model_id if models else None
    if not resume:
        log.watch_the_machine()
    return log


def _new_run(store: Store, facts: FitFacts) -> "Run":
    """A run of a fit below its study or multirun."""
    cell, seed = facts.cell, facts.seed
    study = facts.parent or study_name(facts.git_commit)
    variant = "" if cell.variant == DEFAULT else f" ({cell.variant})"
    name = f"{cell.model}{variant} · {cell.features} · seed {seed}"
    overrides = [*([] if cell.variant == DEFAULT else [f"variant={cell.variant}"]), f"seed={seed}"]
    if cell.variant == LEARNING_CURVE:
        name, overrides = f"learning curve · {cell.features}-{cell.model}", []
    tags = {
        **origin_tags(facts),
        **asdict(cell),
        "seed": str(seed),
        FIT: facts.fit_id,
        PARENT: store.shared_run(
            facts,
            "crossover.study",
            study,
            study,
            study_tags(facts) if facts.parent is None else origin_tags(facts),
        ),
        NOTE: f"To repeat this fit: `{command(facts.stage, cell, overrides)}`",
    }
    return store.create_run(name, tags, params_of(facts.params, facts.meta), facts)


class _FitLog(RunLog):
    """The record of one fit in an MLflow run."""

    facts: FitFacts
    log_models: bool
    monitor: Any = None

    def watch_the_machine(self) -> None:
        """Record processor, memory and GPU while the fit runs, where MLflow's own switch asks for it."""
        from mlflow.environment_variables import MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING

        if MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING.get():
            from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

            self.monitor = SystemMetricsMonitor(
                self.run_id, resume_logging=self.resumed, tracking_uri=self.store.address
            )
            self.monitor.start()

    def model(self, model_folder: Path, featurizer_folder: Path | None, example: Input) -> None:
        if self.log_models and self.model_id is None:
            folders = {"model": model_folder, "featurizer": featurizer_folder}
            args = self.client, self.run, self.facts, folders, example, self.last_step
            self.model_id = self.store.attempt(log_model, *args)

    def close(self, status: str, error: str) -> None:
        """End the run, and with it for the time being its study; a run that had ended before keeps its time."""
        if self.monitor:
            self.monitor.finish()
        ended = self.run.info.end_time if self.run.info.status == FINISHED else None
        self.client.set_terminated(self.run_id, status, ended)
        if ended is None:
            self.client.set_terminated(self.run.data.tags[PARENT], status)


def _search_run(store: Store, facts: SweepFacts) -> str:
    """The id of a search's run, which the first of its processes creates."""
    tags = {
        **origin_tags(facts),
        **asdict(facts.cell),
        "variant": "sweep",
        NOTE: sweep_note(facts, None, {}),
    }
    return store.shared_run(facts, "crossover.sweep_id", facts.sweep_id, facts.name, tags)


def _start_sweep(store: Store, facts: SweepFacts) -> "_SweepLog":
    run_id = _search_run(store, facts)
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


class _SweepLog(RunLog):
    """The record of one search in an MLflow run."""

    facts: SweepFacts

    def best(self, trial_id: str | None) -> None:
        self.store.attempt(self._mark, trial_id)
        self.send()

    def _mark(self, trial_id: str | None) -> None:
        trials = self.store.children(self.run)
        best = next((run for run in trials if run.data.tags.get(TRIAL_ID) == trial_id), None)
        for run in trials:
            if "best" in run.data.tags and run is not best:
                self.client.delete_tag(run.info.run_id, "best")
        states = [run.data.tags.get(STATE) for run in trials]
        counts = {state: states.count(state) for state in STATUS}
        numbers: dict[str, float] = {**counts}
        # One point for each number of ended trials, so that the best of a search that goes on is a curve.
        self.last_step = sum(counts.values())
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
    sweep, name = facts.sweep, f"trial {facts.number}"
    parent = _search_run(store, sweep)
    tags = {
        **origin_tags(sweep),
        **asdict(sweep.cell),
        "variant": "trial",
        "trial": str(facts.number),
        TRIAL_ID: facts.trial_id,
        PARENT: parent,
        NOTE: trial_note(facts),
        SEARCHED: json.dumps(facts.params),
    }
    run = store.newest(sweep, f"tags.`{TRIAL_ID}` = '{facts.trial_id}' and tags.`{PARENT}` = '{parent}'")
    if run is None:
        searched = {f"model.{key}": readable(value) for key, value in facts.params.items()}
        run = store.create_run(name, tags, params_of(flat(facts.config) | searched, sweep.meta), sweep)
    elif run.info.status == FINISHED:
        return None
    else:
        store.client.update_run(run.info.run_id, status=RUNNING, name=name)
        store.set_tags(run.info.run_id, tags)
        if STATE in run.data.tags:
            store.client.delete_tag(run.info.run_id, STATE)
    return _TrialLog(store, run, facts, sweep.meta)


class _TrialLog(RunLog):
    """The record of one trial in an MLflow run."""

    facts: TrialFacts
    state = error = ""

    def ended(self, state: str, error: str = "") -> None:
        self.state, self.error = state, error

    def close(self, status: str, error: str) -> None:
        """End the run as the trial ended; one that was broken off has no state and can continue."""
        state = self.state or (columns.COMPLETED if status == FINISHED else columns.FAILED if error else "")
        if state:
            note = trial_note(self.facts, self.error or error)
            self.store.set_tags(self.run_id, {STATE: state, NOTE: note})
        self.client.set_terminated(self.run_id, STATUS[state] if state else status)
