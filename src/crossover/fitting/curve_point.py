"""One point of a learning curve: a fit on a subset, scored on the validation and the test part."""

import tempfile
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from crossover.core.columns import CURVE_COSTS, PARTS
from crossover.core.files import folder_bytes, read_json, write_json
from crossover.fitting import engine
from crossover.fitting.data import SubsetInputs, TrainingData
from crossover.fitting.subsets import CurveSubset
from crossover.models.base import FitHooks


class CurvePoint:
    """A finished fit on disk.

    `point.json` has `scores`, `costs` and `moments`, the numbers of rows of each table; `correct.npy`, `test.npy` and
    `validation.npy` are as in `crossover.core.columns`, and so is `moments.npy`, of this fit alone.

    Attributes:
        folder: where it lies.
        scores: columns of `CURVE_SCORES`; a metric that is not defined is missing.
        costs: columns of `CURVE_COSTS`.
        moments: of each moment columns of `MOMENTS`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        numbers = read_json(folder / "point.json", "the same command")
        self.scores: dict[str, Any] = numbers["scores"]
        self.costs: dict[str, Any] = numbers["costs"]
        self.moments: list[dict[str, Any]] = numbers["moments"]

    def array(self, name: str) -> np.ndarray:
        """`correct` is what each test example contributes to the metric: (n_test,), right answers of the accuracy.

        Those of a part of `PARTS` are its probabilities: float32 (n, n_classes).
        """
        return np.load(self.folder / f"{name}.npy")


def fit_point(
    data: TrainingData, subset: CurveSubset, clock_seconds: float, folder: Path, checkpoints: Path
) -> None:
    """Fit on a subset, score, and write what `CurvePoint` reads.

    Args:
        data: what to fit.
        subset: which rows to fit, watch and score.
        clock_seconds: see `engine.fit`.
        folder: existing and empty.
        checkpoints: where a fit in epochs keeps its last state.

    Raises:
        CrossoverError: see `Model.fit`, `evaluate` and `contributions`.
    """
    from crossover.scoring.contributions import contributions  # slow to import, as in `engine.judged`

    inputs = SubsetInputs(data, subset.train)
    watched = inputs.take(subset.watched) if data.config.build().selects else None
    model, fitted = engine.fit(
        data.config,
        inputs.fitted,
        watched,
        data=data,
        seed=subset.seed,
        hooks=FitHooks(checkpoints, keep_moments=True),
        clock_seconds=clock_seconds,
    )
    costs = asdict(fitted.with_features(inputs.feature_seconds))
    costs = {name: value for name, value in costs.items() if name in CURVE_COSTS} | {"n": subset.n}
    seen, test = inputs.take(subset.scored), inputs.test
    scores = {
        "n": subset.n,
        "n_watched": 0 if watched is None else len(watched),
        "n_validation": len(subset.validation),
        "n_test": len(test),
        "n_classes": data.meta.n_classes,
        "train_accuracy": float((model.predict_proba(seen.X).argmax(axis=1) == seen.y).mean()),
    }
    # The test part last: only its time is kept, and the first predictions of a model warm it up.
    validation = inputs.take(subset.validation)
    for name, part in zip(PARTS, (validation, test), strict=True):
        start = perf_counter()
        proba = model.predict_proba(part.X).astype(np.float32)
        costs["predict_seconds"] = perf_counter() - start
        np.save(folder / f"{name}.npy", proba)
        scores |= {f"{name}_{metric}": value for metric, value in engine.judged(part, proba).items()}
    correct = contributions(data.meta.metric, test.y, proba)
    np.save(folder / "correct.npy", correct)
    moments, answers = [], np.empty((0, len(test)), dtype=correct.dtype)
    for moment in model.moments():
        judged = engine.judged(validation, moment.predict_proba(validation.X).astype(np.float32))
        seconds = inputs.feature_seconds + moment.share * fitted.fit_seconds
        kept = {f"validation_{metric}": value for metric, value in judged.items()}
        moments.append({"n": subset.n, "seconds": seconds, **kept})
        at_moment = contributions(data.meta.metric, test.y, moment.predict_proba(test.X))
        answers = np.vstack([answers, at_moment])
    np.save(folder / "moments.npy", answers)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        model.save(Path(temporary))
        costs["model_bytes"] = folder_bytes(Path(temporary))
    write_json(folder / "point.json", {"scores": scores, "costs": costs, "moments": moments})
