"""An axis for numbers of training examples, on a logarithmic scale, and the crossings marked on it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from crossover.analysis.crossing import Crossover
from crossover.core.numbers import about
from crossover.report.figures.style import INK

EXAMPLES = "training examples (log scale)"


def size_axis(axes: Axes, sizes: np.ndarray, gap: float) -> None:
    """Ticks at the measured sizes. The largest has a label, and the others where there is room.

    Args:
        axes: whose x axis is set.
        sizes: int64 (S,), rising.
        gap: least distance of two labels, as a part of the axis.
    """
    labelled = [int(sizes[-1])]
    for n in sizes[-2::-1]:
        if np.log(labelled[-1] / n) >= gap * np.log(sizes[-1] / sizes[0]):
            labelled.append(int(n))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator([float(n) for n in sizes]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:,.0f}" if round(n) in labelled else ""))
    axes.set_xlabel(EXAMPLES)


def shade_crossings(axes: Axes, crossover: Crossover) -> None:
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
