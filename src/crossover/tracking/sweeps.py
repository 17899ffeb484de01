"""The record of a search in MLflow: a parent run for the search, a child run for each of its trials.

A trial may run in another process, on another machine or in a later start than the search that it belongs to.
So both are found by their content: the parent by the tag `crossover.sweep_id`, a child by `crossover.trial_id`.
"""

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.core import columns as schema
from crossover.core.cell import LEARNED, Cell
from crossover.core.errors import first_line
from crossover.data.prepared import Meta
from crossover.tracking.store import (
    FAILED,
    FINISHED,
    KILLED,
    RUNNING,
    RunRecord,
    Store,
    dataset_input,
    dvc_tags,
    flat,
    origin_tags,
    params_of,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Param, Run

STATUS = {
    schema.COMPLETED: FINISHED,
    # MLflow's page shows KILLED with the red cross of FAILED, and a pruned trial is no mishap: the tag tells it.
    schema.PRUNED: FINISHED,
    schema.FAILED: FAILED,
}
"""MLflow's status of a trial that has ended."""

SWEEP_ID, TRIAL_ID, STATE, SEARCHED = (
    "crossover.sweep_id",
    "crossover.trial_id",
    "crossover.state",
    "crossover.searched",  # the values of the parameters that were searched, as JSON
)
PARENT, NOTE, BEST = "mlflow.parentRunId", "mlflow.note.content", "best"

MOST_RUNS = 1_000
"""How many runs to ask for in one call."""

LONGEST_ERROR = 2_000
"""Characters of an error in a note; MLflow takes 8,000 for the whole of it."""


@dataclass(frozen=True)
class SweepFacts:
    """What is known of a search before it starts.

    Attributes:
        cell: whose configuration is searched; its data set names the experiment.
        name: of the parent run; the same in every process and every start.
        sweep_id: SHA-256 of what the search is (space, sampler, seed, data, code), without its budget.
        params: sampler, seed, objectives, … and under "budget" what may differ from one start to the next.
        git_commit: of the project, with "+" behind it where the work tree had changes; "" outside of git.
        meta: of the prepared data set.
        stage: the DVC stage that searches.
    """

    cell: Cell
    name: str
    sweep_id: str
    params: dict[str, Any]
    git_commit: str
    meta: Meta
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


class TrialLog:
    """The record of one trial; this one keeps nothing."""

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        """Record the metrics of one step, numbered from 0."""

    def metrics(self, values: dict[str, float]) -> None:
        """Record metrics of the finished trial; keys are `{part}/{metric}`."""

    def ended(self, state: str, error: str = "") -> None:
        """Say how the trial ended; an exception that follows does not change it.

        Args:
            state: "completed", "pruned" or "failed".
            error: why it failed, in a sentence.
        """


class SweepLog:
    """The record of one search; this one keeps nothing.

    Attributes:
        keeps: whether a figure is worth drawing for it.
    """

    keeps: bool = False

    def artifact(self, path: Path) -> None:
        """Record a copy of a file; one of the same name is replaced."""

    def text(self, content: str, name: str) -> None:
        """Record a text as the file `name`; one of the same name is replaced."""

    def figure(self, figure: "Figure", name: str) -> None:
        """Record a figure as `figures/<name>.png`."""

    def best(self, trial_id: str | None) -> None:
        """Mark the best of the trials, and no other, and record how the trials ended.

        Its run gets the tag `best`. The run of the search gets its validation metrics and number, how many
        trials completed, were pruned and failed, and a note with the parameters.

        Args:
            trial_id: of the best trial; None where none has completed.
        """


def start_sweep(store: Store, facts: SweepFacts) -> "SweepRecord":
    """The record of a search that runs from now on."""
    _, run_id = _parent(store, facts)
    store.client.update_run(run_id, status=RUNNING)
    run = store.client.get_run(run_id)
    _describe(store, run, facts)
    return SweepRecord(store, run, facts)


def _describe(store: Store, run: "Run", facts: SweepFacts) -> None:
    """Record what a search does. MLflow lets nobody change a parameter: what may change, or did, is a tag."""
    from mlflow.entities import RunTag

    known = run.data.params
    fixed = {key: value for key, value in facts.params.items() if key != "budget"}
    params = params_of(fixed, facts.meta)
    tags = flat({key: value for key, value in facts.params.items() if key not in fixed})
    tags |= {param.key: param.value for param in params if known.get(param.key, param.value) != param.value}
    store.client.log_batch(
        run.info.run_id,
        params=[param for param in params if param.key not in known],
        tags=[RunTag(key, str(value)) for key, value in tags.items()],
    )


def start_trial(store: Store, facts: TrialFacts) -> "TrialRecord | None":
    """The record of a trial that runs from now on; None for one that has ended well before."""
    from mlflow.entities import RunTag

    experiment_id, parent_id = _parent(store, facts.sweep)
    run = store.newest(experiment_id, {TRIAL_ID: facts.trial_id, PARENT: parent_id})
    name, tags = f"trial {facts.number}", _trial_tags(facts, parent_id)
    client, meta = store.client, facts.sweep.meta
    if run is None:
        run = client.create_run(experiment_id, tags=tags, run_name=name)
        client.log_batch(run.info.run_id, params=_trial_params(facts))
        client.log_inputs(run.info.run_id, datasets=[dataset_input(meta)])
    elif run.info.status == FINISHED:
        return None
    else:
        run_id = run.info.run_id
        client.update_run(run_id, status=RUNNING, name=name)
        client.log_batch(run_id, tags=[RunTag(key, value) for key, value in tags.items()])
        if STATE in run.data.tags:
            client.delete_tag(run_id, STATE)
    return TrialRecord(store, run, facts)


class TrialRecord(RunRecord, TrialLog):
    """The record of one trial in an MLflow run."""

    def __init__(self, store: Store, run: "Run", facts: TrialFacts):
        super().__init__(store, run, facts.sweep.meta)
        self._facts = facts
        self._state: str | None = None
        self._error = ""

    def ended(self, state: str, error: str = "") -> None:
        self._state, self._error = state, error

    @contextmanager
    def noting_errors(self) -> Iterator[None]:
        """An exception that nobody has explained makes the trial a failed one, and goes on."""
        try:
            yield
        except Exception as error:
            if self._state is None:
                self.ended(schema.FAILED, first_line(error))
            raise

    def end(self, status: str) -> None:
        """End the run as the trial ended; one that was broken off has no state and can go on."""
        from mlflow.entities import RunTag

        state = self._state or (schema.COMPLETED if status == FINISHED else None)

        def close() -> None:
            if state:
                tags = {STATE: state, NOTE: _trial_note(self._facts, self._error)}
                self._client.log_batch(self._run_id, tags=[RunTag(*tag) for tag in tags.items()])
            self._client.set_terminated(self._run_id, STATUS[state] if state else status)

        self._close(close)


class SweepRecord(RunRecord, SweepLog):
    """The record of one search in an MLflow run."""

    keeps = True

    def __init__(self, store: Store, run: "Run", facts: SweepFacts):
        super().__init__(store, run, facts.meta)
        self._facts = facts

    def text(self, content: str, name: str) -> None:
        self._attempt(lambda: self._client.log_text(self._run_id, content, name))

    def best(self, trial_id: str | None) -> None:
        self._attempt(lambda: self._mark(trial_id))
        self._send()

    def _mark(self, trial_id: str | None) -> None:
        trials = self._trials()
        best = next((run for run in trials if run.data.tags.get(TRIAL_ID) == trial_id), None)
        for run in trials:
            if BEST in run.data.tags and run is not best:
                self._client.delete_tag(run.info.run_id, BEST)
        counts = Counter(run.data.tags.get(STATE) for run in trials)
        numbers: dict[str, float] = {}
        # One point for each number of ended trials, so that the best of a search that goes on is a curve.
        self._last_step = sum(counts[state] for state in STATUS)
        if best is not None:
            self._client.set_tag(best.info.run_id, BEST, "true")
            numbers = {key: value for key, value in best.data.metrics.items() if key.startswith("val/")}
            numbers["best_trial"] = int(best.data.tags["trial"])
        self._keep(self._last_step, {**numbers, **{state: counts[state] for state in STATUS}})
        self._client.set_tag(self._run_id, NOTE, _sweep_note(self._facts, best, counts))

    def _trials(self) -> "list[Run]":
        query = f"tags.`{PARENT}` = '{self._run_id}'"
        runs: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [self._run.info.experiment_id], query, max_results=MOST_RUNS, page_token=token
            )
            runs += page
            token = page.token
            if not token:
                return runs

    def end(self, status: str) -> None:
        def close() -> None:
            for run in self._trials():
                if run.info.status == RUNNING:  # its process is gone
                    self._client.set_terminated(run.info.run_id, KILLED)
            self._client.set_terminated(self._run_id, status)

        self._close(close)


def _parent(store: Store, facts: SweepFacts) -> tuple[str, str]:
    """The ids of the experiment and of the run of a search."""
    tags = {**_tags(facts), "variant": "sweep", NOTE: _sweep_note(facts, None, Counter())}
    return store.parent(facts.cell.dataset, facts.meta, (SWEEP_ID, facts.sweep_id), facts.name, tags)


def _tags(facts: SweepFacts) -> dict[str, str]:
    return {
        **origin_tags(facts),
        **dvc_tags(),
        "crossover.stage": facts.stage,
        "dataset": facts.cell.dataset,
        "features": facts.cell.features,
        "model": facts.cell.model,
        "family": facts.cell.family,
    }


def _trial_tags(facts: TrialFacts, parent_id: str) -> dict[str, str]:
    return {
        **_tags(facts.sweep),
        PARENT: parent_id,
        NOTE: _trial_note(facts),
        TRIAL_ID: facts.trial_id,
        SEARCHED: json.dumps(facts.params),
        "variant": "trial",
        "trial": str(facts.number),
    }


def _trial_params(facts: TrialFacts) -> "list[Param]":
    """The parameters that were searched, then the rest of the configuration."""
    searched = {f"model.{key}": _readable(value) for key, value in facts.params.items()}
    rest = {key: value for key, value in flat(facts.config).items() if key not in searched}
    return params_of({**searched, **rest}, facts.sweep.meta)


def _readable(value: Any) -> Any:
    """A float with few digits: MLflow's table cuts off the exponent of a long one. The note holds all of them."""
    return f"{value:.5g}" if isinstance(value, float) else value


def _trial_note(facts: TrialFacts, error: str = "") -> str:
    failed = f"**Failed:** {error[:LONGEST_ERROR]}\n\n" if error else ""
    return f"{failed}A fit with this configuration: `{_command(facts)}`"


def _command(facts: TrialFacts) -> str:
    sweep = facts.sweep
    features = [] if sweep.cell.features == LEARNED else [f"features={sweep.cell.features}"]
    values = [f"model.{key}={_literal(value)}" for key, value in facts.params.items()]
    choice = [f"dataset={sweep.cell.dataset}", *features, f"model={sweep.cell.model}", *values]
    return shlex.join(["python", f"pipelines/train_{sweep.cell.family}.py", *choice])


def _literal(value: Any) -> str:
    """A value in Hydra's override grammar, in which JSON is valid; a plain word needs no quotes."""
    word = isinstance(value, str) and re.fullmatch(r"[A-Za-z_]\w*", value)
    keywords = {"null", "true", "false", "nan", "inf"}
    return value if word and value.lower() not in keywords else json.dumps(value)


def _sweep_note(facts: SweepFacts, best: "Run | None", counts: Counter[str | None]) -> str:
    at = f" at commit `{facts.git_commit}`" if facts.git_commit else ""
    features = "" if facts.cell.features == LEARNED else f" on {facts.cell.features} features"
    what = f"Search for hyperparameters of **{facts.cell.model}**{features} on **{facts.cell.dataset}**{at}."
    ends = ", ".join(f"{counts[state]} {state}" for state in STATUS)
    about = f"{what} The runs below it are its trials{f': {ends}' if counts else ''}."
    if best is None:
        return about
    return "\n\n".join([_best_line(best), about, *_table(json.loads(best.data.tags[SEARCHED]))])


def _best_line(best: "Run") -> str:
    accuracy = best.data.metrics.get("val/accuracy")
    score = "" if accuracy is None else f", validation accuracy {accuracy:.4f}"
    page = f"#/experiments/{best.info.experiment_id}/runs/{best.info.run_id}"
    return f"**Best: [{best.info.run_name}]({page})**{score}."


def _table(params: dict[str, Any]) -> list[str]:
    """A Markdown table of parameters, if there are any."""
    if not params:
        return []
    cells = {key: str(_readable(value)).replace("|", "\\|") for key, value in params.items()}
    rows = [f"| `{key}` | {cell} |" for key, cell in cells.items()]
    return ["\n".join(["| parameter | value |", "|---|---|", *rows])]
