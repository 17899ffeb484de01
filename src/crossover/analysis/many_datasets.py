"""Several methods on several data sets: pure functions of a matrix of scores.

After Demšar 2006, Statistical comparisons of classifiers over multiple data sets, JMLR 7. `docs/methods.md`
says what each statistic is for and what it cannot tell.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import scipy.stats

from crossover.analysis.statistics import Interval
from crossover.core.errors import CrossoverError

LEAST_DATASETS = 6
"""With five, the smallest two-sided p of Wilcoxon's test is 2/2^5 = 0.0625: no outcome could be significant."""

ALPHA = 0.05
"""A p at or below it is called a difference; the intervals are at 1 - ALPHA."""

_DIGITS = 12  # scores that are equal on paper are equal to so many decimals


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that all methods have the same average rank.

    Attributes:
        chi2: Friedman's statistic, corrected for ties.
        f: Iman and Davenport's statistic; None where all data sets rank the methods alike, which is its limit.
        df: degrees of freedom of f.
        p: of f.
    """

    chi2: float
    f: float | None
    df: tuple[int, int]
    p: float


@dataclass(frozen=True)
class Pair:
    """Two methods; differences are first minus second, so a negative difference of ranks favours the first.

    Attributes:
        first: column of the scores.
        second: column of the scores.
        rank_difference: of the average ranks.
        nemenyi_p: corrected for comparing all pairs; NaN with two methods, where there is nothing to correct.
        median: pseudo-median of the differences of scores (Hodges and Lehmann).
        interval: of it, from the same signed ranks, for this pair alone.
        wilcoxon_p: two-sided, for this pair alone.
        holm_p: corrected by Holm's procedure for all pairs.
        ahead: data sets on which the first has the higher score; a tie counts half.
    """

    first: int
    second: int
    rank_difference: float
    nemenyi_p: float
    median: float
    interval: Interval
    wilcoxon_p: float
    holm_p: float
    ahead: float


@dataclass(frozen=True)
class MethodsComparison:
    """Methods over data sets.

    Attributes:
        datasets: names of the rows of `scores`.
        methods: names of the columns.
        scores: (data sets, methods), higher is better.
        average_ranks: (methods,), 1 is the best; ties share the average of their ranks.
        friedman: None with two methods, or where `reason` says why there is no test.
        critical_difference: least difference of average ranks that Nemenyi's test finds; None likewise.
        pairs: every pair of methods; empty where `reason` says why there is no test.
        reason: why nothing was tested, in words; empty where something was.
    """

    datasets: list[str]
    methods: list[str]
    scores: np.ndarray
    average_ranks: np.ndarray
    friedman: Friedman | None
    critical_difference: float | None
    pairs: list[Pair]
    reason: str

    @property
    def ranking(self) -> list[int]:
        """Columns, the best average rank first."""
        return [int(i) for i in np.argsort(self.average_ranks, kind="stable")]

    @property
    def least_holm_p(self) -> float:
        """The smallest p that Wilcoxon's test with Holm's correction can give here.

        That of one pair is 2/2^N for N data sets, and the smallest of m pairs is multiplied by m.
        """
        return min(1.0, len(self.pairs) * 2.0 ** (1 - len(self.datasets)))

    def pair(self, a: int, b: int) -> Pair:
        """The pair of two columns, as differences a minus b."""
        found = next(pair for pair in self.pairs if {pair.first, pair.second} == {a, b})
        return found if found.first == a else _turned(found, len(self.datasets))

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


def compare_methods(datasets: list[str], methods: list[str], scores: np.ndarray) -> MethodsComparison:
    """Rank the methods on every data set, and test whether they differ.

    Two methods: Wilcoxon's signed-rank test. More: Friedman's test, Nemenyi's critical difference, and Wilcoxon's
    test of each pair with Holm's correction. With fewer than six data sets: ranks, and the reason why no test.

    Args:
        datasets: names of the rows.
        methods: names of the columns.
        scores: (data sets, methods), higher is better.

    Raises:
        CrossoverError: a score is missing.
    """
    if not np.isfinite(scores).all():
        row, column = np.argwhere(~np.isfinite(scores))[0]
        raise CrossoverError(
            f"methods are compared over data sets by finite scores, got {scores[row, column]} for "
            f"{methods[column]} on {datasets[row]}; leave that method or that data set out"
        )
    scores = np.round(scores, _DIGITS)
    ranks = average_ranks(scores) if scores.size else np.full(len(methods), np.nan)
    if reason := _why_no_test(*scores.shape):
        return MethodsComparison(datasets, methods, scores, ranks, None, None, [], reason)
    n, k = scores.shape
    return MethodsComparison(
        datasets=datasets,
        methods=methods,
        scores=scores,
        average_ranks=ranks,
        friedman=friedman(scores) if k > 2 else None,
        critical_difference=critical_difference(n, k) if k > 2 else None,
        pairs=_pairs(scores, ranks),
        reason="",
    )


def _turned(pair: Pair, n: int) -> Pair:
    return replace(
        pair,
        first=pair.second,
        second=pair.first,
        rank_difference=-pair.rank_difference,
        median=-pair.median,
        interval=Interval(-pair.interval.high, -pair.interval.low),
        ahead=n - pair.ahead,
    )


def _why_no_test(n: int, k: int) -> str:
    if k < 2:
        return f"a comparison takes two methods with a score on every data set, and there {_is(k)}"
    if n < LEAST_DATASETS:
        return (
            f"a test over data sets takes {LEAST_DATASETS} or more (with five, the smallest two-sided p of "
            f"Wilcoxon's test is 0.0625), and there {_is(n)}"
        )
    return ""


def _is(n: int) -> str:
    return {0: "is none", 1: "is one"}.get(n, f"are {n}")


def average_ranks(scores: np.ndarray) -> np.ndarray:
    """(data sets, methods) -> (methods,): mean rank, 1 for the highest score, ties averaged."""
    return scipy.stats.rankdata(-scores, axis=1).mean(axis=0)


def friedman(scores: np.ndarray) -> Friedman:
    """Friedman's test (1937), decided by the less conservative F of Iman and Davenport (1980).

    The statistic is corrected for ties, which Demšar's formula (2006) leaves out; without ties they are equal.

    Args:
        scores: (data sets, methods), three methods or more.
    """
    n, k = scores.shape
    df = (k - 1, (k - 1) * (n - 1))
    if (scores == scores[:, :1]).all():  # nothing but ties: no ranks to compare
        return Friedman(0.0, 0.0, df, 1.0)
    chi2 = float(scipy.stats.friedmanchisquare(*scores.T).statistic)
    f = iman_davenport(chi2, n, k)
    return Friedman(chi2, f, df, 0.0 if f is None else float(scipy.stats.f.sf(f, *df)))


def iman_davenport(chi2: float, n: int, k: int) -> float | None:
    """F of Iman and Davenport (1980) from Friedman's statistic; None at its limit, chi2 = n (k - 1).

    Args:
        chi2: Friedman's statistic.
        n: number of data sets.
        k: number of methods.
    """
    left = n * (k - 1) - chi2
    return None if left <= 1e-9 * n * (k - 1) else (n - 1) * chi2 / left


def critical_difference(n: int, k: int) -> float:
    """Least difference of two average ranks that Nemenyi's test (1963) finds at `ALPHA`.

    q sqrt(k (k + 1) / (6 n)), with q the quantile of the studentised range for k means over sqrt(2).

    Args:
        n: number of data sets.
        k: number of methods.
    """
    q = scipy.stats.studentized_range.ppf(1 - ALPHA, k, np.inf) / np.sqrt(2)
    return float(q * _rank_error(n, k))


def _rank_error(n: int, k: int) -> float:
    """Standard error of the difference of two average ranks, where all methods are equal."""
    return float(np.sqrt(k * (k + 1) / (6 * n)))


def _pairs(scores: np.ndarray, ranks: np.ndarray) -> list[Pair]:
    from statsmodels.stats.multitest import multipletests

    n, k = scores.shape
    columns = list(combinations(range(k), 2))
    # (n, pairs); rounded once more, so that equal differences share their rank.
    differences = np.round(np.stack([scores[:, a] - scores[:, b] for a, b in columns], axis=1), _DIGITS)
    p = [wilcoxon(d) for d in differences.T]
    holm = multipletests(p, method="holm")[1]
    gaps = np.array([ranks[a] - ranks[b] for a, b in columns])
    spans = np.sqrt(2) * np.abs(gaps) / _rank_error(n, k)
    nemenyi = scipy.stats.studentized_range.sf(spans, k, np.inf) if k > 2 else np.full(len(columns), np.nan)
    medians = [signed_rank_interval(d) for d in differences.T]
    ahead = np.sum(differences > 0, axis=0) + np.sum(differences == 0, axis=0) / 2
    return [
        Pair(
            first=a,
            second=b,
            rank_difference=float(gaps[i]),
            nemenyi_p=float(nemenyi[i]),
            median=medians[i][0],
            interval=medians[i][1],
            wilcoxon_p=p[i],
            holm_p=float(holm[i]),
            ahead=float(ahead[i]),
        )
        for i, (a, b) in enumerate(columns)
    ]


def wilcoxon(differences: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test (1945); the ranks of zeros are split, as in Demšar 2006.

    Exact up to 50 differences without ties and up to 13 with ties; the normal approximation beyond.

    Args:
        differences: (n,), one a data set.
    """
    if not np.any(differences):
        return 1.0
    return float(scipy.stats.wilcoxon(differences, zero_method="zsplit").pvalue)


def signed_rank_interval(differences: np.ndarray) -> tuple[float, Interval]:
    """Pseudo-median and its interval by the signed-rank distribution (Hodges and Lehmann 1963).

    The pseudo-median is the median of the means of all pairs of differences, each with itself as well. At each
    end the interval leaves out c of those means, c being the critical value of the two-sided test: the largest
    sum of ranks that has no more than half of `ALPHA` at or below it. It holds 95 % or more from six differences
    on, and below that all that there are.

    Args:
        differences: (n,), one a data set.
    """
    n = len(differences)
    rows, columns = np.triu_indices(n)
    means = np.sort((differences[rows] + differences[columns]) / 2)
    tail = np.cumsum(_signed_rank_distribution(n))
    left_out = max(0, int(np.sum(tail <= ALPHA / 2)) - 1)
    return float(np.median(means)), Interval(float(means[left_out]), float(means[-1 - left_out]))


def _signed_rank_distribution(n: int) -> np.ndarray:
    """Chance of each sum of positive ranks, 0 to n (n + 1) / 2, where each sign is a fair coin."""
    chance = np.ones(1)
    for rank in range(1, n + 1):
        coin = np.zeros(rank + 1)
        coin[[0, rank]] = 0.5
        chance = np.convolve(chance, coin)
    return chance
