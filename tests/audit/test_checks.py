"""Each check finds what was planted, and nothing in clean data."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf

from crossover.audit.checks import audit
from crossover.audit.finding import Checks, Finding, Findings, Picture, read_findings, write_findings
from crossover.audit.near_texts import near_pairs
from crossover.core.errors import CrossoverError
from crossover.core.settings import validated
from crossover.data.dates import numbers_of_dates
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
    sizes = everything.value_max, n_train, len(y) - n_train
    meta = Meta("some", modality, classes, list(X.shape[1:]), *sizes, "a test's", "sum")
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

    numbers = count()

    def audited(X: Input, y: np.ndarray, **changes: Any) -> dict[str, Finding]:
        prepared = of(X, y, tmp_path / str(next(numbers)) / "some")
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


def test_texts_with_a_changed_word_or_number_are_near_repeats(found) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, N_TRAIN + N_TEST)
    words = np.array([[f"{letter}{k}" for k in range(40)] for letter in "ab"])
    X = np.array([" ".join(words[k, rng.integers(0, 40, 12)]) for k in y], dtype=object)

    def planted(change: Callable[[list[str]], list[str]], test: int) -> None:
        X[N_TRAIN + test] = " ".join(change(X[test].split()))
        y[N_TRAIN + test] = y[test]

    planted(
        lambda text: [*text[:5], "other", *text[6:]], 0
    )  # in the middle, where it leaves the shortest rest
    planted(lambda text: text[1:], 1)
    planted(lambda text: [*text, "more"], 2)
    planted(lambda text: [f"{word}!" for word in text], 3)
    planted(lambda text: ["two", *text[1:-1], "words"], 4)  # too many
    planted(lambda text: text, 5)  # equal, which is another finding
    planted(lambda text: [*text[:3], "one", *text[4:9]], 6)  # too short for a change
    finding = found(X, y, muted=["A02"])["A13"]
    assert finding.test_rows == {0: [0, 1, 2, 3]}
    assert (finding.n, finding.of) == (4, 99)
    assert finding.examples[1] == f"row 1: “{X[N_TRAIN + 1]}”"


def test_near_pairs_are_those_that_a_search_of_all_pairs_finds() -> None:
    """Texts of 10 to 45 words, a tenth of them or a few more changed, next to others with half of their words."""
    rng = np.random.default_rng(0)
    texts: list[list[str]] = []
    for _ in range(8):
        first = [f"w{k}" for k in rng.integers(0, 60, rng.integers(10, 46))]
        for changes in (0, *rng.integers(1, 7, 4)):
            text = list(first)
            for place in rng.integers(0, len(text), changes):
                text[place : place + rng.integers(0, 2)] = [f"v{place}"] * rng.integers(0, 2)
            texts.append(text)
        texts.append([*first[: len(first) // 2], *(f"x{k}" for k in range(len(first) // 2))])
    every = np.arange(len(texts))
    pairs = near_pairs([" ".join(text) for text in texts], every, every)
    expected = [
        (k, other)
        for k, own in enumerate(texts)
        for other, text in enumerate(texts)
        if k != other and len(own) >= 10 and changed_words(own, text) <= len(own) // 10
    ]
    assert len(expected) > 20
    assert sorted(map(tuple, pairs.tolist())) == expected


def changed_words(one: list[str], other: list[str]) -> int:
    """Levenshtein's distance, by its whole table."""
    table = [list(range(len(other) + 1))]
    for i, word in enumerate(one, 1):
        table.append([i])
        for j, another in enumerate(other, 1):
            replaced = table[i - 1][j - 1] + (word != another)
            table[i].append(min(replaced, table[i - 1][j] + 1, table[i][j - 1] + 1))
    return table[-1][-1]


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
    assert [f"row {picture.row}" for picture in finding.pictures] == [
        text.split(":")[0] for text in finding.examples
    ]
    for picture in finding.pictures:
        assert (picture.label, picture.other) == tuple(
            f"c{label}" for label in (y[picture.row], 1 - y[picture.row])
        )
        np.testing.assert_array_equal(picture.pixels, X[picture.row])


def test_wrong_labels_of_a_table_are_shown_with_what_is_unusual_in_their_class(found) -> None:
    X, y = table()
    X = X.assign(age=np.where(y == 1, 60.0, 30.0) + X["b"].to_numpy(), what=np.where(y == 1, "old", "new"))
    X.loc[:7, "a"] = np.nan
    y[:8] = 1 - y[:8]
    others = ["A04", "A06"]
    one = found(X, y, muted=others)["A07"]
    assert one.pictures == []
    row = int(one.examples[0].split(":")[0].removeprefix("row "))
    start = f"row {row}: c{y[row]}, and c{1 - y[row]} by the other rows: "
    assert one.examples[0].startswith(start)
    values = one.examples[0].removeprefix(start).split(", ")
    assert set(values[:3]) == {f"age {X['age'][row]:.6g}", f"what {X['what'][row]}", "a missing"}
    wide = X.assign(**{f"a column with a long name {k}": 1000.0 + X["b"] + k for k in range(9)})
    text = found(wide, y, muted=others)["A07"].examples[0].split("rows: ")[1]
    assert text.endswith(", …")
    assert 60 < len(text) < 110


def dated(n: int = N_TRAIN + N_TEST) -> tuple[Table, np.ndarray]:
    """A table with a column of dates in no order, as a user's table is prepared."""
    X, y = table(n)
    days = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(
        np.random.default_rng(1).permutation(n), "D"
    )
    return pd.concat([X, numbers_of_dates("day", pd.Series(days), hour=False)], axis=1), y


def test_a_test_part_between_training_examples_in_time(found) -> None:
    X, y = dated()
    findings = found(X, y)
    assert set(findings) == {"A14"}
    assert findings["A14"].examples == [f"day ({findings['A14'].value:.3f})"]
    assert findings["A14"].value == pytest.approx(0.5, abs=0.05)
    assert (findings["A14"].n, findings["A14"].of, findings["A14"].voids) == (1, 1, False)


def test_dates_of_a_later_test_part_are_no_finding(found) -> None:
    X, y = dated()
    days = "day (days)"
    later = X.assign(**{days: np.sort(X[days])})
    later.loc[5, days] = later[days].max() + 1000  # a single wrong date
    later.loc[[7, 310], days] = np.nan
    assert "A14" not in found(later, y, muted=["A04", "A05", "A06", "A07"])
    earlier = X.assign(**{days: -np.sort(X[days])})
    assert found(earlier, y, muted=["A04", "A05", "A06", "A07"])["A14"].value == 1
    one_day = X.assign(**{days: 19723.0})
    assert "A14" not in found(one_day, y, muted=["A04", "A06", "A07", "A10"])


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
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    pictures = [Picture(k, "cat", "dog", image) for k, image in enumerate(pixels)]
    shown = Finding("A07", "title", "why", "do", 0.5, 2, 4, ["row 0", "row 1"], pictures=pictures)
    path, written = tmp_path / "findings.json", Findings([finding, shown], {"A01": "other"})
    write_findings(path, written)
    back = read_findings(path, "a test")
    assert back == written
    np.testing.assert_array_equal([picture.pixels for picture in back.findings[1].pictures], pixels)
    (tmp_path / "A07.npy").unlink()
    with pytest.raises(CrossoverError, match=r"A07\.npy does not exist; make it with `a test`"):
        read_findings(path, "a test")
