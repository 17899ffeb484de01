"""Score every model of one data set on its test part: `python pipelines/evaluate.py dataset=digits`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.stages import evaluate


@hydra.main(config_path="../conf", config_name="evaluate")
def main(config: DictConfig) -> None:
    evaluate.run(config)


if __name__ == "__main__":
    cli.run(main)
