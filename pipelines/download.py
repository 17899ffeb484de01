"""Download one data set: `python pipelines/download.py dataset=mnist`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.stages import download


@hydra.main(config_path="../conf", config_name="download")
def main(config: DictConfig) -> None:
    download.run(config)


if __name__ == "__main__":
    cli.run(main)
