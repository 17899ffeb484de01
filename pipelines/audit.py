"""Look for what is wrong with one data set: `python pipelines/audit.py dataset=digits`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.stages import audit


@hydra.main(config_path="../conf", config_name="audit")
def main(config: DictConfig) -> None:
    audit.run(config)


if __name__ == "__main__":
    cli.run(main)
