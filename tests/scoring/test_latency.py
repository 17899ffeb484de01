import time
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import pytest

from crossover.data.prepared import Input, Part
from crossover.models.base import Complexity, Family, FitHooks, Model
from crossover.scoring.latency import predict_clocked


class Sleeper(Model):
    """Takes a known time for each call and tells what it was called with."""

    family: ClassVar[Family] = "classical"

    def __init__(self, seconds: float):
        super().__init__(["table"])
        self.seconds = seconds
        self.calls: list[int] = []

    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:  # noqa: B008
        raise NotImplementedError

    def predict_proba(self, X: Input) -> np.ndarray:
        self.calls.append(len(X))
        time.sleep(self.seconds)
        first = np.asarray(X)[:, :1].astype(np.float64)
        return np.hstack([first, 1 - first])

    def complexity(self) -> Complexity:
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        raise NotImplementedError

    @classmethod
    def load(cls, folder: Path) -> Self:
        raise NotImplementedError


def test_latency_and_throughput_are_those_of_the_model() -> None:
    X = np.linspace(0, 1, 1000, dtype=np.float32)[:, None]
    proba, cost = predict_clocked(Sleeper(0.02), X)
    assert 20 <= cost.latency_p50_ms < 200  # a busy machine sleeps longer, never shorter
    assert cost.latency_p50_ms <= cost.latency_p95_ms
    assert 5_000 < cost.throughput_per_s <= 50_000
    np.testing.assert_array_equal(proba[:, 0], X[:, 0])
    assert proba.dtype == np.float32


def test_the_whole_test_part_is_predicted_once_and_singles_stop_at_the_budget() -> None:
    model = Sleeper(0.04)
    predict_clocked(model, np.zeros((1000, 3)))
    assert model.calls.count(1000) == 1
    assert model.calls[-1] == 1
    assert 12 <= model.calls.count(1) <= 28


def test_a_slow_model_still_gets_ten_singles() -> None:
    model = Sleeper(0.15)
    predict_clocked(model, np.zeros((5, 3)))
    assert model.calls.count(1) == 12  # two of them not clocked


@pytest.mark.parametrize("n", [1, 7])
def test_frames_and_few_examples(n: int) -> None:
    frame = pd.DataFrame({"a": np.full(n, 0.25), "b": 0.0})
    proba, cost = predict_clocked(Sleeper(0.0), frame)
    assert proba.tolist() == [[0.25, 0.75]] * n
    assert cost.throughput_per_s > 0


def test_a_memory_mapped_matrix_is_read_before_the_clock_starts(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.zeros((5, 2)))
    seen = []

    class Spy(Sleeper):
        def predict_proba(self, X: Input) -> np.ndarray:
            seen.append(type(X))
            return super().predict_proba(X)

    predict_clocked(Spy(0.0), np.load(tmp_path / "X.npy", mmap_mode="r"))
    assert set(seen) == {np.ndarray}
