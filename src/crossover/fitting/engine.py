"""The one engine that fits: a repetition of a cell of the study, a point of a learning curve, a trial of a search.

All of them have the same warm-up, the same clock and measure of memory, the same judge, the same identity, and carry on
in the same way after a kill. Who calls it chooses the rows and keeps what it needs of the result.
"""

import hashlib
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
from filelock import FileLock

from crossover.core.cell import LEARNED
from crossover.core.clock import (
    git_commit,
    leave_out_of_collections,
    measured,
    now,
    return_free_memory,
    threads,
    versions,
)
from crossover.core.files import atomic_folder, checksum, digest
from crossover.core.fits import FitCosts
from crossover.data.prepared import Input, Part
from crossover.fitting.config import FitConfig
from crossover.fitting.data import TrainingData
from crossover.models.base import FitHooks, Model

RESULT_CODE = ("core", "data", "features", "models", "scoring", "fitting")
"""Folders of the package whose code can change a fit or its scores."""

MOST_TIMED = 20
"""Times of one fit at most: of twenty, the median is sure enough however short the fit is."""

_warm: set[str] = set()
"""Kinds of cell that were warmed up in this process."""


def fit(
    config: FitConfig,
    train: Part,
    val: Part | None,
    *,
    data: TrainingData,
    seed: int,
    hooks: FitHooks,
    clock_seconds: float = 0.0,
) -> tuple[Model, FitCosts]:
    """Build a model, fit it, and measure the fit alone.

    Before the clock starts, imports are made, thread pools and the device are started, and the data are read. Memory
    that is free is given back, so that what the fit adds is what it would add in a process of its own.

    Args:
        config: of the model: that of `data`, or with what a validation part chose in it.
        train: what to fit on.
        val: the validation part, for a model that uses one or whose epochs are watched.
        data: which cell, and where the project lies.
        seed: number of the repetition.
        hooks: where a fit in epochs keeps its last state, and what follows its epochs.
        clock_seconds: the fit is repeated on new models until its times add up to so much; a single time of a few
            hundredths of a second was seen to be eight times another one of the same fit.

    Raises:
        CrossoverError: see `Model.fit`.
    """
    cell, model = config.cell, config.build()
    kind = digest([cell.dataset, cell.features, cell.model, config.model.get("device"), config.trainer])
    if kind not in _warm:  # once a process: another trial of the same search needs none
        config.build().warm_up(train)
        leave_out_of_collections()
        _warm.add(kind)
    for part in (train, val):
        if part is not None and isinstance(part.X, np.memmap):
            part.X.max(initial=0)  # reads it
    return_free_memory()
    with measured() as taken:
        model.fit(train, val, seed=seed, hooks=hooks)
        taken.device = model.device
    taken.seconds += model.seconds_before
    all_taken = [taken]
    while sum(one.seconds for one in all_taken) < clock_seconds and len(all_taken) < MOST_TIMED:
        again = config.build()
        with measured() as once_more:
            again.fit(train, val, seed=seed)
            once_more.device = again.device
        all_taken.append(once_more)
    added = taken.added_memory_bytes
    seconds = [one.seconds for one in all_taken]
    joules = [one.energy_joules for one in all_taken if one.energy_joules is not None]
    waiting = [one.waiting_share for one in all_taken if one.waiting_share is not None]
    return model, FitCosts(
        fit_seconds=median(seconds),
        fit_seconds_low=min(seconds),
        fit_seconds_high=max(seconds),
        fits_timed=len(seconds),
        features_seconds=0.0,
        waiting_share=median(waiting) if waiting else None,
        peak_memory_bytes=taken.peak_memory_bytes,
        # A classical model's features were made from the prepared input before the clock started.
        fit_memory_bytes=None
        if added is None
        else added + (0 if cell.features == LEARNED else _nbytes(train.X)),
        fit_energy_j=mean(joules) if joules else None,
        energy_method=taken.energy_method,
        device=taken.device,
        threads=threads(),
        versions=versions(),
        git_commit=git_commit(data.layout.root),
        fitted_at=now(),
    )


def _nbytes(X: Input) -> int:
    """Of a feature matrix, dense or sparse."""
    return sum(
        int(array.nbytes) for array in ([X] if isinstance(X, np.ndarray) else [X.data, X.indices, X.indptr])
    )


def judged(part: Part, proba: np.ndarray) -> dict[str, float]:
    """The judge's metrics; one that is not defined on the part is left out, since JSON has no NaN.

    Raises:
        CrossoverError: see `evaluate`.
    """
    from crossover.scoring.judge import evaluate  # slow to import, and not needed where a cell does not apply

    return {name: value for name, value in evaluate(part.y, proba).items() if not math.isnan(value)}


def finished(fit_folder: Path, make: Callable[[Path, Path], None]) -> Path:
    """The folder of a finished fit, made now or by an earlier run that was killed.

    The caller removes `fit_folder` when it has put the result where it belongs.

    Args:
        fit_folder: the fit's own folder, which survives a kill.
        make: writes the finished fit; its arguments are an empty folder, which becomes the result whole or not at all,
            and a folder for checkpoints.
    """
    result = fit_folder / "finished"
    if not result.exists():
        with atomic_folder(result) as folder:
            make(folder, fit_folder / "checkpoints")
    return result


def lock(data: TrainingData, identity: str) -> FileLock:
    """Lets a second process that fits the same wait for the first, whose staged fits it would remove."""
    path = data.layout.staging / "locks" / f"{identity}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)


def identity(data: TrainingData) -> dict[str, Any]:
    """All that decides the fits of one cell but their rows and seeds: configuration, data, features and code."""
    cell = data.config.cell
    features = None if cell.features == LEARNED else data.features.meta.config
    return {
        "cell": [cell.dataset, cell.features, cell.model, cell.variant],
        "config": data.config.model,
        "trainer": data.config.trainer,
        "data": data.meta.checksum,
        "split": [data.split_number, hashlib.sha256(data.prepared.rows("train").tobytes()).hexdigest()],
        "features": features,
        "code": code_checksum(),
    }


def fit_id(data: TrainingData, seed: int, *rows: np.ndarray) -> str:
    """SHA-256 of all that decides one fit and its scores.

    Args:
        data: what is fitted.
        seed: number of the repetition.
        rows: of the training part, those that this fit does not share with all others: int64, in their order.
    """
    checksums = [hashlib.sha256(part.tobytes()).hexdigest() for part in rows]
    return digest({**identity(data), "seed": seed, "rows": checksums})


@cache
def code_checksum() -> str:
    """SHA-256 of the package's code that can change a fit, as it was when this process first asked."""
    package = Path(__file__).parents[1]
    return checksum(file for folder in RESULT_CODE for file in (package / folder).rglob("*.py"))
