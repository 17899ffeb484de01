"""Check that everything `params.yaml` names exists, before anything runs: `python pipelines/check.py`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.stages import check


@hydra.main(config_path="../conf", config_name="check")
def main(config: DictConfig) -> None:
    check.run(config)


if __name__ == "__main__":
    cli.run(main)
