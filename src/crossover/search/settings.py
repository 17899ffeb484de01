"""The keys of the sweeper: `conf/hydra/sweeper/search.yaml`."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from crossover.core.clock import cores
from crossover.core.errors import CrossoverError
from crossover.search.budget import Budget
from crossover.search.job import null_of_dvc
from crossover.search.space import SearchSpace

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

_SAMPLERS = ("optuna.samplers.*", "hydra_plugins.hydra_optuna_sweeper.*")


@dataclass(frozen=True)
class SweeperSettings:
    """The keys of `conf/hydra/sweeper/search.yaml`."""

    sampler: Any
    n_trials: int | None
    n_seconds: float | None
    seed: int
    grid_points: int
    n_jobs: int | None
    storage: str | None
    study_name: str | None
    max_failure_rate: float

    @classmethod
    def checked(cls, settings: dict[str, Any]) -> "SweeperSettings":
        """Settings from Hydra's keywords.

        Raises:
            CrossoverError: a key is misspelt or missing, or a value is refused.
        """
        known = [field.name for field in fields(cls)]
        wrong = sorted(set(settings) ^ set(known))
        if wrong:
            raise CrossoverError(
                f"hydra.sweeper must have exactly the keys {', '.join(known)}; check {', '.join(wrong)} "
                "(conf/hydra/sweeper/search.yaml or the command line)"
            )
        made = cls(**{name: null_of_dvc(value) for name, value in settings.items()})
        for name, least in (("seed", 0), ("n_jobs", 1), ("grid_points", 1)):
            value = getattr(made, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not (name == "n_jobs" and value is None) and not (whole and value >= least):
                raise CrossoverError(
                    f"hydra.sweeper.{name} must be a whole number of at least {least}, got {value!r}"
                )
        if not isinstance(made.max_failure_rate, int | float) or not 0 <= made.max_failure_rate <= 1:
            raise CrossoverError(
                f"hydra.sweeper.max_failure_rate must lie between 0 and 1, got {made.max_failure_rate!r}"
            )
        return made

    @property
    def budget(self) -> Budget:
        """The total."""
        return Budget(self.n_trials, self.n_seconds)

    @property
    def sampler_name(self) -> str:
        """The choice of `hydra/sweeper/sampler`."""
        return str(HydraConfig.get().runtime.choices["hydra/sweeper/sampler"])

    def make_sampler(self, stream: int, space: SearchSpace) -> "BaseSampler":
        """The sampler, seeded for one trial; a grid is shuffled by its seed and has one order for all trials.

        Args:
            stream: the trial's own seed.
            space: what is searched.
        """
        from hydra.utils import instantiate

        is_grid = self.sampler.get("_partial_", False)
        made = instantiate(
            self.sampler, seed=self.seed if is_grid else stream, _execution_whitelist_=_SAMPLERS
        )
        return made(space.grid(self.grid_points)) if is_grid else made

    def at_once(self, launcher: DictConfig) -> int:
        """How many trials run at the same time: `n_jobs`, else as many jobs as the launcher runs."""
        return self.n_jobs or _as_many_as(launcher)


def _as_many_as(launcher: DictConfig) -> int:
    """How many jobs a launcher runs at once; one where it does not say."""
    if "ray" in launcher:
        return max(
            1, int((launcher.ray.init.get("num_cpus") or cores()) // (launcher.ray.remote.num_cpus or 1))
        )
    jobs = launcher.get("n_jobs") or launcher.get("array_parallelism") or 1
    return cores() if jobs == -1 else int(jobs)
