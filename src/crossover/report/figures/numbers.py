"""The numbers behind the figures, one tidy table a figure: scores in percent, as the axes show them."""

from typing import Any

import numpy as np
import pandas as pd

from crossover.analysis.costs import comparable_costs, frontier
from crossover.analysis.results import CellResult
from crossover.analysis.study import DatasetAnalysis
from crossover.analysis.tuning import DatasetTuning, Search


def overview_numbers(datasets: list[DatasetAnalysis]) -> pd.DataFrame:
    """One row a cell of every data set: its score and its seconds to fit."""
    return pd.DataFrame(
        {
            "dataset": d.dataset,
            **cell_keys(cell),
            f"{cell.metric}_percent": rounded_percent(cell.score),
            "fit_seconds": rounded(cell.mean("fit_seconds")),
            "best_of_family": yes_no(cell in d.best),
        }
        for d in datasets
        for cell in d.results.cells
    )


def accuracy_numbers(d: DatasetAnalysis) -> pd.DataFrame:
    """One row a cell: mean score, its interval, and the score of each single fit."""
    rows = []
    for cell in d.results.cells:
        interval = cell.score_interval
        values = {cell.metric: cell.score, "low_95": interval.low, "high_95": interval.high}
        fits = zip(cell.scores["seed"], cell.correct.mean(axis=1), strict=True)
        values |= {f"seed_{int(seed)}": float(score) for seed, score in fits}
        shares = {f"{name}_percent": rounded_percent(value) for name, value in values.items()}
        rows.append(cell_keys(cell) | shares)
    return pd.DataFrame(rows)


def cost_numbers(d: DatasetAnalysis) -> pd.DataFrame:
    """One row a cell and cost that was measured."""
    cells = d.results.cells
    return pd.DataFrame(
        {
            **cell_keys(cell),
            f"{cell.metric}_percent": rounded_percent(cell.score),
            "cost": cost.label,
            "value": rounded(cost.of(cell)),
            "on_the_front": yes_no(cell in frontier(cells, cost)),
        }
        for cost in comparable_costs(cells)
        for cell in cells
        if np.isfinite(cost.of(cell))
    )


def trial_numbers(tuning: DatasetTuning) -> pd.DataFrame:
    """One row a trial (left panel), then one row a number of configurations tried (right panel)."""
    rows: list[dict[str, Any]] = [
        {
            "shows": "trial",
            **cell_keys(search.tuned),
            "number": trial["trial"],
            f"{search.tuned.metric}_percent": rounded_percent(trial["score"]),
            "state": trial["state"],
            "best": yes_no(trial["best"]),
        }
        for search in tuning.searches
        for _, trial in search.trials.iterrows()
    ]
    for search in tuning.searches:
        curve = search.curve
        values = zip(curve.expected, curve.low, curve.high, strict=True)
        rows += [
            {
                "shows": "expected best" if search.independent else "best so far",
                **cell_keys(search.tuned),
                "number": k,
                f"{search.tuned.metric}_percent": rounded_percent(expected),
                "low_95_percent": rounded_percent(low),
                "high_95_percent": rounded_percent(high),
            }
            for k, (expected, low, high) in enumerate(values, start=1)
        ]
    return pd.DataFrame(rows)


def pareto_numbers(searches: list[Search]) -> pd.DataFrame:
    """One row a trial of every search: both objectives, and whether it is on the front."""
    rows = []
    for search in searches:
        objective = search.second_objective or "fit_seconds"
        costs = search.costs.set_index("trial")[objective]
        rows += [
            {
                **cell_keys(search.tuned),
                "trial": trial["trial"],
                f"{search.tuned.metric}_percent": rounded_percent(trial["score"]),
                objective: rounded(float(costs[trial["trial"]])),
                "state": trial["state"],
                "on_the_front": yes_no(trial["pareto"]),
                "best": yes_no(trial["best"]),
            }
            for _, trial in search.trials.iterrows()
        ]
    return pd.DataFrame(rows)


def cell_keys(cell: CellResult) -> dict[str, Any]:
    """The columns that say which cell a row is about."""
    return {"model": cell.cell.model_label, "features": cell.cell.features, "family": cell.family}


def rounded_percent(share: float) -> float:
    """0.988471 -> 98.85."""
    return round(100 * float(share), 2)


def rounded(value: float) -> float:
    """Four significant digits: a cost is not measured more exactly."""
    return float(f"{value:.4g}") if np.isfinite(value) else value


def yes_no(value: bool) -> str:
    return "yes" if value else ""
