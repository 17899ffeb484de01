"""params.yaml: what to run."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from crossover.errors import CrossoverError
from crossover.layout import LEARNED

OK = "ok"
NOT_APPLICABLE = "not applicable"
"""What becomes of a cell: it is fitted and scored, or its model or features do not take the data set."""

SECOND_OBJECTIVES = ("fit_seconds", "latency_p50_ms")
"""What a search may minimise beside the accuracy that it maximises."""

DEFAULT = "default"
TUNED = "tuned"
"""Variants of a cell: the model as its YAML says, or with the best configuration that a search found."""


@dataclass(frozen=True)
class Cell:
    """One data set, one feature set, one model, one variant: what a training stage fits over all repetitions."""

    dataset: str
    features: str
    model: str
    variant: str = DEFAULT

    @property
    def name(self) -> str:
        """For file names: "raw-xgboost", "raw-xgboost-tuned"."""
        suffix = "" if self.variant == DEFAULT else f"-{self.variant}"
        return f"{self.features}-{self.model}{suffix}"


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
class Study:
    """The lists in `params.yaml` that span the study."""

    datasets: list[str]
    feature_sets: list[str]
    classical_models: list[str]
    deep_models: list[str]
    seeds: int
    tuning: Tuning = field(default_factory=Tuning)

    def cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set: the default ones, then the tuned ones."""
        default = _span(dataset, self.feature_sets, self.classical_models, self.deep_models, DEFAULT)
        return default + self.tuned_cells(dataset)

    def tuned_cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set that are searched and fitted again with what was found."""
        tuning = self.tuning
        return _span(dataset, tuning.feature_sets, tuning.classical_models, tuning.deep_models, TUNED)


def _span(
    dataset: str, features: list[str], classical: list[str], deep: list[str], variant: str
) -> list[Cell]:
    """Classical models on each feature set, then networks on the input itself."""
    return [
        *(Cell(dataset, f, m, variant) for f in features for m in classical),
        *(Cell(dataset, LEARNED, m, variant) for m in deep),
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
    for name in ("datasets", "feature_sets", "classical_models", "deep_models"):
        _require_names(name, given[name], path, may_be_empty=False)
    for name in ("feature_sets", "classical_models", "deep_models"):
        _require_names(f"tuning.{name}", tuning[name], path, may_be_empty=True)
    _require_positive("seeds", given["seeds"], path)
    _check_budget(tuning, path)
    study = Study(**{**given, "tuning": Tuning(**tuning)})
    _require_default_beside_tuned(study, path)
    return study


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
    }
    for key, (group, names) in named.items():
        there = sorted(path.stem for path in (conf / group).glob("*.yaml"))
        for name in names:
            if name not in there:
                raise CrossoverError(
                    f"{key} in params.yaml names {name!r}, but conf/{group}/{name}.yaml does not exist; "
                    f"there are {', '.join(there)}"
                )
