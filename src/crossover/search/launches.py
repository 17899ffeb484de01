"""Trials as jobs of Hydra's launcher, each in a folder of its own."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from crossover.core.columns import FAILED
from crossover.launching import job as hydra_job
from crossover.search import job
from crossover.search.proposals import PARAMS
from crossover.search.subject import Subject
from crossover.search.trial import TrialResult, finished, write_result

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial, Trial

MOST_LAUNCHES = 3
"""A trial whose process dies so often without a result is given up; one that was killed by chance is not."""

_LAUNCHES = "launches"


@dataclass(frozen=True)
class Surroundings:
    """What Hydra gives a sweeper."""

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig


class Launches:
    """Runs trials until each has a result.

    Args:
        subject: what is searched.
        study: the storage, which counts how often a trial was launched.
        command_line: the overrides of the search, without what is searched.
        hydra: what launches jobs.
    """

    def __init__(
        self, subject: Subject, study: "Study", command_line: Sequence[str], hydra: Surroundings
    ) -> None:
        self._subject, self._study, self._command_line, self._hydra = subject, study, command_line, hydra

    @property
    def folder(self) -> Path:
        """The search's folder; a trial's lies below it."""
        return folder_of(self._subject, self._hydra)

    def run(self, batch: list["FrozenTrial"]) -> None:
        """Run the jobs of a batch; one whose process dies does not take the others with it."""
        todo = batch
        while todo := [trial for trial in todo if not self._has_result(trial)]:
            for trial in todo:
                self._count_launch(trial)
            problem = self._launch_once(todo)
            left = [trial for trial in todo if not self._has_result(trial)]
            if problem is not None and len(left) > 1:  # somebody's process died: each of the others by itself
                for trial in left:
                    self.run([trial])
            for trial in left:
                if not self._has_result(trial) and self._launches(trial) >= MOST_LAUNCHES:
                    self._give_up(trial, problem)

    def _launch_once(self, batch: list["FrozenTrial"]) -> str | None:
        """Hand a batch to Hydra's launcher; why it ended without results, if it did."""
        from hydra.core.plugins import Plugins

        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self._hydra.hydra_context,
            task_function=self._hydra.task_function,
            config=self._hydra.config,
        )
        own = HydraConfig.instance().cfg
        try:
            returns = launcher.launch(
                [self._overrides(trial) for trial in batch], initial_job_idx=batch[0].number
            )
        except Exception as error:  # a worker was killed: the pool is broken
            return f"{type(error).__name__}: {(str(error).strip() or 'no message').splitlines()[0]}"
        finally:
            HydraConfig.instance().cfg = own
        for trial, returned in zip(batch, returns, strict=True):
            value = getattr(returned, "_return_value", None)
            if isinstance(value, Exception) and not self._has_result(trial):
                raise value  # refused before the trial began: the next one would be as well
        return None

    def _overrides(self, trial: "FrozenTrial") -> list[str]:
        params = json.loads(trial.user_attrs[PARAMS])
        place = {"number": trial.number, "sweep": self._subject.sweep_id, "study": self._study.study_name}
        given = [f"trial.{key}={value if key == 'number' else repr(value)}" for key, value in place.items()]
        if self._subject.swept:
            given.append(f"trial.space={_hydra_text(self._subject.swept)}")
        return [
            *self._command_line,
            *self._subject.space.overrides(params),
            *given,
            f"hydra.sweep.subdir={self._subject.name}/{self.folder_of(trial).name}",
        ]

    def folder_of(self, trial: "FrozenTrial") -> Path:
        """Named by number and content."""
        identity = job.trial_id(self._subject.sweep_id, trial.user_attrs[PARAMS])
        return self.folder / f"trial-{trial.number:03d}-{identity[:8]}"

    def result(self, trial: "FrozenTrial") -> TrialResult | None:
        """How a trial ended; None where it has not."""
        return finished(self.folder_of(trial))

    def _has_result(self, trial: "FrozenTrial") -> bool:
        return self.result(trial) is not None

    def _launches(self, trial: "FrozenTrial") -> int:
        return int(self._study.get_trials(deepcopy=False)[trial.number].user_attrs.get(_LAUNCHES, 0))

    def _count_launch(self, trial: "FrozenTrial") -> None:
        live(self._study, trial).set_user_attr(_LAUNCHES, self._launches(trial) + 1)

    def _give_up(self, trial: "FrozenTrial", problem: str | None) -> None:
        died = f"its process died without a result in each of {MOST_LAUNCHES} attempts (killed, or out of memory)"
        error = f"{died}: {problem}" if problem else died
        params = json.loads(trial.user_attrs[PARAMS])
        config = self._subject.fit_config
        tried = replace(config, model=self._subject.space.apply(config.model, params))
        root = self._subject.root
        facts = job.trial_facts(tried, self._subject.data, self._subject.sweep_id, trial.number, params, root)
        with hydra_job.tracker(self._subject.config).trial(facts) as tracked:
            tracked.ended(FAILED, error)
        self.folder_of(trial).mkdir(parents=True, exist_ok=True)
        write_result(self.folder_of(trial), TrialResult(FAILED, error=error))


def folder_of(subject: Subject, hydra: Surroundings) -> Path:
    """The folder of a search, named by its content."""
    return Path(hydra.config.hydra.sweep.dir).resolve() / subject.name


def live(study: "Study", trial: "FrozenTrial") -> "Trial":
    """A trial of the storage that can be written to."""
    import optuna

    return optuna.trial.Trial(study, trial._trial_id)


def _hydra_text(content: Any) -> str:
    """Plain content in Hydra's grammar of overrides, whose keys have no quotes."""
    if isinstance(content, dict):
        return "{" + ",".join(f"{key}:{_hydra_text(value)}" for key, value in content.items()) + "}"
    if isinstance(content, list):
        return f"[{','.join(map(_hydra_text, content))}]"
    return json.dumps(content)
