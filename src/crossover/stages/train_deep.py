"""Stage train_deep: one network on the prepared input of one data set, over its repetitions."""

from omegaconf import DictConfig

from crossover.launching.training import fit_cell


def run(config: DictConfig) -> float | None:
    """Fit the cell; see `fit_cell`."""
    return fit_cell(config, "deep")
