"""The report as Markdown that reads well on a page and in a terminal."""

from pathlib import Path

import pandas as pd

from crossover.analysis.results import CellResult
from crossover.analysis.statistics import accuracy_interval
from crossover.analysis.study import DatasetAnalysis, StudyAnalysis
from crossover.core.numbers import (
    MISSING,
    decimals,
    percent,
    percent_interval,
    points,
    points_interval,
    significant,
    size,
)
from crossover.core.study import Study
from crossover.report.templating import FAMILY_NAMES, MARKS, phrase
from crossover.report.templating import render as render_template
from crossover.report.text.calibration import calibration_parts
from crossover.report.text.claims import claims_parts
from crossover.report.text.decision import choices, decision_parts
from crossover.report.text.design import design_section
from crossover.report.text.sensitivity import no_tuning_line
from crossover.report.text.tables import bold_where, bullets, figure, table
from crossover.report.text.tuning import tuning_section
from crossover.report.text.wording import (
    NO_VERDICT,
    cost_sentence,
    mcnemar_sentence,
    model,
    name,
    reproduction_sentence,
    selection_sentence,
    verdict_sentence,
    verdict_subtitle,
    verdict_title,
)

TITLE = "Trees or a neural net?"
METHOD = Path(__file__).with_name("method.md")
NO_RESULT = "**No verdict**: one of the families has no result on this data set."

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


def render(report: StudyAnalysis) -> str:
    """The whole report."""
    study, chapters = report.study, report.datasets
    parts = [f"# {TITLE}", _question(study), "## Verdict", *_callouts(chapters), _summary(chapters)]
    parts += [_overview(chapters)] if any(chapter.results.cells for chapter in chapters) else []
    parts += [_legend(), *(part for chapter in chapters for part in _chapter(chapter))]
    parts += [*design_section(report.design), *claims_parts(report.answers)]
    parts += ["## Method", METHOD.read_text(encoding="utf-8").strip(), *_provenance(study, chapters)]
    return "\n\n".join(parts) + "\n"


def _question(study: Study) -> str:
    return (
        "Where does deep learning overtake classical machine learning, on this data, at what cost? Measured on "
        f"{_listed_in_words(study.datasets)}, with one protocol for both families."
    )


def _listed_in_words(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _callouts(chapters: list[DatasetAnalysis]) -> list[str]:
    """The verdict of each data set, as a quotation."""
    return [f"> **{chapter.dataset}.** {_headline(chapter)}" for chapter in chapters]


def _headline(chapter: DatasetAnalysis) -> str:
    verdict = verdict_sentence(chapter.verdict) if chapter.verdict else NO_RESULT
    words = [verdict, *_crossover(chapter), *([choices(chapter.decision)] if chapter.decision else [])]
    return " ".join(words)


def _crossover(chapter: DatasetAnalysis) -> list[str]:
    """Where deep learning overtakes, in a sentence; none without learning curves of both families."""
    family = chapter.curves.family if chapter.curves else None
    if family is None:
        return []
    by_data, by_time = (phrase("crossover_short", by) for by in (family.by_data, family.by_time))
    return [
        f"Where deep learning overtakes, in training examples: **{by_data}** by equal data, {by_time} by equal "
        "training time."
    ]


def _overview(chapters: list[DatasetAnalysis]) -> str:
    shown = [f"{chapter.dataset}: {verdict_subtitle(chapter.verdict)}" for chapter in chapters]
    return figure("overview", f"Accuracy of every cell against the seconds to fit it. {'; '.join(shown)}.")


def _summary(chapters: list[DatasetAnalysis]) -> str:
    header = [
        "data set",
        "best classical",
        "best deep",
        "deep − classical, points [95 %]",  # noqa: RUF001
        "verdict",
        "crossover",
    ]
    return table(header, [_summary_row(chapter) for chapter in chapters])


def _summary_row(chapter: DatasetAnalysis) -> list[str]:
    best = [_best_of(chapter.results.family(family)) for family in FAMILY_NAMES]
    if chapter.verdict is None:
        return [chapter.dataset, *best, MISSING, NO_VERDICT, MISSING]
    v = chapter.verdict
    return [
        chapter.dataset,
        *best,
        f"{points(v.difference)} [{points_interval(v.interval)}]",
        verdict_title(v),
        _crossover_cell(chapter),
    ]


def _crossover_cell(chapter: DatasetAnalysis) -> str:
    family = chapter.curves.family if chapter.curves else None
    return phrase("crossover_short", family.by_data) if family else MISSING


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
        "sd is the standard deviation over the fits, in points. A deterministic model is fitted once (n = 1). ECE: "
        "expected calibration error. Latency: one example at a time, median. Size: the model on disk."
    )


def _chapter(chapter: DatasetAnalysis) -> list[str]:
    parts = [f"## {chapter.dataset}", *_verdict(chapter)]
    parts += decision_parts(chapter.decision) if chapter.decision else []
    parts += ["### Every cell", _cells(chapter)]
    parts += [_accuracy_figure(chapter)] if chapter.results.cells else []
    parts += [render_template("curves", comparison=chapter.curves)] if chapter.curves else _no_curves(chapter)
    parts += [render_template("costs", dataset=chapter.dataset, costs=chapter.costs)] if chapter.costs else []
    parts += calibration_parts(chapter.calibration) if chapter.calibration else []
    parts += [tuning_section(chapter.tuning)] if chapter.tuning else []
    if chapter.reproductions:
        parts += ["### Published values", bullets([reproduction_sentence(r) for r in chapter.reproductions])]
    if chapter.results.not_applicable:
        parts += ["### Not applicable", bullets(_reasons(chapter.results.not_applicable))]
    return parts


def _no_curves(chapter: DatasetAnalysis) -> list[str]:
    return [
        "### Learning curves and the crossover",
        f"No learning curve was measured on {chapter.dataset}; models under `learning_curve` in `params.yaml` and "
        "`dvc repro` measure it.",
    ]


def _accuracy_figure(chapter: DatasetAnalysis) -> str:
    best, worst = chapter.results.cells[0], chapter.results.cells[-1]
    return figure(
        f"{chapter.dataset}-accuracy",
        f"Test accuracy of every cell on {chapter.dataset} with its 95 % interval, from {name(best)} "
        f"({percent(best.mean('accuracy'))} %) down to {name(worst)} ({percent(worst.mean('accuracy'))} %).",
    )


def _reasons(cells: list[CellResult]) -> list[str]:
    """One line for each feature set and reason, with the models that it keeps out."""
    models: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        models.setdefault((cell.cell.features, cell.reason), []).append(cell.label)
    return [f"{features} / {', '.join(names)}: {reason}" for (features, reason), names in models.items()]


def _verdict(chapter: DatasetAnalysis) -> list[str]:
    verdict = chapter.verdict
    if verdict is None:
        return [NO_RESULT]
    details = [selection_sentence(verdict), mcnemar_sentence(verdict), cost_sentence(verdict)]
    return [verdict_sentence(verdict), bullets(details)]


def _cells(chapter: DatasetAnalysis) -> str:
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
        str(cell.n),
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


def _provenance(study: Study, chapters: list[DatasetAnalysis]) -> list[str]:
    costs = pd.concat([c.costs for chapter in chapters for c in chapter.results.cells] or [pd.DataFrame()])
    lines = [
        f"Made by `dvc repro` from `params.yaml`: data sets {', '.join(study.datasets)}; repetitions 0 to "
        f"{study.seeds - 1}{_curve_plan(study)}. `dvc repro` at the commit below makes it again; of what it writes, "
        "only times, memory and energy may differ on the same machine.",
        f"Other data sets: `dvc exp run -S 'datasets=[{','.join(study.datasets)},wine]'`. Another configuration: "
        "`dvc exp run -S conf/model/xgboost.yaml:max_depth=8`. Other constraints: "
        "`dvc exp run -S conf/decision/default.yaml:latency_ms=0.5`.",
        "Every model has the configuration that stands in `conf/model/`; a tuned one is named so and has the best "
        "that a search of the space in `conf/search/` found.",
    ]
    untuned = [chapter.dataset for chapter in chapters if not chapter.tuning]
    lines += [no_tuning_line(untuned)] if untuned else []
    lines += [f"Data checksum of {c.dataset}: `{_checksum(c)}`" for c in chapters if c.results.cells]
    lines += _measured_on(costs) if len(costs) else []
    return ["## Environment and commands", bullets(lines)]


def _curve_plan(study: Study) -> str:
    plan = study.learning_curve
    if not (plan.classical_models or plan.deep_models):
        return ""
    return f"; learning curves with {plan.repetitions} repetitions of each size"


def _checksum(chapter: DatasetAnalysis) -> str:
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
