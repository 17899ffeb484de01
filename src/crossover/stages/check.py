"""Stage check: everything that `params.yaml` names exists, before anything else runs."""

from pathlib import Path

from omegaconf import DictConfig

from crossover.core.study import load_study, require_yaml
from crossover.launching import job


def run(config: DictConfig) -> None:
    """Check the names of the study against the files in `conf/`.

    Raises:
        CrossoverError: `params.yaml` is broken or names what does not exist.
    """
    job.check_keys(config, "study")
    require_yaml(load_study(Path(config.study)), Path(config.root) / "conf")
