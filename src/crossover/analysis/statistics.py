"""Intervals and tests of accuracies and other metrics: pure functions of answers, contributions or resamples.

`docs/methods.md` says what each is for and what it cannot tell.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

CONFIDENCE = 0.95

_ROUNDING = 1e-6
"""How far the mean of contributions may lie from the metric (`scoring.contributions`), so that 1 need not be exact."""

Standing = Literal["leads", "tie", "not told apart", "undecided"]
"""Whether a lead holds; without one, as in `around_zero`. Undecided: the one behind was not trained to its end."""


@dataclass(frozen=True)
class Interval:
    """A closed interval."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def standing(
    interval: Interval, equivalence: float, *, unfinished_ahead: bool, unfinished_behind: bool
) -> Standing:
    """Whether the lead of one side over the other holds.

    Args:
        interval: of the lead.
        equivalence: as of `around_zero`.
        unfinished_ahead: whether better training might change the score of the side with the lead …
        unfinished_behind: … or of the other one. The first matters only where the two are equal.
    """
    measured = around_zero(interval, equivalence) or "leads"
    doubted = unfinished_behind or (measured == "tie" and unfinished_ahead)
    return "undecided" if doubted and measured != "not told apart" else measured


def wilson(proportion: float, n: float) -> Interval:
    """Wilson's score interval of a proportion that was observed on n trials (Wilson 1927).

    Unlike the normal interval it stays within 0 and 1 and keeps a width where the proportion is 0 or 1.
    n need not be whole: an effective sample size is welcome.
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(proportion * n, n, alpha=1 - CONFIDENCE, method="wilson")
    return Interval(max(0.0, float(low)), min(1.0, float(high)))


def widening(splits: int, overlap: float) -> float:
    """The variance of a mean over random splits of one data set, as a multiple of the variance of a single split.

    1/k + rho / (1 - rho), with rho the correlation of two splits, for which Nadeau and Bengio (2003) take the share of
    the test part that two of them have in common. With rho = n_test / (n_train + n_test) it is their
    1/k + n_test / n_train.

    Args:
        splits: k.
        overlap: rho, from 0 to below 1.
    """
    return 1 / splits + overlap / (1 - overlap)


def effective_n(correct: np.ndarray, overlap: float | None = None, balance: float = 1.0) -> float:
    """How many independent answers a mean over repetitions and test examples is worth.

    The squared standard error of the mean has a part from the choice of the test examples and one from the
    repetitions; an independent sample with the same standard error has p (1 - p) / se² members (Kish's design
    effect). Repetitions share their test examples, so they never count for more than those.

    Where each repetition has a test part of its own, their accuracies scatter by test examples, training examples and
    seeds together (`widening`). The answer is then at most the number of examples that are tested in any of them.

    Args:
        correct: (repetitions, n_test), bool, or contributions to a metric between 0 and 1.
        overlap: share of its examples that a repetition's test part has in common with another's; None where all have
            the same one.
        balance: how many independent answers an example is worth at most (`scoring.contributions.balance`): five
            examples of a rare class, all of them right, scatter not at all and still are only five.
    """
    repetitions, n_test = correct.shape
    p, most = correct.mean(), balance * n_test
    scatter = correct.mean(axis=1).var(ddof=1) if repetitions > 1 else 0.0
    if overlap is not None and repetitions > 1:
        variance, most = widening(repetitions, overlap) * scatter, most / overlap
    else:
        variance = correct.mean(axis=0).var() / n_test + scatter / repetitions
    # At a metric of 1 some contributions may scatter, as those of the threshold do to a sensitivity, but no binomial.
    binomial = p * (1 - p)
    return float(min(most, binomial / variance)) if variance > 0 and binomial > _ROUNDING else most


def accuracy_interval(correct: np.ndarray, overlap: float | None = None, balance: float = 1.0) -> Interval:
    """Interval of a metric, its mean over repetitions and test examples: Wilson's, on the effective sample size.

    Arguments as of `effective_n`.
    """
    return wilson(float(correct.mean()), effective_n(correct, overlap, balance))


def mcnemar(correct_a: np.ndarray, correct_b: np.ndarray) -> float:
    """Two-sided p of McNemar's exact test for two fits on the same test examples (McNemar 1947).

    Args:
        correct_a: bool (n_test,).
        correct_b: bool (n_test,).
    """
    from statsmodels.stats.contingency_tables import mcnemar as test

    only_a, only_b = np.sum(correct_a & ~correct_b), np.sum(~correct_a & correct_b)
    table = [[np.sum(correct_a & correct_b), only_a], [only_b, np.sum(~correct_a & ~correct_b)]]
    return float(test(table, exact=True).pvalue)


def percentile_interval(samples: np.ndarray) -> Interval:
    """The central interval of bootstrap samples."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(samples, [tail, 1 - tail])
    return Interval(float(low), float(high))


def around_zero(interval: Interval, equivalence: float) -> Literal["tie", "not told apart"] | None:
    """What the interval of a difference shows where it contains 0; None where it does not.

    It shows a tie only where the whole of it lies within what does not matter (two one-sided tests: Schuirmann 1987,
    here at 2.5 % each). A wider one shows nothing: neither that one is ahead nor that they are equal. One without width
    does not either: models that answer alike on all of a few examples may differ on the next.

    Args:
        interval: of a difference.
        equivalence: a difference up to this one does not matter, in the same unit.
    """
    if 0 not in interval:
        return None
    inside = -equivalence <= interval.low < interval.high <= equivalence
    return "tie" if inside else "not told apart"


def share_ahead(differences: np.ndarray) -> float:
    """Share of the resamples in which the difference is positive, ties counted half."""
    return float(np.mean(differences > 0) + np.mean(differences == 0) / 2)
