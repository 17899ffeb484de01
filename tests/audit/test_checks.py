"""Each check finds what was planted, and nothing in clean data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from crossover.audit.checks import audit
from crossover.audit.finding import Checks, Finding, Findings, read_findings, write_findings
from crossover.core.settings import validated
from crossover.data.prepared import Input, Meta, Part, Prepared, modality_of, write_prepared
from crossover.data.splits import Split
from tests.prepared_folder import write_one_split

ORIGIN = Path(__file__).parents[2] / "conf" / "audit" / "default.yaml"
N_TRAIN, N_TEST = 300, 100

Table = pd.DataFrame


def checks(**changes: Any) -> Checks:
    content: Any = OmegaConf.to_container(OmegaConf.load(ORIGIN))
    return validated(Checks, content | changes, str(ORIGIN))


def of(X: Input, y: np.ndarray, folder: Path, n_train: int = N_TRAIN) -> Prepared:
    """The first examples as training part, the others as a publisher's test part."""
    modality: Any = modality_of(X)
    classes = [f"c{k}" for k in range(int(y.max()) + 1)]
    everything = Part(X, y.astype(np.int64), len(classes), 255.0 if modality == "image" else 1.0)
    parts = everything.take(np.arange(n_train)), everything.take(np.arange(n_train, len(y)))
    meta = Meta(
        "some", modality, classes, list(X.shape[1:]), 1.0, n_train, len(y) - n_train, "a test's", "sum"
    )
    write_one_split(folder, meta, *parts, np.arange(10)[None])
    return Prepared(folder)


def table(n: int = N_TRAIN + N_TEST) -> tuple[Table, np.ndarray]:
    """Two noisy columns that tell something about two classes, and one of categories that does not."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    numbers = rng.normal(y[:, None] * 1.2, 1, (n, 2))
    return pd.DataFrame({"a": numbers[:, 0], "b": numbers[:, 1], "c": rng.choice(["x", "y"], n)}), y


def images(n: int = N_TRAIN + N_TEST) -> tuple[np.ndarray, np.ndarray]:
    """Noise with a bright half: the upper one, or the left one."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    X = rng.integers(0, 120, (n, 12, 12, 1), dtype=np.uint8)
    X[y == 0, :6] += 100
    X[y == 1, :, :6] += 100
    return X, y


def texts(n: int = N_TRAIN + N_TEST) -> tuple[np.ndarray, np.ndarray]:
    """Eight words each, most of them the class's own."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    words = np.array([[f"{letter}{k}" for k in range(10)] for letter in "ab"])
    mixed = np.where(rng.random((n, 8)) < 0.95, y[:, None], 1 - y[:, None])
    return np.array([" ".join(words[k, rng.integers(0, 10, 8)]) for k in mixed], dtype=object), y


@pytest.fixture
def found(tmp_path: Path) -> Callable[..., dict[str, Finding]]:
    """What the checks find, by code."""

    def audited(X: Input, y: np.ndarray, **changes: Any) -> dict[str, Finding]:
        prepared = of(X, y, tmp_path / "some")
        return {one.code: one for one in audit(prepared, checks(**changes)).findings}

    return audited


@pytest.mark.parametrize("data", [table, images, texts])
def test_nothing_is_found_in_clean_data(found, data) -> None:
    assert found(*data()) == {}


def test_texts_that_differ_in_capitals_and_blanks_are_repeats(found) -> None:
    X, y = texts()
    X[320:335] = [text.upper().replace(" ", "  ") for text in X[100:115]]
    y[320:335] = y[100:115]
    one = found(X, y)["A02"]
    assert (one.n, one.test_rows) == (15, {0: list(range(20, 35))})


def test_empty_texts_and_doubtful_labels_are_told(found) -> None:
    X, y = texts()
    y[:20] = 1 - y[:20]
    X[50:53] = ["", "  ", "?!"]
    told = found(X, y)
    assert told["A12"].n == 3
    doubted = {int(line.split(":")[0].removeprefix("row ")) for line in told["A07"].examples}
    assert len(doubted & set(range(20))) >= 8
    assert len(doubted - set(range(20))) <= 1
    assert "“" in told["A07"].examples[0]


def test_repeats_within_and_across_the_parts(found) -> None:
    X, y = table()
    X.loc[20:29] = X.loc[10:19].to_numpy()  # ten of 300
    X.loc[320:334] = X.loc[100:114].to_numpy()  # fifteen of 100
    y[20:30], y[320:335] = y[10:20], y[100:115]
    findings = found(X, y)
    assert set(findings) == {"A01", "A02"}
    assert (findings["A01"].n, findings["A01"].of) == (10, 300)
    assert findings["A01"].examples[:2] == ["row 20", "row 21"]
    assert findings["A02"].test_rows == {0: list(range(20, 35))}
    assert findings["A02"].voids
    assert not findings["A01"].voids


def test_equal_examples_with_other_labels(found) -> None:
    X, y = table()
    X.loc[20:29] = X.loc[10:19].to_numpy()
    X.loc[300] = X.loc[5].to_numpy()
    y[20:30], y[300] = 1 - y[10:20], 1 - y[5]
    finding = found(X, y)["A03"]
    assert (finding.n, finding.of) == (22, 400)
    assert finding.test_rows == {0: [0]}


def test_a_column_that_gives_the_target_away(found) -> None:
    X, y = table()
    findings = found(X.assign(answer=np.where(y == 1, "paid", "open")), y)
    assert set(findings) == {"A04"}
    assert findings["A04"].examples == ["answer (1.000)"]
    assert findings["A04"].voids


def test_columns_that_number_the_rows_are_constant_or_equal(found) -> None:
    X, y = table()
    findings = found(X.assign(number=np.arange(len(y)) * 3.0, same=1.0, again=X["a"]), y)
    assert set(findings) == {"A05", "A06", "A10", "A11"}  # the number also tells the parts apart
    assert findings["A05"].examples == ["number (1.000)"]
    assert findings["A10"].examples == ["same"]
    assert findings["A11"].examples == ["again (a)"]


def test_a_test_part_from_elsewhere(found) -> None:
    X, y = table()
    X.loc[N_TRAIN:, "a"] += 2
    findings = found(X, y)
    assert set(findings) == {"A06"}
    assert findings["A06"].value > 0.8


def test_wrong_labels_are_named_the_most_doubtful_first(found) -> None:
    X, y = images()
    y[:12] = 1 - y[:12]
    finding = found(X, y)["A07"]
    assert finding.n == 12
    assert {int(text.split(":")[0].removeprefix("row ")) for text in finding.examples} == set(range(12))


def test_classes_that_are_large_or_small(found) -> None:
    X, y = table()
    y = np.where(np.arange(len(y)) % 30 == 0, 1, 0)
    findings = found(X, y)
    assert set(findings) == {"A08", "A09"}
    assert findings["A08"].value == pytest.approx(290 / 300)
    assert findings["A09"].examples == ["c1 (10)", "c0 (290)"]


def test_blank_images_and_nearly_equal_ones(found) -> None:
    X, y = images()
    X[0], X[300] = 7, 9
    X[310:315] = np.clip(X[100:105].astype(int) + 1, 0, 255)
    y[310:315] = y[100:105]
    findings = found(X, y)
    assert set(findings) == {"A12", "A13"}
    assert findings["A12"].test_rows == {0: [0]}
    assert findings["A13"].test_rows == {0: [10, 11, 12, 13, 14]}


def test_columns_are_named_by_the_threshold_of_the_yaml(found) -> None:
    X, y = table()
    content: Any = OmegaConf.to_container(OmegaConf.load(ORIGIN))
    content["checks"]["A04"]["threshold"] = 0.6
    content["checks"]["A09"]["threshold"] = 200
    findings = found(X, y, checks=content["checks"])
    assert set(findings) == {"A04", "A09"}
    assert [text.split(" ")[0] for text in findings["A04"].examples] == ["b", "a"]
    assert (findings["A04"].n, findings["A04"].of) == (2, 3)


def test_every_split_is_looked_at_and_an_example_that_one_leaves_out(tmp_path: Path) -> None:
    X, y = images()
    X[310:315] = np.clip(X[100:105].astype(int) + 1, 0, 255)
    X[320], y[320] = X[110], y[110]
    everything = Part(X, y.astype(np.int64), 2, 255.0)
    tested = np.arange(100, 200), np.arange(310, 390)  # the first split leaves out one of the near repeats
    trained = np.delete(np.arange(400), [*tested[0], 312]), np.delete(np.arange(400), [*tested[1], 0, 1, 2])
    splits = [Split(train, test, np.arange(10)[None]) for train, test in zip(trained, tested, strict=True)]
    meta = Meta("some", "image", ["a", "b"], [12, 12, 1], 255.0, 300, 100, "a test's", "sum", 2, 0.0)
    (tmp_path / "some").mkdir()
    parts = [(everything.take(split.train), everything.take(split.test)) for split in splits]
    write_prepared(tmp_path / "some", meta, {}, parts, splits)
    findings = {one.code: one for one in audit(Prepared(tmp_path / "some"), checks(muted=["A07"])).findings}
    assert set(findings) == {"A02", "A13"}
    assert findings["A02"].test_rows == {0: [10], 1: [10]}
    assert findings["A13"].test_rows == {0: [0, 1, 3, 4], 1: [0, 1, 2, 3, 4]}
    assert (findings["A13"].n, findings["A13"].of) == (9, 180)


def test_a_check_is_muted_by_its_code(found) -> None:
    X, y = table()
    assert found(X.assign(same=1.0), y, muted=["A10"]) == {}
    with pytest.raises(Exception, match="muted must hold codes of checks, got 'A99'"):
        checks(muted=["A99"])


def test_findings_come_back_from_disk(tmp_path: Path) -> None:
    finding = Finding("A02", "title", "why", "do", 0.5, 1, 2, ["row 1"], {3: [1, 2]}, voids=True)
    write_findings(tmp_path / "findings.json", Findings([finding], {"A01": "other"}))
    assert read_findings(tmp_path / "findings.json", "a test") == Findings([finding], {"A01": "other"})
