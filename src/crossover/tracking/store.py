"""The connection to an MLflow store: its database, its experiments and runs, and what happens when it fails."""

import contextlib
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock

from crossover.core.errors import first_line, without_secrets
from crossover.data.prepared import Meta
from crossover.tracking.contents import NOTE
from crossover.tracking.tracker import Facts, Log

# Importing this module does not import MLflow: a stage that records nothing does not pay for it.
if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, Run

T = TypeVar("T")

RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"

SQLITE = "sqlite:///"

LOCK_SECONDS = 120
"""How long to wait for another process; creating the database may take it seconds."""

RUNS_PER_PAGE = 1_000

SETTINGS = {
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # the default waits minutes for a server that is not there
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",  # seconds
    "MLFLOW_DISABLE_TELEMETRY": "true",  # a run on somebody's own machine reports to nobody
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # a server's client prints two lines a run
}
"""MLflow's settings that suit a pipeline, unless the environment says otherwise."""

SECONDS_BETWEEN_CALLS = 2.0
"""Epochs are sent together, so that a fit of many short ones does not wait for the store at each."""

MOST_METRICS = 500
"""How many values may wait; MLflow takes 1,000 in one call."""

_log = logging.getLogger(__name__)

_given_up: set[str] = set()
"""Stores that failed once in this process."""


class Store:
    """An MLflow store, connected when it is first used.

    Args:
        address: its tracking address; a relative SQLite path is made absolute, so that a `chdir` changes nothing.
    """

    def __init__(self, address: str):
        self.address, self._database = address, None
        name = f"crossover-{os.getuid()}-{hashlib.sha256(address.encode()).hexdigest()[:16]}"
        # Next to a local database; for a server, one lock for each user and address on this machine.
        lock = f"{tempfile.gettempdir()}/{name}"
        if address.startswith(SQLITE):
            self._database = Path(address.removeprefix(SQLITE)).resolve()
            self.address = f"{SQLITE}{self._database}"
            lock = str(self._database)
        self._lock = FileLock(f"{lock}.lock", timeout=LOCK_SECONDS)
        self._experiments: dict[str, str] = {}
        self._shared_runs: dict[tuple[str, ...], str] = {}
        self._logged_data: set[tuple[str, ...]] = set()

    def attempt(self, call: Callable[..., T], *args: Any) -> T | None:
        """The call's result; None if it fails, and from then on for every call to this store in this process."""
        if self.address in _given_up:
            return None
        try:
            return call(*args)
        except Exception as error:
            _given_up.add(self.address)
            reason = without_secrets(first_line(error))[:200]
            place = without_secrets(self.address)
            _log.warning("tracking is off from here on: MLflow at %s failed (%s)", place, reason)
            return None

    @cached_property
    def client(self) -> "MlflowClient":
        """The connection. Runs are named by id, so an active run of the caller or MLFLOW_RUN_ID changes nothing.

        A SQLite store that does not exist yet is created. MLflow builds its tables in a long series of migrations,
        and a process that is killed between two of them leaves tables that no later start accepts. So a new
        database gets its name only when it is complete.
        """
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # each retry warns
        from mlflow import MlflowClient
        from sqlalchemy import Engine, event

        def do_not_wait_for_the_disk(connection: Any, _: Any) -> None:
            connection.execute("PRAGMA synchronous = OFF")

        if self._database:
            self._database.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                if not self._database.exists() or not self._database.stat().st_size:
                    fresh = self._database.with_name(f"{self._database.name}.partial")
                    fresh.unlink(missing_ok=True)
                    # To wait after every statement takes 8 s instead of 2; here once at the end is enough.
                    event.listen(Engine, "connect", do_not_wait_for_the_disk)
                    try:
                        MlflowClient(f"{SQLITE}{fresh}").search_experiments(max_results=1)
                    finally:
                        event.remove(Engine, "connect", do_not_wait_for_the_disk)
                    with fresh.open("rb") as file:
                        os.fsync(file.fileno())
                    fresh.rename(self._database)
        return MlflowClient(self.address)

    def experiment(self, facts: Facts) -> str:
        """The id of a data set's experiment, created if it is missing."""
        from mlflow.exceptions import MlflowException

        dataset, meta = facts.cell.dataset, facts.meta
        if dataset in self._experiments:
            return self._experiments[dataset]
        # A server knows best where its artifacts lie. With a local database the place must be named, since MLflow's
        # default depends on the directory and the program that creates the experiment.
        place = str(self._database.parent / "mlartifacts" / dataset) if self._database else None
        shape = " x ".join(str(n) for n in meta.input_shape)
        examples = {"image": f"images of {shape}", "table": f"rows of {shape} columns", "text": "texts"}[
            meta.modality
        ]
        note = f"{meta.n_train:,} {examples} to train on and {meta.n_test:,} to test on, {meta.n_classes} classes"
        known = self.client.get_experiment_by_name(dataset)
        if known is None:
            tags = {NOTE: f"{note}. Split: {meta.split}"}
            try:
                known = self.client.get_experiment(self.client.create_experiment(dataset, place, tags=tags))
            except MlflowException:  # another process may have been faster
                known = self.client.get_experiment_by_name(dataset)
                if known is None:
                    raise
        self._experiments[dataset] = known.experiment_id
        return self._experiments[dataset]

    def shared_run(self, facts: Facts, key: str, value: str, name: str, tags: dict[str, str]) -> str:
        """The id of the one run whose tag `key` is `value`; many processes may ask, and the first creates it."""
        value = value.replace("'", "")  # MLflow's query language has no escape for it
        shared = (facts.cell.dataset, key, value)
        if shared not in self._shared_runs:
            experiment_id = self.experiment(facts)
            with self._lock:
                run = self.newest(facts, f"tags.`{key}` = '{value}'")
                if run is None:
                    run = self.client.create_run(experiment_id, tags={**tags, key: value}, run_name=name)
            self._shared_runs[shared] = run.info.run_id
        return self._shared_runs[shared]

    def locked(self) -> FileLock:
        """Keeps the other processes of this machine from looking for a run and making it at the same time."""
        return self._lock

    def create_run(self, name: str, tags: dict[str, str], params: "list[Param]", facts: Facts) -> "Run":
        """A new run with all that is known before it starts; no example of the data set goes to the store."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        meta = facts.meta
        profile = {
            "rows": meta.n_train,
            "test_rows": meta.n_test,
            "classes": meta.n_classes,
            "split": meta.split,
        }
        source = json.dumps({"uri": f"data/prepared/{meta.dataset}"})
        dataset = Dataset(meta.dataset, meta.checksum[:8], "local", source, profile=json.dumps(profile))
        run = self.client.create_run(self.experiment(facts), tags=tags, run_name=name)
        self.client.log_batch(run.info.run_id, params=params)
        data = DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])
        # MLflow looks whether it knows the data set and then adds it, which fails where two processes do so at once.
        logged = (run.info.experiment_id, dataset.name, dataset.digest)
        with contextlib.nullcontext() if logged in self._logged_data else self._lock:
            self.client.log_inputs(run.info.run_id, datasets=[data])
        self._logged_data.add(logged)
        return run

    def set_tags(self, run_id: str, tags: dict[str, Any]) -> None:
        """Set several tags in one call."""
        from mlflow.entities import RunTag

        self.client.log_batch(run_id, tags=[RunTag(key, str(value)) for key, value in tags.items()])

    def newest(self, facts: Facts, query: str) -> "Run | None":
        """The newest run on the data set that a query finds; None if there is none."""
        newest_first = ["attributes.start_time DESC"]
        runs = self.client.search_runs([self.experiment(facts)], query, max_results=1, order_by=newest_first)
        return runs[0] if runs else None

    def children(self, run: "Run") -> "list[Run]":
        """All runs below a run."""
        return self.all_runs(run.info.experiment_id, f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")

    def runs(self, facts: Facts, query: str) -> "list[Run]":
        """All runs on the data set that a query finds."""
        return self.all_runs(self.experiment(facts), query)

    def all_runs(self, experiment_id: str, query: str) -> "list[Run]":
        """All runs of an experiment that a query finds."""
        found: list[Run] = []
        token = None
        while token != "":
            page = self.client.search_runs(
                [experiment_id], query, max_results=RUNS_PER_PAGE, page_token=token
            )
            found += page
            token = page.token or ""
        return found


class RunLog(Log):
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
        at, data = (self._kept_at, self.last_step), (self.meta.dataset, self.meta.checksum[:8])
        self._unsent += [Metric(key, value, *at, self.model_id, *data) for key, value in values.items()]

    def send(self) -> None:
        metrics, self._unsent, self._sent_at = self._unsent, [], time.monotonic()
        if metrics:
            self.store.attempt(self.client.log_batch, self.run_id, metrics)

    def end(self, status: str, error: str) -> None:
        """End the run with the status that the block's end stands for; `error` is its exception."""
        self.send()
        if self.store.address in _given_up:
            # What failed may have been a single file: leave no run open that can still be closed.
            with contextlib.suppress(Exception):
                self.close(status, error)
        else:
            self.store.attempt(self.close, status, error)

    def close(self, status: str, error: str) -> None:
        raise NotImplementedError
