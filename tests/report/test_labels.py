"""Labels next to points keep clear of the line, unless there is no other place."""

import pytest
from matplotlib.axes import Axes

from crossover.report.figures.labels import place_labels
from crossover.report.figures.style import new_figure

LINE = [(0.5, 0.0), (0.5, 1.0)]
"""From the bottom of the axes to the top, through the middle."""


@pytest.fixture
def axes() -> Axes:
    figure = new_figure(3, 3)
    axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1))
    figure.draw_without_rendering()
    return axes


def boxes(axes: Axes) -> list[tuple[float, float]]:
    """Left and right ends of the labels, in data coordinates of x."""
    ends = [text.get_window_extent() for text in axes.texts]
    inverse = axes.transData.inverted()
    return [(inverse.transform((b.x0, 0))[0], inverse.transform((b.x1, 0))[0]) for b in ends]


def test_a_short_label_keeps_clear_of_the_line(axes):
    place_labels(axes, [(0.5, 0.5)], [0], ["short"], [{}], LINE)
    [(left, right)] = boxes(axes)
    assert left > 0.5 or right < 0.5


def test_a_label_too_long_for_either_side_covers_the_line(axes):
    place_labels(axes, [(0.5, 0.5)], [0], ["long enough for both sides"], [{}], LINE)
    [(left, right)] = boxes(axes)
    assert 0 <= left < 0.5 < right <= 1


def test_a_label_wider_than_the_axes_is_left_out(axes):
    place_labels(axes, [(0.5, 0.5)], [0], ["w" * 80], [{}], LINE)
    assert not axes.texts
