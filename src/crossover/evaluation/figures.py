"""Figures of one fit, for the tracker. Drawn without pyplot, so without global state or a display."""

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

from crossover.scoring.judge import CALIBRATION_BINS, reliability

_BLUE = "#1b6ca8"


def confusion_figure(y_true: np.ndarray, proba: np.ndarray, classes: list[str], title: str) -> Figure:
    """Counts of actual against predicted class, shaded by the share of the actual class.

    The shade follows the square root of the share, so that rare errors stand out from none.

    Args:
        y_true: int64 (n,).
        proba: float (n, k).
        classes: k names.
        title: of the figure.
    """
    counts = confusion_matrix(y_true, proba.argmax(axis=1), labels=np.arange(len(classes)))
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(4.2, 2.2 + 0.5 * len(classes))
    figure = Figure(figsize=(side + 0.6, side), dpi=120, layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(share, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    figure.colorbar(image, ax=axes, shrink=0.8, label="share of the actual class")
    for (actual, predicted), count in np.ndenumerate(counts):
        if count:
            colour = "white" if share[actual, predicted] ** 0.5 > 0.55 else "black"
            axes.text(predicted, actual, str(count), ha="center", va="center", color=colour, fontsize=9)
    turned = max(map(len, classes)) > 3
    axes.set_xticks(
        range(len(classes)), classes, rotation=45 if turned else 0, ha="right" if turned else "center"
    )
    axes.set_yticks(range(len(classes)), classes)
    axes.set(xlabel="predicted", ylabel="actual", title=title)
    return figure


def reliability_figure(y_true: np.ndarray, proba: np.ndarray, title: str) -> Figure:
    """Accuracy against confidence in the judge's bins, above the number of examples in each.

    Args:
        y_true: int64 (n,).
        proba: float (n, k), rows sum to 1.
        title: of the figure.
    """
    table = reliability(y_true, proba)
    figure = Figure(figsize=(5, 5.6), dpi=120, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    above.plot([0, 1], [0, 1], color="grey", linestyle="--", linewidth=1, label="perfectly calibrated")
    above.plot(table["confidence"], table["accuracy"], color=_BLUE, marker="o", label="model")
    above.set(ylabel="accuracy", title=title, xlim=(0, 1.02), ylim=(0, 1.02))
    above.legend(loc="lower right", frameon=False)
    below.bar(table["confidence"], table["count"], width=0.8 / CALIBRATION_BINS, color=_BLUE)
    below.set(xlabel="confidence of the predicted class", ylabel="examples", yscale="log")
    below.set_ylim(bottom=0.7)  # a bar of a single example has a height
    return figure
