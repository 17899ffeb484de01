"""What a prediction costs."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crossover.core.clock import threads
from crossover.data.prepared import Input
from crossover.features.base import FeatureSet
from crossover.models.base import Model

_WARM_UP = 512  # examples of the untimed first batch: lazy imports, thread pools, a device's first kernels
_SINGLES = 200  # single predictions that the latency is read from …
_LEAST_SINGLES = 10  # … at least this many of a slow model …
_SECONDS = 0.2  # … and no new one after this time
_BLOCKS = 5  # times of the same thing, whose lowest and highest show how sure a time is


@dataclass(frozen=True)
class PredictionCost:
    """Clocked from the prepared input, in memory, to the probabilities: the making of features is in each time.

    Attributes:
        latency_p50_ms: one example at a time, median.
        latency_p50_ms_low: the lowest median of five consecutive blocks of these predictions.
        latency_p50_ms_high: the highest.
        latency_p95_ms: the same, 95th percentile.
        features_p50_ms: what of the median the making of the features took; 0 for a model that needs none.
        throughput_per_s: examples a second, the whole test part in one call; median of several calls, where one is
            short.
        throughput_per_s_low: of the slowest call.
        throughput_per_s_high: of the fastest.
        features_per_s: of the making of the features alone; None for a model that needs none.
    """

    latency_p50_ms: float
    latency_p50_ms_low: float
    latency_p50_ms_high: float
    latency_p95_ms: float
    features_p50_ms: float
    throughput_per_s: float
    throughput_per_s_low: float
    throughput_per_s_high: float
    features_per_s: float | None


class ModelInput:
    """Examples in memory as a model takes them, and what it takes to make them so.

    Args:
        X: n examples as the model takes them, n at least 1; a memory-mapped array is read into memory.
        prepared: the same examples before their features were made; None where the model takes prepared input.
        feature_set: that makes `X` of `prepared`.
    """

    def __init__(self, X: Input, prepared: Input | None = None, feature_set: FeatureSet | None = None):
        self.X = _in_memory(X)
        self.feature_set = feature_set
        self.seconds = 0.0  # to make the features of all examples
        if prepared is not None and feature_set is not None:
            self.prepared, transform = _in_memory(prepared), feature_set.transform
            transform(self.prepared[:_WARM_UP])
            _, times = _timed(lambda: transform(self.prepared, jobs=threads()))
            self.seconds = float(np.median(times))


def predict_clocked(model: Model, given: ModelInput) -> tuple[np.ndarray, PredictionCost]:
    """Predict every example once in one call, and some of them one by one.

    `predict_proba` returns a NumPy array, so a device has finished when the clock stops.

    Args:
        model: a fitted model.
        given: the examples.

    Returns:
        probabilities float32 (n, k), in which form they are kept, and what they cost.
    """
    X, feature_set = given.X, given.feature_set
    model.predict_proba(X[:_WARM_UP])
    proba, in_bulk = _timed(lambda: model.predict_proba(X))
    rates = [X.shape[0] / (given.seconds + seconds) for seconds in in_bulk]
    times: list[tuple[float, float]] = []  # of the features, and of all
    begin = time.perf_counter()
    for i in range(-2, _SINGLES):  # the first two warm up and are not counted
        if i >= _LEAST_SINGLES and time.perf_counter() - begin > _SECONDS:
            break
        row = i % X.shape[0]
        example = (X if feature_set is None else given.prepared)[row : row + 1]
        start = time.perf_counter()
        features = example if feature_set is None else feature_set.transform(example)
        made = time.perf_counter()
        model.predict_proba(features)
        times.append(((made - start) * (feature_set is not None), time.perf_counter() - start))
    made_ms, all_ms = 1000 * np.array(times[2:]).T
    medians = [np.median(block) for block in np.array_split(all_ms, _BLOCKS)]
    return proba.astype(np.float32), PredictionCost(
        latency_p50_ms=float(np.median(all_ms)),
        latency_p50_ms_low=float(min(medians)),
        latency_p50_ms_high=float(max(medians)),
        latency_p95_ms=float(np.percentile(all_ms, 95)),
        features_p50_ms=float(np.median(made_ms)),
        throughput_per_s=float(np.median(rates)),
        throughput_per_s_low=min(rates),
        throughput_per_s_high=max(rates),
        features_per_s=None if feature_set is None else X.shape[0] / given.seconds,
    )


def _timed(call: Callable[[], np.ndarray]) -> tuple[np.ndarray, list[float]]:
    """The result of a call, and the seconds of some calls: until they add up to `_SECONDS`, at most `_BLOCKS`."""
    times: list[float] = []
    while not times or (sum(times) < _SECONDS and len(times) < _BLOCKS):
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return result, times


def _in_memory(X: Input) -> Input:
    return np.array(X) if isinstance(X, np.ndarray) else X
