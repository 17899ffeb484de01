"""Prepare one data set: `python pipelines/prepare.py dataset=mnist`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.stages import prepare


@hydra.main(config_path="../conf", config_name="prepare")
def main(config: DictConfig) -> None:
    prepare.run(config)


if __name__ == "__main__":
    cli.run(main)
