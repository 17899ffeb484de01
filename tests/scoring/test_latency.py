import time
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import pytest

from crossover.data.prepared import Input, Part
from crossover.features.raw import RawFeatures
from crossover.models.base import Complexity, Family, FitHooks, Model
from crossover.scoring.latency import ModelInput, predict_clocked


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
    proba, cost = predict_clocked(Sleeper(0.02), ModelInput(X))
    assert 20 <= cost.latency_p50_ms < 200  # a busy machine sleeps longer, never shorter
    assert cost.latency_p50_ms <= cost.latency_p95_ms
    assert 5_000 < cost.throughput_per_s <= 50_000
    np.testing.assert_array_equal(proba[:, 0], X[:, 0])
    assert proba.dtype == np.float32


def test_the_whole_test_part_is_timed_five_times_at_most_and_singles_stop_at_the_budget() -> None:
    model = Sleeper(0.04)
    _, cost = predict_clocked(model, ModelInput(np.zeros((1000, 3))))
    assert model.calls.count(1000) == 5
    assert cost.throughput_per_s_low <= cost.throughput_per_s <= cost.throughput_per_s_high
    assert cost.latency_p50_ms_low <= cost.latency_p50_ms <= cost.latency_p50_ms_high
    assert model.calls[-1] == 1
    assert 12 <= model.calls.count(1) <= 28


def test_a_slow_model_still_gets_ten_singles() -> None:
    model = Sleeper(0.15)
    predict_clocked(model, ModelInput(np.zeros((5, 3))))
    assert model.calls.count(1) == 12  # two of them not clocked


@pytest.mark.parametrize("n", [1, 7])
def test_frames_and_few_examples(n: int) -> None:
    frame = pd.DataFrame({"a": np.full(n, 0.25), "b": 0.0})
    proba, cost = predict_clocked(Sleeper(0.0), ModelInput(frame))
    assert proba.tolist() == [[0.25, 0.75]] * n
    assert cost.throughput_per_s > 0


def test_a_memory_mapped_matrix_is_read_before_the_clock_starts(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.zeros((5, 2)))
    seen = []

    class Spy(Sleeper):
        def predict_proba(self, X: Input) -> np.ndarray:
            seen.append(type(X))
            return super().predict_proba(X)

    predict_clocked(Spy(0.0), ModelInput(np.load(tmp_path / "X.npy", mmap_mode="r")))
    assert set(seen) == {np.ndarray}


class Slow(RawFeatures):
    """Takes a known time for each call."""

    def transform(self, X: Input, *, jobs: int = 1, progress: bool = False) -> np.ndarray:
        time.sleep(0.03)
        return super().transform(X)


def test_the_making_of_features_is_in_every_time() -> None:
    images = np.arange(40, dtype=np.uint8).reshape(10, 2, 2, 1)
    features = Slow(modalities=["image"]).fit(Part(images, np.zeros(10, dtype=np.int64), 2, 255.0))
    model = Sleeper(0.01)
    X = RawFeatures.transform(features, images)
    _, without = predict_clocked(model, ModelInput(X))
    _, cost = predict_clocked(model, ModelInput(X, images, features))
    assert (without.features_p50_ms, without.features_per_s) == (0, None)
    assert 30 <= cost.features_p50_ms <= cost.latency_p50_ms - 9
    assert cost.latency_p50_ms >= 40
    assert cost.features_per_s is not None
    assert cost.throughput_per_s < min(cost.features_per_s, 10 / 0.04)


def test_no_prediction_within_a_millisecond_needs_features_that_take_longer() -> None:
    """The latency that a constraint asks for is that of a prediction from the prepared input."""
    images = np.zeros((4, 8, 8, 1), np.uint8)
    features = Slow(modalities=["image"]).fit(Part(images, np.zeros(4, dtype=np.int64), 2, 255.0))
    _, cost = predict_clocked(Sleeper(0.0), ModelInput(features.transform(images), images, features))
    assert cost.latency_p50_ms_low > 1
