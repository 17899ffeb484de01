"""Measure the learning curve of one model: `python pipelines/learning_curve.py dataset=digits model=cnn`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.launching.names import TRUSTED
from crossover.stages import learning_curve


@hydra.main(config_path="../conf", config_name="learning_curve", execution_whitelist=TRUSTED)
def main(config: DictConfig) -> float | None:
    return learning_curve.run(config)


if __name__ == "__main__":
    cli.run(main)
