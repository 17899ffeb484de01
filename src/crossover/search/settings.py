"""The keys of the sweeper, `conf/hydra/sweeper/search.yaml`: how new trials are proposed, and how many."""

from typing import TYPE_CHECKING, Annotated, Any

from omegaconf import DictConfig
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from crossover.core.clock import cores
from crossover.core.settings import Settings
from crossover.search.plan import DVC_NULL
from crossover.search.space import SearchSpace

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

ORIGIN = "conf/hydra/sweeper/search.yaml, tuning in params.yaml or the command line"

_SAMPLERS = ("optuna.samplers.*", "hydra_plugins.hydra_optuna_sweeper.*")


class SweeperSettings(Settings):
    """The keys of `conf/hydra/sweeper/search.yaml`.

    The budget is a total, however often a search is killed and resumed, and the same for each model of a comparison.

    Attributes:
        sampler: config node of an Optuna sampler.
        n_trials: how many, the default configuration among them; None where `n_seconds` is the budget.
        n_seconds: wall clock of the trials, summed, those that ran at once included; no trial begins after that.
        seed: of the sampler.
        grid_points: values of a numeric range in a grid.
        n_jobs: trials at once; None for as many as the launcher runs.
        storage: address of a database for Optuna; None for a SQLite file in the project's root.
        study_name: in the storage; None for one made of the content of the search.
        max_failure_rate: share of failed trials above which a search is an error.
    """

    sampler: Any
    n_trials: Annotated[PositiveInt | None, DVC_NULL]
    n_seconds: Annotated[int | float | None, Field(gt=0, lt=float("inf")), DVC_NULL]
    seed: NonNegativeInt
    grid_points: PositiveInt
    n_jobs: PositiveInt | None
    storage: str | None
    study_name: str | None
    max_failure_rate: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _one_budget(self) -> "SweeperSettings":
        if (self.n_trials is None) == (self.n_seconds is None):
            trials, seconds = ("null" if n is None else f"{n:g}" for n in (self.n_trials, self.n_seconds))
            raise ValueError(
                f"needs a budget of either trials or seconds, got n_trials={trials} and n_seconds={seconds}; "
                "set one of them and the other to null"
            )
        return self

    def make_sampler(self, seed: int, space: SearchSpace) -> "BaseSampler":
        """The sampler for one trial.

        Args:
            seed: the trial's own; a grid is shuffled by that of the search and has one order for all trials.
            space: what is searched.
        """
        from hydra.utils import instantiate

        is_grid = self.sampler.get("_partial_", False)
        made = instantiate(self.sampler, seed=self.seed if is_grid else seed, _execution_whitelist_=_SAMPLERS)
        return made(space.grid(self.grid_points)) if is_grid else made

    def trials_at_once(self, launcher: DictConfig) -> int:
        """`n_jobs`, else as many jobs as the launcher runs; one where it does not say."""
        if self.n_jobs:
            return self.n_jobs
        if "ray" in launcher:
            cpus = launcher.ray.init.get("num_cpus") or cores()
            return max(1, int(cpus // (launcher.ray.remote.num_cpus or 1)))
        jobs = launcher.get("n_jobs") or launcher.get("array_parallelism") or 1
        return cores() if jobs == -1 else int(jobs)
