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

from crossover.analysis.curve_comparison import CurveComparison
from crossover.analysis.curves import Curve
from crossover.analysis.power_law import DECADE, PowerLaw
from crossover.analysis.statistics import accuracy_interval
from crossover.report.figures.accuracy_axis import LABEL, accuracy_axis, shown
from crossover.report.figures.differences import draw_differences
from crossover.report.figures.size_axis import shade_crossings, size_axis
from crossover.report.figures.style import COLORS, SHAPES, STYLE, legend, new_figure, pale, save, title
from crossover.report.templating import phrase

_DASHES = ["-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (8, 3, 2, 3))]
_BEYOND_STYLE = (0, (3, 2))
_GREY = "#8a8a8a"
_LEADER = {"arrowstyle": "-", "color": _GREY, "lw": 0.7, "shrinkA": 0, "shrinkB": 4, "relpos": (0, 0.5)}


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
            figure, numbers = draw_differences(comparison)
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
    size_axis(left, comparison.curves.sizes, gap=0.09)
    left.set_ylabel(LABEL)
    if comparison.family:
        shade_crossings(left, comparison.family.by_data)
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
    size_axis(axes, np.array([largest, DECADE * largest]), gap=0.5)
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
