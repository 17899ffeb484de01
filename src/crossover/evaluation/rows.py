"""Scored fits, and the tidy rows that stand for them."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from crossover.core.cell import Cell
from crossover.core.columns import COSTS, METRICS, SCORES, VALIDATION, result_table
from crossover.core.fits import Fit, FitCosts, FitRecord, Repetitions, ValidationScores
from crossover.data.prepared import Meta, Prepared
from crossover.models.base import Complexity
from crossover.scoring.latency import PredictionCost


@dataclass(frozen=True)
class ScoredFit:
    """One fit, or one vote of fits, and what it predicted for the test part.

    Attributes:
        seed: number of the repetition.
        fit: on disk; None for a vote.
        record: its exact facts.
        y_true: int64 (n_test,), the labels of its test part.
        proba: float32 (n_test, n_classes).
        metrics: the judge's, made from `proba`.
        costs: of the fit, the making of the features included.
        cost: of the predictions.
        complexity: of the fitted model; None for a vote of models whose units differ.
        model_bytes: on disk.
    """

    seed: int
    fit: Fit | None
    record: FitRecord
    y_true: np.ndarray
    proba: np.ndarray
    metrics: dict[str, float]
    costs: FitCosts
    cost: PredictionCost
    complexity: Complexity | None
    model_bytes: int


@dataclass(frozen=True)
class ScoredRepetitions:
    """One cell of the study and its scored fits.

    Attributes:
        record: of the cell.
        validation: scores on the validation rows of some repetitions; none where the cell does not apply.
        fits: in the order of the seeds; none where the cell does not apply.
    """

    record: Repetitions
    validation: list[ValidationScores]
    fits: list[ScoredFit]

    @property
    def cell(self) -> Cell:
        return self.record.cell

    def mean(self, metric: str) -> float:
        """Mean of a metric over the fits."""
        return float(np.mean([scored.metrics[metric] for scored in self.fits]))

    def metrics(self) -> dict[str, float]:
        """Mean of each metric over the fits, and their number `n`; `accuracy_sd` where there are several.

        A metric that is not defined on the test part is left out, since JSON has no NaN.
        """
        means = {metric: self.mean(metric) for metric in METRICS}
        result = {metric: value for metric, value in means.items() if not np.isnan(value)}
        if len(self.fits) > 1:
            result["accuracy_sd"] = float(np.std([f.metrics["accuracy"] for f in self.fits], ddof=1))
        return result | {"n": len(self.fits)}


def score_table(scored: list[ScoredRepetitions], meta: Meta) -> pd.DataFrame:
    """The columns `SCORES`: one row a fit; a cell that does not apply has one, without numbers."""
    rows: list[dict[str, Any]] = []
    for of_cell in scored:
        record = of_cell.record
        shared = asdict(record.cell) | {
            "status": record.status,
            "reason": record.reason,
            "stochastic": record.stochastic,
            "metric": meta.metric,
            "data_checksum": meta.checksum,
        }
        for one in of_cell.fits:
            n_test, n_classes = one.proba.shape
            facts = {
                "seed": one.seed,
                "n_train": one.record.n_train,
                "n_watched": one.record.n_watched,
                "n_test": n_test,
                "split": one.seed % meta.splits,
                "test_overlap": meta.test_overlap,
                "n_classes": n_classes,
                "complexity": one.complexity.count if one.complexity else None,
                "complexity_unit": one.complexity.unit if one.complexity else None,
            }
            rows.append(shared | facts | one.metrics)
        if not of_cell.fits:
            rows.append(shared | {"seed": 0})
    return result_table(rows, SCORES)


def validation_table(scored: list[ScoredRepetitions], prepared: Prepared) -> pd.DataFrame:
    """The columns `VALIDATION`: one row for each repetition whose validation rows were scored."""

    def examples(seed: int) -> np.ndarray:
        split = prepared.of(seed)
        return split.rows("train")[split.validation_rows(seed)]

    rows: list[dict[str, Any]] = []
    for of_cell in scored:
        drawn = [examples(one.seed) for one in of_cell.validation]
        shared = asdict(of_cell.cell) | {"n_distinct": len(np.unique(np.concatenate(drawn))) if drawn else 0}
        for one in of_cell.validation:
            facts = {name: value for name, value in asdict(one).items() if name != "metrics"}
            rows.append(shared | facts | one.metrics)
    return result_table(rows, VALIDATION)


def cost_table(scored: list[ScoredRepetitions]) -> pd.DataFrame:
    """The columns `COSTS`, row for row as in `score_table`."""
    rows: list[dict[str, Any]] = []
    for of_cell in scored:
        keys = asdict(of_cell.cell)
        for one in of_cell.fits:
            size = {"model_bytes": one.model_bytes}
            rows.append(keys | {"seed": one.seed} | asdict(one.costs) | asdict(one.cost) | size)
        if not of_cell.fits:
            rows.append(keys | {"seed": 0})
    return result_table(rows, COSTS)
