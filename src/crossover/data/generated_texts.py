"""Texts made of pseudo-words by a rule that is known: nothing is fetched, and who should win is known beforehand.

"words": each class draws its words from frequencies of its own, independently of each other. Multinomial naive Bayes is
the true model, and a linear model on counts of words can be as good; a network can be no better.

"order": each text holds two marked words, and its class says which of them comes first. Both classes have the same
words equally often, so that counts of words tell nothing: a model of sequences alone can be right.
"""

import hashlib
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, NonNegativeInt

from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, write_json
from crossover.core.metric import ACCURACY, Metric
from crossover.core.settings import Name, checked
from crossover.data.prepared import Part
from crossover.data.source import DataSource, RawData

RECORD = "generated.json"
"""What stands for the raw files: the checksum of the texts."""

Share = Annotated[float, Field(gt=0, lt=1)]


class GeneratedTexts(DataSource):
    """Texts of two classes; the download writes their checksum, which a later NumPy must repeat."""

    modality = "text"

    @checked
    def __init__(
        self,
        *,
        name: Name,
        rule: Literal["words", "order"],
        examples: Annotated[int, Field(ge=20)],
        positives: Share,
        vocabulary: Annotated[int, Field(ge=10, le=4800)],
        words: Annotated[Sequence[int], Field(min_length=2, max_length=2)],
        strength: Annotated[float, Field(ge=0)] = 0.0,
        wrong: Annotated[float, Field(ge=0, lt=0.5)] = 0.0,
        seed: NonNegativeInt = 0,
        caveat: str = "",
        metric: Metric = ACCURACY,
    ) -> None:
        """Name the rule.

        Args:
            name: of the data set.
            rule: as the module's docstring explains.
            examples: how many.
            positives: share of the second class.
            vocabulary: different words, whose frequencies fall as 1 / rank (Zipf's law).
            words: the least and the most of a text.
            strength: of "words": standard deviation of the logarithm of the ratio of a word's two frequencies.
            wrong: share of the labels that are turned round, so that nobody can be right about more than the others.
            seed: of everything that is drawn.
            caveat: see `DataSource`.
            metric: likewise.
        """
        super().__init__(name, caveat, metric)
        if not 2 <= words[0] <= words[1]:
            raise CrossoverError(
                f"words must be two numbers, 2 or more, that rise, got {list(words)} ({self.origin})"
            )
        self.rule, self.examples, self.positives, self.vocabulary = rule, examples, positives, vocabulary
        self.words, self.strength, self.wrong, self.seed = words, strength, wrong, seed

    def download(self, folder: Path) -> list[Path]:
        part = self._made()
        write_json(folder / RECORD, {"library": "numpy", "sha256": _checksum(part)})
        return [folder / RECORD]

    def load(self, folder: Path) -> RawData:
        part, expected = self._made(), read_json(folder / RECORD, self.made_by)["sha256"]
        if (got := _checksum(part)) != expected:
            raise CrossoverError(
                f"the SHA-256 checksum of the texts of {self.name} must be {expected}, got {got} with the installed "
                f"NumPy; install the locked one, or accept it with `{self.made_by}`"
            )
        return RawData(part, None, ["negative", "positive"])

    def _made(self) -> Part:
        rng = np.random.default_rng(self.seed)
        syllables = ["".join(pair) for pair in product("bdfgklmnprstvz", "aeiou")]
        pairs = ["".join(pair) for pair in product(syllables, repeat=2)]
        vocabulary = np.array(pairs, dtype=object)[rng.permutation(len(pairs))[: self.vocabulary + 2]]
        first, second, common = vocabulary[0], vocabulary[1], vocabulary[2:]
        y = rng.permutation(
            (np.arange(self.examples) < round(self.positives * self.examples)).astype(np.int64)
        )
        log_frequency = -np.log(np.arange(1, len(common) + 1))
        tilt = (
            self.strength * rng.standard_normal(len(common)) / 2
            if self.rule == "words"
            else np.zeros(len(common))
        )
        frequencies = [np.exp(log_frequency + side * tilt) for side in (-1, 1)]
        texts = np.empty(self.examples, dtype=object)
        for row, label in enumerate(y):
            count = int(rng.integers(self.words[0], self.words[1] + 1))
            drawn = list(rng.choice(common, count, p=frequencies[label] / frequencies[label].sum()))
            if self.rule == "order":
                places = np.sort(rng.choice(count, 2, replace=False))
                for place, word in zip(places, (first, second) if label else (second, first), strict=True):
                    drawn[place] = word
            texts[row] = " ".join(drawn)
        turned = rng.random(self.examples) < self.wrong
        return Part(texts, np.where(turned, 1 - y, y), 2)


def _checksum(part: Part) -> str:
    return hashlib.sha256("\n".join([*part.X, *map(str, part.y)]).encode()).hexdigest()
