"""A trial that is killed goes on with the repetition that it had not finished."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crossover.core.cell import Cell
from crossover.core.columns import COMPLETED
from crossover.core.layout import Layout
from crossover.fitting.config import FitConfig
from crossover.fitting.data import TrainingData
from crossover.models.classical.sklearn_model import SklearnClassifier
from crossover.search.plan import Plan
from crossover.search.trial import Trial

TREE = {
    "_target_": f"{__name__}.Breaking",
    "modalities": ["table"],
    "stochastic": True,
    "estimator": {"_target_": "sklearn.tree.DecisionTreeClassifier", "max_features": 1},
}
PLAN = Plan(
    objectives=["accuracy"],  # type: ignore[arg-type]
    examples=None,
    min_validation_examples=1000,
    max_repetitions=3,
    pruner={"_target_": "optuna.pruners.NopPruner"},
)


class Breaking(SklearnClassifier):
    """Dies at the fit of one repetition, as by a kill."""

    seeds: list[int] = []  # noqa: RUF012
    breaks_at: int | None = None

    def warm_up(self, train):
        pass

    def fit(self, train, val, *, seed, **options):
        if seed == Breaking.breaks_at:
            raise KeyboardInterrupt
        Breaking.seeds.append(seed)
        return super().fit(train, val, seed=seed, **options)


def trial(wine, folder: Path, reports: list[tuple[int, float]]) -> Trial:
    config = FitConfig(Cell("wine", "raw", "tree", "classical", "trial"), TREE)
    folder.mkdir(exist_ok=True)

    def judge(step: int, value: float) -> bool:
        reports.append((step, value))
        return False

    data = TrainingData(config, Layout(wine.root))
    return Trial(config, data, PLAN, folder, judge, lambda step, metrics: None)


def test_finished_repetitions_of_a_killed_trial_are_taken_over(wine, tmp_path, monkeypatch):
    monkeypatch.setattr(Breaking, "seeds", [])
    expected: list[tuple[int, float]] = []
    whole = trial(wine, tmp_path / "whole", expected).run()
    order = list(Breaking.seeds)
    assert len(order) == 3
    monkeypatch.setattr(Breaking, "breaks_at", order[2])
    with pytest.raises(KeyboardInterrupt):
        trial(wine, tmp_path / "killed", []).run()
    monkeypatch.setattr(Breaking, "breaks_at", None)
    monkeypatch.setattr(Breaking, "seeds", [])
    reports: list[tuple[int, float]] = []
    again = trial(wine, tmp_path / "killed", reports).run()
    assert Breaking.seeds == order[2:]
    assert again.state == COMPLETED
    assert (again.accuracies, again.log_losses) == (whole.accuracies, whole.log_losses)
    assert reports == expected
    assert np.all(np.array(again.fit_seconds) > 0)
    assert [path.name for path in (tmp_path / "killed").iterdir()] == ["trial.json"]


def test_a_trial_is_judged_by_the_metric_of_its_data_set(wine, tmp_path, monkeypatch):
    monkeypatch.setattr(
        TrainingData, "meta", property(lambda self: replace(self.prepared.meta, metric="roc_auc"))
    )
    reports: list[tuple[int, float]] = []
    result = trial(wine, tmp_path / "trial", reports).run()
    assert result.error == ""
    assert result.scores != result.accuracies
    assert result.score == pytest.approx(np.mean(result.scores))
    assert result.accuracy == pytest.approx(np.mean(result.accuracies))
    assert result.objectives(("accuracy",)) == [result.score]
    assert reports[-1][1] == pytest.approx(result.score)


def test_a_finished_trial_is_taken_over_whole(wine, tmp_path, monkeypatch):
    monkeypatch.setattr(Breaking, "seeds", [])
    first = trial(wine, tmp_path / "trial", []).run()
    assert trial(wine, tmp_path / "trial", []).run() == first
    assert len(Breaking.seeds) == 3
