"""Texts as counts of their words and runs of characters, weighted by tf-idf: one sparse row a text."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from pydantic import PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.files import read_array, read_json, write_json
from crossover.core.settings import Settings, checked
from crossover.data.prepared import Input, Part
from crossover.features.base import FeatureSet

_KEYS = {"word": "words", "char_wb": "chars"}
"""From scikit-learn's names of what is counted to those of the YAML."""


class Terms(Settings):
    """What is counted.

    Attributes:
        shortest: words, or characters, in a row …
        longest: … from so many to so many.
        most: different ones that are kept, the most frequent ones of the training part.
        least_texts: a rarer one, which is in fewer texts of the training part, is left out; unless all are that rare.
    """

    shortest: PositiveInt
    longest: PositiveInt
    most: PositiveInt
    least_texts: PositiveInt


class TfIdf(FeatureSet):
    """Words, characters or both, weighted by tf-idf as scikit-learn has it.

    A count c becomes 1 + ln c, is multiplied by ln((1 + n) / (1 + d)) + 1, where d of the n texts of the training part
    have the term, and each text's row is scaled to length 1.

    Args:
        modalities: the kinds of data set that the feature set takes.
        words: which rows of words are counted, in small letters; None for none.
        chars: which runs of characters, within words and their borders; None for none.
    """

    learns = True

    @checked
    def __init__(self, *, modalities: Iterable[str], words: Terms | None, chars: Terms | None) -> None:
        super().__init__(modalities)
        self.terms = {
            kind: terms for kind, terms in (("word", words), ("char_wb", chars)) if terms is not None
        }
        if not self.terms:
            raise CrossoverError("words or chars must be given, got null for both")
        self._vectorizers: dict[str, Any] = {}

    def fit(self, train: Part) -> Self:
        for kind, terms in self.terms.items():
            try:
                vectorizer = _vectorizer(kind, terms, terms.least_texts).fit(train.X)
            except ValueError:
                try:
                    vectorizer = _vectorizer(kind, terms, 1).fit(train.X)
                except ValueError as error:
                    raise CrossoverError(
                        f"texts must hold words to count, got none in {len(train)} texts; use other features"
                    ) from error
            self._vectorizers[kind] = vectorizer
        return self

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        from scipy.sparse import csr_matrix, hstack

        blocks = [vectorizer.transform(X) for vectorizer in self._vectorizers.values()]
        return csr_matrix(hstack(blocks, format="csr", dtype=np.float32))

    def names(self) -> list[str]:
        title = {"words": "words", "chars": "characters"}
        return [
            f"{title[_KEYS[kind]]} ({len(found.vocabulary_)})" for kind, found in self._vectorizers.items()
        ]

    def save(self, folder: Path) -> None:
        state: dict[str, Any] = {"modalities": sorted(self.modalities), "words": None, "chars": None}
        for kind, vectorizer in self._vectorizers.items():
            vocabulary = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.get)
            state[_KEYS[kind]] = {"terms": self.terms[kind].model_dump(), "vocabulary": vocabulary}
            np.save(folder / f"idf_{_KEYS[kind]}.npy", vectorizer.idf_)
        write_json(folder / "words.json", state)

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "words.json", "dvc repro")
        terms = {key: state[key] and Terms(**state[key]["terms"]) for key in _KEYS.values()}
        features = cls(modalities=state["modalities"], **terms)
        for kind in features.terms:
            key = _KEYS[kind]
            vectorizer = _vectorizer(kind, terms[key], 1)
            vectorizer.vocabulary = {term: column for column, term in enumerate(state[key]["vocabulary"])}
            vectorizer.idf_ = read_array(folder / f"idf_{key}.npy", "dvc repro")
            features._vectorizers[kind] = vectorizer
        return features


def _vectorizer(kind: str, terms: Terms, least_texts: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    analyzer: Literal["word", "char_wb"] = "word" if kind == "word" else "char_wb"
    return TfidfVectorizer(
        analyzer=analyzer,
        ngram_range=(terms.shortest, max(terms.shortest, terms.longest)),
        max_features=terms.most,
        min_df=least_texts,
        sublinear_tf=True,
        dtype=np.float32,
        token_pattern=r"(?u)\b\w+\b" if kind == "word" else None,  # a single letter is a word, too
    )
