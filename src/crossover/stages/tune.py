"""Stage tune: search the configuration of one model on one data set.

The search itself is a Hydra sweeper (`crossover.search.sweep`), and this stage is the job of one trial.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from crossover.core.clock import use_threads
from crossover.core.columns import COMPLETED
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.metric import WORDS
from crossover.fitting.keys import values_at
from crossover.launching import job as hydra_job
from crossover.search.config import TrialConfig
from crossover.search.storage import load_study
from crossover.search.trial import Trial

log = logging.getLogger(__name__)


def run(config: DictConfig) -> list[float] | float | None:
    """Run the trial that this job is, and return the values of its objectives.

    Outside of a search it is the configuration alone, and nothing is pruned.

    Raises:
        CrossoverError: the model does not take the data set, or, outside of a search, the trial failed.
    """
    trial = TrialConfig(config)
    if error := trial.not_applicable():
        raise error
    folder = Path(HydraConfig.get().runtime.output_dir)
    if config.trial.number is None:
        result = Trial(trial.fit, trial.data, trial.plan, folder, _pruner(trial), lambda *_: None).run()
        if result.error:
            raise CrossoverError(result.error)
        metric = WORDS[trial.data.meta.metric]
        log.info("validation %s %.4f over %d splits", metric, result.score, len(result.scores))
        return result.score
    params = values_at(trial.fit.model, list(config.trial.searched))
    facts = trial.trial_facts(config.trial.sweep, config.trial.number, params)
    limit = use_threads(config.trainer.threads or config.threads)
    with limit, hydra_job.tracker(config).trial(facts) as tracked:
        result = Trial(trial.fit, trial.data, trial.plan, folder, _pruner(trial), tracked.epoch).run()
        means = {
            f"val/{trial.data.meta.metric}": [result.score],
            "seconds": [result.seconds],
            "val/log_loss": result.log_losses,
            "fit_seconds": result.fit_seconds,
        }
        numbers = {name: float(np.mean(values)) for name, values in means.items() if values}
        tracked.metrics({name: value for name, value in numbers.items() if not np.isnan(value)})
        tracked.ended(result.state, result.error)
    values = result.objectives(trial.plan.objectives) if result.state == COMPLETED else None
    return values[0] if values and len(values) == 1 else values


def _pruner(trial: TrialConfig) -> Callable[[int, float], bool]:
    """Asks Optuna's pruner whether the trial is hopeless; the storage holds what the others reported."""
    if trial.job.trial.number is None or not trial.plan.prunes:
        return lambda step, value: False
    import optuna

    study = load_study(trial.storage(), trial.job.trial.study)
    study.pruner = build(trial.plan.pruner, hydra_job.origin("pruner"), optuna.pruners.BasePruner)
    stored = study.get_trials(deepcopy=False)[trial.job.trial.number]
    live = optuna.trial.Trial(study, stored._trial_id)

    def hopeless(step: int, value: float) -> bool:
        live.report(value, step)
        return live.should_prune()

    return hopeless
