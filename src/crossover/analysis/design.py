"""What the design of the study lets it compare: repeated splits of a data set, and several data sets."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from crossover.analysis.curves import DatasetCurves
from crossover.analysis.many_datasets import LEAST_DATASETS, MethodsComparison, compare_shared_methods
from crossover.analysis.rank_tests import ALPHA
from crossover.analysis.resampled import (
    LEAST_SPLITS,
    ROPE,
    CorrectedT,
    RopePosterior,
    bayesian_correlated_t,
    corrected_t,
)
from crossover.analysis.results import DatasetResults
from crossover.core.cell import Cell
from crossover.core.metric import ACCURACY, Metric

Outcome = Literal[
    "no test",  # fewer than two splits
    "lead without scatter",  # the same difference in every split: nothing to test it by
    "tie",
    "lead",  # by more than the region of practical equivalence
    "small lead",  # by less
    "lead of unknown size",
    "undecided",
]


@dataclass(frozen=True, eq=False)  # compared by identity: arrays have no plain ==
class ResampledComparison:
    """The best network and the best classical model on the same k splits of one data set.

    Attributes:
        deep: the network.
        classical: the classical model.
        deep_accuracies: (k,) accuracy in each split, or another metric of the data set.
        classical_accuracies: (k,) in the same splits.
        n_train: examples that each was fitted on.
        n_scored: examples that each was scored on, held out of the fit.
        part: "test" where each split has its own test part; else the splits are of the publisher's training part, and
            "validation" rows are scored.
        overlap: share of the scored examples that two splits have in common; None for n_scored / (n_train + n_scored).
        candidates: number of networks and of classical models, from which these two are the best by their mean
            validation score, where that is the score here.
        watched: which of the two saw the validation examples in training, as early stopping does.
        rope: half the width of the region of practical equivalence, in the unit of the scores.
        metric: of the data set.
    """

    deep: Cell
    classical: Cell
    deep_accuracies: np.ndarray
    classical_accuracies: np.ndarray
    n_train: int
    n_scored: int
    part: Literal["validation", "test"] = "validation"
    overlap: float | None = None
    candidates: tuple[int, int] = (1, 1)
    watched: tuple[Cell, ...] = ()
    rope: float = ROPE
    metric: Metric = ACCURACY

    @property
    def differences(self) -> np.ndarray:
        """(k,) deep minus classical."""
        return self.deep_accuracies - self.classical_accuracies

    @cached_property
    def t(self) -> CorrectedT:
        """The corrected resampled t-test; an error with the outcome "no test"."""
        return corrected_t(self.differences, self.n_train, self.n_scored, self.overlap)

    @cached_property
    def posterior(self) -> RopePosterior:
        """Its Bayesian form; also an error with the outcome "no test"."""
        return bayesian_correlated_t(self.differences, self.n_train, self.n_scored, self.rope, self.overlap)

    @property
    def outcome(self) -> Outcome:
        """A difference is a lead where its probability is above 95 %, or p at or below `ALPHA`."""
        if len(self.differences) < LEAST_SPLITS:
            return "no test"
        if self.t.t is None:
            return "lead without scatter" if self.t.mean else "tie"
        if self.posterior.verdict in ("above", "below"):
            return "lead"
        if self.posterior.verdict == "equivalent":
            return "small lead" if self.t.p <= ALPHA else "tie"
        return "lead of unknown size" if self.t.p <= ALPHA else "undecided"

    @property
    def ahead(self) -> Cell:
        """The one with the higher mean score."""
        return self.deep if self.t.mean > 0 else self.classical

    @property
    def rope_of_errors(self) -> float:
        """`rope` as a share of the errors of the better one: a point is little at 70 % and a lot at 99 %."""
        errors = 1 - max(self.deep_accuracies.mean(), self.classical_accuracies.mean())
        return float(self.rope / errors) if errors else np.inf


@dataclass(frozen=True, eq=False)
class Design:
    """What the study's shape lets it compare.

    Attributes:
        resampled: one for each data set with repeated splits: of the whole, or else of the training part.
        families: the best network ("deep") and the best classical model ("classical") of each data set.
        methods: every method by itself.
        metrics: of each data set with results, the metric whose scores are compared.
    """

    resampled: list[ResampledComparison]
    families: MethodsComparison
    methods: MethodsComparison
    metrics: dict[str, Metric] = field(default_factory=dict)
    alpha: ClassVar = ALPHA
    least_splits: ClassVar = LEAST_SPLITS
    least_datasets: ClassVar = LEAST_DATASETS

    @property
    def n_splits(self) -> int:
        """Repeated splits, 0 without any."""
        return max((len(comparison.differences) for comparison in self.resampled), default=0)

    @property
    def metric(self) -> Metric | None:
        """That of all data sets; None where they have different ones, whose means and differences are not one unit."""
        found = set(self.metrics.values()) or {ACCURACY}
        return found.pop() if len(found) == 1 else None

    @property
    def candidates(self) -> list[tuple[int, int]]:
        """Numbers of networks and classical models from which a side was chosen, where there was a choice."""
        return sorted({c.candidates for c in self.resampled if max(c.candidates) > 1})

    @property
    def watched(self) -> list[str]:
        """Labels of compared models that saw the validation examples in training."""
        return sorted({cell.label for comparison in self.resampled for cell in comparison.watched})


def compare_resamples(curves: DatasetCurves, rope: float = ROPE) -> ResampledComparison | None:
    """The best network and the best classical model at the largest size of the learning curves.

    Repetition k holds the same validation rows back from every model and fits it on the rest; both sides are
    scored there, and chosen by the mean of that score.

    Args:
        curves: of one data set.
        rope: half the width of the region of practical equivalence, in the unit of the metric.

    Returns:
        None where one of the families has no curve, or all repetitions have the same rows.
    """
    if curves.same_rows:
        return None
    families = [curves.family(family) for family in ("deep", "classical")]
    if not all(families):
        return None
    deep, classical = (
        max(family, key=lambda curve: curve.validation_score[-1].mean()) for family in families
    )
    return ResampledComparison(
        deep=deep.cell,
        classical=classical.cell,
        deep_accuracies=deep.validation_score[-1],
        classical_accuracies=classical.validation_score[-1],
        n_train=int(curves.sizes[-1]),
        n_scored=int(deep.scores["n_validation"].iloc[-1]),
        candidates=(len(families[0]), len(families[1])),
        watched=tuple(curve.cell for curve in (deep, classical) if curve.n_watched),
        rope=rope,
        metric=curves.metric,
    )


def compare_splits(results: DatasetResults, rope: float = ROPE) -> ResampledComparison | None:
    """The best network and the best classical model on the training and test parts of the repetitions.

    Both are chosen on validation rows, which are in none of the test parts.

    Args:
        results: of one data set.
        rope: half the width of the region of practical equivalence, in accuracy.

    Returns:
        None where one of the families has no cell, or all repetitions have the same parts.
    """
    if results.test_overlap is None or len(results.best) < 2:
        return None
    classical, deep = results.best
    return ResampledComparison(
        deep=deep.cell,
        classical=classical.cell,
        deep_accuracies=deep.correct.mean(axis=1),
        classical_accuracies=classical.correct.mean(axis=1),
        n_train=int(deep.scores["n_train"].iloc[0]),
        n_scored=results.n_test,
        part="test",
        overlap=results.test_overlap,
        rope=rope,
        metric=results.metric,
    )


def compare_families(deep: dict[str, float], classical: dict[str, float]) -> MethodsComparison:
    """Compare the best of each family over the data sets on which both have one.

    Args:
        deep: score of the best network on each data set, higher is better.
        classical: that of the best classical model.
    """
    both = [dataset for dataset in deep if dataset in classical]
    return compare_shared_methods({d: {"deep": deep[d], "classical": classical[d]} for d in both})
