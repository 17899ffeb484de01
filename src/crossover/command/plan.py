"""What a study of the user's data runs, and how long that takes: the largest plan that a budget of time allows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, log2, sqrt
from typing import Any

from crossover.command.description import Description


@dataclass(frozen=True)
class Plan:
    """A study of one data set.

    Attributes:
        name: of the data set.
        feature_sets: for the classical models.
        classical_models: to fit.
        deep_models: to fit.
        seeds: repetitions.
        curve_models: of both families, whose learning curves are measured; none for no curves.
        curve_repetitions: of each size.
        sizes: of the curves.
    """

    name: str
    feature_sets: tuple[str, ...]
    classical_models: tuple[str, ...]
    deep_models: tuple[str, ...]
    seeds: int
    curve_models: tuple[str, ...] = ()
    curve_repetitions: int = 3
    sizes: int = 4

    @property
    def soft_vote(self) -> bool:
        """Whether both families may have enough models for a vote."""
        return len(self.deep_models) > 1 and len(self.classical_models) * len(self.feature_sets) > 1

    def params(self) -> dict[str, Any]:
        """What params.yaml asks for: dotted key to value."""
        curve_classical = [name for name in self.classical_models if name in self.curve_models]
        curve_deep = [name for name in self.deep_models if name in self.curve_models]
        return {
            "datasets": [self.name],
            "feature_sets": list(self.feature_sets),
            "classical_models": list(self.classical_models),
            "deep_models": list(self.deep_models),
            "seeds": self.seeds,
            "soft_vote": 3 if self.soft_vote else None,
            "textbook.feature_sets": [],
            "textbook.classical_models": [],
            "textbook.deep_models": [],
            "tuning.classical_models": [],
            "tuning.deep_models": [],
            "learning_curve.feature_sets": list(self.feature_sets) if curve_classical else [],
            "learning_curve.classical_models": curve_classical,
            "learning_curve.deep_models": curve_deep,
            "learning_curve.sizes": self.sizes,
            "learning_curve.repetitions": self.curve_repetitions,
        }

    def __str__(self) -> str:
        curves = (
            f"; learning curves of {', '.join(self.curve_models)}"
            if self.curve_models
            else "; no learning curves"
        )
        return (
            f"{', '.join(self.classical_models)} on {' and '.join(self.feature_sets)} features against "
            f"{', '.join(self.deep_models)}, {self.seeds} repetition{'s' if self.seeds > 1 else ''}{curves}"
        )

    def seconds(self, data: Description) -> float:
        """A rough estimate of the whole study's time; the constants are of the order of times seen on two cores."""
        n, d, c = data.n_train, data.n_columns, data.n_classes
        total = 25.0 + 4.0 * len(self.feature_sets)  # check, download, prepare, featurize, compare
        classical = [(m, f) for m in self.classical_models for f in self.feature_sets]
        for model, features in [*classical, *((m, "") for m in self.deep_models)]:
            width = {"handcrafted": 500, "text_handcrafted": 17}.get(features, d)
            if model == "cnn_modern":
                width //= data.channels
            one = fit_seconds(model, n, width, c)
            start = 4.0 if features else 6.0
            total += start + max(1.0, 2 * self.seeds * one)  # one with the validation rows, one without
            total += 1.2 * self.seeds  # scores, latency, MLflow
            if model in self.curve_models:
                share = sum(4.0**-k for k in range(self.sizes))  # of a fit on all rows, all sizes together
                total += start + self.curve_repetitions * (one * share + 0.3 * self.sizes)
        return total


def fit_seconds(model: str, n: int, d: int, c: int) -> float:
    """One fit on `n` examples of `d` columns (pixels for a CNN, words for texts) and `c` classes, roughly."""
    trees = 1 if c == 2 else c
    return {
        "logistic_regression": 0.05 + 1e-7 * n * d * c,
        "linear_svm": 0.1 + 1e-7 * n * d * c,
        "multinomial_naive_bayes": 0.05,
        "svm": 0.1 + 8e-8 * n**2,
        "random_forest": 0.2 + 1.5e-6 * n * sqrt(d) * log2(n),
        "lightgbm": 150 * trees * (0.002 + 1e-8 * n * d),
        "mlp": 2.0 + 5e-4 * n * (1 + d / 3000),
        "tabm": 20.0 + 5e-3 * n,
        "text_cnn": max(600, 8 * ceil(n / 64)) * (0.01 + 4e-4 * d),
        "lstm": max(500, 6 * ceil(n / 64)) * (0.02 + 1.5e-3 * d),
        "text_transformer": max(900, 10 * ceil(n / 64)) * (0.02 + 1e-3 * d),
        "cnn_modern": max(300, 10 * ceil(n / 128)) * (0.01 + 2e-4 * d),
    }[model]


def plans(name: str, data: Description) -> Iterator[Plan]:
    """Studies of the data, the largest first."""
    splits = 1 if data.has_test or "time" in data.yaml else 8  # repetitions with a test part of their own
    text = data.modality == "text"
    if data.modality == "image":
        models: tuple[str, ...] = ("logistic_regression", "svm", "random_forest")
        full = Plan(name, ("raw", "handcrafted"), models, ("mlp", "cnn_modern"), 8 if splits > 1 else 3)
        curve = ("logistic_regression", "svm", "cnn_modern")
    elif text:
        models = ("logistic_regression", "linear_svm", "multinomial_naive_bayes", "lightgbm")
        networks = ("text_cnn", "lstm", "text_transformer")
        full = Plan(name, ("words_chars", "text_handcrafted"), models, networks, 8 if splits > 1 else 3)
        curve = ("linear_svm", "multinomial_naive_bayes", "text_cnn")
    else:
        models = ("logistic_regression", "svm", "random_forest", "lightgbm")
        # Boosted trees split codes as categories.
        features = ("raw", "codes") if "category" in data.yaml.get("columns", {}).values() else ("raw",)
        full = Plan(name, features, models, ("mlp", "tabm"), 8 if splits > 1 else 3)
        curve = ("logistic_regression", "lightgbm", "mlp")
    slow = ("tabm", "text_transformer")
    without_the_slow = replace(full, deep_models=tuple(m for m in full.deep_models if m not in slow))
    yield replace(full, curve_models=curve)
    if "codes" in full.feature_sets:
        without_the_slow = replace(without_the_slow, feature_sets=("raw",))
    yield replace(without_the_slow, curve_models=curve)
    yield replace(without_the_slow, curve_models=curve, seeds=min(5, full.seeds))
    yield replace(without_the_slow, seeds=min(5, full.seeds))
    small = replace(without_the_slow, seeds=min(3, full.seeds))
    yield small
    slowest = "lightgbm" if text else "svm"
    few = replace(small, classical_models=tuple(m for m in models if m != slowest))
    if text:
        few = replace(few, deep_models=("text_cnn",))
        yield few
        few = replace(few, feature_sets=("words_chars",))
    if data.modality == "image":
        few = replace(few, feature_sets=("handcrafted",), deep_models=("cnn_modern",))
    yield few
    yield replace(few, seeds=2)
    yield replace(few, seeds=1)


def plan_within(name: str, data: Description, budget: float) -> Plan:
    """The largest plan whose estimate lies within a budget of seconds; the smallest where none does."""
    found = list(plans(name, data))
    return next((plan for plan in found if plan.seconds(data) <= budget), found[-1])
