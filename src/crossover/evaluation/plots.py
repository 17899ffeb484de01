"""The tables behind `dvc plots`; their templates lie in `.dvc/plots/`."""

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from crossover.evaluation.rows import ScoredRepetitions
from crossover.scoring.judge import reliability

HISTORY = ["model", "seed", "epoch", "train_loss", "val_loss", "val_accuracy"]


def confusion_table(cells: list[ScoredRepetitions], classes: list[str]) -> pd.DataFrame:
    """Counts of each cell's first repetition: `model`, `actual`, `predicted`, `count`, zeros too."""
    pairs = pd.MultiIndex.from_product([classes, classes], names=["actual", "predicted"])
    tables = []
    for cell in cells:
        first = cell.fits[0]
        counts = confusion_matrix(first.y_true, first.proba.argmax(axis=1), labels=np.arange(len(classes)))
        tables.append(
            pd.DataFrame({"model": cell.cell.label, "count": counts.ravel()}, index=pairs).reset_index()
        )
    return _stack(tables, ["model", "actual", "predicted", "count"])


def history_table(cells: list[ScoredRepetitions]) -> pd.DataFrame:
    """One row an epoch of each fit that has epochs; a loss that was not measured is empty."""
    tables = [
        pd.DataFrame(scored.fit.history)
        .rename(columns=lambda name: name.replace("/", "_"))
        .assign(model=cell.cell.label, seed=scored.seed)
        for cell in cells
        for scored in cell.fits
        if scored.fit and scored.fit.history
    ]
    return _stack(tables, HISTORY)


def reliability_table(cells: list[ScoredRepetitions]) -> pd.DataFrame:
    """`model`, and the columns of `judge.reliability` over the examples of all repetitions together."""
    tables = []
    for cell in cells:
        proba = np.concatenate([scored.proba for scored in cell.fits])
        y_true = np.concatenate([scored.y_true for scored in cell.fits])
        tables.append(reliability(y_true, proba).assign(model=cell.cell.label))
    return _stack(tables, ["model", "confidence", "accuracy", "count"])


def cost_plot_table(cells: list[ScoredRepetitions], costs: pd.DataFrame) -> pd.DataFrame:
    """Mean accuracy and mean costs of each cell, in long form: `cost` names what `value` measures.

    Args:
        cells: those that apply.
        costs: the table of `rows.cost_table`.
    """
    measures = {"fit_seconds": "fit time (s)", "latency_p50_ms": "latency of one prediction (ms)"}
    means = costs.groupby(["features", "model", "variant"])[list(measures)].mean()
    rows = [
        {
            "model": cell.cell.label,
            "family": cell.cell.family,
            "cost": name,
            "value": means.loc[(cell.cell.features, cell.cell.model, cell.cell.variant), column],
            "accuracy": cell.mean("accuracy"),
        }
        for cell in cells
        for column, name in measures.items()
    ]
    return pd.DataFrame(rows, columns=["model", "family", "cost", "value", "accuracy"])


def _stack(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """The tables below each other, with exactly the given columns."""
    stacked = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    return stacked.reindex(columns=columns)
