"""Compare all data sets of the study: `python pipelines/compare.py`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.report.compare import compare
from crossover.study import load_study


@hydra.main(config_path="../conf", config_name="compare")
def main(config: DictConfig) -> None:
    cli.check_keys(config, "study")
    compare(load_study(Path(config.study)), cli.layout(config))


if __name__ == "__main__":
    cli.run(main)
