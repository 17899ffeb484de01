"""The protocol's invariants."""

import hashlib
import time
from math import ceil
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedShuffleSplit

from crossover.core.errors import CrossoverError
from crossover.data.splits import subset_order, subset_rows
from tests.data.configured import load_protocol

Y = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [200, 70, 30]))


def test_each_test_part_is_stratified():
    splits = load_protocol().splits(Y)
    assert len(splits) == 8
    assert len({tuple(split.test) for split in splits}) == 8
    for split in splits:
        assert split.test.dtype == split.train.dtype == np.int64
        assert len(split.test) == 75  # a quarter of 300
        assert (np.diff(split.test) > 0).all()  # sorted, each row once
        assert np.abs(np.bincount(Y[split.test]) - 0.25 * np.bincount(Y)).max() <= 1
        assert sorted([*split.train, *split.test]) == list(range(300))


def test_the_splits_of_digits_are_those_that_the_recorded_study_has():
    y = load_digits(return_X_y=True)[1].astype(np.int64)
    digest = hashlib.sha256()
    for split in load_protocol().splits(y):
        for rows in (split.train, split.test, split.validation, subset_order(y, seed=3)):
            digest.update(rows.tobytes())
    assert digest.hexdigest() == "4a0fa4761462f9d7906d2953a84f91f4b909b784922aa129231711c668880a2f"


def test_no_validation_row_is_ever_tested():
    splits = load_protocol().splits(Y)
    tested = set(np.concatenate([split.test for split in splits]))
    watched = set(np.concatenate([split.train[split.validation.ravel()] for split in splits]))
    assert len(tested) > 200
    assert len(watched) == 75  # the quarter that is never tested
    assert not tested & watched
    for split in splits:
        assert split.validation.shape == (32, 23)  # a tenth of 225
        assert all(len(set(rows)) == 23 for rows in split.validation)
        shares = np.bincount(Y[split.train[split.validation[0]]]) - 23 * np.array([200, 70, 30]) / 300
        assert np.abs(shares).max() <= 1


def test_each_validation_part_is_stratified():
    rows = load_protocol().validation_rows(Y)
    assert rows.dtype == np.int64
    assert rows.shape == (32, 30)
    assert (np.diff(rows, axis=1) > 0).all()
    assert rows.min() >= 0
    assert rows.max() < len(Y)
    assert all(np.bincount(Y[part]).tolist() == [20, 7, 3] for part in rows)


def test_repetitions_differ_from_each_other():
    rows = load_protocol().validation_rows(Y)
    assert len({tuple(part) for part in rows}) == 32


def test_a_repetition_is_the_same_whatever_their_number():
    few, many = (load_protocol(repetitions=n).validation_rows(Y) for n in (3, 10))
    np.testing.assert_array_equal(few, many[:3])


def test_the_seed_decides_alone():
    first, again, other = (load_protocol(split_seed=s).validation_rows(Y) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    one, same, another = (load_protocol(split_seed=s).splits(Y)[2] for s in (0, 0, 1))
    for part in ("train", "test", "validation"):
        np.testing.assert_array_equal(getattr(one, part), getattr(same, part))
        assert not np.array_equal(getattr(one, part), getattr(another, part))


def test_a_split_is_the_same_whatever_their_number():
    few, many = (load_protocol(test_parts=n).splits(Y) for n in (1, 3))
    assert (len(few), len(many)) == (1, 3)
    np.testing.assert_array_equal(few[0].test, many[0].test)
    np.testing.assert_array_equal(few[0].validation, many[0].validation)


def test_other_fractions_give_other_sizes():
    protocol = load_protocol(test_fraction=0.5, validation_fraction=0.2)
    assert len(protocol.splits(Y)[0].test) == 150
    assert protocol.validation_rows(Y).shape[1] == 60


def test_sixty_thousand_labels_take_seconds():
    y = np.random.default_rng(0).integers(0, 10, 60_000)
    start = time.process_time()
    load_protocol().validation_rows(y)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("test_fraction", 0),
        ("test_fraction", 1.0),
        ("test_parts", 0),
        ("never_tested", 1),
        ("validation_fraction", -0.1),
        ("validation_fraction", "a tenth"),
        ("validation_fraction", True),
        ("repetitions", 0),
        ("repetitions", 2.5),
        ("split_seed", -1),
        ("splitseed", 1),
    ],
)
def test_a_value_outside_its_range_is_named(key: str, value: Any):
    with pytest.raises(CrossoverError, match=key) as raised:
        load_protocol(**{key: value})
    assert "conf/protocol/default.yaml" in str(raised.value)
    assert key == "splitseed" or f"got {value!r}" in str(raised.value)


def test_a_class_with_too_few_examples_is_named():
    y = np.array([0] * 20 + [1])
    with pytest.raises(CrossoverError, match=r"never_tested.*\[20, 1\].*conf/protocol/default\.yaml"):
        load_protocol().splits(y)
    with pytest.raises(CrossoverError, match=r"validation_fraction.*\[20, 1\].*conf/protocol/default\.yaml"):
        load_protocol().validation_rows(y)


def test_more_validation_rows_than_are_never_tested():
    with pytest.raises(CrossoverError, match=r"validation_fraction.*got 0.4, which is 90 of 75 examples"):
        load_protocol(validation_fraction=0.4).splits(Y)


def test_subsets_are_stratified_and_lie_inside_each_other():
    y = np.repeat([0, 1, 2], [700, 200, 100])
    rows = {n: subset_rows(y, n, seed=3) for n in (10, 50, 333, 1000)}
    for n, chosen in rows.items():
        assert len(set(chosen)) == n
        shares = np.bincount(y[chosen], minlength=3)
        assert np.abs(shares - n * np.array([0.7, 0.2, 0.1])).max() <= 1
    for small, large in ((10, 50), (50, 333), (333, 1000)):
        assert set(rows[small]) <= set(rows[large])
    assert not np.array_equal(rows[50], subset_rows(y, 50, seed=4))
    assert np.array_equal(rows[50], subset_rows(y, 50, seed=3))


@pytest.mark.parametrize(("n", "words"), [(1001, "1,001"), (1, "lacks 2")])
def test_a_subset_that_cannot_be_is_refused(n, words):
    with pytest.raises(CrossoverError, match=words):
        subset_rows(np.repeat([0, 1, 2], [700, 200, 100]), n, seed=0)


def test_every_beginning_of_the_order_is_stratified():
    y = np.repeat([0, 1, 2], [70, 20, 10])
    order = subset_order(y, seed=3)
    assert sorted(order) == list(range(100))
    for n in range(1, 101):
        shares = np.bincount(y[order[:n]], minlength=3)
        assert np.abs(shares - n * np.array([0.7, 0.2, 0.1])).max() <= 1


def test_the_order_takes_labels_that_lack_a_class():
    assert sorted(subset_order(np.array([0, 0, 2]), seed=0)) == [0, 1, 2]
    assert len(subset_order(np.empty(0, dtype=np.int64), seed=0)) == 0


@pytest.mark.parametrize("n", [60, 61, 203])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_draws_are_those_of_scikit_learn(n: int, classes: int) -> None:
    """Also where classes tie for the example that is left over."""
    protocol = load_protocol()
    y = np.arange(n) % classes
    for k, rows in enumerate(protocol.validation_rows(y)):
        seed = np.random.SeedSequence(protocol.split_seed, spawn_key=(k,)).generate_state(1)[0]
        splitter = StratifiedShuffleSplit(
            1, test_size=ceil(round(protocol.validation_fraction * n, 6)), random_state=int(seed)
        )
        np.testing.assert_array_equal(rows, np.sort(next(splitter.split(np.empty((n, 0)), y))[1]))
