"""What a fit watches and is scored on shares no group with what it is fitted on, and is later than it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.curves import read_curves
from crossover.analysis.design import compare_resamples
from crossover.core.cell import LEARNED, Cell
from crossover.core.columns import COMPLETED
from crossover.core.errors import CrossoverError
from crossover.core.fits import Repetitions
from crossover.core.layout import Layout
from crossover.core.study import LearningCurve, Study
from crossover.data.prepared import Part
from crossover.features.raw import RawFeatures
from crossover.fitting.config import FitConfig
from crossover.fitting.curve import CurveRun
from crossover.fitting.data import TrainingData
from crossover.fitting.subsets import curve_subset, sizes_of
from crossover.fitting.training import Training
from crossover.search.plan import Plan
from crossover.search.trial import Trial
from crossover.stages.featurize import featurize
from crossover.tracking.tracker import Tracker
from tests.model_configs import STOPPING
from tests.own_table_folder import own_table, prepared_table

N = 300
TREE: dict[str, Any] = {
    "_target_": "crossover.models.classical.sklearn_model.SklearnClassifier",
    "modalities": ["table"],
    "stochastic": True,
    "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_features": 1, "max_depth": 2},
}


class Project:
    """A table of 300 rows with groups of one to a dozen rows and a time, prepared and featurized.

    Attributes:
        table: all rows.
    """

    def __init__(self, root: Path, **keys: Any) -> None:
        rng = np.random.default_rng(0)
        table = pd.DataFrame(
            {
                "row": np.arange(N),
                "a": rng.normal(size=N),
                "b": rng.normal(size=N),
                "step": rng.integers(0, 120, N),
            }
        )
        table["who"] = np.repeat(np.arange(N), np.minimum(rng.geometric(0.3, N), 12))[:N]
        table["y"] = np.where(table["a"] > 1.2, "rare", np.where(table["b"] > 0, "yes", "no"))
        self.table, self.layout = table, Layout(root)
        prepared_table(
            own_table(table, root, columns=dict.fromkeys(("row", "a", "b"), "number"), **keys),
            self.layout,
            test_parts=3,
        )
        features = {"_target_": "crossover.features.raw.RawFeatures", "modalities": ["table"]}
        featurize("own", "raw", RawFeatures(modalities=["table"]), features, self.layout, jobs=1)

    def config(self, model: dict[str, Any] = TREE) -> FitConfig:
        return FitConfig(Cell("own", "raw", "m", "classical"), model, model_origin="conf/model/m.yaml")

    def data(self, split: int = 0) -> TrainingData:
        """As a network gets them: as they are."""
        config = replace(self.config(), cell=Cell("own", LEARNED, "net", "deep"))
        return TrainingData(config, self.layout, split)

    def of(self, column: str, split: int = 0) -> np.ndarray:
        """A column in the training part of a split."""
        return self.table[column].to_numpy()[self.data(split).prepared.rows("train")]

    def curve(self, model: dict[str, Any] = TREE, **plan: Any) -> CurveRun:
        return CurveRun(self.config(model), LearningCurve(**plan), self.layout, self.layout.root)


def rows_of(part: Part) -> np.ndarray:
    """Which rows of the table they are."""
    assert isinstance(part.X, pd.DataFrame)
    return part.X["row"].to_numpy(dtype=int)


@pytest.fixture(scope="module")
def grouped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("grouped"), groups="who")


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("timed"), time="step")


def test_no_subset_shares_a_group_with_what_it_is_scored_on(grouped: Project) -> None:
    who, data = grouped.of("who"), grouped.data()
    sizes = sizes_of(data, 4)
    assert sizes[-1] == min(len(data.prepared.fitting_rows(k)) for k in range(32))
    for seed in range(5):
        subsets = [curve_subset(data, n, seed) for n in sizes]
        for n, subset in zip(sizes, subsets, strict=True):
            assert subset.n == n
            assert set(subset.watched) <= set(subset.validation)
            assert not set(who[subset.train]) & set(who[subset.validation])
            assert np.unique(data.labels[subset.train]).tolist() == [0, 1, 2]
        for small, large in pairwise(subsets):
            assert set(small.train) < set(large.train)


@pytest.mark.parametrize("split", range(3))
@pytest.mark.parametrize("examples", [None, 60])
def test_no_fit_of_a_cell_or_a_search_shares_a_group_with_its_validation_rows(
    grouped: Project, split: int, examples: int | None
) -> None:
    who, data = grouped.table["who"].to_numpy(), grouped.data(split)
    for repetition in (0, 1, 31):
        inputs, validation = data.split(repetition, examples)
        held_out = data.prepared.validation_rows(repetition)
        fitted = rows_of(inputs.train)
        assert len(fitted) == (examples or len(data.prepared.fitting_rows(repetition)))
        assert not set(who[fitted]) & set(who[rows_of(validation)])
        np.testing.assert_array_equal(rows_of(validation), data.prepared.rows("train")[held_out])


def test_a_curve_and_a_cell_are_fitted_and_scored_with_groups(grouped: Project) -> None:
    scores = grouped.curve(STOPPING, sizes=[40, 100], repetitions=3).run()
    assert scores["n"].nunique() == 3
    assert set(scores["n_validation"]) == {len(grouped.data().prepared.validation_rows(0))}
    fits = Training(grouped.config(STOPPING), grouped.layout, grouped.layout.root, Tracker()).run([0, 1, 2])
    lengths = [len(grouped.data(k).labels) for k in range(3)]
    assert [fit.record.n_train for fit in fits] == lengths
    scored = Repetitions.read(grouped.layout.models(grouped.config().cell))
    of_validation = scored.validation(grouped.layout.models(grouped.config().cell))
    assert [one.n_train for one in of_validation] == [
        len(grouped.data(k).prepared.fitting_rows(k)) for k in range(3)
    ]


def test_a_fit_with_groups_is_no_fit_without(grouped: Project, timed: Project) -> None:
    """Although the file, and with it the checksum of the data, is the same."""
    ids = {
        Training(one.config(), one.layout, one.layout.root, Tracker()).fit_id(0) for one in (grouped, timed)
    }
    assert grouped.data().meta.checksum == timed.data().meta.checksum
    assert len(ids) == 2


def test_a_smaller_subset_is_the_latest_before_the_validation_rows(timed: Project) -> None:
    when, data = timed.of("step"), timed.data()
    sizes = sizes_of(data, 4)
    assert len(sizes) == 4
    for seed in range(3):
        subsets = [curve_subset(data, n, seed) for n in sizes]
        for subset in subsets:
            left_out = np.setdiff1d(data.prepared.fitting_rows(seed), subset.train)
            assert len(left_out) == 0 or when[left_out].max() <= when[subset.train].min()
            assert when[subset.train].max() < when[subset.validation].min()
            assert set(subset.watched) <= set(subset.validation)
            np.testing.assert_array_equal(subset.train, curve_subset(data, subset.n, 0).train)
        for small, large in pairwise(subsets):
            assert set(small.train) < set(large.train)
    inputs, _ = data.split(0, 50)
    of_curve = data.prepared.rows("train")[curve_subset(data, 50, 0).train]
    np.testing.assert_array_equal(rows_of(inputs.train), of_curve)


def test_sizes_begin_where_the_latest_examples_have_each_class(tmp_path: Path) -> None:
    project = Project(tmp_path, time="step")
    data = project.data()
    rest = data.prepared.fitting_rows(0)
    latest = rest[np.argsort(-project.of("step")[rest], kind="stable")]
    data.labels[latest[:80]] = np.where(data.labels[latest[:80]] == 1, 0, data.labels[latest[:80]])
    for n in sizes_of(data, 6):
        assert n > 80
        assert np.unique(data.labels[curve_subset(data, n, 0).train]).tolist() == [0, 1, 2]
    with pytest.raises(
        CrossoverError, match=r"learning_curve\.sizes: a subset must hold .* lacks 1 of the classes"
    ):
        sizes_of(data, [40])


def test_by_time_repetitions_are_no_other_splits(timed: Project) -> None:
    cells = [Cell("own", "raw", "m", "classical")]
    timed.curve(sizes=[60], repetitions=2).run()
    study = Study.model_construct(
        datasets=["own"],
        feature_sets=["raw"],
        learning_curve=LearningCurve(sizes=[60], repetitions=2, classical_models=["m"], feature_sets=["raw"]),
    )
    curves = read_curves(study, timed.layout, "own")
    assert curves is not None
    assert [curve.cell for curve in curves.curves] == cells
    assert curves.same_rows
    network = replace(curves.curves[0], cell=Cell("own", LEARNED, "net", "deep"))
    both = replace(curves, curves=[*curves.curves, network])
    assert compare_resamples(both) is None
    assert compare_resamples(replace(both, same_rows=False)) is not None


@pytest.mark.parametrize(("model", "seeds"), [(STOPPING, [0]), (TREE, [0, 1, 2])])
def test_by_time_a_model_without_randomness_is_fitted_once(
    timed: Project, model: dict[str, Any], seeds: list[int]
) -> None:
    config = timed.config(model)
    Training(config, timed.layout, timed.layout.root, Tracker()).run([0, 1, 2])
    folder = timed.layout.models(config.cell)
    record = Repetitions.read(folder)
    assert record.seeds == seeds
    assert [one.seed for one in record.validation(folder)] == [0]


def test_by_time_a_trial_is_one_fit(timed: Project, tmp_path: Path) -> None:
    plan = Plan(
        objectives=["accuracy"],  # type: ignore[arg-type]
        examples=60,
        min_validation_examples=1000,
        max_repetitions=3,
        pruner={"_target_": "optuna.pruners.NopPruner"},
    )
    assert plan.repetitions(timed.data().prepared) == [31]
    result = Trial(
        timed.config(),
        TrainingData(timed.config(), timed.layout),
        plan,
        tmp_path,
        lambda *_: False,
        lambda *_: None,
    ).run()
    assert (result.state, len(result.accuracies)) == (COMPLETED, 1)
