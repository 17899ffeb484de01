"""One SQLite store for all tests of tracking, created by several processes at the same moment."""

import os
from typing import Any

import pytest

from crossover.tracking.mlflow_tracker import MlflowTracker
from crossover.tracking.tracker import Tracker
from tests.forked import forkserver
from tests.tracking.tracking_facts import FIRST_FITS, FIRST_TRIALS, use_first


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a store that fits, a search and its trials use first at the same moment."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "mlflow.db.partial").write_text("left by a process that was killed while it made the database")
    uri = f"sqlite:///{folder}/mlflow.db"
    with pytest.MonkeyPatch.context() as environment:
        for variable in os.environ:
            if variable.startswith(("DVC_", "MLFLOW_")):
                environment.delenv(variable)
        uses = [
            ("search", 0),
            *(("fit", k) for k in range(FIRST_FITS)),
            *(("trial", k) for k in range(FIRST_TRIALS)),
        ]
        started = [forkserver().Process(target=use_first, args=(uri, *use)) for use in uses]
        for process in started:
            process.start()
        for process in started:
            process.join(timeout=120)
    assert {process.exitcode for process in started} == {0}
    return uri


@pytest.fixture(scope="session")
def client(store: str) -> Any:
    from mlflow import MlflowClient

    return MlflowClient(store)


@pytest.fixture
def tracker(store: str) -> Tracker:
    return MlflowTracker(uri=store, log_models=True)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may themselves run below DVC or MLflow."""
    for variable in ("DVC_EXP_NAME", "DVC_STAGE", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(variable, raising=False)
