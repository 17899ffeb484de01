"""The MLflow store behind `crossover.tracking.tracker`: its connection, its experiments, what every run holds.

MLflow is imported where it is used, never by importing this module.
"""

import contextlib
import getpass
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from crossover.core.errors import first_line, without_password
from crossover.data.prepared import Meta

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Experiment, Param, Run

T = TypeVar("T")

LOCK_SECONDS = 120
"""How long to wait for another process; creating the database takes it some 7 seconds."""

SECONDS_BETWEEN_CALLS = 2.0
"""Epochs are sent together, so that a fit of many short ones does not wait for the store at each."""

MOST_METRICS = 1_000
"""What MLflow takes in one call."""

# What ends a run is FINISHED, KILLED after a KeyboardInterrupt, or FAILED after another exception.
RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"

_log = logging.getLogger(__name__)

_given_up: set[str] = set()
"""Stores that failed once in this process."""


def attempt(address: str, call: Callable[[], T]) -> T | None:
    """The call's result; None if it fails, and from then on for every call to that store in this process."""
    if address in _given_up:
        return None
    try:
        return call()
    except Exception as error:
        _given_up.add(address)
        reason = without_password(first_line(error))[:200]
        place = without_password(address)
        _log.warning("tracking is off from here on: MLflow at %s failed (%s)", place, reason)
        return None


def absolute(uri: str) -> str:
    """The address with a relative SQLite path made absolute, so that a `chdir` does not change the store."""
    if not uri.startswith("sqlite:///"):
        return uri
    return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).resolve()}"


class Store:
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
        self._parents: dict[tuple[str, str, str], tuple[str, str]] = {}

    def parent(
        self, dataset: str, meta: Meta, tag: tuple[str, str], name: str, tags: dict[str, str]
    ) -> tuple[str, str]:
        """The ids of an experiment and of a parent run in it, made where they are missing.

        However many processes ask for it, there is one.

        Args:
            dataset: name of the experiment.
            meta: what a new experiment's note is made of.
            tag: key and value that tell the parent from every other run.
            name: of a new parent.
            tags: of a new parent, beside `tag`.
        """
        key = (dataset, *tag)
        if key not in self._parents:
            with self._lock():
                experiment_id = self._experiment(dataset, meta)
                run = self.newest(experiment_id, dict([tag]))
                if run is None:
                    tags = {**tags, tag[0]: tag[1]}
                    run = self.client.create_run(experiment_id, tags=tags, run_name=name)
                self._parents[key] = experiment_id, run.info.run_id
        return self._parents[key]

    def newest(self, experiment_id: str, tags: dict[str, str], *, but_finished: bool = False) -> "Run | None":
        """The newest run with these tags; None if there is none.

        Args:
            experiment_id: where to look.
            tags: values without a single quote.
            but_finished: leave out those that are FINISHED.
        """
        query = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        if but_finished:
            query += f" and attributes.status != '{FINISHED}'"
        newest_first = ["attributes.start_time DESC"]
        runs = self.client.search_runs([experiment_id], query, max_results=1, order_by=newest_first)
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

    def _experiment(self, dataset: str, meta: Meta) -> str:
        from mlflow.exceptions import MlflowException

        known: Experiment | None = self.client.get_experiment_by_name(dataset)
        if known:
            return known.experiment_id
        # A server knows best where its artifacts lie; beside a local database they must be named, since
        # MLflow's default depends on the directory and the program that creates the experiment.
        location = str(self._database.parent / "mlartifacts" / dataset) if self._database else None
        try:
            return self.client.create_experiment(
                dataset, location, tags={"mlflow.note.content": _experiment_note(meta)}
            )
        except MlflowException:
            # Somebody on another machine was faster.
            created = self.client.get_experiment_by_name(dataset)
            if created is None:
                raise
            return created.experiment_id


class RunRecord:
    """What is recorded in one MLflow run, in few calls.

    Args:
        store: that holds the run.
        run: the run, as it was when this record began.
        meta: of the data set that its metrics are of.
    """

    def __init__(self, store: Store, run: "Run", meta: Meta):
        self._store = store
        self._run = run
        self._run_id: str = run.info.run_id
        self._meta = meta
        self._model_id: str | None = None
        self._last_step = 0
        self._kept_at = 0
        self._unsent: list[tuple[str, float, int, int]] = []
        self._sent_at = time.monotonic()

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        self._last_step = step
        self._keep(step, metrics)
        if time.monotonic() - self._sent_at > SECONDS_BETWEEN_CALLS:
            self._send()

    def metrics(self, values: dict[str, float]) -> None:
        # At the last epoch's step: a key that has a curve keeps its order.
        self._keep(self._last_step, values)
        self._send()

    def figure(self, figure: "Figure", name: str) -> None:
        self._attempt(lambda: self._client.log_figure(self._run_id, figure, f"figures/{name}.png"))

    def artifact(self, path: Path) -> None:
        self._attempt(lambda: self._client.log_artifact(self._run_id, str(path)))

    def end(self, status: str) -> None:
        """End the run with one of MLflow's states; for subclasses."""
        raise NotImplementedError

    def _keep(self, step: int, values: dict[str, float]) -> None:
        # Of two values at one step MLflow shows the later one, and in the same millisecond the larger one.
        self._kept_at = max(int(time.time() * 1000), self._kept_at + 1)
        self._unsent += [(key, value, self._kept_at, step) for key, value in values.items()]

    def _send(self) -> None:
        def send() -> None:
            from mlflow.entities import Metric

            of = (self._model_id, *dataset_key(self._meta))
            for start in range(0, len(rows), MOST_METRICS):
                batch = [Metric(*row, *of) for row in rows[start : start + MOST_METRICS]]
                self._client.log_batch(self._run_id, metrics=batch)

        rows, self._unsent = self._unsent, []
        self._sent_at = time.monotonic()
        if rows:
            self._attempt(send)

    def _close(self, call: Callable[[], Any]) -> None:
        """Make the call that ends the run, even after a failure."""
        self._send()
        self._attempt(call)
        if self._store.address in _given_up:
            # What failed may have been a single file: leave no run open that can still be closed.
            with contextlib.suppress(Exception):
                call()

    @property
    def _client(self) -> "MlflowClient":
        return self._store.client

    def _attempt(self, call: Callable[[], Any]) -> None:
        attempt(self._store.address, call)


@contextmanager
def recording(record: RunRecord) -> Iterator[None]:
    """Ends the record with the status that the block's end stands for; an exception goes on."""
    status = FAILED
    try:
        yield
        status = FINISHED
    except KeyboardInterrupt:
        status = KILLED
        raise
    finally:
        record.end(status)


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


class Origin(Protocol):
    """Where a run comes from, as in `FitFacts` and `SweepFacts`."""

    @property
    def stage(self) -> str: ...
    @property
    def git_commit(self) -> str: ...
    @property
    def meta(self) -> Meta: ...


def commit_of(origin: Origin) -> tuple[str, bool]:
    """The commit's hash, and whether the work tree had changes."""
    return origin.git_commit.removesuffix("+"), origin.git_commit.endswith("+")


def origin_tags(origin: Origin) -> dict[str, str]:
    """Who and what made a run, under the keys that MLflow's pages show."""
    commit, dirty = commit_of(origin)
    git = {"mlflow.source.git.commit": commit, "mlflow.source.git.dirty": str(dirty).lower()}
    return {
        **(git if commit else {}),
        "mlflow.user": _user(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": origin.stage,
        "crossover.data_checksum": origin.meta.checksum,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())


def dvc_tags() -> dict[str, str]:
    """The DVC stage and experiment that a run is part of, where there are such."""
    dvc = {f"dvc.{name.lower()}": os.environ.get(f"DVC_{name}", "") for name in ("STAGE", "EXP_NAME")}
    return {name: value for name, value in dvc.items() if value}


def params_of(config: dict[str, Any], meta: Meta) -> "list[Param]":
    """A configuration and the size of its data as MLflow's parameters; nested keys become `outer.inner`."""
    from mlflow.entities import Param

    data = {name: getattr(meta, name) for name in ("n_train", "n_test", "n_classes", "input_shape")}
    return [Param(key, str(value)) for key, value in flat({**config, "data": data}).items()]


def flat(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping with its keys joined by dots; an empty mapping inside it stays a value."""
    flattened: dict[str, Any] = {}
    for key, value in nested.items():
        if isinstance(value, dict) and value:
            flattened |= flat(value, f"{prefix}{key}.")
        else:
            flattened[f"{prefix}{key}"] = value
    return flattened


def dataset_key(meta: Meta) -> tuple[str, str]:
    """Name and digest, as long as MLflow's own digests are; a tag holds the whole checksum."""
    return meta.dataset, meta.checksum[:8]


def dataset_input(meta: Meta) -> "DatasetInput":
    """The data set by name and checksum; no example of it goes to the store."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dtype = "uint8" if meta.modality == "image" else "mixed"
    spec = {
        "features": [{"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": [-1, *meta.input_shape]}}],
        "targets": [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}],
    }
    name, digest = dataset_key(meta)
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
