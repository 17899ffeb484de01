"""params.yaml: what to run."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from crossover.errors import CrossoverError
from crossover.layout import LEARNED

OK = "ok"
NOT_APPLICABLE = "not applicable"
"""What becomes of a cell: it is fitted and scored, or its model or features do not take the data set."""


@dataclass(frozen=True)
class Cell:
    """One data set, one feature set, one model: what a training stage fits over all repetitions."""

    dataset: str
    features: str
    model: str

    @property
    def name(self) -> str:
        return f"{self.features}-{self.model}"


@dataclass(frozen=True)
class Study:
    """The lists in `params.yaml` that span the study."""

    datasets: list[str]
    feature_sets: list[str]
    classical_models: list[str]
    deep_models: list[str]
    seeds: int

    def cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set: classical models on each feature set, then networks on the input itself."""
        classical = [Cell(dataset, f, m) for f in self.feature_sets for m in self.classical_models]
        return classical + [Cell(dataset, LEARNED, m) for m in self.deep_models]


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
    known = [field.name for field in fields(Study)]
    given = content if isinstance(content, dict) else {}
    if set(given) != set(known):
        wrong = sorted(set(given) ^ set(known))
        raise CrossoverError(
            f"{path} must hold exactly the keys {', '.join(known)}; check {', '.join(wrong)}"
        )
    for name in known[:-1]:
        names = given[name]
        if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
            raise CrossoverError(f"{name} must be a list of at least one name, got {names!r} ({path})")
        if len(set(names)) < len(names):
            raise CrossoverError(f"{name} must not repeat a name, got {names} ({path})")
    if not isinstance(given["seeds"], int) or given["seeds"] < 1:
        raise CrossoverError(f"seeds must be a positive integer, got {given['seeds']!r} ({path})")
    return Study(**given)


def require_yaml(study: Study, conf: Path) -> None:
    """Check that every name of the study has its YAML.

    Raises:
        CrossoverError: one has not; the message says which names there are.
    """
    groups = {
        "datasets": "dataset",
        "feature_sets": "features",
        "classical_models": "model",
        "deep_models": "model",
    }
    for key, group in groups.items():
        there = sorted(path.stem for path in (conf / group).glob("*.yaml"))
        for name in getattr(study, key):
            if name not in there:
                raise CrossoverError(
                    f"{key} in params.yaml names {name!r}, but conf/{group}/{name}.yaml does not exist; "
                    f"there are {', '.join(there)}"
                )
