"""Scored fits, and the tidy rows that stand for them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from crossover.core.cell import Cell
from crossover.core.columns import COSTS, METRICS, SCORES, result_table
from crossover.core.files import folder_bytes
from crossover.core.fits import CellRecord, Fit
from crossover.models.base import Complexity
from crossover.scoring.latency import PredictionCost


@dataclass(frozen=True)
class ScoredFit:
    """One fit and what it made of the test part.

    Attributes:
        fit: on disk.
        proba: float32 (n_test, n_classes).
        metrics: the judge's, made from `proba`.
        cost: of the predictions.
        complexity: of the fitted model.
    """

    fit: Fit
    proba: np.ndarray
    metrics: dict[str, float]
    cost: PredictionCost
    complexity: Complexity


@dataclass(frozen=True)
class ScoredCell:
    """One cell of the study and its scored fits, in the order of the seeds; none where it does not apply."""

    record: CellRecord
    fits: list[ScoredFit]

    @property
    def cell(self) -> Cell:
        return self.record.cell

    def mean(self, metric: str) -> float:
        """Mean of a metric over the fits."""
        return float(np.mean([scored.metrics[metric] for scored in self.fits]))


def score_table(cells: list[ScoredCell], data_checksum: str) -> pd.DataFrame:
    """The columns `columns.SCORES`: one row a fit; a cell that does not apply has one, without numbers."""
    rows = [
        _keys(cell.record, scored)
        | {"status": cell.record.status, "reason": cell.record.reason, "stochastic": cell.record.stochastic}
        | (_scores(scored) if scored else {})
        | {"data_checksum": data_checksum}
        for cell in cells
        for scored in _fits_or_none(cell)
    ]
    return result_table(rows, SCORES)


def cost_table(cells: list[ScoredCell]) -> pd.DataFrame:
    """The columns `columns.COSTS`, row for row beside `score_table`."""
    rows = [
        _keys(cell.record, scored) | (_costs(scored) if scored else {})
        for cell in cells
        for scored in _fits_or_none(cell)
    ]
    return result_table(rows, COSTS)


def cell_metrics(cell: ScoredCell) -> dict[str, float]:
    """Mean of each metric over the fits, and their number `n`; `accuracy_sd` where there are several.

    A metric that is not defined on the test part is left out, since JSON has no NaN.
    """
    means = {metric: cell.mean(metric) for metric in METRICS}
    result = {metric: value for metric, value in means.items() if not np.isnan(value)}
    if len(cell.fits) > 1:
        result["accuracy_sd"] = float(np.std([f.metrics["accuracy"] for f in cell.fits], ddof=1))
    return result | {"n": len(cell.fits)}


def _fits_or_none(cell: ScoredCell) -> Sequence[ScoredFit | None]:
    return cell.fits or [None]


def _keys(record: CellRecord, scored: ScoredFit | None) -> dict[str, Any]:
    return {**record.cell.as_row(), "seed": scored.fit.seed if scored else 0}


def _scores(scored: ScoredFit) -> dict[str, Any]:
    n_test, n_classes = scored.proba.shape
    facts = {
        "n_train": scored.fit.record.n_train,
        "n_test": n_test,
        "n_classes": n_classes,
        "complexity": scored.complexity.count,
        "complexity_unit": scored.complexity.unit,
    }
    return facts | scored.metrics


def _costs(scored: ScoredFit) -> dict[str, Any]:
    return (
        asdict(scored.fit.cost) | asdict(scored.cost) | {"model_bytes": folder_bytes(scored.fit.model_folder)}
    )
