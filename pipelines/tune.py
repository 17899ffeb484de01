"""Search the configuration of one model: `python pipelines/tune.py dataset=digits features=raw model=xgboost`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.launching.names import TRUSTED
from crossover.stages import tune


@hydra.main(config_path="../conf", config_name="tune", execution_whitelist=TRUSTED)
def main(config: DictConfig) -> list[float] | float | None:
    return tune.run(config)


if __name__ == "__main__":
    cli.run(main)
