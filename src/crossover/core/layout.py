"""Where everything lies below the project's root."""

from dataclasses import dataclass
from pathlib import Path

LEARNED = "learned"
"""The feature set of a network: it takes the prepared input and learns its features from it."""


@dataclass(frozen=True)
class Layout:
    """Paths of the pipeline's inputs and outputs below `root`."""

    root: Path

    def raw(self, dataset: str) -> Path:
        """The publisher's files, never altered."""
        return self.root / "data" / "raw" / dataset

    def prepared(self, dataset: str) -> Path:
        """Arrays or tables, the split and the training statistics."""
        return self.root / "data" / "prepared" / dataset

    def features(self, dataset: str, features: str) -> Path:
        """Feature matrices for the classical models."""
        return self.root / "data" / "features" / dataset / features

    def cell(self, dataset: str, features: str, model: str, variant: str = "default") -> Path:
        """The fitted models of one cell of the study, one folder a repetition."""
        suffix = "" if variant == "default" else f"-{variant}"
        return self.root / "models" / dataset / features / f"{model}{suffix}"

    def tuning(self, dataset: str, features: str, model: str) -> Path:
        """What the search for the configuration of one cell found."""
        return self.root / "results" / "tuning" / dataset / features / model

    def curve(self, dataset: str, features: str, model: str) -> Path:
        """The learning curve of one cell."""
        return self.root / "results" / "learning_curve" / dataset / features / model

    def results(self, dataset: str) -> Path:
        """Everything that was scored on the test part of one data set."""
        return self.root / "results" / dataset

    @property
    def reports(self) -> Path:
        """The comparison over all data sets."""
        return self.root / "reports"

    @property
    def staging(self) -> Path:
        """Finished fits and checkpoints of a cell that has not ended yet; survives a kill, unknown to DVC."""
        return self.root / ".staging"
