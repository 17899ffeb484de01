"""Groups, times and the tested share of a user's own data: from the YAML to the prepared parts."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pooch
import pytest
from PIL import Image

from crossover.audit.checks import audit
from crossover.command.description import Options
from crossover.command.images import describe_images
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.data.image_folder import ImageFolder
from crossover.data.prepared import Prepared
from crossover.stages.download import download
from crossover.stages.prepare import prepare
from tests.audit.test_checks import checks
from tests.data.configured import load_protocol
from tests.own_table_folder import own_table, prepared_table

SLOW = ["A04", "A06", "A07"]  # they fit models


def visits(n: int = 240) -> pd.DataFrame:
    """Visits of patients on days of one year, in no order."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, n), unit="D")
    table = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n)})
    table["patient"] = [f"p{k}" for k in rng.integers(0, 60, n)]
    table["day"] = days.strftime("%d.%m.%Y")
    table["y"] = np.where(table["a"] + rng.normal(size=n) > 0, "yes", "no")
    return table


def prepared(table: pd.DataFrame, folder: Path, **keys: Any) -> Prepared:
    return prepared_table(own_table(table, folder, **keys), Layout(folder), test_parts=3)


def test_a_column_of_groups_is_no_input_and_parts_no_group(tmp_path: Path) -> None:
    table = visits()
    first = prepared(table, tmp_path, groups="patient")
    patients = table["patient"].to_numpy()
    assert list(first.train().X) == ["a", "b"]
    for split in (first.of(k) for k in range(3)):
        assert not set(patients[split.rows("train")]) & set(patients[split.rows("test")])
        groups, own = split.groups, patients[split.rows("train")]
        assert groups is not None
        for k in (0, 31):
            fitted, validation = split.fitting_rows(k), split.validation_rows(k)
            assert not set(own[fitted]) & set(own[validation])
            assert not set(groups[fitted]) & set(groups[validation])
    assert "59 groups stay together" in first.meta.split
    assert first.meta.test_overlap is not None
    assert 0.1 < first.meta.test_overlap < 0.6


def test_dates_with_the_day_first_divide_the_rows(tmp_path: Path) -> None:
    table = visits()
    split = prepared(table, tmp_path, time="day", columns={"a": "number", "day": "date"})
    when = pd.to_datetime(table["day"], format="%d.%m.%Y").to_numpy()
    assert split.meta.splits == 1
    assert split.meta.test_overlap is None
    assert split.meta.split.startswith("the latest examples, about 0.25 of all")
    assert when[split.rows("train")].max() < when[split.rows("test")].min()
    own = when[split.rows("train")]
    assert own[split.fitting_rows(0)].max() < own[split.validation_rows(0)].min()
    assert split.times is not None
    assert (np.argsort(split.times, kind="stable") == np.argsort(own, kind="stable")).all()
    X = split.train().X
    assert isinstance(X, pd.DataFrame)
    assert list(X) == ["a", "day (days)", "day (month)", "day (weekday)"]
    assert (X["day (month)"] == pd.DatetimeIndex(own).month).all()


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%y %H:%M", "%Y-%m-%dT%H:%MZ"]
)
def test_dates_are_in_order_however_they_are_written(form: str, tmp_path: Path) -> None:
    table = visits()
    when = pd.to_datetime(table["day"], format="%d.%m.%Y")
    source = own_table(table.assign(day=when.dt.strftime(form)), tmp_path, time="day")
    source.download(tmp_path)
    times = source.load(tmp_path).times
    assert times is not None
    np.testing.assert_array_equal(times, (when - pd.Timestamp(0)) / pd.Timedelta(seconds=1))


def test_a_time_may_be_a_number_and_no_input(tmp_path: Path) -> None:
    table = visits().assign(step=np.random.default_rng(1).permutation(240))
    split = prepared(table, tmp_path, time="step", test_fraction=0.1)
    assert (table["step"].to_numpy()[split.rows("test")] >= 216).all()
    assert split.meta.n_test == 24
    assert "step" not in split.train().X


def test_groups_and_time_of_a_sample_are_those_of_its_rows(tmp_path: Path) -> None:
    table = visits().assign(step=np.random.default_rng(1).permutation(240), a=np.arange(240.0))
    source = own_table(table, tmp_path, groups="patient", time="step", sample=100)
    source.download(tmp_path)
    raw = source.load(tmp_path)
    assert isinstance(raw.train.X, pd.DataFrame)
    rows = raw.train.X["a"].to_numpy().astype(int)
    assert raw.times is not None
    assert raw.groups is not None
    np.testing.assert_array_equal(raw.times, table["step"].to_numpy()[rows])
    assert len({*zip(raw.groups, table["patient"][rows], strict=True)}) == table["patient"][rows].nunique()


def test_a_sample_of_a_file_without_one_of_its_columns_is_refused(tmp_path: Path) -> None:
    visits().drop(columns="b").to_parquet(path := tmp_path / "own.parquet")
    file = {"path": str(path), "md5": pooch.file_hash(str(path), alg="md5")}
    source = own_table(visits(), tmp_path, sample=100, format="parquet", train=file)
    source.download(tmp_path)
    with pytest.raises(CrossoverError, match=r"with the columns of .*, got none of the name 'b'"):
        source.load(tmp_path)


@pytest.mark.parametrize("form", ["text", "parquet"])
def test_a_sample_is_read_a_few_rows_at_a_time(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = visits().assign(a=np.arange(240.0))
    table.loc[::7, "y"] = None
    keys: dict[str, Any] = {"sample": 100, "format": form}
    if form == "parquet":
        table.to_parquet(path := tmp_path / "own.parquet")
        keys["train"] = {"path": str(path), "md5": pooch.file_hash(str(path), alg="md5")}
    monkeypatch.setattr("crossover.data.own_table.ROWS_AT_ONCE", 37)
    source = own_table(table, tmp_path, **keys)
    source.download(tmp_path)
    train = source.load(tmp_path).train
    assert isinstance(train.X, pd.DataFrame)
    rows = train.X["a"].to_numpy().astype(int)
    assert (np.diff(rows) > 0).all()
    assert [source.classes[k] for k in train.y] == table["y"][rows].tolist()
    shares = table["y"].value_counts(normalize=True)[source.classes]
    np.testing.assert_allclose(np.bincount(train.y), 100 * shares, atol=1)


def test_equal_rows_are_in_one_part_whatever_their_labels(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = (
        visits(200)[["a", "b", "y"]]
        .assign(c=rng.choice(np.array(["x", "z", None], dtype=object), 200))
        .round(3)
    )
    table = pd.concat([table, table.sample(120, random_state=1)], ignore_index=True)
    table.loc[310:, "y"] = "no"
    columns = {"a": "number", "b": "number", "c": "category"}
    left, together = (
        {
            one.code: one
            for one in audit(
                prepared(table, tmp_path / str(k), columns=columns, groups=k), checks(muted=SLOW)
            ).findings
        }
        for k in (None, "auto")
    )
    assert left["A02"].voids
    assert "A02" not in together
    assert together["A03"].n == left["A03"].n > 0


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, ["day (0."]),
        ({"groups": "patient"}, ["day (0."]),
        ({"time": "day"}, []),
        ({"columns": {"a": "number", "b": "number"}}, []),
    ],
    ids=["drawn", "drawn in groups", "by time", "no dates"],
)
def test_the_audit_tells_dates_across_drawn_splits(
    tmp_path: Path, keys: dict[str, Any], found: list[str]
) -> None:
    columns = {"a": "number", "b": "number", "day": "date"}
    split = prepared(visits(), tmp_path, **{"columns": columns} | keys)
    findings = {one.code: one for one in audit(split, checks(muted=SLOW)).findings}
    assert ("A14" in findings) == bool(found)
    if found:
        assert [text[:7] for text in findings["A14"].examples] == found
        assert findings["A14"].value == pytest.approx(0.5, abs=0.1)  # its standard error is 0.04
        assert findings["A14"].test_rows == {}


def test_the_audit_tells_a_test_file_of_the_same_days_and_no_later_one(tmp_path: Path) -> None:
    columns = {"a": "number", "b": "number", "day": "datetime"}
    table = visits().assign(
        day=lambda rows: pd.to_datetime(rows["day"], format="%d.%m.%Y") + pd.Timedelta("9h")
    )
    test = table.sample(80, random_state=1).assign(a=lambda rows: rows["a"] + 0.01)
    later = test.assign(day=test["day"] + pd.Timedelta("366D"))
    codes = {}
    for name, own in (("same", test), ("later", later)):
        split = prepared(table, tmp_path / name, test=own, columns=columns)
        codes[name] = {one.code for one in audit(split, checks(muted=SLOW)).findings}
    assert "A14" in codes["same"]
    assert "A14" not in codes["later"]


def test_equal_images_are_in_one_part(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for k in range(30):
            Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(
                tmp_path / "photos" / name / f"{k}.png"
            )
        for k in range(0, 30, 2):
            content = (tmp_path / "photos" / name / f"{k}.png").read_bytes()
            (tmp_path / "photos" / name / f"again {k}.png").write_bytes(content)
    options = Options("photos", groups="auto", test_fraction=0.2)
    found = describe_images(tmp_path / "photos", options, str(tmp_path / "photos"))
    source, layout = build(found.yaml, "conf/dataset/photos.yaml", ImageFolder), Layout(tmp_path)
    download(source, layout)
    prepare(source, load_protocol(test_parts=2), layout)
    split = Prepared(layout.prepared("photos"))
    assert split.meta.n_test == 18
    assert "A02" not in {one.code for one in audit(split, checks(muted=SLOW)).findings}


def test_a_test_file_keeps_its_rows_and_validation_rows_keep_groups(tmp_path: Path) -> None:
    table = visits().assign(step=np.arange(240))
    later = visits().assign(step=np.arange(240, 480), patient=[f"q{k % 9}" for k in range(240)])
    source = own_table(table, tmp_path, later, groups="patient")
    split = prepared_table(source, Layout(tmp_path))
    assert (split.meta.splits, split.meta.n_test) == (1, 240)
    own = table["patient"].to_numpy()
    assert not set(own[split.fitting_rows(3)]) & set(own[split.validation_rows(3)])
    by_time = prepared_table(
        own_table(table, tmp_path / "time", later, time="step"), Layout(tmp_path / "time")
    )
    assert by_time.validation_rows(0).tolist() == list(range(216, 240))
    assert by_time.meta.split == "the publisher's; validation rows are the latest of the training part"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"groups": "none"}, "each row must have a group, got none in 2 of 240 rows of column 'none'"),
        (
            {"time": "none"},
            "time must be a number or a date in each row, got none in 2 of 240 rows of column 'none'",
        ),
        ({"time": "patient"}, "time must be a number or a date in each row, got 'p35' in 240 of 240 rows"),
        ({"groups": "clinic"}, "must have the column 'clinic', got a, b, patient, day, y, none"),
        ({"groups": "y"}, "groups and time must not be the target, got 'y'"),
        ({"test_fraction": 1.0}, r"test_fraction must be below 1, got 1.0 \(conf/dataset/own.yaml\)"),
        ({"group": "patient"}, "check group"),
        ({"test_fraction": 0.97}, r"test_fraction must leave .*, got 0.97, .*conf/dataset/own.yaml"),
    ],
)
def test_a_column_or_share_that_cannot_be_is_one_sentence(
    keys: dict[str, Any], words: str, tmp_path: Path
) -> None:
    table = visits().assign(none=np.array([None, None, *range(238)], dtype=object))
    with pytest.raises(CrossoverError, match=words):
        prepared(table, tmp_path, columns={"a": "number"}, **keys)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"groups": "patient"},
            "no group may be in the training part and in the test part, got 'p35' of column",
        ),
        (
            {"time": "day"},
            "a test part must be later than its training part, but by column 'day' 240 of 240 test rows",
        ),
        ({"test_fraction": 0.5}, "test_fraction must be null where there is a test file, got 0.5"),
    ],
)
def test_a_test_file_that_leaks_is_one_sentence(keys: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(CrossoverError, match=words):
        prepared_table(own_table(visits(), tmp_path, visits(), **keys), Layout(tmp_path))
