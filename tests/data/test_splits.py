"""The protocol's invariants."""

import time
from typing import Any

import numpy as np
import pytest

from crossover.core.errors import CrossoverError
from crossover.data.splits import subset_order, subset_rows
from tests.data.configured import load_protocol

Y = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [200, 70, 30]))


def test_the_test_part_is_stratified():
    rows = load_protocol().test_rows(Y)
    assert rows.dtype == np.int64
    assert len(rows) == 75  # a quarter of 300
    assert (np.diff(rows) > 0).all()  # sorted, each row once
    assert np.abs(np.bincount(Y[rows]) - 0.25 * np.bincount(Y)).max() <= 1


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
    for draw in ("test_rows", "validation_rows"):
        first, again, other = (getattr(load_protocol(split_seed=s), draw)(Y) for s in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_other_fractions_give_other_sizes():
    protocol = load_protocol(test_fraction=0.5, validation_fraction=0.2)
    assert len(protocol.test_rows(Y)) == 150
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
    with pytest.raises(CrossoverError, match=r"test_fraction.*\[20, 1\].*conf/protocol/default\.yaml"):
        load_protocol().test_rows(y)


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
