"""The report's tables of numbers: one row a cell, a claim's criterion, a size of a curve, a tuned cell."""

from pathlib import Path
from typing import Any

import pandas as pd

from crossover.analysis.results import CellResult
from crossover.analysis.statistics import accuracy_interval
from crossover.analysis.study import DatasetAnalysis, StudyAnalysis
from crossover.analysis.tuning import DatasetTuning, tuning_table
from crossover.analysis.verdict import Verdict
from crossover.core.columns import METRICS
from crossover.core.files import write_json
from crossover.report.text.claims import claims_table

_COSTS = [
    "fit_seconds",
    "latency_p50_ms",
    "latency_p95_ms",
    "throughput_per_s",
    "model_bytes",
    "peak_memory_bytes",
    "fit_memory_bytes",
    "fit_energy_j",
]


_CURVE_COLUMNS = ["dataset", "model", "family", "n", "accuracy", "lowest", "highest"]


def write_tables(folder: Path, found: StudyAnalysis) -> None:
    """Write the tables of numbers into `folder`, which exists."""
    _table(found.datasets).to_csv(folder / "comparison.csv", index=False)
    claims_table(found.answers).to_csv(folder / "claims.csv", index=False)
    _curve_table(found.datasets).to_csv(folder / "learning_curves.csv", index=False)
    (folder / "verdicts").mkdir()
    for d in found.datasets:
        if d.verdict:
            write_json(folder / "verdicts" / f"{d.dataset}.json", _summary(d.verdict))
    if tunings := _tunings(found):
        tuning_table(tunings).to_csv(folder / "tuning.csv", index=False)


def _tunings(found: StudyAnalysis) -> list[DatasetTuning]:
    return [d.tuning for d in found.datasets if d.tuning]


def _curve_table(datasets: list[DatasetAnalysis]) -> pd.DataFrame:
    """For `dvc plots`: one row a size of each curve, accuracies over its repetitions."""
    rows = [
        {
            "dataset": d.dataset,
            "model": curve.label,
            "family": curve.family,
            "n": int(n),
            "accuracy": accuracies.mean(),
            "lowest": accuracies.min(),
            "highest": accuracies.max(),
        }
        for d in datasets
        if d.curves
        for curve in d.curves.curves.curves
        for n, accuracies in zip(curve.sizes, curve.accuracy, strict=True)
    ]
    return pd.DataFrame(rows, columns=_CURVE_COLUMNS)


def _table(datasets: list[DatasetAnalysis]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row(cell, best=cell in d.best)
            for d in datasets
            for cell in [*d.results.cells, *d.results.not_applicable]
        ]
    )


def _row(cell: CellResult, best: bool) -> dict[str, Any]:
    row = {
        "dataset": cell.cell.dataset,
        "features": cell.cell.features,
        "model": cell.cell.model,
        "family": cell.family,
        "variant": cell.cell.variant,
        "status": cell.status,
        "reason": cell.reason,
    }
    return row | (_numbers(cell, best) if cell.applicable else {})


def _numbers(cell: CellResult, best: bool) -> dict[str, Any]:
    interval = accuracy_interval(cell.correct)
    numbers: dict[str, Any] = {"best_of_family": best, "stochastic": cell.stochastic, "n": cell.n}
    numbers |= {column: cell.scores[column].iloc[0] for column in ("n_train", "n_test")}
    for metric in METRICS:
        numbers |= {f"{metric}_mean": cell.mean(metric), f"{metric}_sd": cell.sd(metric)}
    numbers |= {"accuracy_low": interval.low, "accuracy_high": interval.high}
    numbers |= {column: cell.mean(column) for column in _COSTS}
    return numbers | {"device": ", ".join(sorted(set(cell.costs["device"].astype(str))))}


def _summary(verdict: Verdict) -> dict[str, float | str]:
    return {
        "best_classical": verdict.classical.cell.name,
        "best_classical_accuracy": verdict.classical.mean("accuracy"),
        "best_deep": verdict.deep.cell.name,
        "best_deep_accuracy": verdict.deep.mean("accuracy"),
        "deep_minus_classical": verdict.difference,
        "low": verdict.interval.low,
        "high": verdict.interval.high,
        "mcnemar_p": verdict.p_value,
        "verdict": verdict.winner,
    }
