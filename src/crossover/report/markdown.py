"""The report as Markdown that reads well on a page and in a terminal."""

from dataclasses import dataclass

import pandas as pd

from crossover.report.published import Reproduction
from crossover.report.results import CellResult, DatasetResults
from crossover.report.sensitivity_text import no_tuning_line
from crossover.report.statistics import accuracy_interval
from crossover.report.tables import bold_where, bullets, table
from crossover.report.tuning import DatasetTuning
from crossover.report.tuning_text import tuning_section
from crossover.report.verdict import Verdict
from crossover.report.wording import (
    FAMILY_NAMES,
    MARKS,
    MISSING,
    NO_VERDICT,
    cost_sentence,
    decimals,
    mcnemar_sentence,
    model,
    percent,
    percent_interval,
    points,
    points_interval,
    reproduction_sentence,
    selection_sentence,
    significant,
    size,
    verdict_sentence,
    verdict_title,
)
from crossover.study import Study

COLUMNS = [
    "model",
    "features",
    "accuracy % [95 %]",
    "sd",
    "n",
    "macro F1",
    "log loss",
    "ECE",
    "fit s",
    "latency ms",
    "size",
    "device",
]


@dataclass(frozen=True)
class Chapter:
    """One data set of the report.

    Attributes:
        results: its cells.
        verdict: None where one of the families has no result.
        reproductions: published values beside ours.
        tuning: the searches behind its tuned cells; None where it has none.
    """

    results: DatasetResults
    verdict: Verdict | None
    reproductions: list[Reproduction]
    tuning: DatasetTuning | None

    @property
    def dataset(self) -> str:
        return self.results.dataset

    @property
    def best(self) -> list[CellResult]:
        """The best cell of each family."""
        families = [self.results.family(family) for family in FAMILY_NAMES]
        return [family[0] for family in families if family]


def render(study: Study, chapters: list[Chapter]) -> str:
    """The whole report."""
    parts = ["# Comparison", _summary(chapters), "![Accuracy and cost](figures/overview.png)", _legend()]
    parts += [_chapter(chapter) for chapter in chapters]
    parts.append(_provenance(study, chapters))
    return "\n\n".join(parts) + "\n"


def _summary(chapters: list[Chapter]) -> str:
    header = ["data set", "best classical", "best deep", "deep − classical, points [95 %]", "verdict"]  # noqa: RUF001
    return table(header, [_summary_row(chapter) for chapter in chapters])


def _summary_row(chapter: Chapter) -> list[str]:
    best = [_best_of(chapter.results.family(family)) for family in FAMILY_NAMES]
    if chapter.verdict is None:
        return [chapter.dataset, *best, MISSING, NO_VERDICT]
    v = chapter.verdict
    return [
        chapter.dataset,
        *best,
        f"{points(v.difference)} [{points_interval(v.interval)}]",
        verdict_title(v),
    ]


def _best_of(cells: list[CellResult]) -> str:
    if not cells:
        return MISSING
    best = cells[0]
    sees = "" if best.family == "deep" else f" on {best.cell.features}"
    return f"{model(best)}{sees}, {percent(best.mean('accuracy'))} %"


def _legend() -> str:
    return (
        f"{MARKS['classical']} classical, {MARKS['deep']} deep; the best of each family in bold. Accuracy is "
        "the mean over n fits on the test part, with its 95 % interval over test examples and repetitions; "
        "sd is the standard deviation over the fits, in points. A deterministic model is fitted once. ECE: "
        "expected calibration error. Latency: one example at a time, median. Size: the model on disk."
    )


def _chapter(chapter: Chapter) -> str:
    parts = [f"## {chapter.dataset}", *_verdict(chapter), _cells(chapter)]
    if chapter.tuning:
        parts.append(tuning_section(chapter.tuning))
    if chapter.reproductions:
        parts += ["### Published values", bullets([reproduction_sentence(r) for r in chapter.reproductions])]
    if chapter.results.not_applicable:
        parts += ["### Not applicable", bullets(_reasons(chapter.results.not_applicable))]
    if chapter.results.cells:
        parts += [
            f"![Accuracy of every cell](figures/{chapter.dataset}-accuracy.png)",
            f"![Accuracy against cost](figures/{chapter.dataset}-cost.png)",
        ]
    return "\n\n".join(parts)


def _reasons(cells: list[CellResult]) -> list[str]:
    """One line for each feature set and reason, with the models that it keeps out."""
    models: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        models.setdefault((cell.cell.features, cell.reason), []).append(cell.label)
    return [f"{features} / {', '.join(names)}: {reason}" for (features, reason), names in models.items()]


def _verdict(chapter: Chapter) -> list[str]:
    verdict = chapter.verdict
    if verdict is None:
        return ["**No verdict**: one of the families has no result on this data set."]
    details = [selection_sentence(verdict), mcnemar_sentence(verdict), cost_sentence(verdict)]
    return [verdict_sentence(verdict), bullets(details)]


def _cells(chapter: Chapter) -> str:
    rows = [_cell_row(cell, bold=cell in chapter.best) for cell in chapter.results.cells]
    return table(COLUMNS, rows, right=set(range(2, 11)))


def _cell_row(cell: CellResult, bold: bool) -> list[str]:
    accuracy = percent(cell.mean("accuracy"))
    interval = percent_interval(accuracy_interval(cell.correct)).replace(" to ", ", ")
    return [
        f"{MARKS[cell.family]} {bold_where(bold, cell.label)}",
        cell.cell.features,
        f"{bold_where(bold, accuracy)} [{interval}]",
        percent(cell.sd("accuracy")),
        str(cell.n) if cell.stochastic else f"{cell.n} (deterministic)",
        decimals(cell.mean("macro_f1"), 4),
        decimals(cell.mean("log_loss"), 4),
        decimals(cell.mean("calibration_error"), 4),
        significant(cell.mean("fit_seconds")),
        significant(cell.mean("latency_p50_ms")),
        size(cell.mean("model_bytes")),
        _listed(cell.costs["device"]),
    ]


def _listed(values: pd.Series) -> str:
    return ", ".join(sorted({str(value) for value in values.dropna()}))


def _provenance(study: Study, chapters: list[Chapter]) -> str:
    costs = pd.concat([c.costs for chapter in chapters for c in chapter.results.cells] or [pd.DataFrame()])
    lines = [
        f"Made by `dvc repro` from `params.yaml`: data sets {', '.join(study.datasets)}; repetitions 0 to "
        f"{study.seeds - 1}.",
        "Repetition k gives every model the same validation split and the same seed. The test part is the "
        "publisher's where there is one, and opened for scoring alone; selection and early stopping see "
        "validation data. Every model has the configuration that stands in `conf/model/`; a tuned one is named "
        "so and has the best that a search of the space in `conf/search/` found.",
        "What is computed and what it cannot tell: `docs/methods.md`.",
    ]
    untuned = [chapter.dataset for chapter in chapters if not chapter.tuning]
    lines += [no_tuning_line(untuned)] if untuned else []
    lines += [f"Data checksum of {c.dataset}: `{_checksum(c)}`" for c in chapters if c.results.cells]
    lines += _measured_on(costs) if len(costs) else []
    return f"## Provenance\n\n{bullets(lines)}"


def _checksum(chapter: Chapter) -> str:
    return ", ".join(
        sorted({s for c in chapter.results.cells for s in c.scores["data_checksum"].astype(str)})
    )


def _measured_on(costs: pd.DataFrame) -> list[str]:
    commits = _listed(costs["git_commit"])
    changed = " (+: with uncommitted changes)" if "+" in commits else ""
    threads = _listed(costs["threads"].astype("Int64"))
    return [
        f"Git commit: {commits}{changed}",
        f"Devices: {_listed(costs['device'])}; processor threads: {threads}",
        *(f"Versions: {versions}" for versions in sorted(costs["versions"].dropna().unique())),
    ]
