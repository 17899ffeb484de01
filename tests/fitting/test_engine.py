"""The engine behind cells, curves and trials: one warm-up, one measure, one way to carry on after a kill."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossover.core.cell import Cell
from crossover.core.layout import Layout
from crossover.data.prepared import Part
from crossover.fitting import engine
from crossover.fitting.config import FitConfig
from crossover.fitting.data import TrainingData
from crossover.models.base import FitHooks
from crossover.models.classical.sklearn_model import SklearnClassifier

TREE: dict[str, Any] = {
    "_target_": f"{__name__}.Counting",
    "modalities": ["table"],
    "stochastic": True,
    "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier"},
}


class Counting(SklearnClassifier):
    """Counts how often it is warmed up."""

    warm_ups = 0

    def warm_up(self, train: Part) -> None:
        Counting.warm_ups += 1
        super().warm_up(train)


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_warm", set())
    monkeypatch.setattr(Counting, "warm_ups", 0)


def part(rows: int = 20) -> Part:
    y = np.arange(rows) % 2
    return Part(y[:, None] + np.zeros((rows, 3), np.float32), y, 2)


def fit_once(root: Path, model: str = "tree", depth: int = 1):
    config = FitConfig(
        Cell("toy", "raw", model, "classical"), TREE | {"estimator": TREE["estimator"] | {"max_depth": depth}}
    )
    data = TrainingData(config, Layout(root))
    return engine.fit(config, part(), None, data=data, seed=0, hooks=FitHooks())[1]


def test_a_process_warms_up_once_for_each_kind_of_cell(tmp_path):
    for depth in (1, 2, 3):
        fit_once(tmp_path, depth=depth)
    assert Counting.warm_ups == 1
    fit_once(tmp_path, model="another")
    assert Counting.warm_ups == 2


def test_every_fit_has_all_its_costs(tmp_path):
    costs = fit_once(tmp_path)
    assert costs.fit_seconds > 0
    assert costs.peak_memory_bytes > 10**6
    assert costs.fit_memory_bytes is None or costs.fit_memory_bytes < costs.peak_memory_bytes
    assert costs.device == "cpu"
    assert costs.threads > 0
    assert "scikit-learn" in costs.versions
    assert costs.fitted_at.endswith("+00:00")


def test_a_metric_that_is_not_defined_is_left_out():
    one_class = Part(np.zeros((4, 1)), np.zeros(4, np.int64), 2)
    found = engine.judged(one_class, np.tile([0.75, 0.25], (4, 1)))
    assert "roc_auc" not in found
    assert found["accuracy"] == 1.0


def test_a_fit_that_breaks_off_leaves_its_checkpoints_and_nothing_finished(tmp_path):
    made = []

    def make(folder: Path, checkpoints: Path) -> None:
        checkpoints.mkdir(exist_ok=True, parents=True)
        made.append(sorted(path.name for path in checkpoints.iterdir()))
        (folder / "half").touch()
        if len(made) == 1:
            (checkpoints / "last").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.finished(tmp_path / "fit", make)
    assert [path.name for path in (tmp_path / "fit").iterdir()] == ["checkpoints"]
    first, again = (engine.finished(tmp_path / "fit", make) for _ in range(2))
    assert first == again
    assert [path.name for path in first.iterdir()] == ["half"]
    assert made == [[], ["last"]]  # made a second time with the checkpoint, not a third time
