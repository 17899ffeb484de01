"""Stage tune: search the configuration of one model on one data set.

The search itself is a Hydra sweeper (`crossover.search.sweep`), and this stage is the job of one trial.
"""

from omegaconf import DictConfig

from crossover.search.job import check_keys, run_trial


def run(config: DictConfig) -> list[float] | float | None:
    """Run one trial; see `run_trial`."""
    check_keys(config)
    return run_trial(config)
