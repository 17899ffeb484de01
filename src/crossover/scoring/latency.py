"""What a prediction costs."""

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossover.data.prepared import Input
from crossover.models.base import Model

_WARM_UP = 512  # examples of the untimed first batch: lazy imports, thread pools, a device's first kernels
_SINGLES = 200  # single predictions that the latency is read from …
_LEAST_SINGLES = 10  # … at least this many of a slow model …
_SECONDS = 1.0  # … and no new one after this time


@dataclass(frozen=True)
class PredictionCost:
    """Clocked around `predict_proba` alone: the features are already made and lie in memory.

    Attributes:
        latency_p50_ms: one example at a time, median.
        latency_p95_ms: the same, 95th percentile.
        throughput_per_s: examples a second, the whole test part in one call.
    """

    latency_p50_ms: float
    latency_p95_ms: float
    throughput_per_s: float


def predict_clocked(model: Model, X: Input) -> tuple[np.ndarray, PredictionCost]:
    """Predict every example once in one call, and some of them one by one.

    `predict_proba` returns a NumPy array, so a device has finished when the clock stops.

    Args:
        model: a fitted model.
        X: n examples, n at least 1; a memory-mapped array is read into memory before the clock starts.

    Returns:
        probabilities float32 (n, k), in which form they are kept, and what they cost.
    """
    X = X if isinstance(X, pd.DataFrame) else np.array(X)
    model.predict_proba(X[:_WARM_UP])
    start = time.perf_counter()
    proba = model.predict_proba(X)
    seconds = time.perf_counter() - start
    times: list[float] = []
    begin = time.perf_counter()
    for i in range(-2, _SINGLES):  # the first two warm up and are not counted
        if i >= _LEAST_SINGLES and time.perf_counter() - begin > _SECONDS:
            break
        row = i % len(X)
        example = X[row : row + 1]
        start = time.perf_counter()
        model.predict_proba(example)
        times.append(time.perf_counter() - start)
    p50, p95 = np.percentile(times[2:], [50, 95]) * 1000
    return proba.astype(np.float32), PredictionCost(float(p50), float(p95), len(X) / seconds)
