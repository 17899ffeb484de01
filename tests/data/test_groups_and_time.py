"""Splits that must not leak: groups stay together, and time goes forward."""

import time

import numpy as np
import pytest

from crossover.core.errors import CrossoverError
from crossover.data.splits import Split, fitting_rows, subset_order, subset_rows
from tests.data.configured import load_protocol

RARE = [0.7, 0.25, 0.05]


def made_up(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of three classes, one of them rare, and the groups of some hundred examples."""
    rng = np.random.default_rng(seed)
    if kind == "mixed":  # each group has all classes
        return rng.choice(3, 600, p=RARE), rng.integers(0, 50, 600)
    sizes = np.minimum(rng.geometric(0.1, 80), 40)
    groups = np.repeat(np.arange(80), sizes)
    if kind == "ragged":
        return rng.choice(3, len(groups), p=RARE), groups
    if kind == "pure":  # each group has one class, and four groups have the rare one
        return np.where(groups % 20 == 0, 2, groups % 2), groups
    assert kind == "nearly alone"
    return rng.choice(3, 500, p=RARE), rng.integers(0, 900, 500)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["mixed", "ragged", "pure", "nearly alone"])
def test_no_group_is_on_two_sides(kind: str, seed: int) -> None:
    y, groups = made_up(kind, seed)
    splits = load_protocol(split_seed=seed).splits(y, groups)
    tested = np.unique(np.concatenate([groups[split.test] for split in splits]))
    for split in splits:
        assert len(split.test) == np.ceil(round(0.25 * len(y), 6))
        assert not np.intersect1d(groups[split.train], groups[split.test]).size
        assert len(split.train) > 0.6 * len(y)
        of_train, labels = groups[split.train], y[split.train]
        for validation in split.validation:
            fitted = fitting_rows(len(split.train), validation, of_train)
            assert not np.intersect1d(of_train[fitted], of_train[validation]).size
            assert not np.intersect1d(of_train[validation], tested).size
            assert len(fitted) > 0.8 * len(split.train)
            for side in (labels[fitted], labels[validation], y[split.test]):
                assert np.unique(side).tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["ragged", "nearly alone"])
def test_each_class_keeps_its_share_nearly(kind: str) -> None:
    y, groups = made_up(kind, 0)
    shares = np.bincount(y) / len(y)
    for split in load_protocol().splits(y, groups):
        assert np.abs(np.bincount(y[split.test]) / len(split.test) - shares).max() < 0.03


def test_groups_of_one_example_are_drawn_as_examples_are() -> None:
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(3), [200, 70, 30]))
    for split in load_protocol().splits(y, np.arange(300)):
        assert sorted([*split.train, *split.test]) == list(range(300))
        assert np.abs(np.bincount(y[split.test]) - 0.25 * np.bincount(y)).max() <= 1


def test_the_seed_alone_decides_and_not_the_number_of_parts() -> None:
    y, groups = made_up("ragged", 0)
    three, again, one, other = (
        load_protocol(test_parts=n, split_seed=seed).splits(y, groups)[0]
        for n, seed in ((3, 0), (3, 0), (1, 0), (3, 1))
    )
    for name in ("train", "test", "validation"):
        np.testing.assert_array_equal(getattr(three, name), getattr(again, name))
        np.testing.assert_array_equal(getattr(three, name), getattr(one, name))
    assert not np.array_equal(three.test, other.test)


def test_the_names_of_the_groups_do_not_matter_but_their_order() -> None:
    y, groups = made_up("ragged", 0)
    one, other = (load_protocol().splits(y, names)[0] for names in (groups, 7 * groups + 100))
    np.testing.assert_array_equal(one.test, other.test)


def test_validation_rows_of_a_publishers_training_part_keep_groups_together() -> None:
    y, groups = made_up("ragged", 1)
    rows = load_protocol().validation_rows(y, groups=groups)
    assert rows.shape == (32, np.ceil(0.1 * len(y)))
    assert len({tuple(one) for one in rows}) == 32
    for one in rows:
        fitted = fitting_rows(len(y), one, groups)
        assert not np.intersect1d(groups[fitted], groups[one]).size


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (
            np.zeros(300, int),
            "each class must be in enough groups .*, got 1 of class number 0 where never_tested",
        ),
        (np.arange(300) % 2, "got 1 of class number 0 where never_tested takes 3"),  # a group for each class
        (
            np.maximum(np.arange(300), 270),
            r"groups must be small and many enough .*, the largest of 271 examples",
        ),
    ],
)
def test_too_few_groups_or_too_large_ones_are_one_sentence(groups: np.ndarray, words: str) -> None:
    with pytest.raises(CrossoverError, match=words):
        load_protocol().splits(np.arange(300) % 2, groups)


def test_sixty_thousand_groups_take_seconds() -> None:
    rng = np.random.default_rng(0)
    start = time.process_time()
    load_protocol(test_parts=1).splits(rng.integers(0, 10, 60_000), rng.integers(0, 55_000, 60_000))
    assert time.process_time() - start < 5


def by_time(y: np.ndarray, times: np.ndarray, groups: np.ndarray | None = None) -> Split:
    (split,) = load_protocol().splits(y, groups, times)
    return split


@pytest.mark.parametrize("seed", range(3))
def test_time_never_goes_backwards(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, times = (
        rng.choice(3, 600, p=[0.6, 0.3, 0.1]),
        rng.integers(0, 200, 600).astype(float),
    )  # many are equal
    split = by_time(y, times)
    assert sorted([*split.train, *split.test]) == list(range(600))
    assert times[split.train].max() < times[split.test].min()
    assert abs(len(split.test) - 150) <= 5
    assert (split.validation == split.validation[0]).all()
    validation = split.train[split.validation[0]]
    rest = split.train[fitting_rows(len(split.train), split.validation[0])]
    assert times[rest].max() < times[validation].min()
    assert abs(len(validation) - 45) <= 5
    for n in (40, 100, 300):
        smaller = subset_rows(y[rest], n, seed, times[rest])
        left_out = np.setdiff1d(np.arange(len(rest)), smaller)
        assert times[rest][left_out].max() <= times[rest][smaller].min()
        assert set(smaller) <= set(subset_rows(y[rest], n + 20, seed + 1, times[rest]))
    assert subset_order(y[rest], 0, times[rest])[0] == np.flatnonzero(times[rest] == times[rest].max())[-1]


def test_a_group_that_is_tested_later_is_not_trained_on() -> None:
    rng = np.random.default_rng(0)
    y, times, groups = rng.integers(0, 2, 600), np.arange(600.0), rng.integers(0, 2000, 600)
    split = by_time(y, times, groups)
    assert times[split.train].max() < times[split.test].min()
    assert not np.intersect1d(groups[split.train], groups[split.test]).size
    of_train = groups[split.train]
    fitted = fitting_rows(len(split.train), split.validation[0], of_train)
    assert not np.intersect1d(of_train[fitted], of_train[split.validation[0]]).size
    assert 300 < len(fitted) < 400


@pytest.mark.parametrize(
    ("y", "times", "words"),
    [
        (np.arange(100) % 2, np.ones(100), "times must differ, .* got the same one in all 100 rows"),
        (
            np.repeat([0, 1], 50),
            np.arange(100.0),
            "test_fraction must leave each class .* without class number 0",
        ),
        (
            np.repeat([1, 0, 1], [67, 8, 25]),
            np.arange(100.0)[::-1],
            "test_fraction must leave .* class number 0",
        ),
        (
            np.repeat([1, 0, 1, 0], [60, 5, 15, 20]),
            np.arange(100.0),
            "validation_fraction must leave .* number 0",
        ),
    ],
)
def test_times_that_cannot_divide_the_examples_are_one_sentence(
    y: np.ndarray, times: np.ndarray, words: str
) -> None:
    with pytest.raises(CrossoverError, match=words):
        by_time(y, times)


def test_groups_that_leave_nothing_to_train_on_are_one_sentence() -> None:
    with pytest.raises(CrossoverError, match="groups must leave each class in the training part"):
        by_time(np.arange(100) % 2, np.arange(100.0), np.arange(100) % 10)
