"""The figure of the crossover map: labels across, seconds upwards, colour for who is ahead and how sure that is."""

from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from crossover.analysis.crossover_map import AFTER_THE_LAST, CrossoverMap, MapCell
from crossover.core.numbers import duration
from crossover.report.figures.size_axis import size_axis
from crossover.report.figures.style import COLORS, INK, STYLE, new_figure, save, title

# Strength of a colour: of a lead, of one that all resamples have and the band does not hold, of a family alone.
_SURE, _LIKELY, _ALONE = 0.85, 0.35, 0.55
_LEAST = 0.09  # of an even chance: white is where nothing is ready
_TIE = "#c9c9c9"
_HATCHES = {"alone": "....", "undecided": "////"}


@matplotlib.rc_context(STYLE | {"hatch.linewidth": 0.5, "axes.grid": False})
def draw_map(folder: Path, found: CrossoverMap) -> None:
    """Write the figure as PNG and SVG, and its numbers as CSV, into `folder`, which exists."""
    figure = new_figure(7.5, 4.8)
    axes = figure.subplots()
    labels, seconds = _edges(found.labels), np.append(found.seconds, AFTER_THE_LAST * found.seconds[-1])
    colors = np.array([[_color(cell) for cell in row] for row in found.cells])  # (T, S, 3)
    axes.pcolormesh(labels, seconds, colors, rasterized=True)
    for name, hatch in _HATCHES.items():
        where = np.array([[name in cell.state for cell in row] for row in found.cells])
        if where.any():
            boxes = [
                Rectangle((labels[s], seconds[t]), labels[s + 1] - labels[s], seconds[t + 1] - seconds[t])
                for t, s in np.argwhere(where)
            ]
            axes.add_collection(PatchCollection(boxes, fc="none", ec=INK, lw=0, hatch=hatch))
    axes.add_collection(LineCollection(_frontier(found, labels, seconds), colors=INK, linewidths=1.4))
    size_axis(axes, found.labels, gap=0.09)
    axes.set_xlabel("labels (log scale)")
    _time_axis(axes, found)
    title(axes, f"{found.dataset}: who is ahead", "with so many labels and seconds, on this machine")
    states = found.states
    handles = [
        Patch(fc=_tint(COLORS[f], _SURE), label=f"{name} leads")
        for f, name in (("classical", "classical"), ("deep", "deep learning"))
    ]
    handles.append(Patch(fc=_tint(COLORS["classical"], 0.2), label="paler: not told apart"))
    if "tie" in states:
        handles.append(Patch(fc=_TIE, label="tie"))
    if states & {"deep alone", "classical alone"}:
        handles.append(
            Patch(
                fc=_tint(COLORS["classical"], _ALONE),
                hatch="....",
                label="no model of the other family is ready",
            )
        )
    if "undecided" in states:
        handles.append(Patch(fc="white", ec=INK, hatch="////", label="undecided: not trained to its end"))
    if "nothing" in states:
        handles.append(Patch(fc="white", ec="#bbbbbb", label="nothing is ready"))
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    save(figure, folder / f"{found.dataset}-map", _numbers(found))


def _edges(sizes: np.ndarray) -> np.ndarray:
    """Half way between the sizes on a logarithmic scale, and as far beyond the first and the last."""
    log = np.log(sizes.astype(float))
    steps = np.diff(log) if len(log) > 1 else np.array([np.log(2)])
    return np.exp(
        np.concatenate(
            [[log[0] - steps[0] / 2], log[:-1] + steps[: len(log) - 1] / 2, [log[-1] + steps[-1] / 2]]
        )
    )


def _tint(color: str, strength: float) -> tuple[float, ...]:
    return tuple(1 - strength * (1 - part) for part in to_rgb(color))


def _color(cell: MapCell) -> tuple[float, ...]:
    if cell.state == "nothing":
        return to_rgb("white")
    if cell.state == "tie":
        return to_rgb(_TIE)
    if cell.state in ("deep", "classical"):
        return _tint(COLORS[cell.state], _SURE)
    if len(cell.played) == 1:
        return _tint(COLORS[next(iter(cell.played))], _ALONE)
    leader = "deep" if cell.difference > 0 else "classical"
    return _tint(COLORS[leader], max(_LEAST, _LIKELY * abs(2 * cell.deep_ahead - 1)))


def _frontier(found: CrossoverMap, labels: np.ndarray, seconds: np.ndarray) -> list[np.ndarray]:
    """The edges between cells in which different families are ahead, as lines from (x, y) to (x, y)."""
    # NaN where not both are ready
    ahead = np.array([[np.sign(cell.difference) for cell in row] for row in found.cells])
    lines = []
    for t, s in np.argwhere(ahead[:, :-1] * ahead[:, 1:] < 0):
        lines.append([(labels[s + 1], seconds[t]), (labels[s + 1], seconds[t + 1])])
    for t, s in np.argwhere(ahead[:-1] * ahead[1:] < 0):
        lines.append([(labels[s], seconds[t + 1]), (labels[s + 1], seconds[t + 1])])
    return [np.array(line) for line in lines]


def _time_axis(axes: Axes, found: CrossoverMap) -> None:
    axes.set_yscale("log")
    axes.set_ylim(found.seconds[0], AFTER_THE_LAST * found.seconds[-1])
    axes.yaxis.set_major_locator(FixedLocator(found.round_times))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda t, _: duration(t, 1)))
    axes.set_ylabel("time for features and training (log scale)")


def _numbers(found: CrossoverMap) -> pd.DataFrame:
    """One row a cell: differences in points."""
    rows = []
    for t, row in zip(found.seconds, found.cells, strict=True):
        for n, cell in zip(found.labels, row, strict=True):
            numbers = {"difference": cell.difference}
            if cell.interval:
                numbers |= {"low": cell.interval.low, "high": cell.interval.high}
            rows.append(
                {"labels": n, "seconds": float(f"{t:.3g}"), "answer": cell.state}
                | {family: played.most_often for family, played in cell.played.items()}
                | {name: round(100 * value, 3) for name, value in numbers.items()}
                | {"deep_ahead": round(cell.deep_ahead, 4)}
            )
    columns = ["labels", "seconds", "answer", "classical", "deep", "difference", "low", "high", "deep_ahead"]
    return pd.DataFrame(rows, columns=columns)
