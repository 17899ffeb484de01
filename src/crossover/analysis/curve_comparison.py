"""The learning curves of one data set against each other: pairs, families, power laws."""

from dataclasses import dataclass

import numpy as np

from crossover.analysis.crossing import Crossover, crossover, equal_budgets, resample, within_budget
from crossover.analysis.curves import Curve, DatasetCurves
from crossover.analysis.power_law import PowerLaw, fit_power_law
from crossover.core.cell import FAMILIES

_FITTED_DRAWS = 1000  # of the resamples: enough for the middle 95 % of a fit


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class PairResult:
    """A deep curve against a classical one. S sizes.

    Attributes:
        deep: the deep curve.
        classical: the classical one.
        by_data: with the same examples each.
        by_time: with the same examples at hand, and the seconds of the faster of the two each (`within_budget`).
        deep_in_time: bool (S,), False where the deep model has no model in these seconds.
        classical_in_time: likewise.
    """

    deep: Curve
    classical: Curve
    by_data: Crossover
    by_time: Crossover
    deep_in_time: np.ndarray
    classical_in_time: np.ndarray


@dataclass(frozen=True, eq=False)
class FamilyCurve:
    """The best of one family at each size and repetition, chosen on validation data. S sizes, R repetitions.

    Attributes:
        family: "classical" or "deep".
        curves: the candidates, K of them.
        chosen: int64 (S, R), which of the candidates has the highest validation accuracy in that repetition; of
            equals the one with the lower log loss there.
        correct: bool (S, R, n_test), the answers of the chosen fits.
        seconds: float (S,), mean time to fit the chosen ones.
    """

    family: str
    curves: list[Curve]
    chosen: np.ndarray
    correct: np.ndarray
    seconds: np.ndarray

    @property
    def accuracy(self) -> np.ndarray:
        """On the test part: float (S, R)."""
        return self.correct.mean(axis=2)

    def counts(self, size: int | None = None) -> dict[str, int]:
        """How often each candidate was chosen, most often first; at one size (its index), or over all."""
        chosen = self.chosen if size is None else self.chosen[size]
        counts = {curve.label: int(np.sum(chosen == k)) for k, curve in enumerate(self.curves)}
        return dict(sorted(((k, n) for k, n in counts.items() if n), key=lambda item: -item[1]))

    @property
    def at_largest(self) -> Curve:
        """The candidate that was chosen most often at the largest size; of equals the first."""
        return self.curves[int(np.bincount(self.chosen[-1]).argmax())]


@dataclass(frozen=True, eq=False)
class FamilyResult:
    """The best of one family against the best of the other. S sizes.

    Attributes:
        deep: the best of the deep models.
        classical: the best of the classical ones.
        by_data: with the same examples each.
        by_time: with the same examples at hand, and the seconds of the faster of the two each; the best of a
            family is then the one with the highest mean validation accuracy among those cut back to these seconds.
        deep_in_time: bool (S,), False where no deep model has a model in these seconds.
        classical_in_time: likewise.
    """

    deep: FamilyCurve
    classical: FamilyCurve
    by_data: Crossover
    by_time: Crossover
    deep_in_time: np.ndarray
    classical_in_time: np.ndarray


@dataclass(frozen=True, eq=False)
class CurveComparison:
    """What the learning curves of one data set say.

    Attributes:
        curves: the curves.
        pairs: each deep curve against each classical one, in their order.
        best: the best of each family that has a curve, by its name ("classical", "deep").
        family: the one against the other; None where one of the families has no curve.
        fits: the power law of each curve, by its label; None where there are too few sizes.
    """

    curves: DatasetCurves
    pairs: list[PairResult]
    best: dict[str, FamilyCurve]
    family: FamilyResult | None
    fits: dict[str, PowerLaw | None]

    @property
    def dataset(self) -> str:
        return self.curves.dataset

    @property
    def family_fits(self) -> dict[str, PowerLaw | None]:
        """The power law of the model that is each family's best at the largest size, by the family's name.

        The best of a family is one model here and another there; a law describes the curve of one.
        """
        return {family: self.fits[best.at_largest.label] for family, best in self.best.items()}


def compare_curves(curves: DatasetCurves) -> CurveComparison:
    """Compare the learning curves of one data set.

    All of its numbers come from the same resamples, so that differences are paired.

    Raises:
        CrossoverError: the labels of the test part cannot be read.
    """
    best: dict[str, FamilyCurve] = {
        f: _best_of_family(f, curves.family(f)) for f in FAMILIES if curves.family(f)
    }
    correct = [curve.correct for curve in curves.curves]
    draws = np.moveaxis(
        resample(correct + [one.correct for one in best.values()]), 1, 0
    )  # (curves, draws, S)
    k = len(correct)
    tracks = {c.label: _track(c, d) for c, d in zip(curves.curves, draws[:k], strict=True)}
    race = _Race(curves.sizes, _chance(curves))
    pairs = [
        PairResult(deep, classical, *race.run(tracks[deep.label], tracks[classical.label]))
        for deep in curves.family("deep")
        for classical in curves.family("classical")
    ]
    family = _compare_families(race, best, draws[k:], tracks) if len(best) == len(FAMILIES) else None
    fits = {label: _fit(curves.sizes, track) for label, track in tracks.items()}
    return CurveComparison(curves, pairs, best, family, fits)


def _best_of_family(family: str, curves: list[Curve]) -> FamilyCurve:
    accuracy, loss, seconds = (
        np.stack([curve.grid(column) for curve in curves])  # (K, S, R)
        for column in ("validation_accuracy", "validation_log_loss", "fit_seconds")
    )
    chosen = np.lexsort((loss, -accuracy), axis=0)[:1]  # (1, S, R)
    correct = np.take_along_axis(np.stack([c.correct for c in curves]), chosen[..., None], axis=0)[0]
    fit_seconds = np.take_along_axis(seconds, chosen, axis=0)[0].mean(axis=1)
    return FamilyCurve(family, curves, chosen[0], correct, fit_seconds)


def _chance(curves: DatasetCurves) -> float:
    """The accuracy of the answer that is most often right on the test part: what one has without a model."""
    y_test = curves.curves[0].largest()[0].y_test
    return float(np.bincount(y_test).max() / len(y_test))


@dataclass(frozen=True, eq=False)
class _Track:
    """What a comparison needs of a curve, means over its repetitions.

    Attributes:
        accuracy: float (S,), on the test part.
        draws: float (draws, S), the same in the resamples.
        validation: float (S,), accuracy on the validation part.
        seconds: float (S,), to fit.
        in_time: bool (S,), False where it has no model.
    """

    accuracy: np.ndarray
    draws: np.ndarray
    validation: np.ndarray
    seconds: np.ndarray
    in_time: np.ndarray

    def cut_back(self, budgets: np.ndarray, chance: float) -> "_Track":
        """The same curve where each size has so many seconds; without a model it answers as `chance` says."""
        weights = within_budget(self.seconds, budgets)
        in_time = weights.sum(axis=1) > 0
        guessed = np.where(in_time, 0, chance)
        return _Track(
            weights @ self.accuracy + guessed,
            self.draws @ weights.T + guessed,
            weights @ self.validation + guessed,
            np.minimum(self.seconds, budgets),
            in_time,
        )


def _track(curve: Curve, draws: np.ndarray) -> _Track:
    validation, seconds = (curve.grid(c).mean(axis=1) for c in ("validation_accuracy", "fit_seconds"))
    return _Track(curve.accuracy.mean(axis=1), draws, validation, seconds, np.ones(len(seconds), dtype=bool))


def _family_track(best: FamilyCurve, draws: np.ndarray) -> _Track:
    validation = np.stack([curve.grid("validation_accuracy") for curve in best.curves])
    chosen = np.take_along_axis(validation, best.chosen[None], axis=0)[0].mean(axis=1)
    in_time = np.ones(len(chosen), dtype=bool)
    return _Track(best.accuracy.mean(axis=1), draws, chosen, best.seconds, in_time)


@dataclass(frozen=True, eq=False)
class _Race:
    """Compares two tracks of the same sizes.

    Attributes:
        sizes: int64 (S,), rising.
        chance: accuracy without a model.
    """

    sizes: np.ndarray
    chance: float

    def run(self, deep: _Track, classical: _Track) -> tuple[Crossover, Crossover, np.ndarray, np.ndarray]:
        """By data and by time, and where each of the two has a model in time."""
        budgets = equal_budgets(deep.seconds, classical.seconds)
        cut = [track.cut_back(budgets, self.chance) for track in (deep, classical)]
        return self.compare(deep, classical), self.compare(*cut), cut[0].in_time, cut[1].in_time

    def compare(self, deep: _Track, classical: _Track) -> Crossover:
        return crossover(self.sizes, deep.accuracy - classical.accuracy, deep.draws - classical.draws)

    def best_within(self, budgets: np.ndarray, tracks: list[_Track]) -> _Track:
        """The one with the highest validation accuracy at each size, among tracks cut back to these seconds."""
        cut = [track.cut_back(budgets, self.chance) for track in tracks]
        chosen = np.argmax([track.validation for track in cut], axis=0)  # (S,)
        picked = [(cut[k], size) for size, k in enumerate(chosen)]
        return _Track(
            np.array([track.accuracy[size] for track, size in picked]),
            np.stack([track.draws[:, size] for track, size in picked], axis=1),
            np.array([track.validation[size] for track, size in picked]),
            np.array([track.seconds[size] for track, size in picked]),
            np.logical_or.reduce([track.in_time for track in cut]),
        )


def _compare_families(
    race: _Race, best: dict[str, FamilyCurve], draws: np.ndarray, tracks: dict[str, _Track]
) -> FamilyResult:
    """`draws` (families, draws, S) are those of `best`, in its order; `tracks` those of all the candidates."""
    whole = {family: _family_track(one, d) for (family, one), d in zip(best.items(), draws, strict=True)}
    budgets = equal_budgets(whole["deep"].seconds, whole["classical"].seconds)
    deep, classical = (
        race.best_within(budgets, [tracks[curve.label] for curve in best[family].curves])
        for family in ("deep", "classical")
    )
    return FamilyResult(
        deep=best["deep"],
        classical=best["classical"],
        by_data=race.compare(whole["deep"], whole["classical"]),
        by_time=race.compare(deep, classical),
        deep_in_time=deep.in_time,
        classical_in_time=classical.in_time,
    )


def _fit(sizes: np.ndarray, track: _Track) -> PowerLaw | None:
    return fit_power_law(sizes, 1 - track.accuracy, 1 - track.draws[:_FITTED_DRAWS])
