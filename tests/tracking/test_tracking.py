"""Recording fits in MLflow."""

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from crossover.core.configuration import build, save_config
from crossover.data.prepared import Input, Meta, Part, modality_of
from crossover.tracking.mlflow_tracker import MlflowTracker
from crossover.tracking.tracker import FitFacts, Tracker
from tests.tracking.tracking_facts import FIRST_FITS, IMAGES, TABLE, facts_of

pytestmark = pytest.mark.slow  # MLflow takes half a minute to make its databases

CONF = Path(__file__).parents[2] / "conf" / "tracking"


def run_of(client: Any, fit_id: str) -> Any:
    """The one run of a fit."""
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(ids, f"tags.`crossover.fit_id` = '{fit_id}'")
    return run


def test_processes_that_are_first_at_once_share_an_experiment_and_a_parent(store: str, client: Any) -> None:
    (experiment,) = client.search_experiments(filter_string="name = 'digits'")
    runs = client.search_runs([experiment.experiment_id], "tags.`crossover.fit_id` LIKE 'first %'")
    parents = client.search_runs([experiment.experiment_id], "tags.`crossover.study` LIKE 'dvc repro %'")
    assert len(runs) == FIRST_FITS
    assert [parent.info.run_name for parent in parents] == ["dvc repro 01234567"]
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {parents[0].info.run_id}
    assert {run.info.status for run in [*runs, *parents]} == {"FINISHED"}
    root = Path(store.removeprefix("sqlite:///")).parent
    assert Path(experiment.artifact_location) == root / "mlartifacts" / "digits"


def test_a_run_holds_configuration_origin_and_data(tracker: Tracker, client: Any) -> None:
    with tracker.fit(facts_of("origin")):
        pass
    run = run_of(client, "origin")
    assert run.info.run_name == "random_forest · raw · seed 3"
    assert (
        run.data.params.items()
        >= {
            "model.n_estimators": "100",
            "model.max_depth": "None",
            "trainer.optimizer.lr": "0.001",
            "data.n_train": "30",
        }.items()
    )
    assert (
        run.data.tags.items()
        >= {
            "mlflow.source.git.commit": "0123456789abcdef0123456789abcdef01234567",
            "mlflow.source.git.dirty": "true",
            "crossover.stage": "train_classical",
            "crossover.data_checksum": IMAGES.checksum,
            "model": "random_forest",
            "features": "raw",
            "family": "classical",
            "variant": "default",
            "seed": "3",
        }.items()
    )
    command = run.data.tags["mlflow.note.content"].split("`")[1]
    assert (
        command
        == "python pipelines/train_classical.py dataset=digits features=raw model=random_forest seed=3"
    )
    (data,) = run.inputs.dataset_inputs
    assert (data.dataset.name, data.tags[0].value) == ("digits", "training")
    assert IMAGES.checksum.startswith(data.dataset.digest)


def test_the_note_of_a_tuned_fit_names_its_variant(tracker: Tracker, client: Any) -> None:
    with tracker.fit(facts_of("tuned", variant="tuned")):
        pass
    run = run_of(client, "tuned")
    assert run.info.run_name == "random_forest (tuned) · raw · seed 3"
    assert " variant=tuned " in run.data.tags["mlflow.note.content"]


def test_epochs_are_a_curve_that_ends_with_the_final_value(tracker: Tracker, client: Any) -> None:
    with tracker.fit(facts_of("curve")) as log:
        for epoch in range(3):
            log.epoch(epoch, {"train/loss": 1.0 / (epoch + 1), "val/accuracy": epoch / 10})
        log.metrics({"val/accuracy": 0.9, "fit_seconds": 1.5})
    run = run_of(client, "curve")
    losses = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(point.step, point.value) for point in losses] == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert run.data.metrics == {"train/loss": 1 / 3, "val/accuracy": 0.9, "fit_seconds": 1.5}


def test_figures_and_files_are_artifacts(tracker: Tracker, client: Any, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    (tmp_path / "notes.txt").write_text("kept")
    with tracker.fit(facts_of("artifacts")) as log:
        log.figure(Figure(), "confusion_matrix")
        log.artifact(tmp_path / "notes.txt")
    run_id = run_of(client, "artifacts").info.run_id
    names = [file.path for folder in (None, "figures") for file in client.list_artifacts(run_id, folder)]
    assert names == ["figures", "notes.txt", "figures/confusion_matrix.png"]


def test_scores_join_the_finished_run_and_leave_its_time(tracker: Tracker, client: Any) -> None:
    with tracker.fit(facts_of("scored")) as log:
        log.metrics({"val/accuracy": 0.8})
    before = run_of(client, "scored")
    with tracker.fit(facts_of("scored", parent="a study without fits"), resume=True) as log:
        log.metrics({"test/accuracy": 0.7})
    after = run_of(client, "scored")
    assert after.data.metrics == {"val/accuracy": 0.8, "test/accuracy": 0.7}
    assert (after.info.status, after.info.end_time) == ("FINISHED", before.info.end_time)
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    assert not client.search_runs(ids, "tags.`crossover.study` = 'a study without fits'")


def test_scores_of_a_fit_that_was_never_recorded_get_a_run(tracker: Tracker, client: Any) -> None:
    with tracker.fit(facts_of("unrecorded"), resume=True) as log:
        log.metrics({"test/accuracy": 0.7})
    assert run_of(client, "unrecorded").data.tags["model"] == "random_forest"


@pytest.mark.parametrize(("parent", "runs"), [(None, 1), ("multirun", 2)])
def test_a_finished_fit_that_is_fitted_again(
    parent: str | None, runs: int, tracker: Tracker, client: Any
) -> None:
    """Below a study it goes on in its run, since it is the same; a multirun has a run of its own."""
    fit_id = f"again {parent}"
    for _ in range(2):
        with tracker.fit(facts_of(fit_id, dataset="twice", parent=parent)):
            pass
    (experiment,) = client.search_experiments(filter_string="name = 'twice'")
    found = client.search_runs([experiment.experiment_id], f"tags.`crossover.fit_id` = '{fit_id}'")
    assert [run.info.status for run in found] == ["FINISHED"] * runs


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_an_exception_ends_the_run_and_goes_on(
    tracker: Tracker, client: Any, error: type[BaseException], status: str
) -> None:
    with pytest.raises(error, match="mine"), tracker.fit(facts_of(status)):
        raise error("mine")
    assert run_of(client, status).info.status == status


def test_a_fit_that_was_broken_off_continues_its_run(tracker: Tracker, client: Any) -> None:
    with contextlib.suppress(KeyboardInterrupt), tracker.fit(facts_of("broken off")) as log:
        log.epoch(0, {"train/loss": 2.0})
        raise KeyboardInterrupt
    with tracker.fit(facts_of("broken off")) as log:
        log.epoch(1, {"train/loss": 1.0})
    run = run_of(client, "broken off")
    points = client.get_metric_history(run.info.run_id, "train/loss")
    assert (run.info.status, [point.step for point in points]) == ("FINISHED", [0, 1])


def test_the_callers_own_run_is_left_alone(
    tracker: Tracker, client: Any, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    mlflow.set_tracking_uri(store)
    with mlflow.start_run(experiment_id="0") as outer:
        monkeypatch.setenv("MLFLOW_RUN_ID", outer.info.run_id)
        with tracker.fit(facts_of("inner")) as log:
            log.metrics({"val/accuracy": 0.5})
        active = mlflow.active_run()
        assert active is not None
        assert active.info.run_id == outer.info.run_id
    assert run_of(client, "inner").data.tags["mlflow.parentRunId"] != outer.info.run_id
    assert client.get_run(outer.info.run_id).data.metrics == {}


@pytest.mark.parametrize(
    ("facts", "environment", "name"),
    [
        (facts_of("outside git", git_commit=""), {}, "dvc repro"),
        (facts_of("of an experiment"), {"DVC_EXP_NAME": "gutsy-ibis"}, "gutsy-ibis"),
        (
            facts_of("of a sweep", parent="multirun/it's one"),
            {"DVC_EXP_NAME": "gutsy-ibis"},
            "multirun/it's one",
        ),
    ],
)
def test_the_parent_is_named_after_the_study(
    tracker: Tracker,
    client: Any,
    monkeypatch: pytest.MonkeyPatch,
    facts: FitFacts,
    environment: dict[str, str],
    name: str,
) -> None:
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    with tracker.fit(facts):
        pass
    parent_id = run_of(client, facts.fit_id).data.tags["mlflow.parentRunId"]
    assert client.get_run(parent_id).info.run_name == name


def broken_file(folder: Path) -> str:
    (folder / "mlflow.db").write_text("no database" * 1000)
    return f"sqlite:///{folder}/mlflow.db"


def folder_that_cannot_be_made(folder: Path) -> str:
    (folder / "file").touch()
    return f"sqlite:///{folder}/file/mlflow.db"


def absent_server(folder: Path) -> str:
    return "http://somebody:secret@127.0.0.1:9"


def absent_database_server(folder: Path) -> str:
    return "postgresql://somebody:secret@127.0.0.1:9/mlflow"


@pytest.mark.parametrize(
    "address", [broken_file, folder_that_cannot_be_made, absent_server, absent_database_server]
)
def test_a_store_that_fails_costs_one_warning(
    address: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uri = address(tmp_path)
    with caplog.at_level(logging.WARNING, logger="crossover"):
        for _ in range(3):
            with MlflowTracker(uri=uri, log_models=True).fit(facts_of("lost")) as log:
                log.epoch(0, {"train/loss": 1.0})
                log.metrics({"val/accuracy": 0.5})
    (message,) = caplog.messages
    assert uri.replace("somebody:secret", "***") in message
    assert "secret" not in message
    assert "\n" not in message


def test_a_store_that_fails_during_a_fit_costs_one_warning(
    store: str, client: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossover.tracking.store._given_up", set())
    with (
        caplog.at_level(logging.WARNING, logger="crossover"),
        MlflowTracker(uri=store, log_models=True).fit(facts_of("half")) as log,
    ):
        log.artifact(tmp_path / "absent.txt")
        log.metrics({"val/accuracy": 0.5})
    assert len(caplog.messages) == 1
    run = run_of(client, "half")
    assert (run.info.status, run.data.metrics) == ("FINISHED", {})


def fitted(folder: Path, train: Part) -> tuple[Path, Path, np.ndarray]:
    """A real model and its feature set on disk, with the probabilities of the training part."""
    from sklearn.ensemble import RandomForestClassifier

    from crossover.features.raw import RawFeatures
    from crossover.features.words import Terms, TfIdf
    from crossover.models.classical.sklearn_model import SklearnClassifier

    features: Any = RawFeatures(modalities=["image", "table"])
    if modality_of(train.X) == "text":
        terms = Terms(shortest=1, longest=1, most=100, least_texts=1)
        features = TfIdf(modalities=["text"], words=terms, chars=None)
    features.fit(train)
    model = SklearnClassifier(estimator=RandomForestClassifier(5), modalities=["image"], stochastic=True)
    model.fit(replace(train, X=features.transform(train.X)), None, seed=0)
    for name, part in (("model", model), ("featurizer", features)):
        (folder / name).mkdir()
        part.save(folder / name)
        save_config(folder / name, {"_target_": f"{type(part).__module__}.{type(part).__name__}"})
    return folder / "model", folder / "featurizer", model.predict_proba(features.transform(train.X))


def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 17, (30, 4, 4, 1)).astype(np.uint8)


def table() -> pd.DataFrame:
    random = np.random.default_rng(0)
    X = pd.DataFrame({"age": random.normal(40, 10, 40), "port": random.choice(["Southampton", "Cobh"], 40)})
    X.loc[0, "age"] = np.nan
    X.loc[1, "port"] = None
    return X


def texts() -> np.ndarray:
    return np.array([f"{word} {k}" for k, word in enumerate(["come", "go"] * 15)], dtype=object)


TEXTS = replace(TABLE, dataset="notes", modality="text", input_shape=[])


@pytest.mark.parametrize(
    ("meta", "X"), [(IMAGES, images()), (TABLE, table()), (TEXTS, texts())], ids=["images", "table", "texts"]
)
def test_a_logged_model_predicts_from_raw_input(
    tracker: Tracker, client: Any, store: str, tmp_path: Path, meta: Meta, X: Input
) -> None:
    import mlflow

    y = np.arange(len(X)) % 2
    model, featurizer, expected = fitted(tmp_path, Part(X, y, 2, meta.value_max))
    facts = facts_of(f"model {meta.dataset}", dataset=meta.dataset, meta=meta)
    for resume in (False, True):  # the second call finds the model there
        with tracker.fit(facts, resume=resume) as log:
            log.model(model, featurizer, X)
    (output,) = run_of(client, facts.fit_id).outputs.model_outputs

    mlflow.set_tracking_uri(store)
    served = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    scores = served.predict(pd.DataFrame({"text": X}) if meta is TEXTS else X)
    np.testing.assert_array_equal(scores[meta.classes].to_numpy(), expected)
    assert scores["prediction"].tolist() == [meta.classes[k] for k in expected.argmax(axis=1)]
    assert not any(path.suffix in {".pkl", ".pickle"} for path in tmp_path.rglob("*"))


def logged_of_a_table(tracker: Tracker, client: Any, store: str, folder: Path) -> str:
    """Log a model of a table, and give its address in MLflow."""
    import mlflow

    X = table()
    model, featurizer, _ = fitted(folder, Part(X, np.arange(len(X)) % 2, 2))
    with tracker.fit(facts_of("logged", dataset="passengers", meta=TABLE)) as log:
        log.model(model, featurizer, X)
    (output,) = run_of(client, "logged").outputs.model_outputs
    mlflow.set_tracking_uri(store)
    return f"models:/{output.model_id}"


def test_a_logged_model_names_the_extras_that_it_needs(
    tracker: Tracker, client: Any, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    lines = [
        "mlflow>=3",
        "numpy>=2",
        'pandas; extra == "raw"',
        'joblib; extra == "random_forest"',
        'catboost; extra == "catboost"',
    ]
    monkeypatch.setattr("crossover.tracking.logged_model.requires", lambda name: lines)
    address = logged_of_a_table(tracker, client, store, tmp_path)
    needed = Path(mlflow.pyfunc.get_model_dependencies(address)).read_text()
    assert [line.split("==")[0] for line in needed.splitlines()] == ["mlflow", "numpy", "pandas", "joblib"]


def test_a_table_without_one_of_its_columns_is_refused(
    tracker: Tracker, client: Any, store: str, tmp_path: Path
) -> None:
    import mlflow

    served = mlflow.pyfunc.load_model(logged_of_a_table(tracker, client, store, tmp_path))
    with pytest.raises(mlflow.MlflowException, match="port"):
        served.predict(table().drop(columns="port"))


@pytest.mark.parametrize(("file", "kind"), [("mlflow.yaml", MlflowTracker), ("none.yaml", Tracker)])
def test_conf_builds(file: str, kind: type[Tracker]) -> None:
    assert type(build(yaml.safe_load((CONF / file).read_text()), file)) is kind


def test_no_tracker_keeps_nothing_and_imports_no_mlflow(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from tests.tracking.tracking_facts import facts_of\n"
        "from crossover.tracking.tracker import Tracker\n"
        "with Tracker().fit(facts_of('none')) as log:\n"
        "    log.epoch(0, {'train/loss': 1.0}); log.metrics({}); log.artifact(Path('absent'))\n"
        "    log.model(Path('absent'), None, None)\n"
        "print([name for name in sys.modules if name.startswith('mlflow')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == []
    assert list(tmp_path.iterdir()) == []


def test_system_metrics_are_recorded_where_mlflow_is_asked_for_them(
    tracker: Tracker, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "1")
    found = {}
    for asked in ("false", "true"):
        monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", asked)
        with tracker.fit(facts_of(f"watched {asked}")):
            time.sleep(2.5)
        experiment = client.get_experiment_by_name("digits").experiment_id
        (run,) = client.search_runs([experiment], f"tags.`crossover.fit_id` = 'watched {asked}'")
        assert run.info.status == "FINISHED"
        found[asked] = {key for key in run.data.metrics if key.startswith("system/")}
    assert found["false"] == set()
    assert "system/cpu_utilization_percentage" in found["true"]
