"""What a table of the user's is taken for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from crossover.command.description import Description, Options
from crossover.command.table import describe_table
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.data.source import DataSource, RawData

LEAF = """id,length,width,colour,kind
1,5.1,3.5,green,oak
2,4.9,,red,elm
3,4.7,3.2,green,oak
4,NA,3.1,blue,elm
"""

Describe = Callable[..., Description]


@pytest.fixture
def describe(tmp_path: Path) -> Describe:
    """Writes a file and describes it."""

    def of(content: str | bytes, name: str = "some.csv", **options: object) -> Description:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return describe_table(path, Options("some", **options), path.as_posix())  # type: ignore[arg-type]

    return of


def load(found: Description, folder: Path) -> RawData:
    """The data as the pipeline reads them by the YAML."""
    source = build(found.yaml, "conf/dataset/some.yaml", DataSource)
    raw = folder / "raw"
    raw.mkdir(exist_ok=True)
    source.download(raw)
    return source.load(raw)


def said(found: Description) -> str:
    return "\n".join(map(str, found.decisions))


def test_a_table_with_a_header(describe: Describe, tmp_path: Path) -> None:
    found = describe(LEAF * 1)
    raw = load(found, tmp_path)
    assert found.yaml["target"] == "kind"
    assert raw.classes == ["elm", "oak"]
    assert raw.train.y.tolist() == [1, 0, 1, 0]
    assert isinstance(raw.train.X, pd.DataFrame)
    np.testing.assert_array_equal(raw.train.X["length"], [5.1, 4.9, 4.7, np.nan])
    np.testing.assert_array_equal(raw.train.X["width"], [3.5, np.nan, 3.2, 3.1])
    assert raw.train.X["colour"].tolist() == ["green", "red", "green", "blue"]
    assert "target: kind (the last column, with 2 distinct values; --target names another)" in said(found)
    assert "missing values: '', 'NA'" in said(found)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " "])
def test_a_text_without_a_header(describe: Describe, tmp_path: Path, separator: str) -> None:
    rows = [[1.5, -2, 0], [2.5, 3, 1], [0.5, 1, 0], [1e-3, 2, 1]]
    found = describe("\r\n".join(separator.join(map(str, row)) for row in rows) + "\r\n", "some.txt")
    raw = load(found, tmp_path)
    assert found.yaml["header"] == ["c1", "c2", "c3"]
    assert isinstance(raw.train.X, pd.DataFrame)
    np.testing.assert_array_equal(raw.train.X.to_numpy(), np.array(rows)[:, :2])
    assert raw.train.y.tolist() == [0, 1, 0, 1]


def test_windows_text_with_decimal_commas(describe: Describe, tmp_path: Path) -> None:
    found = describe("größe;klasse\n1,5;süß\n2,25;sauer\n-3;süß\n".encode("cp1252"))
    raw = load(found, tmp_path)
    assert (found.yaml["encoding"], found.yaml["decimal"]) == ("cp1252", ",")
    assert isinstance(raw.train.X, pd.DataFrame)
    assert raw.train.X["größe"].tolist() == [1.5, 2.25, -3.0]
    assert raw.classes == ["sauer", "süß"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark(describe: Describe, tmp_path: Path, encoding: str) -> None:
    raw = load(describe(LEAF.encode(encoding)), tmp_path)
    assert raw.train.y.tolist() == [1, 0, 1, 0]


def test_the_target_goes_by_its_name_before_the_last_place(describe: Describe) -> None:
    assert describe("label,a\nx,1.5\ny,2.5\nx,1.0\n").yaml["target"] == "label"
    assert describe("label,a\nx,1\ny,2\nx,1\n", target="a").yaml["target"] == "a"


def test_what_is_left_out_says_why(describe: Describe) -> None:
    rows = [f"{k},{k * 0.5},same,text {k} and more,{'yn'[k % 2]}" for k in range(1, 61)]
    found = describe("\n".join(["number,half,constant,words,y", *rows]))
    assert list(found.yaml["columns"]) == ["half"]
    assert "column number: left out (it numbers the rows)" in said(found)
    assert "column constant: left out (it has the same value in every row)" in said(found)
    assert "column words: left out (each row has another text" in said(found)
    assert "half: left out" not in said(found)
    with pytest.raises(CrossoverError, match=r"a column of numbers, .* besides its target 'y', got none"):
        describe("\n".join(["number,half,constant,words,y", *rows]), drop=("half",))


def test_parquet_with_dates_and_rows_without_a_label(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "day": pd.to_datetime(pd.Series(["2024-01-01", "2024-02-03", None, "2024-01-02"])),
            "at": pd.to_datetime(
                pd.Series(["2024-01-01 06:00", "2024-02-03 18:30", "2024-05-05 01:00", None])
            ),
            "sure": [True, False, True, True],
            "bad": [False, True, None, True],
        }
    )
    path = tmp_path / "some.parquet"
    table.to_parquet(path)
    found = describe_table(path, Options("some"), path.as_posix())
    assert found.yaml["columns"] == {"day": "date", "at": "datetime", "sure": "category"}
    assert "rows: 3 of 4 (1 have no label)" in said(found)
    X = load(found, tmp_path).train.X
    assert isinstance(X, pd.DataFrame)
    assert X["day (days)"].tolist() == [19723.0, 19756.0, 19724.0]
    assert X["at (hour)"].tolist()[:2] == [6.0, 18.0]
    assert X["day (weekday)"].tolist() == [0.0, 5.0, 1.0]
    assert X["sure"].tolist() == ["True", "False", "True"]


def test_dates_in_a_text(describe: Describe) -> None:
    rows = [f"2024-03-{k:02d},{k}.03.2024 1{k % 10}:30,{k % 2}" for k in range(1, 29)]
    assert describe("\n".join(["a,b,y", *rows])).yaml["columns"] == {"a": "date", "b": "datetime"}


def test_a_class_that_is_called_like_a_missing_value(describe: Describe, tmp_path: Path) -> None:
    raw = load(describe("a,y\n1,None\n2,some\n3,None\n"), tmp_path)
    assert raw.classes == ["None", "some"]
    assert len(raw.train) == 3


@pytest.mark.parametrize("odd", ["12a", "1,200.50"])
def test_a_column_of_numbers_with_others_among_them_is_told(describe: Describe, odd: str) -> None:
    rows = [f'"{k / 7:.3f}",{k % 3},{"yes" if k % 2 else "no"}' for k in range(100)]
    rows[40] = f'"{odd}",3+,yes'
    found = describe("\n".join(["price,rooms,y", *rows, *rows]))
    numbers = (
        f"198 of its 200 values are numbers, and {odd!r} is none: correct such values, or leave them empty"
    )
    assert f"column price: category ({numbers}" in said(found)
    assert "column rooms: category (198 of its 200 values are numbers, and '3+' is none" in said(found)
    found = describe("\n".join(["price,rooms,y", *rows]))
    assert "column price: left out (99 of its 100 values are numbers" in said(found)


def test_a_sample_keeps_the_shares_of_the_classes(describe: Describe, tmp_path: Path) -> None:
    rows = [f"{k / 7},{'rare' if k % 5 == 0 else 'usual'}" for k in range(500)]
    found = describe("\n".join(["a,y", *rows]), sample=100)
    assert np.bincount(load(found, tmp_path).train.y).tolist() == [20, 80]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "must hold a table, got an empty file"),
        ("a,y\n", "must hold at least one row"),
        ("a,b,y\n1,2,x\n1,2\n3,4,y\n" * 1, "line 3 of .* must hold 3 values, as the others do, got 2"),
        ("a,a,y\n1,2,x\n3,4,y\n", "columns of different names, got 'a' twice"),
        ("word\nother\nthird\n", "the same number of values in each line"),
        ("a,y\n1,x\n2,x\n3,x\n", "the target .*cannot be told from the data; name it with --target"),
    ],
)
def test_bad_tables_get_one_sentence(describe: Describe, content: str, words: str) -> None:
    with pytest.raises(CrossoverError, match=words):
        describe(content)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("x", "--target must be a column of .*, got 'x'; there are a, y"),
        ("y", "at least two classes, got 'same' alone in column 'y'"),
        ("a", "at most 100 classes, got a number with 120 distinct values .* make classes of a number"),
    ],
)
def test_a_target_that_is_none(describe: Describe, target: str, words: str) -> None:
    content = "\n".join(["a,y", *(f"{k / 3:.4f},same" for k in range(120))])
    with pytest.raises(CrossoverError, match=words):
        describe(content, target=target)


def test_a_file_that_changed_is_not_taken(describe: Describe, tmp_path: Path) -> None:
    found = describe(LEAF)
    (tmp_path / "some.csv").write_text(LEAF + "5,1,1,red,oak\n")
    with pytest.raises(CrossoverError, match="has changed since the data set some was described"):
        load(found, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("5.1", "five", "must hold a number in column length, got 'five' in row 2"),
        ("oak", "ash", "a label of .* must be one of .*, got 'ash'"),
        ("length", "long", "must have the column 'length', got id, long"),
    ],
)
def test_a_file_that_is_not_as_the_yaml_says(
    describe: Describe, tmp_path: Path, old: str, new: str, words: str
) -> None:
    found = describe(LEAF)
    other = describe(LEAF.replace(old, new, 1), target="kind")
    found.yaml["train"] = other.yaml["train"]
    with pytest.raises(CrossoverError, match=words):
        load(found, tmp_path)


def test_rare_categories_become_one(describe: Describe, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = np.where(rng.random(2000) < 0.5, rng.integers(0, 20, 2000), rng.integers(20, 500, 2000))
    found = describe("\n".join(["code,y", *(f"z{code},{k % 2}" for k, code in enumerate(codes))]))
    assert "column code: 99 categories and one for the others (it has" in said(found)
    X = load(found, tmp_path).train.X
    assert isinstance(X, pd.DataFrame)
    assert X["code"].nunique() == 100
    frequent = np.isin(codes, np.arange(20))
    assert (X["code"][frequent] == [f"z{code}" for code in codes[frequent]]).all()
    assert 0.2 < (X["code"] == "(other)").mean() < 0.5


def test_of_a_large_text_the_first_rows_are_looked_at(
    describe: Describe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossover.command.table.LARGE_BYTES", 1000)
    monkeypatch.setattr("crossover.command.table.LARGE_ROWS", 100)
    rng = np.random.default_rng(0)
    found = describe("\n".join(["a,y", *(f"{rng.random():.6f},{k % 2}" for k in range(5000))]))
    assert "looked at: the first 100 rows (the file is large; about" in said(found)
    assert abs(found.n_train - 5000) < 500
    assert len(load(found, tmp_path).train) == 5000


def test_spellings_that_differ_in_capitals_and_blanks_are_one_category(
    describe: Describe, tmp_path: Path
) -> None:
    cities = ["Berlin", "berlin ", "BERLIN", "New  York", "new york", "Rome"]
    found = describe("\n".join(["city,y", *(f"{cities[k % 6]},{k % 2}" for k in range(60))]))
    assert "column city: 6 spellings are 3 categories" in said(found)
    X = load(found, tmp_path).train.X
    assert isinstance(X, pd.DataFrame)
    assert set(X["city"]) == {"berlin", "new york", "rome"}


NOTES = [
    f"please bring the {word}, we meet at {k}" for k, word in enumerate(["bread", "milk", "tea", "salt"] * 15)
]


class TestTexts:
    def test_a_label_and_a_text_in_each_line(self, describe: Describe, tmp_path: Path) -> None:
        lines = [f"{'ab'[k % 2]}\t{note}" for k, note in enumerate(NOTES)]
        lines[7] = 'b\t"unbalanced mark in the notes, they said'
        found = describe("\n".join(lines) + "\n", "notes.txt")
        assert (found.modality, found.n_train, found.n_columns) == ("text", 60, 8)
        assert found.yaml["columns"] == {"c2": "text"}
        assert found.yaml["quoted"] is False
        assert "target: c1 (the only column with few values" in said(found)
        assert "text: c2, 8 words in the median (the only column that could be an input" in said(found)
        part = load(found, tmp_path).train
        assert part.X[7] == '"unbalanced mark in the notes, they said'
        assert part.X[0] == NOTES[0]

    def table(self, columns: int) -> str:
        table = pd.DataFrame({"kind": ["x", "y"] * 30, "id": range(60), "note": [*NOTES[:59], None]})
        for k in range(columns):
            table[f"n{k}"] = np.random.default_rng(k).normal(size=60)
        return table.to_csv(index=False)

    def test_a_text_next_to_an_identifier(self, describe: Describe, tmp_path: Path) -> None:
        found = describe(self.table(0), target="kind")
        assert found.yaml["columns"] == {"note": "text"}
        assert "other columns: left out: id" in said(found)
        assert load(found, tmp_path).train.X[-1] == ""

    def test_a_text_next_to_a_few_columns_is_a_question(self, describe: Describe) -> None:
        with pytest.raises(
            CrossoverError, match=r"texts of 'note' or about n0, n1 cannot be told.*--text note, or .*--drop"
        ):
            describe(self.table(2), target="kind")
        assert describe(self.table(2), target="kind", text="note").modality == "text"
        dropped = describe(self.table(2), target="kind", drop=("note",))
        assert (dropped.modality, list(dropped.yaml["columns"])) == ("table", ["n0", "n1"])

    def test_a_text_next_to_many_columns_is_left_out(self, describe: Describe) -> None:
        found = describe(self.table(4), target="kind")
        assert found.modality == "table"
        assert "column note: left out (a table's models take no texts; --text note" in said(found)

    def test_names_of_persons_are_no_texts(self, describe: Describe) -> None:
        names = [f"Smith, Mr. John {k}" for k in range(60)]
        table = pd.DataFrame({"name": names, "age": np.arange(60) % 17, "kind": ["x", "y"] * 30})
        found = describe(table.to_csv(index=False))
        assert "column name: left out (each row has another text" in said(found)

    @pytest.mark.parametrize(
        ("text", "words"),
        [("nope", "--text must be a column of .*got 'nope'"), ("kind", "besides the target, got 'kind'")],
    )
    def test_a_wrong_column_is_named(self, describe: Describe, text: str, words: str) -> None:
        with pytest.raises(CrossoverError, match=words):
            describe(self.table(0), target="kind", text=text)

    def test_a_value_of_several_lines_may_be_cut_where_the_look_ends(self, describe: Describe) -> None:
        rows = [f'"{note}\nand more of it {k}",{"ab"[k % 2]}' for k, note in enumerate(NOTES * 3)]
        found = describe("note,kind\n" + "\n".join(rows) + "\n")
        assert (found.modality, found.n_train) == ("text", 180)


class TestListedImages:
    @pytest.fixture
    def listing(self, tmp_path: Path) -> Path:
        """A table of names of images and labels, next to the images."""
        (tmp_path / "scans").mkdir()
        rows = []
        for k in range(24):
            Image.fromarray(np.full((9, 8), 10 * k, np.uint8)).save(tmp_path / "scans" / f"{k}.png")
            rows.append(f"scans/{k}.png,{['ill', 'well'][k % 2]},ward {k % 3}")
        (tmp_path / "list.csv").write_text("file,state,place\n" + "\n".join(rows) + "\n")
        return tmp_path / "list.csv"

    def test_they_become_a_folder_of_images(self, listing: Path, tmp_path: Path) -> None:
        options = Options("some", target="state")
        found = describe_table(listing, options, (tmp_path / "own" / "list.csv").as_posix())
        assert (found.modality, found.channels, found.counts) == ("image", 1, [12, 12])
        assert "images: 24 files of column file (they are there" in said(found)
        assert found.copies is not None
        for name, file in found.copies.items():
            target = tmp_path / "own" / "images" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
        part = load(found, tmp_path).train
        assert np.asarray(part.X)[:, 0, 0, 0].tolist() == [*range(0, 240, 20), *range(10, 240, 20)]
        assert part.y.tolist() == [0] * 12 + [1] * 12

    def test_a_file_that_is_not_there_is_named(self, listing: Path) -> None:
        (listing.parent / "scans" / "5.png").unlink()
        with pytest.raises(CrossoverError, match=r"got 'scans/5\.png' in row 6, which is not there"):
            describe_table(listing, Options("some", target="state"), "list.csv")

    def test_a_label_that_cannot_name_a_folder_is_refused(self, listing: Path) -> None:
        listing.write_text(listing.read_text().replace("well", "a/b"))
        with pytest.raises(CrossoverError, match="fit for the name of a folder, got 'a/b'"):
            describe_table(listing, Options("some", target="state"), "list.csv")
