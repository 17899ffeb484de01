"""Reliability diagrams: how often an answer is right, against how sure the model was of it."""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crossover.analysis.calibration import (
    BEFORE,
    METHODS,
    STATES,
    CellCalibration,
    DatasetCalibration,
)
from crossover.core.numbers import decimals
from crossover.report.figures.style import COLORS, FRONTIER, INK, PALE_INK, SHAPES, STYLE, new_figure, save
from crossover.report.templating import FAMILY_NAMES

ENOUGH = 20
"""Examples of a bin below which it is not drawn: the accuracy of fewer is mostly chance."""

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


def draw_calibration(folder: Path, calibration: DatasetCalibration) -> None:
    """Write `<dataset>-calibration` as PNG, SVG and CSV into `folder`."""
    with matplotlib.rc_context(STYLE):
        save(_diagrams(calibration), folder / f"{calibration.dataset}-calibration", _numbers(calibration))


def _diagrams(calibration: DatasetCalibration) -> Figure:
    """One panel a cell."""
    cells = calibration.cells
    rows = -(-len(cells) // _COLUMNS)
    columns = -(-len(cells) // rows)
    figure = new_figure(max(2.9 * columns, 5), 3.25 * rows + 0.9)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(len(cells))]
    lowest = _lowest(cells)
    for i, (axes, cell) in enumerate(zip(panels, cells, strict=True)):
        _panel(axes, cell, lowest)
        left, bottom = i % columns == 0, i + columns >= len(cells)
        axes.tick_params(labelleft=left, labelbottom=bottom)
        axes.set_xlabel("confidence" if bottom else "")
        axes.set_ylabel("accuracy" if left else "")
    handles = _handles({cell.family for cell in cells})
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=3 if columns > 2 else 2,
        frameon=False,
        fontsize=9.5,
    )
    return figure


def _lowest(cells: list[CellCalibration]) -> float:
    """Where both axes begin, for all panels: a tenth at or below everything drawn."""
    drawn = [_drawn(cell.bins[state]) for cell in cells for state in STATES]
    values = pd.concat(drawn)[["confidence", "accuracy"]].to_numpy()
    return float(np.floor(10 * values.min(initial=0.9)) / 10)


def _drawn(bins: pd.DataFrame) -> pd.DataFrame:
    return bins[bins["count"] >= ENOUGH]


def _panel(axes: Axes, cell: CellCalibration, lowest: float) -> None:
    axes.plot([lowest, 1], [lowest, 1], **FRONTIER, zorder=1)
    for state in STATES:
        _line(axes, cell, state)
    axes.locator_params(nbins=5)
    margin = 0.04 * (1 - lowest)
    axes.set(xlim=(lowest - margin, 1 + margin), ylim=(lowest - margin, 1 + margin), box_aspect=1)
    axes.set_title(cell.label, pad=20, fontsize=10, color=COLORS[cell.family])
    errors = " → ".join(decimals(cell.score(state, "calibration_error"), 3) for state in STATES)
    axes.annotate(
        f"ECE {errors}", (0, 1), (0, 7), "axes fraction", "offset points", color=PALE_INK, fontsize=8.5
    )


def _line(axes: Axes, cell: CellCalibration, state: str) -> None:
    """A line through the bins, with a dot on each whose area grows with its share of the examples."""
    bins, style = _drawn(cell.bins[state]), _style(cell.family, state)
    marker, fill = style.pop("marker"), style.pop("mfc")
    axes.plot(bins["confidence"], bins["accuracy"], **style)
    shares = bins["count"] / cell.bins[state]["count"].sum()
    axes.scatter(
        bins["confidence"],
        bins["accuracy"],
        s=8 + 50 * shares,
        c=fill,
        marker=marker,
        edgecolors=style["color"],
        zorder=3,
    )


def _style(family: str, state: str) -> dict[str, Any]:
    own = (
        {"color": COLORS[family], "marker": SHAPES[family], "mfc": COLORS[family]} if state == BEFORE else {}
    )
    return {**_LINES[state], **own}


def _handles(families: set[str]) -> list[Line2D]:
    before = [
        Line2D([], [], **_style(family, BEFORE), ms=6, label=f"{_LEGEND[BEFORE]}, {name}")
        for family, name in FAMILY_NAMES.items()
        if family in families
    ]
    after = [Line2D([], [], **_LINES[state], ms=5, label=_LEGEND[state]) for state in METHODS]
    return [*before, *after, Line2D([], [], label="as sure as right", **FRONTIER)]


def _numbers(calibration: DatasetCalibration) -> pd.DataFrame:
    """Every bin, also those too small to be drawn."""
    tables = [
        cell.bins[state].round(5).assign(model=cell.label, family=cell.family, calibration=state)
        for cell in calibration.cells
        for state in STATES
    ]
    return pd.concat(tables)[["model", "family", "calibration", "confidence", "accuracy", "count"]]
