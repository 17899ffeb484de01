"""A table as text: what is read, however it is encoded, and what is refused with its line."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossover.core.errors import CrossoverError
from crossover.data.delimited import DelimitedTable, TextFile
from tests.data.small_data import md5

TEXT = 'age,work,label\n39, Privat\u00e9 ,a\n ?,?,b\n\n-1.5e3,"x, y",a\n'


def table(folder: Path, content: bytes, *, classes: tuple[str, ...] = ("a", "b")) -> DelimitedTable:
    (folder / "t.csv").write_bytes(content)
    return DelimitedTable(
        name="t",
        addresses=[],
        columns={"age": "number", "work": "category"},
        classes=list(classes),
        train=TextFile(name="t.csv", md5=md5(content), skip_lines=1),
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le with a mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_is_read(encoding: str, end: str, tmp_path: Path) -> None:
    text = TEXT.replace("\n", end)
    content = b"\xff\xfe" + text.encode("utf-16-le") if " " in encoding else text.encode(encoding)
    part = table(tmp_path, content).load(tmp_path).train
    assert isinstance(part.X, pd.DataFrame)
    np.testing.assert_array_equal(part.X["age"], [39, np.nan, -1500])
    assert part.X["work"].fillna("missing").tolist() == ["Privat\u00e9", "missing", "x, y"]
    assert part.y.tolist() == [0, 1, 0]


def test_both_ways_of_reading_agree(tmp_path: Path) -> None:
    source = table(tmp_path, TEXT.encode())
    at_once, by_line = (
        read(source.train, tmp_path / "t.csv", "utf-8-sig")
        for read in (source._read_at_once, source._read_lines)
    )
    pd.testing.assert_frame_equal(pd.DataFrame(at_once.X), pd.DataFrame(by_line.X))
    np.testing.assert_array_equal(at_once.y, by_line.y)


def test_a_field_of_any_length(tmp_path: Path) -> None:
    long = "x" * 200_000
    part = table(tmp_path, f"head\n1,{long},a\n2,b,b\n".encode()).load(tmp_path).train
    assert part.X["work"].tolist() == [long, "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"head\n1,x,a\n2,y\n", "line 3 of .*t.csv must hold 3 values, got 2"),
        (b"head\n1,x,a\n2,y,b,\n", "line 3 of .*t.csv must hold 3 values, got 4"),
        (b"head\n1,x,a\n2,y,c\n", r"line 3 of .*t.csv must end in one of \['a', 'b'\], got 'c'"),
        (b"head\n1,x,a\nold,y,b\n", "line 3 of .*t.csv must hold a number in column age, got 'old'"),
        (b"head\n1,x,a\n,y,b\n", "line 3 of .*t.csv must hold a number in column age, got ''"),
        (
            "head\n1,\u00e9,a\n".encode("latin-1"),
            "t.csv must be text in UTF-8 or UTF-16, got .*save it as such",
        ),
        (
            b"head\n1,x,a\n2," + b"y" * 200_000 + b",c\n",
            "line 3 of .*t.csv must be comma-separated text: field larger",
        ),
    ],
)
def test_what_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(CrossoverError, match=message) as raised:
        table(tmp_path, content).load(tmp_path)
    assert "\n" not in str(raised.value)


def test_a_class_named_twice(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("must not repeat a name, got ['a', 'a']")):
        table(tmp_path, TEXT.encode(), classes=("a", "a"))
