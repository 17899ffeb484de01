import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from crossover.evaluation.figures import confusion_figure, reliability_figure


def _predictions(k: int) -> tuple[np.ndarray, np.ndarray]:
    y_true = np.arange(20 * k) % k
    proba = np.full((len(y_true), k), 0.2 / (k - 1))
    proba[np.arange(len(y_true)), np.where(np.arange(len(y_true)) < 5, (y_true + 1) % k, y_true)] = 0.8
    return y_true, proba


@pytest.mark.parametrize("k", [2, 10])
def test_confusion_counts_stand_in_the_figure(k: int) -> None:
    y_true, proba = _predictions(k)
    figure = confusion_figure(y_true, proba, [f"class {i}" for i in range(k)], "a title")
    axes = figure.axes[0]
    counts = {tuple(map(round, text.get_position())): int(text.get_text()) for text in axes.texts}
    assert sum(counts.values()) == 20 * k
    assert counts[1, 0] == (3 if k == 2 else 1)  # x is the predicted class, y the actual one
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"class {i}" for i in range(k)]


def test_reliability_marks_accuracy_at_its_confidence() -> None:
    y_true, proba = _predictions(2)
    line = reliability_figure(y_true, proba, "a title").axes[0].lines[1]
    np.testing.assert_allclose(np.asarray(line.get_xydata()), [[0.8, 35 / 40]])


@pytest.mark.parametrize("draw", [confusion_figure, reliability_figure])
def test_a_class_without_examples_is_drawn(draw, tmp_path: Path) -> None:
    names = (["a", "b"],) if draw is confusion_figure else ()
    figure: Figure = draw(np.zeros(3, int), np.array([[0.9, 0.1]] * 3), *names, "one class")
    figure.savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000


@pytest.mark.slow
def test_drawing_needs_no_pyplot() -> None:
    code = "import sys, crossover.evaluation.figures; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
