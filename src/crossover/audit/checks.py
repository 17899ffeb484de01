"""The checks of a prepared data set. Nothing that they compute goes into training or selection."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from crossover.audit.finding import Checks, Finding, Findings, Picture
from crossover.audit.near_texts import long_enough, near_pairs
from crossover.audit.numbers import numbers_of, small_images
from crossover.audit.quotes import quoted
from crossover.core.metric import ACCURACY
from crossover.data.dates import date_columns
from crossover.data.prepared import Input, Part, PartName, Prepared, keys_of, modality_of, texts_of

PARTS: tuple[PartName, PartName] = ("train", "test")

SHOWN = 20
"""Examples that a finding names."""

MOST_ROWS = 5000
"""Examples that a check looks at which fits models, drawn at random."""

DOUBTED = 0.1
"""Probability of an example's label up to which a model doubts it."""

ALIKE = 0.998
"""Correlation of the pixels of two images, scaled to 16 by 16, from which they count as nearly equal."""


@dataclass(frozen=True)
class Measured:
    """What a check measured, whatever its threshold; the other fields are those of `Finding`.

    Attributes:
        scores: by column, where the check scores each of them: `examples` and `n` follow from the threshold.
        pictures: likewise as in `Finding`.
    """

    value: float
    n: int
    of: int
    examples: list[str]
    test_rows: dict[int, list[int]]
    scores: dict[str, float] | None = None
    pictures: list[Picture] = field(default_factory=list)


class Audited:
    """A prepared data set, read once for all checks.

    Args:
        prepared: its first split.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.first = prepared
        self.splits = [prepared.of(k) for k in range(prepared.meta.splits)]
        self.modality = prepared.meta.modality

    @cached_property
    def train(self) -> Part:
        return self.first.train()

    @cached_property
    def test(self) -> Part:
        return self.first.test()

    @cached_property
    def parts(self) -> list[Part]:
        """Each example once: the first training part, the first test part, and what only other splits have."""
        found, seen = [self.train, self.test], self._rows(self.first)
        for split in self.splits[1:]:
            for part in PARTS:  # what the first split leaves out, so that no group is parted
                rows = split.rows(part)
                if (new := ~np.isin(rows, seen)).any():
                    whole = split.train() if part == "train" else split.test()
                    found.append(whole.take(np.flatnonzero(new)))
                    seen = np.concatenate([seen, rows[new]])
        return found

    @cached_property
    def numbers(self) -> np.ndarray:
        """Of each example of `parts`, its row in the raw files; a publisher's test part is counted on: int64 (n,)."""
        if len(self.splits) == 1:
            return np.arange(len(self.train) + len(self.test))
        rows = np.concatenate([self._rows(split) for split in self.splits])
        return rows[np.sort(np.unique(rows, return_index=True)[1])]

    @cached_property
    def places(self) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        """By split, where in `parts`, one after the other, the rows of its training and of its test part are."""
        if len(self.splits) == 1:
            n = len(self.train)
            return {0: np.arange(n)}, {0: n + np.arange(len(self.test))}
        place = np.empty(self.numbers.max() + 1, dtype=np.int64)
        place[self.numbers] = np.arange(len(self.numbers))
        train, test = ({k: place[split.rows(part)] for k, split in enumerate(self.splits)} for part in PARTS)
        return train, test

    @cached_property
    def keys(self) -> np.ndarray:
        """Of each example of `parts`, equal where examples are, whatever their labels: int64 (n,)."""
        return keys_of(*(part.X for part in self.parts))

    def _rows(self, split: Prepared) -> np.ndarray:
        return np.concatenate([split.rows(part) for part in PARTS])

    def sample(self, part: Part) -> np.ndarray:
        """Rows of at most `MOST_ROWS` of its examples, sorted."""
        rows = np.random.default_rng(0).permutation(len(part))[:MOST_ROWS]
        return np.sort(rows)


def audit(prepared: Prepared, checks: Checks) -> Findings:
    """Run the checks that apply.

    Args:
        prepared: the data set.
        checks: thresholds, and what is muted.
    """
    data = Audited(prepared)
    found = Findings([], {})
    for code, check in checks.checks.items():
        if code in checks.muted:
            continue
        measured = CHECKS[code](data)
        if measured is None:
            continue
        if check.beyond(measured.value, check.threshold):
            voids = check.beyond(measured.value, check.voids)
            about = (check.title, check.why, check.do)
            n, examples = measured.n, measured.examples
            if measured.scores is not None:
                told = sorted(measured.scores.items(), key=lambda one: -one[1])
                told = [(name, score) for name, score in told if check.beyond(score, check.threshold)]
                n, examples = len(told), [f"{name} ({score:.3f})" for name, score in told[:SHOWN]]
            numbers = (measured.value, n, measured.of)
            shown = (examples, measured.test_rows)
            found.findings.append(Finding(code, *about, *numbers, *shown, voids, measured.pictures))
        else:
            found.clean[code] = check.title
    return found


def repeats(data: Audited) -> Measured:
    """A01: rows of the training part that an earlier one is equal to."""
    own = data.keys[data.places[0][0]]
    first = np.unique(own, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(own)), first)
    return Measured(len(again) / len(own), len(again), len(own), _rows(again), {})


def leaks(data: Audited) -> Measured:
    """A02: test examples that are equal to one in the training part; the mean share over the splits."""
    keys, (train, test) = data.keys, data.places
    found = {k: np.flatnonzero(np.isin(keys[test[k]], keys[train[k]])) for k in train}
    n, of = sum(map(len, found.values())), sum(map(len, test.values()))
    return Measured(n / of, n, of, _rows(found[0]), _by_split(found))


def contradictions(data: Audited) -> Measured:
    """A03: examples that are equal to one with another label."""
    keys, (_, test) = data.keys, data.places
    labels = np.concatenate([part.y for part in data.parts])
    order = np.lexsort((labels, keys))
    changes = (keys[order][1:] == keys[order][:-1]) & (labels[order][1:] != labels[order][:-1])
    wrong = np.isin(keys, keys[order][1:][changes])
    found = {k: np.flatnonzero(wrong[rows]) for k, rows in test.items()}
    shown = _rows(np.sort(data.numbers[wrong]))
    return Measured(float(wrong.mean()), int(wrong.sum()), len(keys), shown, _by_split(found))


def single_columns(data: Audited) -> Measured | None:
    """A04: the best balanced accuracy that a tree reaches on a single column, on rows that it was not grown on."""
    if data.modality != "table":
        return None
    from sklearn.model_selection import cross_val_score
    from sklearn.tree import DecisionTreeClassifier

    rows = data.sample(data.train)
    X, y = data.train.take(rows).X, data.train.y[rows]
    assert isinstance(X, pd.DataFrame)
    scores = {}
    for name in X:
        column = X[name]
        values = column.to_numpy(float) if pd.api.types.is_numeric_dtype(column) else pd.factorize(column)[0]
        tree = DecisionTreeClassifier(max_leaf_nodes=64, random_state=0)
        scored = cross_val_score(
            tree, np.asarray(values, float)[:, None], y, cv=_folds(y), scoring="balanced_accuracy"
        )
        scores[str(name)] = float(scored.mean())
    return Measured(max(scores.values()), 0, len(scores), [], {}, scores)


def ordered_columns(data: Audited) -> Measured | None:
    """A05: the highest rank correlation of a column with the number of the row."""
    if data.modality != "table":
        return None
    X, rows = data.train.X, pd.Series(data.first.rows("train"))
    assert isinstance(X, pd.DataFrame)
    numbers = X.select_dtypes("number")
    found = {}
    for name in numbers:
        column = numbers[name].reset_index(drop=True)
        varies = column.nunique() > 1
        found[str(name)] = abs(float(column.corr(rows, method="spearman"))) if varies else 0.0
    if not found:
        return None
    return Measured(max(found.values()), 0, len(found), [], {}, found)


def shift(data: Audited) -> Measured | None:
    """A06: area under the ROC curve of a forest that tells the parts apart; of a test part that was not drawn."""
    if len(data.splits) > 1:
        return None
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_score

    n = min(len(data.train), len(data.test), MOST_ROWS // 2)
    rng = np.random.default_rng(0)
    parts = [part.take(np.sort(rng.permutation(len(part))[:n])) for part in (data.train, data.test)]
    X = numbers_of(*(part.X for part in parts))
    forest = RandomForestClassifier(n_estimators=100, min_samples_leaf=5, random_state=0, n_jobs=1)
    where = np.repeat([0, 1], n)
    score = float(cross_val_score(forest, X, where, cv=_folds(where), scoring="roc_auc").mean())
    return Measured(score, n, len(data.test), [], {})


def doubtful_labels(data: Audited) -> Measured:
    """A07: training examples whose label has at most `DOUBTED` of the probability, by a forest on the other examples.

    With leaves of two examples, a forest is not that sure where classes overlap: of two that a fifth of the examples
    lie between, it doubts none, and of clean digits 0.15 %.
    """
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import cross_val_predict

    rows = data.sample(data.train)
    part = data.train.take(rows)
    classes, y = np.unique(part.y, return_inverse=True)
    forest = ExtraTreesClassifier(n_estimators=200, min_samples_leaf=2, random_state=0, n_jobs=1)
    proba = cross_val_predict(forest, numbers_of(part.X), y, cv=_folds(y), method="predict_proba")
    own = proba[np.arange(len(y)), y]
    # Where a class is rare, a low probability is no doubt.
    doubted = own <= np.minimum(DOUBTED, np.bincount(y)[y] / len(y) / 2)
    doubtful = np.flatnonzero(doubted & (proba.argmax(axis=1) != y))
    doubtful = doubtful[np.argsort(own[doubtful] - proba.max(axis=1)[doubtful], kind="stable")]
    names = data.first.meta.classes
    shown, pictures = [], []
    for k in doubtful[:SHOWN].tolist():
        row, label, other = int(rows[k]), names[part.y[k]], names[classes[proba[k].argmax()]]
        shown.append(f"row {row}: {label}, and {other} by the other rows{quoted(part, k)}")
        if data.modality == "image":
            pixels = np.asarray(part.X[k]) * (255 / part.value_max)  # (height, width, channels)
            pictures.append(Picture(row, label, other, pixels.round().astype(np.uint8)))
    return Measured(len(doubtful) / len(y), len(doubtful), len(y), shown, {}, pictures=pictures)


def largest_class(data: Audited) -> Measured | None:
    """A08: the share of the most frequent class, where models are compared by their accuracy."""
    if data.first.meta.metric != ACCURACY:
        return None
    counts = np.bincount(data.train.y)
    largest = int(counts.argmax())
    n, of = int(counts[largest]), len(data.train)
    return Measured(n / of, n, of, [data.first.meta.classes[largest]], {})


def smallest_class(data: Audited) -> Measured:
    """A09: how many examples the rarest class has."""
    counts = np.bincount(data.train.y, minlength=data.first.meta.n_classes)
    rare = [f"{data.first.meta.classes[k]} ({counts[k]})" for k in np.argsort(counts, kind="stable")[:SHOWN]]
    return Measured(float(counts.min()), int(counts.min()), len(data.train), rare[:3], {})


def constant_columns(data: Audited) -> Measured | None:
    """A10: columns whose values are all equal, or all missing."""
    if not isinstance(data.train.X, pd.DataFrame):
        return None
    names = [str(name) for name in data.train.X if data.train.X[name].nunique(dropna=False) < 2]
    return Measured(float(len(names)), len(names), data.train.X.shape[1], names[:SHOWN], {})


def equal_columns(data: Audited) -> Measured | None:
    """A11: columns whose values are those of an earlier one."""
    if not isinstance(data.train.X, pd.DataFrame):
        return None
    first: dict[int, str] = {}
    found = []
    for name in data.train.X:
        key = hash(pd.util.hash_pandas_object(data.train.X[name], index=False).to_numpy().tobytes())
        if key in first:
            found.append(f"{name} ({first[key]})")
        first.setdefault(key, str(name))
    return Measured(float(len(found)), len(found), data.train.X.shape[1], found[:SHOWN], {})


def blank_examples(data: Audited) -> Measured | None:
    """A12: images whose pixels are all equal, texts without a letter or digit."""
    if data.modality == "table":
        return None
    blank = [np.flatnonzero(_blank(part.X)) for part in (data.train, data.test)]
    n, of = sum(map(len, blank)), len(data.train) + len(data.test)
    every = {k: np.flatnonzero(_blank(split.inputs("test"))) for k, split in enumerate(data.splits)}
    return Measured(n / of, n, of, _rows(blank[0]), _by_split(every))


def near_repeats(data: Audited) -> Measured | None:
    """A13: test examples that are nearly equal to one in the training part, but equal to none, in each split.

    Images whose pixels nearly all correlate; texts with a tenth of their words or fewer changed. Rows of a table are
    not looked at: where two differ in one column, that column may be what tells them apart. Of all examples that some
    split tests, `MOST_ROWS` are looked at; of texts, those with enough words.
    """
    if data.modality == "table":
        return None
    train, test = data.places
    tested = np.unique(np.concatenate(list(test.values())))
    looked_at = np.sort(np.random.default_rng(0).permutation(tested)[:MOST_ROWS])
    if data.modality == "image":
        images = np.concatenate([small_images(part.X) for part in data.parts])
        pairs = [np.empty((0, 2), dtype=np.int64)]
        for chunk in np.array_split(looked_at, max(1, len(looked_at) // 256)):
            one, other = np.nonzero(images[chunk] @ images.T > ALIKE)
            pairs.append(np.stack([chunk[one], other], axis=1))
        near = np.concatenate(pairs)
    else:
        texts = [text for part in data.parts for text in texts_of(part.X)]
        looked_at = looked_at[[long_enough(texts[k]) for k in looked_at.tolist()]]
        near = near_pairs(texts, looked_at, np.unique(np.concatenate(list(train.values()))))
    example, alike = near.T
    found, of = {}, 0
    for k in test:
        trained = np.isin(alike, train[k])
        equal = np.isin(data.keys[test[k]], data.keys[train[k]])
        found[k] = np.flatnonzero(np.isin(test[k], example[trained]) & ~equal)
        of += int(np.isin(test[k], looked_at).sum())
    if not of:
        return None
    n = sum(map(len, found.values()))
    shown = [f"row {row}{quoted(data.test, row)}" for row in found[0][:SHOWN].tolist()]
    return Measured(n / of, n, of, shown, _by_split(found))


def dates(data: Audited) -> Measured | None:
    """A14: by each column of dates, how often a training example is later than a test example; mean over the splits.

    Of a test part that is drawn at random it is about one half, of one that is later than the training part 0.
    """
    if data.modality != "table":
        return None
    X = pd.concat([part.X for part in data.parts if isinstance(part.X, pd.DataFrame)], ignore_index=True)
    columns = date_columns(X)
    if not columns:
        return None
    if data.first.times is not None:  # the test part is later, by the column that the user named
        return Measured(0.0, 0, len(columns), [], {})
    scores, (train, test) = {}, data.places
    for name, column in columns.items():
        days = X[column].to_numpy(float)
        scores[name] = float(np.mean([_later(days[train[k]], days[test[k]]) for k in train]))
    return Measured(max(scores.values()), 0, len(scores), [], {}, scores)


CHECKS: dict[str, Callable[[Audited], Measured | None]] = {
    "A01": repeats,
    "A02": leaks,
    "A03": contradictions,
    "A04": single_columns,
    "A05": ordered_columns,
    "A06": shift,
    "A07": doubtful_labels,
    "A08": largest_class,
    "A09": smallest_class,
    "A10": constant_columns,
    "A11": equal_columns,
    "A12": blank_examples,
    "A13": near_repeats,
    "A14": dates,
}
"""Each gives None where it does not apply to the data set."""


def _later(train: np.ndarray, test: np.ndarray) -> float:
    """Share of the pairs of a training and a test example in which the first is later; missing ones are left out."""
    known = np.sort(train[~np.isnan(train)])
    pairs = len(known) * np.count_nonzero(~np.isnan(test))
    later = len(known) - np.searchsorted(known, test[~np.isnan(test)], side="right")
    return float(later.sum() / pairs) if pairs else 0.0


def _blank(X: Input) -> np.ndarray:
    if modality_of(X) == "text":
        return np.array([not any(map(str.isalnum, text)) for text in texts_of(X)])
    flat = np.asarray(X).reshape(len(X), -1)
    return flat.min(axis=1) == flat.max(axis=1)


def _folds(y: np.ndarray) -> "object":
    from sklearn.model_selection import StratifiedKFold

    return StratifiedKFold(
        max(2, min(5, int(np.bincount(y)[np.bincount(y) > 0].min()))), shuffle=True, random_state=0
    )


def _rows(rows: np.ndarray) -> list[str]:
    return [f"row {row}" for row in rows[:SHOWN].tolist()]


def _by_split(rows: dict[int, np.ndarray]) -> dict[int, list[int]]:
    return {k: found.tolist() for k, found in rows.items() if len(found)}
