"""What the two training stages share: from their configuration to the fits of one cell."""

from pathlib import Path

from omegaconf import DictConfig

from crossover.core.cell import Family
from crossover.core.clock import use_threads
from crossover.fitting.best import configured
from crossover.fitting.training import Training, mean_validation_accuracy, repetitions
from crossover.launching import job, multirun

_GROUPS = {"classical": ("features",), "deep": ("trainer",)}
_KEYS = ("dataset", "model", "tracking", "threads", "seed", "seeds", "variant", "output", "not_applicable")


def fit_cell(config: DictConfig, family: Family) -> float | None:
    """Fit the repetitions of one cell.

    Args:
        config: of `conf/train_classical.yaml` or `conf/train_deep.yaml`.
        family: what the stage fits.

    Returns:
        what a Hydra sweeper maximises: mean accuracy on the validation parts; None where there are none.

    Raises:
        CrossoverError: a key is misspelt, or a value is refused; see `Training.run`.
    """
    job.check_keys(config, *_KEYS, *_GROUPS[family])
    layout = job.layout(config)
    fit_config = configured(job.fit_config(config, variant=config.variant, family=family), layout)
    tracker = job.tracker(config)
    training = Training(fit_config, layout, Path(config.output), tracker, job.multirun_name())
    threads = config.trainer.threads if family == "deep" else None
    with use_threads(threads or config.threads):
        seeds = repetitions(config.seed, config.seeds)
        fits = multirun.fit(training, seeds, not_applicable=config.not_applicable)
    return mean_validation_accuracy(fits)
