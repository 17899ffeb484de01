"""Prepare one data set: `python pipelines/prepare.py dataset=mnist`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.core.configuration import build
from crossover.stages.prepare import prepare


@hydra.main(config_path="../conf", config_name="prepare")
def main(config: DictConfig) -> None:
    cli.check_keys(config, "dataset", "protocol")
    source = build(config.dataset, cli.origin("dataset"))
    prepare(source, build(config.protocol, cli.origin("protocol")), cli.layout(config))


if __name__ == "__main__":
    cli.run(main)
