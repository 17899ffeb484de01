"""The figures of the learning curves: accuracy against the number of examples, and who is ahead.

Colour and shape show the family, the line style the model within it.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from crossover.analysis.curve_comparison import CurveComparison
from crossover.analysis.curves import Curve, DatasetCurves
from crossover.analysis.power_law import DECADE, PowerLaw
from crossover.report.figures.accuracy_axis import accuracy_axis, label, shown
from crossover.report.figures.differences import draw_differences
from crossover.report.figures.labels import name_line_ends
from crossover.report.figures.size_axis import shade_crossings, size_axis
from crossover.report.figures.style import (
    COLORS,
    DASHES,
    SHAPES,
    STYLE,
    legend,
    new_figure,
    pale,
    save,
    title,
)
from crossover.report.templating import phrase

_BEYOND_STYLE = (0, (3, 2))
_GREY = "#8a8a8a"


@matplotlib.rc_context(STYLE)
def draw_curves(folder: Path, comparison: CurveComparison) -> None:
    """Write the figures of one data set as PNG and SVG, with their numbers as CSV, into `folder`.

    The left panel of the first shows what was measured, the right one the fitted laws over the next decade.

    Args:
        folder: that is there.
        comparison: of one data set; without a pair there is no figure of differences.
    """
    curves, family = comparison.curves, comparison.family
    leaders = [best.at_largest for best in comparison.best.values()]
    laws = {leader: comparison.fits[leader.label] for leader in leaders}
    beyond = {leader: _beyond(leader, law) for leader, law in laws.items() if law and law.well_behaved}
    figure, ratios = new_figure(11.5, 6), [3.1, 1] if beyond else [1]
    left, *right = figure.subplots(1, len(ratios), sharey=True, squeeze=False, width_ratios=ratios)[0]
    for curve in curves.curves:
        _draw_curve(left, curves, curve, leaders)
    # The axis shows all lines, and the intervals of the strong ones.
    means = [float(mean) for curve in curves.curves for mean in curve.accuracy.mean(axis=1)]
    bands = [band for leader in leaders for band in leader.intervals]
    low = min([*means, *(band.low for band in bands)])
    ends = [float(rows["high"].iloc[-1]) / 100 for rows in beyond.values()]
    high = max([*means, *(band.high for band in bands), *ends])
    accuracy_axis(left, "y", shown(low, curves.n_test), shown(high, curves.n_test), curves.n_test)
    size_axis(left, curves.sizes, gap=0.09)
    left.set_ylabel(label("test", curves.metric))
    subtitle = phrase("no_crossover")
    if family:
        shade_crossings(left, family.crossover)
        subtitle = phrase("crossover_in_panel", family.crossover)
    title(left, f"{comparison.dataset}: learning curves", subtitle)
    for axes in right:
        _draw_decade(axes, curves, beyond)
    legend(figure, Line2D([], [], color=_GREY, lw=8, alpha=0.3, label="95 % interval"))
    figure.draw_without_rendering()  # fixes the layout that the labels are placed in
    rising = sorted(curves.curves, key=lambda curve: float(curve.accuracy[-1].mean()))
    name_line_ends(
        left,
        [
            (float(curves.sizes[-1]), shown(float(curve.accuracy[-1].mean()), curves.n_test))
            for curve in rising
        ],
        [curve.label for curve in rising],
        [
            {
                "color": COLORS[curve.family],
                "fontweight": "bold" if curve in leaders else "normal",
                "fontsize": 9,
            }
            for curve in rising
        ],
        x=1.0,
        arrow={"color": _GREY, "shrinkB": 4, "relpos": (0, 0.5)},
    )
    numbers = pd.concat([_measured(curves), *beyond.values()])
    save(figure, folder / f"{comparison.dataset}-learning-curve", numbers)
    if comparison.pairs:
        figure, numbers = draw_differences(comparison)
        save(figure, folder / f"{comparison.dataset}-crossover", numbers)


def _draw_curve(axes: Axes, curves: DatasetCurves, curve: Curve, leaders: list[Curve]) -> None:
    """A line with the interval of each size; strong and solid for the best of a family."""
    strong, color, n_test = curve in leaders, COLORS[curve.family], curves.n_test
    bands = curve.intervals
    low, high = ([shown(getattr(b, end), n_test) for b in bands] for end in ("low", "high"))
    others = [other for other in curves.family(curve.family) if other not in leaders]
    axes.fill_between(curve.sizes, low, high, color=color, alpha=0.16 if strong else 0.05, lw=0)
    axes.plot(
        curve.sizes,
        shown(curve.accuracy.mean(axis=1), n_test),
        color=color if strong else pale(color),
        ls="-" if strong else DASHES[1:][others.index(curve) % (len(DASHES) - 1)],
        lw=2.4 if strong else 1.6,
        marker=SHAPES[curve.family],
        ms=6 if strong else 4.5,
        mfc=color if strong else "white",
        mec=color if strong else pale(color),
        zorder=3.5 if strong else 3,
    )


def _draw_decade(axes: Axes, curves: DatasetCurves, beyond: dict[Curve, pd.DataFrame]) -> None:
    """The laws with their bands over the decade beyond the largest size."""
    largest = int(curves.sizes[-1])
    for curve, rows in beyond.items():
        color = COLORS[curve.family]
        low, middle, high = (
            shown(rows[column].to_numpy() / 100, curves.n_test) for column in ("low", curve.metric, "high")
        )
        axes.fill_between(rows["n"], low, high, color=color, alpha=0.16, lw=0)
        axes.plot(rows["n"], middle, color=color, ls=_BEYOND_STYLE, lw=2)
        axes.plot(rows["n"].iloc[-1], middle[-1], SHAPES[curve.family], color=color, mfc="white", ms=6)
    size_axis(axes, np.array([largest, DECADE * largest]), gap=0.5)
    axes.set_xlim(largest, DECADE * largest * 1.15)
    axes.set_xlabel("")
    title(axes, "A decade further", "fitted power laws")


def _beyond(curve: Curve, fit: PowerLaw) -> pd.DataFrame:
    """The numbers of a fitted law over a decade, in percent."""
    path = np.geomspace(fit.largest_size, DECADE * fit.largest_size, 21)
    bands = [fit.band(n) for n in path]
    rows = pd.DataFrame({"series": f"{curve.label}, fitted law", "family": curve.family, "n": path.round()})
    scores = {
        curve.metric: [1 - fit.predict(n) for n in path],
        "low": [1 - band.high for band in bands],
        "high": [1 - band.low for band in bands],
    }
    return rows.assign(**{name: np.round(100 * np.array(values), 3) for name, values in scores.items()})


def _measured(curves: DatasetCurves) -> pd.DataFrame:
    """The numbers of the measured curves, in percent."""
    rows = []
    for curve in curves.curves:
        for n, correct, band in zip(curve.sizes, curve.correct, curve.intervals, strict=True):
            numbers = {curve.metric: correct.mean(), "low": band.low, "high": band.high}
            rows.append(
                {"series": curve.label, "family": curve.family, "n": n}
                | {name: round(100 * float(value), 3) for name, value in numbers.items()}
            )
    return pd.DataFrame(rows)
