"""Train one network: `python pipelines/train_deep.py dataset=digits model=cnn trainer=auto`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.launching.names import TRUSTED
from crossover.stages import train_deep


@hydra.main(config_path="../conf", config_name="train_deep", execution_whitelist=TRUSTED)
def main(config: DictConfig) -> float | None:
    return train_deep.run(config)


if __name__ == "__main__":
    cli.run(main)
