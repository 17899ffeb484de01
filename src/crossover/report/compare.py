"""The comparison over all data sets: rows in, verdict out."""

from dataclasses import replace
from typing import Any

import pandas as pd

from crossover.evaluation.schema import METRICS
from crossover.files import atomic_folder, write_json
from crossover.layout import Layout
from crossover.report.figures import draw_figures
from crossover.report.markdown import Chapter, render
from crossover.report.published import load_published, reproductions
from crossover.report.results import CellResult, DatasetResults, read_results
from crossover.report.statistics import accuracy_interval
from crossover.report.tuning import read_tuning, tuning_table
from crossover.report.tuning_figures import draw_tuning_figures
from crossover.report.verdict import Verdict, judge
from crossover.study import DEFAULT, Study

_COSTS = [
    "fit_seconds",
    "latency_p50_ms",
    "latency_p95_ms",
    "throughput_per_s",
    "model_bytes",
    "peak_memory_bytes",
]


def compare(study: Study, layout: Layout) -> None:
    """Read `results/`, compare the study's cells and write `reports/`.

    `reports/` holds comparison.md, comparison.csv (one row a cell), verdicts/<dataset>.json (for
    `dvc metrics show`), figures/ (PNG and SVG) and, where the study tunes, tuning.csv (one row a tuned cell).

    Raises:
        CrossoverError: a result that the study asks for is missing or does not fit the others.
    """
    chapters = read_chapters(study, layout)
    with atomic_folder(layout.reports) as folder:
        (folder / "comparison.md").write_text(render(study, chapters), encoding="utf-8")
        _table(chapters).to_csv(folder / "comparison.csv", index=False)
        (folder / "verdicts").mkdir()
        for chapter in chapters:
            if chapter.verdict:
                write_json(folder / "verdicts" / f"{chapter.dataset}.json", _summary(chapter.verdict))
        draw_figures(folder / "figures", chapters)
        tunings = [chapter.tuning for chapter in chapters if chapter.tuning]
        if tunings:
            tuning_table(tunings).to_csv(folder / "tuning.csv", index=False)
            draw_tuning_figures(folder / "figures", tunings)


def read_chapters(study: Study, layout: Layout) -> list[Chapter]:
    """Read and compare each data set's results; the errors are those of `compare`."""
    published = load_published()
    results = [read_results(study, layout, dataset) for dataset in study.datasets]
    return [
        Chapter(r, judge(r), reproductions(_as_published(r), published), read_tuning(study, layout, r))
        for r in results
    ]


def _as_published(results: DatasetResults) -> DatasetResults:
    """The cells whose configuration is the published one; a tuned one reproduces nothing."""
    return replace(results, cells=[cell for cell in results.cells if cell.variant == DEFAULT])


def _table(chapters: list[Chapter]) -> pd.DataFrame:
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
        "variant": cell.variant,
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
