"""The figures of the searches: every trial, the expected best, and accuracy against a second objective.

Colour and shape stand for the family, the line style for the model within it.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from crossover.analysis.tuning import DatasetTuning, Search
from crossover.core.columns import FAILED, PRUNED
from crossover.core.numbers import percent, significant
from crossover.report.figures.accuracy_axis import accuracy_axis, label, shown
from crossover.report.figures.labels import name_line_ends
from crossover.report.figures.numbers import pareto_numbers, trial_numbers
from crossover.report.figures.style import (
    COLORS,
    DASHES,
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
from crossover.report.templating import OBJECTIVES

_GREY = "#777777"  # of a family, in a legend
_DEFAULT: dict[str, Any] = {"marker": "x", "ls": "", "color": INK, "ms": 8, "mew": 2}
_FENCE = 3  # interquartile ranges below the lower quartile: Tukey's outer fence
_HEIGHT = 0.3  # of a strip, of the room for a row, on each side


@matplotlib.rc_context(STYLE)
def draw_tuning_figures(folder: Path, tunings: list[DatasetTuning]) -> None:
    """Write the figures of every data set as PNG and SVG into `folder`."""
    for tuning in tunings:
        save(_trials(tuning), folder / f"{tuning.dataset}-tuning", trial_numbers(tuning))
        if two := tuning.with_second_objective:
            save(_pareto(tuning, two), folder / f"{tuning.dataset}-pareto", pareto_numbers(two))


def _trials(tuning: DatasetTuning) -> Figure:
    """Left a strip of trials for each search, right the best that is expected after k of them."""
    searches, resolution = tuning.searches, _resolution(tuning.searches)
    figure = new_figure(12.5, max(4.2, 2.0 + 0.62 * len(searches)))
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    low, high = _limits(searches, resolution)
    accuracy_axis(left, "x", low, high, resolution)
    for row, search in enumerate(searches):
        _strip(left, search, row, low, resolution)
    left.set_yticks(range(len(searches)), [search.default.cell.label for search in searches])
    left.tick_params(axis="y", length=0, labelcolor=INK)
    left.set_ylim(len(searches) - 0.5, -0.5)
    left.grid(axis="y", visible=False)
    left.set_xlabel(label("validation", tuning.metric))
    title(left, f"{tuning.dataset}: every trial", "bar: the quartiles, tick: the median; without the default")

    curves = [search for search in searches if len(search.scores)]
    right.set_xlabel("configurations tried, without the default one")
    right.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    right.set_ylabel(label("validation", tuning.metric))
    if curves:
        _curves(right, curves)
    dependent = not all(search.independent for search in curves)
    title(
        right,
        "Expected best after k configurations",
        "no band: best so far, since the proposals are not independent"
        if dependent
        else "up to a third of the trials; band: 95 % interval",
    )
    legend(figure, *_handles(), columns=5)
    figure.draw_without_rendering()  # fixes the layout that the names are placed in
    if curves:
        end, finest = right.get_xlim()[1], _resolution(curves)
        ends = [(end, shown(float(search.curve.expected[-1]), finest)) for search in curves]
        names = [search.default.cell.label for search in curves]
        styles = [{"color": COLORS[search.tuned.family], "fontsize": 9.5} for search in curves]
        name_line_ends(right, ends, names, styles, x=1.05, arrow={"color": "#9a9a9a", "shrinkB": 0})
    return figure


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], label="default configuration", **_DEFAULT),
        Line2D([], [], marker="o", ls="", ms=9, mec=INK, mfc=_GREY, mew=1.6, label="best trial"),
        Line2D([], [], marker="o", ls="", ms=6, mec=_GREY, mfc="white", label="pruned"),
    ]


def _resolution(searches: list[Search]) -> int:
    """Answers behind the finest of the scores: validation examples times splits."""
    return max(s.facts["n_validation"] * len(s.facts["repetitions"]) for s in searches)


def _limits(searches: list[Search], resolution: int) -> tuple[float, float]:
    """In percent, from the lowest trial that is no far outlier of its model to the highest of all."""
    defaults = [float(search.default_trial["score"]) for search in searches]
    lows = [score for score in defaults if not np.isnan(score)]
    highs = list(lows)
    for scores in (search.scores for search in searches if len(search.scores)):
        # The outer fence is counted on the scale of the axis: the logarithm of the error.
        errors = np.log(np.maximum(1 - scores, 1e-4))
        quartile_low, quartile_high = np.quantile(errors, [0.25, 0.75])
        fence = quartile_high + _FENCE * max(quartile_high - quartile_low, 0.05)
        lows.append(float(scores[errors <= fence].min()))
        highs.append(float(scores.max()))
    return (shown(min(lows), resolution), shown(max(highs), resolution)) if lows else (0.0, 100.0)


def _strip(axes: Axes, search: Search, row: int, low: float, resolution: int) -> None:
    """The trials of one search around `row`; those left of the axis, and those that failed, are counted in words."""
    family, trials, default = search.tuned.family, search.scored, search.default_trial["score"]
    color, shape = COLORS[family], SHAPES[family]
    x = shown(search.scores, resolution)
    inside = x >= low
    pruned, best = (trials["state"] == PRUNED).to_numpy(), trials["best"].to_numpy(dtype=bool)
    # Multiples of the golden ratio, without their whole part, fill the height evenly.
    y = row + _HEIGHT * (2 * ((np.arange(1, len(x) + 1) * 0.6180339887) % 1) - 1)
    for some, face in ((inside & ~pruned & ~best, pale(color)), (inside & pruned, "white")):
        axes.plot(x[some], y[some], shape, ms=5.5, mec=color, mfc=face, mew=1, alpha=0.9, zorder=2.5)
    if len(x):
        quartiles, below = np.maximum(np.quantile(x, [0.25, 0.5, 0.75]), low), row + 0.41
        axes.plot(quartiles[[0, 2]], [below, below], color=INK, lw=2.5, solid_capstyle="butt", zorder=2)
        axes.plot(quartiles[1], below, "|", color=INK, ms=9, mew=2, zorder=2)
    if search.best is not None:
        at = shown(search.best["score"], resolution)
        axes.plot(at, row, shape, ms=9, mec=INK, mfc=color, mew=1.6, zorder=4)
    if not np.isnan(default):
        axes.plot(shown(default, resolution), row, zorder=5, **_DEFAULT)
    style: dict[str, Any] = {"color": color, "fontsize": 8.5, "va": "center", "annotation_clip": False}
    style["xycoords"] = axes.get_yaxis_transform()
    if n_left := int(np.sum(~inside)):
        lowest = percent(float(search.scores.min()), 1)
        axes.annotate(f"◂ {n_left} to the left, lowest {lowest}", (0.01, row - 0.38), **style)
    if failed := search.count(FAILED):
        axes.annotate(f"{failed} failed", (1.01, row), **style)


def _curves(axes: Axes, searches: list[Search]) -> None:
    """One line a search, with the band of its interval where its trials are independent draws."""
    resolution = _resolution(searches)
    faint = min(0.12, 0.7 / len(searches))  # many bands on top of each other would hide the lines
    of_family: Counter[str] = Counter()
    for search in searches:
        family, color, curve = search.tuned.family, COLORS[search.tuned.family], search.curve
        expected, low, high = (shown(v, resolution) for v in (curve.expected, curve.low, curve.high))
        k = np.arange(1, len(expected) + 1)
        if search.independent:
            axes.fill_between(k, low, high, color=color, alpha=faint, lw=0)
        axes.plot(k, expected, color=color, lw=2, ls=DASHES[of_family[family] % len(DASHES)])
        axes.plot(k[-1], expected[-1], SHAPES[family], color=color, ms=5)
        of_family[family] += 1
    # Down to the lowest line, but not below the strips: very bad configurations pull a mean of few far down.
    least = shown(float(min(search.curve.expected.min() for search in searches)), resolution)
    most = shown(float(max(search.curve.expected.max() for search in searches)), resolution)
    accuracy_axis(axes, "y", max(least, min(most, _limits(searches, resolution)[0])), most, resolution)
    axes.set_xlim(0.5, max(len(search.curve.expected) for search in searches) + 0.5)


def _pareto(tuning: DatasetTuning, searches: list[Search]) -> Figure:
    """Accuracy against the second objective, one panel a search, the front as stairs."""
    columns = min(len(searches), 3)
    rows = -(-len(searches) // columns)
    figure = new_figure(max(6, 4.4 * columns), 3.6 * rows + 0.6)
    panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    resolution = _resolution(searches)
    low, high = _limits(searches, resolution)
    for axes, search in zip(panels, searches, strict=False):
        _plane(axes, search, low, resolution)
        title(
            axes,
            f"{tuning.dataset}: {search.default.cell.label}",
            f"{int(search.trials['pareto'].sum())} on the front",
        )
        axes.set_xlabel(OBJECTIVES[search.second_objective or "fit_seconds"])
    panels[0].set_xscale("log")
    panels[0].margins(x=0.12)
    panels[0].xaxis.set_major_locator(LogLocator(numticks=7))
    panels[0].xaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 1)))
    panels[0].minorticks_off()
    accuracy_axis(panels[0], "y", low, high, resolution)
    for axes in panels[: len(searches) : columns]:
        axes.set_ylabel(label("validation", tuning.metric))
    for axes in panels[len(searches) :]:
        axes.set_visible(False)
    on_front = Line2D([], [], label="Pareto front", marker="o", mec=_GREY, mfc=_GREY, **FRONTIER)
    legend(figure, *_handles(), on_front, columns=2 if columns == 1 else 3)
    return figure


def _plane(axes: Axes, search: Search, low: float, resolution: int) -> None:
    """The trials of one search: pale, full on the front; those below the axis are counted."""
    family, trials = search.tuned.family, search.trials.set_index("trial")
    color, costs = COLORS[family], search.costs.set_index("trial")[search.second_objective].to_dict()
    scored = trials["score"].dropna().to_dict()
    at = {t: (float(costs[t]), shown(score, resolution)) for t, score in scored.items()}
    front = sorted(at[t] for t in trials.index[trials["pareto"]] if t in at)
    pruned = [at[t] for t in trials.index[trials["state"] == PRUNED]]
    axes.step(*np.reshape(front, (-1, 2)).T, where="post", zorder=1, **FRONTIER)
    style: dict[str, Any] = {"marker": SHAPES[family], "ls": "", "ms": 6, "mec": color}
    for points, face, order in ((list(at.values()), pale(color), 2), (pruned, "white", 3), (front, color, 4)):
        axes.plot(*np.reshape(points, (-1, 2)).T, mfc=face, zorder=order, **style)
    if search.best is not None:
        axes.plot(*at[search.best["trial"]], **style | {"ms": 9, "mec": INK}, mfc=color, mew=1.6, zorder=5)
    if 0 in at:
        axes.plot(*at[0], zorder=6, **_DEFAULT)
    if below := sum(y < low for _, y in at.values()):
        axes.annotate(f"{below} below", (0.03, 0.03), xycoords="axes fraction", color=color, fontsize=8.5)
