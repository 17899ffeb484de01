"""Mistakes as a user meets them: one sentence, a status other than 0, nothing written."""

import os
import shutil
import sys

import pytest

from tests.project_clone import prepare

FOREST = "conf/model/random_forest.yaml"


def told(done, *words: str) -> None:
    """The command failed, and says all of these without a traceback."""
    text = done.stderr + done.stdout
    assert done.returncode != 0
    assert "Traceback" not in text, text
    for word in words:
        assert word in text, text


@pytest.fixture(scope="module")
def untouched(copy_project, tmp_path_factory):
    """A copy of the project for commands that write nothing."""
    return copy_project(tmp_path_factory.mktemp("cli") / "project")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["pipelines/download.py", "dataset=digitz"], ["dataset/digitz", "digits", "breast_cancer"]),
        (["pipelines/train_classical.py", "model=forest"], ["model/forest", "random_forest"]),
        (["pipelines/featurize.py", "features=hand"], ["features/hand", "handcrafted"]),
        (["pipelines/train_deep.py", "modle=cnn"], ["modle"]),
        (["pipelines/train_deep.py", "model.lerning_rate=1"], ["lerning_rate"]),
        (
            ["pipelines/prepare.py", "dataset=wine"],
            ["data/raw/wine", "python pipelines/download.py dataset=wine"],
        ),
        (["pipelines/compare.py"], ["results", "dvc repro"]),
        *(
            (
                [f"pipelines/{stage}.py", f"dataset.name={name}"],
                ["name must be 'digits'", "conf/dataset/digits.yaml"],
            )
            for stage, name in (
                ("download", "../../src"),
                ("prepare", "wine"),
                ("train_classical", "../../src"),
            )
        ),
        (["pipelines/featurize.py", "features=../features/raw"], ["Parent traversal ('..')"]),
        (["pipelines/download.py", "dataset._target_=os.system"], ["subclass of DataSource", "'os.system'"]),
    ],
)
def test_a_mistake_on_the_command_line(untouched, command, words):
    before = {path.name for path in untouched.root.iterdir()}
    told(untouched.python(*command), *words)
    made = {path.name for path in untouched.root.iterdir()} - before
    assert made <= {"outputs"}  # the folder of a run by hand, with Hydra's configuration of it
    assert not {"data", "results", "reports"} & before


def test_a_misspelt_key_in_a_stages_yaml(clone):
    clone.replace("conf/featurize.yaml", "jobs:", "jbos:")
    told(clone.python("pipelines/featurize.py"), "conf/featurize.yaml", "jbos")


def test_a_misspelt_key_in_a_models_yaml(clone_with_wine):
    clone_with_wine.replace(FOREST, "n_estimators:", "n_estimatorz:")
    done = clone_with_wine.python("pipelines/train_classical.py", "dataset=wine", "output=project")
    told(done, FOREST, "n_estimatorz")
    assert not (clone_with_wine.root / "models").exists()


def test_a_tracking_that_does_not_exist(untouched):
    done = untouched.python("pipelines/evaluate.py", env={"CROSSOVER_TRACKING": "wandb"})
    told(done, "CROSSOVER_TRACKING", "wandb", "mlflow, none")


@pytest.mark.slow
def test_repro_tells_a_name_that_does_not_exist_before_anything_runs(clone):
    clone.replace("params.yaml", "- digits", "- digitz")
    told(clone.run("dvc", "repro"), "digitz", "there are", "digits", "mnist")
    assert not (clone.root / "data").exists()


def test_a_place_that_is_no_folder(clone):
    clone.write("data", "a file stands where the folder should be")
    told(clone.python("pipelines/download.py", "dataset=wine"), "data")


AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []
"""Root writes everywhere until it gives that up."""


@pytest.mark.skipif(
    bool(AS_ANYBODY) and not shutil.which("setpriv"), reason="root, and no setpriv to give that up"
)
def test_a_folder_without_permission_to_write(clone):
    clone.root.chmod(0o555)
    try:
        told(
            clone.run(*AS_ANYBODY, sys.executable, "pipelines/download.py", "dataset=wine"),
            str(clone.root),
            "Permission denied",
        )
    finally:
        clone.root.chmod(0o755)
    assert not (clone.root / "data").exists()


def test_help_shows_the_choices(untouched):
    done = untouched.python("pipelines/train_classical.py", "--help")
    assert done.returncode == 0
    choices = ("random_forest", "handcrafted", "python pipelines/train_classical.py -m")
    launchers = [f"hydra/launcher={name}" for name in ("joblib", "submitit_local", "submitit_slurm", "ray")]
    for word in (*choices, *launchers):
        assert word in done.stdout


@pytest.mark.slow
def test_a_multirun_gives_each_job_a_folder_and_leaves_the_pipeline_alone(clone_with_wine):
    done = clone_with_wine.python(
        "pipelines/train_classical.py", "-m", "dataset=wine", "model=decision_tree", "seed=0,1"
    )
    assert done.returncode == 0, done.stderr
    fits = sorted(str(p.parent.name) + p.parts[-4] for p in clone_with_wine.root.glob("multirun/**/fit.json"))
    assert fits == ["seed_0raw", "seed_1raw"]
    assert not (clone_with_wine.root / "models").exists()


@pytest.mark.slow
def test_a_write_that_breaks_off_is_told_with_the_place_and_leaves_nothing(clone):
    """A limit on the size of a file ends NumPy's writing as a full disk does: fewer bytes than asked for."""
    prepare("digits", clone.root, "download")
    limited = f"ulimit -f 40; {sys.executable} pipelines/prepare.py dataset=digits"  # KiB; the images take 84
    told(clone.run("bash", "-c", limited), "data/prepared/digits", "No space left")
    assert list((clone.root / "data" / "prepared").iterdir()) == []


BAYES = ["pipelines/train_classical.py", "dataset=wine", "model=naive_bayes", "tracking=none"]


@pytest.mark.slow
def test_runs_by_hand_that_start_at_once_have_a_folder_each(clone_with_wine):
    runs = [clone_with_wine.start(*BAYES, f"model.estimator.var_smoothing=1e-{k}") for k in range(9, 5, -1)]
    assert [run.wait() for run in runs] == [0] * len(runs)
    models = list((clone_with_wine.root / "outputs").glob("train_classical/*/models/wine/raw/naive_bayes"))
    assert len(models) == len(runs)
    kept = {(model / "seed_0" / "model" / "config.json").read_text() for model in models}
    assert len(kept) == len(runs)


@pytest.mark.slow
def test_what_a_stage_finished_after_dvc_was_killed_is_taken_over(clone_with_wine):
    first = clone_with_wine.python(*BAYES, "output=project", "seeds=2")
    assert first.returncode == 0, first.stderr
    made = {
        path: path.stat().st_mtime_ns
        for path in (clone_with_wine.root / "models").rglob("*")
        if path.is_file()
    }
    again = clone_with_wine.python(*BAYES, "output=project", "seeds=2")
    assert "taken over from" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in made} == made
    other = clone_with_wine.python(*BAYES, "output=project", "seeds=2", "model.estimator.var_smoothing=0.1")
    assert "taken over" not in other.stdout
    assert all(
        not path.exists() or path.stat().st_mtime_ns != made[path]
        for path in made
        if path.name == "config.json"
    )


@pytest.mark.slow
def test_more_seeds_than_test_parts(clone_with_wine):
    made = clone_with_wine.python(*BAYES, "output=project", "seeds=25")
    told(made, "25 repetitions of wine, which has 24 parts")
    assert clone_with_wine.python(*BAYES, "seed=25").returncode == 0  # by hand, part 1 once more


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("datasets:\n- digits\n- breast_cancer", "datasets: wine", ["datasets must be a list, got 'wine'"]),
        ("seeds: 8", "seeds: 33", ["at most the 32 repetitions", "got 33", "params.yaml"]),
        ("- raw\n- handcrafted", "- raw\n- ../raw", ["feature_sets[1] must be a name", "'../raw'"]),
        ("- digits\n- breast_cancer", "- digits\n- x;touch${IFS}made", ["datasets[1] must be a name"]),
    ],
)
def test_a_study_that_is_refused_before_anything_runs(clone, old, new, words):
    clone.replace("params.yaml", old, new)
    told(clone.python("pipelines/check.py"), *words)
    assert not (clone.root / "made").exists()
