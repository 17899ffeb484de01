"""Result files as `evaluate` writes them, made up by a test."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossover.analysis.decision import Constraints
from crossover.analysis.study import DatasetAnalysis, StudyAnalysis, analyse
from crossover.core.cell import LEARNED
from crossover.core.columns import COSTS, SCORES, VALIDATION
from crossover.core.layout import Layout
from crossover.core.metric import Metric
from crossover.core.study import NOT_APPLICABLE, OK, Study, Textbook, Tuning
from crossover.scoring.judge import evaluate
from crossover.stages.compare import compare as compare_all


class ResultsFolder:
    """`results/<dataset>/` of one data set with two classes, written cell by cell.

    Attributes:
        history: rows of `plots/history.csv`.
    """

    def __init__(
        self,
        root: Path,
        dataset: str,
        n_test: int,
        splits: int = 1,
        test_overlap: float | None = None,
        metric: Metric = "accuracy",
    ):
        self.dataset, self.n_test, self.test_overlap, self.metric = dataset, n_test, test_overlap, metric
        self.folder = Layout(root).results(dataset)
        self._scores: list[dict[str, Any]] = []
        self._costs: list[dict[str, Any]] = []
        self._validation: list[dict[str, Any]] = []
        self.history: list[dict[str, Any]] = []
        self._predict("y_true", np.zeros((splits, n_test), dtype=np.int64))

    def add(
        self,
        features: str,
        model: str,
        correct: np.ndarray,
        stochastic: bool = True,
        validation: float | None = None,
        **values: Any,
    ) -> None:
        """A cell that answers rightly where `correct`, bool (fits, n_test), says so; `values` as given.

        On validation rows it has the accuracy `validation`; None is that on the test part.
        """
        share = correct.mean() if validation is None else validation
        scored = {
            "seed": 0,
            "n_train": 90,
            "n_validation": 10,
            "n_distinct": 10,
            "accuracy": share,
            "log_loss": 1 - share,
        }
        self._validation.append(self._keys(features, model) | scored | values)
        for seed, right in enumerate(correct):
            row = self._keys(features, model) | {"seed": seed}
            metrics = {"accuracy": right.mean(), "macro_f1": right.mean(), "log_loss": 1 - right.mean()}
            facts = {
                "status": OK,
                "stochastic": stochastic,
                "n_train": 100,
                "n_watched": 0,
                "n_test": self.n_test,
                "split": 0 if self.test_overlap is None else seed,
                "test_overlap": self.test_overlap,
                "metric": self.metric,
            }
            facts |= {"complexity": 1234, "complexity_unit": "parameters" if features == LEARNED else "nodes"}
            self._scores.append(
                row | facts | metrics | {"n_classes": 2, "data_checksum": "feed" * 16} | values
            )
            cost = self._cost(seed) | values
            for column in ("fit_seconds", "latency_p50_ms", "throughput_per_s"):
                cost = {f"{column}_low": cost[column], f"{column}_high": cost[column]} | cost
            self._costs.append(row | cost)
            proba = np.where(right[:, None], [0.9, 0.1], [0.1, 0.9]).astype(np.float32)
            self._predict(f"{features}-{model}-seed{seed}", proba)

    def add_predictions(self, features: str, model: str, y_true: np.ndarray, proba: np.ndarray) -> None:
        """A cell with these probabilities, float32 (fits, n_test, 2), on a test part with these labels, (n_test,).

        On validation rows it scores as in its first fit on the test part.
        """
        before = len(self._scores)
        self.add(features, model, proba.argmax(axis=2) == y_true)
        self._predict("y_true", y_true[np.newaxis])
        for seed, of_fit in enumerate(proba):
            self._predict(f"{features}-{model}-seed{seed}", of_fit)
            self._scores[before + seed] |= evaluate(y_true, of_fit)
        self._validation[-1] |= evaluate(y_true, proba[0]) | {
            "n_validation": len(y_true),
            "n_distinct": len(y_true),
        }

    def add_variant(
        self, variant: str, features: str, model: str, correct: np.ndarray, **values: Any
    ) -> None:
        """As `add`, for a variant other than "default"."""
        before = len(self._scores)
        self.add(features, f"{model}-{variant}", correct, **values)  # so its predictions are called
        for row in [*self._scores[before:], *self._costs[before:], self._validation[-1]]:
            row |= {"model": model, "variant": variant}

    def add_not_applicable(self, features: str, model: str, reason: str) -> None:
        self._scores.append(
            self._keys(features, model) | {"status": NOT_APPLICABLE, "reason": reason, "metric": self.metric}
        )
        self._costs.append(self._keys(features, model))

    def write(self) -> None:
        pd.DataFrame(self._scores, columns=SCORES).to_csv(self.folder / "scores.csv", index=False)
        pd.DataFrame(self._validation, columns=VALIDATION).to_csv(self.folder / "validation.csv", index=False)
        pd.DataFrame(self._costs, columns=COSTS).to_csv(self.folder / "costs.csv", index=False)
        (self.folder / "plots").mkdir(exist_ok=True)
        columns = ["model", "seed", "epoch", "train_loss", "val_loss", "val_accuracy"]
        pd.DataFrame(self.history, columns=columns).to_csv(self.folder / "plots" / "history.csv", index=False)

    def _keys(self, features: str, model: str) -> dict[str, Any]:
        family = "deep" if features == LEARNED else "classical"
        return {
            "dataset": self.dataset,
            "features": features,
            "model": model,
            "family": family,
            "variant": "default",
        }

    def _cost(self, seed: int) -> dict[str, Any]:
        return {
            "fit_seconds": 1.0 + seed,
            "fits_timed": 1,
            "features_seconds": 0.0,
            "waiting_share": 0.0,
            "latency_p50_ms": 0.5,
            "features_p50_ms": 0.0,
            "latency_p95_ms": 0.7,
            "throughput_per_s": 1e4,
            "model_bytes": 2_345_678,
            "peak_memory_bytes": 3e8,
            "fit_memory_bytes": 4.5e7,
            "device": "cpu",
            "threads": 2,
            "versions": "python 3.11.7, numpy 2.4.6",
            "git_commit": "0123abc",
            "fitted_at": "2025-01-01T00:00:00Z",
        }

    def _predict(self, name: str, array: np.ndarray) -> None:
        path = self.folder / "predictions" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array)


CONSTRAINTS = Constraints(
    latency_ms=1.0, size_mb=1.0, labels=[100], explainable=["line"], equivalence_points=0.5
)
"""A millisecond a prediction, a megabyte, a hundred labels; lines explain themselves; half a point matters."""


def compare(study: Study, layout: Layout) -> None:
    """The comparison without claims, which have tests of their own."""
    compare_all(study, layout, CONSTRAINTS, [])


def read_report(study: Study, layout: Layout) -> StudyAnalysis:
    """What it says, before it is written."""
    return analyse(study, layout, CONSTRAINTS, [])


def read_chapters(study: Study, layout: Layout) -> list[DatasetAnalysis]:
    """What it says of each data set."""
    return read_report(study, layout).datasets


def study_of(
    dataset: str,
    classical: list[str],
    deep: list[str],
    seeds: int,
    features: tuple[str, ...] = ("raw",),
    tuning: Tuning = Tuning(),  # noqa: B008
    textbook: Textbook = Textbook(),  # noqa: B008
) -> Study:
    """A study that is not checked, since a test may do with one family alone."""
    return Study.model_construct(
        datasets=[dataset],
        feature_sets=list(features),
        classical_models=classical,
        deep_models=deep,
        seeds=seeds,
        tuning=tuning,
        textbook=textbook,
    )


def first_right(n_test: int, *n_right: int) -> np.ndarray:
    """One fit for each of `n_right`, which answers so many of the first test examples rightly."""
    return np.arange(n_test) < np.array(n_right)[:, None]
