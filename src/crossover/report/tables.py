"""The report's tables of numbers: one row a cell, a claim's criterion, a size of a curve, a tuned cell."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from crossover.analysis.claims.answers import NOT_MEASURED, AnsweredClaim, open_claim
from crossover.analysis.claims.quantity import Estimate
from crossover.analysis.results import CellResult
from crossover.analysis.study import DatasetAnalysis, StudyAnalysis
from crossover.analysis.tuning import tuning_table
from crossover.core.columns import METRICS
from crossover.core.files import write_csv, write_json
from crossover.core.metric import ACCURACY
from crossover.report.templating import macros

_COSTS = [
    "fit_seconds",
    "fit_seconds_low",
    "fit_seconds_high",
    "features_seconds",
    "waiting_share",
    "latency_p50_ms",
    "latency_p95_ms",
    "features_p50_ms",
    "throughput_per_s",
    "model_bytes",
    "peak_memory_bytes",
    "fit_memory_bytes",
    "fit_energy_j",
]

_CURVE_COLUMNS = ["dataset", "model", "family", "n", "accuracy", "lowest", "highest"]


def write_tables(folder: Path, found: StudyAnalysis) -> None:
    """Write the tables of numbers into `folder`, which exists."""
    rows = [
        _cell_row(cell, best=cell in d.best)
        for d in found.datasets
        for cell in [*d.results.cells, *d.results.not_applicable]
    ]
    write_csv(pd.DataFrame(rows), folder / "comparison.csv")
    write_csv(claims_table(found.answers), folder / "claims.csv")
    write_csv(_curve_table(found.datasets), folder / "learning_curves.csv")
    (folder / "verdicts").mkdir()
    for d in found.datasets:
        if verdict := d.verdict:
            summary = {
                "best_classical": verdict.classical.cell.name,
                f"best_classical_{verdict.metric}": verdict.classical.score,
                "best_deep": verdict.deep.cell.name,
                f"best_deep_{verdict.metric}": verdict.deep.score,
                "deep_minus_classical": verdict.difference,
                "low": verdict.interval.low,
                "high": verdict.interval.high,
                "deep_ahead": verdict.deep_ahead,
                **({"mcnemar_p": verdict.p_value} if verdict.p_values else {}),
                "metric": verdict.metric,
                "verdict": verdict.winner,
                "tier": list(d.tiers)[-1],
                "splits": verdict.splits,  # with 1, it is about these fits
            }
            write_json(folder / "verdicts" / f"{d.dataset}.json", summary | _crossing(d))
    if tunings := [d.tuning for d in found.datasets if d.tuning]:
        write_csv(tuning_table(tunings), folder / "tuning.csv")


def _crossing(d: DatasetAnalysis) -> dict[str, float]:
    """The number of training examples at which deep learning takes the lead; nothing where it does not, once."""
    pair = d.curves.family if d.curves else None
    crossings = pair.crossover.crossings if pair else []
    if len(crossings) != 1 or crossings[0].direction != "deep overtakes":
        return {}
    return {
        "crossover": crossings[0].n,
        "crossover_low": crossings[0].low,
        "crossover_high": crossings[0].high,
    }


def claims_table(answers: list[AnsweredClaim]) -> pd.DataFrame:
    """One row a criterion, in plain numbers: scores as shares of 1; an end that nothing bounds is infinite."""
    words = macros("claim_words")

    def numbers(estimate: Estimate) -> dict[str, Any]:
        return {
            "quantity": words.what(estimate).strip(),
            "value": estimate.value,
            "low": estimate.interval.low,
            "high": estimate.interval.high,
            "unit": estimate.unit,
            "interval_of": words.interval_of(estimate).strip(),
        }

    rows: list[dict[str, Any]] = []
    for a in answers:
        row = {"id": a.claim.id, "claim": a.claim.claim, "source": a.claim.source, "dataset": a.dataset}
        row["answer"] = a.answer
        if a.answer == NOT_MEASURED:
            still_open = open_claim(a)
            row |= {"reason": words.why_open(still_open).strip(), "measure": still_open.command}
        measured = []
        for finding in a.findings:
            required = words.required(finding.criterion.condition, finding.estimate.unit).strip()
            decided = {"asked": required, "condition": finding.answer, "share_met": finding.share_met}
            measured.append(row | numbers(finding.estimate) | decided)
        measured += [row | numbers(estimate) for estimate in a.for_comparison]
        rows += measured or [row]
    return pd.DataFrame(rows)


def _curve_table(datasets: list[DatasetAnalysis]) -> pd.DataFrame:
    """For `dvc plots`: one row a size of each curve, accuracies over its repetitions.

    A data set with another metric has columns for it as well.
    """
    rows: list[dict[str, Any]] = []
    for curve in (curve for d in datasets if d.curves for curve in d.curves.curves.curves):
        own = curve.metric
        accuracies = curve.accuracy if own == ACCURACY else curve.grid("test_accuracy")
        for n, of_size, score in zip(curve.sizes, accuracies, curve.accuracy, strict=True):
            row = {"dataset": curve.cell.dataset, "model": curve.label, "family": curve.family, "n": int(n)}
            row |= {"accuracy": of_size.mean(), "lowest": of_size.min(), "highest": of_size.max()}
            if own != ACCURACY:
                row |= {own: score.mean(), f"{own}_lowest": score.min(), f"{own}_highest": score.max()}
            rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else _CURVE_COLUMNS)


def _cell_row(cell: CellResult, best: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "dataset": cell.cell.dataset,
        "features": cell.cell.features,
        "model": cell.cell.model,
        "family": cell.family,
        "variant": cell.cell.variant,
        "status": cell.status,
        "reason": cell.reason,
    }
    if not cell.applicable:
        return row
    row |= {"best_of_family": best, "stochastic": cell.stochastic, "n": cell.n}
    row |= {column: cell.scores[column].iloc[0] for column in ("n_train", "n_watched", "n_test")}
    row |= {"metric": cell.metric, f"validation_{cell.metric}": cell.validation_score}
    row |= {"validation_log_loss": float(cell.validation["log_loss"].mean())}
    for metric in METRICS:
        row |= {f"{metric}_mean": cell.mean(metric), f"{metric}_sd": cell.sd(metric)}
    ends = asdict(cell.score_interval)
    row |= {f"{cell.metric}_{end}": value for end, value in ends.items()}
    row |= {column: cell.mean(column) for column in _COSTS}
    return row | {"device": ", ".join(sorted(set(cell.costs["device"].astype(str))))}
