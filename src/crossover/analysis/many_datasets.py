"""Several methods compared over several data sets, by the tests that their numbers allow."""

import math
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Literal

import numpy as np

from crossover.analysis.rank_tests import (
    ALPHA,
    Friedman,
    average_ranks,
    critical_difference,
    friedman,
    nemenyi,
    signed_rank_interval,
    wilcoxon,
)
from crossover.analysis.statistics import Interval
from crossover.core.errors import CrossoverError

LEAST_DATASETS = 6
"""With five, the smallest two-sided p of Wilcoxon's test is 2/2^5 = 0.0625: no outcome could be significant."""

_DIGITS = 12  # decimals that count: scores that are equal on paper differ beyond them


@dataclass(frozen=True)
class Pair:
    """Two methods; differences are first minus second, so a negative difference of ranks favours the first.

    Attributes:
        first: name of a method.
        second: name of a method.
        rank_difference: of the average ranks.
        nemenyi_p: corrected for comparing all pairs; NaN with two methods, where there is nothing to correct.
        median: pseudo-median of the differences of scores (Hodges and Lehmann).
        interval: of it, from the same signed ranks, for this pair alone.
        wilcoxon_p: two-sided, for this pair alone.
        holm_p: corrected by Holm's procedure for all pairs.
        ahead: data sets on which the first has the higher score; a tie counts half.
    """

    first: str
    second: str
    rank_difference: float
    nemenyi_p: float
    median: float
    interval: Interval
    wilcoxon_p: float
    holm_p: float
    ahead: float


@dataclass(frozen=True, eq=False)  # compared by identity: arrays have no plain ==
class MethodsComparison:
    """k methods over n data sets; with too few for a test only their ranks.

    Attributes:
        datasets: names of the rows of `scores`.
        methods: names of the columns.
        scores: (n, k), higher is better.
        test: what the numbers of data sets and methods allow; None with too few of either.
        average_ranks: (k,), 1 is the best; ties share the average of their ranks.
        friedman: None unless `test` is "friedman".
        critical_difference: least difference of average ranks that Nemenyi's test finds; None where `friedman` is.
        nemenyi_p: (k, k), of each pair; NaN with two methods.
        holm_p: (k, k), of Wilcoxon's test of each pair, corrected for the number of pairs.
        left_out: methods that have no score on some data sets, with these data sets.
    """

    datasets: list[str]
    methods: list[str]
    scores: np.ndarray
    test: Literal["wilcoxon", "friedman"] | None
    average_ranks: np.ndarray
    friedman: Friedman | None
    critical_difference: float | None
    nemenyi_p: np.ndarray
    holm_p: np.ndarray
    left_out: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ranking(self) -> list[int]:
        """Columns, the best average rank first."""
        return [int(i) for i in np.argsort(self.average_ranks, kind="stable")]

    @property
    def best_on(self) -> np.ndarray:
        """(k,) number of data sets on which the method has the highest score, alone or with others."""
        return np.sum(self.scores == self.scores.max(axis=1, keepdims=True), axis=0)

    @property
    def n_pairs(self) -> int:
        return math.comb(len(self.methods), 2)

    @property
    def least_holm_p(self) -> float:
        """The smallest p that Wilcoxon's test with Holm's correction can give here.

        That of one pair is 2/2^n for n data sets, and the smallest of m pairs is multiplied by m.
        """
        return min(1.0, self.n_pairs * 2.0 ** (1 - len(self.datasets)))

    @property
    def differ(self) -> bool:
        """Whether the test of all methods together finds a difference; False without a test."""
        if self.test is None:
            return False
        return (self.friedman.p if self.friedman else self.pair(0, 1).wilcoxon_p) <= ALPHA

    @property
    def leaders(self) -> list[str]:
        """The method with the best average rank, and those after it that the test cannot separate from it."""
        if not self.differ:
            return [self.methods[i] for i in self.ranking]
        if self.test == "wilcoxon":
            return [self.methods[0 if self.pair(0, 1).median > 0 else 1]]
        best = self.ranking[0]
        group = next((group for group in self.groups() if best in group), [best])
        return [self.methods[i] for i in group]

    def pair(self, a: int, b: int) -> Pair:
        """The pair of two columns, as differences a minus b."""
        differences = _differences(self.scores, a, b)
        median, interval = signed_rank_interval(differences)
        return Pair(
            first=self.methods[a],
            second=self.methods[b],
            rank_difference=float(self.average_ranks[a] - self.average_ranks[b]),
            nemenyi_p=float(self.nemenyi_p[a, b]),
            median=median,
            interval=interval,
            wilcoxon_p=wilcoxon(differences),
            holm_p=float(self.holm_p[a, b]),
            ahead=float(np.sum(differences > 0) + np.sum(differences == 0) / 2),
        )

    def groups(self) -> list[list[int]]:
        """Largest runs of methods, in the order of `ranking`, whose ranks the critical difference spans.

        These are the thick lines of the critical-difference diagram; a method that differs from all is in none.
        """
        if self.critical_difference is None:
            return []
        order, ranks = self.ranking, self.average_ranks[self.ranking]
        groups: list[list[int]] = []
        last_end = 0
        for start in range(len(order)):
            # A tolerance, since ranks are averages and equal differences differ in their last digits.
            end = int(np.sum(ranks - ranks[start] <= self.critical_difference + 1e-9))
            if end > start + 1 and end > last_end:
                groups.append(order[start:end])
                last_end = end
        return groups


def compare_shared_methods(scores: dict[str, dict[str, float]]) -> MethodsComparison:
    """Compare the methods that have a score on every data set; the others are `left_out`.

    Args:
        scores: of each data set, of each method: higher is better; NaN counts as none. A data set without any
            score is not compared on.
    """
    scored = {d: {m: s for m, s in row.items() if math.isfinite(s)} for d, row in scores.items()}
    scored = {dataset: row for dataset, row in scored.items() if row}
    methods = list(dict.fromkeys(method for row in scored.values() for method in row))
    missing = {m: [dataset for dataset, row in scored.items() if m not in row] for m in methods}
    compared = [method for method in methods if not missing[method]]
    matrix = np.array([[row[m] for m in compared] for row in scored.values()], dtype=float)
    comparison = compare_methods(list(scored), compared, matrix.reshape(len(scored), len(compared)))
    return replace(comparison, left_out={method: where for method, where in missing.items() if where})


def compare_methods(datasets: list[str], methods: list[str], scores: np.ndarray) -> MethodsComparison:
    """Rank the methods on every data set, and test whether they differ.

    Two methods: Wilcoxon's signed-rank test. More: Friedman's test, Nemenyi's critical difference, and Wilcoxon's
    test of each pair with Holm's correction. With fewer than six data sets: ranks alone.

    Args:
        datasets: names of the rows.
        methods: names of the columns.
        scores: (data sets, methods), higher is better.

    Raises:
        CrossoverError: a score is missing.
    """
    from statsmodels.stats.multitest import multipletests

    if not np.isfinite(scores).all():
        row, column = np.argwhere(~np.isfinite(scores))[0]
        raise CrossoverError(
            f"methods are compared over data sets by finite scores, got {scores[row, column]} for "
            f"{methods[column]} on {datasets[row]}; leave that method or that data set out"
        )
    scores = np.round(scores, _DIGITS)
    n, k = scores.shape
    test: Literal["wilcoxon", "friedman"] | None = None
    if k > 1 and n >= LEAST_DATASETS:
        test = "wilcoxon" if k == 2 else "friedman"
    holm_p = np.full((k, k), np.nan)
    if test:
        p = [wilcoxon(_differences(scores, a, b)) for a, b in combinations(range(k), 2)]
        rows, columns = np.triu_indices(k, 1)
        holm_p[rows, columns] = holm_p[columns, rows] = multipletests(p, method="holm")[1]
    return MethodsComparison(
        datasets=datasets,
        methods=methods,
        scores=scores,
        test=test,
        average_ranks=average_ranks(scores) if scores.size else np.full(k, np.nan),
        friedman=friedman(scores) if test == "friedman" else None,
        critical_difference=critical_difference(n, k) if test == "friedman" else None,
        nemenyi_p=nemenyi(scores) if test == "friedman" else np.full((k, k), np.nan),
        holm_p=holm_p,
    )


def _differences(scores: np.ndarray, a: int, b: int) -> np.ndarray:
    """(data sets,) a minus b, rounded once more, so that equal differences share their rank."""
    return np.round(scores[:, a] - scores[:, b], _DIGITS)
