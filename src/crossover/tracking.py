"""Recording fits in MLflow; the only module that knows it.

MLflow records and nothing ever reads it to decide. A store that fails costs one warning, never a result.
Importing this module does not import MLflow, so that a stage whose tracking is off does not pay for it.

One experiment is a data set, a parent run in it is a study (a `dvc repro` at one commit, a DVC experiment, a
Hydra multirun), and a child run is a fit. Each process talks to the store through a client and explicit run
ids: an active run of the caller, or MLFLOW_RUN_ID in the environment, changes nothing.
"""

import contextlib
import getpass
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crossover.data.prepared import Input, Meta
from crossover.layout import LEARNED

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Experiment, Run
    from mlflow.models import ModelSignature

T = TypeVar("T")

DEFAULT_URI = "sqlite:///mlflow.db"
"""MLflow's own default, so that a bare `mlflow ui` in the project's root shows the runs."""

LOCK_SECONDS = 120
"""How long to wait for another process; creating the database takes it some 7 seconds."""

SECONDS_BETWEEN_CALLS = 2.0
"""Epochs are sent together, so that a fit of many short ones does not wait for the store at each."""

MOST_METRICS = 1_000
"""What MLflow takes in one call."""

_log = logging.getLogger(__name__)

_given_up: set[str] = set()
"""Stores that failed once in this process."""


@dataclass(frozen=True)
class FitFacts:
    """What is known of a fit before it starts.

    Attributes:
        dataset: name of the data set, and of the experiment.
        features: name of the feature set.
        model: name of the model's YAML.
        family: "classical" or "deep".
        variant: "default" or "tuned".
        seed: number of the repetition.
        fit_id: SHA-256 of configuration, seed, data and code.
        stage: the DVC stage that fits.
        params: the configuration; nested keys become `outer.inner`.
        git_commit: of the project, with "+" behind it where the work tree had changes; "" outside of git.
        meta: of the prepared data set.
        parent: name of the parent run; None names it after the DVC experiment or the commit.
    """

    dataset: str
    features: str
    model: str
    family: str
    variant: str
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
    """Where fits are recorded."""

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


class NoTracker(Tracker):
    """Records nothing."""

    @contextmanager
    def fit(self, facts: FitFacts, *, resume: bool = False) -> Iterator[FitLog]:
        yield FitLog()


class MlflowTracker(Tracker):
    """Records in MLflow.

    Args:
        uri: address of the store; None takes MLFLOW_TRACKING_URI from the environment, else `DEFAULT_URI`.
        log_models: whether to record copies of the fitted models.
    """

    def __init__(self, *, uri: str | None, log_models: bool):
        self.address = _absolute(uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)
        self.log_models = log_models
        self._store: _Store | None = None

    @contextmanager
    def fit(self, facts: FitFacts, *, resume: bool = False) -> Iterator[FitLog]:
        log = _attempt(self.address, lambda: self._start(facts, resume))
        if log is None:
            yield FitLog()
            return
        status = "FAILED"
        try:
            yield log
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            raise
        finally:
            log.end(status)

    def _start(self, facts: FitFacts, resume: bool) -> "_RunLog":
        store = self._store = self._store or _Store(self.address)
        experiment_id, parent_id = store.study(facts)
        run = store.earlier(experiment_id, facts, finished_too=resume)
        resumed = run is not None
        if run is None:
            tags = _tags(facts, parent_id)
            run = store.client.create_run(experiment_id, tags=tags, run_name=_run_name(facts))
            store.client.log_batch(run.info.run_id, params=_params(facts))
            store.client.log_inputs(run.info.run_id, datasets=[_dataset_input(facts)])
        elif run.info.status != "FINISHED":
            store.client.update_run(run.info.run_id, status="RUNNING")
        return _RunLog(store, run, facts, log_models=self.log_models, resumed=resumed)


def _attempt(address: str, call: Callable[[], T]) -> T | None:
    """The call's result; None if it fails, and from then on for every call to that store in this process."""
    if address in _given_up:
        return None
    try:
        return call()
    except Exception as error:
        _given_up.add(address)
        reason = _without_password((str(error).strip() or type(error).__name__).splitlines()[0])[:200]
        place = _without_password(address)
        _log.warning("tracking is off from here on: MLflow at %s failed (%s)", place, reason)
        return None


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//***@", text)


def _absolute(uri: str) -> str:
    """The address with a relative SQLite path made absolute, so that a `chdir` does not change the store."""
    if not uri.startswith("sqlite:///"):
        return uri
    return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).resolve()}"


class _Store:
    """A store that answers.

    Attributes:
        address: its tracking address, absolute.
        client: the connection to it.
    """

    def __init__(self, address: str):
        _calm_mlflow()
        from mlflow import MlflowClient

        self.address = address
        self._database: Path | None = None
        if address.startswith("sqlite:///"):
            self._database = Path(address.removeprefix("sqlite:///"))
            self._create_database(self._database)
        self.client: MlflowClient = MlflowClient(address)
        self._studies: dict[tuple[str, str], tuple[str, str]] = {}

    def study(self, facts: FitFacts) -> tuple[str, str]:
        """The ids of the experiment and the parent run that a fit belongs to; made where they are missing."""
        name = _study_name(facts)
        key = (facts.dataset, name)
        if key not in self._studies:
            with self._lock():
                experiment_id = self._experiment(facts)
                self._studies[key] = experiment_id, self._parent(experiment_id, name, facts)
        return self._studies[key]

    def earlier(self, experiment_id: str, facts: FitFacts, *, finished_too: bool) -> "Run | None":
        """The newest run of this very fit; only one that was broken off unless finished ones count too."""
        query = f"tags.`crossover.fit_id` = '{facts.fit_id}'"
        if not finished_too:
            query += " and attributes.status != 'FINISHED'"
        runs = self.client.search_runs(
            [experiment_id], query, max_results=1, order_by=["attributes.start_time DESC"]
        )
        return runs[0] if runs else None

    def _create_database(self, path: Path) -> None:
        """Make a SQLite store that is not there yet, once, however many processes ask for it.

        MLflow builds its tables by a row of migrations. Several processes in them at once break each other,
        and one that is killed leaves tables that no later start accepts. So it happens behind a lock and in
        another file, which takes its name when it is done.
        """
        from mlflow import MlflowClient

        path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock():
            if path.exists() and path.stat().st_size:
                return
            fresh = path.with_name(f"{path.name}.partial")
            fresh.unlink(missing_ok=True)
            MlflowClient(f"sqlite:///{fresh}").search_experiments(max_results=1)
            fresh.rename(path)

    def _lock(self) -> AbstractContextManager[Any]:
        """A lock beside a local database; for a server, one a user and address on this machine."""
        from filelock import FileLock

        if self._database:
            return FileLock(f"{self._database}.lock", timeout=LOCK_SECONDS)
        name = hashlib.sha256(self.address.encode()).hexdigest()[:16]
        return FileLock(
            Path(tempfile.gettempdir()) / f"crossover-{os.getuid()}-{name}.lock", timeout=LOCK_SECONDS
        )

    def _experiment(self, facts: FitFacts) -> str:
        from mlflow.exceptions import MlflowException

        known: Experiment | None = self.client.get_experiment_by_name(facts.dataset)
        if known:
            return known.experiment_id
        # A server knows best where its artifacts lie; beside a local database they must be named, since
        # MLflow's default depends on the directory and the program that creates the experiment.
        location = str(self._database.parent / "mlartifacts" / facts.dataset) if self._database else None
        try:
            return self.client.create_experiment(
                facts.dataset, location, tags={"mlflow.note.content": _experiment_note(facts.meta)}
            )
        except MlflowException:
            # Somebody on another machine was faster.
            created = self.client.get_experiment_by_name(facts.dataset)
            if created is None:
                raise
            return created.experiment_id

    def _parent(self, experiment_id: str, name: str, facts: FitFacts) -> str:
        study = name.replace("'", "")
        query = f"tags.`crossover.study` = '{study}'"
        runs = self.client.search_runs([experiment_id], query, max_results=1)
        if runs:
            return runs[0].info.run_id
        tags = {**_origin_tags(facts), "crossover.study": study, "mlflow.note.content": _study_note(facts)}
        return self.client.create_run(experiment_id, tags=tags, run_name=name).info.run_id


class _RunLog(FitLog):
    """The record of one fit in an MLflow run."""

    def __init__(self, store: _Store, run: "Run", facts: FitFacts, *, log_models: bool, resumed: bool):
        self.resumed = resumed
        self._store = store
        self._run = run
        self._run_id: str = run.info.run_id
        self._facts = facts
        self._log_models = log_models
        self._last_step = 0
        self._unsent: list[tuple[str, float, int, int]] = []
        self._sent_at = time.monotonic()
        models = run.outputs.model_outputs if run.outputs else []
        self._model_id: str | None = models[0].model_id if models else None

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        self._last_step = step
        self._keep(step, metrics)
        if time.monotonic() - self._sent_at > SECONDS_BETWEEN_CALLS:
            self._send()

    def metrics(self, values: dict[str, float]) -> None:
        # At the last epoch's step: a key that has a curve keeps its order.
        self._keep(self._last_step, values)
        self._send()

    def _keep(self, step: int, values: dict[str, float]) -> None:
        now = int(time.time() * 1000)
        self._unsent += [(key, value, now, step) for key, value in values.items()]

    def _send(self) -> None:
        def send() -> None:
            from mlflow.entities import Metric

            of = (self._model_id, *_dataset_key(self._facts.meta))
            for start in range(0, len(rows), MOST_METRICS):
                batch = [Metric(*row, *of) for row in rows[start : start + MOST_METRICS]]
                self._client.log_batch(self._run_id, metrics=batch)

        rows, self._unsent = self._unsent, []
        self._sent_at = time.monotonic()
        if rows:
            self._attempt(send)

    def figure(self, figure: "Figure", name: str) -> None:
        self._attempt(lambda: self._client.log_figure(self._run_id, figure, f"figures/{name}.png"))

    def artifact(self, path: Path) -> None:
        self._attempt(lambda: self._client.log_artifact(self._run_id, str(path)))

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
            name=f"{facts.model}-{facts.features}-seed{facts.seed}",
            source_run_id=self._run_id,
            tags={**_origin_tags(facts), **_cell_tags(facts)},
            params={param.key: param.value for param in _params(facts)},
            model_type=facts.family,
        )
        with tempfile.TemporaryDirectory() as temporary:
            save_model(
                f"{temporary}/model",
                python_model=Path(__file__).with_name("serving.py"),
                # The package goes along, so that the model can be served where Crossover is not installed.
                code_paths=[str(Path(__file__).parent)],
                artifacts=folders,
                signature=_signature(meta, example),
                input_example=_request(example),
                pip_requirements=_requirements(facts.family),
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
        self._send()
        ended = self._run.info.end_time if self._run.info.status == "FINISHED" else None

        def send() -> None:
            self._client.set_terminated(self._run_id, status, ended)
            if ended is None:
                self._client.set_terminated(self._run.data.tags["mlflow.parentRunId"], status)

        self._attempt(send)
        if self._store.address in _given_up:
            # What failed may have been a single file: leave no run open that can still be closed.
            with contextlib.suppress(Exception):
                send()

    @property
    def _client(self) -> "MlflowClient":
        return self._store.client

    def _attempt(self, call: Callable[[], Any]) -> None:
        _attempt(self._store.address, call)


def _calm_mlflow() -> None:
    """Settings that suit a pipeline, before MLflow is imported; what the environment says goes first."""
    settings = {
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the default waits minutes for a server that is not there
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",  # seconds
        "MLFLOW_DISABLE_TELEMETRY": "true",  # a run on somebody's own machine reports to nobody
        "MLFLOW_LOGGING_LEVEL": "ERROR",
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # each retry warns


def _run_name(facts: FitFacts) -> str:
    variant = "" if facts.variant == "default" else f" ({facts.variant})"
    return f"{facts.model}{variant} · {facts.features} · seed {facts.seed}"


def _study_name(facts: FitFacts) -> str:
    commit, dirty = _commit(facts)
    at = commit[:8] + ("+" if dirty else "")
    return facts.parent or os.environ.get("DVC_EXP_NAME") or f"dvc repro {at}".strip()


def _commit(facts: FitFacts) -> tuple[str, bool]:
    """The commit's hash, and whether the work tree had changes."""
    return facts.git_commit.removesuffix("+"), facts.git_commit.endswith("+")


def _origin_tags(facts: FitFacts) -> dict[str, str]:
    """Who and what made a run, under the keys that MLflow's pages show."""
    commit, dirty = _commit(facts)
    git = {"mlflow.source.git.commit": commit, "mlflow.source.git.dirty": str(dirty).lower()}
    return {
        **(git if commit else {}),
        "mlflow.user": _user(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": facts.stage,
        "crossover.data_checksum": facts.meta.checksum,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def _cell_tags(facts: FitFacts) -> dict[str, str]:
    """What the tables of runs and of models are grouped and searched by."""
    return {
        "model": facts.model,
        "features": facts.features,
        "family": facts.family,
        "variant": facts.variant,
        "seed": str(facts.seed),
    }


def _tags(facts: FitFacts, parent_id: str) -> dict[str, str]:
    dvc = {f"dvc.{name.lower()}": os.environ.get(f"DVC_{name}", "") for name in ("STAGE", "EXP_NAME")}
    return {
        **_origin_tags(facts),
        **{name: value for name, value in dvc.items() if value},
        "mlflow.parentRunId": parent_id,
        "mlflow.note.content": _run_note(facts),
        "crossover.fit_id": facts.fit_id,
        "crossover.stage": facts.stage,
        **_cell_tags(facts),
    }


def _params(facts: FitFacts) -> list[Any]:
    from mlflow.entities import Param

    data = {name: getattr(facts.meta, name) for name in ("n_train", "n_test", "n_classes", "input_shape")}
    flat = _flat({**facts.params, "data": data})
    return [Param(key, str(value)) for key, value in flat.items()]


def _flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _dataset_key(meta: Meta) -> tuple[str, str]:
    """Name and digest, as long as MLflow's own digests are; a tag holds the whole checksum."""
    return meta.dataset, meta.checksum[:8]


def _dataset_input(facts: FitFacts) -> "DatasetInput":
    """The data set by name and checksum; no example of it goes to the store."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    meta = facts.meta
    dtype = "uint8" if meta.modality == "image" else "mixed"
    spec = {
        "features": [{"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": [-1, *meta.input_shape]}}],
        "targets": [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}],
    }
    name, digest = _dataset_key(meta)
    profile = {"rows": meta.n_train, "test_rows": meta.n_test, "classes": meta.n_classes, "split": meta.split}
    dataset = Dataset(
        name=name,
        digest=digest,
        source_type="local",
        source=json.dumps({"uri": f"data/prepared/{meta.dataset}"}),
        schema=json.dumps({"mlflow_tensorspec": {key: json.dumps(value) for key, value in spec.items()}}),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _experiment_note(meta: Meta) -> str:
    shape = " × ".join(str(n) for n in meta.input_shape)  # noqa: RUF001 - the multiplication sign is meant
    what = f"images of {shape}" if meta.modality == "image" else f"rows of {shape} columns"
    return (
        f"{meta.n_train:,} {what} to learn from and {meta.n_test:,} to be scored on, "
        f"{meta.n_classes} classes. Split: {meta.split}"
    )


def _study_note(facts: FitFacts) -> str:
    at = f" at commit `{facts.git_commit}`" if facts.git_commit else ""
    return f"One study on **{facts.dataset}**{at}; the runs below it are its fits."


def _run_note(facts: FitFacts) -> str:
    features = "" if facts.features == LEARNED else f" features={facts.features}"
    choice = f"dataset={facts.dataset}{features} model={facts.model} seed={facts.seed}"
    return f"This fit alone, once more: `python pipelines/{facts.stage}.py {choice}`"


def _signature(meta: Meta, example: Input) -> "ModelSignature":
    """Raw input on one side, the columns of `crossover.serving` on the other."""
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
