"""The figures of the comparison. The best of each family is filled, the others are pale."""

from itertools import pairwise, zip_longest
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator

from crossover.analysis.costs import FIT_TIME, Cost, comparable_costs, frontier
from crossover.analysis.results import CellResult
from crossover.analysis.study import DatasetAnalysis
from crossover.core.numbers import percent, significant
from crossover.report.figures.accuracy_axis import accuracy_axis, label, shown
from crossover.report.figures.labels import Point, place_labels
from crossover.report.figures.numbers import accuracy_numbers, cost_numbers, overview_numbers
from crossover.report.figures.style import (
    COLORS,
    FRONTIER,
    INK,
    SHAPES,
    STYLE,
    legend,
    new_figure,
    pale,
    save,
    title,
)
from crossover.report.templating import phrase


@matplotlib.rc_context(STYLE)
def draw_overview(folder: Path, datasets: list[DatasetAnalysis]) -> None:
    """The metric against the time to fit, one panel a data set."""
    drawn = [d for d in datasets if d.results.cells]
    figure = _scatter_figure([(d, FIT_TIME, d.best) for d in drawn], panel=(4.4, 3.6), margin=(0.0, 0.4))
    save(figure, folder / "overview", overview_numbers(drawn))


@matplotlib.rc_context(STYLE)
def draw_cost(folder: Path, d: DatasetAnalysis) -> None:
    """The metric against each cost that was measured, one panel a cost."""
    cells = d.results.cells
    if not cells:
        return
    costs = comparable_costs(cells) or [FIT_TIME]  # a single cell compares with nothing
    # The best of each family, the frontier, then the other networks: what a reader looks for.
    panels = [(d, cost, [*d.best, *frontier(cells, cost), *d.results.family("deep")]) for cost in costs]
    figure = _scatter_figure(panels, panel=(4.6, 3.9), margin=(0.6, 0.5))
    save(figure, folder / f"{d.dataset}-cost", cost_numbers(d))


@matplotlib.rc_context(STYLE)
def draw_accuracy(folder: Path, d: DatasetAnalysis) -> None:
    """The metric of every cell with its interval, best on top."""
    cells, n_test = d.results.cells, d.results.n_test
    if not cells:
        return
    figure = new_figure(9, 1.5 + 0.3 * len(cells))
    axes = figure.add_subplot()
    intervals = [cell.score_interval for cell in cells]
    for row, (cell, interval) in enumerate(zip(cells, intervals, strict=True)):
        best, color = cell in d.best, COLORS[cell.family]
        whisker = [shown(interval.low, n_test), shown(interval.high, n_test)]
        axes.plot(whisker, [row, row], color=color, lw=2, alpha=1 if best else 0.45)
        fits = shown(cell.correct.mean(axis=1), n_test)
        axes.plot(fits, np.full(len(fits), row), "|", color=color, ms=9, mew=1, alpha=0.8)
        _dot(axes, (shown(cell.score, n_test), row), cell, best)
    axes.set_yticks(range(len(cells)), [cell.cell.label for cell in cells])
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    low, high = min(i.low for i in intervals), max(i.high for i in intervals)
    accuracy_axis(axes, "x", shown(low, n_test), shown(high, n_test), n_test)
    axes.set_xlabel(f"{label('test', d.metric)}; whiskers: 95 % interval, small ticks: single fits")
    title(axes, d.dataset, phrase("verdict_subtitle", d.verdict))
    for row, (name, cell) in enumerate(zip(axes.get_yticklabels(), cells, strict=True)):
        name.set(color=INK, fontweight="bold" if cell in d.best else "normal")
        axes.annotate(
            percent(cell.score),
            (1.01, row),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            color=COLORS[cell.family],
            fontsize=9.5,
        )
    legend(figure)
    save(figure, folder / f"{d.dataset}-accuracy", accuracy_numbers(d))


def _scatter_figure(
    panels: list[tuple[DatasetAnalysis, Cost, list[CellResult]]], panel: Point, margin: Point
) -> Figure:
    """The metric against a cost, three panels in a row.

    Args:
        panels: the data set of each, the cost, and the cells to label, the most important first.
        panel: width and height of each, in inches.
        margin: what the figure has in addition.
    """
    columns = min(len(panels), 3) or 1
    rows = -(-len(panels) // columns) or 1
    figure = new_figure(panel[0] * columns + margin[0], panel[1] * rows + margin[1])
    all_axes = [figure.add_subplot(rows, columns, i + 1) for i in range(len(panels))]
    drawn = []
    for i, (axes, (d, cost, _)) in enumerate(zip(all_axes, panels, strict=True)):
        drawn.append(_scatter(axes, d, cost))
        axes.set_xlabel(cost.label)
        left = panels[i - 1][0].metric if i % columns else None
        if d.metric != left:  # the panels of a row share it where they have one metric
            axes.set_ylabel(label("test", d.metric))
        if i == 0 or d is not panels[i - 1][0]:  # several panels of one data set share their title
            title(axes, d.dataset, phrase("verdict_subtitle", d.verdict))
    best_at_cost = Line2D([], [], label="the best at this cost or less", **FRONTIER)
    legend(figure, best_at_cost, columns=3 if columns > 1 else 1)
    figure.draw_without_rendering()  # fixes the layout that the labels are placed in
    for axes, (d, _, wanted), (points, stairs) in zip(all_axes, panels, drawn, strict=True):
        cells = [cell for cell in dict.fromkeys(wanted) if cell in points]
        styles = [
            {"color": COLORS[cell.family], "fontweight": "bold" if cell in d.best else "normal"}
            for cell in cells
        ]
        where, texts = [list(points).index(cell) for cell in cells], [cell.cell.label for cell in cells]
        place_labels(axes, list(points.values()), where, texts, styles, keep_clear=stairs)
    return figure


def _scatter(axes: Axes, d: DatasetAnalysis, cost: Cost) -> tuple[dict[CellResult, Point], list[Point]]:
    """One dot a cell, and stairs along the cells that nothing beats in both metric and cost.

    Returns:
        The place of each cell whose cost was measured, and the corners of the stairs, in data coordinates.
    """
    cells, n_test = d.results.cells, d.results.n_test
    scores = {cell: shown(cell.score, n_test) for cell in cells}
    measured = [cell for cell in cells if np.isfinite(cost.of(cell))]
    points = {cell: (max(cost.of(cell), cost.least), scores[cell]) for cell in measured}
    front = [points[cell] for cell in frontier(cells, cost)]
    corners = [(right, y) for (_, y), (right, _) in pairwise(front)]
    stairs = [point for pair in zip_longest(front, corners) for point in pair if point]
    axes.set_xscale("log")
    axes.plot(*zip(*stairs, strict=True), **FRONTIER, zorder=1)
    for cell, point in points.items():
        _dot(axes, point, cell, cell in d.best)
    axes.margins(x=0.12)
    spent = [x for x, _ in points.values()]
    wide = max(spent) > 100 * min(spent)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 1)))
    axes.minorticks_off()
    accuracy_axis(axes, "y", min(scores.values()), max(scores.values()), n_test)
    return points, stairs


def _dot(axes: Axes, point: Point, cell: CellResult, best: bool) -> None:
    color = COLORS[cell.family]
    axes.plot(
        *point,
        SHAPES[cell.family],
        ms=8 if best else 6.5,
        mec=color,
        mfc=color if best else pale(color),
        mew=1.4,
        zorder=3.5 if best else 3,
    )
