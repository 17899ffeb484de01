"""The learning curve of one cell: fits on nested subsets of the training part, each scored on the test part.

`crossover.core.columns` says what is written; `curve.json` beside it says of what. Every
finished fit is staged, so that a run that was killed carries on with the first fit that it had not finished.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from crossover.core.clock import git_commit
from crossover.core.columns import (
    CURVE_COSTS,
    CURVE_SCORES,
    MOMENTS,
    PARTS,
    SAME_ROWS,
    read_rows,
    result_table,
)
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, digest, discard, read_json, write_csv, write_json
from crossover.core.layout import Layout
from crossover.core.metric import WORDS
from crossover.core.study import NOT_APPLICABLE, OK, LearningCurve
from crossover.fitting import engine
from crossover.fitting.config import FitConfig
from crossover.fitting.curve_point import CurvePoint, fit_point
from crossover.fitting.data import TrainingData
from crossover.fitting.subsets import CurveSubset, curve_subset, sizes_of
from crossover.tracking.tracker import LEARNING_CURVE, FitFacts, Tracker

log = logging.getLogger(__name__)

Points = list[tuple[CurveSubset, CurvePoint]]
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
        clock_seconds: the fits of a size are timed again until their times add up to so much.
    """

    config: FitConfig
    plan: LearningCurve
    layout: Layout
    output: Path
    tracker: Tracker = field(default_factory=Tracker)
    parent: str | None = None
    clock_seconds: float = 0.0

    @cached_property
    def data(self) -> TrainingData:
        """What is fitted on."""
        return TrainingData(self.config, self.layout)

    @property
    def folder(self) -> Path:
        """Where the curve is written."""
        return Layout(self.output).curve(self.config.cell)

    @cached_property
    def curve_id(self) -> str:
        """SHA-256 of all that decides the curve."""
        return digest([self._fit_id(subset) for subset in self._subsets])

    def existing(self) -> pd.DataFrame | None:
        """The scores in the cell's folder where they are those that `run` would make; else None."""
        marker = self.folder / "curve.json"
        if not marker.exists() or read_json(marker, "the same command").get("curve_id") != self.curve_id:
            return None
        return read_rows(self.folder / "scores.csv", CURVE_SCORES, "the same command")

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
        reason = self.data.refused(not_applicable)
        if reason:
            return self._write([], reason)
        self.config.build()  # a mistake in the configuration belongs to no size
        sizes = sorted({subset.n for subset in self._subsets})
        facts = FitFacts(
            cell=replace(self.config.cell, variant=LEARNING_CURVE),
            seed=0,
            fit_id=self.curve_id,
            stage="learning_curve",
            params={**self.config.params, "sizes": sizes, "repetitions": self.plan.repetitions},
            git_commit=git_commit(self.layout.root),
            meta=self.data.meta,
            parent=self.parent,
        )
        with self.tracker.fit(facts) as tracked:
            points = [(subset, self._point(subset)) for subset in self._subsets]
            scores = self._write(points, reason)
            metric = self.data.meta.metric
            for n in sizes:  # means over the repetitions: a step of the tracked run is a size
                here = [point for subset, point in points if subset.n == n]
                numbers = {
                    f"val/{metric}": [point.scores.get(f"validation_{metric}", np.nan) for point in here],
                    f"test/{metric}": [point.scores[f"test_{metric}"] for point in here],
                    "fit_seconds": [point.costs["fit_seconds"] for point in here],
                }
                tracked.epoch(n, {name: float(np.mean(values)) for name, values in numbers.items()})
            for name in ("scores.csv", "costs.csv"):
                tracked.artifact(self.folder / name)
            for _, point in points:
                discard(point.folder.parent)
        return scores

    @cached_property
    def _subsets(self) -> list[CurveSubset]:
        """Every fit's rows, found before the first fit, so that a size that cannot be had costs no time."""
        found = []
        for n in sizes_of(self.data, self.plan.sizes):
            for seed in range(self.plan.repetitions):
                with self._named(n, seed):
                    found.append(curve_subset(self.data, n, seed))
        return found

    def _fit_id(self, subset: CurveSubset) -> str:
        rows = (subset.train, subset.watched, subset.validation)
        return digest([engine.fit_id(self.data, subset.seed, *rows), self.data.meta.metric])

    def _point(self, subset: CurveSubset) -> CurvePoint:
        """One fit, made now or by an earlier, killed run."""
        fit_folder = self.layout.staging / "fits" / self._fit_id(subset)
        there = (fit_folder / "finished").exists()
        with self._named(subset.n, subset.seed):
            folder = engine.finished(
                fit_folder, partial(fit_point, self.data, subset, self.clock_seconds / self.plan.repetitions)
            )
        point = CurvePoint(folder)
        if not there:
            metric, costs = self.data.meta.metric, point.costs
            score = f"test {WORDS[metric]} {point.scores[f'test_{metric}']:.4f}"
            text = f"{score}, fitted in {costs['fit_seconds']:.1f} s on {costs['device']}"
            log.info("%s · %d examples · seed %d: %s", self.config.cell.path, subset.n, subset.seed, text)
        return point

    @contextmanager
    def _named(self, n: int, seed: int) -> Iterator[None]:
        """Say in an error which fit it belongs to."""
        try:
            yield
        except CrossoverError as error:
            raise CrossoverError(
                f"{self.config.cell.path} on {n:,} examples, seed {seed}: {error}"
            ) from error

    def _write(self, points: Points, reason: str) -> pd.DataFrame:
        keys = asdict(self.config.cell)
        status = {
            "status": NOT_APPLICABLE if reason else OK,
            "reason": reason,
            "metric": self.data.meta.metric,
            "data_checksum": self.data.meta.checksum,
        }
        scores = [{**keys, "seed": subset.seed, **status, **point.scores} for subset, point in points]
        costs = [{**keys, "seed": subset.seed, **point.costs} for subset, point in points]
        moments = [
            {**keys, "seed": subset.seed, **moment} for subset, point in points for moment in point.moments
        ]
        none = {**keys, "seed": 0}
        table = result_table(scores or [none | status], CURVE_SCORES)
        with atomic_folder(self.folder) as folder:
            same_rows = {SAME_ROWS: True} if self.data.prepared.times is not None else {}
            write_json(folder / "curve.json", {"curve_id": "" if reason else self.curve_id} | same_rows)
            write_csv(table, folder / "scores.csv")
            write_csv(result_table(costs or [none], CURVE_COSTS), folder / "costs.csv")
            (folder / "moments").mkdir()
            write_csv(result_table(moments, MOMENTS), folder / "moments" / "moments.csv")
            answers = {
                "correct.npy": [point.array("correct")[np.newaxis] for _, point in points],
                "moments/correct.npy": [point.array("moments") for _, point in points],
            }
            for file, arrays in answers.items():
                np.save(folder / file, np.concatenate(arrays or [np.empty((0, 0), dtype=bool)]))
            largest = folder / "largest"
            largest.mkdir()
            if points:
                np.save(largest / "y_test.npy", self.data.prepared.labels("test"))
            for subset, point in points:
                if subset.n == points[-1][0].n:
                    labels = self.data.labels[subset.validation]
                    np.save(largest / f"y_validation-seed{subset.seed}.npy", labels)
                    for part in PARTS:
                        np.save(largest / f"{part}-seed{subset.seed}.npy", point.array(part))
        return table
