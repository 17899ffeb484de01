"""Check that everything `params.yaml` names exists, before anything runs: `python pipelines/check.py`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.core.study import load_study, require_yaml


@hydra.main(config_path="../conf", config_name="check")
def main(config: DictConfig) -> None:
    cli.check_keys(config, "study")
    require_yaml(load_study(Path(config.study)), Path(config.root) / "conf")


if __name__ == "__main__":
    cli.run(main)
