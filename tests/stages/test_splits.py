"""A data set without a publisher's test part, from preparation to verdict: each repetition has its own parts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.design import compare_splits
from crossover.analysis.resampled import corrected_t
from crossover.analysis.results import read_results
from crossover.analysis.verdict import judge
from crossover.core.cell import LEARNED, Cell
from crossover.core.configuration import build, load_fitted
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import Study
from crossover.data.prepared import Prepared
from crossover.features.base import Features
from crossover.fitting.config import FitConfig
from crossover.fitting.training import Training
from crossover.report.templating import render
from crossover.stages.download import download
from crossover.stages.evaluate import evaluate_dataset
from crossover.stages.featurize import featurize
from crossover.stages.prepare import prepare
from crossover.tracking.tracker import Tracker
from tests.data.configured import load_protocol, load_source
from tests.model_configs import NETWORK
from tests.own_table_folder import own_table, prepared_table

RAW = {"_target_": "crossover.features.raw.RawFeatures", "modalities": ["table"]}
NEIGHBOUR: dict[str, Any] = {
    "_target_": "crossover.models.classical.sklearn_model.SklearnClassifier",
    "modalities": ["table"],
    "stochastic": False,
    "estimator": {"_target_": "sklearn.neighbors.KNeighborsClassifier", "n_neighbors": 1},
}
CELLS = {
    Cell("wine", "raw", "neighbour", "classical"): NEIGHBOUR,
    Cell("wine", LEARNED, "net", "deep"): NETWORK,
}
STUDY = Study.model_construct(
    datasets=["wine"], feature_sets=["raw"], classical_models=["neighbour"], deep_models=["net"], seeds=3
)


def train(layout: Layout, cell: Cell, seeds: list[int]) -> None:
    trainer = {"_target_": "crossover.models.deep.trainer.TrainerConfig", "accelerator": "cpu"}
    config = FitConfig(
        cell,
        NETWORK if cell.family == "deep" else NEIGHBOUR,
        trainer=trainer if cell.family == "deep" else None,
        model_origin=f"conf/model/{cell.model}.yaml",
    )
    Training(config, layout, layout.root, Tracker()).run(seeds)


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    layout = Layout(tmp_path_factory.mktemp("wine"))
    source = load_source("wine")
    download(source, layout)
    prepare(source, load_protocol(test_parts=3), layout)
    featurize("wine", "raw", build(RAW, "conf/features/raw.yaml"), RAW, layout, jobs=1)
    for cell in CELLS:
        train(layout, cell, [0, 1, 2])
    evaluate_dataset("wine", STUDY, layout)
    return layout


def test_a_model_is_scored_on_the_part_that_it_was_not_fitted_on(layout: Layout) -> None:
    cell = next(iter(CELLS))
    predictions = layout.results("wine") / "predictions"
    for seed in range(3):  # although the model draws no random numbers
        parts = Features(layout.features("wine", "raw"), seed), Prepared(layout.prepared("wine"), seed)
        model = load_fitted(layout.models(cell) / f"seed_{seed}" / "model", "dvc repro")
        found = {part: model.predict_proba(parts[0].matrix(part)) for part in ("train", "test")}
        np.testing.assert_array_equal(np.load(predictions / f"{cell.name}-seed{seed}.npy"), found["test"])
        # A nearest neighbour knows each example that it has seen.
        assert (found["train"].argmax(1) == parts[1].labels("train")).all()
        np.testing.assert_array_equal(np.load(predictions / "y_true.npy")[seed], parts[1].labels("test"))


def test_the_verdict_holds_other_training_examples(layout: Layout) -> None:
    results = read_results(STUDY, layout, "wine")
    assert (results.splits, results.test_overlap) == (3, pytest.approx(45 / 133.5))
    verdict = judge(results, equivalence=0.005)
    assert verdict is not None
    assert verdict.splits == 3
    differences = np.subtract(*(cell.correct.mean(axis=1) for cell in (verdict.deep, verdict.classical)))
    overlap = 45 / 133.5
    test = corrected_t(differences, n_train=133, n_test=45, overlap=overlap)
    width = test.interval.high - test.interval.low
    assert verdict.interval.low == pytest.approx(test.interval.low, abs=0.05 * width)  # 10,000 draws
    assert verdict.interval.high == pytest.approx(test.interval.high, abs=0.05 * width)
    resampled = compare_splits(results)
    assert resampled is not None
    np.testing.assert_array_equal(resampled.differences, differences)
    assert resampled.t.interval == test.interval
    text = render("verdict", verdict=verdict, tiers={}, caveat="", curves=None)
    assert "in these fits" not in text
    assert "Each of the 3 repetitions has a training and a test part of its own" in text


def test_no_choice_saw_a_tested_example(layout: Layout) -> None:
    splits = [Prepared(layout.prepared("wine"), k) for k in range(3)]
    tested = np.unique(np.concatenate([split.rows("test") for split in splits]))
    for k, split in enumerate(splits):
        assert not np.isin(split.rows("train")[split.validation_rows(k)], tested).any()
    validation = read_results(STUDY, layout, "wine").cells[0].validation
    watched = {row for k, split in enumerate(splits) for row in split.rows("train")[split.validation_rows(k)]}
    assert set(validation["n_distinct"]) == {len(watched)}


def test_more_repetitions_than_test_parts(layout: Layout) -> None:
    with pytest.raises(CrossoverError, match=r"4 repetitions of wine, which has 3 parts; raise `test_parts`"):
        evaluate_dataset("wine", STUDY.model_copy(update={"seeds": 4}), layout)


@pytest.mark.parametrize("how", [{"groups": "who"}, {"time": "step"}, {"groups": "auto", "time": "step"}])
def test_cells_of_grouped_and_of_timed_examples_are_compared(how: dict[str, Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"a": rng.normal(size=240), "who": np.sort(rng.integers(0, 60, 240)), "step": range(240)}
    )
    table["y"] = np.where(table["a"] + rng.normal(size=240) > 0, "yes", "no")
    layout = Layout(tmp_path)
    prepared = prepared_table(
        own_table(table, tmp_path, columns={"a": "number"}, **how), layout, test_parts=3
    )
    featurize("own", "raw", build(RAW, "conf/features/raw.yaml"), RAW, layout, jobs=1)
    study = STUDY.model_copy(update={"datasets": ["own"]})
    for cell in CELLS:
        train(layout, replace(cell, dataset="own"), [0, 1, 2])
    evaluate_dataset("own", study, layout)
    results = read_results(study, layout, "own")
    assert results.splits == (1 if "time" in how else 3)
    assert results.test_overlap == prepared.meta.test_overlap
    verdict = judge(results, equivalence=0.005)
    assert verdict is not None
    assert verdict.splits == results.splits
    assert (compare_splits(results) is None) == ("time" in how)
    text = render("verdict", verdict=verdict, tiers={}, caveat="", curves=None)
    assert ("All repetitions have the same training part" in text) == ("time" in how)
