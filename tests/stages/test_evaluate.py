import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.results import read_results
from crossover.core.cell import LEARNED, VOTE, Cell
from crossover.core.columns import COSTS, METRICS, SCORES, VALIDATION, read_rows
from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, write_json
from crossover.core.fits import Repetitions
from crossover.core.study import OK, Study
from crossover.data.prepared import Prepared
from crossover.scoring.judge import evaluate
from crossover.stages.evaluate import evaluate_dataset
from crossover.tracking.tracker import FitFacts, Log, Tracker

MEASURED = {"costs.csv", "plots/cost.csv"}

FOREST = Cell("wine", "raw", "random_forest", "classical")
MLP = Cell("wine", LEARNED, "mlp", "deep")


def _scores(results: Path) -> pd.DataFrame:
    return read_rows(results / "scores.csv", SCORES, "")


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _change(path: Path, **values: object) -> None:
    write_json(path, read_json(path, "") | values)


def test_one_row_a_fit_and_one_a_cell_that_does_not_apply(results: Path) -> None:
    rows = _scores(results)
    assert list(rows.columns) == SCORES
    found = list(rows[["features", "model", "seed", "status"]].itertuples(index=False, name=None))
    assert found == [
        ("raw", "random_forest", 0, "ok"),
        ("raw", "random_forest", 1, "ok"),
        ("raw", "k_nearest_neighbors", 0, "ok"),
        ("handcrafted", "random_forest", 0, "not applicable"),
        ("handcrafted", "k_nearest_neighbors", 0, "not applicable"),
        ("learned", "mlp", 0, "ok"),
        ("learned", "mlp", 1, "ok"),
        ("learned", "cnn", 0, "not applicable"),
    ]
    fits = rows[rows["status"] == "ok"]
    assert fits[[*METRICS, "n_train", "n_test", "n_classes"]].notna().all().all()
    assert set(fits["n_test"]) == {58}
    assert fits["reason"].isna().all()
    assert fits["stochastic"].tolist() == [True, True, False, True, True]


def test_a_cell_that_does_not_apply_says_why_and_has_no_numbers(results: Path) -> None:
    rows = _scores(results)
    rows = rows[rows["status"] != "ok"]
    assert set(rows["reason"]) == {"takes image data, wine is table data"}
    assert rows[[*METRICS, "n_train", "n_test", "n_classes"]].isna().all().all()
    assert not (results / "metrics" / "learned-cnn.json").exists()


def test_costs_stand_row_for_row_beside_the_scores(results: Path) -> None:
    scores, costs = _scores(results), read_rows(results / "costs.csv", COSTS, "")
    keys = ["dataset", "features", "model", "family", "variant", "seed"]
    pd.testing.assert_frame_equal(scores[keys], costs[keys])
    measured = costs[scores["status"] == "ok"]
    assert (measured[["latency_p50_ms", "throughput_per_s", "model_bytes"]] > 0).all().all()
    assert (measured["latency_p95_ms"] >= measured["latency_p50_ms"]).all()
    classical = measured["family"] == "classical"
    assert (measured["features_seconds"] > 0).tolist() == classical.tolist()
    assert (measured["features_p50_ms"] > 0).tolist() == classical.tolist()
    # The times start at the prepared input, so the seconds of the features are in those of the fit.
    of_model = measured["fit_seconds"] - measured["features_seconds"]
    assert of_model.tolist() == pytest.approx([0.5, 1.5, 0.5, 0.5, 1.5])


def test_the_validation_scores_of_each_cell_are_kept(results: Path) -> None:
    rows = read_rows(results / "validation.csv", VALIDATION, "")
    assert rows.groupby("model")["seed"].apply(list).to_dict() == {
        "random_forest": [0, 1],
        "k_nearest_neighbors": [0, 1],  # fitted once, and validated in as many repetitions as the others
        "mlp": [0, 1],
    }
    assert set(rows["n_validation"]) == {12}
    assert set(rows["accuracy"]) == {0.9}


def test_what_the_machine_cannot_tell_is_empty(results: Path) -> None:
    lines = (results / "costs.csv").read_text().splitlines()
    rows = [dict(zip(COSTS, line.split(","), strict=False)) for line in lines[1:]]
    found = {
        row["model"]: (row["fit_memory_bytes"], row["fit_energy_j"], row["energy_method"]) for row in rows
    }
    assert found["random_forest"] == found["k_nearest_neighbors"] == ("", "", "")
    assert found["mlp"] == (str(1 << 18), "12.5", "RAPL package counters")
    assert found["cnn"] == ("", "", "")  # does not apply


def test_the_size_of_each_model_is_exact(results: Path) -> None:
    rows = _scores(results).query("status == 'ok'").set_index("model")
    assert rows["complexity_unit"].groupby(level=0).first().to_dict() == {
        "random_forest": "nodes",
        "k_nearest_neighbors": "stored values",
        "mlp": "parameters",
    }
    assert rows.loc["k_nearest_neighbors", "complexity"] == 120 * 13  # the training part
    assert rows.loc[["mlp"], "complexity"].tolist() == [13 * 8 + 8 + 8 * 3 + 3] * 2


def test_scores_follow_from_the_predictions_that_are_kept(results: Path, fitted) -> None:
    y_true = np.load(results / "predictions" / "y_true.npy")
    np.testing.assert_array_equal(y_true, [fitted.test.y])
    fits = _scores(results).query("status == 'ok'")
    for row in fits.to_dict("records"):
        proba = np.load(results / "predictions" / f"{row['features']}-{row['model']}-seed{row['seed']}.npy")
        assert (proba.dtype, proba.shape) == (np.float32, (58, 3))
        assert {name: row[name] for name in METRICS} == evaluate(y_true[0], proba)
    assert len(list((results / "predictions").iterdir())) == len(fits) + 1
    assert fits.query("model == 'random_forest'")["accuracy"].min() > 0.8  # its own features, in order


def test_metrics_are_means_over_the_fits(results: Path) -> None:
    forest = _scores(results).query("model == 'random_forest' and status == 'ok'")
    written = json.loads((results / "metrics" / "raw-random_forest.json").read_text())
    assert written["n"] == 2
    assert written["accuracy_sd"] == pytest.approx(forest["accuracy"].std())
    for metric in METRICS:
        assert written[metric] == pytest.approx(forest[metric].mean())
    assert "accuracy_sd" not in json.loads((results / "metrics" / "raw-k_nearest_neighbors.json").read_text())


def test_a_second_run_repeats_the_exact_files_byte_for_byte(results: Path, fitted) -> None:
    first = _contents(results)
    evaluate_dataset("wine", fitted.study, fitted.layout)
    second = _contents(results)
    assert set(first) == set(second) >= MEASURED
    assert {name for name in first if first[name] != second[name]} <= MEASURED


def test_tables_for_dvc_plots(results: Path, fitted) -> None:
    plots = {path.stem: pd.read_csv(path) for path in (results / "plots").iterdir()}
    models = ["random_forest (raw)", "k_nearest_neighbors (raw)", "mlp"]
    assert {name: list(table["model"].unique()) for name, table in plots.items()} == {
        "confusion": models,
        "reliability": models,
        "cost": models,
        "history": ["mlp"],
    }
    assert plots["history"]["val_accuracy"].tolist() == [0.5, 0.875] * 2
    assert (plots["reliability"].groupby("model")["count"].sum() == [58, 2 * 58, 2 * 58]).all()
    forest = plots["confusion"].query("model == 'random_forest (raw)'")
    assert (
        forest.groupby("actual")["count"].sum()[fitted.classes].tolist()
        == np.bincount(fitted.test.y).tolist()
    )
    right = forest.query("actual == predicted")["count"].sum()
    assert right == round(58 * _scores(results)["accuracy"].iloc[0])


def test_a_study_without_epochs_has_an_empty_history(fitted) -> None:
    for seed in (0, 1):
        write_json(fitted.layout.models(MLP) / f"seed_{seed}" / "history.json", [])
    evaluate_dataset("wine", fitted.study, fitted.layout)
    history = pd.read_csv(fitted.layout.results("wine") / "plots" / "history.csv")
    assert history.empty
    assert "val_loss" in history.columns


@pytest.mark.parametrize(
    ("features", "model", "command"),
    [
        ("raw", "random_forest", "dvc repro train_classical@wine-raw-random_forest"),
        ("learned", "mlp", "dvc repro train_deep@wine-mlp"),
    ],
)
def test_a_cell_or_a_seed_that_is_missing_is_named_with_its_command(fitted, features, model, command) -> None:
    cell = fitted.layout.models(MLP if features == LEARNED else FOREST)
    shutil.rmtree(cell / "seed_1")
    with pytest.raises(CrossoverError, match=f"{features}, {model} lacks repetition 1 of 2.*`{command}`"):
        evaluate_dataset("wine", fitted.study, fitted.layout)
    shutil.rmtree(cell)
    with pytest.raises(CrossoverError, match=f"{features}, {model} is not fitted.*`{command}`"):
        evaluate_dataset("wine", fitted.study, fitted.layout)


def test_a_study_of_more_seeds_than_were_fitted_is_refused(fitted) -> None:
    _change(fitted.layout.models(FOREST) / "cell.json", seeds=[0])
    with pytest.raises(CrossoverError, match="raw, random_forest lacks repetition 1 of 2"):
        evaluate_dataset("wine", fitted.study, fitted.layout)


def test_a_fit_on_other_data_is_refused(fitted) -> None:
    _change(fitted.layout.models(MLP) / "seed_0" / "fit.json", data_checksum="d" * 64)
    with pytest.raises(CrossoverError, match=r"learned, mlp was fitted on other data.*seed_0"):
        evaluate_dataset("wine", fitted.study, fitted.layout)


def test_a_failure_leaves_the_older_results_as_they_were(results: Path, fitted) -> None:
    before = _contents(results)
    _change(
        fitted.layout.models(MLP) / "seed_1" / "model" / "config.json",
        _target_="os.system",
    )
    with pytest.raises(CrossoverError, match="package crossover"):
        evaluate_dataset("wine", fitted.study, fitted.layout)
    assert _contents(results) == before
    assert [path.name for path in results.parent.iterdir()] == ["wine"]


class _Recorder(Tracker):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.numbers: dict[str, dict[str, float]] = {}
        self.figures: list[str] = []

    @contextmanager
    def fit(self, facts: FitFacts, *, resume: bool = False):
        assert resume, "scores belong to the run that recorded the training"
        recorder = self

        class Kept(Log):
            def metrics(self, values: dict[str, float]) -> None:
                recorder.numbers[facts.fit_id] = values

            def figure(self, figure, name: str) -> None:
                recorder.figures.append(f"{facts.fit_id}/{name}")

        yield Kept()


def test_the_tracker_is_given_the_scores_of_each_fit(fitted) -> None:
    tracker = _Recorder()
    evaluate_dataset("wine", fitted.study, fitted.layout, tracker)
    rows = _scores(fitted.layout.results("wine")).query("status == 'ok'")
    assert {name: v["test/accuracy"] for name, v in tracker.numbers.items()} == {
        f"{row.model}{row.seed}": row.accuracy for row in rows.itertuples()
    }
    of_mlp = [name for name in tracker.figures if name.startswith("mlp")]
    assert of_mlp == ["mlp0/confusion_matrix", "mlp0/reliability"]  # of the first repetition alone


@pytest.mark.slow
def test_the_judge_and_the_stage_import_no_network_library() -> None:
    code = "import sys, crossover.stages.evaluate; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert "sklearn.metrics" in loaded
    assert not loaded & {"torch", "mlflow", "xgboost", "skimage"}


def test_a_feature_matrix_that_is_missing_is_named(fitted) -> None:
    shutil.rmtree(fitted.layout.features("wine", "raw") / "test" / "0")
    with pytest.raises(CrossoverError, match=r"features/wine/raw/test/0/X\.npy does not exist"):
        evaluate_dataset("wine", fitted.study, fitted.layout)


def test_soft_votes_are_cells_of_the_results(fitted) -> None:
    """Two networks and two classical models: both families vote, and the comparison reads the votes."""
    second = Repetitions(Cell("wine", LEARNED, "second", "deep"), OK, "", stochastic=True, seeds=[0, 1])
    layout, train = fitted.layout, Prepared(fitted.layout.prepared("wine")).train()
    shutil.copytree(layout.models(MLP), layout.models(second.cell))
    second.write(layout.models(second.cell))
    study = Study(**fitted.study.model_dump() | {"deep_models": ["mlp", "second"], "soft_vote": 2})
    evaluate_dataset("wine", study, layout)
    scores = _scores(layout.results("wine"))
    votes = scores[scores["model"] == VOTE]
    assert votes[["features", "family", "seed"]].to_numpy().tolist() == [
        ["several", "classical", 0],
        ["several", "classical", 1],
        ["learned", "deep", 0],
        ["learned", "deep", 1],
    ]
    assert set(votes["n_train"]) == {len(train)}
    predictions = layout.results("wine") / "predictions"
    voters = [
        np.load(predictions / f"raw-{name}.npy")
        for name in ("random_forest-seed1", "k_nearest_neighbors-seed0")
    ]
    vote = np.load(predictions / "several-soft_vote-seed1.npy")
    np.testing.assert_allclose(vote, np.mean(voters, axis=0), rtol=1e-6)
    read = read_results(study, layout, "wine")
    assert {cell.cell.name for cell in read.cells} >= {"several-soft_vote", "learned-soft_vote"}
    alone = fitted.study.model_copy(update={"soft_vote": 2})
    evaluate_dataset("wine", alone, layout)
    (first, other) = read_results(alone, layout, "wine").not_applicable[-2:]
    assert first.reason == other.reason == "a vote needs two models in each family, wine has 1 deep"
