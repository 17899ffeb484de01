"""One fit of a learning curve: on a subset, scored by the one judge on the validation and the test part."""

import math
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np

from crossover.core.clock import measured, now, threads, versions
from crossover.core.columns import PARTS
from crossover.core.files import folder_bytes, read_json, write_json
from crossover.data.prepared import Part
from crossover.fitting.subsets import CurveData, Draw
from crossover.models.base import FitHooks, Model


@dataclass(frozen=True)
class CurveFit:
    """A finished fit on disk.

    `fit.json` has `scores` and `costs`, the numbers of a row of each table; `correct.npy`, `test.npy` and
    `validation.npy` are as in `crossover.core.columns`.
    """

    folder: Path

    @cached_property
    def _record(self) -> dict[str, dict[str, Any]]:
        return read_json(self.folder / "fit.json", "the same command")

    @property
    def scores(self) -> dict[str, Any]:
        """Columns of `CURVE_SCORES`; a metric that is not defined is missing."""
        return self._record["scores"]

    @property
    def costs(self) -> dict[str, Any]:
        """Columns of `CURVE_COSTS`."""
        return self._record["costs"]

    @property
    def correct(self) -> np.ndarray:
        """Right answers on the test part: bool (n_test,)."""
        return np.load(self.folder / "correct.npy")

    def proba(self, part: str) -> np.ndarray:
        """Probabilities of a part of `PARTS`: float32 (n, n_classes)."""
        return np.load(self.folder / f"{part}.npy")

    @classmethod
    def make(cls, folder: Path, model: Model, data: CurveData, draw: Draw, checkpoints: Path) -> Self:
        """Fit a model that is warmed up, score it, and write what came of it.

        Args:
            folder: existing and empty.
            model: unfitted.
            data: what to fit and score on.
            draw: which rows.
            checkpoints: where a fit in epochs keeps its last state.

        Raises:
            CrossoverError: see `Model.fit` and `evaluate`.
        """
        watched = data.train.take(draw.watched) if model.selects else None
        costs = _fit(model, data.train.take(draw.subset), watched, draw.seed, checkpoints)
        parts = {"validation": data.train.take(draw.validation), "test": data.test}
        proba = {}
        for name in PARTS:  # the test part last: the first prediction of a model warms it up
            start = perf_counter()
            proba[name] = model.predict_proba(parts[name].X).astype(np.float32)
            costs["predict_seconds"] = perf_counter() - start
            np.save(folder / f"{name}.npy", proba[name])
        scores = {
            "n": draw.n,
            "n_watched": 0 if watched is None else len(watched),
            "n_validation": len(draw.validation),
            "n_test": len(data.test),
            "n_classes": data.meta.n_classes,
            "train_accuracy": _accuracy(model, data.train.take(draw.scored)),
            **_metrics(parts, proba),
        }
        np.save(folder / "correct.npy", proba["test"].argmax(axis=1) == data.test.y)
        costs |= {"n": draw.n, "model_bytes": _model_bytes(model, folder)}
        write_json(folder / "fit.json", {"scores": scores, "costs": costs})
        return cls(folder)


def _fit(model: Model, train: Part, watched: Part | None, seed: int, checkpoints: Path) -> dict[str, Any]:
    """Fit, and return the costs of the fit alone."""
    with measured() as taken:
        model.fit(train, watched, seed=seed, hooks=FitHooks(checkpoints))
        taken.device = model.device
    return {
        "fit_seconds": taken.seconds,
        "peak_memory_bytes": taken.peak_memory_bytes,
        "device": model.device,
        "threads": threads(),
        "versions": versions(),
        "fitted_at": now(),
    }


def _metrics(parts: dict[str, Part], proba: dict[str, np.ndarray]) -> dict[str, float]:
    from crossover.scoring.judge import evaluate  # slow to import, and a cell may not apply

    scores = {
        f"{part}_{metric}": value
        for part in PARTS
        for metric, value in evaluate(parts[part].y, proba[part]).items()
    }
    return {name: value for name, value in scores.items() if not math.isnan(value)}


def _accuracy(model: Model, part: Part) -> float:
    return float((model.predict_proba(part.X).argmax(axis=1) == part.y).mean())


def _model_bytes(model: Model, folder: Path) -> int:
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        model.save(Path(temporary))
        return folder_bytes(Path(temporary))
