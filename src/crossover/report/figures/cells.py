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
from crossover.analysis.statistics import accuracy_interval
from crossover.analysis.study import DatasetAnalysis
from crossover.core.numbers import percent, significant
from crossover.report.figures.accuracy_axis import LABEL, accuracy_axis, shown
from crossover.report.figures.labels import place_labels
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


def draw_overview(folder: Path, datasets: list[DatasetAnalysis]) -> None:
    """Accuracy against the time to fit, one panel a data set."""
    drawn = [d for d in datasets if d.results.cells]
    with matplotlib.rc_context(STYLE):
        save(_overview(drawn), folder / "overview", overview_numbers(drawn))


def draw_accuracy(folder: Path, d: DatasetAnalysis) -> None:
    """Accuracy of every cell with its interval."""
    if d.results.cells:
        with matplotlib.rc_context(STYLE):
            save(_accuracy(d), folder / f"{d.dataset}-accuracy", accuracy_numbers(d))


def draw_cost(folder: Path, d: DatasetAnalysis) -> None:
    """Accuracy against each cost."""
    if d.results.cells:
        with matplotlib.rc_context(STYLE):
            save(_cost(d), folder / f"{d.dataset}-cost", cost_numbers(d))


def _accuracy(d: DatasetAnalysis) -> Figure:
    """Accuracy of every cell with its interval, best on top."""
    cells = d.results.cells
    figure = new_figure(9, 1.5 + 0.3 * len(cells))
    axes = figure.add_subplot()
    for row, cell in enumerate(cells):
        _whisker(axes, cell, row, best=cell in d.best)
    axes.set_yticks(range(len(cells)), [cell.cell.label for cell in cells])
    for text, cell in zip(axes.get_yticklabels(), cells, strict=True):
        text.set(color=INK, fontweight="bold" if cell in d.best else "normal")
    axes.set_ylim(len(cells) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    intervals = [accuracy_interval(cell.correct) for cell in cells]
    low, high = min(i.low for i in intervals), max(i.high for i in intervals)
    n_test = d.results.n_test
    accuracy_axis(axes, "x", shown(low, n_test), shown(high, n_test), n_test)
    axes.set_xlabel(f"{LABEL}; whiskers: 95 % interval, small ticks: single fits")
    _title(axes, d)
    _numbers_at_the_right(axes, cells)
    legend(figure)
    return figure


def _whisker(axes: Axes, cell: CellResult, row: int, best: bool) -> None:
    interval, color, n_test = accuracy_interval(cell.correct), COLORS[cell.family], cell.correct.shape[1]
    axes.plot(
        [shown(interval.low, n_test), shown(interval.high, n_test)],
        [row, row],
        color=color,
        lw=2,
        alpha=1 if best else 0.45,
    )
    fits = [shown(accuracy, n_test) for accuracy in cell.correct.mean(axis=1)]
    axes.plot(fits, np.full(len(fits), row), "|", color=color, ms=9, mew=1, alpha=0.8)
    _dot(axes, _shown(cell), row, cell, best)


def _shown(cell: CellResult) -> float:
    return shown(cell.mean("accuracy"), cell.correct.shape[1])


def _dot(axes: Axes, x: float, y: float, cell: CellResult, best: bool) -> None:
    color = COLORS[cell.family]
    axes.plot(
        x,
        y,
        SHAPES[cell.family],
        ms=8 if best else 6.5,
        mec=color,
        mfc=color if best else pale(color),
        mew=1.4,
        zorder=3.5 if best else 3,
    )


def _numbers_at_the_right(axes: Axes, cells: list[CellResult]) -> None:
    for row, cell in enumerate(cells):
        axes.annotate(
            percent(cell.mean("accuracy")),
            (1.01, row),
            xycoords=axes.get_yaxis_transform(),
            va="center",
            color=COLORS[cell.family],
            fontsize=9.5,
        )


def _title(axes: Axes, d: DatasetAnalysis) -> None:
    title(axes, d.dataset, phrase("verdict_subtitle", d.verdict))


def _frontier_handle() -> Line2D:
    return Line2D([], [], label="the best at this cost or less", **FRONTIER)


def _cost(d: DatasetAnalysis) -> Figure:
    """Accuracy against each cost that was measured, one panel a cost."""
    costs = comparable_costs(d.results.cells) or [FIT_TIME]  # a single cell compares with nothing
    columns, rows = min(len(costs), 3), -(-len(costs) // 3)
    figure = new_figure(4.6 * columns + 0.6, 3.9 * rows + 0.5)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(len(costs))]
    for axes, cost in zip(panels, costs, strict=True):
        _scatter(axes, d, cost)
        axes.set_xlabel(cost.label)
    for axes in panels[::columns]:
        axes.set_ylabel(LABEL)
    _title(panels[0], d)
    legend(figure, _frontier_handle(), columns=3 if columns > 1 else 1)
    figure.draw_without_rendering()  # fixes the layout that the labels are placed in
    for axes, cost in zip(panels, costs, strict=True):
        _label(axes, d, cost, _worth_a_label(d, cost))
    return figure


def _scatter(axes: Axes, d: DatasetAnalysis, cost: Cost) -> None:
    """One dot a cell, and a line along the cells that nothing beats in both accuracy and cost."""
    axes.set_xscale("log")
    axes.plot(*zip(*_steps(d, cost), strict=True), **FRONTIER, zorder=1)
    spent = {cell: _spent(cell, cost) for cell in _measured(d, cost)}
    for cell, x in spent.items():
        _dot(axes, x, _shown(cell), cell, cell in d.best)
    axes.margins(x=0.12)
    wide = max(spent.values()) > 100 * min(spent.values())
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 1)))
    axes.minorticks_off()
    accuracies = [_shown(cell) for cell in d.results.cells]
    accuracy_axis(axes, "y", min(accuracies), max(accuracies), d.results.n_test)


def _measured(d: DatasetAnalysis, cost: Cost) -> list[CellResult]:
    return [cell for cell in d.results.cells if np.isfinite(cost.of(cell))]


def _spent(cell: CellResult, cost: Cost) -> float:
    """Where a cost is drawn."""
    return max(cost.of(cell), cost.least)


def _steps(d: DatasetAnalysis, cost: Cost) -> list[tuple[float, float]]:
    """The corners of the frontier's stairs."""
    front = [(_spent(cell, cost), _shown(cell)) for cell in frontier(d.results.cells, cost)]
    corners = [(right, y) for (_, y), (right, _) in pairwise(front)]
    return [point for pair in zip_longest(front, corners) for point in pair if point]


def _worth_a_label(d: DatasetAnalysis, cost: Cost) -> list[CellResult]:
    """The best of each family, the frontier, then the other networks: what a reader looks for."""
    front = frontier(d.results.cells, cost)
    wanted = [*d.best, *front, *d.results.family("deep")]
    return [cell for cell in dict.fromkeys(wanted) if np.isfinite(cost.of(cell))]


def _label(axes: Axes, d: DatasetAnalysis, cost: Cost, cells: list[CellResult]) -> None:
    measured = _measured(d, cost)
    points = [(_spent(cell, cost), _shown(cell)) for cell in measured]
    where = [measured.index(cell) for cell in cells]
    styles = [
        {"color": COLORS[cell.family], "fontweight": "bold" if cell in d.best else "normal"} for cell in cells
    ]
    texts = [cell.cell.label for cell in cells]
    place_labels(axes, points, where, texts, styles, keep_clear=_steps(d, cost))


def _overview(datasets: list[DatasetAnalysis]) -> Figure:
    """Accuracy against the time to fit, one panel a data set."""
    columns = min(len(datasets), 3) or 1
    rows = -(-len(datasets) // columns) or 1
    figure = new_figure(4.4 * columns, 3.6 * rows + 0.4)
    panels = [figure.add_subplot(rows, columns, i + 1) for i in range(len(datasets))]
    for axes, d in zip(panels, datasets, strict=True):
        _scatter(axes, d, FIT_TIME)
        axes.set_xlabel("seconds to fit")
        _title(axes, d)
    for axes in panels[::columns]:
        axes.set_ylabel(LABEL)
    legend(figure, _frontier_handle(), columns=3 if columns > 1 else 1)
    figure.draw_without_rendering()
    for axes, d in zip(panels, datasets, strict=True):
        _label(axes, d, FIT_TIME, d.best)
    return figure
