"""An axis for accuracies, and other metrics, near 100 %: the error on a logarithmic scale, labelled in accuracy.

From 98 to 99 % is half the errors, as is from 80 to 90 %, and takes as much room. On a linear axis one weak
model pushes all good ones into a corner.
"""

from typing import Literal, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from crossover.core.metric import ACCURACY, WORDS, Metric

_STEPS = [  # of a decade of errors, coarse to fine
    (1, 2, 5),
    (1, 1.5, 2, 3, 4, 5, 7),
    tuple(np.arange(2, 20) / 2),
    tuple(np.arange(10, 100) / 10),
]
_ENOUGH, _GAP = 4, 0.09  # ticks, and the least distance between two as a part of the axis

OneOrMany = TypeVar("OneOrMany", float, np.ndarray)


def label(part: Literal["test", "validation"], metric: Metric) -> str:
    """What the axis shows."""
    # Short next to a longer name, so that it fits a small panel.
    scale = "errors on a log scale" if metric == ACCURACY else "log scale"
    return f"{part} {WORDS[metric]}, % ({scale})"


def shown(accuracy: OneOrMany, n_test: int) -> OneOrMany:
    """Where accuracies are drawn, in percent: a perfect one, with no logarithm, at a tenth of an error."""
    return np.minimum(100 * accuracy, 100 - 10 / n_test)


def accuracy_axis(axes: Axes, which: Literal["x", "y"], low: float, high: float, n_test: int) -> None:
    """Set scale, limits and ticks.

    Args:
        axes: where.
        which: the axis that shows accuracies.
        low: the lowest one to show, in percent, as from `shown`.
        high: the highest.
        n_test: examples of the test part.
    """
    getattr(axes, f"set_{which}scale")("function", functions=(_position, _accuracy))
    ends = _position(np.array([low, high]))
    margin = 0.08 * max(ends[1] - ends[0], 0.3)
    limits = _accuracy(np.array([ends[0] - margin, ends[1] + margin]))
    getattr(axes, f"set_{which}lim")(*limits)

    # Ticks are round accuracies within the limits, the roundest first, none too close to another.
    perfect = shown(1.0, n_test)
    highest = min(limits[1], 100 - 50 / n_test)  # half an error: nothing lies above
    gap = _GAP * np.ptp(_position(limits))
    ticks = [perfect] if limits[0] <= perfect <= limits[1] else []
    for steps in _STEPS:
        for tick in (100 - step * 10.0**decade for decade in range(1, -5, -1) for step in steps):
            far = np.abs(_position(np.array(ticks)) - _position(np.array(tick))) >= gap
            if limits[0] <= tick <= highest and far.all():
                ticks.append(tick)
        if len(ticks) >= _ENOUGH:
            break
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: "100" if value == perfect else f"{value:.6g}"))


def _position(accuracy: np.ndarray) -> np.ndarray:
    return -np.log10(np.maximum(100 - np.asarray(accuracy, dtype=float), 1e-9))


def _accuracy(position: np.ndarray) -> np.ndarray:
    return 100 - 10.0 ** -np.asarray(position, dtype=float)
