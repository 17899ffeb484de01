"""Tables that are published as comma-separated text without a header, such as those of the UCI repository."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import NonNegativeInt

from crossover.core.errors import CrossoverError
from crossover.core.settings import Settings, checked
from crossover.data.fetch import PublishedFile, fetch, require_published
from crossover.data.prepared import Part
from crossover.data.source import DataSource, RawData

Kind = Literal["number", "category"]


class TextFile(Settings):
    """One part of a data set.

    Attributes:
        name: what the file is called.
        md5: its checksum, in hexadecimal.
        skip_lines: lines at the top that hold no example.
        label_suffix: what stands behind each label in this file.
    """

    name: str
    md5: str
    skip_lines: NonNegativeInt = 0
    label_suffix: str = ""


@dataclass(frozen=True)
class _Row:
    """One example as text, and where it stands."""

    line: int
    values: list[str]


class DelimitedTable(DataSource):
    """A table in one file or in two, for training and testing; the label is the last value of a line."""

    modality = "table"

    @checked
    def __init__(
        self,
        *,
        name: str,
        addresses: Sequence[str],
        columns: Mapping[str, Kind],
        classes: Sequence[str],
        train: TextFile,
        test: TextFile | None = None,
        missing: str = "?",
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
        """
        super().__init__(name)
        self.addresses = list(addresses)
        self.columns = dict(columns)
        self.classes = list(classes)
        self.train, self.test = train, test
        self.missing = missing

    def download(self, folder: Path) -> list[Path]:
        files = [self.train] if self.test is None else [self.train, self.test]
        return [fetch(self._published(file), self.name, folder) for file in files]

    def load(self, folder: Path) -> RawData:
        test = None if self.test is None else self._part(self.test, folder)
        return RawData(self._part(self.train, folder), test, self.classes)

    def _published(self, file: TextFile) -> PublishedFile:
        return PublishedFile(
            file.name, file.md5, tuple(f"{a.rstrip('/')}/{file.name}" for a in self.addresses)
        )

    def _part(self, file: TextFile, folder: Path) -> Part:
        path = require_published(self._published(file), folder, self.made_by)
        rows = self._rows(path, file.skip_lines)
        columns = zip(*(row.values for row in rows), strict=True)
        X = {name: self._column(name, next(columns), rows, path) for name in self.columns} if rows else {}
        return Part(pd.DataFrame(X), self._labels(rows, file.label_suffix, path), len(self.classes))

    def _rows(self, path: Path, skip_lines: int) -> list[_Row]:
        width = len(self.columns) + 1
        with path.open(newline="", encoding="utf-8") as text:
            lines = csv.reader(text, skipinitialspace=True)
            rows = [_Row(lines.line_num, [v.strip() for v in values]) for values in lines if values]
        rows = [row for row in rows if row.line > skip_lines]
        for row in rows:
            if len(row.values) != width:
                raise self._mismatch(path, row, f"must hold {width} values, got {len(row.values)}")
        return rows

    def _column(self, name: str, texts: Sequence[str], rows: list[_Row], path: Path) -> pd.Series:
        """One variable: float64, or strings; missing is null."""
        values = pd.Series([None if text == self.missing else text for text in texts], dtype=object)
        if self.columns[name] == "category":
            return pd.Series(values.to_list())  # pandas' own type for strings
        numbers = pd.to_numeric(values, errors="coerce").astype(np.float64)
        if (wrong := np.flatnonzero(numbers.isna() & values.notna())).size:
            row = rows[wrong[0]]
            raise self._mismatch(path, row, f"must hold a number in column {name}, got {values[wrong[0]]!r}")
        return numbers

    def _labels(self, rows: list[_Row], suffix: str, path: Path) -> np.ndarray:
        codes = {f"{label}{suffix}": code for code, label in enumerate(self.classes)}
        for row in rows:
            if row.values[-1] not in codes:
                raise self._mismatch(path, row, f"must end in one of {list(codes)}, got {row.values[-1]!r}")
        return np.array([codes[row.values[-1]] for row in rows], dtype=np.int64)

    def _mismatch(self, path: Path, row: _Row, rule: str) -> CrossoverError:
        return CrossoverError(
            f"line {row.line} of {path} {rule}; describe the file as it is in {self.origin}"
        )
