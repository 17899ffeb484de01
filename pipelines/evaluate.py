"""Score every model of one data set on its test part: `python pipelines/evaluate.py dataset=digits`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.core.study import load_study
from crossover.stages.evaluate import evaluate_dataset


@hydra.main(config_path="../conf", config_name="evaluate")
def main(config: DictConfig) -> None:
    cli.check_keys(config, "dataset", "study", "tracking")
    study = load_study(Path(config.study))
    tracker = cli.tracker(config)
    evaluate_dataset(config.dataset.name, study, cli.layout(config), tracker)


if __name__ == "__main__":
    cli.run(main)
