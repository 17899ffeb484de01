"""Fitting a cell: whole or not at all, repeatable, carried on after a break."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.core.cell import Cell
from crossover.core.configuration import build, load_fitted
from crossover.core.errors import CrossoverError
from crossover.core.fits import Fit, Repetitions, ValidationScores
from crossover.core.layout import Layout
from crossover.data.prepared import Meta, Part
from crossover.features.raw import RawFeatures
from crossover.fitting import engine
from crossover.fitting.config import FitConfig
from crossover.fitting.training import Training, repetitions
from crossover.stages.featurize import featurize
from crossover.tracking.tracker import FitFacts, Log, Tracker
from tests.model_configs import NETWORK, STOPPING
from tests.prepared_folder import write_one_split

TREE: dict[str, Any] = {
    "_target_": "crossover.models.classical.sklearn_model.SklearnClassifier",
    "modalities": ["table"],
    "stochastic": True,
    "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_features": 1, "max_depth": 2},
}
NEIGHBOUR = TREE | {
    "stochastic": False,
    "estimator": {"_target_": "sklearn.neighbors.KNeighborsClassifier", "n_neighbors": 1},
}

TOY = Cell("toy", "raw", "tree", "classical")


class Counting(Tracker):
    """Remembers which repetitions were fitted; breaks one off, as a kill would."""

    def __init__(self, breaks_at: int | None = None):
        self.seeds: list[int] = []
        self.breaks_at = breaks_at

    @contextmanager
    def fit(self, facts: FitFacts, *, resume: bool = False) -> Iterator[Log]:
        if facts.seed == self.breaks_at:
            raise KeyboardInterrupt
        self.seeds.append(facts.seed)
        yield Log()


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A prepared and featurized table of two separable classes."""
    layout = Layout(tmp_path)
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    table = pd.DataFrame({"a": y + rng.normal(0, 0.4, 60), "b": rng.normal(size=60)})
    part = Part(table, y, 2)
    meta = Meta("toy", "table", ["no", "yes"], [2], 1.0, 60, 60, "made for a test", "checksum")
    validation = np.stack([np.sort(np.random.default_rng(k).choice(60, 6, replace=False)) for k in range(4)])
    layout.prepared("toy").mkdir(parents=True)
    write_one_split(layout.prepared("toy"), meta, part, part, validation)
    config = {"_target_": "crossover.features.raw.RawFeatures", "modalities": ["table"]}
    featurize("toy", "raw", RawFeatures(modalities=["table"]), config, layout, jobs=1)
    return layout


def training(layout: Layout, config: dict, tracker: Tracker | None = None, **changes: Any) -> Training:
    cell = FitConfig(replace(TOY, **changes), config, model_origin="conf/model/tree.yaml")
    return Training(cell, layout, layout.root, tracker or Counting())


def repetitions_of(layout: Layout) -> Repetitions:
    return Repetitions.read(layout.models(TOY))


def fits_of(layout: Layout) -> list[Fit]:
    return repetitions_of(layout).fits(layout.models(TOY))


def predictions(layout: Layout) -> list[np.ndarray]:
    X = np.load(layout.features("toy", "raw") / "test" / "0" / "X.npy")
    return [load_fitted(fit.model_folder, "dvc repro").predict_proba(X) for fit in fits_of(layout)]


def test_each_repetition_is_fitted_and_recorded(layout):
    fits = training(layout, TREE).run([0, 1, 2])
    assert repetitions_of(layout).stochastic
    assert repetitions_of(layout).seeds == [0, 1, 2]
    assert [fit.record.n_train for fit in fits] == [60, 60, 60]  # no validation part: the whole training part
    assert len({fit.record.fit_id for fit in fits}) == 3
    assert all(fit.costs.fit_seconds > 0 and fit.costs.peak_memory_bytes > 10**6 for fit in fits)
    assert all((fit.costs.fit_memory_bytes or 0) < fit.costs.peak_memory_bytes for fit in fits)


def test_a_model_without_randomness_is_fitted_once(layout):
    tracker = Counting()
    training(layout, NEIGHBOUR, tracker).run([0, 1, 2])
    record = repetitions_of(layout)
    assert tracker.seeds == record.seeds == [0]
    assert not record.stochastic


def test_same_seed_same_predictions_other_seed_others(layout):
    training(layout, TREE).run([0, 1, 2])
    first = predictions(layout)
    training(layout, TREE).run([0, 1, 2])
    assert all(np.array_equal(a, b) for a, b in zip(first, predictions(layout), strict=True))
    assert not all(np.array_equal(first[0], other) for other in first[1:])


def test_a_run_that_breaks_off_leaves_no_cell_and_the_next_carries_on(layout):
    broken, after = Counting(breaks_at=2), Counting()
    with pytest.raises(KeyboardInterrupt):
        training(layout, TREE, broken).run([0, 1, 2])
    assert not layout.models(TOY).exists()
    training(layout, TREE, after).run([0, 1, 2])
    assert (broken.seeds, after.seeds) == ([0, 1], [2])
    assert repetitions_of(layout).seeds == [0, 1, 2]
    assert not list((layout.staging / "fits").iterdir())


def test_a_changed_configuration_takes_nothing_over(layout):
    with pytest.raises(KeyboardInterrupt):
        training(layout, TREE, Counting(breaks_at=1)).run([0, 1])
    deeper = TREE | {"estimator": TREE["estimator"] | {"max_depth": 1}}
    after = Counting()
    training(layout, deeper, after).run([0, 1])
    assert after.seeds == [0, 1]


def test_a_cell_that_does_not_apply_is_a_row_with_its_reason(layout):
    fits = training(layout, TREE | {"modalities": ["image"]}).run([0])
    assert fits == fits_of(layout) == []
    assert repetitions_of(layout).status == "not applicable"
    assert repetitions_of(layout).reason == "tree takes image data, toy is table data"


def test_by_hand_the_same_is_an_error(layout):
    with pytest.raises(
        CrossoverError, match=r"tree takes image data, toy is table data \(conf/model/tree.yaml\)"
    ):
        training(layout, TREE | {"modalities": ["image"]}).run([0], not_applicable="error")


@pytest.mark.parametrize("value", [["imgae"], [], "table", None])
def test_a_modality_that_does_not_exist_is_an_error(layout, value):
    """It would leave the cell out as one that does not apply."""
    with pytest.raises(
        CrossoverError, match=r"modalities must .*image, table and text.* got .* \(conf/model/tree.yaml\)"
    ) as error:
        training(layout, TREE | {"modalities": value}).run([0])
    assert repr(value) in str(error.value)


def test_the_other_family_is_sent_to_its_own_stage(layout):
    with pytest.raises(CrossoverError, match=r"train_classical\.py"):
        training(layout, TREE, family="deep").run([0])


@pytest.mark.parametrize(("seed", "seeds", "expected"), [(3, None, [3]), (0, 2, [0, 1]), (7, 1, [0])])
def test_repetitions(seed, seeds, expected):
    assert repetitions(seed, seeds) == expected


@pytest.mark.parametrize(("seed", "seeds"), [(-1, None), (0, 0), (0, True), ("1", None)])
def test_a_repetition_that_cannot_be_is_named(seed, seeds):
    with pytest.raises(CrossoverError, match=r"seeds? must be a whole number"):
        repetitions(seed, seeds)


def validation_of(layout: Layout) -> list[ValidationScores]:
    return repetitions_of(layout).validation(layout.models(TOY))


@pytest.mark.parametrize("config", [TREE, NEIGHBOUR])
def test_every_repetition_is_validated_by_a_fit_without_its_validation_rows(layout, config):
    """A model that is fitted once is validated as often as the others, so that the best is chosen in pairs."""
    run = training(layout, config)
    run.run([0, 1, 2])
    scores = validation_of(layout)
    assert [(one.seed, one.n_train, one.n_validation) for one in scores] == [(k, 54, 6) for k in range(3)]
    train, part = run.data.prepared.train(), run.data.prepared
    for one in scores:
        held_out = part.validation_rows(one.seed)
        X = RawFeatures(modalities=["table"]).fit(train.without(held_out))
        estimator = build(config["estimator"], "this test")
        if config["stochastic"]:
            estimator.set_params(random_state=one.seed)
        rest, val = train.without(held_out), train.take(held_out)
        estimator.fit(X.transform(rest.X), rest.y)
        assert one.metrics["accuracy"] == estimator.score(X.transform(val.X), val.y)
    mean = float(np.mean([one.metrics["accuracy"] for one in scores]))
    assert run.validation_score() == pytest.approx(mean)  # what a sweeper maximises


def test_so_many_repetitions_are_validated_as_hold_enough_examples(layout, monkeypatch):
    monkeypatch.setattr("crossover.fitting.training.VALIDATION_EXAMPLES", 7)  # six in a repetition
    training(layout, TREE).run([0, 1, 2])
    assert [one.seed for one in validation_of(layout)] == [0, 1]


def test_both_families_keep_a_model_of_all_rows(layout):
    for config, watched in ((TREE, 0), (NETWORK, 0), (STOPPING, 6)):
        family = "deep" if config is NETWORK else "classical"
        features = "learned" if family == "deep" else "raw"
        run = training(layout, config, family=family, features=features)
        (fit,) = run.run([0])
        assert (fit.record.n_train, fit.record.n_watched) == (60, watched)
        folder = layout.models(run.config.cell)
        (scores,) = Repetitions.read(folder).validation(folder)
        assert (scores.n_train, scores.n_validation) == (54, 6)


def stopping_by_hand(layout: Layout, seed: int) -> tuple[int, np.ndarray]:
    """The number of rounds that the validation rows choose, and what so many rounds on all rows predict."""
    data = training(layout, STOPPING).data
    inputs, val = data.split(seed)
    train = inputs.train
    rounds = build(STOPPING, "this test").fit(train, val, seed=seed).chosen()["n_estimators"]
    config = STOPPING | {"n_estimators": rounds, "early_stopping_rounds": None}
    return rounds, build(config, "this test").fit(data.train, None, seed=seed).predict_proba(data.test.X)


def test_the_validation_rows_choose_the_length_and_all_rows_are_fitted_on(layout):
    fits = training(layout, STOPPING).run([0, 1, 2])
    for fit, found in zip(fits, predictions(layout), strict=True):
        rounds, expected = stopping_by_hand(layout, fit.seed)
        assert fit.config["n_estimators"] == rounds
        np.testing.assert_array_equal(found, expected)
        assert max(entry["epoch"] for entry in fit.history) >= rounds - 1  # of the fit that chose
    assert len({fit.record.fit_id for fit in fits}) == 3


def test_both_fits_are_paid_for(layout, monkeypatch):
    one = training(layout, STOPPING | {"early_stopping_rounds": None}).run([0])[0].costs
    costs = replace(
        one, fit_seconds=2.0, waiting_share=0.1, fit_memory_bytes=10, fit_energy_j=3.0, fits_timed=4
    )
    first = replace(
        one, fit_seconds=5.0, waiting_share=0.2, fit_memory_bytes=7, fit_energy_j=None, fits_timed=1
    )
    both = costs.after(first)
    assert (both.fit_seconds, both.fit_energy_j, both.fits_timed) == (7.0, None, 1)
    assert (both.waiting_share, both.fit_memory_bytes) == (0.2, 10)
    taken = iter([first, costs])
    fitted = engine.fit
    monkeypatch.setattr(engine, "fit", lambda *args, **options: (fitted(*args, **options)[0], next(taken)))
    assert training(layout, STOPPING).run([0])[0].costs.fit_seconds == 7.0


def test_a_kill_between_the_two_fits_loses_none(layout, monkeypatch):
    fitted, rows = engine.fit, []

    def counted(config, train, *args, **options):
        rows.append(len(train))
        if len(rows) == 2:
            raise KeyboardInterrupt
        return fitted(config, train, *args, **options)

    monkeypatch.setattr(engine, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        training(layout, STOPPING).run([0])
    training(layout, STOPPING).run([0])
    assert rows == [54, 60, 60]
    np.testing.assert_array_equal(predictions(layout)[0], stopping_by_hand(layout, 0)[1])
    assert not list((layout.staging / "fits").iterdir())


def test_the_epochs_of_a_network_say_how_it_does_on_the_validation_rows(layout):
    (fit,) = training(layout, NETWORK, family="deep", features="learned").run([0])
    names = ["epoch", "train/accuracy", "train/loss", "val/accuracy", "val/loss"]
    assert [sorted(entry) for entry in fit.history] == [names]


def test_a_short_fit_is_timed_again_and_the_model_stays_the_same(layout):
    (once,) = training(layout, TREE).run([0])
    assert once.costs.fits_timed == 1
    expected = predictions(layout)
    (fit,) = replace(training(layout, TREE), clock_seconds=0.05).run([0])
    assert 1 < fit.costs.fits_timed <= 20
    assert fit.costs.fit_seconds_low <= fit.costs.fit_seconds <= fit.costs.fit_seconds_high
    assert fit.costs.fit_seconds_low < fit.costs.fit_seconds_high
    np.testing.assert_array_equal(predictions(layout), expected)


def test_the_features_are_in_the_memory_of_a_fit(layout):
    """60 rows of two columns, float32; a network makes its own while the clock runs."""
    (fit,) = training(layout, TREE).run([0])
    assert fit.costs.fit_memory_bytes is None or fit.costs.fit_memory_bytes >= 60 * 2 * 4
