"""Searches on a small table, run in this process or, where they are killed, in one of their own."""

import contextlib
import io
import os
import runpy
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.forked import Forked

PIPELINES = Path(__file__).parent.parent.parent / "pipelines"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    status: int
    text: str


@dataclass(frozen=True)
class Workplace:
    """A project folder with prepared data, in which searches are run."""

    root: Path

    def run(self, stage: str, *arguments: str) -> Done:
        """`python pipelines/<stage>.py` in this process, which saves the imports."""
        command, text, status = (
            [str(PIPELINES / f"{stage}.py"), f"root={self.root}", *arguments],
            io.StringIO(),
            0,
        )
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(text),
            contextlib.redirect_stderr(text),
        ):
            patch.setenv("CROSSOVER_TRACKING", "none")
            patch.chdir(self.root)
            patch.setattr(sys, "argv", command)
            patch.setattr(sys, "excepthook", sys.excepthook)  # the command line sets one
            try:
                runpy.run_path(command[0], run_name="__main__")
            except SystemExit as end:
                status = int(end.code or 0)
        return Done(status, text.getvalue())

    def tune(self, *arguments: str) -> Done:
        """`python pipelines/tune.py` in this process."""
        return self.run("tune", *arguments)

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> Forked:
        """`python pipelines/tune.py` in a process and a process group of its own."""
        return Forked(
            PIPELINES / "tune.py",
            f"root={self.root}",
            *arguments,
            folder=self.root,
            env=os.environ | {"CROSSOVER_TRACKING": "none"} | (env or {}),
        )

    def outcome(self, features: str = "raw", model: str = "decision_tree") -> Path:
        """Where a search with `output=project` leaves its files."""
        return self.root / "results" / "tuning" / "wine" / features / model

    def trials(self, features: str = "raw", model: str = "decision_tree") -> pd.DataFrame:
        """The rows of such a search."""
        return pd.read_csv(
            self.outcome(features, model) / "trials.csv", keep_default_na=False, na_values=[""]
        )

    def fresh(self, root: Path) -> "Workplace":
        """Another workplace with the same data and nothing else."""
        shutil.copytree(self.root / "data", root / "data")
        return Workplace(root)

    def copy(self, root: Path) -> "Workplace":
        """Another workplace that has searched the same so far."""
        shutil.copytree(self.root, root)
        return Workplace(root)


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The data set wine alone, 134 training examples of 13 columns; not to be written to."""
    place = Workplace(tmp_path_factory.mktemp("wine"))
    for stage in ("download", "prepare", "featurize"):
        done = place.run(stage, "dataset=wine")
        assert done.status == 0, done.text
    return place


@pytest.fixture
def workplace(wine: Workplace, tmp_path: Path) -> Workplace:
    """A folder of the test's own with the data set wine."""
    return wine.fresh(tmp_path / "own")


@pytest.fixture(scope="session")
def searched(wine: Workplace, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """An undisturbed search of 8 random trials; not to be written to."""
    place = wine.fresh(tmp_path_factory.mktemp("searched") / "own")
    done = place.tune("dataset=wine", "model=decision_tree", "output=project", "hydra.sweeper.n_trials=8")
    assert done.status == 0, done.text
    (place.root / "log.txt").write_text(done.text)
    return place
