"""The files that the stage `evaluate` writes for one data set, from its scored fits."""

from pathlib import Path

import numpy as np

from crossover.core.files import write_csv, write_json
from crossover.data.prepared import Prepared
from crossover.evaluation.plots import confusion_table, cost_plot_table, history_table, reliability_table
from crossover.evaluation.rows import ScoredRepetitions, cost_table, score_table, validation_table


def write_results(
    folder: Path, scored: list[ScoredRepetitions], y_true: np.ndarray, prepared: Prepared
) -> None:
    """Write everything below `results/<dataset>/`; the docstring of `crossover.stages.evaluate` lists it.

    Args:
        folder: existing and empty.
        scored: every cell of the study, those that do not apply too.
        y_true: labels of each split's test part, int64 (splits, n_test).
        prepared: the data set.
    """
    meta = prepared.meta
    costs = cost_table(scored)
    write_csv(score_table(scored, meta), folder / "scores.csv")
    write_csv(validation_table(scored, prepared), folder / "validation.csv")
    write_csv(costs, folder / "costs.csv")
    for name in ("predictions", "metrics", "plots"):
        (folder / name).mkdir()
    np.save(folder / "predictions" / "y_true.npy", y_true)
    applicable = [of_cell for of_cell in scored if of_cell.fits]
    for of_cell in applicable:
        write_json(folder / "metrics" / f"{of_cell.cell.name}.json", of_cell.metrics())
        for one in of_cell.fits:
            np.save(folder / "predictions" / f"{of_cell.cell.name}-seed{one.seed}.npy", one.proba)
    tables = {
        "confusion": confusion_table(applicable, meta.classes),
        "history": history_table(applicable),
        "reliability": reliability_table(applicable),
        "cost": cost_plot_table(applicable, costs),
    }
    for name, table in tables.items():
        write_csv(table, folder / "plots" / f"{name}.csv")
