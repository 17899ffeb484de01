"""Train one network: `python pipelines/train_deep.py dataset=digits model=cnn trainer=auto`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.core.clock import use_threads
from crossover.core.configuration import plain
from crossover.core.layout import LEARNED
from crossover.fitting.best import configured
from crossover.fitting.training import CellConfig, Training, mean_validation_accuracy, repetitions
from crossover.launching import multirun


@hydra.main(config_path="../conf", config_name="train_deep", execution_whitelist=multirun.TRUSTED)
def main(config: DictConfig) -> float | None:
    cli.check_keys(config, "dataset", "model", "trainer", "tracking", "threads", *cli.TRAINING)
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
    layout = cli.layout(config)
    training = Training(configured(cell, layout), layout, Path(config.output), tracker, cli.multirun_name())
    with use_threads(config.trainer.threads or config.threads):
        seeds = repetitions(config.seed, config.seeds)
        fits = multirun.fit(training, seeds, not_applicable=config.not_applicable)
    return mean_validation_accuracy(fits)


if __name__ == "__main__":
    cli.run(main)
