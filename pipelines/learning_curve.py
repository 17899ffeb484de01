"""Measure the learning curve of one model: `python pipelines/learning_curve.py dataset=digits model=cnn`."""

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.launching import multirun
from crossover.stages.learning_curve import KEYS, run_curve


@hydra.main(config_path="../conf", config_name="learning_curve", execution_whitelist=multirun.TRUSTED)
def main(config: DictConfig) -> float | None:
    cli.check_keys(config, *KEYS)
    return run_curve(config)


if __name__ == "__main__":
    cli.run(main)
