"""The images whose labels a model doubts, with both classes below each."""

from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.axes import Axes

from crossover.audit.finding import Picture
from crossover.report.figures.style import INK, PALE_INK, STYLE, new_figure, save

_ACROSS = 5  # images next to each other
_SIDE, _ACROSS_STEP, _DOWN_STEP = 1.1, 1.32, 1.6  # inches: of an image, and from one to the next
_LONGEST = 13  # characters of a class that fit below an image


@matplotlib.rc_context(STYLE)
def draw_doubtful_labels(folder: Path, dataset: str, pictures: list[Picture]) -> None:
    """Write `<dataset>-doubtful-labels` as PNG, SVG and CSV into `folder`, in the given order; nothing of none."""
    if not pictures:
        return
    across = min(len(pictures), _ACROSS)
    down = -(-len(pictures) // across)
    width, height = _ACROSS_STEP * across, _DOWN_STEP * down
    figure = new_figure(width, height)
    figure.set_layout_engine("none")  # all images are of one size, however long the names are
    for i, picture in enumerate(pictures):
        left = _ACROSS_STEP * (i % across) + (_ACROSS_STEP - _SIDE) / 2
        top = _DOWN_STEP * (i // across) + 0.05
        box = (left / width, 1 - (top + _SIDE) / height, _SIDE / width, _SIDE / height)
        _image(figure.add_axes(box, anchor="S"), picture)
    numbers = pd.DataFrame(
        {
            "row": [picture.row for picture in pictures],
            "label": [picture.label for picture in pictures],
            "by_the_other_rows": [picture.other for picture in pictures],
        }
    )
    save(figure, folder / f"{dataset}-doubtful-labels", numbers)


def _image(axes: Axes, picture: Picture) -> None:
    """One image, grey where it has one channel, with its label and, paler, that by the other rows."""
    pixels = picture.pixels if picture.pixels.shape[2] == 3 else picture.pixels.mean(axis=2)
    axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="none")  # the viewer sees each pixel
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(True)
    lines = (("label", picture.label, INK), ("model", picture.other, PALE_INK))
    for k, (what, name, color) in enumerate(lines):
        short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
        axes.annotate(
            f"{what}: {short}",
            (0.5, 0),
            (0, -5 - 12 * k),
            "axes fraction",
            "offset points",
            ha="center",
            va="top",
            color=color,
            fontsize=8.5,
        )
