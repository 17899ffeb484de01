"""The figures of the learning curves: accuracy against the number of examples, and who is ahead.

Colour and shape tell the family, the line style tells the models of one family apart.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from crossover.analysis.crossing import Crossover
from crossover.analysis.curve_comparison import CurveComparison, CurvePair, FamilyCurve
from crossover.analysis.curves import Curve
from crossover.analysis.power_law import DECADE, PowerLaw
from crossover.analysis.statistics import accuracy_interval
from crossover.core.numbers import about
from crossover.report.figures.accuracy_axis import LABEL, accuracy_axis, shown
from crossover.report.figures.style import COLORS, INK, SHAPES, STYLE, legend, new_figure, pale, save, title
from crossover.report.templating import phrase

EXAMPLES = "training examples (log scale)"
_DASHES = ["-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 3, 2, 3))]
_BEYOND_STYLE = (0, (3, 2))
_GREY = "#8a8a8a"
_LEADER = {"arrowstyle": "-", "color": _GREY, "lw": 0.7, "shrinkA": 0, "shrinkB": 4, "relpos": (0, 0.5)}
_LINEAR = 2  # points of difference up to which its axis is linear, and logarithmic beyond


def draw_curves(folder: Path, comparison: CurveComparison) -> None:
    """Write the figures of one data set as PNG and SVG, with their numbers as CSV, into `folder`.

    Args:
        folder: that is there.
        comparison: of one data set; without a pair there is no figure of differences.
    """
    with matplotlib.rc_context(STYLE):
        figure, numbers = _learning_curves(comparison)
        save(figure, folder / f"{comparison.dataset}-learning-curve", numbers)
        if comparison.pairs:
            figure, numbers = _differences(comparison)
            save(figure, folder / f"{comparison.dataset}-crossover", numbers)


def _learning_curves(comparison: CurveComparison) -> tuple[Figure, pd.DataFrame]:
    """Left what was measured, right a decade further, as far as the fitted laws tell."""
    laws = {curve: law for curve in _leaders(comparison) if (law := _law(comparison, curve))}
    beyond = [_beyond(curve, law) for curve, law in laws.items()]
    figure, ratios = new_figure(11.5, 6), [3.1, 1] if laws else [1]
    left, *right = figure.subplots(1, len(ratios), sharey=True, squeeze=False, width_ratios=ratios)[0]
    for curve in comparison.curves.curves:
        _draw_curve(left, comparison, curve)
    _accuracy_limits(left, comparison, beyond)
    _size_axis(left, comparison.curves.sizes, gap=0.09)
    left.set_ylabel(LABEL)
    if comparison.family:
        _shade_crossings(left, comparison.family.by_data)
    family = comparison.family
    subtitle = (
        f"by equal data, {phrase('crossover_in_panel', family.by_data)}" if family else phrase("no_crossover")
    )
    title(left, f"{comparison.dataset}: learning curves", subtitle)
    for axes in right:
        _decade(axes, comparison, dict(zip(laws, beyond, strict=True)))
    legend(figure, Line2D([], [], color=_GREY, lw=8, alpha=0.3, label="95 % interval"))
    figure.draw_without_rendering()  # fixes the layout that the labels are placed in
    _name_ends(left, comparison)
    return figure, pd.concat([_measured(comparison), *beyond])


def _leaders(comparison: CurveComparison) -> list[Curve]:
    """The best of each family at the largest size."""
    return [best.at_largest for best in comparison.best.values()]


def _draw_curve(axes: Axes, comparison: CurveComparison, curve: Curve) -> None:
    """A line with the interval of each size; strong for the best of a family."""
    strong, color, n_test = curve in _leaders(comparison), COLORS[curve.family], comparison.curves.n_test
    bands = [accuracy_interval(correct) for correct in curve.correct]
    low, high = ([shown(getattr(b, end), n_test) for b in bands] for end in ("low", "high"))
    accuracy = [shown(float(mean), n_test) for mean in curve.accuracy.mean(axis=1)]
    axes.fill_between(curve.sizes, low, high, color=color, alpha=0.16 if strong else 0.05, lw=0)
    axes.plot(
        curve.sizes,
        accuracy,
        color=color if strong else pale(color),
        ls=_line_style(curve, comparison),
        lw=2.4 if strong else 1.6,
        marker=SHAPES[curve.family],
        ms=6 if strong else 4.5,
        mfc=color if strong else "white",
        mec=color if strong else pale(color),
        zorder=3.5 if strong else 3,
    )


def _line_style(curve: Curve, comparison: CurveComparison) -> object:
    """The strong line of a family is whole."""
    leaders = _leaders(comparison)
    if curve in leaders:
        return "-"
    others = [other for other in comparison.curves.family(curve.family) if other not in leaders]
    return _DASHES[1:][others.index(curve) % (len(_DASHES) - 1)]


def _law(comparison: CurveComparison, curve: Curve) -> PowerLaw | None:
    """The law of a curve where it may be extrapolated."""
    fit = comparison.fits[curve.label]
    return fit if fit and fit.well_behaved else None


def _decade(axes: Axes, comparison: CurveComparison, beyond: dict[Curve, pd.DataFrame]) -> None:
    """The laws with their bands over the decade beyond the largest size."""
    n_test, largest = comparison.curves.n_test, int(comparison.curves.sizes[-1])
    for curve, rows in beyond.items():
        color = COLORS[curve.family]
        low, middle, high = ([shown(v / 100, n_test) for v in rows[c]] for c in ("low", "accuracy", "high"))
        axes.fill_between(rows["n"], low, high, color=color, alpha=0.16, lw=0)
        axes.plot(rows["n"], middle, color=color, ls=_BEYOND_STYLE, lw=2)
        axes.plot(rows["n"].iloc[-1], middle[-1], SHAPES[curve.family], color=color, mfc="white", ms=6)
    _size_axis(axes, np.array([largest, DECADE * largest]), gap=0.5)
    axes.set_xlim(largest, DECADE * largest * 1.15)
    axes.set_xlabel("")
    title(axes, "A decade further", "fitted power laws")


def _beyond(curve: Curve, fit: PowerLaw) -> pd.DataFrame:
    path = np.geomspace(fit.largest_size, DECADE * fit.largest_size, 21)
    bands = [fit.band(n) for n in path]
    rows = pd.DataFrame({"series": f"{curve.label}, fitted law", "family": curve.family, "n": path.round()})
    accuracies = {
        "accuracy": [1 - fit.predict(n) for n in path],
        "low": [1 - band.high for band in bands],
        "high": [1 - band.low for band in bands],
    }
    return rows.assign(**{name: np.round(100 * np.array(values), 3) for name, values in accuracies.items()})


def _measured(comparison: CurveComparison) -> pd.DataFrame:
    rows = []
    for curve in comparison.curves.curves:
        for n, correct in zip(curve.sizes, curve.correct, strict=True):
            band = accuracy_interval(correct)
            numbers = {"accuracy": correct.mean(), "low": band.low, "high": band.high}
            rows.append(
                {"series": curve.label, "family": curve.family, "n": n}
                | {name: round(100 * float(value), 3) for name, value in numbers.items()}
            )
    return pd.DataFrame(rows)


def _accuracy_limits(axes: Axes, comparison: CurveComparison, beyond: list[pd.DataFrame]) -> None:
    """All lines, and the intervals of the strong ones."""
    n_test = comparison.curves.n_test
    means = [float(mean) for curve in comparison.curves.curves for mean in curve.accuracy.mean(axis=1)]
    bands = [accuracy_interval(correct) for curve in _leaders(comparison) for correct in curve.correct]
    low = min([*means, *(band.low for band in bands)])
    high = max([*means, *(band.high for band in bands), *(rows["high"].iloc[-1] / 100 for rows in beyond)])
    accuracy_axis(axes, "y", shown(low, n_test), shown(float(high), n_test), n_test)


def _size_axis(axes: Axes, sizes: np.ndarray, gap: float) -> None:
    """Ticks at the measured sizes; a label where the next one is at least so far away, as a part of the axis."""
    labelled = _apart_by(gap, sizes)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([float(n) for n in sizes]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}" if round(n) in labelled else ""))
    axes.set_xlabel(EXAMPLES)


def _apart_by(gap: float, sizes: np.ndarray) -> set[int]:
    """The largest size, and of the others, from large to small, those far enough from the last one chosen."""
    least = gap * np.log(sizes[-1] / sizes[0])
    chosen = [int(sizes[-1])]
    for n in sizes[-2::-1]:
        if np.log(chosen[-1] / n) >= least:
            chosen.append(int(n))
    return set(chosen)


def _shade_crossings(axes: Axes, crossover: Crossover) -> None:
    """The intervals of the crossings, and the place of each as a thin line with its number."""
    for crossing in crossover.crossings:
        axes.axvspan(crossing.low, crossing.high, color=INK, alpha=0.07, lw=0, zorder=0)
        axes.axvline(crossing.n, color=INK, lw=1, alpha=0.5, zorder=1)
        axes.annotate(
            about(crossing.n),
            (crossing.n, 0.015),
            (4, 0),
            axes.get_xaxis_transform(),
            "offset points",
            fontsize=9,
            path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )


def _name_ends(axes: Axes, comparison: CurveComparison) -> None:
    """Names at the right ends of the lines, pushed apart where they would overlap."""
    leaders = _leaders(comparison)
    curves = sorted(comparison.curves.curves, key=lambda curve: float(curve.accuracy[-1].mean()))
    ends = [shown(float(curve.accuracy[-1].mean()), comparison.curves.n_test) for curve in curves]
    last = float(comparison.curves.sizes[-1])
    to_axes = axes.transAxes.inverted()
    points = to_axes.transform(axes.transData.transform([(last, end) for end in ends]))
    gap = 13 / (axes.bbox.height * 72 / axes.figure.dpi)
    for curve, point, place in zip(curves, points, _spread(points[:, 1], gap), strict=True):
        axes.annotate(
            curve.label,
            tuple(point),
            (1.0, place),
            "axes fraction",
            "axes fraction",
            va="center",
            color=COLORS[curve.family],
            fontweight="bold" if curve in leaders else "normal",
            fontsize=9,
            annotation_clip=False,
            arrowprops=_LEADER,
        )


def _spread(wanted: np.ndarray, gap: float) -> np.ndarray:
    """Places as near to the wanted ones, which rise, as a least distance allows.

    With the gaps taken out that is the nearest rising sequence.
    """
    from scipy.optimize import isotonic_regression

    steps = gap * np.arange(len(wanted))
    return np.asarray(isotonic_regression(wanted - steps).x) + steps


def _differences(comparison: CurveComparison) -> tuple[Figure, pd.DataFrame]:
    """Deep minus classical against the number of examples: left by equal data, right by equal time."""
    figure = new_figure(11.5, 5)
    panels = figure.subplots(1, 2, sharey=True)
    parts = []
    for axes, which, heading in zip(
        panels, ("by_data", "by_time"), ("by equal data", "by equal training time"), strict=True
    ):
        for pair in comparison.pairs:
            _draw_pair(axes, getattr(pair, which))
            label = f"{pair.deep.label} − {pair.classical.label}"  # noqa: RUF001
            parts.append(_difference_rows(label, heading, getattr(pair, which)))
        if comparison.family:
            _draw_family(axes, getattr(comparison.family, which))
            parts.append(_difference_rows("best of family", heading, getattr(comparison.family, which)))
        _size_axis(axes, comparison.curves.sizes, gap=0.13)
        family = comparison.family
        subtitle = phrase("crossover_in_panel", getattr(family, which)) if family else phrase("no_crossover")
        title(axes, f"{comparison.dataset}: {heading}", subtitle)
    _difference_axis(panels[0], pd.concat(parts))
    for axes in panels:
        _name_sides(axes)
    if comparison.family:
        _mark_no_model(panels[1], comparison.family)
    figure.legend(handles=_difference_handles(comparison), loc="outside lower center", ncols=5, frameon=False)
    return figure, pd.concat(parts)


def _draw_pair(axes: Axes, crossover: Crossover) -> None:
    axes.plot(crossover.sizes, 100 * crossover.difference, color=_GREY, lw=0.8, alpha=0.7, zorder=2)


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
    _shade_crossings(axes, crossover)


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
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _signed(value)))
    axes.set_ylabel("deep − classical, points of test accuracy")  # noqa: RUF001


def _signed(value: float) -> str:
    return f"{value:+g}".replace("-", "−") if value else "0"  # noqa: RUF001


def _name_sides(axes: Axes) -> None:
    """The zero line, and who is ahead above and below it."""
    axes.axhline(0, color=INK, lw=1, zorder=1)
    for text, y, side, family in (
        ("▲ deep ahead", 0.98, "top", "deep"),
        ("▼ classical ahead", 0.02, "bottom", "classical"),
    ):
        axes.text(
            0.985, y, text, transform=axes.transAxes, ha="right", va=side, color=COLORS[family], fontsize=9
        )


def _mark_no_model(axes: Axes, family: CurvePair[FamilyCurve]) -> None:
    """A cross where one of the two has no model in the other's seconds."""
    missing = ~(family.deep_in_time & family.classical_in_time)
    crossover = family.by_time
    axes.plot(
        crossover.sizes[missing],
        100 * crossover.difference[missing],
        "x",
        color=INK,
        ms=11,
        mew=1.8,
        zorder=5,
    )


def _difference_handles(comparison: CurveComparison) -> list[Line2D]:
    handles = [Line2D([], [], color=_GREY, lw=1, label="each pair")]
    if comparison.family is None:
        return handles
    handles += [
        Line2D([], [], color=INK, lw=2, label="best of family, band over all sizes"),
        *(
            Line2D([], [], ls="", marker=SHAPES[f], color=COLORS[f], ms=8, label=f"{f} leads")
            for f in ("deep", "classical")
        ),
        Line2D([], [], ls="", marker="s", mec=INK, mfc="white", ms=6, label="undecided"),
    ]
    if not (comparison.family.deep_in_time & comparison.family.classical_in_time).all():
        handles.append(Line2D([], [], ls="", marker="x", color=INK, ms=9, mew=1.8, label="no model in time"))
    return handles
