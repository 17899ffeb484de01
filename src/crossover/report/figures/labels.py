"""Labels next to points and at the ends of lines; none covers another, a point or, where it can, a line."""

from itertools import pairwise
from typing import Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

_RADIUS = 6  # of a marker, in points of 1/72 inch
_NEAR = 9
_DIRECTIONS = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)]
_STEEP = [(0.3, 1), (-0.3, 1), (0.3, -1), (-0.3, -1)]
_PLACES = [
    (dx * distance, dy * distance)
    for distance in (_NEAR, 16, 26, 38, 52, 68, 86)
    for dx, dy in _DIRECTIONS + (_STEEP if distance > _NEAR else [])
]
_LINE_HEIGHT = 13  # points of 1/72 inch from one name to the next

Point = tuple[float, float]


def place_labels(
    axes: Axes,
    points: list[Point],
    where: list[int],
    texts: list[str],
    styles: list[dict[str, Any]],
    keep_clear: list[Point],
) -> None:
    """Label some of the points, each at the nearest free place.

    One that has none may cover the line, whose dashes its white edge leaves readable; one that has none even then
    is left out.

    Args:
        axes: with its final limits and layout, on an Agg canvas.
        points: all points in data coordinates; labels keep clear of every one.
        where: which of them to label, the most important first.
        texts: one label for each of `where`.
        styles: properties of each text.
        keep_clear: corners of a line in data coordinates that labels keep clear of too, where they can.
    """
    free = _FreeSpace(axes, points, keep_clear)
    for index, text, style in zip(where, texts, styles, strict=True):
        for offset, over_line in [(offset, over) for over in (False, True) for offset in _PLACES]:
            label = _annotate(axes, points[index], text, offset, style)
            if free.take(label, points[index], over_line=over_line):
                break
            label.remove()


def name_line_ends(
    axes: Axes,
    ends: list[Point],
    names: list[str],
    styles: list[dict[str, Any]],
    x: float,
    arrow: dict[str, Any],
) -> None:
    """Write names right of the axes, each as near to the end of its line as the other names allow.

    Args:
        axes: with its final limits and layout.
        ends: right ends of the lines in data coordinates.
        names: one for each.
        styles: properties of each text.
        x: where the names begin; 1 is the right side of the axes.
        arrow: properties of the thin line from an end to its name.
    """
    from scipy.optimize import isotonic_regression

    points = axes.transAxes.inverted().transform(axes.transData.transform(ends))
    order = np.argsort(points[:, 1], kind="stable")
    # With the gaps taken out, the nearest places in the same order are the nearest rising sequence.
    gaps = _LINE_HEIGHT / (axes.bbox.height * 72 / axes.figure.dpi) * np.arange(len(ends))
    heights = np.empty(len(ends))
    heights[order] = isotonic_regression(points[order, 1] - gaps).x + gaps
    for point, name, style, height in zip(points, names, styles, heights, strict=True):
        axes.annotate(
            name,
            tuple(point),
            (x, height),
            "axes fraction",
            "axes fraction",
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.7, "shrinkA": 0} | arrow,
            **style,
        )


def _annotate(axes: Axes, point: Point, text: str, offset: Point, style: dict[str, Any]) -> Annotation:
    """A label at an offset in points, with a thin line to its point where it is not right next to it."""
    far = max(map(abs, offset)) > _NEAR
    return axes.annotate(
        text,
        point,
        xytext=offset,
        textcoords="offset points",
        ha={1: "left", 0: "center", -1: "right"}[int(np.sign(offset[0]))],
        va={1: "bottom", 0: "center", -1: "top"}[int(np.sign(offset[1]))],
        fontsize=8.5,
        arrowprops={"arrowstyle": "-", "color": "#9a9a9a", "lw": 0.7, "shrinkB": 4} if far else None,
        path_effects=[withStroke(linewidth=2.5, foreground="white")],
        zorder=4,
        **style,
    )


class _FreeSpace:
    """What is taken inside the axes, in pixels."""

    def __init__(self, axes: Axes, points: list[Point], line: list[Point]):
        self._renderer = cast(FigureCanvasAgg, axes.figure.canvas).get_renderer()
        self._frame, self._to_pixels = axes.bbox, axes.transData.transform
        self._unit = axes.figure.dpi / 72
        self._taken = [self._around(centre, _RADIUS) for centre in self._to_pixels(np.asarray(points))]
        self._line = self._along(self._to_pixels(np.asarray(line)))

    def take(self, label: Annotation, point: Point, *, over_line: bool) -> bool:
        """Whether the label and the line to its point are free; if so, they are taken from now on."""
        label.update_positions(self._renderer)
        box = Text.get_window_extent(label, self._renderer)  # of the text, without its line
        covers = not over_line and any(box.overlaps(piece) for piece in self._line)
        if covers or not self._is_free(box):
            return False
        leader: list[Bbox] = []  # the line to the point, which may cross the line to keep clear of
        if label.arrow_patch is not None:
            start, end = self._to_pixels(point), np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])
            own = self._around(start, 2 * _RADIUS)  # its ends touch its own marker and the text
            pieces = self._along(np.array([start, end]))
            leader = [piece for piece in pieces if not piece.overlaps(own) and not piece.overlaps(box)]
        if not all(self._is_free(piece) for piece in leader):
            return False
        self._taken += [box, *leader]
        return True

    def _is_free(self, box: Bbox) -> bool:
        inside = self._frame.x0 <= box.x0 and box.x1 <= self._frame.x1
        inside &= self._frame.y0 <= box.y0 and box.y1 <= self._frame.y1
        return bool(inside) and not any(box.overlaps(other) for other in self._taken)

    def _along(self, corners: np.ndarray) -> list[Bbox]:
        """Small boxes along a line, every few pixels."""
        boxes = []
        for start, end in pairwise(corners):
            steps = max(2, int(np.hypot(*(end - start)) / (3 * self._unit)))
            boxes += [self._around(start + t * (end - start), 1) for t in np.linspace(0, 1, steps)]
        return boxes

    def _around(self, centre: np.ndarray, radius: float) -> Bbox:
        return Bbox([centre - radius * self._unit, centre + radius * self._unit])
