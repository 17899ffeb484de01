"""The paths of everything below the project's root."""

from dataclasses import dataclass
from pathlib import Path

from crossover.core.cell import Cell


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

    def models(self, cell: Cell) -> Path:
        """The fitted models of one cell of the study, one folder a repetition."""
        return self.root / "models" / cell.dataset / cell.features / cell.model_and_variant

    def tuning(self, cell: Cell) -> Path:
        """What the search for the configuration of one cell found; the same whichever the cell's variant."""
        return self.root / "results" / "tuning" / cell.dataset / cell.features / cell.model

    def curve(self, cell: Cell) -> Path:
        """The learning curve of one cell; the same whichever the cell's variant."""
        return self.root / "results" / "learning_curve" / cell.dataset / cell.features / cell.model

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
