"""Compare all data sets of the study: `python pipelines/compare.py`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.stages import compare


@hydra.main(config_path="../conf", config_name="compare")
def main(config: DictConfig) -> None:
    compare.run(config)


if __name__ == "__main__":
    cli.run(main)
