"""A copy of the project in a temporary folder, in which commands run as a user would run them."""

import compileall
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from tests.forked import Forked

PROJECT = Path(__file__).parent.parent


class Clone:
    """A copy of the project in a folder of its own, with its own git and DVC."""

    def __init__(self, root: Path):
        self.root = root

    def environment(self, changes: dict[str, str] | None = None) -> dict[str, str]:
        """A user's environment, in which the clone's own package is the one imported."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "CROSSOVER_", "DVC_"))}
        own = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root / "src"),
            "CROSSOVER_TRACKING": "none",
        }
        return kept | own | (changes or {})

    def run(self, *command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command in the clone as a user would."""
        return subprocess.run(
            command, cwd=self.root, env=self.environment(env), capture_output=True, text=True, check=False
        )

    def start(self, script: str, *arguments: str, env: dict[str, str] | None = None) -> Forked:
        """Start one of the project's scripts."""
        return Forked(script, *arguments, folder=self.root, env=self.environment(env))

    def python(
        self, script: str, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of the project's scripts."""
        process = self.start(script, *arguments, env=env)
        status = process.wait()
        return subprocess.CompletedProcess([script, *arguments], status, process.stdout, process.stderr)

    def write(self, path: str, text: str) -> None:
        """Write a file of the clone."""
        (self.root / path).write_text(text)

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace a text that must stand in a file of the clone."""
        text = (self.root / path).read_text()
        assert old in text, f"{old!r} does not stand in {path}"
        self.write(path, text.replace(old, new, 1))


def clone_project(target: Path) -> Clone:
    """Copy what git tracks, or would track, into a new repository."""
    target.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        source = PROJECT / name
        if source.exists() and name != "dvc.lock":  # the clone starts without results
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(source.read_bytes())
    clone = Clone(target)
    for command in (
        ["git", "init", "-q"],
        ["git", "config", "user.email", "test@example.org"],
        ["git", "config", "user.name", "test"],
        ["git", "add", "-A"],
        ["git", "commit", "-qm", "clone"],
    ):
        done = clone.run(*command)
        assert done.returncode == 0, done.stderr
    compileall.compile_dir(target / "src", quiet=1)  # a copy of the clone need not do it again
    return clone


def prepare(dataset: str, root: Path, *stages: str, test_parts: int = 8) -> None:
    """Run stages up to `featurize` on a data set in this process, which saves the imports."""
    outside = HydraConfig.instance().cfg
    for stage in stages:
        with initialize_config_dir(str(PROJECT / "conf")):
            parts = [f"protocol.test_parts={test_parts}"] if stage == "prepare" else []
            overrides = [f"dataset={dataset}", f"root={root}", *parts]
            config = compose(stage, overrides, return_hydra_config=True)
        HydraConfig.instance().set_config(config)
        OmegaConf.set_struct(config, False)
        del config["hydra"]  # a job does not see it
        import_module(f"crossover.stages.{stage}").run(config)
    HydraConfig.instance().cfg = outside
