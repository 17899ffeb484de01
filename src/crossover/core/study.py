"""params.yaml: what to run."""

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from crossover.core.cell import DEFAULT, LEARNED, TUNED, Cell
from crossover.core.errors import CrossoverError

OK = "ok"
NOT_APPLICABLE = "not applicable"
"""What becomes of a cell: it is fitted and scored, or its model or features do not take the data set."""

SECOND_OBJECTIVES = ("fit_seconds", "latency_p50_ms")
"""What a search may minimise beside the accuracy that it maximises."""


@dataclass(frozen=True)
class Tuning:
    """What is searched, and with which budget.

    Attributes:
        feature_sets: that the classical models are searched on.
        classical_models: to search; a search is one model on one feature set of one data set.
        deep_models: to search.
        trials: budget of each search in trials, the default configuration among them; None where `seconds` is it.
        seconds: budget of each search in seconds, summed over its trials; None where `trials` is it.
        examples: size of the stratified subset of the training part that trials are fitted on; None is all of it.
        sampler: name of one of Hydra's Optuna samplers: "random", "tpe", "grid", …
        seed: of the search.
        pruner: name of its YAML; "none" lets every trial end.
        cost: a second objective of the searches, "fit_seconds" or "latency_p50_ms"; None for accuracy alone.
    """

    feature_sets: list[str] = field(default_factory=list)
    classical_models: list[str] = field(default_factory=list)
    deep_models: list[str] = field(default_factory=list)
    trials: int | None = 30
    seconds: int | None = None
    examples: int | None = None
    sampler: str = "random"
    seed: int = 0
    pruner: str = "none"
    cost: str | None = None


@dataclass(frozen=True)
class LearningCurve:
    """Which cells are fitted on nested subsets of the training part.

    Attributes:
        feature_sets: that the classical models are fitted on.
        classical_models: whose curve is measured.
        deep_models: whose curve is measured.
        sizes: how many sizes, spaced evenly on a logarithmic scale from five examples of the rarest class to
            all; or the sizes themselves, of which those that a data set does not reach are left out, and to which
            all is added.
        repetitions: of each size; repetition k is the same subset and the same seed for every model.
    """

    feature_sets: list[str] = field(default_factory=list)
    classical_models: list[str] = field(default_factory=list)
    deep_models: list[str] = field(default_factory=list)
    sizes: int | list[int] = 4
    repetitions: int = 3


@dataclass(frozen=True)
class Study:
    """The lists in `params.yaml` that span the study."""

    datasets: list[str]
    feature_sets: list[str]
    classical_models: list[str]
    deep_models: list[str]
    seeds: int
    tuning: Tuning = field(default_factory=Tuning)
    learning_curve: LearningCurve = field(default_factory=LearningCurve)

    def cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set: the default ones, then the tuned ones."""
        default = _span(dataset, self.feature_sets, self.classical_models, self.deep_models, DEFAULT)
        return default + self.tuned_cells(dataset)

    def tuned_cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set that are searched and fitted again with what was found."""
        tuning = self.tuning
        return _span(dataset, tuning.feature_sets, tuning.classical_models, tuning.deep_models, TUNED)

    def curve_cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set whose learning curve is measured, classical ones first."""
        curve = self.learning_curve
        return _span(dataset, curve.feature_sets, curve.classical_models, curve.deep_models, DEFAULT)


def _span(
    dataset: str, features: list[str], classical: list[str], deep: list[str], variant: str
) -> list[Cell]:
    """Classical models on each feature set, then networks on the input itself."""
    return [
        *(Cell(dataset, f, m, "classical", variant) for f in features for m in classical),
        *(Cell(dataset, LEARNED, m, "deep", variant) for m in deep),
    ]


def load_study(path: Path) -> Study:
    """Read and check `params.yaml`.

    Raises:
        CrossoverError: the file is missing or broken, a key is unknown or missing, a list is empty or repeats a
            name, or `seeds` is not a positive integer.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise CrossoverError(f"{path} does not exist; run from the project's root") from None
    except yaml.YAMLError as error:
        raise CrossoverError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    return _checked(content, path)


def _checked(content: Any, path: Path) -> Study:
    given = _keys(content, Study, "", path)
    tuning = _keys(given["tuning"], Tuning, "tuning.", path)
    curve = _keys(given["learning_curve"], LearningCurve, "learning_curve.", path)
    for name in ("datasets", "feature_sets", "classical_models", "deep_models"):
        _require_names(name, given[name], path, may_be_empty=False)
    for name in ("feature_sets", "classical_models", "deep_models"):
        _require_names(f"tuning.{name}", tuning[name], path, may_be_empty=True)
        _require_names(f"learning_curve.{name}", curve[name], path, may_be_empty=True)
    _require_positive("seeds", given["seeds"], path)
    _require_positive("learning_curve.repetitions", curve["repetitions"], path)
    _check_sizes(curve["sizes"], path)
    _check_budget(tuning, path)
    parts = {"tuning": Tuning(**tuning), "learning_curve": LearningCurve(**curve)}
    study = Study(**{**given, **parts})
    _require_default_beside_tuned(study, path)
    _require_made_features(study, path)
    return study


def with_overrides(curve: LearningCurve, sizes: Any, repetitions: Any) -> LearningCurve:
    """The learning curve of `params.yaml` with what the command line says instead.

    Args:
        curve: of params.yaml.
        sizes: as `LearningCurve.sizes`; None keeps those of `curve`.
        repetitions: likewise.

    Raises:
        CrossoverError: a value is refused.
    """
    origin = Path("the command line")
    if sizes is not None:
        _check_sizes(sizes, origin)
        curve = replace(curve, sizes=sizes)
    if repetitions is not None:
        _require_positive("learning_curve.repetitions", repetitions, origin)
        curve = replace(curve, repetitions=repetitions)
    return curve


def _keys(content: Any, kind: type, prefix: str, path: Path) -> dict[str, Any]:
    known = [key.name for key in fields(kind)]
    given = content if isinstance(content, dict) else {}
    wrong = sorted(set(given) ^ set(known))
    if wrong:
        place = (
            f"{path} must hold exactly the keys"
            if not prefix
            else f"{prefix[:-1]} must hold exactly the keys"
        )
        origin = "" if not prefix else f" ({path})"
        raise CrossoverError(f"{place} {', '.join(known)}; check {', '.join(map(str, wrong))}{origin}")
    return given


def _require_names(name: str, names: Any, path: Path, *, may_be_empty: bool) -> None:
    if (
        not isinstance(names, list)
        or not all(isinstance(n, str) for n in names)
        or not (names or may_be_empty)
    ):
        least = "names" if may_be_empty else "at least one name"
        raise CrossoverError(f"{name} must be a list of {least}, got {names!r} ({path})")
    if len(set(names)) < len(names):
        raise CrossoverError(f"{name} must not repeat a name, got {names} ({path})")


def _require_positive(name: str, value: Any, path: Path) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise CrossoverError(f"{name} must be a positive integer, got {value!r} ({path})")


def _check_sizes(sizes: Any, path: Path) -> None:
    listed = isinstance(sizes, list) and len(sizes) > 0
    for size in sizes if listed else [sizes]:
        _require_positive("learning_curve.sizes", size, path)
    if listed and sorted(set(sizes)) != sizes:
        raise CrossoverError(f"learning_curve.sizes must rise, got {sizes} ({path})")
    if not listed and sizes < 2:
        raise CrossoverError(f"learning_curve.sizes must be at least 2 sizes, got {sizes} ({path})")


def _check_budget(tuning: dict[str, Any], path: Path) -> None:
    budget = {name: tuning[name] for name in ("trials", "seconds")}
    if sum(value is not None for value in budget.values()) != 1:
        raise CrossoverError(
            f"tuning must give each model a budget of either trials or seconds, got {budget} ({path}); "
            "set one of them and the other to null"
        )
    for name in ("trials", "seconds", "examples"):
        if tuning[name] is not None:
            _require_positive(f"tuning.{name}", tuning[name], path)
    if tuning["cost"] not in (None, *SECOND_OBJECTIVES):
        raise CrossoverError(
            f"tuning.cost must be null or one of {', '.join(SECOND_OBJECTIVES)}, got {tuning['cost']!r} ({path})"
        )
    seed = tuning["seed"]
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise CrossoverError(f"tuning.seed must be a whole number of at least 0, got {seed!r} ({path})")


def _require_default_beside_tuned(study: Study, path: Path) -> None:
    """A tuned model is compared with its own default configuration, which must be in the study."""
    searched = [
        "deep_models",
        *(["classical_models", "feature_sets"] if study.tuning.classical_models else []),
    ]
    for name in searched:
        missing = [n for n in getattr(study.tuning, name) if n not in getattr(study, name)]
        if missing:
            raise CrossoverError(
                f"tuning.{name} must be among {name}, got {missing[0]!r} ({path}); add it to {name}"
            )


def _require_made_features(study: Study, path: Path) -> None:
    """Features are made of the study's feature sets alone."""
    curve = study.learning_curve
    missing = [n for n in curve.feature_sets if n not in study.feature_sets] if curve.classical_models else []
    if missing:
        raise CrossoverError(
            f"learning_curve.feature_sets must be among feature_sets, got {missing[0]!r} ({path}); "
            "add it to feature_sets"
        )


def require_yaml(study: Study, conf: Path) -> None:
    """Check that every name of the study has its YAML.

    Raises:
        CrossoverError: one has not; the message says which names there are.
    """
    named = {
        "datasets": ("dataset", study.datasets),
        "feature_sets": ("features", study.feature_sets),
        "classical_models": ("model", study.classical_models),
        "deep_models": ("model", study.deep_models),
        "tuning.classical_models": ("search", study.tuning.classical_models),
        "tuning.deep_models": ("search", study.tuning.deep_models),
        "tuning.pruner": ("pruner", [study.tuning.pruner]),
        "learning_curve.classical_models": ("model", study.learning_curve.classical_models),
        "learning_curve.deep_models": ("model", study.learning_curve.deep_models),
    }
    for key, (group, names) in named.items():
        there = sorted(path.stem for path in (conf / group).glob("*.yaml"))
        for name in names:
            if name not in there:
                raise CrossoverError(
                    f"{key} in params.yaml names {name!r}, but conf/{group}/{name}.yaml does not exist; "
                    f"there are {', '.join(there)}"
                )
