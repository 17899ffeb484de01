"""A cell of the study: one data set, one feature set, one model, one variant. Its identity and all its names."""

from dataclasses import dataclass
from typing import Final, Literal

Family = Literal["classical", "deep"]

FAMILIES: tuple[Family, ...] = ("classical", "deep")

LEARNED = "learned"
"""The feature set of a network: it takes the prepared input and learns its features from it."""

VOTE = "soft_vote"
"""In place of a model: the mean of the probabilities of the best models of a family."""

SEVERAL = "several"
"""In place of the feature set of a vote of classical models."""

Tier = Literal["textbook", "default", "tuned"]

TEXTBOOK: Final = "textbook"
DEFAULT: Final = "default"
TUNED: Final = "tuned"
"""Variants of a cell: with the recipe of `conf/textbook/`, as the model's YAML says, or with the best configuration
that a search found."""

TIERS: tuple[Tier, ...] = (TEXTBOOK, DEFAULT, TUNED)
"""The same as levels of effort, the least first."""


@dataclass(frozen=True)
class Cell:
    """What a training stage fits over all repetitions. Its fields are the first columns of every table of results.

    Attributes:
        dataset: name of the data set's YAML.
        features: name of the feature set's YAML; `LEARNED` for a network.
        model: name of the model's YAML; `VOTE` for what stands for several.
        family: "classical" or "deep".
        variant: one of `TIERS`; a trial of a search and a learning curve have variants of their own.
    """

    dataset: str
    features: str
    model: str
    family: Family
    variant: str = DEFAULT

    @property
    def model_and_variant(self) -> str:
        """For folders: "xgboost", "xgboost-tuned"."""
        return self.model if self.variant == DEFAULT else f"{self.model}-{self.variant}"

    @property
    def name(self) -> str:
        """For file names: "raw-xgboost", "raw-xgboost-tuned"."""
        return f"{self.features}-{self.model_and_variant}"

    @property
    def model_label(self) -> str:
        """For a table with a column of features: "xgboost", "xgboost, tuned"."""
        return self.model if self.variant == DEFAULT else f"{self.model}, {self.variant}"

    @property
    def label(self) -> str:
        """For figures and tables without that column: "xgboost (raw)", "xgboost, tuned (raw)", "cnn"."""
        return self.model_label if self.features == LEARNED else f"{self.model_label} ({self.features})"

    @property
    def described(self) -> str:
        """For a sentence that says what the model sees: "tuned xgboost on raw features", "cnn on its own features"."""
        model = self.model if self.variant == DEFAULT else f"{self.variant} {self.model}"
        features = "its own" if self.family == "deep" else self.features
        return f"{model} on {features} features"

    @property
    def path(self) -> str:
        """For log lines: "digits · raw · xgboost"."""
        return f"{self.dataset} · {self.features} · {self.model}"

    @property
    def in_words(self) -> str:
        """For error messages: "digits, raw, xgboost", "digits, raw, xgboost, tuned"."""
        return f"{self.dataset}, {self.features}, {self.model_label}"

    @property
    def made_by(self) -> str:
        """The command that fits it, or scores the vote."""
        if self.model == VOTE:
            return f"dvc repro evaluate@{self.dataset}"
        stage = f"train_{self.family}" + ("" if self.variant == DEFAULT else f"_{self.variant}")
        features = [] if self.family == "deep" else [self.features]
        return f"dvc repro {stage}@{'-'.join([self.dataset, *features, self.model])}"
