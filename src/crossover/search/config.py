"""What a trial and a search read from the configuration of `pipelines/tune.py`."""

from functools import cached_property
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from crossover.core.clock import git_commit
from crossover.core.columns import COMPLETED, FAILED, PRUNED, TRIAL_KEYS
from crossover.core.configuration import build, plain
from crossover.core.errors import CrossoverError
from crossover.core.files import digest
from crossover.core.settings import validated
from crossover.core.study import OK
from crossover.fitting import engine
from crossover.fitting.data import TrainingData
from crossover.fitting.keys import with_values
from crossover.launching import job as hydra_job
from crossover.search.plan import Plan
from crossover.search.proposals import canonical
from crossover.search.settings import SweeperSettings
from crossover.search.space import SearchSpace
from crossover.tracking.tracker import SweepFacts, TrialFacts

_GROUPS = ("dataset", "features", "model", "trainer", "search", "tracking")
_KEYS = ("output", "not_applicable", "threads", "trial")


class TrialConfig:
    """One configuration of one model on one feature set of one data set, and how it is scored.

    Args:
        job: the configuration of a Hydra job.

    Raises:
        CrossoverError: a key is misspelt or missing, or a value is refused.
    """

    def __init__(self, job: DictConfig) -> None:
        hydra_job.check_keys(job, *_GROUPS, *_KEYS, *Plan.model_fields)
        self.job, self.root = job, Path(job.root)
        plan = {name: plain(job)[name] for name in Plan.model_fields}
        self.plan = validated(Plan, plan, "conf/tune.yaml or the command line")
        self.fit = hydra_job.fit_config(job, variant="trial")
        self.cell = self.fit.cell
        self.data = TrainingData(self.fit, hydra_job.layout(job))

    def not_applicable(self) -> CrossoverError | None:
        """The error where the model does not take the data set."""
        reason = self.data.why_not()
        error = f"{reason} ({self.fit.model_origin}); choose another model or data set"
        return CrossoverError(error) if reason else None

    def storage(self) -> str:
        """Address of the Optuna storage; by default a SQLite file in the project's root, next to MLflow's."""
        return HydraConfig.get().sweeper.storage or f"sqlite:///{self.root / 'optuna.db'}"

    def sweep_facts(self, sweep_id: str, params: dict[str, Any]) -> SweepFacts:
        """What identifies a search to the tracker, and what it records of it."""
        return SweepFacts(
            cell=self.cell,
            name=f"tune {self.cell.model} · {self.cell.features} · {sweep_id[:8]}",
            sweep_id=sweep_id,
            params=params,
            git_commit=git_commit(self.root),
            meta=self.data.meta,
        )

    def trial_facts(self, sweep_id: str, number: int, params: dict[str, Any]) -> TrialFacts:
        """What identifies a trial to the tracker; `params` are the values that were searched."""
        config = {"model": with_values(self.fit.model, params)}
        identity = trial_id(sweep_id, params)
        return TrialFacts(self.sweep_facts(sweep_id, {}), number, identity, params, config)


class SearchConfig(TrialConfig):
    """The search of one model, from the default configuration on.

    Args:
        job: the configuration of a Hydra job, with the default configuration of the model.
        ranges: the search space on the command line; empty for the model's YAML in `conf/search/`.
        settings: the sweeper's.

    Raises:
        CrossoverError: a key or value is refused, or the default configuration is: a mistake, not a failed trial.
    """

    def __init__(self, job: DictConfig, ranges: dict[str, str], settings: SweeperSettings) -> None:
        super().__init__(job)
        self.settings, self._ranges = settings, ranges
        from optuna.pruners import BasePruner

        self.fit.build()
        build(self.plan.pruner, hydra_job.origin("pruner"), BasePruner)

    @cached_property
    def space(self) -> SearchSpace:
        """What is searched."""
        origin = "the command line" if self._ranges else hydra_job.origin("search")
        ranges = self._ranges or plain(self.job.search)
        return SearchSpace.load(ranges, self.fit.model, origin, self.fit.model_origin)

    @cached_property
    def sweep_id(self) -> str:
        """SHA-256 of all that decides the trials, but not of how many there are."""
        return digest(
            {
                **engine.identity(self.data),
                "metric": self.data.meta.metric,
                "plan": self.plan.model_dump(),
                "repetitions": self.plan.repetitions(self.data.prepared),
                "space": self.space.ranges,
                "sampler": OmegaConf.to_container(OmegaConf.create(self.settings.sampler), resolve=True),
                "grid_points": self.settings.grid_points,
                "seed": self.settings.seed,
            }
        )

    def facts(self, status: str, reason: str) -> dict[str, Any]:
        """The keys of `columns.SWEEP`, as far as they are known before a trial ends."""
        plan, settings, meta = self.plan, self.settings, self.data.meta
        sampler = hydra_job.choice("hydra/sweeper/sampler")
        repetitions = plan.repetitions(self.data.prepared)
        held_out = len(self.data.prepared.validation_rows(repetitions[0]))
        return {
            **{name: getattr(self.cell, name) for name in TRIAL_KEYS if name != "trial"},
            "status": status,
            "reason": reason,
            "sampler": sampler,
            "seed": settings.seed,
            "pruner": hydra_job.choice("pruner") if plan.prunes else "none",
            "metric": meta.metric,
            "objectives": list(plan.objectives),
            "budget": {"trials": settings.n_trials, "seconds": settings.n_seconds},
            "examples": plan.examples,
            "repetitions": repetitions,
            "n_train": plan.examples or len(self.data.prepared.fitting_rows(repetitions[0])),
            "n_validation": held_out,
            COMPLETED: 0,
            PRUNED: 0,
            FAILED: 0,
            "best_trial": None,
            "exhausted": False,
            "independent": sampler == "random",
            "space": self.space.ranges if status == OK else {},
            "data_checksum": meta.checksum,
        }


def trial_id(sweep_id: str, params: dict[str, Any]) -> str:
    """SHA-256 of a trial's content: its search, and the values that were searched."""
    return digest([sweep_id, canonical(params)])
