"""Tests of several methods on several data sets by ranks: pure functions of scores or of their differences.

After Demšar 2006, Statistical comparisons of classifiers over multiple data sets, JMLR 7. `docs/methods.md`
says what each statistic is for and what it cannot tell.
"""

from dataclasses import dataclass

import numpy as np
import scipy.stats

from crossover.analysis.statistics import Interval

ALPHA = 0.05
"""A p at or below it is called a difference; the intervals are at 1 - ALPHA."""


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that all methods have the same average rank.

    Attributes:
        chi2: Friedman's statistic, corrected for ties.
        f: Iman and Davenport's statistic; None where all data sets rank the methods the same way, where it is infinite.
        df: degrees of freedom of f.
        p: of f.
    """

    chi2: float
    f: float | None
    df: tuple[int, int]
    p: float


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
    return float(q * np.sqrt(k * (k + 1) / (6 * n)))


def nemenyi(scores: np.ndarray) -> np.ndarray:
    """(data sets, methods) -> (methods, methods): p of Nemenyi's test for each pair."""
    from scikit_posthocs import posthoc_nemenyi_friedman  # loads seaborn

    return posthoc_nemenyi_friedman(scores).to_numpy()


def wilcoxon(differences: np.ndarray) -> float:
    """Two-sided p of Wilcoxon's signed-rank test (1945); the ranks of zeros are split, as in Demšar 2006.

    Exact up to 50 differences without ties and up to 13 with ties; the normal approximation beyond.

    Args:
        differences: (n,), one per data set.
    """
    return float(scipy.stats.wilcoxon(differences, zero_method="zsplit").pvalue)


def signed_rank_interval(differences: np.ndarray) -> tuple[float, Interval]:
    """Pseudo-median and its interval by the signed-rank distribution (Hodges and Lehmann 1963).

    The pseudo-median is the median of the means of all pairs of differences, each with itself as well. At each
    end the interval leaves out c of those means, c being the critical value of the two-sided test: the largest
    sum of ranks that has no more than half of `ALPHA` at or below it. It holds 95 % or more from six differences
    on, and below that all that there are.

    Args:
        differences: (n,), one per data set.
    """
    n = len(differences)
    rows, columns = np.triu_indices(n)
    means = np.sort((differences[rows] + differences[columns]) / 2)
    chance = np.ones(1)  # of each sum of positive ranks, 0 to n (n + 1) / 2, where each sign is a fair coin
    for rank in range(1, n + 1):
        coin = np.zeros(rank + 1)
        coin[[0, rank]] = 0.5
        chance = np.convolve(chance, coin)
    left_out = max(0, int(np.sum(np.cumsum(chance) <= ALPHA / 2)) - 1)
    return float(np.median(means)), Interval(float(means[left_out]), float(means[-1 - left_out]))
