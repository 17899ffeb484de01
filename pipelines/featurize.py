"""Make one feature set of one data set: `python pipelines/featurize.py dataset=mnist features=handcrafted`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.stages import featurize


@hydra.main(config_path="../conf", config_name="featurize")
def main(config: DictConfig) -> None:
    featurize.run(config)


if __name__ == "__main__":
    cli.run(main)
