"""The figure of who is ahead at which size, of each pair and of the best of both families, and what that takes."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from crossover.analysis.crossing import Crossover
from crossover.analysis.curve_comparison import CurveComparison
from crossover.core.metric import WORDS, Metric
from crossover.core.numbers import significant
from crossover.report.figures.size_axis import shade_crossings, size_axis
from crossover.report.figures.style import COLORS, INK, SHAPES, new_figure, title
from crossover.report.templating import phrase

_GREY = "#8a8a8a"
_LINEAR = 2  # points of difference up to which its axis is linear, and logarithmic beyond


def draw_differences(comparison: CurveComparison) -> tuple[Figure, pd.DataFrame]:
    """Left: deep minus classical against the number of examples. Right: the seconds that these fits took."""
    figure, family = new_figure(11.5, 5), comparison.family
    left, right = figure.subplots(1, 2, width_ratios=[1.7, 1])
    parts = []
    for pair in comparison.pairs:
        crossover = pair.crossover
        left.plot(crossover.sizes, 100 * crossover.difference, color=_GREY, lw=0.8, alpha=0.7, zorder=2)
        parts.append(_difference_rows(f"{pair.deep.label} − {pair.classical.label}", crossover))  # noqa: RUF001
    handles = [Line2D([], [], color=_GREY, lw=1, label="each pair")]
    if family:
        _draw_family(left, family.crossover)
        parts.append(_difference_rows("best of family", family.crossover))
        handles += [
            Line2D([], [], color=INK, lw=2, label="best of family, band over all sizes"),
            *(
                Line2D([], [], ls="", marker=SHAPES[f], color=COLORS[f], ms=8, label=f"{f} leads")
                for f in ("deep", "classical")
            ),
            Line2D([], [], ls="", marker="s", mec=INK, mfc="white", ms=6, label="undecided"),
        ]
    numbers = pd.concat(parts)
    size_axis(left, comparison.curves.sizes, gap=0.13)
    _difference_axis(left, numbers, comparison.metric)
    left.axhline(0, color=INK, lw=1, zorder=1)
    side: dict[str, Any] = {"transform": left.transAxes, "ha": "right", "fontsize": 9}
    left.text(0.985, 0.98, "▲ deep ahead", va="top", color=COLORS["deep"], **side)
    left.text(0.985, 0.02, "▼ classical ahead", va="bottom", color=COLORS["classical"], **side)
    subtitle = phrase("crossover_in_panel", family.crossover) if family else phrase("no_crossover")
    title(left, f"{comparison.dataset}: who is ahead on the same examples", subtitle)

    sizes = comparison.curves.sizes
    for name, best in comparison.best.items():
        seconds = best.grid("fit_seconds")  # (S, R)
        right.fill_between(
            sizes, seconds.min(axis=1), seconds.max(axis=1), color=COLORS[name], alpha=0.15, lw=0
        )
        right.plot(sizes, seconds.mean(axis=1), f"{SHAPES[name]}-", color=COLORS[name], ms=6)
    size_axis(right, comparison.curves.sizes, gap=0.22)
    right.set_yscale("log")
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 1)))
    right.set_ylabel("seconds to fit (log scale)")
    title(right, "what it takes", "best of each family: mean, lowest to highest")
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return figure, numbers


def _draw_family(axes: Axes, crossover: Crossover) -> None:
    """The difference with its band; where it is decided, with the mark of who leads."""
    sizes, difference = crossover.sizes, 100 * crossover.difference
    if crossover.has_band:
        axes.fill_between(sizes, 100 * crossover.low, 100 * crossover.high, color=INK, alpha=0.12, lw=0)
    axes.plot(sizes, difference, color=INK, lw=2, zorder=3)
    for sign, family in ((1, "deep"), (-1, "classical")):
        where = crossover.signs == sign
        axes.plot(sizes[where], difference[where], SHAPES[family], color=COLORS[family], ms=8, zorder=4)
    undecided = crossover.signs == 0
    axes.plot(sizes[undecided], difference[undecided], "s", mec=INK, mfc="white", ms=6, zorder=4)
    shade_crossings(axes, crossover)


def _difference_rows(series: str, crossover: Crossover) -> pd.DataFrame:
    numbers = {
        "difference": 100 * crossover.difference,
        "low": 100 * crossover.low,
        "high": 100 * crossover.high,
        "deep_ahead": crossover.ahead,
    }
    rounded = {name: np.round(values, 3) for name, values in numbers.items()}
    return pd.DataFrame({"series": series, "n": crossover.sizes} | rounded)


def _difference_axis(axes: Axes, rows: pd.DataFrame, metric: Metric) -> None:
    """Linear around 0, logarithmic further out: a lead of half a point and a lag of fifty both show."""
    axes.set_yscale("symlog", linthresh=_LINEAR, linscale=1)
    low, high = min(rows["difference"].min(), -_LINEAR), max(rows["difference"].max(), _LINEAR)
    axes.set_ylim(4 * low, 4 * high)  # room for who is ahead
    axes.yaxis.set_major_locator(
        FixedLocator([s * v for v in (0.5, 1, 2, 5, 10, 20, 50) for s in (-1, 1)] + [0])
    )
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:+g}".replace("-", "−") if v else "0"))  # noqa: RUF001
    axes.set_ylabel(f"deep − classical, points of test {WORDS[metric]}")  # noqa: RUF001
