"""Fit one classical model: `python pipelines/train_classical.py dataset=digits features=raw model=random_forest`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.launching.names import TRUSTED
from crossover.stages import train_classical


@hydra.main(config_path="../conf", config_name="train_classical", execution_whitelist=TRUSTED)
def main(config: DictConfig) -> float | None:
    return train_classical.run(config)


if __name__ == "__main__":
    cli.run(main)
