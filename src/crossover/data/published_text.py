"""Texts with labels in delimited files, as their publishers give them: SMS Spam, AG News."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd
from pydantic import Field, PositiveInt

from crossover.core.errors import CrossoverError, first_line
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import FileName, Name, Settings, checked
from crossover.data.fetch import MOST_BYTES, PublishedFile, fetch, require_published
from crossover.data.prepared import Part
from crossover.data.source import DataSource, RawData

Checksum = Annotated[str, Field(pattern="^([0-9a-f]{32}|[0-9a-f]{64})$")]


class TextsFile(Settings):
    """One part of a data set.

    Attributes:
        name: what the file is called.
        checksum: in hexadecimal, MD5 or SHA-256.
        member: of a ZIP archive, the file that holds the texts.
    """

    name: FileName
    checksum: Checksum
    member: str | None = None


class PublishedTexts(DataSource):
    """Texts in one file or in two, for training and testing, without a line of names."""

    modality = "text"

    @checked
    def __init__(
        self,
        *,
        name: Name,
        addresses: Sequence[str],
        train: TextsFile,
        test: TextsFile | None = None,
        columns: Annotated[Sequence[str], Field(min_length=2)],
        label: str,
        text: Annotated[Sequence[str], Field(min_length=1)],
        classes: Annotated[Mapping[str, str], Field(min_length=2)],
        separator: Annotated[str, Field(min_length=1, max_length=1)] = ",",
        quoted: bool = True,
        encoding: str = "utf-8",
        most_bytes: PositiveInt = MOST_BYTES,
        caveat: str = "",
        metric: Metric = ACCURACY,
    ) -> None:
        """Describe the files.

        Args:
            name: of the data set.
            addresses: folders that hold the files, the publisher's first.
            train: the file of the training part, or of all examples.
            test: the file of the publisher's test part, if there is one.
            columns: their names, in the files' order.
            label: the column of the labels.
            text: the columns that make the text, joined by a blank.
            classes: from each label, as it stands in the files, to the name of its class.
            separator: between the values.
            quoted: whether quotation marks around a value are no part of it.
            encoding: of the files.
            most_bytes: of a file; no more is fetched.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        self.addresses, self.most_bytes = list(addresses), most_bytes
        self.train, self.test = train, test
        self.columns, self.label, self.text = list(columns), label, list(text)
        self.classes = dict(classes)
        self.separator, self.quoted, self.encoding = separator, quoted, encoding
        for column in (label, *text):
            if column not in columns:
                raise CrossoverError(
                    f"label and text must be among the columns, got {column!r} ({self.origin})"
                )

    def download(self, folder: Path) -> list[Path]:
        files = [self.train] if self.test is None else [self.train, self.test]
        return [fetch(self._published(file), self.name, folder) for file in files]

    def load(self, folder: Path) -> RawData:
        test = None if self.test is None else self._part(self.test, folder)
        return RawData(self._part(self.train, folder), test, list(self.classes.values()))

    def _published(self, file: TextsFile) -> PublishedFile:
        addresses = tuple(f"{address.rstrip('/')}/{file.name}" for address in self.addresses)
        return PublishedFile(file.name, file.checksum, addresses, self.most_bytes)

    def _part(self, file: TextsFile, folder: Path) -> Part:
        path = require_published(self._published(file), folder, self.made_by)
        try:
            if file.member is None:
                table = self._read(path)
            else:
                with ZipFile(path) as archive, archive.open(file.member) as inside:
                    table = self._read(inside)
        except (ValueError, KeyError, BadZipFile, csv.Error) as error:
            raise CrossoverError(
                f"{path} must hold texts as {self.origin} describes them, got {first_line(error)}; describe the file "
                "as it is"
            ) from error
        codes = table[self.label].str.strip().map({label: code for code, label in enumerate(self.classes)})
        if codes.isna().any():
            line = int(np.flatnonzero(codes.isna())[0])
            raise CrossoverError(
                f"a label of {path} must be one of {list(self.classes)}, got {table[self.label].iloc[line]!r} in row "
                f"{line + 1}; describe the file as it is in {self.origin}"
            )
        texts = table[self.text].agg(" ".join, axis=1)
        return Part(texts.to_numpy(dtype=object), codes.to_numpy(dtype=np.int64), len(self.classes))

    def _read(self, source: object) -> pd.DataFrame:
        return pd.read_csv(
            source,  # type: ignore[call-overload]
            sep=self.separator,
            encoding=self.encoding,
            quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            header=None,
            names=self.columns,
            index_col=False,
            dtype=str,
            keep_default_na=False,
        )
