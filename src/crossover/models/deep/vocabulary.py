"""Texts as numbers of words, for networks: a vocabulary of the training part alone."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from pydantic import PositiveInt

from crossover.core.files import read_json, write_json
from crossover.core.settings import Settings

PADDING, UNKNOWN = 0, 1
"""Numbers of what fills a short text up, and of a word that the vocabulary lacks; its words count from 2."""

_WORD = re.compile(r"\w+|[^\w\s]")

_FILE = "vocabulary.json"


class TextSettings(Settings):
    """How a network reads texts.

    Attributes:
        vocabulary: words that it knows, the most frequent ones of the training part; those that are there once are not
            among them.
        length: words of a text that it reads, the first ones.
    """

    vocabulary: PositiveInt
    length: PositiveInt


class Vocabulary:
    """Turns texts into rows of numbers; words are in small letters, and each mark is a word.

    Args:
        words: in the order of their numbers.
        length: of a row.
    """

    def __init__(self, words: Sequence[str], length: int) -> None:
        self.words, self.length = list(words), length
        self._numbers = {word: number for number, word in enumerate(self.words, start=UNKNOWN + 1)}

    @classmethod
    def of(cls, texts: Iterable[str], settings: TextSettings) -> Self:
        """That of the texts of a training part; a row is as long as the longest of them, up to `settings.length`."""
        counts: Counter[str] = Counter()
        longest = 1
        for text in texts:
            words = _words(text)
            counts.update(words)
            longest = max(longest, len(words))
        frequent = sorted(
            (word for word, count in counts.items() if count > 1), key=lambda w: (-counts[w], w)
        )
        return cls(frequent[: settings.vocabulary], min(longest, settings.length))

    def __len__(self) -> int:
        """How many numbers there are, those of padding and unknown words among them."""
        return len(self.words) + 2

    def transform(self, texts: Iterable[str]) -> np.ndarray:
        """int32 (n, length), filled up with `PADDING`; a text without a word is one unknown word."""
        rows = [[self._numbers.get(word, UNKNOWN) for word in _words(text)[: self.length]] for text in texts]
        out = np.full((len(rows), self.length), PADDING, dtype=np.int32)
        for row, numbers in zip(out, rows, strict=True):
            row[: max(1, len(numbers))] = numbers or UNKNOWN
        return out

    def save(self, folder: Path) -> None:
        """Write `vocabulary.json`."""
        write_json(folder / _FILE, {"length": self.length, "words": self.words})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it back."""
        state = read_json(folder / _FILE, "dvc repro")
        return cls(state["words"], state["length"])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
