"""Pairs of texts that are equal but for a few words."""

import re
from collections.abc import Sequence
from itertools import chain

import numpy as np

WORDS_A_CHANGE = 10
"""Of so many words, one may be another one, be missing or be added; shorter texts are equal or are not."""

SEQUENCE = 5
"""Words. With one change in 10, two in 20 and so on, so many words are left in a row somewhere."""

MOST_CANDIDATES = 100
"""Texts that one is compared with at most, those first that share its rarest sequences."""


def long_enough(text: str) -> bool:
    """Whether a text has enough words for one of them to be changed."""
    return len(_words(text)) >= WORDS_A_CHANGE


def near_pairs(texts: Sequence[str], looked_at: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Texts with a tenth of their words or fewer changed, without regard to capitals, marks and blanks.

    Args:
        texts: all of them.
        looked_at: which texts to find others for, int64.
        among: which texts to look for, int64; a text is none of its own.

    Returns:
        int64 (pairs, 2): a text of `looked_at`, and one of `among`.
    """
    words = {k: _words(texts[k]) for k in looked_at.tolist()}
    words = {k: own for k, own in words.items() if len(own) >= WORDS_A_CHANGE}
    holders: dict[int, list[int]] = {sequence: [] for own in words.values() for sequence in _sequences(own)}
    for k in among.tolist():
        for sequence in set(_sequences(_words(texts[k]))):
            if sequence in holders:
                holders[sequence].append(k)
    pairs = []
    for k, own in words.items():
        changes = len(own) // WORDS_A_CHANGE
        # A change spoils at most SEQUENCE sequences, so of one more than they can spoil, the rarest, one is left.
        rarest_first = sorted(_sequences(own), key=lambda sequence: len(holders[sequence]))
        rarest = rarest_first[: changes * SEQUENCE + 1]
        candidates: set[int] = set()
        for other in chain.from_iterable(holders[sequence] for sequence in rarest):
            if other == k or other in candidates:
                continue
            candidates.add(other)
            if len(candidates) > MOST_CANDIDATES:
                break
            if _within(own, _words(texts[other]), changes):
                pairs.append((k, other))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _sequences(words: list[str]) -> list[int]:
    """A number for each of the text's sequences of words, equal where they are."""
    return [hash(tuple(words[i : i + SEQUENCE])) for i in range(len(words) - SEQUENCE + 1)]


def _within(one: list[str], other: list[str], most: int) -> bool:
    """Whether at most so many words added, removed or replaced make one text the other (Levenshtein's distance)."""
    if abs(len(one) - len(other)) > most:
        return False
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    start = next((k for k, both in enumerate(zip(one, other, strict=False)) if both[0] != both[1]), 0)
    one, other = one[start:], other[start:]
    far = most + 1
    row = {j: j for j in range(min(most, len(other)) + 1)}
    for i, word in enumerate(one, 1):
        before, row = row, {}
        for j in range(max(0, i - most), min(len(other), i + most) + 1):
            same = before.get(j - 1, far) + (j > 0 and word != other[j - 1])
            row[j] = min(same, before.get(j, far) + 1, row.get(j - 1, far) + 1)
        if min(row.values()) > most:
            return False
    return row[len(other)] <= most
