"""From the rows of the stage `learning_curve` to the curves of one data set."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from crossover.analysis.results import named_metric
from crossover.analysis.statistics import Interval, accuracy_interval
from crossover.core.cell import Cell, Family
from crossover.core.columns import CURVE_COSTS, CURVE_SCORES, MOMENTS, SAME_ROWS, read_rows
from crossover.core.errors import CrossoverError
from crossover.core.files import read_json
from crossover.core.layout import Layout
from crossover.core.metric import ACCURACY, WORDS, Metric
from crossover.core.study import OK, Study


@dataclass(frozen=True)
class LargestFit:
    """Probabilities of one repetition's fit on the largest size, for calibration.

    Attributes:
        y_validation: int64 (n_validation,).
        validation: float32 (n_validation, n_classes); none of these rows was fitted on.
        y_test: int64 (n_test,).
        test: float32 (n_test, n_classes).
    """

    y_validation: np.ndarray
    validation: np.ndarray
    y_test: np.ndarray
    test: np.ndarray


class Accuracies:
    """Accuracies on the test part, from the right and wrong answers `correct`, bool (S, R, n_test).

    On a data set with another metric they are that metric, and `correct` is what each example contributes to it.
    """

    correct: np.ndarray

    @property
    def accuracy(self) -> np.ndarray:
        """float (S, R)."""
        return self.correct.mean(axis=2)

    @property
    def mean_accuracy(self) -> np.ndarray:
        """Over the repetitions: float (S,)."""
        return self.accuracy.mean(axis=1)

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of the accuracy over the repetitions: float (S,); NaN for a single one."""
        single = self.correct.shape[1] == 1
        return np.full(len(self.correct), np.nan) if single else self.accuracy.std(axis=1, ddof=1)


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class Curve(Accuracies):
    """The learning curve of one cell: S sizes, R repetitions.

    Attributes:
        cell: the cell of the study.
        sizes: int64 (S,), rising.
        correct: (S, R, n_test): what each test example contributes to the metric of each fit. For the accuracy bool:
            whether it is classified rightly; else float64, see `scoring.contributions`.
        scores: one row per fit, by size and then by seed.
        costs: likewise.
        moments: one row a moment before the end of a fit in epochs, by size, seed and time; `MOMENTS`.
        moments_correct: (len(moments), n_test): likewise of the model at that moment.
        folder: of the cell's files.
        metric: by which the data set's models are chosen and compared.
        balance: of the test examples, see `scoring.contributions.balance`.
    """

    cell: Cell
    sizes: np.ndarray
    correct: np.ndarray
    scores: pd.DataFrame
    costs: pd.DataFrame
    moments: pd.DataFrame
    moments_correct: np.ndarray
    folder: Path
    metric: Metric = ACCURACY
    balance: float = 1.0

    @property
    def label(self) -> str:
        return self.cell.label

    @property
    def family(self) -> Family:
        return self.cell.family

    @property
    def repetitions(self) -> int:
        return self.correct.shape[1]

    @property
    def intervals(self) -> list[Interval]:
        """Of the mean over the repetitions, at each size."""
        return [accuracy_interval(correct, balance=self.balance) for correct in self.correct]

    @property
    def validation_score(self) -> np.ndarray:
        """The metric on validation rows: float (S, R)."""
        return self.grid(f"validation_{self.metric}")

    def grid(self, column: str) -> np.ndarray:
        """A column of `scores` or `costs` as float (S, R)."""
        rows = self.scores if column in self.scores else self.costs
        return rows[column].to_numpy(dtype=float).reshape(len(self.sizes), self.repetitions)

    @property
    def n_watched(self) -> int:
        """Examples that the largest fit saw in addition to its subset; 0 where it uses no validation part."""
        return int(self.scores["n_watched"].iloc[-1])

    def largest(self) -> list[LargestFit]:
        """The fits on the largest size, one per repetition.

        Raises:
            CrossoverError: a file is missing or is no NumPy array.
        """
        folder = self.folder / "largest"
        return [
            LargestFit(
                _load(folder / f"y_validation-seed{seed}.npy", self.cell),
                _load(folder / f"validation-seed{seed}.npy", self.cell),
                _load(folder / "y_test.npy", self.cell),
                _load(folder / f"test-seed{seed}.npy", self.cell),
            )
            for seed in self.scores["seed"].iloc[-self.repetitions :]
        ]


@dataclass(frozen=True)
class DatasetCurves:
    """The learning curves of one data set, all of the same sizes, repetitions and test examples.

    Attributes:
        dataset: its name.
        sizes: int64 (S,), rising.
        repetitions: of each size.
        n_test: examples of the test part.
        curves: of the cells that apply, classical ones first, in the order of `params.yaml`.
        not_applicable: the other cells, each with its reason.
        same_rows: whether all repetitions have the same rows, so that they differ in their seeds alone.
        metric: by which its models are chosen and compared.
    """

    dataset: str
    sizes: np.ndarray
    repetitions: int
    n_test: int
    curves: list[Curve]
    not_applicable: list[tuple[Cell, str]]
    same_rows: bool = False
    metric: Metric = ACCURACY

    def family(self, family: str) -> list[Curve]:
        """The curves of one family."""
        return [curve for curve in self.curves if curve.family == family]

    @property
    def ranked(self) -> list[Curve]:
        """The curves, the best at the largest size first."""
        return sorted(self.curves, key=lambda curve: -float(curve.mean_accuracy[-1]))


def read_curves(study: Study, layout: Layout, dataset: str) -> DatasetCurves | None:
    """Read the learning curves that the study asks for; None where it asks for none that applies.

    Raises:
        CrossoverError: a file, column or row is missing, or the curves have different sizes, repetitions or metrics.
    """
    curves: list[Curve] = []
    refused: list[tuple[Cell, str]] = []
    for cell in study.curve_cells(dataset):
        folder = layout.curve(cell)
        scores = read_rows(folder / "scores.csv", CURVE_SCORES, _made_by(cell))
        if len(scores) and scores["status"].iloc[0] != OK:
            refused.append((cell, str(scores["reason"].iloc[0])))
        else:
            curves.append(_read_curve(cell, folder, scores))
    if not curves:
        return None
    first = curves[0]
    for curve in curves[1:]:
        if curve.metric != first.metric:
            raise _broken(
                curve.cell,
                f"{curve.folder} must be measured by the {WORDS[first.metric]} of {first.folder}, got the "
                f"{WORDS[curve.metric]}",
            )
        if curve.correct.shape != first.correct.shape or (curve.sizes != first.sizes).any():
            raise _broken(
                curve.cell,
                f"{curve.folder} must have the sizes {first.sizes.tolist()} and {first.repetitions} repetitions "
                f"of {first.folder}, got {curve.sizes.tolist()} and {curve.repetitions}",
            )
    marker = first.folder / "curve.json"
    same_rows = marker.exists() and SAME_ROWS in read_json(marker, _made_by(first.cell))
    return DatasetCurves(
        dataset,
        first.sizes,
        first.repetitions,
        first.correct.shape[2],
        curves,
        refused,
        same_rows,
        first.metric,
    )


def _read_curve(cell: Cell, folder: Path, scores: pd.DataFrame) -> Curve:
    costs = read_rows(folder / "costs.csv", CURVE_COSTS, _made_by(cell))
    moments = read_rows(folder / "moments" / "moments.csv", MOMENTS, _made_by(cell))
    correct, at_moments = (_load(folder / part / "correct.npy", cell) for part in ("", "moments"))
    sizes, seeds = np.unique(scores["n"]), np.unique(scores["seed"])
    expected = [(n, seed) for n in sizes for seed in seeds]
    for table in (scores, costs):
        if not expected or list(zip(table["n"], table["seed"], strict=True)) != expected:
            raise _broken(cell, f"{folder} must hold each size with each seed, in order")
    if len(correct) != len(expected):
        raise _broken(
            cell, f"{folder / 'correct.npy'} must have a row a fit, got {len(correct)} for {len(expected)}"
        )
    if at_moments.shape != (len(moments), correct.shape[1]):
        raise _broken(
            cell,
            f"{folder / 'moments' / 'correct.npy'} must have a row a moment and a column a test example, "
            f"{len(moments)} x {correct.shape[1]}, got {' x '.join(map(str, at_moments.shape))}",
        )
    shape = (len(sizes), len(seeds), correct.shape[1])
    metric = named_metric(scores, folder / "scores.csv", _made_by(cell))
    return Curve(
        cell,
        sizes.astype(np.int64),
        correct.reshape(shape),
        scores,
        costs,
        moments,
        at_moments,
        folder,
        metric,
        1.0 if metric == ACCURACY else _balance(metric, folder, cell),
    )


def _balance(metric: Metric, folder: Path, cell: Cell) -> float:
    from crossover.scoring.contributions import balance  # loads scikit-learn

    return balance(metric, _load(folder / "largest" / "y_test.npy", cell))


def _load(path: Path, cell: Cell) -> np.ndarray:
    try:
        return np.load(path)
    except (OSError, ValueError, EOFError) as error:
        problem = "does not exist" if isinstance(error, FileNotFoundError) else "is no NumPy array"
        raise _broken(cell, f"{path} {problem}") from error


def _broken(cell: Cell, problem: str) -> CrossoverError:
    return CrossoverError(f"{problem}; make it again with `{_made_by(cell)}`")


def _made_by(cell: Cell) -> str:
    features = [] if cell.family == "deep" else [cell.features]
    return f"dvc repro learning_curve_{cell.family}@{'-'.join([cell.dataset, *features, cell.model])}"
