"""The colours, shapes and text of all figures.

Classical is a blue circle, deep a red diamond: different in hue, lightness and shape, so that grey prints and
colour-blind readers tell them apart.
"""

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from crossover.core.files import write_csv
from crossover.report.templating import FAMILY_NAMES

COLORS = {"classical": "#1b6ca8", "deep": "#d1495b"}
SHAPES = {"classical": "o", "deep": "D"}
DASHES = ["-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 3, 2, 3))]
"""For the lines of one family, which have one colour."""
INK, PALE_INK, GRID = "#222222", "#6b6b6b", "#e3e3e3"

FRONTIER: dict[str, Any] = {"color": "#9a9a9a", "lw": 1, "ls": (0, (4, 3))}

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "font.size": 10,
    "axes.edgecolor": "#bbbbbb",
    "axes.labelcolor": PALE_INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": PALE_INK,
    "ytick.color": PALE_INK,
    "text.color": INK,
    "svg.hashsalt": "crossover",  # equal figures are equal files
}


def new_figure(width: float, height: float) -> Figure:
    """A figure; width and height in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # labels are placed by their drawn size
    return figure


def save(figure: Figure, path: Path, numbers: pd.DataFrame) -> None:
    """Write PNG and SVG, and the numbers behind the figure as CSV; `path` has no suffix."""
    figure.savefig(path.with_suffix(".png"), dpi=160, facecolor="white", metadata={"Software": None})
    figure.savefig(path.with_suffix(".svg"), facecolor="white", metadata={"Date": None})
    write_csv(numbers, path.with_suffix(".csv"))


def pale(color: str) -> tuple[float, ...]:
    """A light tint of a colour."""
    rgb = np.array(matplotlib.colors.to_rgb(color))
    return tuple(0.45 * rgb + 0.55)


def title(axes: Axes, text: str, subtitle: str) -> None:
    """A bold title with a line below it."""
    axes.set_title(text, pad=24)
    axes.annotate(
        subtitle, (0, 1), (0, 8), "axes fraction", "offset points", color=PALE_INK, annotation_clip=False
    )


def legend(figure: Figure, *more: Line2D, columns: int = 3) -> None:
    """The families, and what else a figure shows, below it."""
    handles = [
        Line2D([], [], ls="", marker=SHAPES[f], ms=7, color=COLORS[f], label=name)
        for f, name in FAMILY_NAMES.items()
    ]
    figure.legend(handles=[*handles, *more], loc="outside lower center", ncols=columns, frameon=False)
