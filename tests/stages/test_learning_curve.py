"""The stage learning_curve: the same nested subsets for every model, one judge, carried on after a kill."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_wine
from sklearn.tree import DecisionTreeClassifier

from crossover.core.cell import LEARNED, Cell
from crossover.core.columns import CURVE_COSTS, CURVE_SCORES, METRICS, PARTS, read_rows
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import LearningCurve
from crossover.data.prepared import Meta, Part
from crossover.data.splits import Protocol
from crossover.features.raw import RawFeatures
from crossover.features.tables import table_encoder
from crossover.fitting.config import FitConfig
from crossover.fitting.curve import CurveRun
from crossover.fitting.data import TrainingData
from crossover.fitting.subsets import curve_subset
from crossover.models.classical.sklearn_model import SklearnClassifier
from crossover.scoring.judge import evaluate
from crossover.stages.featurize import featurize
from crossover.tracking.tracker import FitFacts, Log, Tracker
from tests.model_configs import NETWORK, STOPPING
from tests.prepared_folder import write_one_split

TREE: dict[str, Any] = {
    "_target_": "crossover.models.classical.sklearn_model.SklearnClassifier",
    "modalities": ["table"],
    "stochastic": True,
    "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_features": 3, "max_depth": 3},
}
PLAN = LearningCurve(sizes=[20, 50], repetitions=2)
N_TRAIN, N_VALIDATION = 120, 24


class Breaking(SklearnClassifier):
    """Dies at the fit whose number is in `breaks_at`, as by a kill."""

    fits = 0
    breaks_at: int | None = None

    def fit(self, train, val, *, seed, **options):
        if len(train) > len(np.unique(train.y)) * 8:  # no warm-up
            if Breaking.fits == Breaking.breaks_at:
                raise KeyboardInterrupt
            Breaking.fits += 1
        return super().fit(train, val, seed=seed, **options)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the wines, prepared and featurized: 120 to train, of which 24 validate, and 58 to test."""
    root = tmp_path_factory.mktemp("wines")
    X, y = load_wine(return_X_y=True, as_frame=True)
    order = np.random.default_rng(0).permutation(len(y))
    train, test = (
        Part(X.iloc[rows].reset_index(drop=True), y.to_numpy()[rows].astype(np.int64), 3)
        for rows in (order[:N_TRAIN], order[N_TRAIN:])
    )
    protocol = Protocol(
        test_fraction=0.25,
        test_parts=1,
        never_tested=0.25,
        validation_fraction=N_VALIDATION / N_TRAIN,
        repetitions=3,
        split_seed=0,
    )
    validation = protocol.validation_rows(train.y)
    meta = Meta("wines", "table", ["a", "b", "c"], [13], 1.0, N_TRAIN, 58, "made for a test", "checksum")
    layout = Layout(root)
    layout.prepared("wines").mkdir(parents=True)
    write_one_split(layout.prepared("wines"), meta, train, test, validation)
    config = {"_target_": "crossover.features.raw.RawFeatures", "modalities": ["table"]}
    featurize("wines", "raw", RawFeatures(modalities=["table"]), config, layout, jobs=1)
    return root


def curve(data: Path, output: Path, config: dict[str, Any] = TREE, plan: LearningCurve = PLAN) -> CurveRun:
    """The curve of a model, whose staging lies beside its output."""
    root = output / "project"
    root.mkdir(parents=True, exist_ok=True)
    if not (root / "data").exists():
        (root / "data").symlink_to(data / "data")
    deep = config is NETWORK
    fit_config = FitConfig(
        Cell("wines", LEARNED, "m", "deep") if deep else Cell("wines", "raw", "m", "classical"),
        config,
        trainer={"_target_": "crossover.models.deep.trainer.TrainerConfig", "accelerator": "cpu"}
        if deep
        else None,
        model_origin="conf/model/m.yaml",
    )
    return CurveRun(fit_config, plan, Layout(root), root)


def folder(run: CurveRun) -> Path:
    return Layout(run.output).curve(run.config.cell)


def exact(run: CurveRun) -> dict[str, bytes]:
    """All files that a second run must repeat."""
    return {
        str(path.relative_to(folder(run))): path.read_bytes()
        for path in sorted(folder(run).rglob("*"))
        if path.is_file() and path.name != "costs.csv" and path.parent.name != "moments"  # measured
    }


def test_each_size_and_repetition_has_its_row(data, tmp_path):
    run = curve(data, tmp_path)
    run.run()
    scores = read_rows(folder(run) / "scores.csv", CURVE_SCORES, "this test")
    costs = read_rows(folder(run) / "costs.csv", CURVE_COSTS, "this test")
    expected = [(20, 0), (20, 1), (50, 0), (50, 1), (96, 0), (96, 1)]
    for table in (scores, costs):
        assert list(zip(table["n"], table["seed"], strict=True)) == expected
    assert set(scores["status"]) == {"ok"}
    assert set(scores["n_validation"]) == {N_VALIDATION}
    assert set(scores["n_test"]) == {58}
    assert set(scores["n_watched"]) == {0}
    numbers = costs[["fit_seconds", "predict_seconds", "model_bytes", "peak_memory_bytes", "threads"]]
    assert (numbers > 0).all(axis=None)


def test_a_fit_is_scikit_learns_own_on_the_same_rows(data, tmp_path):
    run = curve(data, tmp_path)
    run.run()
    subset = curve_subset(run.data, 96, 1)
    train, test = run.data.prepared.train(), run.data.prepared.test()
    assert isinstance(train.X, pd.DataFrame)
    # The encoder learns from the subset alone, as the one inside a network does.
    encoder = table_encoder(train.X).fit(train.X.iloc[subset.train])
    X, X_test = encoder.transform(train.X), encoder.transform(test.X)
    tree = DecisionTreeClassifier(max_features=3, max_depth=3, random_state=1)
    tree.fit(X[subset.train], train.y[subset.train])
    proba = np.load(folder(run) / "largest" / "test-seed1.npy")
    np.testing.assert_array_equal(proba, tree.predict_proba(X_test).astype(np.float32))
    row = pd.read_csv(folder(run) / "scores.csv").iloc[-1]
    assert row["train_accuracy"] == tree.score(X[subset.train], train.y[subset.train])
    assert row["validation_accuracy"] == tree.score(X[subset.validation], train.y[subset.validation])


def test_a_curve_is_measured_by_the_metric_of_its_data_set(data, tmp_path, monkeypatch):
    by_accuracy = curve(data, tmp_path).curve_id
    monkeypatch.setattr(
        TrainingData, "meta", property(lambda self: replace(self.prepared.meta, metric="roc_auc"))
    )
    run = curve(data, tmp_path, NETWORK, LearningCurve(sizes=[30], repetitions=1))
    assert curve(data, tmp_path).curve_id != by_accuracy
    run.run()
    scores = read_rows(folder(run) / "scores.csv", CURVE_SCORES, "this test")
    correct = np.load(folder(run) / "correct.npy")
    np.testing.assert_allclose(correct.mean(axis=1), scores["test_roc_auc"], atol=1e-6)
    moments = pd.read_csv(folder(run) / "moments" / "moments.csv")
    at_moments = np.load(folder(run) / "moments" / "correct.npy")
    assert at_moments.shape == (len(moments), 58)
    assert at_moments.dtype == correct.dtype == np.float64
    assert moments["validation_roc_auc"].between(0, 1).all()
    assert set(scores["metric"]) == {"roc_auc"}


def test_the_rows_are_what_the_judge_makes_of_the_stored_probabilities(data, tmp_path):
    run = curve(data, tmp_path)
    run.run()
    scores = pd.read_csv(folder(run) / "scores.csv")
    largest, y_test = folder(run) / "largest", np.load(folder(run) / "largest" / "y_test.npy")
    np.testing.assert_array_equal(y_test, run.data.prepared.labels("test"))
    for seed in (0, 1):
        (row,) = scores[(scores["n"] == 96) & (scores["seed"] == seed)].to_dict("records")
        labels = {"test": y_test, "validation": np.load(largest / f"y_validation-seed{seed}.npy")}
        for part in PARTS:
            judged = evaluate(labels[part], np.load(largest / f"{part}-seed{seed}.npy"))
            assert {name: row[f"{part}_{name}"] for name in METRICS} == pytest.approx(judged, abs=1e-12)
    correct = np.load(folder(run) / "correct.npy")
    assert (correct.dtype, correct.shape) == (bool, (6, 58))
    np.testing.assert_allclose(correct.mean(axis=1), scores["test_accuracy"])
    proba = np.load(largest / "test-seed1.npy")
    np.testing.assert_array_equal(correct[-1], proba.argmax(axis=1) == y_test)


def test_every_model_is_fitted_on_the_same_nested_subsets_without_validation_rows(data, tmp_path):
    tree, network = (curve(data, tmp_path / name, config).data for name, config in _BOTH.items())
    for seed in (0, 1):
        subsets = [curve_subset(tree, n, seed) for n in (20, 50, 96)]
        for subset in subsets:
            np.testing.assert_array_equal(subset.train, curve_subset(network, subset.n, seed).train)
            assert not set(subset.train) & set(subset.validation)
            np.testing.assert_array_equal(subset.validation, tree.prepared.validation_rows(seed))
        small, middle, large = (set(subset.train) for subset in subsets)
        assert small < middle < large
        assert large | set(subsets[0].validation) == set(range(N_TRAIN))
    assert set(curve_subset(tree, 20, 0).train) != set(curve_subset(tree, 20, 1).train)


_BOTH = {"tree": TREE, "network": NETWORK}


def test_a_model_that_watches_gets_its_share_of_the_validation_rows(data, tmp_path):
    run = curve(data, tmp_path, STOPPING)
    run.run()
    scores = pd.read_csv(folder(run) / "scores.csv")
    # 24 of 96 rest rows are a quarter: 20 / 4, then 50 / 4 rounded up, then all
    assert scores["n_watched"].tolist() == [5, 5, 13, 13, 24, 24]
    subsets = [curve_subset(run.data, n, 0) for n in (20, 50, 96)]
    assert set(subsets[0].watched) < set(subsets[1].watched) < set(subsets[2].watched)
    np.testing.assert_array_equal(subsets[2].watched, subsets[2].validation)
    assert len(curve_subset(run.data, 8, 0).watched) == 3  # one a class, where the share would be two


def test_the_training_accuracy_is_measured_on_the_first_rows_of_the_nested_order(data, tmp_path, monkeypatch):
    monkeypatch.setattr("crossover.fitting.subsets._TRAIN_SCORED", 30)
    found = curve(data, tmp_path).data
    small, middle, large = (curve_subset(found, n, 0) for n in (20, 50, 96))
    assert set(small.scored) == set(small.train)
    assert len(middle.scored) == 30
    np.testing.assert_array_equal(middle.scored, large.scored)
    assert set(small.train) < set(large.scored) < set(middle.train)


def test_no_fit_sees_the_test_part(data, tmp_path):
    """With other test examples and labels, what was fitted predicts the same validation probabilities."""
    for config in (TREE, STOPPING):
        one, other = curve(data, tmp_path / "one", config), curve(data, tmp_path / "other", config)
        test = other.layout.prepared("wines").resolve() / "test" / "0" / "X.parquet"
        original = pd.read_parquet(test)
        labels_file = other.layout.prepared("wines").resolve() / "test" / "0" / "y.npy"
        labels = np.load(labels_file)
        one.run()
        try:
            (original[::-1] * 3).to_parquet(test)
            np.save(labels_file, (labels + 1) % 3)
            other.run()
        finally:
            original.to_parquet(test)
            np.save(labels_file, labels)
        before, after = exact(one), exact(other)
        assert before["largest/test-seed0.npy"] != after["largest/test-seed0.npy"]
        names = [name for name in before if "validation" in name]
        assert len(names) == 4
        assert all(before[name] == after[name] for name in names)
        columns = [name for name in CURVE_SCORES if name.startswith(("validation_", "train_", "n_"))]
        first, second = (pd.read_csv(folder(run) / "scores.csv")[columns] for run in (one, other))
        pd.testing.assert_frame_equal(first, second)


def test_a_second_run_repeats_the_exact_files(data, tmp_path):
    first, second = curve(data, tmp_path / "first"), curve(data, tmp_path / "second")
    first.run()
    second.run()
    assert exact(first) == exact(second)
    assert len(exact(first)) == 3 + 3 * 2 + 1


def test_a_killed_run_is_carried_on(data, tmp_path, monkeypatch):
    config = TREE | {"_target_": f"{__name__}.Breaking"}
    monkeypatch.setattr(Breaking, "fits", 0)
    monkeypatch.setattr(Breaking, "breaks_at", 4)
    plan = LearningCurve(sizes=[30, 50], repetitions=2)
    run = curve(data, tmp_path, config, plan)
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert not folder(run).exists()
    monkeypatch.setattr(Breaking, "breaks_at", None)
    again = curve(data, tmp_path, config, plan)
    again.run()
    assert Breaking.fits == 6  # four before the kill, two after it
    assert not list((run.layout.staging / "fits").iterdir())
    whole = curve(data, tmp_path / "whole", config, plan)
    whole.run()
    assert exact(again) == exact(whole)


def test_a_changed_configuration_takes_nothing_over(data, tmp_path, monkeypatch):
    config = TREE | {"_target_": f"{__name__}.Breaking"}
    monkeypatch.setattr(Breaking, "fits", 0)
    monkeypatch.setattr(Breaking, "breaks_at", 3)
    plan = LearningCurve(sizes=[30, 50], repetitions=2)
    with pytest.raises(KeyboardInterrupt):
        curve(data, tmp_path, config, plan).run()
    monkeypatch.setattr(Breaking, "breaks_at", None)
    other = config | {"estimator": config["estimator"] | {"max_depth": 1}}
    curve(data, tmp_path, other, plan).run()
    assert Breaking.fits == 3 + 6


def test_the_largest_fit_of_a_network_is_the_one_that_the_training_stage_validates(data, tmp_path):
    from crossover.core.fits import Repetitions
    from crossover.fitting.training import Training

    run = curve(data, tmp_path, NETWORK, LearningCurve(sizes=[96], repetitions=2))
    run.run()
    Training(run.config, run.layout, tmp_path / "models", Tracker()).run([0, 1])
    models = Layout(tmp_path / "models").models(run.config.cell)
    at_largest = pd.read_csv(folder(run) / "scores.csv").query("n == 96")
    for one in Repetitions.read(models).validation(models):
        row = at_largest.iloc[one.seed]
        assert {name: row[f"validation_{name}"] for name in METRICS} == pytest.approx(one.metrics)


class Remembering(Tracker, Log):
    """Keeps what would be recorded."""

    def __init__(self) -> None:
        self.facts: list[FitFacts] = []
        self.steps: dict[int, dict[str, float]] = {}
        self.files: list[str] = []

    @contextmanager
    def fit(self, facts: FitFacts, *, resume: bool = False) -> Iterator[Log]:
        self.facts.append(facts)
        yield self

    def epoch(self, step: int, metrics: dict[str, float]) -> None:
        self.steps[step] = metrics

    def artifact(self, path: Path) -> None:
        self.files.append(path.name)
        assert path.exists()


def test_a_curve_is_one_tracked_run_with_a_step_a_size(data, tmp_path):
    tracker = Remembering()
    run = replace(curve(data, tmp_path), tracker=tracker)
    scores = run.run()
    (facts,) = tracker.facts
    assert (facts.cell.variant, facts.stage, facts.params["sizes"]) == (
        "learning_curve",
        "learning_curve",
        [20, 50, 96],
    )
    assert tracker.files == ["scores.csv", "costs.csv"]
    costs = pd.read_csv(folder(run) / "costs.csv")
    for n in (20, 50, 96):
        rows, seconds = scores[scores["n"] == n], costs[costs["n"] == n]["fit_seconds"]
        assert tracker.steps[n] == pytest.approx(
            {
                "test/accuracy": rows["test_accuracy"].mean(),
                "val/accuracy": rows["validation_accuracy"].mean(),
                "fit_seconds": seconds.mean(),
            }
        )


def test_a_cell_that_does_not_apply_is_a_row_with_its_reason(data, tmp_path):
    run = curve(data, tmp_path, TREE | {"modalities": ["image"]})
    run.run()
    scores = read_rows(folder(run) / "scores.csv", CURVE_SCORES, "this test")
    costs = read_rows(folder(run) / "costs.csv", CURVE_COSTS, "this test")
    assert scores[["dataset", "model", "status", "reason"]].to_numpy().tolist() == [
        ["wines", "m", "not applicable", "m takes image data, wines is table data"]
    ]
    assert scores[["n", "test_accuracy", "n_watched"]].isna().all(axis=None)
    assert len(costs) == 1
    assert np.load(folder(run) / "correct.npy").shape == (0, 0)
    assert list((folder(run) / "largest").iterdir()) == []


def test_by_hand_the_same_is_an_error(data, tmp_path):
    run = curve(data, tmp_path, TREE | {"modalities": ["image"]})
    with pytest.raises(
        CrossoverError, match=r"m takes image data, wines is table data \(conf/model/m.yaml\)"
    ):
        run.run(not_applicable="error")


def test_a_fit_that_fails_names_its_size_and_seed(data, tmp_path):
    config = TREE | {
        "estimator": {"_target_": "sklearn.neighbors.KNeighborsClassifier", "n_neighbors": 21},
    }
    with pytest.raises(CrossoverError, match=r"wines · raw · m on 20 examples, seed 0: .*n_neighbors"):
        curve(data, tmp_path, config).run()


def test_more_repetitions_than_were_prepared_are_refused_before_any_fit(data, tmp_path):
    run = curve(data, tmp_path, plan=LearningCurve(sizes=[20], repetitions=4))
    with pytest.raises(CrossoverError, match=r"seed 3: a repetition must lie between 0 and 2"):
        run.run()
    assert not run.layout.staging.exists()


def test_arrays_are_read_once(data, tmp_path):
    run = curve(data, tmp_path)
    assert run.data.train is run.data.train
    assert run.data.test is run.data.test
    assert not isinstance(run.data.test.X, np.memmap)
    assert not isinstance(run.data.train.take(curve_subset(run.data, 20, 0).train).X, np.memmap)
    assert json.loads((Layout(data).prepared("wines") / "meta.json").read_text())["n_train"] == len(
        run.data.train
    )
