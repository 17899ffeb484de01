"""Reliability diagrams: how often an answer is right, against how sure the model was of it."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from crossover.analysis.calibration import BEFORE, METHODS, STATES, DatasetCalibration, ModelCalibration
from crossover.core.numbers import decimals
from crossover.report.figures.style import COLORS, FRONTIER, INK, PALE_INK, SHAPES, STYLE, new_figure, save
from crossover.report.templating import FAMILY_NAMES

_LINES: dict[str, dict[str, Any]] = {
    BEFORE: {"lw": 2},
    "temperature": {"color": INK, "lw": 1.3, "ls": (0, (4, 2)), "marker": "s", "mfc": "none"},
    "isotonic": {"color": PALE_INK, "lw": 1.5, "ls": (0, (1, 1.4)), "marker": "^", "mfc": "none"},
}
_LEGEND = {
    BEFORE: "uncalibrated",
    "temperature": "temperature scaling",
    "isotonic": "isotonic regression",
}
_COLUMNS = 4


@matplotlib.rc_context(STYLE)
def draw_calibration(folder: Path, calibration: DatasetCalibration) -> None:
    """Write `<dataset>-calibration` as PNG, SVG and CSV into `folder`; the CSV has the bins that are not drawn, too.

    One panel shows a model; both axes of all panels begin a tenth at or below everything drawn.
    """
    models, least = calibration.models, calibration.least_in_bin
    rows = -(-len(models) // _COLUMNS)
    columns = -(-len(models) // rows)
    figure = new_figure(max(2.9 * columns, 5), 3.25 * rows + 0.9)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(len(models))]
    drawn = [bins[bins["count"] >= least] for model in models for bins in model.bins.values()]
    values = pd.concat(drawn)[["confidence", "accuracy"]].to_numpy()
    lowest = float(np.floor(10 * values.min(initial=0.9)) / 10)
    for i, (axes, model) in enumerate(zip(panels, models, strict=True)):
        _panel(axes, model, lowest, least)
        left, bottom = i % columns == 0, i + columns >= len(models)
        axes.tick_params(labelleft=left, labelbottom=bottom)
        axes.set_xlabel("confidence" if bottom else "")
        axes.set_ylabel("accuracy" if left else "")
    families = {model.cell.family for model in models}
    handles = [
        *(
            Line2D([], [], **_style(family, BEFORE), ms=6, label=f"{_LEGEND[BEFORE]}, {name}")
            for family, name in FAMILY_NAMES.items()
            if family in families
        ),
        *(Line2D([], [], **_LINES[state], ms=5, label=_LEGEND[state]) for state in METHODS),
        Line2D([], [], label="as sure as right", **FRONTIER),
    ]
    place: dict[str, Any] = {"loc": "outside lower center", "ncols": 3 if columns > 2 else 2}
    figure.legend(handles=handles, frameon=False, fontsize=9.5, **place)
    tables = [
        model.bins[state].round(5).assign(model=model.cell.label, family=model.cell.family, calibration=state)
        for model in models
        for state in STATES
    ]
    numbers = pd.concat(tables)[["model", "family", "calibration", "confidence", "accuracy", "count"]]
    save(figure, folder / f"{calibration.dataset}-calibration", numbers)


def _panel(axes: Axes, model: ModelCalibration, lowest: float, least: int) -> None:
    """A line through the bins of each state, with a dot on each whose area grows with its share of the examples."""
    axes.plot([lowest, 1], [lowest, 1], **FRONTIER, zorder=1)
    for state, bins in model.bins.items():
        drawn, style = bins[bins["count"] >= least], _style(model.cell.family, state)
        marker, fill = style.pop("marker"), style.pop("mfc")
        x, y, areas = drawn["confidence"], drawn["accuracy"], 8 + 50 * drawn["count"] / bins["count"].sum()
        axes.plot(x, y, **style)
        axes.scatter(x, y, s=areas, c=fill, marker=marker, edgecolors=style["color"], zorder=3)
    axes.locator_params(nbins=5)
    margin = 0.04 * (1 - lowest)
    axes.set(xlim=(lowest - margin, 1 + margin), ylim=(lowest - margin, 1 + margin), box_aspect=1)
    axes.set_title(model.cell.label, pad=20, fontsize=10, color=COLORS[model.cell.family])
    errors = " → ".join(decimals(error, 3) for error in model.errors())
    axes.annotate(
        f"ECE {errors}", (0, 1), (0, 7), "axes fraction", "offset points", color=PALE_INK, fontsize=8.5
    )


def _style(family: str, state: str) -> dict[str, Any]:
    if state == BEFORE:
        return {**_LINES[BEFORE], "color": COLORS[family], "marker": SHAPES[family], "mfc": COLORS[family]}
    return dict(_LINES[state])
