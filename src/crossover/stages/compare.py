"""The comparison over all data sets: rows in, verdict out."""

from pathlib import Path
from typing import Any

import pandas as pd
from omegaconf import DictConfig

from crossover.analysis.claims.claim import Claim, load_claims
from crossover.analysis.decision import Constraints
from crossover.analysis.results import CellResult
from crossover.analysis.statistics import accuracy_interval
from crossover.analysis.study import DatasetAnalysis, StudyAnalysis, analyse
from crossover.analysis.tuning import DatasetTuning, tuning_table
from crossover.analysis.verdict import Verdict
from crossover.core.columns import METRICS
from crossover.core.configuration import plain
from crossover.core.files import atomic_folder, write_json
from crossover.core.layout import Layout
from crossover.core.study import Study, load_study
from crossover.launching import job
from crossover.report.figures.calibration import draw_calibration
from crossover.report.figures.cells import draw_figures
from crossover.report.figures.curves import draw_curves
from crossover.report.figures.ranks import draw_ranks
from crossover.report.figures.tuning import draw_tuning_figures
from crossover.report.page.html import render_html
from crossover.report.text.claims import claims_table
from crossover.report.text.document import TITLE, render

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


def compare(study: Study, layout: Layout, constraints: Constraints, claims: list[Claim]) -> None:
    """Read `results/`, compare the study's cells and write `reports/`.

    `reports/` holds report.html and report.md, which say the same, comparison.csv (one row a cell), claims.csv (one
    row a criterion), learning_curves.csv (for `dvc plots show`), verdicts/<dataset>.json (for `dvc metrics show`),
    figures/ (PNG, SVG and the numbers as CSV) and, where the study tunes, tuning.csv (one row a tuned cell).

    Args:
        study: which cells to compare.
        layout: where the results lie.
        constraints: under which an approach is recommended.
        claims: to answer.

    Raises:
        CrossoverError: a result that the study asks for is missing or does not fit the others.
    """
    report = analyse(study, layout, constraints, claims)
    with atomic_folder(layout.reports) as folder:
        _write_tables(folder, report)
        _draw(folder / "figures", report)
        markdown = render(report)
        (folder / "report.md").write_text(markdown, encoding="utf-8")
        page = render_html(markdown, folder / "figures", f"{TITLE} {', '.join(study.datasets)}")
        (folder / "report.html").write_text(page, encoding="utf-8")


def _write_tables(folder: Path, report: StudyAnalysis) -> None:
    _table(report.datasets).to_csv(folder / "comparison.csv", index=False)
    claims_table(report.answers).to_csv(folder / "claims.csv", index=False)
    _curve_table(report.datasets).to_csv(folder / "learning_curves.csv", index=False)
    (folder / "verdicts").mkdir()
    for chapter in report.datasets:
        if chapter.verdict:
            write_json(folder / "verdicts" / f"{chapter.dataset}.json", _summary(chapter.verdict))
    if tunings := _tunings(report):
        tuning_table(tunings).to_csv(folder / "tuning.csv", index=False)


def _draw(folder: Path, report: StudyAnalysis) -> None:
    draw_figures(folder, report.datasets)
    if tunings := _tunings(report):
        draw_tuning_figures(folder, tunings)
    for chapter in report.datasets:
        if chapter.curves:
            draw_curves(folder, chapter.curves)
        if chapter.calibration:
            draw_calibration(folder, chapter.calibration)
    cells = [cell for chapter in report.datasets for cell in chapter.results.cells]
    draw_ranks(folder, report.design.methods.comparison, {cell.cell.label: cell.family for cell in cells})


def _tunings(report: StudyAnalysis) -> list[DatasetTuning]:
    return [chapter.tuning for chapter in report.datasets if chapter.tuning]


def _curve_table(chapters: list[DatasetAnalysis]) -> pd.DataFrame:
    """For `dvc plots`: one row a size of each curve, accuracies over its repetitions."""
    rows = [
        {
            "dataset": chapter.dataset,
            "model": curve.label,
            "family": curve.family,
            "n": int(n),
            "accuracy": accuracies.mean(),
            "lowest": accuracies.min(),
            "highest": accuracies.max(),
        }
        for chapter in chapters
        if chapter.curves
        for curve in chapter.curves.curves.curves
        for n, accuracies in zip(curve.sizes, curve.accuracy, strict=True)
    ]
    return pd.DataFrame(rows, columns=_CURVE_COLUMNS)


def _table(chapters: list[DatasetAnalysis]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            _row(cell, best=cell in chapter.best)
            for chapter in chapters
            for cell in [*chapter.results.cells, *chapter.results.not_applicable]
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


def run(config: DictConfig) -> None:
    """Compare the study of `conf/compare.yaml`; see `compare`."""
    job.check_keys(config, "study", "decision", "claims_folder")
    constraints = Constraints.from_config(plain(config.decision), job.origin("decision"))
    claims = load_claims(Path(config.claims_folder))
    compare(load_study(Path(config.study)), job.layout(config), constraints, claims)
