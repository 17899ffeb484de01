"""The learning curves of one data set against each other: pairs, families, power laws."""

from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np

from crossover.analysis.bootstrap import resampled_means
from crossover.analysis.crossing import Crossover, crossover
from crossover.analysis.curves import Accuracies, Curve, DatasetCurves
from crossover.analysis.power_law import (
    DECADE,
    WORTH_IT,
    FutureCrossing,
    PowerLaw,
    extrapolated_crossing,
    fit_power_law,
)
from crossover.core.cell import FAMILIES, Family
from crossover.core.metric import MEAN_ERRORS, Metric

_FITTED_DRAWS = 1000  # of the resamples: enough for the middle 95 % of a fit


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class FamilyCurve(Accuracies):
    """The best of one family at each size and repetition, chosen on validation data. S sizes, R repetitions.

    Attributes:
        family: "classical" or "deep".
        curves: the candidates, K of them.
        chosen: int64 (S, R), which of the candidates has the highest validation score in that repetition; of
            equals the one with the lower log loss there.
        correct: (S, R, n_test), the answers or contributions of the chosen fits.
    """

    family: Family
    curves: list[Curve]
    chosen: np.ndarray
    correct: np.ndarray

    def grid(self, column: str) -> np.ndarray:
        """A column of the chosen fits' scores or costs: float (S, R)."""
        return _chosen(self.chosen, np.stack([curve.grid(column) for curve in self.curves]))

    def counts(self, size: int | None = None) -> dict[str, int]:
        """How often each candidate was chosen, most often first; at one size (its index), or over all."""
        chosen = self.chosen if size is None else self.chosen[size]
        counts = {curve.label: int(np.sum(chosen == k)) for k, curve in enumerate(self.curves)}
        return dict(sorted(((k, n) for k, n in counts.items() if n), key=lambda item: -item[1]))

    @property
    def balance(self) -> float:
        """As of its curves."""
        return self.curves[0].balance

    @property
    def at_largest(self) -> Curve:
        """The candidate that was chosen most often at the largest size; of equals the first."""
        return self.curves[int(np.bincount(self.chosen[-1]).argmax())]


AnyCurve = TypeVar("AnyCurve", Curve, FamilyCurve)


@dataclass(frozen=True, eq=False)
class CurvePair(Generic[AnyCurve]):
    """A deep curve against a classical one: of two cells, or of the best of both families. S sizes.

    Attributes:
        deep: the deep curve.
        classical: the classical one.
        crossover: who leads at which size, both fitted on the same examples.
    """

    deep: AnyCurve
    classical: AnyCurve
    crossover: Crossover


@dataclass(frozen=True, eq=False)
class CurveComparison:
    """The results of comparing the learning curves of one data set.

    Attributes:
        curves: the curves.
        pairs: each deep curve against each classical one, in their order.
        best: the best of each family that has a curve.
        family: the best deep one against the best classical one; None where one of the families has no curve.
        fits: the power law of each curve, by its label; None where there are too few sizes, or it is no error rate.
        family_fits: the power law of the model that is each family's best at the largest size. The best of a family
            may be another model at each size, and a law describes the curve of one.
        next_crossing: where `family_fits` cross up to `beyond`; None where one of the families has no law.
        plateau_below: share of the errors that a doubling of the data removes, below which a curve has reached its
            plateau.
    """

    curves: DatasetCurves
    pairs: list[CurvePair[Curve]]
    best: dict[Family, FamilyCurve]
    family: CurvePair[FamilyCurve] | None
    fits: dict[str, PowerLaw | None]
    family_fits: dict[Family, PowerLaw | None]
    next_crossing: FutureCrossing | None
    plateau_below: ClassVar[float] = WORTH_IT

    @property
    def dataset(self) -> str:
        return self.curves.dataset

    @property
    def metric(self) -> Metric:
        return self.curves.metric

    @property
    def extrapolates(self) -> bool:
        """Whether the metric has errors that a power law can be fitted to."""
        return self.metric in MEAN_ERRORS

    @property
    def largest(self) -> int:
        """The largest size."""
        return int(self.curves.sizes[-1])

    @property
    def beyond(self) -> int:
        """The size up to which the laws are extrapolated."""
        return DECADE * self.largest

    @property
    def fitted(self) -> list[tuple[Curve, PowerLaw]]:
        """The curves that have a law, each with it."""
        return [(curve, fit) for curve in self.curves.curves if (fit := self.fits[curve.label])]


def compare_curves(curves: DatasetCurves) -> CurveComparison:
    """Compare the learning curves of one data set.

    All of its numbers come from the same resamples, so that differences are paired.
    """
    best = {family: _best_of(family, curves.family(family)) for family in FAMILIES if curves.family(family)}
    all_curves: list[Curve | FamilyCurve] = [*curves.curves, *best.values()]
    resamples = resampled_means(np.stack([curve.correct for curve in all_curves]))  # (draws, curves, S)
    draws = dict(zip(all_curves, np.moveaxis(resamples, 1, 0), strict=True))  # (draws, S) each

    def compare(deep: AnyCurve, classical: AnyCurve) -> CurvePair[AnyCurve]:
        differences, resampled = deep.accuracy - classical.accuracy, draws[deep] - draws[classical]
        return CurvePair(deep, classical, crossover(curves.sizes, differences, resampled))

    fits = {
        curve.label: fit_power_law(curves.sizes, 1 - curve.mean_accuracy, 1 - draws[curve][:_FITTED_DRAWS])
        if curves.metric in MEAN_ERRORS
        else None
        for curve in curves.curves
    }
    family_fits = {family: fits[curve.at_largest.label] for family, curve in best.items()}
    deep, classical = (family_fits.get(family) for family in ("deep", "classical"))
    largest = int(curves.sizes[-1])
    return CurveComparison(
        curves=curves,
        pairs=[compare(a, b) for a in curves.family("deep") for b in curves.family("classical")],
        best=best,
        family=compare(best["deep"], best["classical"]) if len(best) == len(FAMILIES) else None,
        fits=fits,
        family_fits=family_fits,
        next_crossing=extrapolated_crossing(deep, classical, largest) if deep and classical else None,
    )


def _best_of(family: Family, curves: list[Curve]) -> FamilyCurve:
    """The best by validation score in each size and repetition; of equals the one with the lower log loss."""
    score, loss = (
        np.stack(values)  # (K, S, R)
        for values in zip(*((c.validation_score, c.grid("validation_log_loss")) for c in curves), strict=True)
    )
    chosen = np.lexsort((loss, -score), axis=0)[0]
    return FamilyCurve(family, curves, chosen, _chosen(chosen, np.stack([c.correct for c in curves])))


def _chosen(chosen: np.ndarray, of_each: np.ndarray) -> np.ndarray:
    """Of the candidates' values (K, S, R, ...) those of the chosen ones (S, R): (S, R, ...)."""
    index = chosen.reshape(1, *chosen.shape, *[1] * (of_each.ndim - 3))
    return np.take_along_axis(of_each, index, axis=0)[0]
