"""Learning curves as the stage `learning_curve` writes them, made up by a test.

    folder = CurvesFolder(tmp_path, "fruit", sizes=[20, 60, 200], repetitions=3, n_test=500)
    folder.add("raw", "tree", [0.70, 0.80, 0.85])                  # one accuracy a size …
    folder.add(LEARNED, "net", [[0.5, 0.6, 0.5], …], seconds=[1.0, 2.0, 5.0])  # … or one a size and repetition
    folder.add_not_applicable(LEARNED, "cnn", "takes images only")
    curves = read_curves(folder.study(), Layout(tmp_path), "fruit")

Accuracies come out exactly, up to the whole number of right answers. `realistic_curves` writes six cells that
look like the real thing.
"""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crossover.core.cell import LEARNED, Cell, Family
from crossover.core.columns import CURVE_COSTS, CURVE_SCORES, MOMENTS
from crossover.core.layout import Layout
from crossover.core.metric import Metric
from crossover.core.study import NOT_APPLICABLE, OK, LearningCurve, Study
from crossover.scoring.contributions import contributions
from crossover.scoring.judge import evaluate


class CurvesFolder:
    """`results/learning_curve/<dataset>/`, written cell by cell.

    Attributes:
        y_test: int64 (n_test,), the classes in turn; a test may put another array there before it adds cells.
    """

    def __init__(
        self,
        root: Path,
        dataset: str,
        sizes: list[int],
        repetitions: int = 3,
        n_test: int = 500,
        n_validation: int = 100,
        n_classes: int = 2,
        metric: Metric = "accuracy",
    ):
        self.layout, self.dataset, self.sizes = Layout(root), dataset, sizes
        self.repetitions, self.n_test, self.n_validation = repetitions, n_test, n_validation
        self.n_classes, self.y_test = n_classes, np.arange(n_test) % n_classes
        self.metric = metric
        self._cells: list[tuple[str, str]] = []

    def add(
        self,
        features: str,
        model: str,
        accuracies: Any,
        *,
        seconds: Any = None,
        validation: Any = None,
        train: Any = 1.0,
        noise: float = 0.5,
        moments: dict[float, float] | None = None,
        **values: Any,
    ) -> None:
        """Write a cell.

        Args:
            features: a feature set, or `LEARNED` for a network.
            model: its name.
            accuracies: on the test part, (sizes,) or (sizes, repetitions).
            seconds: to fit, likewise; left out: in proportion to n, a hundred times as long for a network.
            validation: accuracies on the validation part, likewise; left out: those on the test part.
            train: accuracies on the subset itself, likewise, or one number.
            moments: of each fit, by the share of its time that has passed: how much less accurate it is there.
            noise: how differently two fits rank the test examples by difficulty; at 0 all agree on the hardest.
            **values: columns of either table, one value for all fits.
        """
        self._cells.append((features, model))
        accuracies = self._grid(accuracies)
        per_example = 1e-2 if features == LEARNED else 1e-4
        seconds = self._grid(per_example * np.array(self.sizes) if seconds is None else seconds)
        validation = accuracies if validation is None else self._grid(validation)
        rng = np.random.default_rng(zlib.crc32(f"{features}-{model}".encode()))
        correct = _correct(rng, accuracies.ravel(), self.n_test, noise)
        scores, costs = [], []
        for row, (size, seed) in enumerate(np.ndindex(accuracies.shape)):
            keys = self._keys(features, model) | {"seed": seed, "n": self.sizes[size]}
            parts = {"test": correct[row].mean(), "validation": validation[size, seed]}
            own = {"train_accuracy": self._grid(train)[size, seed]}
            scores.append(keys | self._facts() | own | _metrics(parts) | values)
            costs.append(keys | _cost(seconds[size, seed]) | values)
        self._tables(features, model, scores, costs)
        self._moments(features, model, accuracies, validation, seconds, moments or {}, noise)
        np.save(self.folder(features, model) / "correct.npy", correct)
        self._largest(features, model, correct[-self.repetitions :], validation[-1])

    def add_predictions(
        self, features: str, model: str, predict: Callable[[int, np.ndarray], np.ndarray]
    ) -> None:
        """Write a cell of the folder's metric without moments.

        Args:
            features: as of `add`.
            model: likewise.
            predict: gives probabilities, float (n, n_classes), for a size and for labels (n,); it is asked for each
                repetition.
        """
        self.add(features, model, [0.5] * len(self.sizes))
        folder = self.folder(features, model)
        scores = pd.read_csv(folder / "scores.csv")
        correct = []
        for row, n in enumerate(scores["n"]):
            for part, labels in (("validation", self.y_validation), ("test", self.y_test)):
                proba = predict(int(n), labels)
                for name, value in evaluate(labels, proba).items():
                    scores.loc[row, f"{part}_{name}"] = value
            correct.append(contributions(self.metric, self.y_test, proba))
        scores.to_csv(folder / "scores.csv", index=False)
        np.save(folder / "correct.npy", np.stack(correct))

    @property
    def y_validation(self) -> np.ndarray:
        """As many of the test labels as there are validation rows."""
        return np.resize(self.y_test, self.n_validation)

    def add_not_applicable(self, features: str, model: str, reason: str) -> None:
        """Write a cell that does not take the data set."""
        self._cells.append((features, model))
        keys = self._keys(features, model)
        self._tables(
            features,
            model,
            [keys | {"status": NOT_APPLICABLE, "reason": reason, "metric": self.metric}],
            [keys],
        )
        none = np.empty((0, self.repetitions))
        self._moments(features, model, none, none, none, {}, noise=0)

    def folder(self, features: str, model: str) -> Path:
        """Where the files of a cell lie."""
        family: Family = "deep" if features == LEARNED else "classical"
        return self.layout.curve(Cell(self.dataset, features, model, family))

    def study(self) -> Study:
        """The study that asks for the cells written so far, each feature set for each classical model."""
        features = list(dict.fromkeys(f for f, _ in self._cells if f != LEARNED))
        classical = list(dict.fromkeys(m for f, m in self._cells if f != LEARNED))
        deep = [m for f, m in self._cells if f == LEARNED]
        models: dict[str, Any] = {
            "feature_sets": features,
            "classical_models": classical,
            "deep_models": deep,
        }
        curve = LearningCurve(**models, sizes=self.sizes, repetitions=self.repetitions)
        # Not checked: a test may do with one family alone.
        return Study.model_construct(
            datasets=[self.dataset], **models, seeds=self.repetitions, learning_curve=curve
        )

    def _grid(self, values: Any) -> np.ndarray:
        values = np.asarray(values, dtype=float)
        shape = (len(self.sizes), self.repetitions)
        return np.broadcast_to(values[:, None] if values.ndim == 1 else values, shape)

    def _keys(self, features: str, model: str) -> dict[str, Any]:
        family = "deep" if features == LEARNED else "classical"
        return {
            "dataset": self.dataset,
            "features": features,
            "model": model,
            "family": family,
            "variant": "default",
        }

    def _facts(self) -> dict[str, Any]:
        counts = {"n_watched": 0, "n_validation": self.n_validation, "n_test": self.n_test}
        facts = {
            "status": OK,
            "n_classes": self.n_classes,
            "metric": self.metric,
            "data_checksum": "feed" * 16,
        }
        return facts | counts

    def _tables(
        self, features: str, model: str, scores: list[dict[str, Any]], costs: list[dict[str, Any]]
    ) -> None:
        folder = self.folder(features, model)
        folder.mkdir(parents=True)
        pd.DataFrame(scores, columns=CURVE_SCORES).to_csv(folder / "scores.csv", index=False)
        pd.DataFrame(costs, columns=CURVE_COSTS).to_csv(folder / "costs.csv", index=False)

    def _moments(
        self,
        features: str,
        model: str,
        accuracies: np.ndarray,
        validation: np.ndarray,
        seconds: np.ndarray,
        moments: dict[float, float],
        noise: float,
    ) -> None:
        rows, test = [], []
        for size, seed in np.ndindex(accuracies.shape):
            for share, less in moments.items():
                of_validation = validation[size, seed] - less
                numbers = {
                    "n": self.sizes[size],
                    "seconds": share * seconds[size, seed],
                    "validation_accuracy": of_validation,
                    "validation_log_loss": 1 - of_validation,
                }
                rows.append(self._keys(features, model) | {"seed": seed} | numbers)
                test.append(accuracies[size, seed] - less)
        folder = self.folder(features, model) / "moments"
        folder.mkdir()
        pd.DataFrame(rows, columns=MOMENTS).to_csv(folder / "moments.csv", index=False)
        rng = np.random.default_rng(zlib.crc32(f"{features}-{model}-moments".encode()))
        np.save(folder / "correct.npy", _correct(rng, np.array(test), self.n_test, noise))

    def _largest(self, features: str, model: str, correct: np.ndarray, validation: np.ndarray) -> None:
        folder = self.folder(features, model) / "largest"
        folder.mkdir()
        np.save(folder / "y_test.npy", self.y_test)
        y_validation = np.arange(self.n_validation) % self.n_classes
        for seed in range(self.repetitions):
            right = np.arange(self.n_validation) < round(validation[seed] * self.n_validation)
            np.save(folder / f"y_validation-seed{seed}.npy", y_validation)
            np.save(folder / f"validation-seed{seed}.npy", self._probabilities(y_validation, right))
            np.save(folder / f"test-seed{seed}.npy", self._probabilities(self.y_test, correct[seed]))

    def _probabilities(self, y: np.ndarray, right: np.ndarray) -> np.ndarray:
        """0.9 for the class answered: the true one, or the next one where the answer is wrong."""
        answer = np.where(right, y, (y + 1) % self.n_classes)
        proba = np.full((len(y), self.n_classes), 0.1 / (self.n_classes - 1))
        proba[np.arange(len(y)), answer] = 0.9
        return proba.astype(np.float32)


def _correct(rng: np.random.Generator, accuracies: np.ndarray, n_test: int, noise: float) -> np.ndarray:
    """bool (fits, n_test): each fit is right on the easiest examples by its own ranking."""
    difficulty = np.random.default_rng(0).normal(size=n_test)  # the same for every model
    ranks = (difficulty + noise * rng.normal(size=(len(accuracies), n_test))).argsort(axis=1).argsort(axis=1)
    return ranks < np.round(accuracies[:, None] * n_test)


def _metrics(accuracies: dict[str, float]) -> dict[str, float]:
    """Every metric of each part, from its accuracy alone."""
    metrics = {}
    for part, accuracy in accuracies.items():
        for metric in ("accuracy", "balanced_accuracy", "macro_f1", "roc_auc"):
            metrics[f"{part}_{metric}"] = accuracy
        for metric in ("log_loss", "brier_score", "calibration_error"):
            metrics[f"{part}_{metric}"] = 1 - accuracy
    return metrics


def _cost(seconds: float) -> dict[str, Any]:
    return {
        "fit_seconds": seconds,
        "predict_seconds": 0.01,
        "model_bytes": 2_345_678,
        "peak_memory_bytes": 3e8,
        "device": "cpu",
        "threads": 2,
        "versions": "python 3.11.7, numpy 2.4.6",
        "git_commit": "0123abc",
        "fitted_at": "2025-01-01T00:00:00+00:00",
    }


MNIST_SIZES = [52, 160, 520, 1600, 5200, 16000, 54000]
DIGITS_SIZES = [52, 110, 240, 520, 1150]

_REALISTIC = {  # a, b, c of the error a + b n^-c, and the seconds to fit: at 0, for an example
    ("raw", "logistic_regression"): ((0.066, 3.2, 0.58), (0.02, 2e-4)),
    ("raw", "svm"): ((0.004, 2.2, 0.47), (0.01, 2e-3)),
    ("raw", "random_forest"): ((0.012, 2.6, 0.47), (0.15, 3e-4)),
    ("raw", "xgboost"): ((0.006, 6.0, 0.53), (0.4, 8e-4)),
    (LEARNED, "mlp"): ((0.010, 3.6, 0.50), (0.3, 8e-4)),
    (LEARNED, "cnn"): ((0.006, 9.0, 0.66), (0.8, 1e-2)),
}


def realistic_curves(
    root: Path, dataset: str, sizes: list[int] = MNIST_SIZES, n_test: int = 2000, repetitions: int = 3
) -> CurvesFolder:
    """Six cells on power laws that look like MNIST; the networks start behind and the CNN ends in front.

    Args:
        root: of the project.
        dataset: its name.
        sizes: as `MNIST_SIZES` or `DIGITS_SIZES`.
        n_test: examples of the test part.
        repetitions: that scatter as binomial samples of a few hundred examples do.
    """
    folder = CurvesFolder(root, dataset, sizes, repetitions, n_test, n_classes=10)
    rng = np.random.default_rng(7)
    n = np.array(sizes, dtype=float)[:, None]
    for (features, model), ((a, b, c), (start, each)) in _REALISTIC.items():
        error = np.minimum(0.85, a + b * n**-c)
        scatter = np.sqrt(error / 3000) * rng.normal(size=(len(sizes), repetitions))
        accuracies = 1 - np.clip(error + scatter, 0.001, 0.9)
        train = np.clip(accuracies + 0.3 * error, 0, 1)
        moments = {0.1: 0.05, 0.3: 0.01, 0.6: 0.002} if features == LEARNED else {}
        seconds = (start + each * n).ravel()
        folder.add(features, model, accuracies, seconds=seconds, train=train, moments=moments)
    return folder
