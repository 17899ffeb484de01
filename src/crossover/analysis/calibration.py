"""How far each model's probabilities can be trusted, before and after calibration on validation data."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from crossover.analysis.bootstrap import resampled_means
from crossover.analysis.curves import DatasetCurves, LargestFit
from crossover.analysis.statistics import (
    Interval,
    percentile_interval,
    share_ahead,
)

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
        """By the interval: a change that it does not tell from none is no clear one."""
        if 0 in self.interval:
            return "no clear change"
        return "helps" if self.difference < 0 else "hurts"


@dataclass(frozen=True, eq=False)  # equal is the same: frames have no plain ==
class CellCalibration:
    """One cell, its probabilities as they came out and as they are after calibration.

    Attributes:
        label: "random_forest (raw)", "cnn".
        family: "classical" or "deep".
        scores: one row for each of `STATES`, one column a metric of the judge: means over the repetitions.
        changes: of the Brier score, for each of `METHODS`.
        temperatures: of the repetitions, in their order; above 1 the model was too sure of itself.
        bins: for each of `STATES` the table of `judge.reliability`, over all repetitions together.
    """

    label: str
    family: str
    scores: pd.DataFrame
    changes: dict[str, Change]
    temperatures: tuple[float, ...]
    bins: dict[str, pd.DataFrame]

    def score(self, state: str, metric: str) -> float:
        """Mean over the repetitions."""
        return float(self.scores[metric][state])


@dataclass(frozen=True)
class DatasetCalibration:
    """The cells of one data set whose learning curve was measured, fitted on its largest size.

    Attributes:
        dataset: its name.
        cells: in the order of the curves.
        n: examples that each model was fitted on.
        n_validation: further examples that the calibrators were fitted on, in each repetition.
        n_test: examples that everything was scored on.
        repetitions: of the largest size.
        watched: labels of the models that saw the validation part themselves, for early stopping or selection.
    """

    dataset: str
    cells: list[CellCalibration]
    n: int
    n_validation: int
    n_test: int
    repetitions: int
    watched: list[str]


def calibrate(curves: DatasetCurves) -> DatasetCalibration:
    """Calibrate every model of the largest size on the validation part of its repetition; score on the test part.

    The largest size of the learning curve, and not the main table: only there does every model hold a validation
    part back.

    Raises:
        CrossoverError: a file of probabilities is missing, or what it holds are no probabilities.
    """
    fits = [curve.largest() for curve in curves.curves]
    states = [[_states(fit) for fit in of_curve] for of_curve in fits]
    losses = np.array([_losses(*pair) for pair in zip(fits, states, strict=True)])  # (C, states, R, n_test)
    changes = losses[:, 1:] - losses[:, :1]
    samples = resampled_means(changes)
    cells = [
        CellCalibration(
            label=curve.label,
            family=curve.family,
            scores=_scores(fits[c], states[c]),
            changes={m: _change(changes[c, i], samples[:, c, i]) for i, m in enumerate(METHODS)},
            temperatures=tuple(state.temperature for state in states[c]),
            bins=_bins(fits[c], states[c]),
        )
        for c, curve in enumerate(curves.curves)
    ]
    first = fits[0][0]
    return DatasetCalibration(
        dataset=curves.dataset,
        cells=cells,
        n=int(curves.sizes[-1]),
        n_validation=len(first.y_validation),
        n_test=len(first.y_test),
        repetitions=len(fits[0]),
        watched=[curve.label for curve in curves.curves if curve.n_watched],
    )


@dataclass(frozen=True, eq=False)
class _States:
    """Test probabilities of one fit, float64 (n_test, n_classes), in each of `STATES`."""

    proba: dict[str, np.ndarray]
    temperature: float


def _states(fit: LargestFit) -> _States:
    from crossover.analysis.calibrators import Calibrator  # loads scikit-learn

    temperature = Calibrator("temperature", fit.validation, fit.y_validation)
    isotonic = Calibrator("isotonic", fit.validation, fit.y_validation)
    before = fit.test.astype(np.float64)
    before /= before.sum(axis=1, keepdims=True)
    after = {"temperature": temperature(before), "isotonic": isotonic(before)}
    return _States({BEFORE: before, **after}, temperature.temperature)


def _losses(fits: list[LargestFit], states: list[_States]) -> np.ndarray:
    """Each test example's part of the Brier score: (states, R, n_test)."""
    return np.array(
        [
            [_squared_distance(s.proba[name], fit.y_test) for fit, s in zip(fits, states, strict=True)]
            for name in STATES
        ]
    )


def _squared_distance(proba: np.ndarray, y: np.ndarray) -> np.ndarray:
    """From the one-hot label, summed over classes (Brier 1950): (n,)."""
    return np.square(proba - np.eye(proba.shape[1])[y]).sum(axis=1)


def _scores(fits: list[LargestFit], states: list[_States]) -> pd.DataFrame:
    from crossover.scoring.judge import evaluate  # loads scikit-learn

    rows = [
        {"state": name, **evaluate(fit.y_test, s.proba[name])}
        for name in STATES
        for fit, s in zip(fits, states, strict=True)
    ]
    return pd.DataFrame(rows).groupby("state", sort=False).mean()


def _bins(fits: list[LargestFit], states: list[_States]) -> dict[str, pd.DataFrame]:
    from crossover.scoring.judge import reliability  # loads scikit-learn

    y = np.concatenate([fit.y_test for fit in fits])
    return {name: reliability(y, np.concatenate([s.proba[name] for s in states])) for name in STATES}


def _change(changes: np.ndarray, samples: np.ndarray) -> Change:
    return Change(float(changes.mean()), percentile_interval(samples), share_ahead(-samples))
