"""The real `dvc repro` in a clone of the project, on a tiny study."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import networkx
import numpy as np
import pandas as pd
import pytest
from dvc.repo import Repo

from tests.forked import forked_python
from tests.project_clone import Clone

pytestmark = pytest.mark.slow  # the tiny study of all its tests takes minutes

PARAMS = """\
datasets: [digits, wine]
feature_sets: [raw]
classical_models: [decision_tree, k_nearest_neighbors]
deep_models: [cnn]
seeds: 2
soft_vote: null
textbook:
  feature_sets: []
  classical_models: []
  deep_models: [cnn]
tuning:
  feature_sets: [raw]
  classical_models: [decision_tree]
  deep_models: []
  trials: 3
  seconds: null
  examples: null
  sampler: random
  seed: 0
  pruner: worst_quarter
  cost: null
learning_curve:
  feature_sets: [raw]
  classical_models: [decision_tree]
  deep_models: [cnn]
  sizes: 3
  repetitions: 2
"""


@pytest.fixture(scope="module")
def study(copy_project, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which the tiny study ran once, logged in MLflow; its scripts in forked processes."""
    clone = copy_project(tmp_path_factory.mktemp("study") / "project")
    clone.write("params.yaml", PARAMS)
    for path, old, new in (
        ("conf/model/cnn.yaml", "max_epochs: 100", "max_epochs: 2"),
        ("conf/model/cnn.yaml", "min_steps: 3000", "min_steps: 20"),
        ("conf/textbook/cnn.yaml", "max_epochs: 5", "max_epochs: 2"),
        ("conf/textbook/cnn.yaml", "min_steps: 500", "min_steps: 20"),
        ("conf/training.yaml", "clock_seconds: 1", "clock_seconds: 0"),
        ("conf/learning_curve.yaml", "clock_seconds: 1", "clock_seconds: 0"),
        ("conf/tracking/mlflow.yaml", "log_models: true", "log_models: false"),
    ):
        clone.replace(path, old, new)
    clone.run("git", "commit", "-qam", "tiny study")
    with forked_python() as folder:
        path = f"{folder}{os.pathsep}{clone.environment()['PATH']}"
        done = clone.run("dvc", "repro", env={"CROSSOVER_TRACKING": "mlflow", "PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    return clone


def executed(output: str) -> set[str]:
    """The stages that DVC ran, by its own words."""
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def predictions(clone: Clone) -> dict[str, bytes]:
    """The bytes of every prediction file, and of every table of scores."""
    files = [
        *clone.root.glob("results/*/predictions/*.npy"),
        *(
            path
            for path in clone.root.glob("results/learning_curve/**/*.npy")
            if path.parent.name != "moments"  # which epochs are kept depends on the clock
        ),
        *clone.root.glob("results/learning_curve/**/scores.csv"),
    ]
    return {str(p.relative_to(clone.root)): p.read_bytes() for p in files}


def test_every_cell_has_its_rows(study):
    scores = pd.concat(pd.read_csv(study.root / "results" / d / "scores.csv") for d in ("digits", "wine"))
    fitted = scores[scores.status == "ok"].groupby(["dataset", "model", "variant"]).seed.apply(list).to_dict()
    assert fitted == {
        ("digits", "cnn", "default"): [0, 1],
        ("digits", "cnn", "textbook"): [0, 1],
        ("digits", "decision_tree", "default"): [0, 1],
        ("digits", "decision_tree", "tuned"): [0, 1],
        ("digits", "k_nearest_neighbors", "default"): [
            0,
            1,
        ],  # deterministic, and each has its own training part
        ("wine", "decision_tree", "default"): [0, 1],
        ("wine", "decision_tree", "tuned"): [0, 1],
        ("wine", "k_nearest_neighbors", "default"): [0, 1],
    }
    refused = scores[scores.status == "not applicable"]
    assert refused[["model", "variant"]].to_numpy().tolist() == [["cnn", "default"], ["cnn", "textbook"]]
    assert set(refused.dataset) == {"wine"}
    assert refused.reason.str.contains("image").all()


def test_the_comparison_names_every_cell(study):
    text = (study.root / "reports" / "report.md").read_text()
    for word in ("digits", "wine", "cnn", "decision_tree", "k_nearest_neighbors"):
        assert word in text
    assert list((study.root / "reports" / "figures").glob("*.png"))


def test_the_textbooks_recipe_stands_in_the_table_and_decides_nothing(study):
    config = study.root / "models/digits/learned/cnn-textbook/seed_0/model/config.json"
    assert json.loads(config.read_text())["early_stopping"] is None
    table = pd.read_csv(study.root / "reports" / "comparison.csv")
    of_textbook = table[(table["variant"] == "textbook") & (table["status"] == "ok")]
    assert of_textbook["model"].tolist() == ["cnn"]
    assert not of_textbook["best_of_family"].astype(bool).any()
    verdict = json.loads((study.root / "reports" / "verdicts" / "digits.json").read_text())
    assert verdict["best_deep"] == "learned-cnn"
    assert "| textbook | cnn, textbook, " in (study.root / "reports" / "report.md").read_text()


def test_the_tuned_variant_has_the_best_configuration_of_its_search(study):
    folder = study.root / "results" / "tuning" / "digits" / "raw" / "decision_tree"
    trials = pd.read_csv(folder / "trials.csv", keep_default_na=False)
    assert trials["trial"].tolist() == [0, 1, 2]
    (best,) = trials[trials["best"]].to_dict("records")
    assert (trials["accuracy"].astype(float) <= float(best["accuracy"])).all()
    fitted = study.root / "models/digits/raw/decision_tree-tuned/seed_0/model/config.json"
    estimator = json.loads(fitted.read_text())["estimator"]
    for column in (name for name in trials.columns if name.startswith("param.estimator.")):
        assert str(best[column]) == json.dumps(estimator[column.removeprefix("param.estimator.")]).strip('"')
    assert "tuned" in (study.root / "reports" / "report.md").read_text()


def test_the_learning_curves_have_their_rows(study):
    folder = study.root / "results" / "learning_curve"
    for dataset, model, all_examples in (
        ("digits", "raw/decision_tree", 1212),
        ("digits", "learned/cnn", 1212),
        ("wine", "raw/decision_tree", 119),
    ):
        scores = pd.read_csv(folder / dataset / model / "scores.csv")
        costs = pd.read_csv(folder / dataset / model / "costs.csv")
        assert scores[["n", "seed"]].equals(costs[["n", "seed"]])
        assert scores["seed"].tolist() == [0, 1] * 3
        assert scores["n"].is_monotonic_increasing
        assert scores["n"].iloc[-1] == all_examples
        correct = np.load(folder / dataset / model / "correct.npy")
        np.testing.assert_allclose(correct.mean(axis=1), scores["test_accuracy"])
        assert len(list((folder / dataset / model / "largest").iterdir())) == 3 * 2 + 1
    digits = [
        pd.read_csv(folder / "digits" / model / "scores.csv")
        for model in ("raw/decision_tree", "learned/cnn")
    ]
    assert digits[0]["n"].equals(digits[1]["n"])
    refused = pd.read_csv(folder / "wine" / "learned" / "cnn" / "scores.csv")
    assert refused["status"].tolist() == ["not applicable"]
    assert list((folder / "wine" / "learned" / "cnn" / "largest").iterdir()) == []


def test_curves_by_hand_lie_in_their_own_folders_and_are_not_measured_twice(study):
    command = ("pipelines/learning_curve.py", "-m", "dataset=wine", "model=decision_tree", "sizes=[30,60]")
    first = study.python(*command, "repetitions=1")
    assert first.returncode == 0, first.stderr
    (scores,) = study.root.glob("multirun/learning_curve/wine-*/results/learning_curve/wine/raw/*/scores.csv")
    assert pd.read_csv(scores)["n"].tolist() == [30, 60, 119]
    before = scores.stat().st_mtime_ns
    second = study.python(*command, "repetitions=1")
    assert second.returncode == 0, second.stderr
    assert "taken over" in second.stdout
    assert scores.stat().st_mtime_ns == before
    more = study.python(*command, "repetitions=2")
    assert more.returncode == 0, more.stderr
    assert "taken over" not in more.stdout


def test_a_second_repro_runs_nothing(study):
    compiled = study.root / "src" / "crossover" / "core" / "__pycache__"  # Python writes there as stages run
    compiled.mkdir(exist_ok=True)
    (compiled / "another.cpython-311.pyc").write_bytes(b"")
    done = study.run("dvc", "repro")
    assert done.returncode == 0
    assert executed(done.stdout) == set()
    assert "up to date" in done.stdout


def test_metrics_and_plots_are_shown(study):
    shown = json.loads(study.run("dvc", "metrics", "show", "--json").stdout)
    files = shown[""]["data"]
    assert files["results/digits/metrics/learned-cnn.json"]["data"]["accuracy"] > 0.1
    assert files["results/wine/metrics/raw-decision_tree.json"]["data"]["n"] == 2
    done = study.run("dvc", "plots", "show")
    assert done.returncode == 0, done.stderr
    page = (study.root / "dvc_plots" / "index.html").read_text()
    for name in ("confusion", "history", "reliability", "cost", "learning_curves"):
        assert name in page


def test_mlflow_holds_a_run_for_each_fit(study):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{study.root / 'mlflow.db'}")
    experiments = {e.name: e.experiment_id for e in client.search_experiments()}
    assert {"digits", "wine"} <= set(experiments)
    runs = client.search_runs([experiments["digits"]])
    assert all(run.info.status == "FINISHED" for run in runs)
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    trials = [run for run in children if run.data.tags["variant"] == "trial"]
    curves = [run for run in children if run.data.tags["variant"] == "learning_curve"]
    cells = [run for run in children if "crossover.cell" in run.data.tags and run not in curves]
    fits = [run for run in children if run not in trials + curves + cells]
    assert len(curves) == 2  # CROSSOVER_TRACKING records them, which the stage itself does not
    assert len(fits) == 6 + 2 + 2
    assert len(cells) == 5
    of_cells = {run.info.run_id for run in cells}
    assert {run.data.tags["mlflow.parentRunId"] for run in fits} == of_cells
    (study_run,) = [run for run in runs if "crossover.study" in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in cells + curves} == {study_run.info.run_id}
    assert study_run.data.tags["verdict"]
    assert all("test/accuracy" in run.data.metrics for run in fits)
    assert sorted(run.info.run_name for run in trials) == ["trial 0", "trial 1", "trial 2"]
    assert [run.data.tags.get("best") for run in trials].count("true") == 1
    (parent,) = {run.data.tags["mlflow.parentRunId"] for run in trials}
    files = {file.path for file in client.list_artifacts(parent)}
    assert {"trials.csv", "best.yaml", "sweep.json", "figures"} <= files


EDITED = {"train_classical@digits-raw-k_nearest_neighbors", "train_classical@wine-raw-k_nearest_neighbors"}
FOLLOWING = {"evaluate@digits", "evaluate@wine", "compare"}


@contextmanager
def edited(clone: Clone) -> Iterator[None]:
    """An edit of one model, which is taken back."""
    clone.replace("conf/model/k_nearest_neighbors.yaml", "n_neighbors: 5", "n_neighbors: 3")
    try:
        yield
    finally:
        clone.replace("conf/model/k_nearest_neighbors.yaml", "n_neighbors: 3", "n_neighbors: 5")


@pytest.mark.filterwarnings("ignore::DeprecationWarning:dvc")
def test_an_edit_of_one_model_is_seen_by_its_cells_and_concerns_what_follows(study, monkeypatch):
    monkeypatch.chdir(study.root)  # DVC names stages as seen from here
    with edited(study), Repo() as repo:
        assert set(repo.status()) == EDITED
        stages = {stage.addressing: stage for stage in repo.index.graph}
        following = {name: networkx.ancestors(repo.index.graph, stages[name]) for name in EDITED}
    assert {stage.addressing for found in following.values() for stage in found} == FOLLOWING


def test_an_edit_of_one_model_runs_its_cells_and_what_follows(study):
    with edited(study):
        done = study.run("dvc", "repro")
    assert done.returncode == 0, done.stderr
    assert executed(done.stdout) == EDITED | FOLLOWING


def test_two_cold_runs_give_identical_predictions(study, clone: Clone):
    """The second one starts each script as a user's `dvc repro` does."""
    for path in ("params.yaml", "conf/model/cnn.yaml", "conf/textbook/cnn.yaml"):
        clone.write(path, (study.root / path).read_text())
    done = clone.run("dvc", "repro")
    assert done.returncode == 0, done.stderr
    back = study.run("dvc", "repro")  # the edit above was taken back
    assert back.returncode == 0
    assert predictions(study) == predictions(clone)
    curves = (
        3 * (2 + 3 * 2 + 1) + 2
    )  # scores, answers, probabilities and labels; and a cell that does not apply
    assert len(predictions(study)) == 16 + 2 + curves
