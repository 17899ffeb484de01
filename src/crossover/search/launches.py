"""Trials as jobs of Hydra's launcher, each in a folder of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from crossover.core.columns import FAILED
from crossover.core.configuration import override_text
from crossover.core.errors import first_line
from crossover.launching import job as hydra_job
from crossover.search.config import SearchConfig, trial_id
from crossover.search.proposals import PARAMS
from crossover.search.trial import TrialResult, finished, write_result

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

MOST_LAUNCHES = 3
"""A trial whose process dies so often without a result is given up; one that was killed by chance is not."""

_LAUNCHES = "launches"


@dataclass(frozen=True)
class HydraSetup:
    """What Hydra gives a sweeper in `Sweeper.setup`."""

    context: HydraContext
    task_function: TaskFunction
    config: DictConfig


@dataclass(frozen=True)
class TrialLauncher:
    """Runs trials until each has a result.

    Attributes:
        config: what is searched.
        study: the storage, which counts how often a trial was launched.
        overrides: the command line of the search, without what is searched.
        hydra: what launches jobs.
        folder: of the search; that of a trial lies in it.
    """

    config: SearchConfig
    study: "Study"
    overrides: Sequence[str]
    hydra: HydraSetup
    folder: Path

    def run(self, batch: list["FrozenTrial"]) -> None:
        """Run the jobs of a batch; one whose process dies does not take the others with it.

        A trial whose process died in each of `MOST_LAUNCHES` attempts is recorded as failed.
        """
        while left := self._without_result(batch):
            for trial in left:
                set_attribute(self.study, trial, _LAUNCHES, self._launches(trial) + 1)
            problem = self._launch(left)
            left = self._without_result(left)
            if problem and len(left) > 1:  # one process died and the launcher gave up all: each by itself
                for trial in left:
                    self.run([trial])
            error = f"its process died without a result in each of {MOST_LAUNCHES} attempts (killed, or out of memory)"
            error += f": {problem}" if problem else ""
            for trial in self._without_result(left):
                if self._launches(trial) < MOST_LAUNCHES:
                    continue
                params = json.loads(trial.user_attrs[PARAMS])
                facts = self.config.trial_facts(self.config.sweep_id, trial.number, params)
                with hydra_job.tracker(self.config.job).trial(facts) as tracked:
                    tracked.ended(FAILED, error)
                folder = self._folder_of(trial)
                folder.mkdir(parents=True, exist_ok=True)
                write_result(folder, TrialResult(FAILED, error=error))

    def result(self, trial: "FrozenTrial") -> TrialResult | None:
        """How a trial ended; None where it has not."""
        return finished(self._folder_of(trial))

    def _launch(self, batch: list["FrozenTrial"]) -> str:
        """Hand a batch to Hydra's launcher; why it ended without results, if it did."""
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.hydra.context,
            task_function=self.hydra.task_function,
            config=self.hydra.config,
        )
        jobs: list[list[str]] = []
        for trial in batch:
            params = json.loads(trial.user_attrs[PARAMS])
            own = {  # the keys below `trial` in conf/tune.yaml
                "number": trial.number,
                "sweep": self.config.sweep_id,
                "study": self.study.study_name,
                "searched": list(params),
            }
            jobs.append(
                [
                    *self.overrides,
                    *model_overrides(params),
                    *(f"trial.{key}={override_text(value)}" for key, value in own.items()),
                    f"hydra.sweep.subdir={self.folder.name}/{self._folder_of(trial).name}",
                ]
            )
        before = HydraConfig.instance().cfg
        try:
            returns = launcher.launch(jobs, initial_job_idx=batch[0].number)
        except Exception as error:  # a worker was killed: the pool is broken
            return f"{type(error).__name__}: {first_line(error)}"
        finally:
            HydraConfig.instance().cfg = before
        for trial, returned in zip(batch, returns, strict=True):
            value = getattr(returned, "_return_value", None)
            if isinstance(value, Exception) and self.result(trial) is None:
                raise value  # refused before the trial began: the next one would be as well
        return ""

    def _folder_of(self, trial: "FrozenTrial") -> Path:
        """Named by number and content."""
        identity = trial_id(self.config.sweep_id, json.loads(trial.user_attrs[PARAMS]))
        return self.folder / f"trial-{trial.number:03d}-{identity[:8]}"

    def _without_result(self, batch: list["FrozenTrial"]) -> list["FrozenTrial"]:
        return [trial for trial in batch if self.result(trial) is None]

    def _launches(self, trial: "FrozenTrial") -> int:
        return int(self.study.get_trials(deepcopy=False)[trial.number].user_attrs.get(_LAUNCHES, 0))


def model_overrides(params: dict[str, object]) -> list[str]:
    """Hydra's overrides that give the model these values, `model.<key>=<value>`."""
    return [f"model.{key}={override_text(value)}" for key, value in params.items()]


def set_attribute(study: "Study", trial: "FrozenTrial", key: str, value: object) -> None:
    """Write an attribute of a trial to the storage."""
    import optuna

    optuna.trial.Trial(study, trial._trial_id).set_user_attr(key, value)
