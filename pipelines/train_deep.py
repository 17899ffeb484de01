"""Train one network: `python pipelines/train_deep.py dataset=digits model=cnn trainer=auto`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.config import plain
from crossover.layout import LEARNED
from crossover.training import CellConfig, Training, mean_validation_accuracy, repetitions


@hydra.main(config_path="../conf", config_name="train_deep")
def main(config: DictConfig) -> float | None:
    cli.check_keys(config, "dataset", "model", "trainer", "tracking", *cli.TRAINING)
    cell = CellConfig(
        dataset=config.dataset.name,
        features=LEARNED,
        model=cli.choice("model"),
        family="deep",
        variant=config.variant,
        config=plain(config.model),
        trainer=plain(config.trainer),
        origin=cli.origin("model"),
        trainer_origin=cli.origin("trainer"),
    )
    tracker = cli.tracker(config)
    training = Training(cell, cli.layout(config), Path(config.output), tracker, cli.multirun_name())
    fits = training.run(repetitions(config.seed, config.seeds), not_applicable=config.not_applicable)
    return mean_validation_accuracy(fits)


if __name__ == "__main__":
    cli.run(main)
