"""One trial: a configuration fitted on the training part and scored on validation data."""

import json
import logging
import math
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from crossover.core.clock import now, threads
from crossover.core.columns import COMPLETED, FAILED, PRUNED
from crossover.core.errors import CrossoverError, first_line
from crossover.core.files import discard, read_json, write_json
from crossover.core.metric import ACCURACY, WORDS, Metric
from crossover.fitting import engine
from crossover.fitting.config import FitConfig
from crossover.fitting.data import TrainingData
from crossover.models.base import FitHooks
from crossover.search.plan import Plan

log = logging.getLogger(__name__)

RUNGS = 10
"""A fit in epochs is judged after each tenth of them: fits of different lengths are judged at the same steps."""

_DIGITS = 12
"""Decimals of a mean accuracy; sums of fractions differ in the sixteenth with their order."""


class PrunedError(Exception):
    """A trial is broken off, since others were better at the same point."""


@dataclass
class TrialResult:
    """How a trial ended, or what is known of it while it runs.

    Attributes:
        state: `columns.COMPLETED`, `PRUNED` or `FAILED`.
        accuracies: on each validation split that was finished.
        scores: likewise of the data set's metric.
        metric: which one.
        log_losses: likewise.
        last: the last value that was reported to the pruner; None where there is none.
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
    scores: list[float] = field(default_factory=list)
    log_losses: list[float] = field(default_factory=list)
    last: float | None = None
    fit_seconds: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    device: str = ""
    threads: int = 0
    started_at: str = ""
    error: str = ""
    metric: Metric = ACCURACY

    @property
    def score(self) -> float:
        """Mean over the validation splits of the metric; of a pruned trial the last value that it reported.

        Rounded far below one example, so that equal numbers of right answers are equally good, however the splits
        share them.
        """
        if self.state == PRUNED:
            return math.nan if self.last is None else self.last
        return round(float(np.mean(self.scores)), _DIGITS) if self.scores else math.nan

    @property
    def accuracy(self) -> float:
        """Likewise of the accuracy; of a trial that was pruned by another metric, over the splits that it finished."""
        if self.metric == ACCURACY:
            return self.score
        return round(float(np.mean(self.accuracies)), _DIGITS) if self.accuracies else math.nan

    def objectives(self, names: tuple[str, ...]) -> list[float]:
        """The values of the objectives of a completed trial."""
        values = {"fit_seconds": self.fit_seconds, "latency_p50_ms": self.latencies}
        return [self.score, *(float(np.mean(values[name])) for name in names[1:])]


@dataclass(frozen=True)
class Trial:
    """Fits and scores one configuration.

    Attributes:
        config: what is tried, applied; that of `data`.
        data: what it is fitted on.
        plan: how it is scored.
        folder: its own; a result found there is taken over, and so are the finished fits of a trial that was killed.
        judge: is given (step, mean of the metric so far) and says whether the trial is hopeless; steps are tenths of
            a repetition.
        on_epoch: is given each epoch of the first repetition.
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
        if found:  # a kill may have come before the fits were removed, or while they were
            discard(self.folder / "fits")
            return found
        result, start = (
            TrialResult(COMPLETED, threads=threads(), started_at=now(), metric=self.data.meta.metric),
            time.perf_counter(),
        )
        try:
            for k, repetition in enumerate(self.plan.repetitions(self.data.prepared)):
                place = self.folder / "fits" / str(repetition)
                folder = engine.finished(place, partial(self._fit, result, k, repetition))
                numbers = read_json(folder / "scores.json", "the same command")
                result.accuracies.append(numbers["accuracy"])
                result.scores.append(numbers["score"])
                result.log_losses.append(numbers["log_loss"])
                result.fit_seconds.append(numbers["fit_seconds"])
                result.latencies += numbers["latencies"]
                result.device = numbers["device"]
                self._report((k + 1) * RUNGS, float(np.mean(result.scores)), result)
        except PrunedError:
            result.state = PRUNED
        except Exception as problem:
            ours = isinstance(problem, CrossoverError)
            result.state = FAILED
            result.error = str(problem) if ours else f"{type(problem).__name__}: {first_line(problem)}"
            (self.folder / "error.txt").write_text(traceback.format_exc())
        result.seconds = time.perf_counter() - start
        write_result(self.folder, result)
        discard(self.folder / "fits")
        return result

    def _fit(self, result: TrialResult, k: int, repetition: int, folder: Path, checkpoints: Path) -> None:
        """The fit number `k` of the trial; `result` holds those before it."""
        try:
            inputs, val = self.data.split(repetition, self.plan.examples)
        except CrossoverError as error:
            raise CrossoverError(f"examples: {error}" if self.plan.examples else str(error)) from error
        metric = self.data.meta.metric
        planned = self.config.build().planned_epochs(len(inputs.train)) or 1

        def on_epoch(epoch: int, metrics: dict[str, float]) -> None:
            if k == 0:
                self.on_epoch(epoch, metrics)
            rung, before = ((epoch + i) * RUNGS // planned for i in (1, 0))
            # The last rung is the finished repetition. Epochs know no other metric than the accuracy.
            if before < rung < RUNGS and f"val/{metric}" in metrics:
                so_far = [*result.scores, metrics[f"val/{metric}"]]
                self._report(k * RUNGS + rung, float(np.mean(so_far)), result)

        hooks = FitHooks(checkpoints, on_epoch)
        model, costs = engine.fit(
            self.config, inputs.fitted, val, data=self.data, seed=repetition, hooks=hooks
        )
        if "latency_p50_ms" in self.plan.objectives:
            from crossover.scoring.latency import ModelInput, predict_clocked

            proba, clocked = predict_clocked(model, ModelInput(val.X))
            latencies = [clocked.latency_p50_ms]
        else:
            proba, latencies = model.predict_proba(val.X), []
        scores = engine.judged(val, proba)
        if metric not in scores:
            raise CrossoverError(
                f"{WORDS[metric]} needs validation rows of two classes, and repetition {repetition} has those of one; "
                "choose another metric in the data set's YAML, or raise validation_fraction in "
                "conf/protocol/default.yaml"
            )
        numbers = {
            "accuracy": scores["accuracy"],
            "score": scores[metric],
            "log_loss": scores["log_loss"],
            "fit_seconds": costs.fit_seconds,
            "latencies": latencies,
            "device": costs.device,
        }
        write_json(folder / "scores.json", numbers)

    def _report(self, step: int, value: float, result: TrialResult) -> None:
        result.last = value
        if self.judge(step, value):
            raise PrunedError


def finished(folder: Path) -> TrialResult | None:
    """The result that a trial left in its folder; None where it has not ended."""
    path = folder / "trial.json"
    return TrialResult(**read_json(path, "the same command")) if path.exists() else None


def write_result(folder: Path, result: TrialResult) -> None:
    """Whole or not at all, however the process ends."""
    for leftover in folder.glob(".trial.*.json"):  # of a process that was killed
        leftover.unlink()
    fresh = folder / f".trial.{os.getpid()}.json"
    fresh.write_text(json.dumps(asdict(result), indent=2) + "\n")
    fresh.rename(folder / "trial.json")
