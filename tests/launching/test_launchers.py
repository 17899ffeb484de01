"""Multiruns of train_classical with each launcher, as a user starts them: folders, threads, failures, carrying on."""

import csv
import os
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crossover.core.files import read_json
from tests.project_clone import Clone

pytestmark = pytest.mark.slow  # each test starts workers, which import all libraries anew

DEADLY = '''"""A forest whose fit kills its process for seed 0."""

import os
import signal

from crossover.models.classical.sklearn_model import SklearnClassifier


class Deadly(SklearnClassifier):
    def warm_up(self, train):
        pass

    def fit(self, train, val, *, seed, **options):
        if seed == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(train, val, seed=seed, **options)
'''

TREES = "model.estimator.max_depth=2,-3"  # -3 is refused by scikit-learn


@pytest.fixture(scope="module")
def project(copy_project, wine: Path, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone with the data of wine, and a model that kills its process."""
    clone = copy_project(tmp_path_factory.mktemp("launchers") / "project")
    shutil.copytree(wine, clone.root / "data")
    clone.write("src/crossover/models/classical/deadly.py", DEADLY)
    text = (clone.root / "conf/model/decision_tree.yaml").read_text()
    clone.write("conf/model/deadly.yaml", text.replace("sklearn_model.SklearnClassifier", "deadly.Deadly"))
    return clone


def multirun(clone: Clone, *overrides: str) -> subprocess.CompletedProcess[str]:
    return clone.python("pipelines/train_classical.py", "-m", "dataset=wine", *overrides)


def summary(clone: Clone, words: str) -> dict[str, dict[str, str]]:
    """The lines of the one summary whose multirun's name holds the words, by overrides."""
    (path,) = clone.root.glob(f"multirun/train_classical/multirun-*{words}*/summary.csv")
    with path.open(newline="") as file:
        return {row["overrides"].partition("dataset=wine ")[2]: row for row in csv.DictReader(file)}


def cost(folder: str) -> Path:
    (found,) = Path(folder).glob("models/wine/raw/*/seed_*/cost.json")
    return found


def one_of_two_fails(clone: Clone, command: list[str]) -> None:
    """Run a multirun whose second job is refused by scikit-learn."""
    done = multirun(clone, *command)
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "2 jobs: 1 succeeded, 1 failed" in output
    assert "Traceback" not in output
    assert "max_depth" in output


def test_ray_runs_the_jobs_and_one_that_fails_leaves_the_other_alone(project):
    pytest.importorskip("ray", reason="Ray is an extra")
    ray = ["hydra/launcher=ray", "hydra.launcher.ray.init.num_cpus=2"]
    one_of_two_fails(project, ["model=decision_tree", "seed=13", TREES, *ray])
    good = next(job for job in summary(project, "seed=13").values() if job["state"] == "succeeded")
    assert read_json(cost(good["folder"]), "")["threads"] == 1


@pytest.mark.parametrize(("launcher", "seed"), [("joblib", 11), ("submitit_local", 12)])
def test_a_failing_job_leaves_the_other_alone_and_the_finished_one_is_taken_over(project, launcher, seed):
    command = ["model=decision_tree", f"seed={seed}", TREES, f"hydra/launcher={launcher}"]
    one_of_two_fails(project, command)
    jobs = summary(project, f"seed={seed}")
    good = next(job for job in jobs.values() if job["state"] == "succeeded")
    bad = next(job for job in jobs.values() if job["state"] == "failed")
    assert "max_depth=-3" in bad["overrides"]
    assert good["folder"] != bad["folder"]
    record = cost(good["folder"])
    threads = max(1, len(os.sched_getaffinity(0)) // 2)
    assert read_json(record, "")["threads"] == threads

    written = record.stat().st_mtime_ns
    # What Submitit left is taken over without it: its processes take seconds to start.
    again = multirun(project, *command[: None if launcher == "joblib" else -1])
    assert again.returncode == 1
    assert "1 taken over, 1 failed" in again.stdout + again.stderr
    assert record.stat().st_mtime_ns == written


def test_a_killed_worker_is_told_and_the_finished_jobs_are_kept(project):
    command = ["model=decision_tree,deadly", "seed=0", "hydra/launcher=joblib"]
    done = multirun(project, *command)
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "Traceback" not in output
    assert "killed" in output
    assert "same command again" in output
    assert summary(project, "deadly-seed=0")["model=deadly seed=0"]["state"] == "killed"


def test_submitit_goes_on_where_a_job_is_killed(project):
    done = multirun(project, "model=deadly", "seed=0,14", "hydra/launcher=submitit_local")
    output = done.stdout + done.stderr
    assert done.returncode == 1, output
    assert "2 jobs: 1 succeeded, 1 killed" in output


def test_a_killed_multirun_carries_on(project):
    command = [
        "pipelines/train_classical.py",
        "-m",
        "dataset=wine",
        "model=decision_tree",
        "seed=15,16,17,18",
    ]
    process = project.start(*command)
    folders = project.root / "multirun" / "train_classical"
    deadline = time.monotonic() + 60
    while not list(folders.glob("*seed=15-*/models/**/cost.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    kept = {path: path.stat().st_mtime_ns for path in folders.glob("*seed=1[5-8]-*/models/**/cost.json")}
    assert kept
    done = project.python(*command)
    assert done.returncode == 0, done.stderr
    states = [job["state"] for job in summary(project, "seed=15").values()]
    assert len(states) == 4
    assert states.count("taken over") >= len(kept)
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())


def test_the_same_multirun_twice_at_once(project):
    command = ["model=random_forest", "seed=19,20"]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda _: multirun(project, *command), range(2)))
    assert [process.returncode for process in done] == [0, 0], done[0].stderr + done[1].stderr
    states = [word for process in done for word in ("succeeded", "taken over") if word in process.stdout]
    assert states
    assert (
        len(list(project.root.glob("multirun/train_classical/*random_forest-seed=*/models/**/cost.json")))
        == 2
    )


def test_slurm_where_there_is_none(project, tmp_path):
    bare = {"PATH": str(tmp_path)}
    done = project.python(
        "pipelines/train_classical.py", "-m", "dataset=wine", "hydra/launcher=submitit_slurm", env=bare
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "sbatch" in done.stdout + done.stderr
