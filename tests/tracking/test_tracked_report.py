"""The comparison in MLflow: the study's answer, a run for each cell and each curve, the best of each family."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.core.cell import LEARNED
from crossover.core.files import write_json
from crossover.core.layout import Layout
from crossover.data.prepared import Part
from crossover.models.classical.sklearn_model import SklearnClassifier
from crossover.stages.compare import answer_of, record
from crossover.tracking.links import links
from crossover.tracking.mlflow_tracker import MlflowTracker
from crossover.tracking.store import Store
from tests.results_folder import ResultsFolder, compare, first_right, study_of
from tests.tracking.tracking_facts import IMAGES, facts_of

pytestmark = pytest.mark.slow  # MLflow takes half a minute to make its database

META = replace(IMAGES, dataset="reported", modality="table", input_shape=[2], n_test=100)
STUDY = study_of("reported", ["forest", "line"], ["net"], seeds=2)
COMMIT = "89abcdef" * 5


def write_reports(root: Path, line: int = 85) -> Layout:
    """A comparison in which the best classical model is the forest, or the line with more than 90 of 100 right."""
    layout, folder = Layout(root), ResultsFolder(root, "reported", 100)
    folder.add("raw", "forest", first_right(100, 90, 88))
    folder.add("raw", "line", first_right(100, line, line))
    folder.add(LEARNED, "net", first_right(100, 60, 62))
    folder.write()
    write_json(layout.prepared("reported") / "meta.json", META.__dict__)
    compare(STUDY, layout)
    return layout


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fitted model, as a stage saves it."""
    from sklearn.naive_bayes import GaussianNB

    folder = tmp_path_factory.mktemp("model")
    X = np.random.default_rng(0).standard_normal((20, 2)).astype(np.float32)
    fitted = SklearnClassifier(estimator=GaussianNB(), modalities=["table"], stochastic=False)
    fitted.fit(Part(X, np.arange(20) % 2, 2), None, seed=0).save(folder)
    write_json(
        folder / "config.json", {"_target_": "crossover.models.classical.sklearn_model.SklearnClassifier"}
    )
    return folder


@pytest.fixture(scope="module")
def recorded(store: str, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Two fits of each cell, and the comparison of them."""
    tracker = MlflowTracker(uri=store, log_models=True)
    for cell in STUDY.cells("reported"):
        for seed in (0, 1):
            facts = facts_of(f"{cell.name} {seed}", seed=seed, meta=META, git_commit=f"{COMMIT}{'+' * seed}")
            with tracker.fit(replace(facts, cell=cell)) as log:
                if seed == 0:
                    log.model(model, None, pd.DataFrame(np.zeros((2, 2)), columns=["a", "b"]))
    layout = write_reports(tmp_path_factory.mktemp("reported"))
    record(STUDY, layout, tracker)
    return layout


def runs(client: Any, query: str) -> list[Any]:
    return list(client.search_runs([client.get_experiment_by_name("reported").experiment_id], query))


def test_one_study_whatever_dvc_changes_while_it_runs(recorded: Layout, client: Any) -> None:
    (study,) = runs(client, "tags.`crossover.study` LIKE '%'")
    assert study.info.run_name == "dvc repro 89abcdef"
    assert study.info.status == "FINISHED"


def test_the_study_has_the_answer(recorded: Layout, client: Any) -> None:
    (study,) = runs(client, "tags.`crossover.study` LIKE '%'")
    verdict = json.loads((recorded.reports / "verdicts" / "reported.json").read_text())
    assert study.data.metrics["deep_minus_classical"] == pytest.approx(-0.28)
    assert {name: study.data.metrics[name] for name in ("low", "high")} == pytest.approx(
        {name: verdict[name] for name in ("low", "high")}
    )
    assert study.data.metrics["fit_seconds"] == pytest.approx(3 * (1 + 2))
    assert study.data.tags["verdict"] == "classical"
    assert study.data.tags["effort"] == "default"
    note = study.data.tags["mlflow.note.content"]
    assert note.startswith("> **reported: use ● forest (raw)**")
    assert "Classical learning leads" in note
    assert "![" not in note
    files = {file.path for file in client.list_artifacts(study.info.run_id)}
    assert files >= {"report.html", "comparison.json", "comparison.csv", "claims.csv", "figures"}
    assert json.loads(study.data.tags["mlflow.loggedArtifacts"]) == [
        {"path": "comparison.json", "type": "table"}
    ]
    table = json.loads(Path(client.download_artifacts(study.info.run_id, "comparison.json")).read_text())
    model = table["columns"].index("model")
    assert {row[model] for row in table["data"]} == {"forest", "line", "net"}


def test_a_cell_has_the_means_and_its_fits(recorded: Layout, client: Any) -> None:
    (study,) = runs(client, "tags.`crossover.study` LIKE '%'")
    cells = runs(client, f"tags.`mlflow.parentRunId` = '{study.info.run_id}'")
    assert {run.info.run_name for run in cells} == {"forest · raw", "line · raw", "net · learned"}
    (forest,) = (run for run in cells if run.data.tags["model"] == "forest")
    metrics = forest.data.metrics
    assert metrics["test/accuracy"] == pytest.approx(0.89)
    assert metrics["test/accuracy_sd"] == pytest.approx(np.std([0.9, 0.88], ddof=1))
    assert metrics["test/accuracy_low"] < 0.89 < metrics["test/accuracy_high"]
    assert metrics["n"] == 2
    assert metrics["fit_seconds"] == pytest.approx(1.5)
    assert forest.data.tags["best of family"] == "true"
    fits = runs(client, f"tags.`mlflow.parentRunId` = '{forest.info.run_id}'")
    assert sorted(run.data.tags["crossover.fit_id"] for run in fits) == ["raw-forest 0", "raw-forest 1"]


def test_a_second_comparison_shows_nothing_twice(recorded: Layout, client: Any, store: str) -> None:
    before = len(runs(client, ""))
    record(STUDY, recorded, MlflowTracker(uri=store, log_models=True))
    assert len(runs(client, "")) == before


def test_the_alias_moves_only_where_another_model_is_best(
    recorded: Layout, client: Any, store: str, tmp_path: Path
) -> None:
    tracker, name = MlflowTracker(uri=store, log_models=True), "crossover-reported-classical"
    first = client.get_model_version_by_alias(name, "best")
    record(STUDY, recorded, tracker)
    assert client.get_model_version_by_alias(name, "best").version == first.version
    assert "Classical learning leads" in client.get_registered_model(name).description
    record(STUDY, write_reports(tmp_path, line=95), tracker)
    moved = client.get_model_version_by_alias(name, "best")
    assert moved.version != first.version
    assert moved.description.startswith("line · raw, repetition 0.")
    assert client.get_model_version_by_alias("crossover-reported-deep", "best").version in (1, "1")
    record(STUDY, recorded, tracker)


def test_the_best_model_is_served_by_its_alias(recorded: Layout, client: Any, store: str) -> None:
    import mlflow

    mlflow.set_tracking_uri(store)
    served = mlflow.pyfunc.load_model("models:/crossover-reported-classical@best")
    answer = served.predict(pd.DataFrame([[0.0, 0.0], [3.0, -3.0]], columns=["a", "b"]))
    assert len(answer) == 2


def test_a_store_that_fails_costs_one_warning(recorded: Layout, caplog: pytest.LogCaptureFixture) -> None:
    record(STUDY, recorded, MlflowTracker(uri="http://127.0.0.1:1", log_models=True))
    assert caplog.text.count("tracking is off from here on") == 1


def test_a_data_set_that_one_family_alone_takes(
    client: Any, store: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study, layout = study_of("alone", ["forest"], ["net"], seeds=2), Layout(tmp_path)
    folder = ResultsFolder(tmp_path, "alone", 100)
    folder.add("raw", "forest", first_right(100, 90, 88))
    folder.add_not_applicable(LEARNED, "net", "net takes image data, alone is table data")
    folder.write()
    write_json(layout.prepared("alone") / "meta.json", replace(META, dataset="alone").__dict__)
    compare(study, layout)
    record(study, layout, MlflowTracker(uri=store, log_models=True))
    assert "tracking is off" not in caplog.text
    found = client.search_runs([client.get_experiment_by_name("alone").experiment_id])
    assert {run.info.run_name for run in found} >= {"forest · raw"}
    assert [run.data.tags["verdict"] for run in found if "crossover.study" in run.data.tags] == ["none"]


def test_a_study_that_fits_one_cell_again_says_what_it_took_over(
    recorded: Layout, client: Any, store: str
) -> None:
    tracker, later = MlflowTracker(uri=store, log_models=False), "fedcba98" * 5
    (net,) = (cell for cell in STUDY.cells("reported") if cell.model == "net")
    with tracker.fit(replace(facts_of("net again", seed=0, meta=META, git_commit=later), cell=net)):
        pass
    answer = answer_of((recorded.reports / "report.md").read_text(encoding="utf-8"), "reported")
    tracker.report(META, later, recorded.reports, answer)
    (study,) = runs(client, "tags.`crossover.study` = 'dvc repro fedcba98'")
    note = study.data.tags["mlflow.note.content"]
    assert note.endswith(
        "Taken over from an earlier study, in which their fits are: forest (raw), line (raw)."
    )
    (first,) = runs(client, "tags.`crossover.study` = 'dvc repro 89abcdef'")
    assert "Taken over" not in first.data.tags["mlflow.note.content"]


def test_the_newest_comparison_of_each_data_set_is_linked(recorded: Layout, client: Any, store: str) -> None:
    found = links(Store(store), "http://127.0.0.1:7000")
    experiment = client.get_experiment_by_name("reported").experiment_id
    assert found["reported"]["the report"].startswith(
        f"http://127.0.0.1:7000/#/experiments/{experiment}/runs/"
    )
    assert found["reported"]["every cell"].endswith("viewStateShareKey=comparison")
    assert "passengers" not in found  # never compared
