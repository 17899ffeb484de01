"""The connection to an MLflow store: its database, its experiments and runs, and what happens when it fails."""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from filelock import FileLock

from crossover.core.errors import first_line, without_password
from crossover.data.prepared import Meta
from crossover.tracking.contents import dataset_input, experiment_note

if (
    TYPE_CHECKING
):  # importing this module does not import MLflow: a stage that records nothing does not pay for it
    from mlflow import MlflowClient
    from mlflow.entities import Param, Run

T = TypeVar("T")

SQLITE = "sqlite:///"

LOCK_SECONDS = 120
"""How long to wait for another process; creating the database may take it seconds."""

RUNS_PER_PAGE = 1_000

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
        lock = f"crossover-{os.getuid()}-{hashlib.sha256(address.encode()).hexdigest()[:16]}.lock"
        self._lock_file = Path(tempfile.gettempdir()) / lock
        if address.startswith(SQLITE):
            self._database = Path(address.removeprefix(SQLITE)).resolve()
            self.address = f"{SQLITE}{self._database}"
            self._lock_file = self._database.with_name(f"{self._database.name}.lock")
        self._shared_runs: dict[tuple[str, ...], str] = {}

    @property
    def failed(self) -> bool:
        """Whether a call has failed in this process."""
        return self.address in _given_up

    def attempt(self, call: Callable[..., T], *args: Any) -> T | None:
        """The call's result; None if it fails, and from then on for every call to this store in this process."""
        if self.failed:
            return None
        try:
            return call(*args)
        except Exception as error:
            _given_up.add(self.address)
            reason = without_password(first_line(error))[:200]
            place = without_password(self.address)
            _log.warning("tracking is off from here on: MLflow at %s failed (%s)", place, reason)
            return None

    @cached_property
    def client(self) -> "MlflowClient":
        """The connection. Runs are named by id, so an active run of the caller or MLFLOW_RUN_ID changes nothing."""
        _calm_mlflow()
        from mlflow import MlflowClient

        if self._database:
            self._create_database(self._database)
        return MlflowClient(self.address)

    def experiment(self, dataset: str, meta: Meta) -> str:
        """The id of a data set's experiment, created if it is missing."""
        from mlflow.exceptions import MlflowException

        known = self.client.get_experiment_by_name(dataset)
        if known is None:
            # A server knows best where its artifacts lie. With a local database the place must be named, since
            # MLflow's default depends on the directory and the program that creates the experiment.
            place = str(self._database.parent / "mlartifacts" / dataset) if self._database else None
            note = {"mlflow.note.content": experiment_note(meta)}
            try:
                return str(self.client.create_experiment(dataset, place, tags=note))
            except MlflowException:  # another process may have been faster
                known = self.client.get_experiment_by_name(dataset)
                if known is None:
                    raise
        return str(known.experiment_id)

    def shared_run(self, experiment_id: str, key: str, value: str, name: str, tags: dict[str, str]) -> str:
        """The id of the one run whose tag `key` is `value`; many processes may ask, and the first creates it."""
        value = value.replace("'", "")  # MLflow's query language has no escape for it
        if (experiment_id, key, value) not in self._shared_runs:
            with FileLock(self._lock_file, timeout=LOCK_SECONDS):
                run = self.newest(experiment_id, f"tags.`{key}` = '{value}'")
                if run is None:
                    run = self.client.create_run(experiment_id, tags={**tags, key: value}, run_name=name)
            self._shared_runs[experiment_id, key, value] = run.info.run_id
        return self._shared_runs[experiment_id, key, value]

    def create_run(
        self, experiment_id: str, name: str, tags: dict[str, str], params: "list[Param]", meta: Meta
    ) -> "Run":
        """A new run with all that is known before it starts."""
        run = self.client.create_run(experiment_id, tags=tags, run_name=name)
        self.client.log_batch(run.info.run_id, params=params)
        self.client.log_inputs(run.info.run_id, datasets=[dataset_input(meta)])
        return run

    def set_tags(self, run_id: str, tags: dict[str, Any]) -> None:
        """Set several tags in one call."""
        from mlflow.entities import RunTag

        self.client.log_batch(run_id, tags=[RunTag(key, str(value)) for key, value in tags.items()])

    def newest(self, experiment_id: str, query: str) -> "Run | None":
        """The newest run that a query finds; None if there is none."""
        newest_first = ["attributes.start_time DESC"]
        runs = self.client.search_runs([experiment_id], query, max_results=1, order_by=newest_first)
        return runs[0] if runs else None

    def children(self, run: "Run") -> "list[Run]":
        """All runs below a run."""
        query = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
        found: list[Run] = []
        token = None
        while token != "":
            page = self.client.search_runs(
                [run.info.experiment_id], query, max_results=RUNS_PER_PAGE, page_token=token
            )
            found += page
            token = page.token or ""
        return found

    def _create_database(self, path: Path) -> None:
        """Create a SQLite store if there is none yet.

        MLflow builds its tables in a long series of migrations. A process that is killed between two of them leaves
        tables that no later start accepts, so a new database gets its name only when it is complete.
        """
        from mlflow import MlflowClient
        from sqlalchemy import event
        from sqlalchemy.engine import Engine

        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._lock_file, timeout=LOCK_SECONDS):
            if path.exists() and path.stat().st_size:
                return
            fresh = path.with_name(f"{path.name}.partial")
            fresh.unlink(missing_ok=True)
            # Waiting for the disk after every statement takes 8 s instead of 2; here once at the end is enough.
            event.listen(Engine, "connect", _do_not_wait_for_the_disk)
            try:
                MlflowClient(f"{SQLITE}{fresh}").search_experiments(max_results=1)
            finally:
                event.remove(Engine, "connect", _do_not_wait_for_the_disk)
            with fresh.open("rb") as file:
                os.fsync(file.fileno())
            fresh.rename(path)


def _do_not_wait_for_the_disk(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA synchronous = OFF")


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
