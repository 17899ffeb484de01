"""Hydra's sweeper for searches: `hydra/sweeper=search`; the logic is `crossover.search.sweep`.

Hydra takes plugins from the namespace package `hydra_plugins` alone, and imports them whenever it starts.
"""

import os
from typing import Any

from hydra.errors import CompactHydraException
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class SearchSweeper(Sweeper):
    """Searches with Optuna up to a total budget, however often it is killed and started again.

    Takes the samplers of Hydra's Optuna sweeper (`hydra/sweeper/sampler`) and, where they mean the same, its keys;
    conf/hydra/sweeper/search.yaml describes them.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """See `Sweeper.setup`."""
        self._hydra = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """See `crossover.search.sweep.run_searches`.

        Raises:
            CompactHydraException: what the user can fix, in one sentence, as Hydra shows its own errors; the
                exception itself with HYDRA_FULL_ERROR=1.
        """
        from crossover.core.errors import sentence
        from crossover.search.launches import HydraSetup
        from crossover.search.sweep import run_searches

        try:
            run_searches(arguments, self.settings, HydraSetup(*self._hydra))
        except Exception as error:
            text = sentence(error)
            if text is None or os.environ.get("HYDRA_FULL_ERROR"):
                raise
            raise CompactHydraException(f"error: {text}") from error
