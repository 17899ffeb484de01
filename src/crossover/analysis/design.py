"""Which statistics fit the design of the study: chosen from its shape, and named.

One test part, repeated splits and several data sets are three designs, and a study may have all of them.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from crossover.analysis.curves import DatasetCurves
from crossover.analysis.many_datasets import LEAST_DATASETS, MethodsComparison, compare_methods
from crossover.analysis.resampled import (
    LEAST,
    ROPE,
    CorrectedT,
    RopePosterior,
    bayesian_correlated_t,
    corrected_t,
)

FAMILY_SIDES = ["the best network", "the best classical model"]
NOT_TESTED = "no test"

_SCORE = "validation_accuracy"


@dataclass(frozen=True)
class Choice:
    """A question, the method that answers it in this study, and why that one.

    Attributes:
        question: as a question.
        method: its name; `NOT_TESTED` where the design answers nothing.
        why: what in the design calls for it, or is missing.
    """

    question: str
    method: str
    why: str


@dataclass(frozen=True, eq=False)  # arrays have no plain ==
class ResampledComparison:
    """Two methods fitted and scored on the same repeated splits of one data set's training part.

    Attributes:
        dataset: its name.
        name_a: the first method, in a sentence.
        name_b: the second.
        accuracies_a: (k,) validation accuracy of the first in each split.
        accuracies_b: (k,) that of the second in the same splits.
        n_train: examples that each was fitted on.
        n_validation: examples that each was scored on, held out of the fit.
        candidates: methods that the first and the second were chosen from, by mean validation accuracy.
        watched: sides whose fits saw the validation examples, as early stopping does.
        rope: half the width of the region of practical equivalence, in accuracy.
    """

    dataset: str
    name_a: str
    name_b: str
    accuracies_a: np.ndarray
    accuracies_b: np.ndarray
    n_train: int
    n_validation: int
    candidates: tuple[int, int] = (1, 1)
    watched: tuple[str, ...] = ()
    rope: float = ROPE

    @property
    def differences(self) -> np.ndarray:
        """(k,) first minus second."""
        return self.accuracies_a - self.accuracies_b

    @property
    def reason(self) -> str:
        """Why there is no test, in words; empty where there is one."""
        k = len(self.accuracies_a)
        return (
            "" if k >= LEAST else f"it takes {LEAST} splits or more, and there {'is one' if k else 'is none'}"
        )

    @cached_property
    def t(self) -> CorrectedT:
        """The corrected resampled t-test; an error where `reason` says why there is none."""
        return corrected_t(self.differences, self.n_train, self.n_validation)

    @cached_property
    def posterior(self) -> RopePosterior:
        """Its Bayesian form; an error likewise."""
        return bayesian_correlated_t(self.differences, self.n_train, self.n_validation, self.rope)


@dataclass(frozen=True, eq=False)
class AcrossDatasets:
    """Methods compared over all data sets.

    Attributes:
        comparison: of the methods with a score on every data set.
        left_out: the other methods, with the data sets on which they have none.
    """

    comparison: MethodsComparison
    left_out: dict[str, list[str]]


@dataclass(frozen=True, eq=False)
class Design:
    """What the study's shape lets it compare.

    Attributes:
        resampled: one a data set with repeated splits.
        families: the best network and the best classical model of each data set.
        methods: every method by itself.
    """

    resampled: list[ResampledComparison]
    families: AcrossDatasets
    methods: AcrossDatasets

    @property
    def choices(self) -> list[Choice]:
        """The methods that fit."""
        splits = max((len(r.accuracies_a) for r in self.resampled), default=0)
        families, methods = self.families.comparison, self.methods.comparison
        return choose(len(families.datasets), len(methods.datasets), len(methods.methods), splits)


def compare_resamples(curves: DatasetCurves, rope: float = ROPE) -> ResampledComparison | None:
    """The best network and the best classical model at the largest size of the learning curves.

    Repetition k holds the same validation rows back from every model and fits it on the rest; both sides are
    scored there, and chosen by the mean of that score.

    Args:
        curves: of one data set.
        rope: half the width of the region of practical equivalence, in accuracy.

    Returns:
        Deep minus classical; None where one of the families has no curve.
    """
    families = [curves.family(family) for family in ("deep", "classical")]
    if not all(families):
        return None
    deep, classical = (max(family, key=lambda c: c.grid(_SCORE)[-1].mean()) for family in families)
    return ResampledComparison(
        dataset=curves.dataset,
        name_a=deep.label,
        name_b=classical.label,
        accuracies_a=deep.grid(_SCORE)[-1],
        accuracies_b=classical.grid(_SCORE)[-1],
        n_train=int(curves.sizes[-1]),
        n_validation=int(deep.scores["n_validation"].iloc[-1]),
        candidates=(len(families[0]), len(families[1])),
        watched=tuple(curve.label for curve in (deep, classical) if curve.n_watched),
        rope=rope,
    )


def compare_datasets(scores: dict[str, dict[str, float]]) -> AcrossDatasets:
    """Compare the methods that have a score on every data set, and name the others.

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
    matrix = matrix.reshape(len(scored), len(compared))
    return AcrossDatasets(
        comparison=compare_methods(list(scored), compared, matrix),
        left_out={method: datasets for method, datasets in missing.items() if datasets},
    )


def compare_families(deep: dict[str, float], classical: dict[str, float]) -> AcrossDatasets:
    """Compare the best of each family over the data sets on which both have one.

    Args:
        deep: score of the best network on each data set, higher is better.
        classical: that of the best classical model.
    """
    both = [dataset for dataset in deep if dataset in classical]
    scores = {d: dict(zip(FAMILY_SIDES, (deep[d], classical[d]), strict=True)) for d in both}
    return compare_datasets(scores)


def choose(n_family_datasets: int, n_datasets: int, n_methods: int, n_splits: int) -> list[Choice]:
    """The method for each question that the study asks, from its shape.

    Args:
        n_family_datasets: data sets on which both families have a result.
        n_datasets: data sets with a result.
        n_methods: methods with a score on each of those.
        n_splits: repeated splits of the learning curve, each with models fitted and scored on it.
    """
    return [
        *_one_test_part(),
        _resamples(n_splits),
        _over_datasets("Does a family lead over the data sets?", n_family_datasets, 2),
        _over_datasets("Which methods lead over the data sets?", n_datasets, n_methods),
    ]


def _one_test_part() -> list[Choice]:
    return [
        Choice(
            "Is the best of a family ahead on one data set?",
            "paired two-level bootstrap",
            "all models answer the same test examples, and repetition k is the same split and seed for each: both "
            "are drawn anew, together",
        ),
        Choice(
            "Do two fits differ on one test part?",
            "McNemar's exact test",
            "two fits, one list of test examples: what counts is where only one of them is right",
        ),
    ]


def _resamples(n_splits: int) -> Choice:
    question = "Would the lead stand with other training examples?"
    if n_splits < LEAST:
        return Choice(
            question,
            NOT_TESTED,
            f"it takes {LEAST} repeated splits or more of a learning curve (learning_curve.repetitions in params.yaml)",
        )
    return Choice(
        question,
        "corrected resampled t-test and Bayesian correlated t-test",
        f"{n_splits} random splits share most of their training examples; both tests widen the standard error for "
        "that, and the Bayesian one also says how probable a difference is that matters",
    )


def _over_datasets(question: str, n: int, k: int) -> Choice:
    if k < 2:
        return Choice(question, NOT_TESTED, "fewer than two methods have a score on every data set")
    if n < LEAST_DATASETS:
        return Choice(question, NOT_TESTED, _too_few(n))
    if k == 2:
        return Choice(
            question,
            "Wilcoxon's signed-rank test",
            f"two sides on {n} data sets, whose differences come from no common normal distribution",
        )
    return Choice(
        question,
        "Friedman's test, then Nemenyi's critical difference; Wilcoxon's test with Holm's correction beside it",
        f"{k} methods on {n} data sets, all against all: ranks need no common scale of difficulty"
        + (
            ""
            if n > 10
            else "; the distribution of the statistic is an approximation with ten data sets or fewer"
        ),
    )


def _too_few(n: int) -> str:
    if n == 0:
        return "no data set has results to compare"
    count = "one data set is" if n == 1 else f"{n} data sets are"
    return f"{count} too few for a test, which takes {LEAST_DATASETS}; each has its own verdict"
