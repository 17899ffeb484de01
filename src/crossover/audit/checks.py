"""The checks of a prepared data set. Nothing that they compute goes into training or selection."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from crossover.audit.finding import Check, Checks, Finding, Findings
from crossover.core.metric import ACCURACY
from crossover.data.prepared import Input, Part, Prepared

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
    """What a check measured, whatever its threshold; the fields are those of `Finding`."""

    value: float
    n: int
    of: int
    examples: list[str]
    test_rows: dict[int, list[int]]


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
    def everything(self) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray], dict[int, np.ndarray]]:
        """A key of each example, its label, and by split the places of the training and of the test part among them.

        Equal examples have equal keys, whatever their labels: int64 (n,).
        """
        if len(self.splits) == 1:  # a publisher's parts are numbered each for itself
            n = len(self.train), len(self.test)
            keys = keys_of(*(part.X for part in (self.train, self.test)))
            places = np.arange(n[0]), n[0] + np.arange(n[1])
            return keys, np.concatenate([self.train.y, self.test.y]), {0: places[0]}, {0: places[1]}
        rows = np.concatenate([self.first.rows("train"), self.first.rows("test")])
        order = np.argsort(rows)
        keys = keys_of(*(part.X for part in (self.train, self.test)))[order]
        labels = np.concatenate([self.train.y, self.test.y])[order]
        parts = {k: (split.rows("train"), split.rows("test")) for k, split in enumerate(self.splits)}
        return (
            keys,
            labels,
            {k: both[0] for k, both in parts.items()},
            {k: both[1] for k, both in parts.items()},
        )

    def sample(self, part: Part) -> np.ndarray:
        """Rows of at most `MOST_ROWS` of its examples, sorted."""
        rows = np.random.default_rng(0).permutation(len(part))[:MOST_ROWS]
        return np.sort(rows)


def keys_of(*inputs: Input) -> np.ndarray:
    """Numbers of examples, equal where the examples are: int64 (n,), for all inputs one after the other."""
    if isinstance(inputs[0], pd.DataFrame):
        table = pd.concat([X for X in inputs if isinstance(X, pd.DataFrame)], ignore_index=True)
        hashes = pd.util.hash_pandas_object(table, index=False).to_numpy()
    else:
        flat = np.concatenate([np.asarray(X).reshape(len(X), -1) for X in inputs])
        hashes = np.ascontiguousarray(flat).view(f"V{flat.shape[1]}").ravel()
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)


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
        if _is_told(code, check, measured):
            voids = check.voids is not None and measured.value > check.voids
            about = (check.title, check.why, check.do)
            numbers = (measured.value, measured.n, measured.of)
            found.findings.append(
                Finding(code, *about, *numbers, measured.examples, measured.test_rows, voids)
            )
        else:
            found.clean[code] = check.title
    return found


def _is_told(code: str, check: Check, measured: Measured) -> bool:
    few = code == "A09"  # told below its threshold
    return measured.value < check.threshold if few else measured.value > check.threshold


def repeats(data: Audited) -> Measured:
    """A01: rows of the training part that an earlier one is equal to."""
    keys, _, train, _ = data.everything
    own = keys[train[0]]
    first = np.unique(own, return_index=True)[1]
    again = np.setdiff1d(np.arange(len(own)), first)
    return Measured(len(again) / len(own), len(again), len(own), _rows(again), {})


def leaks(data: Audited) -> Measured:
    """A02: test examples that are equal to one in the training part; the mean share over the splits."""
    keys, _, train, test = data.everything
    found = {k: np.flatnonzero(np.isin(keys[test[k]], keys[train[k]])) for k in train}
    n, of = sum(map(len, found.values())), sum(map(len, test.values()))
    return Measured(n / of, n, of, _rows(found[0]), _by_split(found))


def contradictions(data: Audited) -> Measured:
    """A03: examples that are equal to one with another label."""
    keys, labels, _, test = data.everything
    order = np.lexsort((labels, keys))
    changes = (keys[order][1:] == keys[order][:-1]) & (labels[order][1:] != labels[order][:-1])
    wrong = np.isin(keys, keys[order][1:][changes])
    found = {k: np.flatnonzero(wrong[rows]) for k, rows in test.items()}
    return Measured(
        float(wrong.mean()), int(wrong.sum()), len(keys), _rows(np.flatnonzero(wrong)), _by_split(found)
    )


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
    best = sorted(scores, key=lambda name: -scores[name])
    shown = [f"{name} ({scores[name]:.3f})" for name in best if scores[name] > 0.99] or best[:1]
    return Measured(scores[best[0]], len(shown), len(scores), shown[:SHOWN], {})


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
    best = sorted(found, key=lambda name: -found[name])
    shown = [f"{name} ({found[name]:.3f})" for name in best if found[name] > 0.99] or best[:1]
    return Measured(found[best[0]], len(shown), len(found), shown[:SHOWN], {})


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
    shown = [
        f"row {rows[k]}: {names[part.y[k]]}, and {names[classes[proba[k].argmax()]]} by the other rows"
        for k in doubtful[:SHOWN]
    ]
    return Measured(len(doubtful) / len(y), len(doubtful), len(y), shown, {})


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


def blank_images(data: Audited) -> Measured | None:
    """A12: images whose pixels are all equal."""
    if data.modality != "image":
        return None
    blank = [np.flatnonzero(_blank(part.X)) for part in (data.train, data.test)]
    n, of = sum(map(len, blank)), len(data.train) + len(data.test)
    every = {k: np.flatnonzero(_blank(split.inputs("test"))) for k, split in enumerate(data.splits)}
    return Measured(n / of, n, of, _rows(blank[0]), _by_split(every))


def near_repeats(data: Audited) -> Measured | None:
    """A13: test images that a training image correlates with in nearly all pixels, but is not equal to."""
    if data.modality != "image":
        return None
    rows = data.sample(data.test)
    test, train = (small_images(X) for X in (np.asarray(data.test.X)[rows], data.train.X))
    closest = np.concatenate(
        [(chunk @ train.T).max(axis=1) for chunk in np.array_split(test, max(1, len(test) // 256))]
    )
    keys, _, of_train, of_test = data.everything
    equal = np.isin(keys[of_test[0]][rows], keys[of_train[0]])
    near = rows[(closest > ALIKE) & ~equal]
    return Measured(
        len(near) / len(rows), len(near), len(rows), _rows(near), {0: near.tolist()} if len(near) else {}
    )


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
    "A12": blank_images,
    "A13": near_repeats,
}
"""Each gives None where it does not apply to the data set."""


def numbers_of(*inputs: Input) -> np.ndarray:
    """Examples as numbers for a forest, all inputs one after the other: float32 (n, columns)."""
    if isinstance(inputs[0], pd.DataFrame):
        table = pd.concat([X for X in inputs if isinstance(X, pd.DataFrame)], ignore_index=True)
        columns = [
            table[name].fillna(table[name].median())
            if pd.api.types.is_numeric_dtype(table[name])
            else pd.Series(pd.factorize(table[name])[0])
            for name in table
        ]
        return np.column_stack([column.to_numpy(np.float32) for column in columns])
    return np.concatenate([small_images(np.asarray(X)) for X in inputs])


def small_images(X: Input) -> np.ndarray:
    """Grey images of 16 by 16 pixels, with mean 0 and length 1: float32 (n, 256); smaller ones keep their size."""
    import torch
    import torch.nn.functional as F

    images = torch.from_numpy(np.array(X)).float().mean(dim=3)[:, None]  # (n, 1, height, width)
    if max(images.shape[2:]) > 16:
        images = F.adaptive_avg_pool2d(images, 16)
    flat = images.flatten(1)
    flat = flat - flat.mean(dim=1, keepdim=True)
    return (flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-6)).numpy()


def _blank(X: Input) -> np.ndarray:
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
