"""Scripts in processes of their own, forked from one that has imported the large libraries once.

A script begins as `python SCRIPT` does, with its own folder, environment and output, and imports the project's
package itself. It saves the seconds that pandas, scikit-learn, Optuna and MLflow take to import. `dvc repro` in
tests/test_pipeline.py starts every script the long way.
"""

import atexit
import multiprocessing
import os
import runpy
import sys
import tempfile
import threading
from multiprocessing.context import ForkServerContext
from pathlib import Path

PRELOADED = [
    "alembic.command",
    "hydra",
    "matplotlib.figure",
    "mlflow.store.tracking.sqlalchemy_store",
    "optuna.storages",
    "pandas",
    "sklearn.ensemble",
    "sklearn.model_selection",
    "sklearn.neighbors",
]


def forkserver() -> ForkServerContext:
    """Makes processes that begin with the large libraries imported; there is one server for all tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class Forked:
    """A script that runs in a process and a process group of its own.

    Attributes:
        pid: of the process, and of the group.
    """

    def __init__(self, script: str | Path, *arguments: str, folder: Path, env: dict[str, str]):
        """Start the script in a folder, with the environment `env` and nothing of this process's own."""
        self._output = Path(tempfile.mkdtemp(prefix="forked-"))
        self._process = forkserver().Process(
            target=_run, args=([str(script), *arguments], folder, env, self._output)
        )
        self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    def running(self) -> bool:
        return self._process.is_alive()

    def wait(self, seconds: float = 180) -> int:
        """The exit status once it has ended, or minus the number of the signal that ended it."""
        self._process.join(seconds)
        assert self._process.exitcode is not None, f"it still runs after {seconds} s: {self.text}"
        return self._process.exitcode

    @property
    def stdout(self) -> str:
        return (self._output / "stdout").read_text()

    @property
    def stderr(self) -> str:
        return (self._output / "stderr").read_text()

    @property
    def text(self) -> str:
        """What it wrote so far."""
        return self.stdout + self.stderr


def _run(command: list[str], folder: Path, env: dict[str, str], output: Path) -> None:
    """What the forked process does."""
    os.setsid()
    os.chdir(folder)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(output / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
    os.environ.clear()
    os.environ.update(env)
    script = Path(command[0]).absolute()
    sys.path[:0] = [str(script.parent), *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = command
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        # As every other process ends, joblib's workers first: a forked one would wait for them.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
