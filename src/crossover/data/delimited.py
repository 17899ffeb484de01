"""Tables that are published as comma-separated text without a header, such as those of the UCI repository."""

import codecs
import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from pydantic import NonNegativeInt, PositiveInt

from crossover.core.errors import CrossoverError, first_line
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import AllDifferent, FileName, Name, Settings, checked
from crossover.data.fetch import MOST_BYTES, PublishedFile, fetch, require_published
from crossover.data.prepared import Part
from crossover.data.source import DataSource, RawData

Kind = Literal["number", "category"]


class TextFile(Settings):
    """One part of a data set.

    Attributes:
        name: what the file is called.
        md5: its checksum, in hexadecimal.
        skip_lines: lines at the top that hold no example.
        label_suffix: text that follows each label in this file.
    """

    name: FileName
    md5: str
    skip_lines: NonNegativeInt = 0
    label_suffix: str = ""


class DelimitedTable(DataSource):
    """A table in one file or in two, for training and testing; the label is the last value of a line."""

    modality = "table"

    @checked
    def __init__(
        self,
        *,
        name: Name,
        addresses: Sequence[str],
        columns: Mapping[str, Kind],
        classes: Annotated[Sequence[str], AllDifferent],
        train: TextFile,
        test: TextFile | None = None,
        missing: str = "?",
        most_bytes: PositiveInt = MOST_BYTES,
        caveat: str = "",
        metric: Metric = ACCURACY,
    ) -> None:
        """Describe a table.

        Args:
            name: of the data set.
            addresses: folders that hold the files, the publisher's first.
            columns: the columns in their order, each "number" or "category".
            classes: the labels as they stand in the files.
            train: the file of the training part, or of all examples.
            test: the file of the publisher's test part, if there is one.
            missing: what stands for a missing value.
            most_bytes: of a file; no more is fetched.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        self.addresses = list(addresses)
        self.columns = dict(columns)
        self.classes = list(classes)
        self.train, self.test = train, test
        self.missing = missing
        self.most_bytes = most_bytes

    def download(self, folder: Path) -> list[Path]:
        files = [self.train] if self.test is None else [self.train, self.test]
        return [fetch(self._published(file), self.name, folder) for file in files]

    def load(self, folder: Path) -> RawData:
        test = None if self.test is None else self._part(self.test, folder)
        return RawData(self._part(self.train, folder), test, self.classes)

    def _published(self, file: TextFile) -> PublishedFile:
        addresses = tuple(f"{address.rstrip('/')}/{file.name}" for address in self.addresses)
        return PublishedFile(file.name, file.md5, addresses, self.most_bytes)

    def _part(self, file: TextFile, folder: Path) -> Part:
        """The examples of one file, each line checked against the description."""
        path = require_published(self._published(file), folder, self.made_by)
        with path.open("rb") as start:
            encoding = (
                "utf-16" if start.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
            )
        try:
            return self._read_at_once(file, path, encoding)
        except (
            pa.ArrowException,
            ValueError,
        ):  # reading line by line accepts it, or tells which line is wrong
            return self._read_lines(file, path, encoding)

    def _read_at_once(self, file: TextFile, path: Path, encoding: str) -> Part:
        """The examples by Arrow, column by column, in little more memory than the numbers take.

        Raises:
            pa.ArrowException, ValueError: something is not as described.
        """
        label = "\0"  # no column's name
        types = {
            name: pa.float64() if kind == "number" else pa.string() for name, kind in self.columns.items()
        }
        table = pyarrow.csv.read_csv(
            path,
            pyarrow.csv.ReadOptions(
                column_names=[*self.columns, label], skip_rows=file.skip_lines, encoding=encoding
            ),
            pyarrow.csv.ParseOptions(newlines_in_values=True),
            pyarrow.csv.ConvertOptions(
                column_types=types | {label: pa.string()}, null_values=[self.missing, f" {self.missing}"]
            ),
        )
        codes = pa.array(f"{name}{file.label_suffix}" for name in self.classes)
        y = pc.index_in(pc.utf8_trim_whitespace(table[label]), codes)
        if y.null_count:
            raise ValueError("a label that is no class")
        X: dict[str, pd.Series] = {}
        for name, kind in self.columns.items():
            column = table[name]
            table = table.drop_columns(name)  # its memory is free when it is converted
            if kind == "category":
                column = pc.utf8_trim_whitespace(column)
                column = pc.if_else(pc.equal(column, self.missing), pa.scalar(None, pa.string()), column)
            X[name] = column.to_pandas()
            X[name].name = None
        labels = y.to_numpy().astype(np.int64)
        del table, column, y
        pa.default_memory_pool().release_unused()
        return Part(pd.DataFrame(X, copy=False), labels, len(self.classes))

    def _read_lines(self, file: TextFile, path: Path, encoding: str) -> Part:
        """The same by Python's reader, which knows the number of a line, and needs many times the memory."""
        try:
            with path.open(newline="", encoding=encoding) as text:
                reader = csv.reader(text, skipinitialspace=True)
                read = [(reader.line_num, [value.strip() for value in values]) for values in reader if values]
        except UnicodeError as error:
            raise CrossoverError(
                f"{path} must be text in UTF-8 or UTF-16, got {first_line(error)}; save it as such"
            ) from error
        except csv.Error as error:
            raise self._mismatch(path, reader.line_num, f"must be comma-separated text: {error}") from error
        lines = [line for line, _ in read if line > file.skip_lines]
        rows = [values for line, values in read if line > file.skip_lines]
        codes = {f"{label}{file.label_suffix}": code for code, label in enumerate(self.classes)}
        width = len(self.columns) + 1
        for line, values in zip(lines, rows, strict=True):
            if len(values) != width:
                raise self._mismatch(path, line, f"must hold {width} values, got {len(values)}")
            if values[-1] not in codes:
                raise self._mismatch(path, line, f"must end in one of {list(codes)}, got {values[-1]!r}")
        X: dict[str, pd.Series] = {}
        for name, texts in zip(self.columns, zip(*rows, strict=True), strict=False):  # the labels come last
            column = pd.Series([None if text == self.missing else text for text in texts], dtype=object)
            if self.columns[name] == "category":
                X[name] = pd.Series(column.to_list())  # pandas' own type for strings
                continue
            X[name] = pd.to_numeric(column, errors="coerce").astype(np.float64)
            if (wrong := np.flatnonzero(X[name].isna() & column.notna())).size:
                rule = f"must hold a number in column {name}, got {column[wrong[0]]!r}"
                raise self._mismatch(path, lines[wrong[0]], rule)
        y = np.array([codes[row[-1]] for row in rows], dtype=np.int64)
        return Part(pd.DataFrame(X), y, len(self.classes))

    def _mismatch(self, path: Path, line: int, rule: str) -> CrossoverError:
        return CrossoverError(f"line {line} of {path} {rule}; describe the file as it is in {self.origin}")
