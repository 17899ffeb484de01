"""`dvc repro` killed again and again, alone or with the stage that it runs: the same bytes, one MLflow run a fit."""

import os
import random
import signal
import subprocess
import time
from collections import Counter

import pytest
from mlflow import MlflowClient

from tests.project_clone import Clone

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("CROSSOVER_KILLS", "8"))
PARAMS = """\
datasets: [wine]
feature_sets: [raw]
classical_models: [naive_bayes, random_forest]
deep_models: [mlp]
seeds: 2
soft_vote: 2
textbook: {feature_sets: [], classical_models: [], deep_models: []}
tuning:
  feature_sets: []
  classical_models: []
  deep_models: []
  trials: 3
  seconds: null
  examples: null
  sampler: random
  seed: 0
  pruner: none
  cost: null
learning_curve:
  feature_sets: [raw]
  classical_models: [random_forest]
  deep_models: []
  sizes: 2
  repetitions: 2
"""


def small_study(clone: Clone) -> Clone:
    clone.write("params.yaml", PARAMS)
    for path, old, new in (
        ("conf/model/mlp.yaml", "max_epochs: 100", "max_epochs: 20"),
        ("conf/model/mlp.yaml", "min_steps: 3000", "min_steps: 200"),
        ("conf/training.yaml", "clock_seconds: 1", "clock_seconds: 0"),
        ("conf/learning_curve.yaml", "clock_seconds: 1", "clock_seconds: 0"),
        ("conf/tracking/mlflow.yaml", "log_models: true", "log_models: false"),
    ):
        clone.replace(path, old, new)
    clone.run("git", "commit", "-qam", "small study")
    return clone


def exact_files(clone: Clone) -> dict[str, bytes]:
    """What two undisturbed runs have in common, byte for byte."""
    files = [
        *clone.root.glob("results/wine/predictions/*.npy"),
        *clone.root.glob("results/wine/scores.csv"),
        *clone.root.glob("results/learning_curve/**/correct.npy"),
        *clone.root.glob("models/**/config.json"),
        *clone.root.glob("models/**/weights.safetensors"),
    ]
    return {str(path.relative_to(clone.root)): path.read_bytes() for path in files}


def fits_in_mlflow(clone: Clone) -> Counter[str]:
    """How many runs each fit has."""
    client = MlflowClient(f"sqlite:///{clone.root / 'mlflow.db'}")
    experiments = [one.experiment_id for one in client.search_experiments()]
    runs = client.search_runs(experiments, max_results=1000)
    return Counter(run.data.tags["crossover.fit_id"] for run in runs if "crossover.fit_id" in run.data.tags)


def studies_in_mlflow(clone: Clone) -> int:
    """How many runs stand for a study."""
    client = MlflowClient(f"sqlite:///{clone.root / 'mlflow.db'}")
    experiments = [one.experiment_id for one in client.search_experiments()]
    return len(client.search_runs(experiments, "tags.`crossover.study` LIKE '%'"))


def test_a_study_killed_at_random_moments(copy_project, tmp_path) -> None:
    whole = small_study(copy_project(tmp_path / "whole" / "project"))
    begin = time.monotonic()
    done = whole.run("dvc", "repro", env={"CROSSOVER_TRACKING": "mlflow"})
    seconds = time.monotonic() - begin
    assert done.returncode == 0, done.stdout + done.stderr
    expected, fits, rng = exact_files(whole), fits_in_mlflow(whole), random.Random(0)
    assert len(expected) > 10
    assert set(fits.values()) == {1}
    kills, studies = 0, 0
    while kills < KILLS:  # a study that got to its end is followed by another one
        studies += 1
        killed = small_study(copy_project(tmp_path / f"killed-{studies}" / "project"))
        kills += killed_again_and_again(killed, KILLS - kills, seconds / 5, rng)
        done = killed.run("dvc", "repro", env={"CROSSOVER_TRACKING": "mlflow"})
        assert done.returncode == 0, done.stdout + done.stderr
        assert exact_files(killed) == expected
        assert fits_in_mlflow(killed) == fits
        assert studies_in_mlflow(killed) == 1
        assert studies <= KILLS, f"{kills} kills in {studies} studies"


def killed_again_and_again(clone: Clone, most: int, seconds: float, rng: random.Random) -> int:
    """Start the study anew after each kill, until it ends or was killed so often; the number of kills.

    Every second kill meets `dvc` alone, so that its stage goes on without it.
    """
    for kills in range(most):
        process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=clone.root,
            env=clone.environment({"CROSSOVER_TRACKING": "mlflow"}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(rng.uniform(3, 3 + seconds))
        except subprocess.TimeoutExpired:
            if kills % 2:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            return kills
    return most
