"""Models as they were before their fits ended: each equals the model of a fit that was planned to end there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from crossover.core.configuration import build
from crossover.data.prepared import Part
from crossover.models import moments
from crossover.models.base import FitHooks, Model
from tests.model_configs import STOPPING
from tests.models.test_deep import CONF, Killed, images, killed_after, network

KEEP = FitHooks(keep_moments=True)

pytestmark = pytest.mark.usefixtures("one_torch_thread")


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every epoch is a moment, however fast it is."""
    monkeypatch.setattr(moments, "GROWTH", 0.0)


def boosting(name: str, **overrides: object) -> Model:
    config = STOPPING
    if name != "xgboost":
        own = {"min_child_samples": 2} if name == "lightgbm" else {}
        config = yaml.safe_load((CONF / "model" / f"{name}.yaml").read_text()) | own
    return build({**config, "n_jobs": 1, **overrides}, f"conf/model/{name}.yaml")


@pytest.mark.usefixtures("every_epoch")
def test_a_network_after_each_epoch_is_the_one_that_ends_there() -> None:
    X = images(9, seed=2).X
    model = network(max_epochs=4).fit(images(48), None, seed=0, hooks=KEEP)
    assert len(model.moments()) == 4
    for epochs, moment in enumerate(model.moments(), start=1):
        shorter = network(max_epochs=epochs).fit(images(48), None, seed=0)
        np.testing.assert_array_equal(moment.predict_proba(X), shorter.predict_proba(X))
    np.testing.assert_array_equal(model.predict_proba(X), model.moments()[-1].predict_proba(X))
    shares = [moment.share for moment in model.moments()]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] <= 1


@pytest.mark.usefixtures("every_epoch")
def test_a_network_that_selects_has_its_best_epoch_so_far() -> None:
    X = images(9, seed=2).X
    chosen: dict[str, Any] = {"select_best": "val/accuracy", "learning_rate": 0.05}
    train, val = images(48), images(12, seed=1)
    model = network(max_epochs=6, **chosen).fit(train, val, seed=0, hooks=KEEP)
    accuracy = [entry["val/accuracy"] for entry in model.history]
    better = [epoch for epoch in range(6) if accuracy[epoch] > max(accuracy[:epoch], default=-1)]
    assert 1 <= len(better) < 6
    assert len(model.moments()) == len(better)  # between them, it has what it had
    for epoch, moment in zip(better, model.moments(), strict=True):
        shorter = network(max_epochs=epoch + 1, **chosen).fit(train, val, seed=0)
        np.testing.assert_array_equal(moment.predict_proba(X), shorter.predict_proba(X))


@pytest.mark.usefixtures("every_epoch")
@pytest.mark.parametrize("stops", [3, None])
@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_boosting_after_each_round_is_the_one_that_ends_there(name: str, stops: int | None) -> None:
    rng = np.random.default_rng(0)

    def examples(n: int) -> Part:
        y = np.arange(n) % 3
        return Part(rng.normal(y[:, None], 1.5, (n, 3)).astype(np.float32), y, 3)

    train, val, test = examples(60), examples(30), examples(9)
    watched = val if stops else None
    model = boosting(name, n_estimators=8, early_stopping_rounds=stops).fit(
        train, watched, seed=0, hooks=KEEP
    )
    assert len(model.moments()) == len(model.history or range(8))
    for rounds, moment in enumerate(model.moments(), start=1):
        shorter = boosting(name, n_estimators=rounds, early_stopping_rounds=stops).fit(train, watched, seed=0)
        np.testing.assert_array_equal(moment.predict_proba(test.X), shorter.predict_proba(test.X))


def test_moments_are_kept_when_the_time_has_grown_by_a_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 1.0, 1.2, 1.5, 2.0, 2.2, 4.0])
    monkeypatch.setattr(moments, "perf_counter", lambda: next(times))
    clock = moments.MomentClock()
    assert [clock.due() for _ in range(5)] == [True, False, True, False, True]
    assert clock.shares() == [0.25, 1.5 / 4, 2.2 / 4]


def test_nothing_is_kept_unasked_or_after_a_resume(tmp_path: Path) -> None:
    assert network().fit(images(48), None, seed=0).moments() == []
    with pytest.raises(Killed):
        network(max_epochs=3).fit(images(48), None, seed=0, hooks=FitHooks(tmp_path, killed_after(1)))
    hooks = FitHooks(tmp_path, keep_moments=True)
    assert network(max_epochs=3).fit(images(48), None, seed=0, hooks=hooks).moments() == []
