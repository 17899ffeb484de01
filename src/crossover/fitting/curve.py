"""Stage learning_curve: fit one cell on nested subsets of the training part, and score each fit.

`crossover.core.columns` says what is written. Every finished fit is staged, so that a run that was killed carries
on with the first fit that it had not finished.
"""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from filelock import FileLock

from crossover.core.clock import git_commit
from crossover.core.columns import CURVE_COSTS, CURVE_SCORES, PARTS, result_table
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, digest
from crossover.core.layout import Layout
from crossover.core.study import NOT_APPLICABLE, OK, LearningCurve
from crossover.fitting.curve_fit import CurveFit
from crossover.fitting.subsets import CurveData, Draw
from crossover.fitting.training import FitConfig, code_checksum
from crossover.tracking.tracker import LEARNING_CURVE, FitFacts, Log, Tracker

log = logging.getLogger(__name__)

Fits = list[tuple[Draw, CurveFit]]
"""By size and then by seed."""


@dataclass(frozen=True)
class CurveRun:
    """Measures the learning curve of one cell.

    Attributes:
        config: what to fit.
        plan: on which sizes, how often; its lists of models are not looked at.
        layout: where the data lie.
        output: the folder below which `results/learning_curve/…` is written.
        tracker: where the curve is logged.
        parent: name of the tracked parent run; None for the study's.
    """

    config: FitConfig
    plan: LearningCurve
    layout: Layout
    output: Path
    tracker: Tracker = field(default_factory=Tracker)
    parent: str | None = None

    def run(self, *, not_applicable: Literal["record", "error"] = "record") -> pd.DataFrame:
        """Fit and score all sizes and repetitions and write the cell's folder, whole or not at all.

        A fit that an earlier, killed run finished is taken over.

        Args:
            not_applicable: whether a model that does not take the data set is written down or is an error.

        Returns:
            the columns `CURVE_SCORES`.

        Raises:
            CrossoverError: a size or repetition cannot be had, or a fit fails; it names the size and the seed.
        """
        reason = self.data.cell_data.why_not()
        if reason and not_applicable == "error":
            raise CrossoverError(f"{reason} ({self.config.model_origin}); choose another model or data set")
        if reason:
            log.info("%s: does not apply: %s", self.config.cell.path, reason)
            return self._write([], reason)
        draws = self._draws
        with self._alone(), self.tracker.fit(self._facts()) as tracked:
            if not all(self._staged(draw).exists() for draw in draws):
                self.config.build().warm_up(self.data.train)  # untimed: imports, thread pools and the device
            fits = [(draw, self._finished(draw)) for draw in draws]
            scores = self._write(fits, reason)
            self._record(tracked, fits)
            for draw in draws:
                shutil.rmtree(self._place(draw))
        return scores

    @cached_property
    def data(self) -> CurveData:
        """What is fitted and scored on."""
        return CurveData(self.config, self.layout)

    @cached_property
    def curve_id(self) -> str:
        """SHA-256 of all that decides the curve."""
        return digest([self._fit_id(draw) for draw in self._draws])

    @property
    def folder(self) -> Path:
        """Where the curve is written."""
        return Layout(self.output).curve(self.config.cell)

    @cached_property
    def _draws(self) -> list[Draw]:
        """Every fit's rows, found before the first fit, so that a size that cannot be had costs no time."""
        sizes = self.data.sizes(self.plan.sizes)
        return [self._draw(n, seed) for n in sizes for seed in range(self.plan.repetitions)]

    def _draw(self, n: int, seed: int) -> Draw:
        with self._naming(n, seed):
            return self.data.draw(n, seed)

    def _alone(self) -> FileLock:
        """A second process that measures the same waits for the first, whose fits it would remove."""
        name = digest([self._identity, self._surroundings])
        lock = self.layout.staging / "locks" / f"{name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(lock)

    def _finished(self, draw: Draw) -> CurveFit:
        """One fit, made now or by an earlier, killed run."""
        staged = self._staged(draw)
        if not staged.exists():
            with atomic_folder(staged) as folder, self._naming(draw.n, draw.seed):
                fit = CurveFit.make(
                    folder, self.config.build(), self.data, draw, self._place(draw) / "checkpoints"
                )
                self._tell(draw, fit)
        return CurveFit(staged)

    def _tell(self, draw: Draw, fit: CurveFit) -> None:
        accuracy, costs = fit.scores["test_accuracy"], fit.costs
        text = f"test accuracy {accuracy:.4f}, fitted in {costs['fit_seconds']:.1f} s on {costs['device']}"
        log.info("%s · %d examples · seed %d: %s", self.config.cell.path, draw.n, draw.seed, text)

    @contextmanager
    def _naming(self, n: int, seed: int) -> Iterator[None]:
        """Name the fit in an error of it."""
        try:
            yield
        except CrossoverError as error:
            raise CrossoverError(
                f"{self.config.cell.path} on {n:,} examples, seed {seed}: {error}"
            ) from error

    def _staged(self, draw: Draw) -> Path:
        return self._place(draw) / "finished"

    def _place(self, draw: Draw) -> Path:
        return self.layout.staging / "curves" / self._fit_id(draw)

    def _fit_id(self, draw: Draw) -> str:
        """SHA-256 of all that decides the fit and its scores."""
        rows = (draw.subset, draw.watched, draw.validation)
        return digest(
            {
                **self._identity,
                "seed": draw.seed,
                "rows": [hashlib.sha256(part.tobytes()).hexdigest() for part in rows],
                **self._surroundings,
            }
        )

    @cached_property
    def _commit(self) -> str:
        return git_commit(self.layout.root)

    @property
    def _identity(self) -> dict[str, Any]:
        cell = self.config.cell
        return {
            "cell": [cell.dataset, cell.features, cell.model, cell.variant],
            "config": self.config.model,
            "trainer": self.config.trainer,
        }

    @cached_property
    def _surroundings(self) -> dict[str, Any]:
        """What all fits share."""
        return {**self.data.cell_data.facts(), "code": code_checksum()}

    def _write(self, fits: Fits, reason: str) -> pd.DataFrame:
        keys = self.config.cell.as_row()
        status = {
            "status": NOT_APPLICABLE if reason else OK,
            "reason": reason,
            "data_checksum": self.data.meta.checksum,
        }
        commit = {"git_commit": self._commit}
        scores, costs = [{**keys, "seed": 0, **status}], [{**keys, "seed": 0}]
        if fits:
            scores = [{**keys, "seed": draw.seed, **status, **fit.scores} for draw, fit in fits]
            costs = [{**keys, "seed": draw.seed, **commit, **fit.costs} for draw, fit in fits]
        table = result_table(scores, CURVE_SCORES)
        with atomic_folder(self.folder) as folder:
            table.to_csv(folder / "scores.csv", index=False)
            result_table(costs, CURVE_COSTS).to_csv(folder / "costs.csv", index=False)
            _write_answers(folder, fits, self.data)
        return table

    def _facts(self) -> FitFacts:
        """What identifies the curve to the tracker."""
        config = self.config
        trainer = {"trainer": config.trainer} if config.trainer else {}
        sizes = sorted({draw.n for draw in self._draws})
        return FitFacts(
            cell=replace(config.cell, variant=LEARNING_CURVE),
            seed=0,
            fit_id=self.curve_id,
            stage="learning_curve",
            params={"model": config.model, **trainer, "sizes": sizes, "repetitions": self.plan.repetitions},
            git_commit=self._commit,
            meta=self.data.meta,
            parent=self.parent,
        )

    def _record(self, tracked: Log, fits: Fits) -> None:
        """Record the curve, a step a size, and its tables."""
        for n in sorted({draw.n for draw, _ in fits}):
            here = [fit for draw, fit in fits if draw.n == n]
            numbers = {
                "val/accuracy": [fit.scores["validation_accuracy"] for fit in here],
                "test/accuracy": [fit.scores["test_accuracy"] for fit in here],
                "fit_seconds": [fit.costs["fit_seconds"] for fit in here],
            }
            tracked.epoch(n, {name: float(np.mean(values)) for name, values in numbers.items()})
        for name in ("scores.csv", "costs.csv"):
            tracked.artifact(self.folder / name)


def _write_answers(folder: Path, fits: Fits, data: CurveData) -> None:
    """Write the right answers of all fits, and the probabilities of those on the largest size."""
    (folder / "largest").mkdir()
    answers = np.stack([fit.correct for _, fit in fits]) if fits else np.empty((0, 0), dtype=bool)
    np.save(folder / "correct.npy", answers)
    if not fits:
        return
    np.save(folder / "largest" / "y_test.npy", data.test.y)
    for draw, fit in fits:
        if draw.n == fits[-1][0].n:
            labels = data.train.y[draw.validation]
            np.save(folder / "largest" / f"y_validation-seed{draw.seed}.npy", labels)
            for part in PARTS:
                np.save(folder / "largest" / f"{part}-seed{draw.seed}.npy", fit.proba(part))
