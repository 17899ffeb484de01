"""The paths of everything below the project's root."""

from dataclasses import dataclass
from pathlib import Path

from crossover.core.cell import Cell
from crossover.core.errors import CrossoverError
from crossover.core.settings import NAME, NAME_IN_WORDS


@dataclass(frozen=True)
class Layout:
    """Paths of the pipeline's inputs and outputs below `root`, and never outside it.

    Raises:
        CrossoverError: a data set, a feature set or a model has a name that is none, such as "../src".
    """

    root: Path

    def raw(self, dataset: str) -> Path:
        """The publisher's files, never altered."""
        return self._below("data", "raw", dataset)

    def prepared(self, dataset: str) -> Path:
        """Arrays or tables, the split and the training statistics."""
        return self._below("data", "prepared", dataset)

    def features(self, dataset: str, features: str) -> Path:
        """Feature matrices for the classical models."""
        return self._below("data", "features", dataset, features)

    def models(self, cell: Cell) -> Path:
        """The fitted models of one cell of the study, one folder a repetition."""
        return self._below("models", cell.dataset, cell.features, cell.model_and_variant)

    def tuning(self, cell: Cell) -> Path:
        """What the search for the configuration of one cell found; the same whichever the cell's variant."""
        return self._below("results", "tuning", cell.dataset, cell.features, cell.model)

    def curve(self, cell: Cell) -> Path:
        """The learning curve of one cell; the same whichever the cell's variant."""
        return self._below("results", "learning_curve", cell.dataset, cell.features, cell.model)

    def results(self, dataset: str) -> Path:
        """Everything that was scored on the test part of one data set."""
        return self._below("results", dataset)

    @property
    def reports(self) -> Path:
        """The comparison over all data sets."""
        return self.root / "reports"

    @property
    def staging(self) -> Path:
        """Finished fits and checkpoints of a cell that has not ended yet; survives a kill, unknown to DVC."""
        return self.root / ".staging"

    def _below(self, *names: str) -> Path:
        wrong = [name for name in names if not NAME.fullmatch(name)]
        if wrong:
            raise CrossoverError(
                f"what names a folder must be {NAME_IN_WORDS}, got {wrong[0]!r}; rename its YAML file"
            )
        return self.root.joinpath(*names)
