"""The fair protocol: which examples are for what."""

from dataclasses import dataclass, field
from math import ceil
from typing import Annotated, Self

import numpy as np
from pydantic import Field, NonNegativeInt, PositiveInt, PrivateAttr

from crossover.core.errors import CrossoverError
from crossover.core.settings import Settings

Fraction = Annotated[float, Field(gt=0, lt=1)]

_SUBSET = 1
"""Keeps the draws of subsets apart from those of a model's own seed."""

ORIGIN = "conf/protocol/default.yaml"


@dataclass(frozen=True)
class Split:
    """A training part and a test part.

    Attributes:
        train: int64 (n_train,), sorted rows of all examples.
        test: int64 (n_test,), likewise.
        validation: int64 (repetitions, n_validation), sorted rows of the training part, a line a repetition.
    """

    train: np.ndarray
    test: np.ndarray
    validation: np.ndarray


class Protocol(Settings):
    """How a data set is split; what repetition k gets depends on (`split_seed`, k) alone, not on `repetitions`.

    Where the publisher gives no test part, repetition k tests on part k of several. The examples that validation rows
    are drawn from are in none of them, so that no choice that they make has seen an example that is ever tested.

    Where examples have groups, a draw takes whole groups, and no group is on both sides of it. So that all draws of a
    kind have the same size, rows of the last group that go beyond it are left out: of a test part, they are in no part
    of that split; of validation rows, `fitting_rows` leaves them out. Where examples have times, there is one split,
    and the latest ones are tested.

    Attributes:
        test_fraction: of a data set whose publisher gives no test part, between 0 and 1.
        test_parts: of such a data set, and so its most repetitions.
        never_tested: share of the examples of such a data set that are in no test part, between 0 and 1.
        validation_fraction: of the training part, between 0 and 1.
        repetitions: validation splits to draw, at least 1.
        split_seed: the only seed of the splits, at least 0.
    """

    test_fraction: Fraction
    test_parts: PositiveInt
    never_tested: Fraction
    validation_fraction: Fraction
    repetitions: PositiveInt
    split_seed: NonNegativeInt
    _test_origin: str = PrivateAttr(ORIGIN)

    def with_test_fraction(self, fraction: float | None, origin: str) -> Self:
        """The protocol with the `test_fraction` of a data set's own file, where that has one."""
        if fraction is None:
            return self
        own = self.model_copy(update={"test_fraction": fraction})
        own._test_origin = origin
        return own

    def splits(
        self, y: np.ndarray, groups: np.ndarray | None = None, times: np.ndarray | None = None
    ) -> list[Split]:
        """The splits of a data set whose publisher gives no test part: stratified draws, or one by time.

        Args:
            y: int64 (n,), labels of all examples.
            groups: int64 (n,), equal for examples that stay together; None where each stands for itself.
            times: float64 (n,); None where they are in no order.

        Raises:
            CrossoverError: a class has too few examples or groups for a stratified split, or is missing on a side of
                the split by time.
        """
        if times is not None:
            return [self._by_time(y, groups, times)]
        fraction, origin = self.test_fraction, self._test_origin
        n_kept, n_test = self.never_tested * len(y), fraction * len(y)
        splits = []
        if groups is None:
            kept = _stratified(y, n_kept, "never_tested", self.never_tested, self._seed(0, 0))
            tested = _others(kept, len(y))
            for part in range(self.test_parts):
                seed = self._seed(1, part)
                test = tested[_stratified(y[tested], n_test, "test_fraction", fraction, seed, origin)]
                train = _others(test, len(y))
                validation = self.validation_rows(y[train], among=np.flatnonzero(np.isin(train, kept)))
                splits.append(Split(train, test, validation))
            return splits
        own = _Groups(y, groups)
        every = np.arange(own.n)
        # Of each class, one group to test on and one to train on must be left.
        draw = _Draw("never_tested", self.never_tested, ORIGIN, left=2)
        kept = own.drawn(every, every, n_kept, draw, self._seed(0, 0))
        tested = np.setdiff1d(every, kept)
        for part in range(self.test_parts):
            draw = _Draw("test_fraction", fraction, origin)
            chosen = own.drawn(tested, tested, n_test, draw, self._seed(1, part))
            test = own.rows(chosen, n_test, self._seed(1, part))
            train = np.flatnonzero(~np.isin(own.of_row, chosen))
            among = np.flatnonzero(np.isin(own.of_row[train], kept))
            validation = self.validation_rows(y[train], among, own.of_row[train])
            splits.append(Split(train, test, validation))
        if len(splits) > 1 and all(np.array_equal(split.train, splits[0].train) for split in splits):
            raise CrossoverError(
                f"groups must be small and many enough to draw test parts that differ, got {own.n:,} groups, the "
                f"largest of {own.sizes.max():,} of {len(y):,} examples, and {len(splits)} times the same part; "
                "collect more groups, or leave --groups out"
            )
        return splits

    def validation_rows(
        self,
        y: np.ndarray,
        among: np.ndarray | None = None,
        groups: np.ndarray | None = None,
        times: np.ndarray | None = None,
    ) -> np.ndarray:
        """Rows of the training part that each repetition validates on: stratified, or the latest in each.

        Args:
            y: int64 (n,), labels of the training part.
            among: the rows to draw them from, of whole groups where there are some; None is all.
            groups: int64 (n,), see `splits`.
            times: float64 (n,), likewise; `among` and `groups` then change nothing.

        Returns:
            int64 (repetitions, n_validation), each row sorted.

        Raises:
            CrossoverError: see `splits`.
        """
        fraction, key = self.validation_fraction, "validation_fraction"
        n = fraction * len(y)
        if times is not None:
            latest = _latest(y, times, n, key, fraction, ORIGIN)
            return np.tile(latest, (self.repetitions, 1))
        among = np.arange(len(y)) if among is None else among
        seeds = [self._seed(k) for k in range(self.repetitions)]
        if groups is None:
            drawn = [_stratified(y[among], n, key, fraction, seed) for seed in seeds]
            return np.stack([among[rows] for rows in drawn])
        own = _Groups(y, groups)
        candidates, every = np.unique(own.of_row[among]), np.arange(own.n)
        whole = [own.drawn(candidates, every, n, _Draw(key, fraction, ORIGIN), seed) for seed in seeds]
        return np.stack([own.rows(chosen, n, seed) for chosen, seed in zip(whole, seeds, strict=True)])

    def _by_time(self, y: np.ndarray, groups: np.ndarray | None, times: np.ndarray) -> Split:
        """The latest examples as test part; a group that is tested is not trained on."""
        n = self.test_fraction * len(y)
        test = _latest(y, times, n, "test_fraction", self.test_fraction, self._test_origin)
        train = _others(test, len(y))
        if groups is not None:
            train = train[~np.isin(groups[train], groups[test])]
            _require_classes(y, y[train], "groups must leave each class in the training part")
            groups = groups[train]
        validation = self.validation_rows(y[train], groups=groups, times=times[train])
        fitted = fitting_rows(len(train), validation[0], groups)
        _require_classes(y, y[train[fitted]], "groups must leave each class to fit on")
        return Split(train, test, validation)

    def _seed(self, *key: int) -> np.random.SeedSequence:
        """That of repetition k is (k,), that of test part j (1, j), that of the examples in none (0, 0)."""
        return np.random.SeedSequence(self.split_seed, spawn_key=key)


def fitting_rows(n: int, validation: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """Rows of a training part that are fitted on next to validation rows.

    Args:
        n: rows of the training part.
        validation: int64 (n_validation,), the rows held back.
        groups: int64 (n,), see `Protocol.splits`; the rows of a group that is validated on are held back, too.

    Returns:
        int64, sorted.
    """
    if groups is None:
        return _others(validation, n)
    return np.flatnonzero(~np.isin(groups, groups[validation]))


def _whole(n: float) -> int:
    """A product such as 0.1 * 1350 may lie a rounding error above the whole number that it stands for."""
    return ceil(round(n, 6))


def _random_state(seed: np.random.SeedSequence) -> np.random.RandomState:
    return np.random.RandomState(int(seed.generate_state(1)[0]))


def _stratified(
    y: np.ndarray,
    n: float,
    key: str,
    fraction: float,
    seed: np.random.SeedSequence,
    origin: str = ORIGIN,
) -> np.ndarray:
    """Draw ⌈n⌉ rows with each class's share kept to within one example.

    They are the test rows of scikit-learn's `StratifiedShuffleSplit`, in a fifth of its time: of a million rows, it
    makes a list of those that are not drawn.
    """
    from sklearn.utils.extmath import _approximate_mode

    drawn = _whole(n)
    counts = np.bincount(y)
    present = counts[counts > 0]
    if present.min() < 2 or not len(present) <= drawn <= len(y) - len(present):
        raise CrossoverError(
            f"{key} must leave an example of each class on both sides of the split, got {fraction}, which is "
            f"{drawn} of {len(y)} examples, {counts.tolist()} a class ({origin}); change it"
        )
    rng = _random_state(seed)
    left = _approximate_mode(present, len(y) - drawn, rng)
    taken = _approximate_mode(present - left, drawn, rng)
    rows = []
    for label, before, count in zip(np.flatnonzero(counts), left, taken, strict=True):
        of_class = np.flatnonzero(y == label)
        rows.append(of_class[rng.permutation(len(of_class))[before : before + count]])
    return np.sort(np.concatenate(rows)).astype(np.int64)


def _latest(y: np.ndarray, times: np.ndarray, n: float, key: str, fraction: float, origin: str) -> np.ndarray:
    """The latest rows, sorted; equal times stay together, so there are about `n`.

    Raises:
        CrossoverError: all times are equal, or a class has no row on one side.
    """
    distinct, counts = np.unique(times, return_counts=True)
    if len(distinct) < 2:
        raise CrossoverError(
            f"times must differ, so that {key} can divide the examples by them, got the same one in all {len(y):,} "
            "rows; name another column with --time, or leave it out"
        )
    after = np.cumsum(counts[::-1])[-2::-1]  # how many rows are later than each distinct time but the last
    cut = distinct[np.argmin(np.abs(after - n))]
    late = times > cut
    where = f"{key} must leave each class on both sides of the split by time ({fraction}, {origin})"
    for side in (late, ~late):
        _require_classes(y, y[side], where)
    return np.flatnonzero(late)


def _require_classes(y: np.ndarray, side: np.ndarray, rule: str) -> None:
    """Refuse a side of a split that lacks a class.

    Raises:
        CrossoverError: it names the class by its number.
    """
    lacking = np.setdiff1d(y, side)
    if len(lacking):
        raise CrossoverError(
            f"{rule}, got a side of {len(side):,} of {len(y):,} examples without class number {lacking[0]}; "
            "change the share, join the class with another one, or leave --groups or --time out"
        )


@dataclass(frozen=True)
class _Draw:
    """What whole groups are drawn for.

    Attributes:
        key: of the protocol, for an error's advice.
        fraction: its value.
        origin: the file that it stands in.
        left: groups of each class that are not drawn, at least.
    """

    key: str
    fraction: float
    origin: str
    left: int = 1


class _Groups:
    """Whole groups, drawn so that each class's share is kept as nearly as they allow.

    Scikit-learn's `StratifiedGroupKFold` gives folds of one size alone: a share such as 0.3 is no such fold. It also
    compares each group with all folds: of 60,000 examples in 40,000 groups, a draw takes it 4 s, and this one 0.1 s.

    Args:
        y: int64 (n,), labels.
        groups: int64 (n,), equal for examples that stay together.

    Attributes:
        of_row: int64 (n,), the number of each row's group.
        n: how many groups there are.
    """

    def __init__(self, y: np.ndarray, groups: np.ndarray) -> None:
        self.y, self.of_row = y, np.unique(groups, return_inverse=True)[1].astype(np.int64)
        self.sizes = np.bincount(self.of_row)
        self.n, self.n_classes = len(self.sizes), int(y.max()) + 1
        both, counts = np.unique(self.of_row * self.n_classes + y, return_counts=True)
        self.group, self.label, self.counts = both // self.n_classes, both % self.n_classes, counts
        # Of each group, its classes and how many examples of each it has.
        pairs = list(zip(self.label.tolist(), counts.tolist(), strict=True))
        ends = np.cumsum(np.bincount(self.group)).tolist()
        self.content = [pairs[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def drawn(
        self, candidates: np.ndarray, pool: np.ndarray, n: float, draw: _Draw, seed: np.random.SeedSequence
    ) -> np.ndarray:
        """Draw groups that hold ⌈n⌉ rows or a few more.

        In random order, a group is taken where that brings the number of examples of each class nearer to what is
        asked for: the squared differences, each divided by the examples of the class, become smaller in sum.

        Args:
            candidates: numbers of the groups to draw from, sorted.
            pool: those and the others that stay on the other side, of which some of each class must be left.
            n: rows.
            draw: what for.
            seed: of the order.

        Returns:
            their numbers, sorted.

        Raises:
            CrossoverError: there are too few groups of a class, or too large ones.
        """
        from sklearn.utils.extmath import _approximate_mode

        wanted, rng = _whole(n), _random_state(seed)
        order = rng.permutation(candidates)
        is_candidate, in_pool = np.isin(self.group, candidates), np.isin(self.group, pool)
        # Of each class: groups that are not drawn, groups to draw from, and examples in these.
        spare = np.bincount(self.label[in_pool], minlength=self.n_classes)
        holders = np.bincount(self.label[is_candidate], minlength=self.n_classes)
        examples = np.bincount(
            self.label[is_candidate], self.counts[is_candidate], minlength=self.n_classes
        ).astype(np.int64)
        short = np.flatnonzero((spare > 0) & ((holders < 1) | (spare <= draw.left)))
        if len(short):
            raise CrossoverError(
                f"each class must be in enough groups to keep whole ones apart in training, validation and test rows, "
                f"got {spare[short[0]]} of class number {short[0]} where {draw.key} takes {draw.left + 1} "
                f"({draw.fraction}, {draw.origin}); collect more groups, join the class with another one, or leave "
                "--groups out"
            )
        missing = _approximate_mode(examples, min(wanted, int(examples.sum())), rng).tolist()
        pick = _Pick(self, missing, (1 / np.maximum(examples, 1)).tolist(), spare.tolist(), draw.left)
        place = np.empty(self.n, dtype=np.int64)
        place[order] = np.arange(len(order))
        # The rarest class first, so that none is missing in the end.
        for c in np.argsort(holders, kind="stable"):
            own = self.group[is_candidate & (self.label == c)]
            own = own[np.lexsort((place[own], self.sizes[own] > wanted))].tolist()
            if not pick.taken.intersection(own):
                pick.take(next((group for group in own if pick.may(group)), None))
        for group in order.tolist():
            if max(pick.missing) < 1:
                break
            if pick.gain(group) > 0 and pick.may(group):
                pick.take(group)
        if pick.size < wanted:
            for group in sorted(order.tolist(), key=pick.gain, reverse=True):
                if pick.size < wanted and pick.may(group):
                    pick.take(group)
        chosen = np.sort(np.fromiter(pick.taken, dtype=np.int64, count=len(pick.taken)))
        present = np.unique(self.label[np.isin(self.group, chosen)])
        n_pool, n_classes = int(self.sizes[pool].sum()), int((holders > 0).sum())
        too_much = (
            2 * (pick.size - wanted) > n_pool - wanted
        )  # more than half of the other side would be lost
        if not n_classes <= wanted <= pick.size or len(present) < n_classes or too_much:
            raise CrossoverError(
                f"groups must be small and many enough to draw {wanted:,} of {n_pool:,} examples as whole ones, with "
                f"each class on both sides ({draw.key} {draw.fraction}, {draw.origin}), got {len(pool):,} groups, the "
                f"largest of {self.sizes[pool].max():,} examples; change the share, or leave --groups out"
            )
        return chosen

    def rows(self, chosen: np.ndarray, n: float, seed: np.random.SeedSequence) -> np.ndarray:
        """⌈n⌉ rows of drawn groups, sorted; what is too much goes where a class has the most beyond its share."""
        wanted, rng = _whole(n), _random_state(seed)
        rows = np.flatnonzero(np.isin(self.of_row, chosen))
        counts = np.bincount(self.y[rows], minlength=self.n_classes)
        beyond = counts - wanted * np.bincount(self.y, minlength=self.n_classes) / len(self.y)
        kept = counts.copy()
        for _ in range(len(rows) - wanted):
            c = int(np.where(kept > 1, beyond, -np.inf).argmax())
            kept[c] -= 1
            beyond[c] -= 1
        shuffled = rng.permutation(rows)
        of_class = [shuffled[self.y[shuffled] == c][: kept[c]] for c in range(self.n_classes)]
        return np.sort(np.concatenate(of_class)).astype(np.int64)


@dataclass
class _Pick:
    """Groups while they are drawn.

    Attributes:
        groups: all of them.
        missing: of each class, examples that are still wanted; negative where there are too many.
        weights: of each class, of a squared difference.
        spare: of each class, groups that are not taken.
        left: so many of these, at least, must stay.
        taken: numbers of the groups.
        size: examples in them.
    """

    groups: _Groups
    missing: list[int]
    weights: list[float]
    spare: list[int]
    left: int
    taken: set[int] = field(default_factory=set)
    size: int = 0

    def gain(self, group: int) -> float:
        """By how much the squared differences become smaller with a group."""
        content = self.groups.content[group]
        return sum(count * (2 * self.missing[c] - count) * self.weights[c] for c, count in content)

    def may(self, group: int) -> bool:
        """Whether a group is not taken, and can be without leaving too few of a class."""
        content = self.groups.content[group]
        return group not in self.taken and all(self.spare[c] > self.left for c, _ in content)

    def take(self, group: int | None) -> None:
        if group is None:
            return
        self.taken.add(group)
        self.size += int(self.groups.sizes[group])
        for c, count in self.groups.content[group]:
            self.spare[c] -= 1
            self.missing[c] -= count


def _others(rows: np.ndarray, n: int) -> np.ndarray:
    """The rows of 0 … n - 1 that are not given, sorted: int64."""
    mask = np.ones(n, dtype=bool)
    mask[rows] = False
    return np.flatnonzero(mask)


def subset_order(y: np.ndarray, seed: int, times: np.ndarray | None = None) -> np.ndarray:
    """All rows in an order whose first n are a subset, whatever n: a stratified one, or the latest.

    Each class is shuffled, and its rows are spread evenly over the order, so that each class's share among the
    first n is kept to within one example. A subset need keep no group together: it only leaves out rows on the fitted
    side, and what is validated or tested is held back in whole groups.

    Args:
        y: int64 (m,), labels.
        seed: number of the repetition.
        times: float64 (m,); where there are some, the latest rows come first, whatever the seed.

    Returns:
        int64 (m,), each row once.
    """
    if times is not None:
        return np.argsort(times, kind="stable")[::-1].astype(np.int64)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SUBSET,)))
    place = np.empty(len(y))
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        place[rng.permutation(rows)] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return np.argsort(place, kind="stable").astype(np.int64)


def subset_rows(y: np.ndarray, n: int, seed: int, times: np.ndarray | None = None) -> np.ndarray:
    """Rows of a subset; of the same seed, a smaller subset lies inside a larger one.

    Args:
        y: int64 (m,), labels.
        n: size of the subset, at most m.
        seed: number of the repetition.
        times: see `subset_order`.

    Returns:
        int64 (n,), sorted; the first `n` of `subset_order`.

    Raises:
        CrossoverError: the subset would be larger than `y`, or leave a class without an example.
    """
    chosen = subset_order(y, seed, times)[:n]
    lacking = len(np.unique(y)) - len(np.unique(y[chosen]))
    if n > len(y) or lacking:
        raise CrossoverError(
            f"a subset must hold at least one example of each class and at most all {len(y):,} examples, got a "
            f"subset of {n:,}"
            + (f" that lacks {lacking} of the classes" if lacking else "")
            + "; choose another size"
        )
    return np.sort(chosen)
