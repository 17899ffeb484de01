"""The critical-difference diagram of Demšar 2006: average ranks, and which of them a test cannot tell apart."""

from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crossover.analysis.many_datasets import ALPHA, MethodsComparison
from crossover.core.numbers import p_text
from crossover.report.figures.style import (
    COLORS,
    INK,
    PALE_INK,
    SHAPES,
    STYLE,
    legend,
    new_figure,
    save,
    title,
)

FIGURE = "critical-difference"

_ROW, _GROUP = 0.30, 0.16  # inches between two names, and between two thick lines
_LEADER = "#9a9a9a"


def draw_ranks(folder: Path, comparison: MethodsComparison, families: dict[str, str]) -> None:
    """Write the diagram as PNG, SVG and CSV into `folder`; nothing where there is no critical difference.

    Args:
        folder: which exists.
        comparison: of three methods or more.
        families: "classical" or "deep" of each method.
    """
    if comparison.critical_difference is None:
        return
    with matplotlib.rc_context(STYLE):
        save(_diagram(comparison, families), folder / FIGURE, _numbers(comparison, families))


def _numbers(comparison: MethodsComparison, families: dict[str, str]) -> pd.DataFrame:
    """One row a method, the best first; `groups` are those that it belongs to, counted from 1."""
    groups = comparison.groups()
    rows = [
        {
            "method": comparison.methods[i],
            "family": families[comparison.methods[i]],
            "average_rank": round(float(comparison.average_ranks[i]), 4),
            "groups": " ".join(str(number) for number, group in enumerate(groups, 1) if i in group),
            "critical_difference": round(comparison.critical_difference or 0.0, 4),
            "datasets": len(comparison.datasets),
        }
        for i in comparison.ranking
    ]
    return pd.DataFrame(rows)


def _diagram(comparison: MethodsComparison, families: dict[str, str]) -> Figure:
    """Inches are the unit of y, downwards from the axis of the ranks, so that rows are equally far apart."""
    lines = _levels(comparison)
    first_name = 0.42 + _GROUP * len({level for level, _, _ in lines})
    rows = (len(comparison.methods) + 1) // 2
    bottom = first_name + _ROW * (rows - 1) + 0.15
    figure = new_figure(10, bottom + 1.9)
    axes = figure.add_subplot()
    axes.set_ylim(bottom, -0.75)
    _rank_axis(axes, len(comparison.methods))
    _critical_difference(axes, comparison)
    for level, left, right in lines:
        y = 0.22 + _GROUP * level
        over = 0.006 * (len(comparison.methods) - 1)  # so that a line of equal ranks is seen
        axes.plot([left - over, right + over], [y, y], color=INK, lw=4, solid_capstyle="butt", zorder=3)
    _names(axes, comparison, families, first_name)
    title(axes, f"Average rank on {len(comparison.datasets)} data sets", _subtitle(comparison))
    legend(figure)
    return figure


def _subtitle(comparison: MethodsComparison) -> str:
    p = comparison.friedman.p if comparison.friedman else 1.0
    if p > ALPHA:
        return f"1 is the best; Friedman's test finds no difference among the methods (p {p_text(p)})"
    return "1 is the best; a thick line joins methods that Nemenyi's test cannot tell apart"


def _rank_axis(axes: Axes, k: int) -> None:
    margin = 0.03 * (k - 1)
    axes.set_xlim(1 - margin, k + margin)
    axes.xaxis.tick_top()
    axes.set_xticks(range(1, k + 1))
    axes.yaxis.set_visible(False)
    axes.grid(visible=False)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "top")
    axes.spines["top"].set(position=("data", 0), bounds=(1, k), color=PALE_INK)


def _critical_difference(axes: Axes, comparison: MethodsComparison) -> None:
    """The bar above the axis that all differences are measured by."""
    width, y = comparison.critical_difference or 0.0, -0.5
    axes.plot([1, 1 + width], [y, y], color=INK, lw=1.6, marker="|", ms=9, mew=1.6)
    text = f"critical difference {width:.2f}"
    axes.annotate(text, (1 + width, y), (8, 0), textcoords="offset points", va="center", color=INK)


def _levels(comparison: MethodsComparison) -> list[tuple[int, float, float]]:
    """Level, left and right end of each thick line; lines that would touch lie on different levels."""
    lines: list[tuple[int, float, float]] = []
    ends: list[float] = []  # of the last line on each level
    gap = 0.03 * (len(comparison.methods) - 1)
    for group in comparison.groups():
        left, right = (float(comparison.average_ranks[i]) for i in (group[0], group[-1]))
        level = next((at for at, end in enumerate(ends) if end + gap < left), len(ends))
        ends[level : level + 1] = [right]
        lines.append((level, left, right))
    return lines


def _names(axes: Axes, comparison: MethodsComparison, families: dict[str, str], first: float) -> None:
    """The better half on the left, the best on top; the others on the right, the worst on top: no line crosses."""
    order = comparison.ranking
    half = (len(order) + 1) // 2
    for side, columns in (("left", order[:half]), ("right", order[: half - 1 : -1])):
        for row, i in enumerate(columns):
            name, rank = comparison.methods[i], float(comparison.average_ranks[i])
            _name(axes, side, name, rank, first + _ROW * row, families[name])


def _name(axes: Axes, side: str, name: str, rank: float, y: float, family: str) -> None:
    left = side == "left"
    end = axes.get_xlim()[0 if left else 1]
    axes.plot([rank, rank, end], [0, y, y], color=_LEADER, lw=1, zorder=1)
    axes.plot(end, y, SHAPES[family], color=COLORS[family], ms=7, zorder=4, clip_on=False)
    axes.annotate(
        f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}",
        (end, y),
        (-9 if left else 9, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="center",
        color=COLORS[family],
        annotation_clip=False,
    )
