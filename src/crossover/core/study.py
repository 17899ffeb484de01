"""params.yaml: what to run."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, field_validator, model_validator

from crossover.core.cell import DEFAULT, FAMILIES, LEARNED, SEVERAL, TEXTBOOK, TUNED, VOTE, Cell
from crossover.core.errors import CrossoverError
from crossover.core.files import read_yaml
from crossover.core.settings import Name, Names, Settings, validated

OK = "ok"
NOT_APPLICABLE = "not applicable"
"""The status of a cell: it is fitted and scored, or its model or features do not take the data set."""

SecondObjective = Literal["fit_seconds", "latency_p50_ms"]
SECOND_OBJECTIVES = get_args(SecondObjective)
"""What a search may minimise next to the accuracy that it maximises."""


def _enough_and_rising(sizes: int | list[int]) -> int | list[int]:
    if sizes in (1, []):
        raise ValueError(f"must be at least 2 sizes or a list of sizes, got {sizes}")
    if isinstance(sizes, list) and sorted(set(sizes)) != sizes:
        raise ValueError(f"must rise, got {sizes}")
    return sizes


Sizes = Annotated[PositiveInt | list[PositiveInt], AfterValidator(_enough_and_rising)]
AtLeastOneName = Annotated[Names, Field(min_length=1)]


class Textbook(Settings):
    """Which models are fitted with the recipe of `conf/textbook/`, too; they need no default cell.

    Attributes:
        feature_sets: that the classical models are fitted on.
        classical_models: to fit.
        deep_models: to fit.
    """

    feature_sets: Names = Field(default_factory=list)
    classical_models: Names = Field(default_factory=list)
    deep_models: Names = Field(default_factory=list)


class Tuning(Settings):
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

    feature_sets: Names = Field(default_factory=list)
    classical_models: Names = Field(default_factory=list)
    deep_models: Names = Field(default_factory=list)
    trials: PositiveInt | None = 30
    seconds: PositiveInt | None = None
    examples: PositiveInt | None = None
    sampler: Name = "random"
    seed: NonNegativeInt = 0
    pruner: Name = "none"
    cost: SecondObjective | None = None

    @model_validator(mode="after")
    def _one_budget(self) -> Self:
        if (self.trials is None) == (self.seconds is None):
            raise ValueError(
                f"must give each model a budget of either trials or seconds, got {self.trials} trials and "
                f"{self.seconds} seconds; set one of them and the other to null"
            )
        return self


class LearningCurve(Settings):
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

    feature_sets: Names = Field(default_factory=list)
    classical_models: Names = Field(default_factory=list)
    deep_models: Names = Field(default_factory=list)
    sizes: Sizes = 4
    repetitions: PositiveInt = 3


class Study(Settings):
    """The lists in `params.yaml` that span the study.

    Attributes:
        datasets: to compare on.
        feature_sets: to make for the classical models.
        classical_models: to fit on each feature set.
        deep_models: to fit.
        seeds: repetitions of each cell.
        soft_vote: models of each family whose probabilities are averaged, the best ones on validation rows; None for
            no vote.
        textbook: what is fitted with the textbook's recipe, too.
        tuning: what is searched.
        learning_curve: what is fitted on subsets.
    """

    datasets: AtLeastOneName
    feature_sets: AtLeastOneName
    classical_models: AtLeastOneName
    deep_models: AtLeastOneName
    seeds: PositiveInt
    soft_vote: Annotated[int, Field(ge=2)] | None = None
    textbook: Textbook = Textbook()
    tuning: Tuning = Tuning()
    learning_curve: LearningCurve = LearningCurve()

    @field_validator("classical_models", "deep_models")
    @classmethod
    def _not_a_vote(cls, names: list[str]) -> list[str]:
        if VOTE in names:
            raise ValueError(f"must not hold {VOTE!r}, which is no model; set the key soft_vote instead")
        return names

    @model_validator(mode="after")
    def _parts_stay_within_the_study(self) -> Self:
        """A tuned model is compared with its own default, and features are made of the study's feature sets alone."""
        tuning, curve = self.tuning, self.learning_curve
        named = {
            ("textbook", "feature_sets"): self.textbook.feature_sets
            if self.textbook.classical_models
            else [],
            ("tuning", "deep_models"): tuning.deep_models,
            ("tuning", "classical_models"): tuning.classical_models,
            ("tuning", "feature_sets"): tuning.feature_sets if tuning.classical_models else [],
            ("learning_curve", "feature_sets"): curve.feature_sets if curve.classical_models else [],
        }
        for (part, key), names in named.items():
            for name in names:
                if name not in getattr(self, key):
                    raise ValueError(f"{part}.{key} must be among {key}, got {name!r}; add it to {key}")
        return self

    def cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set: the default ones, then those of the textbook, then the tuned ones."""
        return [
            *_cells(dataset, self, DEFAULT),
            *_cells(dataset, self.textbook, TEXTBOOK),
            *_cells(dataset, self.tuning, TUNED),
        ]

    def votes(self, dataset: str) -> list[Cell]:
        """The soft votes of one data set: of each family, at each level of effort that has cells of its own."""
        if self.soft_vote is None:
            return []
        tuned = [TUNED] if _cells(dataset, self.tuning, TUNED) else []
        features = {"classical": SEVERAL, "deep": LEARNED}
        return [
            Cell(dataset, features[f], VOTE, f, variant) for variant in [DEFAULT, *tuned] for f in FAMILIES
        ]

    def curve_cells(self, dataset: str) -> list[Cell]:
        """The cells of one data set whose learning curve is measured, classical ones first."""
        return _cells(dataset, self.learning_curve, DEFAULT)


def _cells(dataset: str, of: Study | Textbook | Tuning | LearningCurve, variant: str) -> list[Cell]:
    """Classical models on each feature set, then networks on the input itself."""
    return [
        *(Cell(dataset, f, m, "classical", variant) for f in of.feature_sets for m in of.classical_models),
        *(Cell(dataset, LEARNED, m, "deep", variant) for m in of.deep_models),
    ]


def load_study(path: Path) -> Study:
    """Read and check `params.yaml`.

    Raises:
        CrossoverError: the file is missing or broken, a key is unknown or missing, a list is empty or repeats a
            name, or `seeds` is not a positive integer.
    """
    return validated(Study, read_yaml(path), str(path))


def with_overrides(curve: LearningCurve, sizes: Any, repetitions: Any) -> LearningCurve:
    """The learning curve of `params.yaml` with what the command line says instead.

    Args:
        curve: of params.yaml.
        sizes: as `LearningCurve.sizes`; None keeps those of `curve`.
        repetitions: likewise.

    Raises:
        CrossoverError: a value is refused.
    """
    given = {"sizes": sizes, "repetitions": repetitions}
    changes = {key: value for key, value in given.items() if value is not None}
    return validated(LearningCurve, curve.model_dump() | changes, "the command line", key="learning_curve")


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
        "textbook.classical_models": ("textbook", study.textbook.classical_models),
        "textbook.deep_models": ("textbook", study.textbook.deep_models),
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
            if group == "textbook" and not read_yaml(conf / group / f"{name}.yaml"):
                raise CrossoverError(
                    f"{key} in params.yaml names {name!r}, but conf/{group}/{name}.yaml changes nothing: its default "
                    "recipe is the textbook's; take it out of the list"
                )
