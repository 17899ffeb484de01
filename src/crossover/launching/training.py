"""What the two training stages share: from their configuration to the fits of one cell."""

from pathlib import Path

from omegaconf import DictConfig

from crossover.core.cell import Family
from crossover.core.clock import use_threads
from crossover.fitting import engine
from crossover.fitting.training import Training, repetitions
from crossover.fitting.variants import configured
from crossover.launching import job
from crossover.launching.multirun import mark_taken_over

_GROUPS = {"classical": ("features",), "deep": ("trainer",)}
_KEYS = (
    "dataset",
    "model",
    "tracking",
    "threads",
    "seed",
    "seeds",
    "variant",
    "output",
    "not_applicable",
    "clock_seconds",
)


def fit_cell(config: DictConfig, family: Family) -> float | None:
    """Fit the repetitions of one cell.

    Args:
        config: of `conf/train_classical.yaml` or `conf/train_deep.yaml`.
        family: what the stage fits.

    Returns:
        what a Hydra sweeper maximises: mean of the data set's metric on validation rows, by fits without them; None
        where the cell does not apply.

    Raises:
        CrossoverError: a key is misspelt, or a value is refused; see `Training.run`.
    """
    job.check_keys(config, *_KEYS, *_GROUPS[family])
    layout = job.layout(config)
    fit_config = configured(job.fit_config(config, variant=config.variant, family=family), layout)
    tracker = job.tracker(config)
    training = Training(
        fit_config, layout, Path(config.output), tracker, job.multirun_folder(), job.clock_seconds(config)
    )
    threads = config.trainer.threads if family == "deep" else None
    with use_threads(threads or config.threads):
        seeds = repetitions(config.seed, config.seeds)
        if config.seeds is not None:
            training.data.prepared.require_splits(len(seeds))
        if training.data.why_not():
            training.run(seeds, not_applicable=config.not_applicable)
            return None
        # A second process that fits the same waits for the first.
        with engine.lock(training.data, training.fit_id(seeds[0])):
            # Taken over: what an earlier job of a multirun fitted in the same folder, or a stage that went on after
            # `dvc` was killed.
            found = training.existing(seeds)
            if found is None:
                training.run(seeds)
    if found is not None:
        mark_taken_over(training.output)
    return training.validation_score()
