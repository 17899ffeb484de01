"""Download one data set: `python pipelines/download.py dataset=mnist`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.core.configuration import build
from crossover.stages.download import download


@hydra.main(config_path="../conf", config_name="download")
def main(config: DictConfig) -> None:
    cli.check_keys(config, "dataset")
    download(build(config.dataset, cli.origin("dataset")), cli.layout(config))


if __name__ == "__main__":
    cli.run(main)
