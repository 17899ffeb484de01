"""Fit one classical model: `python pipelines/train_classical.py dataset=digits features=raw model=random_forest`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from crossover import cli
from crossover.core.clock import use_threads
from crossover.core.configuration import plain
from crossover.fitting.best import configured
from crossover.fitting.training import CellConfig, Training, mean_validation_accuracy, repetitions
from crossover.launching import multirun


@hydra.main(config_path="../conf", config_name="train_classical", execution_whitelist=multirun.TRUSTED)
def main(config: DictConfig) -> float | None:
    cli.check_keys(config, "dataset", "features", "model", "tracking", "threads", *cli.TRAINING)
    cell = CellConfig(
        dataset=config.dataset.name,
        features=cli.choice("features"),
        model=cli.choice("model"),
        family="classical",
        variant=config.variant,
        config=plain(config.model),
        origin=cli.origin("model"),
    )
    tracker = cli.tracker(config)
    layout = cli.layout(config)
    training = Training(configured(cell, layout), layout, Path(config.output), tracker, cli.multirun_name())
    with use_threads(config.threads):
        seeds = repetitions(config.seed, config.seeds)
        fits = multirun.fit(training, seeds, not_applicable=config.not_applicable)
    return mean_validation_accuracy(fits)


if __name__ == "__main__":
    cli.run(main)
