"""What an archive of NumPy arrays is taken for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.command.arrays import describe_arrays
from crossover.command.description import Description, Options
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.data.source import DataSource, RawData

Describe = Callable[..., Description]
Y = np.tile([3, 10], 20)


@pytest.fixture
def describe(tmp_path: Path) -> Describe:
    """Writes an archive and describes it."""

    def of(options: dict[str, Any] | None = None, **arrays: Any) -> Description:
        np.savez(tmp_path / "some.npz", **arrays)
        path = tmp_path / "some.npz"
        return describe_arrays(path, Options("some", **(options or {})), path.as_posix())

    return of


def load(found: Description, folder: Path) -> RawData:
    source = build(found.yaml, "conf/dataset/some.yaml", DataSource)
    raw = folder / "raw"
    raw.mkdir(exist_ok=True)
    source.download(raw)
    return source.load(raw)


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_images(channels: int | None, describe: Describe, tmp_path: Path) -> None:
    X = np.random.default_rng(0).integers(
        0, 255, (40, 8, 9, *([channels] if channels else [])), dtype=np.uint8
    )
    found = describe(X=X, y=Y)
    assert (found.modality, found.channels, found.n_columns) == ("image", channels or 1, 72 * (channels or 1))
    assert found.yaml["classes"] == ["3", "10"]
    part = load(found, tmp_path).train
    np.testing.assert_array_equal(part.X, X.reshape(40, 8, 9, channels or 1))
    assert part.y.tolist() == [0, 1] * 20


def test_numbers_with_a_test_part(describe: Describe, tmp_path: Path) -> None:
    X = np.arange(80).reshape(40, 2)
    found = describe(X=X, y=Y, X_test=X[:4], y_test=Y[:4])
    assert (found.modality, found.has_test, found.counts) == ("table", True, [20, 20])
    raw = load(found, tmp_path)
    assert isinstance(raw.train.X, pd.DataFrame)
    assert raw.train.X.columns.tolist() == ["x0", "x1"]
    assert raw.test is not None
    assert len(raw.test) == 4


def test_texts_and_equal_ones_in_one_part(describe: Describe, tmp_path: Path) -> None:
    X = np.array(["one two", "three"] * 20)
    found = describe({"groups": "auto", "sample": 30}, X=X, y=Y.astype(str))
    assert (found.modality, found.n_train) == ("text", 30)
    raw = load(found, tmp_path)
    assert raw.train.X.dtype == object
    assert len(raw.train) == 30
    assert raw.groups is not None
    assert len(set(raw.groups.tolist())) == 2


NUMBERS = np.zeros((40, 2))


@pytest.mark.parametrize(
    ("arrays", "options", "words"),
    [
        ({"X": NUMBERS}, {}, "must hold the arrays X, y, got X"),
        (
            {"X": NUMBERS, "y": Y, "X_test": NUMBERS},
            {},
            "must hold the arrays X, y, X_test, y_test, got X, y, X_test",
        ),
        ({"X": NUMBERS, "y": Y[:3]}, {}, r"a label in y for each example of X, got \(3,\) and \(40, 2\)"),
        (
            {"X": NUMBERS, "y": Y, "X_test": np.zeros((2, 3)), "y_test": Y[:2]},
            {},
            "the same kind of examples",
        ),
        ({"X": NUMBERS + np.inf, "y": Y}, {}, "got infinity in X"),
        ({"X": NUMBERS, "y": np.append(Y[1:], np.nan)}, {}, "each example must have a label, got 1 in y"),
        ({"X": NUMBERS, "y": np.zeros(40)}, {}, "y must have between 2 and 100 classes, got 1"),
        ({"X": NUMBERS, "y": np.arange(400.0)[:40] / 7, "z": Y}, {"target": "y"}, "no columns, got --target"),
        ({"X": np.zeros((40, 8, 8)), "y": Y}, {}, r"X must hold images uint8 .*got float64 \(40, 8, 8\)"),
        ({"X": np.zeros((40, 8, 8, 2), np.uint8), "y": Y}, {}, r"X must hold images .*\(40, 8, 8, 2\)"),
        ({"X": NUMBERS, "y": np.array([None] * 40)}, {}, "an archive of arrays without objects"),
        ({"X": NUMBERS, "y": Y}, {"groups": "x"}, "leave --drop and --groups out"),
    ],
)
def test_a_mistake_is_one_sentence(
    arrays: dict[str, Any], options: dict[str, Any], words: str, describe: Describe
) -> None:
    with pytest.raises(CrossoverError, match=words):
        describe(options, **arrays)


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    path = tmp_path / "some.npz"
    for content in (b"", b"no archive"):
        path.write_bytes(content)
        with pytest.raises(CrossoverError, match="must be an archive of arrays"):
            describe_arrays(path, Options("some"), path.as_posix())
