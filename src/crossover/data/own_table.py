"""A table of the user's own: one file, or one for training and one for testing, in text or in Parquet.

A column of type "text" makes it a set of texts.

`crossover study` writes the YAML of such a data set; each key can be changed by hand.
"""

import csv
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import pooch
import pyarrow as pa
import pyarrow.parquet
from pydantic import Field, PositiveInt
from tqdm import tqdm

from crossover.core.errors import CrossoverError, first_line
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import AllDifferent, Name, Settings, checked
from crossover.data.dates import numbers_of_dates
from crossover.data.prepared import Modality, Part, keys_of
from crossover.data.source import DataSource, RawData
from crossover.data.splits import Fraction, subset_rows

Kind = Literal["number", "category", "date", "datetime", "text"]

WHITESPACE = " "
"""As a separator: any number of blanks or tabs."""


OTHER = "(other)"
"""In place of rare categories."""

ROWS_AT_ONCE = 100_000
"""Of a file, where a sample of its rows is read."""

AUTO = "auto"
"""In place of a column of groups: equal examples are a group."""

_SHORT_DATE = r"^\s*(\d{1,2})([-/.])\d{1,2}\2\d"


class OwnFile(Settings):
    """A file of the user's.

    Attributes:
        path: of the file, from the project's root where it is relative.
        md5: its checksum, in hexadecimal.
    """

    path: str
    md5: str

    @property
    def name(self) -> str:
        return Path(self.path).name


class OwnTable(DataSource):
    """A table with a target column; all other columns that are described are inputs, and the rest is left out.

    The columns of groups and times say how the examples are split. They are inputs only where `columns` has them, too.
    """

    modality: Modality = "table"

    @checked
    def __init__(
        self,
        *,
        name: Name,
        train: OwnFile,
        test: OwnFile | None = None,
        target: str,
        columns: Annotated[Mapping[str, Kind], Field(min_length=1)],
        classes: Annotated[Sequence[str], AllDifferent, Field(min_length=2)],
        format: Literal["text", "parquet"] = "text",
        header: Sequence[str] | None = None,
        separator: Annotated[str, Field(min_length=1, max_length=1)] = ",",
        decimal: Literal[".", ","] = ".",
        encoding: str = "utf-8",
        quoted: bool = True,
        missing: Sequence[str] = ("",),
        sample: PositiveInt | None = None,
        folded: Sequence[str] = (),
        most_categories: Annotated[int, Field(ge=2)] = 100,
        groups: str | None = None,
        time: str | None = None,
        test_fraction: Fraction | None = None,
        caveat: str = "",
        metric: Metric = ACCURACY,
    ) -> None:
        """Describe a table.

        Args:
            name: of the data set.
            train: the file of the training part, or of all examples.
            test: the file of a test part, if there is one.
            target: the column of the labels; a row without a label is left out.
            columns: the inputs, each "number", "category", "date" or "datetime". Of a date come its days since 1970,
                its month and its weekday, and of a datetime its hour as well. Or one column alone, a "text"; a missing
                text is an empty one.
            classes: the labels as they stand in the file.
            format: of both files.
            header: names of all columns of a text without a line of names; None where the first line has them.
            separator: between the values of a text; a blank stands for any number of blanks and tabs.
            decimal: mark of a text.
            encoding: of a text.
            quoted: whether quotation marks around a value of a text are no part of it.
            missing: what stands for a missing value in a text.
            sample: so many examples of a training part that has more, drawn with each class's share; None is all.
            folded: columns of categories in which capitals and the number of blanks make no other category.
            most_categories: of a column that has more, the most frequent ones of the training part are kept, and the
                others become one, `OTHER`.
            groups: a column; rows of equal values, such as those of one patient, are in one part and are validated on
                together. `AUTO` keeps rows together whose inputs are all equal; None lets each row stand for itself.
            time: a column of numbers or dates; the latest rows are tested, and of the others the latest ones are
                validated on. None where the rows are in no order of time.
            test_fraction: share of the rows that are tested, without a test file; None for that of the protocol.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        self.most_categories, self.folded = most_categories, set(folded)
        self.train, self.test, self.target = train, test, target
        self.columns, self.classes = dict(columns), list(classes)
        self.format, self.header, self.sample = format, None if header is None else list(header), sample
        self.separator, self.decimal, self.encoding = separator, decimal, encoding
        self.quoted, self.missing = quoted, list(missing)
        self.groups, self.time, self.test_fraction = groups, time, test_fraction
        if "text" in self.columns.values():
            self.modality = "text"
            if len(self.columns) > 1:
                raise CrossoverError(
                    f"columns must hold a text alone or no text, got {', '.join(self.columns)} ({self.origin}); leave "
                    "the others out"
                )
        if target in self.columns:
            raise CrossoverError(f"target must not be among the columns, got {target!r} ({self.origin})")
        if target in (groups, time):
            raise CrossoverError(f"groups and time must not be the target, got {target!r} ({self.origin})")
        if test is not None and test_fraction is not None:
            raise CrossoverError(
                f"test_fraction must be null where there is a test file, got {test_fraction} ({self.origin})"
            )

    def download(self, folder: Path) -> list[Path]:
        return [take(file, folder, self.name) for file in self._files()]

    def load(self, folder: Path) -> RawData:
        paths = [folder / file.name for file in self._files()]
        sampled = self._sampled(paths[0])
        tables = [self._table(path, sampled if path == paths[0] else None) for path in paths]
        day_first = {
            name for name, kind in self.columns.items() if "date" in kind and is_day_first(tables[0][name])
        }
        train, *others = (
            self._part(table, path, day_first) for table, path in zip(tables, paths, strict=True)
        )
        test = others[0] if others else None
        groups, times = self._groups(tables), self._times(tables)
        for name, kind in self.columns.items():
            if kind == "category":
                self._join_rare(name, train, test)
        if self.groups == AUTO:
            groups = keys_of(train.X)
        return RawData(train, test, self.classes, groups, times)

    def _groups(self, tables: list[pd.DataFrame]) -> np.ndarray | None:
        """Those of the training part.

        Raises:
            CrossoverError: one is missing, or stands in the test part, too.
        """
        if self.groups is None or self.groups == AUTO:
            return None
        train, *others = (group_names(table[self.groups], self.groups) for table in tables)
        for test in others:
            if (shared := train[train.isin(test)]).size:
                raise CrossoverError(
                    f"no group may be in the training part and in the test part, got {shared.iloc[0]!r} of column "
                    f"{self.groups!r} in both; leave the test file out, so that the parts are drawn, or the groups "
                    f"({self.origin})"
                )
        return pd.factorize(train)[0].astype(np.int64)

    def _times(self, tables: list[pd.DataFrame]) -> np.ndarray | None:
        """Those of the training part.

        Raises:
            CrossoverError: one is missing or none, or the test part is not later.
        """
        if self.time is None:
            return None
        day_first = is_day_first(tables[0][self.time])
        train, *others = (as_times(table[self.time], self.time, day_first, self.decimal) for table in tables)
        for test in others:
            if test.min() <= train.max():
                raise CrossoverError(
                    f"a test part must be later than its training part, but by column {self.time!r} "
                    f"{(test <= train.max()).sum():,} of {len(test):,} test rows are not; leave the test file out, so "
                    f"that the latest rows become the test part, or the time ({self.origin})"
                )
        return train

    def _join_rare(self, name: str, train: Part, test: Part | None) -> None:
        """Make one category of the rare ones of a column that has too many."""
        assert isinstance(train.X, pd.DataFrame)
        counts = train.X[name].value_counts()
        if len(counts) <= self.most_categories:
            return
        kept = set(counts.index[: self.most_categories - 1])
        for part in filter(None, (train, test)):
            assert isinstance(part.X, pd.DataFrame)
            column = part.X[name]
            part.X[name] = column.where(column.isna() | column.isin(kept), OTHER)

    def _files(self) -> list[OwnFile]:
        files = [self.train] if self.test is None else [self.train, self.test]
        if len({file.name for file in files}) < len(files):
            raise CrossoverError(
                f"train and test must be files of different names, got {self.train.name!r} twice ({self.origin}); "
                "rename one of them"
            )
        return files

    @property
    def _wanted(self) -> list[str]:
        """The columns that are read."""
        ours = [name for name in (self.groups, self.time) if name is not None and name != AUTO]
        return list(dict.fromkeys([*self.columns, *ours, self.target]))

    def _sampled(self, path: Path) -> np.ndarray | None:
        """Numbers of the rows of a file that a sample keeps, so that the others are never in memory; None for all."""
        if self.sample is None:
            return None
        labels = self._read(path, [self.target])[self.target].dropna()
        if len(labels) <= self.sample:
            return None
        return labels.index.to_numpy()[subset_rows(self._codes(labels, path), self.sample, seed=0)]

    def _table(self, path: Path, rows: np.ndarray | None) -> pd.DataFrame:
        """The rows of a file that have a label, or some of them, given their numbers."""
        table = self._read(path, self._wanted, rows)
        return table[table[self.target].notna()]

    def _read(self, path: Path, names: list[str], rows: np.ndarray | None = None) -> pd.DataFrame:
        """Some columns of a file, with the number of the row as index."""
        if not path.is_file():
            raise CrossoverError(f"{path} does not exist; make it with `{self.made_by}`")
        return self._parquet(path, names, rows) if self.format == "parquet" else self._text(path, names, rows)

    def _part(self, table: pd.DataFrame, path: Path, day_first: set[str]) -> Part:
        y = self._codes(table[self.target], path)
        if self.modality == "text":
            texts = table[next(iter(self.columns))]
            return Part(
                texts.where(texts.notna(), "").astype(str).to_numpy(dtype=object), y, len(self.classes)
            )
        columns = []
        for name, kind in self.columns.items():
            column = as_input(name, table[name], kind, name in day_first)
            columns.append(column.map(fold, na_action="ignore") if name in self.folded else column)
        X = pd.concat(columns, axis=1)
        return Part(X.reset_index(drop=True), y, len(self.classes))

    def _codes(self, given: pd.Series, path: Path) -> np.ndarray:
        """The numbers of the classes of labels, int64 (n,)."""
        labels = given.astype(str).str.strip()
        codes = labels.map({label: code for code, label in enumerate(self.classes)})
        if codes.isna().any():
            raise CrossoverError(
                f"a label of {path} must be one of {self.classes}, got {labels[codes.isna()].iloc[0]!r}; "
                f"add it to classes in {self.origin}, or describe the data anew with `crossover study`"
            )
        return codes.to_numpy(dtype=np.int64)

    def _parquet(self, path: Path, names: list[str], rows: np.ndarray | None) -> pd.DataFrame:
        try:
            if rows is None:
                return pd.read_parquet(path, columns=names).reset_index(drop=True)
            kept, start = [], 0
            with pyarrow.parquet.ParquetFile(path) as file:
                if lacking := [name for name in names if name not in file.schema_arrow.names]:
                    raise ValueError(f"none of the name {lacking[0]!r}")  # the reader would leave it out
                for batch in _bar(file.iter_batches(ROWS_AT_ONCE, columns=names), path):
                    own = rows[(rows >= start) & (rows < start + batch.num_rows)] - start
                    kept.append(batch.take(pa.array(own)))
                    start += batch.num_rows
            return pa.Table.from_batches(kept).to_pandas().reset_index(drop=True)
        except (ValueError, OSError, KeyError) as error:
            raise CrossoverError(
                f"{path} must be a Parquet file with the columns of {self.origin}, got {first_line(error)}"
            ) from error

    def _text(self, path: Path, names: list[str], rows: np.ndarray | None) -> pd.DataFrame:
        """The table with numbers as float64 and all other columns as strings."""
        numbers = {name for name, kind in self.columns.items() if kind == "number"}
        types = {name: np.float64 if name in numbers else str for name in names}
        try:
            if rows is None:
                return read_text(path, self, types)
            with read_text(path, self, types, at_once=ROWS_AT_ONCE) as chunks:
                return pd.concat([chunk[chunk.index.isin(rows)] for chunk in _bar(chunks, path)])
        except (ValueError, csv.Error) as error:
            raise CrossoverError(
                self._why_not(path, error, sorted(numbers.intersection(names)), names)
            ) from error

    def _why_not(self, path: Path, error: Exception, numbers: list[str], wanted: list[str]) -> str:
        """The first thing in the wanted columns that is not as described, in a sentence."""
        advice = f"correct it, or describe the file as it is in {self.origin}"
        if isinstance(error, UnicodeError):
            return f"{path} must be text in {self.encoding}, got {first_line(error)}; {advice}"
        try:
            table = read_text(path, self, str)
        except (ValueError, csv.Error) as broken:
            return f"{path} cannot be read as a table: {first_line(broken)}; {advice}"
        if lacking := [name for name in wanted if name not in table]:
            return f"{path} must have the column {lacking[0]!r}, got {', '.join(map(str, table))}; {advice}"
        for name in numbers:
            texts = table[name].dropna()
            wrong = texts[pd.to_numeric(texts.str.replace(self.decimal, "."), errors="coerce").isna()]
            if len(wrong):
                row = wrong.index[0] + (1 if self.header else 2)
                return f"{path} must hold a number in column {name}, got {wrong.iloc[0]!r} in row {row}; {advice}"
        return f"{path}: {first_line(error)}; {advice}"


def read_text(
    path: Path, described: Any, dtype: Any, rows: int | None = None, at_once: int | None = None
) -> Any:
    """A table from text, by pandas.

    Args:
        path: the file.
        described: has `header`, `separator`, `decimal`, `encoding`, `quoted` and `missing`, as `OwnTable` does.
        dtype: pandas' argument: of all columns, or of those that are read.
        rows: at most so many; None is all.
        at_once: so many rows make a table, and the tables come one after the other; None makes one of all.

    Raises:
        ValueError: the text is not as described.
    """
    read: Any = pd.read_csv  # mypy gives up on its many forms
    return read(
        path,
        sep=r"\s+" if described.separator == WHITESPACE else described.separator,
        decimal=described.decimal,
        encoding=described.encoding,
        quoting=csv.QUOTE_MINIMAL if described.quoted else csv.QUOTE_NONE,
        header=0 if described.header is None else None,
        names=described.header,
        index_col=False,
        dtype=dtype,
        usecols=list(dtype) if isinstance(dtype, dict) else None,
        na_values=described.missing,
        keep_default_na=False,
        skipinitialspace=True,
        nrows=rows,
        chunksize=at_once,
    )


def _bar(parts: Iterable[Any], path: Path) -> Iterable[Any]:
    return tqdm(parts, desc=f"read {path.name}", unit=f" times {ROWS_AT_ONCE:,} rows", disable=None)


def take(file: OwnFile, folder: Path, name: str) -> Path:
    """Copy the user's file into a folder; the file itself stays as it is.

    Raises:
        CrossoverError: it is not there, or has changed since the data set was described.
    """
    path, target = Path(file.path), folder / file.name
    if target.exists() and pooch.file_hash(target, alg="md5") == file.md5:
        return target
    if not path.is_file():
        raise CrossoverError(
            f"{path} of the data set {name} does not exist; put it there, or name its place in conf/dataset/{name}.yaml"
        )
    if (got := pooch.file_hash(path, alg="md5")) != file.md5:
        raise CrossoverError(
            f"{path} has changed since the data set {name} was described: its MD5 sum must be {file.md5}, got {got}; "
            f"describe it anew with `crossover study {path} --name {name}`"
        )
    return Path(shutil.copyfile(path, target))


def fold(text: str) -> str:
    """A category without capitals, and with single blanks."""
    return " ".join(text.split()).casefold()


def is_day_first(column: pd.Series) -> bool:
    """Whether dates such as 01.02.2024 or 01/02/2024 name the day before the month: with dots, or where one must."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return False
    parts = column.astype("string").str.extract(_SHORT_DATE)
    return bool((parts[1] == ".").any() or (pd.to_numeric(parts[0]) > 12).any())


def as_dates(column: pd.Series, day_first: bool) -> pd.Series:
    """Dates in UTC; a value that is none becomes NaT. `day_first` is that of `is_day_first`."""
    dates = pd.to_datetime(column, errors="coerce", format="mixed", utc=True)
    if day_first:  # not for all: pandas would read 2024-01-02 as the first of February
        short = column.astype("string").str.extract(_SHORT_DATE)[0].notna()
        given = column[short]
        dates[short] = pd.to_datetime(given, errors="coerce", format="mixed", utc=True, dayfirst=True)
    return dates


def as_times(column: pd.Series, name: str, day_first: bool, decimal: str = ".") -> np.ndarray:
    """When each row was, from numbers or dates: float64 (n,), later ones larger.

    Raises:
        CrossoverError: a row has neither.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        numbers = pd.Series(np.nan, column.index)
    else:
        numbers = pd.to_numeric(
            column.astype("string").str.replace(decimal, ".", regex=False), errors="coerce"
        )
    if numbers.isna().any():
        seconds = (as_dates(column, day_first) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
        if seconds.notna().sum() > numbers.notna().sum():
            numbers = seconds
    if numbers.isna().any():
        got = column[numbers.isna()].iloc[0]
        raise CrossoverError(
            f"time must be a number or a date in each row, got {'none' if pd.isna(got) else repr(got)} in "
            f"{numbers.isna().sum():,} of {len(column):,} rows of column {name!r}; correct them, or name another column"
        )
    return numbers.to_numpy(dtype=np.float64)


def group_names(column: pd.Series, name: str) -> pd.Series:
    """The group of each row, as text.

    Raises:
        CrossoverError: a row has none.
    """
    if column.isna().any():
        raise CrossoverError(
            f"each row must have a group, got none in {column.isna().sum():,} of {len(column):,} rows of column "
            f"{name!r}; fill them in, leave these rows out, or name another column"
        )
    return column.astype(str).str.strip()


def as_input(name: str, column: pd.Series, kind: Kind, day_first: bool = False) -> pd.DataFrame:
    """The inputs that a column becomes: a float64 column, one of strings, or the numbers of a date."""
    if kind == "number":
        return pd.DataFrame({name: column.astype(np.float64)})
    if kind == "category":
        texts = [None if pd.isna(value) else str(value).strip() for value in column]
        return pd.DataFrame({name: pd.Series(texts, column.index, dtype="str")})
    return numbers_of_dates(name, as_dates(column, day_first), hour=kind == "datetime")
