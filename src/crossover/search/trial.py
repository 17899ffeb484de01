"""One trial: a configuration fitted on the training part and scored on validation data."""

import json
import logging
import math
import os
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossover.core.clock import measured, now, threads
from crossover.core.columns import COMPLETED, FAILED, PRUNED
from crossover.core.errors import CrossoverError, first_line
from crossover.core.files import digest, read_json
from crossover.data.prepared import Part
from crossover.data.splits import subset_rows
from crossover.fitting.training import FitConfig, TrainingData
from crossover.models.base import FitHooks, Model
from crossover.search.plan import Plan

log = logging.getLogger(__name__)

RUNGS = 10
"""A fit in epochs is judged after each tenth of them, so that fits of different lengths are judged at like steps."""

_DIGITS = 12
"""Decimals of a mean accuracy; sums of fractions differ in the sixteenth with their order."""

_warm: set[str] = set()
"""Configurations that were warmed up in this process."""


class PrunedError(Exception):
    """A trial is broken off, since others were better at the same point."""


@dataclass(frozen=True)
class TrialResult:
    """How a trial ended.

    Attributes:
        state: `columns.COMPLETED`, `PRUNED` or `FAILED`.
        accuracies: on each validation split that was finished.
        log_losses: likewise.
        last: the last value that was reported to the pruner; NaN where there is none.
        fit_seconds: of each finished fit.
        latencies: median milliseconds of one prediction, of each finished fit, where that is an objective.
        seconds: wall clock of the whole trial.
        device: where it was fitted.
        threads: processor threads that it could use.
        started_at: ISO 8601, UTC.
        error: why it failed, in one sentence; empty where it did not.
    """

    state: str
    accuracies: list[float] = field(default_factory=list)
    log_losses: list[float] = field(default_factory=list)
    last: float | None = None
    fit_seconds: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    device: str = ""
    threads: int = 0
    started_at: str = ""
    error: str = ""

    @property
    def accuracy(self) -> float:
        """Mean over the validation splits; of a pruned trial the last value that it reported.

        Rounded far below one example, so that as many right answers are as good, however the splits share them.
        """
        if self.state == PRUNED:
            return math.nan if self.last is None else self.last
        return round(float(np.mean(self.accuracies)), _DIGITS) if self.accuracies else math.nan

    def objectives(self, names: tuple[str, ...]) -> list[float]:
        """The values of the objectives of a completed trial."""
        values = {"fit_seconds": self.fit_seconds, "latency_p50_ms": self.latencies}
        return [self.accuracy, *(float(np.mean(values[name])) for name in names[1:])]


@dataclass(frozen=True)
class Trial:
    """Fits and scores one configuration.

    Attributes:
        config: what is tried, applied.
        data: what it is fitted on.
        plan: how it is scored.
        folder: its own; a result found there is taken over, and checkpoints lie there.
        judge: is told (step, mean accuracy so far) and says whether the trial is hopeless; steps are tenths of
            a repetition.
        on_epoch: is told each epoch of the first repetition.
    """

    config: FitConfig
    data: TrainingData
    plan: Plan
    folder: Path
    judge: Callable[[int, float], bool]
    on_epoch: Callable[[int, dict[str, float]], None]

    def run(self) -> TrialResult:
        """Run the trial, or take over what an earlier run of it left; an error of any kind is its result."""
        found = finished(self.folder)
        if found:
            return found
        result, start, started_at = _Scores(), time.perf_counter(), now()
        state, error = COMPLETED, ""
        try:
            self._repetitions(result)
        except PrunedError:
            state = PRUNED
        except Exception as problem:
            state, error = FAILED, _sentence(problem)
            (self.folder / "error.txt").write_text(traceback.format_exc())
        done = TrialResult(
            state,
            **asdict(result),
            seconds=time.perf_counter() - start,
            threads=threads(),
            started_at=started_at,
            error=error,
        )
        write_result(self.folder, done)
        shutil.rmtree(self.folder / "checkpoints", ignore_errors=True)
        return done

    def _repetitions(self, result: "_Scores") -> None:
        from crossover.scoring.judge import evaluate

        model = self.config.build()
        self._warm_up(model)
        for k, repetition in enumerate(self.plan.repetitions(self.data.prepared)):
            train, val = self._split(repetition)
            model = self.config.build()
            hooks = FitHooks(
                self.folder / "checkpoints" / str(repetition), self._epochs(k, model, train, result)
            )
            with measured() as taken:
                model.fit(train, val, seed=repetition, hooks=hooks)
            proba, latency = self._predict(model, val)
            scores = evaluate(val.y, proba)
            result.accuracies.append(scores["accuracy"])
            result.log_losses.append(scores["log_loss"])
            result.fit_seconds.append(taken.seconds)
            result.latencies += latency
            result.device = model.device
            self._report((k + 1) * RUNGS, float(np.mean(result.accuracies)), result)

    def _warm_up(self, model: Model) -> None:
        """Imports and thread pools start before the clock does, once a process."""
        cell = self.config.cell
        key = digest([cell.model, cell.dataset, cell.features])
        if key not in _warm:
            model.warm_up(self.data.train)
            _warm.add(key)

    def _split(self, repetition: int) -> tuple[Part, Part]:
        train, val = self.data.split(repetition)
        if self.plan.examples is None:
            return train, val
        try:
            return train.take(subset_rows(train.y, self.plan.examples, repetition)), val
        except CrossoverError as error:
            raise CrossoverError(f"examples: {error}") from error

    def _predict(self, model: Model, val: Part) -> tuple[np.ndarray, list[float]]:
        if "latency_p50_ms" not in self.plan.objectives:
            return model.predict_proba(val.X), []
        from crossover.scoring.latency import predict_clocked

        proba, cost = predict_clocked(model, val.X)
        return proba, [cost.latency_p50_ms]

    def _epochs(
        self, k: int, model: Model, train: Part, result: "_Scores"
    ) -> Callable[[int, dict[str, float]], None]:
        """What is told of each epoch of repetition number `k` of the trial."""
        planned = model.planned_epochs(len(train)) or 1

        def on_epoch(epoch: int, metrics: dict[str, float]) -> None:
            if k == 0:
                self.on_epoch(epoch, metrics)
            rung, before = ((epoch + i) * RUNGS // planned for i in (1, 0))
            if (
                before < rung < RUNGS and "val/accuracy" in metrics
            ):  # the last rung is the finished repetition
                so_far = [*result.accuracies, metrics["val/accuracy"]]
                self._report(k * RUNGS + rung, float(np.mean(so_far)), result)

        return on_epoch

    def _report(self, step: int, value: float, result: "_Scores") -> None:
        result.last = value
        if self.judge(step, value):
            raise PrunedError


@dataclass
class _Scores:
    """What a trial has collected so far."""

    accuracies: list[float] = field(default_factory=list)
    log_losses: list[float] = field(default_factory=list)
    last: float | None = None
    fit_seconds: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    device: str = ""


def finished(folder: Path) -> TrialResult | None:
    """The result that a trial left in its folder; None where it has not ended."""
    path = folder / "trial.json"
    return TrialResult(**read_json(path, "the same command")) if path.exists() else None


def write_result(folder: Path, result: TrialResult) -> None:
    """Whole or not at all, however the process ends."""
    fresh = folder / f".trial.{os.getpid()}.json"
    fresh.write_text(json.dumps(asdict(result), indent=2) + "\n")
    fresh.rename(folder / "trial.json")


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, CrossoverError) else f"{type(error).__name__}: {first_line(error)}"


def settings_of(config: FitConfig, data: TrainingData, plan: Plan) -> dict[str, Any]:
    """What makes a trial of one configuration what it is, beside the configuration itself."""
    cell = config.cell
    return {
        "cell": [cell.dataset, cell.features, cell.model],
        "trainer": config.trainer,
        "plan": plan.model_dump(),
        "repetitions": plan.repetitions(data.prepared),
        **data.facts(),
    }
