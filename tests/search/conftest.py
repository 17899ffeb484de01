"""Searches on a small table, run in this process or, where they are killed, in one of their own."""

import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

PROJECT = Path(__file__).parent.parent.parent
TUNE = PROJECT / "pipelines" / "tune.py"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    text: str


class Workplace:
    """A project folder with prepared data, in which searches are run."""

    def __init__(self, root: Path, run: Callable[[list[str]], Done]):
        self.root = root
        self._run = run

    def tune(self, *arguments: str) -> Done:
        """`python pipelines/tune.py` in this process, which saves the imports."""
        return self._run([str(TUNE), f"root={self.root}", *arguments])

    def train(self, *arguments: str) -> Done:
        """`python pipelines/train_classical.py` in this process."""
        return self._run([str(TUNE.with_name("train_classical.py")), f"root={self.root}", *arguments])

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        """`python pipelines/tune.py` in a process and a process group of its own."""
        return subprocess.Popen(
            [sys.executable, str(TUNE), f"root={self.root}", *arguments],
            cwd=self.root,
            env=os.environ | {"CROSSOVER_TRACKING": "none"} | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def outcome(self, features: str = "raw", model: str = "decision_tree") -> Path:
        """Where a search with `output=project` leaves its files."""
        return self.root / "results" / "tuning" / "wine" / features / model

    def trials(self, features: str = "raw", model: str = "decision_tree") -> pd.DataFrame:
        """The rows of such a search."""
        return pd.read_csv(
            self.outcome(features, model) / "trials.csv", keep_default_na=False, na_values=[""]
        )

    def fresh(self, name: str) -> "Workplace":
        """Another workplace with the same data and nothing else."""
        root = self.root.parent / name
        shutil.copytree(self.root / "data", root / "data")
        return Workplace(root, self._run)


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's folder `data/` with the data set wine: 134 training examples of 13 columns."""
    root = tmp_path_factory.mktemp("wine")
    for stage in ("download", "prepare", "featurize"):
        command = [sys.executable, f"{PROJECT}/pipelines/{stage}.py", "dataset=wine", f"root={root}"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return root / "data"


@pytest.fixture
def workplace(
    wine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Workplace:
    """A folder of the test's own with the data set wine."""
    monkeypatch.setenv("CROSSOVER_TRACKING", "none")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # the command line sets one

    def run(command: list[str]) -> Done:
        root = Path(command[1].removeprefix("root="))
        monkeypatch.chdir(root)
        monkeypatch.setattr(sys, "argv", command)
        status = 0
        try:
            runpy.run_path(command[0], run_name="__main__")
        except SystemExit as end:
            status = int(end.code or 0)
        told = capsys.readouterr()
        return Done(status, told.out + told.err)

    shutil.copytree(wine, tmp_path / "own" / "data")
    return Workplace(tmp_path / "own", run)
