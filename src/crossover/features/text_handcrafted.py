"""Texts as numbers that a person would look at: lengths, digits, capitals, punctuation, money, addresses."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import AfterValidator

from crossover.core.files import read_json, write_json
from crossover.core.settings import checked
from crossover.data.prepared import Input, Part, texts_of
from crossover.features.base import FeatureSet

SHARES = ("digits", "capitals", "punctuation", "blanks")
"""Kinds of characters, whose share of the text is a column each."""


def _is_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"must be a regular expression, got {pattern!r} ({error})") from error
    return pattern


class TextHandcrafted(FeatureSet):
    """The numbers of characters and words, the mean length of a word, the shares of kinds of characters and of words in
    capitals and of different words, and how often each pattern occurs.

    Args:
        modalities: the kinds of data set that the feature set takes.
        counts: names and regular expressions, a column each.
    """

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        counts: Mapping[str, Annotated[str, AfterValidator(_is_pattern)]],
    ) -> None:
        super().__init__(modalities)
        self.counts = dict(counts)
        self._patterns = [re.compile(pattern) for pattern in self.counts.values()]

    def fit(self, train: Part) -> Self:
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        return np.array([self._described(text) for text in texts_of(X)], dtype=np.float32).reshape(len(X), -1)

    def _described(self, text: str) -> list[float]:
        words, length = text.split(), max(1, len(text))
        letters = sum(map(len, words))
        kinds = (
            sum(map(str.isdigit, text)),
            sum(map(str.isupper, text)),
            sum(not (c.isalnum() or c.isspace()) for c in text),
            sum(map(str.isspace, text)),
        )
        many = max(1, len(words))
        return [
            len(text),
            len(words),
            letters / many,
            *(count / length for count in kinds),
            sum(len(word) > 1 and word.isupper() for word in words) / many,
            len({word.casefold() for word in words}) / many,
            *(len(pattern.findall(text)) for pattern in self._patterns),
        ]

    def names(self) -> list[str]:
        shares = [f"share of {kind}" for kind in SHARES]
        return [
            "characters",
            "words",
            "length of a word",
            *shares,
            "share of words in capitals",
            "share of different words",
            *self.counts,
        ]

    def save(self, folder: Path) -> None:
        write_json(
            folder / "text.json", {"modalities": sorted(self.modalities), "counts": [*self.counts.items()]}
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "text.json", "dvc repro")
        return cls(modalities=state["modalities"], counts=dict(state["counts"]))
