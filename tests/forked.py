"""Scripts in processes of their own, forked from one that has imported the large libraries once.

A script begins as `python SCRIPT` does, with its own folder, environment and output, and imports the project's
package itself. It saves the seconds that pandas, scikit-learn, Optuna, MLflow and torch take to import. The slow tests
of tests/test_pipeline.py start every script the long way and compare the results.
"""

import atexit
import gc
import json
import multiprocessing
import os
import runpy
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from multiprocessing.context import ForkServerContext
from multiprocessing.synchronize import Event
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
FOR_EVERY_STAGE = [  # torch takes as long as all the others; skops lists all of scikit-learn and imports torch, too
    "pytorch_lightning",
    "skops.io",
    "statsmodels.stats.api",
    "torchvision.transforms.v2",
    "xgboost",
]

# What `forked_python` puts in the place of `python`: it hands over its arguments, folder, environment and outputs.
CLIENT = """\
#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b"."], [0, 1, 2])
server.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
server.shutdown(socket.SHUT_WR)
status = int(server.recv(16))
sys.exit(status if status >= 0 else 128 - status)
"""


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
            target=_run_in_group, args=([str(script), *arguments], folder, env, self._output)
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


@contextmanager
def forked_python() -> Iterator[Path]:
    """A folder that holds a program `python`, which runs scripts in forked processes, one after the other.

    With this folder first in PATH, `dvc repro` runs the stages so.
    """
    with tempfile.TemporaryDirectory(prefix="python-") as name:
        folder = Path(name)
        address = str(folder / "socket")
        (folder / "python").write_text(CLIENT.format(python=sys.executable, address=address))
        (folder / "python").chmod(0o755)
        ready = forkserver().Event()
        server = forkserver().Process(target=_serve, args=(address, ready))
        server.start()
        try:
            assert ready.wait(180)
            yield folder
        finally:
            server.kill()
            server.join()


def _serve(address: str, ready: Event) -> None:
    """Fork a process for each script that a client names, and tell the client its exit status."""
    for name in FOR_EVERY_STAGE:
        import_module(name)
    gc.freeze()  # a fit collects garbage first, and need not look through what the imports made
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        ready.set()
        while True:
            client, _ = listener.accept()
            with client:
                _, files, *_ = socket.recv_fds(client, 1, 3)
                command, folder, env = json.loads(client.makefile("rb").read())
                process = multiprocessing.get_context("fork").Process(
                    target=_run, args=(command, folder, env, files)
                )
                process.start()
                for file in files:
                    os.close(file)
                process.join()
                client.sendall(str(process.exitcode).encode())


def _run_in_group(command: list[str], folder: Path, env: dict[str, str], output: Path) -> None:
    """What the process of a `Forked` does."""
    os.setsid()
    files = [os.open(output / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND) for name in ("stdout", "stderr")]
    _run(command, folder, env, [0, *files])


def _run(command: list[str], folder: str | Path, env: dict[str, str], files: list[int]) -> None:
    """Run a script with its own folder, environment, input and outputs."""
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(file, number)
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
