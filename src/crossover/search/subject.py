"""What one search is about, and what identifies it."""

from functools import cached_property
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from crossover.core.columns import COMPLETED, FAILED, PRUNED, TRIAL_KEYS
from crossover.core.files import digest
from crossover.core.study import OK
from crossover.fitting.training import TrainingData, code_checksum
from crossover.launching import job as hydra_job
from crossover.search import job
from crossover.search.proposals import canonical
from crossover.search.settings import SweeperSettings
from crossover.search.space import SearchSpace
from crossover.search.trial import settings_of
from crossover.tracking.tracker import SweepFacts

_TRACKED = ("sampler", "seed", "pruner", "objectives", "budget", "examples", "repetitions")


class Subject:
    """One model on one feature set of one data set, its search space, and how it is searched.

    Args:
        config: a job's configuration, with the default configuration of the model.
        swept: the search space on the command line, instead of the model's.
        settings: the sweeper's.

    Raises:
        CrossoverError: a key is misspelt, or the default configuration is refused: a mistake, not a failed trial.
    """

    def __init__(self, config: DictConfig, swept: dict[str, Any], settings: SweeperSettings) -> None:
        job.check_keys(config)
        self.config, self.swept, self.settings = config, swept, settings
        self.root = Path(config.root)
        self.fit_config, self.plan = job.fit_config(config), job.plan_of(config)
        self.cell = self.fit_config.cell
        self.data = TrainingData(self.fit_config, hydra_job.layout(config))
        self.fit_config.build()

    @cached_property
    def space(self) -> SearchSpace:
        """What is searched."""
        return job.space_of(self.config, self.fit_config.model, self.swept)

    @cached_property
    def sweep_id(self) -> str:
        """SHA-256 of all that decides the trials, but not of how many there are."""
        return digest(
            {
                **settings_of(self.fit_config, self.data, self.plan),
                "config": self.fit_config.model,
                "space": self.space.as_dict(),
                "sampler": OmegaConf.to_container(OmegaConf.create(self.settings.sampler), resolve=True),
                "grid_points": self.settings.grid_points,
                "seed": self.settings.seed,
                "code": code_checksum(),
            }
        )

    @property
    def title(self) -> str:
        """For messages."""
        return self.cell.path

    @cached_property
    def name(self) -> str:
        """For files and the storage: named by content."""
        return f"{self.cell.dataset}-{self.cell.features}-{self.cell.model}-{self.sweep_id[:8]}"

    def trial_id(self, params: dict[str, Any]) -> str:
        """SHA-256 of a trial's content."""
        return job.trial_id(self.sweep_id, canonical(params))

    def tracked(self) -> SweepFacts:
        """What identifies the search to the tracker."""
        facts = self.facts(OK, "")
        params = {name: facts[name] for name in _TRACKED}
        return job.sweep_facts(self.cell, self.data, self.sweep_id, params, self.root)

    def facts(self, status: str, reason: str) -> dict[str, Any]:
        """The keys of `schema.SWEEP` that are known before a trial ends."""
        cell, applies = self.cell, status == OK
        repetitions = self.plan.repetitions(self.data.prepared)
        held_out = len(self.data.prepared.validation_rows(repetitions[0]))
        return {
            **{name: getattr(cell, name) for name in TRIAL_KEYS if name != "trial"},
            "status": status,
            "reason": reason,
            "sampler": self.settings.sampler_name,
            "seed": self.settings.seed,
            "pruner": hydra_job.choice("pruner") if self.plan.prunes else "none",
            "objectives": list(self.plan.objectives),
            "budget": self.settings.budget.as_dict(),
            "examples": self.plan.examples,
            "repetitions": repetitions,
            "n_train": self.plan.examples or self.data.meta.n_train - held_out,
            "n_validation": held_out,
            COMPLETED: 0,
            PRUNED: 0,
            FAILED: 0,
            "best_trial": None,
            "exhausted": False,
            "independent": self.settings.sampler_name == "random",
            "space": self.space.as_dict() if applies else {},
            "data_checksum": self.data.meta.checksum,
        }
