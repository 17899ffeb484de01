"""The figure of who is ahead at which size: deep minus classical, of each pair and of the best of both families."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from crossover.analysis.crossing import Crossover
from crossover.analysis.curve_comparison import CurveComparison
from crossover.report.figures.size_axis import shade_crossings, size_axis
from crossover.report.figures.style import COLORS, INK, SHAPES, new_figure, title
from crossover.report.templating import phrase

_GREY = "#8a8a8a"
_LINEAR = 2  # points of difference up to which its axis is linear, and logarithmic beyond


def draw_differences(comparison: CurveComparison) -> tuple[Figure, pd.DataFrame]:
    """Deep minus classical against the number of examples: left by equal data, right by equal time."""
    figure, family = new_figure(11.5, 5), comparison.family
    panels = figure.subplots(1, 2, sharey=True)
    parts = []
    for axes, which, heading in zip(
        panels, ("by_data", "by_time"), ("by equal data", "by equal training time"), strict=True
    ):
        for pair in comparison.pairs:
            crossover = getattr(pair, which)
            axes.plot(crossover.sizes, 100 * crossover.difference, color=_GREY, lw=0.8, alpha=0.7, zorder=2)
            label = f"{pair.deep.label} − {pair.classical.label}"  # noqa: RUF001
            parts.append(_difference_rows(label, heading, crossover))
        if family:
            _draw_family(axes, getattr(family, which))
            parts.append(_difference_rows("best of family", heading, getattr(family, which)))
        size_axis(axes, comparison.curves.sizes, gap=0.13)
        subtitle = phrase("crossover_in_panel", getattr(family, which)) if family else phrase("no_crossover")
        title(axes, f"{comparison.dataset}: {heading}", subtitle)
    _difference_axis(panels[0], pd.concat(parts))
    for axes in panels:
        axes.axhline(0, color=INK, lw=1, zorder=1)
        side: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "fontsize": 9}
        axes.text(0.985, 0.98, "▲ deep ahead", va="top", color=COLORS["deep"], **side)
        axes.text(0.985, 0.02, "▼ classical ahead", va="bottom", color=COLORS["classical"], **side)
    handles = [Line2D([], [], color=_GREY, lw=1, label="each pair")]
    if family:
        handles += [
            Line2D([], [], color=INK, lw=2, label="best of family, band over all sizes"),
            *(
                Line2D([], [], ls="", marker=SHAPES[f], color=COLORS[f], ms=8, label=f"{f} leads")
                for f in ("deep", "classical")
            ),
            Line2D([], [], ls="", marker="s", mec=INK, mfc="white", ms=6, label="undecided"),
        ]
        # A cross where one of the two has no model in the other's seconds.
        missing, by_time = ~(family.deep_in_time & family.classical_in_time), family.by_time
        cross: dict[str, Any] = {"ls": "", "marker": "x", "color": INK, "mew": 1.8}
        panels[1].plot(by_time.sizes[missing], 100 * by_time.difference[missing], ms=11, zorder=5, **cross)
        if missing.any():
            handles.append(Line2D([], [], ms=9, label="no model in time", **cross))
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False)
    return figure, pd.concat(parts)


def _draw_family(axes: Axes, crossover: Crossover) -> None:
    """The difference with its band; where it is decided, with the mark of who leads."""
    sizes, difference = crossover.sizes, 100 * crossover.difference
    axes.fill_between(sizes, 100 * crossover.low, 100 * crossover.high, color=INK, alpha=0.12, lw=0)
    axes.plot(sizes, difference, color=INK, lw=2, zorder=3)
    for sign, family in ((1, "deep"), (-1, "classical")):
        where = crossover.signs == sign
        axes.plot(sizes[where], difference[where], SHAPES[family], color=COLORS[family], ms=8, zorder=4)
    undecided = crossover.signs == 0
    axes.plot(sizes[undecided], difference[undecided], "s", mec=INK, mfc="white", ms=6, zorder=4)
    shade_crossings(axes, crossover)


def _difference_rows(series: str, heading: str, crossover: Crossover) -> pd.DataFrame:
    numbers = {
        "difference": 100 * crossover.difference,
        "low": 100 * crossover.low,
        "high": 100 * crossover.high,
        "deep_ahead": crossover.ahead,
    }
    rounded = {name: np.round(values, 3) for name, values in numbers.items()}
    return pd.DataFrame({"series": series, "compared": heading, "n": crossover.sizes} | rounded)


def _difference_axis(axes: Axes, rows: pd.DataFrame) -> None:
    """Linear around 0, logarithmic further out: a lead of half a point and a lag of fifty both show."""
    axes.set_yscale("symlog", linthresh=_LINEAR, linscale=1)
    low, high = min(rows["difference"].min(), -_LINEAR), max(rows["difference"].max(), _LINEAR)
    axes.set_ylim(4 * low, 4 * high)  # room for who is ahead
    axes.yaxis.set_major_locator(
        FixedLocator([s * v for v in (0.5, 1, 2, 5, 10, 20, 50) for s in (-1, 1)] + [0])
    )
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:+g}".replace("-", "−") if v else "0"))  # noqa: RUF001
    axes.set_ylabel("deep − classical, points of test accuracy")  # noqa: RUF001
