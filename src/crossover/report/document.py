"""The report: which chapters it has, their words as Markdown, and their figures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from crossover.analysis.claims.answers import summarise
from crossover.analysis.study import StudyAnalysis
from crossover.report.figures.calibration import draw_calibration
from crossover.report.figures.cells import draw_accuracy, draw_cost, draw_overview
from crossover.report.figures.crossover_map import draw_map
from crossover.report.figures.curves import draw_curves
from crossover.report.figures.doubtful_labels import draw_doubtful_labels
from crossover.report.figures.losses import draw_losses
from crossover.report.figures.ranks import draw_ranks
from crossover.report.figures.tuning import draw_tuning_figures
from crossover.report.figures.verdict import draw_verdict
from crossover.report.templating import phrase
from crossover.report.templating import render as render_template

TITLE = "Trees or a neural net?"


def _curves(curves: Any, dataset: str, **_: Any) -> str:
    if curves is None:
        return render_template("no_curves", dataset=dataset)
    return render_template("curves", comparison=curves)


@dataclass(frozen=True)
class Chapter:
    """A chapter of the report.

    Attributes:
        words: makes its Markdown from the fields of the analysis; empty where it has nothing to say.
        draw: writes its figures, if any, into a folder.
    """

    words: Callable[..., str]
    draw: Callable[[Path, Any], None] | None = None


def template(name: str) -> Callable[..., str]:
    """The words of a chapter that stand in `templates/<name>.md.j2`."""
    return lambda **fields: render_template(name, **fields)


OF_A_DATASET = (
    Chapter(template("verdict"), draw_verdict),
    Chapter(template("decision")),
    Chapter(
        template("audit"),
        lambda folder, d: draw_doubtful_labels(folder, d.dataset, d.audit.pictures) if d.audit else None,
    ),
    Chapter(template("cells"), draw_accuracy),
    Chapter(template("training"), draw_losses),
    Chapter(
        template("crossover_map"),
        lambda folder, d: draw_map(folder, d.map) if d.map else None,
    ),
    Chapter(
        _curves,
        lambda folder, d: draw_curves(folder, d.curves) if d.curves else None,
    ),
    Chapter(template("costs"), draw_cost),
    Chapter(
        template("calibration"),
        lambda folder, d: draw_calibration(folder, d.calibration) if d.calibration else None,
    ),
    Chapter(
        template("tuning"),
        lambda folder, d: draw_tuning_figures(folder, [d.tuning]) if d.tuning else None,
    ),
    Chapter(template("published")),
    Chapter(template("not_applicable")),
)
"""The chapters of one data set, in their order."""

OF_THE_STUDY = (
    Chapter(
        template("statistics"),
        lambda folder, found: draw_ranks(
            folder,
            found.design.methods,
            {c.cell.label: c.family for d in found.datasets for c in d.results.cells},
        ),
    ),
    Chapter(lambda answers, **_: render_template("claims", claims=summarise(answers))),
    Chapter(template("method")),
    Chapter(template("environment")),
)
"""The chapters about all data sets together, which follow."""


def draw(folder: Path, found: StudyAnalysis) -> None:
    """Write every figure as PNG and SVG, with its numbers as CSV, into `folder`, which is made."""
    folder.mkdir(parents=True)
    draw_overview(folder, found.datasets)
    for chapter in OF_A_DATASET:
        for d in found.datasets:
            if chapter.draw:
                chapter.draw(folder, d)
    for chapter in OF_THE_STUDY:
        if chapter.draw:
            chapter.draw(folder, found)


def render(found: StudyAnalysis) -> str:
    """The whole report as Markdown that reads well on a page and in a terminal."""
    families = {d.dataset: d.curves.family for d in found.datasets if d.curves and d.curves.family}
    crossovers = {name: phrase("crossover_short", pair.crossover) for name, pair in families.items()}
    parts = [render_template("report", title=TITLE, crossovers=crossovers, **vars(found))]
    for d in found.datasets:
        parts.append(f"## {d.dataset}")
        parts += [chapter.words(dataset=d.dataset, **vars(d)) for chapter in OF_A_DATASET]
    fields = vars(found) | environment(found)
    parts += [chapter.words(**fields) for chapter in OF_THE_STUDY]
    return "\n\n".join(filter(None, parts)) + "\n"


def environment(found: StudyAnalysis) -> dict[str, Any]:
    """Where and with what the study was measured: fields for the template `environment`."""
    measured = {d.dataset: d.results.cells for d in found.datasets if d.results.cells}
    nothing = pd.DataFrame(columns=["git_commit", "device", "threads", "versions"])
    costs = pd.concat([cell.costs for cells in measured.values() for cell in cells] or [nothing])
    values = {column: costs[column].dropna() for column in nothing}
    checksums = {
        dataset: {checksum for cell in cells for checksum in cell.scores["data_checksum"].astype(str)}
        for dataset, cells in measured.items()
    }
    return {
        "checksums": {name: ", ".join(sorted(sums)) for name, sums in checksums.items()},
        "measured": bool(measured),
        "commits": sorted(set(values["git_commit"].astype(str))),
        "devices": sorted(set(values["device"].astype(str))),
        "threads": sorted(set(values["threads"].astype(int).astype(str))),
        "versions": sorted(set(values["versions"].astype(str))),
        "untuned": [d.dataset for d in found.datasets if not d.tuning],
    }
