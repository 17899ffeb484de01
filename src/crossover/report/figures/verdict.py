"""The small picture in the box of a data set: who is ahead, by how much, how sure."""

from pathlib import Path

import matplotlib
import pandas as pd

from crossover.analysis.study import DatasetAnalysis
from crossover.core.metric import WORDS
from crossover.report.figures.numbers import rounded_percent
from crossover.report.figures.style import COLORS, INK, PALE_INK, SHAPES, STYLE, new_figure, save

_LEAST_RANGE = 0.5  # points shown on each side of 0, so that a tie looks like one


@matplotlib.rc_context(STYLE)
def draw_verdict(folder: Path, d: DatasetAnalysis) -> None:
    """The difference of the best network and the best classical model with its interval, on a line with 0."""
    if d.verdict is None:
        return
    v = d.verdict
    figure = new_figure(4.2, 1.05)
    axes = figure.add_subplot()
    difference, low, high = (100 * x for x in (v.difference, v.interval.low, v.interval.high))
    reach = 1.15 * max(abs(low), abs(high), abs(difference), _LEAST_RANGE)
    color = COLORS.get(v.winner, PALE_INK)
    axes.axvline(0, color=INK, lw=1)
    axes.plot([low, high], [0, 0], color=color, lw=5, alpha=0.35, solid_capstyle="round")
    axes.plot(difference, 0, SHAPES.get(v.winner, "s"), color=color, ms=9)
    axes.set(xlim=(-reach, reach), ylim=(-1, 1), yticks=[])
    axes.set_xlabel(f"deep minus classical, points of test {WORDS[v.metric]}")
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    for side, family, where in ((0, "classical", "left"), (1, "deep", "right")):
        axes.annotate(
            f"{family} ahead",
            (side, 0.8),
            xycoords=("axes fraction", "data"),
            ha=where,
            va="center",
            color=COLORS[family],
            fontsize=9.5,
        )
    values = {"difference": v.difference, "low_95": v.interval.low, "high_95": v.interval.high}
    numbers = pd.DataFrame([{f"{name}_points": rounded_percent(value) for name, value in values.items()}])
    save(figure, folder / f"{d.dataset}-verdict", numbers)
