"""Recording fits and searches in MLflow; this module and the two that it is made of alone know it.

MLflow records and nothing ever reads it to decide. A store that fails costs one warning, never a result.
Importing this module does not import MLflow, so that a stage whose tracking is off does not pay for it.

One experiment is a data set. A parent run in it is a study (a `dvc repro` at one commit, a DVC experiment, a
Hydra multirun) and a child run a fit, or the parent is a search and a child one of its trials. Each process
talks to the store through a client and explicit run ids: an active run of the caller, or MLFLOW_RUN_ID in the
environment, changes nothing.
"""

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.core.cell import LEARNED, Cell
from crossover.data.prepared import Input, Meta
from crossover.tracking.store import (
    FINISHED,
    RUNNING,
    RunRecord,
    Store,
    absolute,
    attempt,
    commit_of,
    dataset_input,
    dvc_tags,
    origin_tags,
    params_of,
    recording,
)
from crossover.tracking.sweeps import (
    SweepFacts,
    SweepLog,
    TrialFacts,
    TrialLog,
    start_sweep,
    start_trial,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Run
    from mlflow.models import ModelSignature

__all__ = [
    "LEARNING_CURVE",
    "FitFacts",
    "FitLog",
    "MlflowTracker",
    "NoTracker",
    "SweepFacts",
    "SweepLog",
    "Tracker",
    "TrialFacts",
    "TrialLog",
]

DEFAULT_URI = "sqlite:///mlflow.db"
"""MLflow's own default, so that a bare `mlflow ui` in the project's root shows the runs."""


LEARNING_CURVE = "learning_curve"
"""Variant of a run that records a learning curve: its steps are sizes, and its metrics means over repetitions."""


@dataclass(frozen=True)
class FitFacts:
    """What is known of a fit before it starts.

    Attributes:
        cell: what is fitted; its data set names the experiment, and its variant is `LEARNING_CURVE` for the fits of
            a whole curve.
        seed: number of the repetition.
        fit_id: SHA-256 of configuration, seed, data and code.
        stage: the DVC stage that fits.
        params: the configuration; nested keys become `outer.inner`.
        git_commit: of the project, with "+" behind it where the work tree had changes; "" outside of git.
        meta: of the prepared data set.
        parent: name of the parent run; None names it after the DVC experiment or the commit.
    """

    cell: Cell
    seed: int
    fit_id: str
    stage: str
    params: dict[str, Any]
    git_commit: str
    meta: Meta
    parent: str | None = None


class FitLog:
    """The record of one fit; this one keeps nothing.

    Attributes:
        resumed: whether the record was begun before, by the stage that fitted.
    """

    resumed: bool = False

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        """Record the metrics of one epoch, numbered from 0."""

    def metrics(self, values: dict[str, float]) -> None:
        """Record metrics of the finished fit; keys are `{part}/{metric}`."""

    def figure(self, figure: "Figure", name: str) -> None:
        """Record a figure as `figures/<name>.png`."""

    def artifact(self, path: Path) -> None:
        """Record a copy of a file."""

    def model(self, model_folder: Path, featurizer_folder: Path | None, meta: Meta, example: Input) -> None:
        """Record a copy of the fitted model, loadable with `mlflow.pyfunc`.

        A run has one model: where it has it already, nothing happens.

        Args:
            model_folder: the model as saved, with its `config.json`.
            featurizer_folder: the fitted feature set in front of it; None for a model that takes raw input.
            meta: of the prepared data set.
            example: raw input, of which two rows are kept beside the model as an example request.
        """


class Tracker(ABC):
    """Where fits and searches are recorded."""

    @abstractmethod
    def fit(self, facts: FitFacts, *, resume: bool = False) -> AbstractContextManager[FitLog]:
        """Record one fit while the block runs.

        The run ends FINISHED, KILLED after a KeyboardInterrupt, or FAILED after another exception; the
        exception goes on.

        Args:
            facts: what identifies the fit.
            resume: continue the newest run of this fit even if it has finished, to add its scores. A run
                that was broken off is continued in any case, so that its curves stay whole.
        """

    @contextmanager
    def sweep(self, facts: SweepFacts) -> Iterator[SweepLog]:
        """Record one search while the block runs; one that was begun before goes on in its run.

        The run is RUNNING during the block and ends as that of a fit. A trial that is still open then was
        broken off, and its run ends KILLED. Here nothing is recorded.
        """
        yield SweepLog()

    @contextmanager
    def trial(self, facts: TrialFacts) -> Iterator[TrialLog]:
        """Record one trial of a search while the block runs, below the run of the search.

        A trial that was broken off or failed before goes on in its run; of one that has ended well nothing
        more is recorded. Without a word from the log the trial is "completed", after an exception "failed"
        with the exception as its error, and after a KeyboardInterrupt broken off; the exception goes on.
        Here nothing is recorded.
        """
        yield TrialLog()


class NoTracker(Tracker):
    """Records nothing."""

    @contextmanager
    def fit(self, facts: FitFacts, *, resume: bool = False) -> Iterator[FitLog]:
        yield FitLog()


class MlflowTracker(Tracker):
    """Records in MLflow.

    Args:
        uri: address of the store; None takes MLFLOW_TRACKING_URI from the environment, else `DEFAULT_URI`.
        log_models: whether to record copies of the fitted models; of trials none is recorded.
    """

    def __init__(self, *, uri: str | None, log_models: bool):
        self.address = absolute(uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)
        self.log_models = log_models
        self._store: Store | None = None

    @contextmanager
    def fit(self, facts: FitFacts, *, resume: bool = False) -> Iterator[FitLog]:
        record = attempt(self.address, lambda: self._start(facts, resume))
        if record is None:
            yield FitLog()
            return
        with recording(record):
            yield record

    @contextmanager
    def sweep(self, facts: SweepFacts) -> Iterator[SweepLog]:
        record = attempt(self.address, lambda: start_sweep(self._connected(), facts))
        if record is None:
            yield SweepLog()
            return
        with recording(record):
            yield record

    @contextmanager
    def trial(self, facts: TrialFacts) -> Iterator[TrialLog]:
        record = attempt(self.address, lambda: start_trial(self._connected(), facts))
        if record is None:
            yield TrialLog()
            return
        with recording(record), record.noting_errors():
            yield record

    def _connected(self) -> Store:
        self._store = self._store or Store(self.address)
        return self._store

    def _start(self, facts: FitFacts, resume: bool) -> "_FitRecord":
        store = self._connected()
        experiment_id, parent_id = _study(store, facts)
        run = store.newest(experiment_id, {"crossover.fit_id": facts.fit_id}, but_finished=not resume)
        resumed = run is not None
        if run is None:
            tags = _tags(facts, parent_id)
            run = store.client.create_run(experiment_id, tags=tags, run_name=_run_name(facts))
            store.client.log_batch(run.info.run_id, params=params_of(facts.params, facts.meta))
            store.client.log_inputs(run.info.run_id, datasets=[dataset_input(facts.meta)])
        elif run.info.status != FINISHED:
            store.client.update_run(run.info.run_id, status=RUNNING)
        return _FitRecord(store, run, facts, log_models=self.log_models, resumed=resumed)


def _study(store: Store, facts: FitFacts) -> tuple[str, str]:
    """The ids of the experiment and the parent run that a fit belongs to."""
    name = _study_name(facts)
    tag = ("crossover.core.study", name.replace("'", ""))
    tags = {**origin_tags(facts), "mlflow.note.content": _study_note(facts)}
    return store.parent(facts.cell.dataset, facts.meta, tag, name, tags)


class _FitRecord(RunRecord, FitLog):
    """The record of one fit in an MLflow run."""

    def __init__(self, store: Store, run: "Run", facts: FitFacts, *, log_models: bool, resumed: bool):
        super().__init__(store, run, facts.meta)
        self.resumed = resumed
        self._facts = facts
        self._log_models = log_models
        models = run.outputs.model_outputs if run.outputs else []
        self._model_id = models[0].model_id if models else None

    def model(self, model_folder: Path, featurizer_folder: Path | None, meta: Meta, example: Input) -> None:
        if self._log_models and self._model_id is None:
            folders = {"model": str(model_folder)}
            if featurizer_folder:
                folders["featurizer"] = str(featurizer_folder)
            self._attempt(lambda: self._log_model(folders, meta, example))

    def _log_model(self, folders: dict[str, str], meta: Meta, example: Input) -> None:
        """What `mlflow.pyfunc.log_model` does, for a run that is named and not "active"."""
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model
        from mlflow.pyfunc import save_model

        facts = self._facts
        logged = self._client.create_logged_model(
            self._run.info.experiment_id,
            name=f"{facts.cell.model}-{facts.cell.features}-seed{facts.seed}",
            source_run_id=self._run_id,
            tags={**origin_tags(facts), **_cell_tags(facts)},
            params={param.key: param.value for param in params_of(facts.params, facts.meta)},
            model_type=facts.cell.family,
        )
        with tempfile.TemporaryDirectory() as temporary:
            save_model(
                f"{temporary}/model",
                python_model=Path(__file__).with_name("serving.py"),
                # The package goes along, so that the model can be served where Crossover is not installed.
                code_paths=[str(Path(__file__).parents[1])],
                artifacts=folders,
                signature=_signature(meta, example),
                input_example=_request(example),
                pip_requirements=_requirements(facts.cell.family),
                model_config={"classes": meta.classes},
                mlflow_model=Model(
                    artifact_path=logged.artifact_location,
                    run_id=self._run_id,
                    model_uuid=logged.model_id,
                    model_id=logged.model_id,
                ),
            )
            self._client.log_model_artifacts(logged.model_id, f"{temporary}/model")
        self._client.finalize_logged_model(logged.model_id, "READY")
        self._client.log_outputs(self._run_id, [LoggedModelOutput(logged.model_id, step=self._last_step)])
        self._model_id = logged.model_id

    def end(self, status: str) -> None:
        """End the run, and with it for the time being its study; one that had ended before keeps its time."""
        ended = self._run.info.end_time if self._run.info.status == FINISHED else None

        def close() -> None:
            self._client.set_terminated(self._run_id, status, ended)
            if ended is None:
                self._client.set_terminated(self._run.data.tags["mlflow.parentRunId"], status)

        self._close(close)


def _run_name(facts: FitFacts) -> str:
    if facts.cell.variant == LEARNING_CURVE:
        return f"learning curve · {facts.cell.features}-{facts.cell.model}"
    variant = "" if facts.cell.variant == "default" else f" ({facts.cell.variant})"
    return f"{facts.cell.model}{variant} · {facts.cell.features} · seed {facts.seed}"


def _study_name(facts: FitFacts) -> str:
    commit, dirty = commit_of(facts)
    at = commit[:8] + ("+" if dirty else "")
    return facts.parent or os.environ.get("DVC_EXP_NAME") or f"dvc repro {at}".strip()


def _cell_tags(facts: FitFacts) -> dict[str, str]:
    """What the tables of runs and of models are grouped and searched by."""
    return {
        "model": facts.cell.model,
        "features": facts.cell.features,
        "family": facts.cell.family,
        "variant": facts.cell.variant,
        "seed": str(facts.seed),
    }


def _tags(facts: FitFacts, parent_id: str) -> dict[str, str]:
    return {
        **origin_tags(facts),
        **dvc_tags(),
        "mlflow.parentRunId": parent_id,
        "mlflow.note.content": _run_note(facts),
        "crossover.fit_id": facts.fit_id,
        "crossover.stage": facts.stage,
        **_cell_tags(facts),
    }


def _study_note(facts: FitFacts) -> str:
    at = f" at commit `{facts.git_commit}`" if facts.git_commit else ""
    return f"One study on **{facts.cell.dataset}**{at}; the runs below it are its fits."


def _run_note(facts: FitFacts) -> str:
    features = "" if facts.cell.features == LEARNED else f" features={facts.cell.features}"
    seed = "" if facts.cell.variant == LEARNING_CURVE else f" seed={facts.seed}"
    choice = f"dataset={facts.cell.dataset}{features} model={facts.cell.model}{seed}"
    return f"This fit alone, once more: `python pipelines/{facts.stage}.py {choice}`"


def _signature(meta: Meta, example: Input) -> "ModelSignature":
    """Raw input on one side, the columns of `crossover.tracking.serving` on the other."""
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec
    from pandas.api.types import is_numeric_dtype

    if isinstance(example, np.ndarray):
        inputs = Schema([TensorSpec(example.dtype, (-1, *example.shape[1:]))])
    else:
        kinds = {c: "double" if is_numeric_dtype(example[c]) else "string" for c in example.columns}
        # A single value may be missing. A whole column may not: the mistake would pass for missing values.
        inputs = Schema([ColSpec(kind, column) for column, kind in kinds.items()])
    probabilities = [ColSpec("double", name) for name in meta.classes]
    return ModelSignature(inputs, Schema([ColSpec("string", "prediction"), *probabilities]))


def _request(example: Input) -> Input:
    """Two rows for an example request; without missing values where there are such, since JSON has no NaN."""
    import numpy as np

    if isinstance(example, np.ndarray):
        return np.array(example[:2])
    complete = example.dropna()
    return (example if complete.empty else complete).head(2)


def _requirements(family: str) -> list[str]:
    """What serving needs, at the versions that are installed here."""
    from importlib.metadata import requires, version

    from packaging.requirements import Requirement

    unneeded = {"dvc", "matplotlib", "pooch", "statsmodels"}
    if family == "classical":
        unneeded |= {"pytorch-lightning", "safetensors", "torch", "torchmetrics", "torchvision"}
    wanted = [Requirement(line) for line in requires("crossover") or []]
    names = [r.name for r in wanted if r.name not in unneeded and "extra" not in str(r.marker)]
    # A local version such as 2.15.0+cu130 is not on PyPI.
    return [f"{name}=={version(name).split('+')[0]}" for name in names]
