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

KILLS = 8
PARAMS = """\
datasets: [wine]
feature_sets: [raw]
classical_models: [naive_bayes, random_forest]
deep_models: [mlp]
seeds: 2
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


def test_a_study_killed_at_random_moments(copy_project, tmp_path) -> None:
    whole = small_study(copy_project(tmp_path / "whole" / "project"))
    begin = time.monotonic()
    done = whole.run("dvc", "repro", env={"CROSSOVER_TRACKING": "mlflow"})
    seconds = time.monotonic() - begin
    assert done.returncode == 0, done.stdout + done.stderr
    killed, rng = small_study(copy_project(tmp_path / "killed" / "project")), random.Random(0)
    environment = killed.environment({"CROSSOVER_TRACKING": "mlflow"})
    kills = 0
    for number in range(10 * KILLS):
        process = subprocess.Popen(
            ["dvc", "repro"],
            cwd=killed.root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(rng.uniform(3, 3 + seconds / 5))
        except subprocess.TimeoutExpired:
            if number % 2:  # the stage goes on without it
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        if kills == KILLS or process.returncode == 0:
            break
    assert kills > 2
    done = killed.run("dvc", "repro", env={"CROSSOVER_TRACKING": "mlflow"})
    assert done.returncode == 0, done.stdout + done.stderr
    expected = exact_files(whole)
    assert len(expected) > 10
    assert exact_files(killed) == expected
    assert fits_in_mlflow(killed) == fits_in_mlflow(whole)
    assert set(fits_in_mlflow(killed).values()) == {1}
