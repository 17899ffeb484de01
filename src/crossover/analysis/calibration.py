"""How far each model's probabilities can be trusted, before and after calibration on validation data."""

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd

from crossover.analysis.bootstrap import resampled_means
from crossover.analysis.curves import DatasetCurves, LargestFit
from crossover.analysis.statistics import Interval, percentile_interval, share_ahead
from crossover.core.cell import Cell

BEFORE = "before"
METHODS = ("temperature", "isotonic")
STATES = (BEFORE, *METHODS)

Answer = Literal["helps", "hurts", "no clear change"]


@dataclass(frozen=True)
class Change:
    """What a calibration does to the Brier score on the test part.

    Attributes:
        difference: after minus before, mean over repetitions; below 0 is better.
        interval: of that difference.
        better: share of the resamples in which the score falls, ties counted half.
    """

    difference: float
    interval: Interval
    better: float

    @property
    def answer(self) -> Answer:
        """Not clear where the interval of the change contains 0."""
        if 0 in self.interval:
            return "no clear change"
        return "helps" if self.difference < 0 else "hurts"


@dataclass(frozen=True, eq=False)  # compared by identity: frames have no plain ==
class ModelCalibration:
    """One model, its probabilities as they came out and as they are after calibration.

    Attributes:
        cell: the model and what it sees.
        scores: one row for each of `STATES`, one column for each metric of the judge: means over the repetitions.
        changes: of the Brier score, for each of `METHODS`.
        temperatures: of the repetitions, in their order; above 1 the model was too sure of itself.
        bins: for each of `STATES` the table of `judge.reliability`, over all repetitions together.
    """

    cell: Cell
    scores: pd.DataFrame
    changes: dict[str, Change]
    temperatures: tuple[float, ...]
    bins: dict[str, pd.DataFrame]

    def errors(self) -> list[float]:
        """The expected calibration error in each of `STATES`."""
        return [float(self.scores["calibration_error"][state]) for state in STATES]

    @property
    def brier_score(self) -> float:
        """The Brier score before calibration."""
        return float(self.scores["brier_score"][BEFORE])

    @property
    def median_temperature(self) -> float:
        return float(np.median(self.temperatures))


@dataclass(frozen=True)
class DatasetCalibration:
    """The models of one data set whose learning curve was measured, fitted on its largest size.

    Attributes:
        dataset: its name.
        models: in the order of the curves.
        n: examples that each model was fitted on.
        n_validation: further examples that the calibrators were fitted on, in each repetition.
        n_test: examples that everything was scored on.
        repetitions: of the largest size.
        watched: models that saw the validation part themselves, for early stopping or selection.
        least_in_bin: examples of a bin below which its accuracy is mostly chance.
    """

    dataset: str
    models: list[ModelCalibration]
    n: int
    n_validation: int
    n_test: int
    repetitions: int
    watched: list[Cell]
    least_in_bin: ClassVar[int] = 20

    def with_answer(self, method: str, answer: Answer) -> list[str]:
        """Labels of the models of which a calibration has this answer."""
        return [model.cell.label for model in self.models if model.changes[method].answer == answer]

    @property
    def by_brier_score(self) -> list[ModelCalibration]:
        """The models, the lowest Brier score before calibration first.

        No order by the expected calibration error: on a few hundred test examples it is mostly its own noise, and it
        is low for a model that always answers with the share of each class.
        """
        return sorted(self.models, key=lambda model: model.brier_score)

    @property
    def lowest_temperature(self) -> float:
        return min(min(model.temperatures) for model in self.models)


def calibrate(curves: DatasetCurves) -> DatasetCalibration:
    """Calibrate every model of the largest size on the validation part of its repetition; score on the test part.

    The largest size of the learning curve, and not the main table: only there does every model hold a validation
    part back.

    Raises:
        CrossoverError: a file of probabilities is missing, or what it holds are no probabilities.
    """
    from crossover.scoring.judge import evaluate, reliability  # loads scikit-learn

    fits = [curve.largest() for curve in curves.curves]
    calibrated = [[_CalibratedFit.of(fit) for fit in of_curve] for of_curve in fits]
    losses = np.array(
        [[[fit.losses[state] for fit in of_curve] for state in STATES] for of_curve in calibrated]
    )  # (models, states, repetitions, n_test)
    changes = losses[:, 1:] - losses[:, :1]  # (models, methods, repetitions, n_test)
    samples = resampled_means(changes)
    models = []
    for c, (curve, of_curve) in enumerate(zip(curves.curves, calibrated, strict=True)):
        y = np.concatenate([fit.y for fit in of_curve])
        rows = [{"state": s, **evaluate(fit.y, fit.proba[s])} for s in STATES for fit in of_curve]
        models.append(
            ModelCalibration(
                cell=curve.cell,
                scores=pd.DataFrame(rows).groupby("state", sort=False).mean(),
                changes={
                    method: Change(
                        difference=float(changes[c, i].mean()),
                        interval=percentile_interval(samples[:, c, i]),
                        better=share_ahead(-samples[:, c, i]),
                    )
                    for i, method in enumerate(METHODS)
                },
                temperatures=tuple(fit.temperature for fit in of_curve),
                bins={s: reliability(y, np.concatenate([fit.proba[s] for fit in of_curve])) for s in STATES},
            )
        )
    first = fits[0][0]
    return DatasetCalibration(
        dataset=curves.dataset,
        models=models,
        n=int(curves.sizes[-1]),
        n_validation=len(first.y_validation),
        n_test=len(first.y_test),
        repetitions=len(fits[0]),
        watched=[curve.cell for curve in curves.curves if curve.n_watched],
    )


@dataclass(frozen=True, eq=False)
class _CalibratedFit:
    """One fit on the test part.

    Attributes:
        y: int64 (n_test,), the labels.
        proba: float64 (n_test, n_classes), in each of `STATES`.
        losses: (n_test,), in each of `STATES`: each example's part of the Brier score, the squared distance from the
            one-hot label (Brier 1950).
        temperature: T of temperature scaling.
    """

    y: np.ndarray
    proba: dict[str, np.ndarray]
    losses: dict[str, np.ndarray]
    temperature: float

    @classmethod
    def of(cls, fit: LargestFit) -> Self:
        from crossover.analysis.calibrators import Calibrator, scaled  # loads scikit-learn

        temperature = Calibrator("temperature", fit.validation, fit.y_validation)
        isotonic = Calibrator("isotonic", fit.validation, fit.y_validation)
        before = scaled(fit.test)
        proba = {BEFORE: before, "temperature": temperature(before), "isotonic": isotonic(before)}
        one_hot = np.eye(before.shape[1])[fit.y_test]
        losses = {state: np.square(of_state - one_hot).sum(axis=1) for state, of_state in proba.items()}
        return cls(fit.y_test, proba, losses, temperature.temperature)
