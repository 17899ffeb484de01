"""The search as a Hydra sweep: propose, launch, tell, up to a total budget.

What happened so far is in the Optuna storage; what a trial found lies in its job folder before the storage knows of
it. So a process that is killed at any moment loses at most the trials that were running, and these are run again
under their own numbers.
"""

import json
import logging
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, open_dict

from crossover.core.columns import COMPLETED, FAILED, PRUNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import NOT_APPLICABLE, OK
from crossover.launching import job as hydra_job
from crossover.search import job
from crossover.search.arguments import split
from crossover.search.launches import Launches, Surroundings, folder_of, live
from crossover.search.outcome import RESULT, Outcome, best_of, counts, does_not_apply, ended, importance
from crossover.search.proposals import PARAMS, canonical, propose
from crossover.search.settings import SweeperSettings
from crossover.search.storage import open_study
from crossover.search.subject import Subject
from crossover.search.trial import TrialResult

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)

_SWEEP = "sweep"


def run_sweeps(arguments: list[str], settings: SweeperSettings, hydra: Surroundings) -> None:
    """Run the search that the command line asks for, one for each combination of what it sweeps outside `model.`.

    Raises:
        CrossoverError: bad input, or more trials failed than `max_failure_rate` allows.
    """
    settings.budget  # noqa: B018 - a bad budget is told before anything is read
    combinations, swept = split(arguments, hydra.hydra_context)
    problems = []
    for overrides in combinations:
        config = hydra.hydra_context.config_loader.load_sweep_config(hydra.config, list(overrides))
        HydraConfig.instance().set_config(config)
        subject = Subject(_of_the_job(config), swept, settings)
        problem = Search(subject, overrides, hydra).run()
        problems += [problem] if problem else []
    if problems:
        raise CrossoverError("; ".join(problems))


def _of_the_job(config: DictConfig) -> DictConfig:
    """A job's configuration as its task function gets it, without Hydra's own part."""
    own = config.copy()
    with open_dict(own):
        del own["hydra"]
    return own


class Search:
    """One search.

    Args:
        subject: what is searched.
        command_line: the overrides, without what is searched.
        hydra: what launches jobs.
    """

    def __init__(self, subject: Subject, command_line: Sequence[str], hydra: Surroundings) -> None:
        self.subject, self.command_line, self.hydra = subject, command_line, hydra

    def run(self) -> str:
        """Search up to the budget, write the outcome, and say in a sentence what is wrong with it, if anything."""
        subject = self.subject
        reason = subject.data.why_not()
        if reason and subject.config.not_applicable == "error":
            raise CrossoverError(
                f"{reason} ({subject.fit_config.model_origin}); choose another model or data set"
            )
        if reason:
            log.info("%s: does not apply: %s", subject.title, reason)
            does_not_apply(subject.facts(NOT_APPLICABLE, reason)).write(self.target)
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(), hydra_job.tracker(subject.config).sweep(subject.tracked()) as tracked:
            self._search()
            outcome = self._outcome()
            outcome.write(self.target)
            self._record(tracked, outcome)
        return self._summary(outcome)

    @property
    def folder(self) -> Path:
        """The search's folder; a trial's lies below it."""
        return folder_of(self.subject, self.hydra)

    @property
    def target(self) -> Path:
        """Where the outcome is written: the pipeline's results, or the search's folder for a search by hand."""
        if hydra_job.choice("output") != "project":
            return self.folder / "outcome"
        cell = self.subject.cell
        return Layout(Path(self.subject.config.output)).tuning(cell)

    @cached_property
    def study(self) -> "Study":
        """The storage of the trials."""
        subject = self.subject
        name = subject.settings.study_name or subject.name
        study = open_study(job.storage_of(subject.config), name, subject.plan.directions)
        held = study.user_attrs.get(_SWEEP)
        if held is None:
            study.set_user_attr(_SWEEP, subject.sweep_id)
        elif held != subject.sweep_id:
            raise CrossoverError(
                f"hydra.sweeper.study_name must name a new study or one of the very same search, but {name!r} holds "
                "a search with another space, seed, data or code; choose another name"
            )
        return study

    @cached_property
    def launches(self) -> Launches:
        """What runs the trials."""
        return Launches(self.subject, self.study, self.command_line, self.hydra)

    def _search(self) -> None:
        done, budget = (
            len([t for t in self._counted() if t.state.is_finished()]),
            self.subject.settings.budget,
        )
        if self._trials():
            log.info("%s: goes on after %d of %s", self.subject.title, done, budget.words())
        while batch := self._next_batch():
            self.launches.run(batch)
            for trial in batch:
                self._tell(trial)

    def _trials(self) -> list["FrozenTrial"]:
        return self.study.get_trials(deepcopy=False)

    def _finished(self) -> list["FrozenTrial"]:
        return [trial for trial in self._trials() if trial.state.is_finished()]

    def _next_batch(self) -> list["FrozenTrial"]:
        """Trials that were broken off, and new ones that fill the batch.

        A batch is an aligned block of numbers, so that a search which was killed in one proposes the rest of it
        with the knowledge that an undisturbed search had.
        """
        trials = self._trials()
        at_once = self.subject.settings.at_once(self.hydra.config.hydra.launcher)
        running = [trial for trial in self._counted() if not trial.state.is_finished()][:at_once]
        to_the_end_of_the_block = -len(trials) % at_once
        wanted = to_the_end_of_the_block if running else (to_the_end_of_the_block or at_once)
        for _ in range(min(wanted, self._may_begin(at_once), at_once - len(running))):
            if not self._begin():
                break
        begun = self._trials()[len(trials) :]
        return [*running, *begun]

    def _may_begin(self, at_once: int) -> int:
        """How many trials the budget lets begin now."""
        spent = sum(_result_seconds(trial) for trial in self._finished())
        return self.subject.settings.budget.left(len(self._trials()), spent, at_once)

    def _begin(self) -> bool:
        """Put a new trial into the storage, in one step; False where the space is exhausted."""
        import optuna

        proposal = propose(
            self._trials(),
            self.subject.space,
            self._make_sampler,
            self.subject.plan.directions,
            self.subject.settings.seed,
        )
        if proposal is None:
            return False
        params, distributions = self.subject.space.encode(proposal.params)
        self.study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.RUNNING,
                params=params,
                distributions=distributions,
                user_attrs={PARAMS: canonical(proposal.params)},
                system_attrs=proposal.system_attrs,
            )
        )
        return True

    def _make_sampler(self, stream: int) -> "BaseSampler":
        return self.subject.settings.make_sampler(stream, self.subject.space)

    def _counted(self) -> list["FrozenTrial"]:
        """The trials within the budget; an earlier start may have had a larger one."""
        return self._trials()[: self.subject.settings.n_trials]

    def _tell(self, trial: "FrozenTrial") -> None:
        """Put a trial's result into the storage."""
        import optuna

        result = self.launches.result(trial)
        assert result is not None
        live(self.study, trial).set_user_attr(RESULT, json.dumps(asdict(result)))
        states = optuna.trial.TrialState
        state = {COMPLETED: states.COMPLETE, PRUNED: states.PRUNED, FAILED: states.FAIL}[result.state]
        values = result.objectives(self.subject.plan.objectives) if result.state == COMPLETED else None
        self.study.tell(trial.number, values, state=state)
        self._log_line(trial.number, result)

    def _log_line(self, number: int, result: TrialResult) -> None:
        best = best_of([ended(trial) for trial in self._finished()])
        at = f" of {self.subject.settings.n_trials}" if self.subject.settings.n_trials else ""
        what = {
            COMPLETED: f"accuracy {result.accuracy:.4f}",
            PRUNED: f"pruned at {result.accuracy:.4f}",
            FAILED: f"failed: {result.error}",
        }[result.state]
        so_far = f" (best {best.result.accuracy:.4f}, trial {best.number})" if best else ""
        default = ", the default configuration" if number == 0 else ""
        log.info("trial %d%s%s: %s in %.1f s%s", number, at, default, what, result.seconds, so_far)

    def _outcome(self) -> Outcome:
        counted = self._counted()
        trials = [ended(trial) for trial in counted if trial.state.is_finished()]
        weights = importance(counted, self.subject.plan.directions)
        found = Outcome(
            self.subject.facts(OK, ""),
            self.subject.space.names,
            trials,
            self.subject.plan.objectives,
            weights,
        )
        found.facts.update({**counts(trials), "best_trial": found.best.number if found.best else None})
        found.facts["exhausted"] = bool(self._may_begin(1))
        return found

    def _record(self, tracked: Any, outcome: Outcome) -> None:
        for path in sorted(self.target.iterdir()):
            tracked.artifact(path)
        best = outcome.best
        tracked.best(self.subject.trial_id(best.params) if best else None)
        if tracked.keeps:
            from crossover.search.figures import sweep_figures

            for name, figure in sweep_figures(self.study, list(self.subject.plan.objectives)).items():
                tracked.figure(figure, name)

    def _summary(self, outcome: Outcome) -> str:
        """Tell how the search went; what is wrong with it, if anything, is returned."""
        numbers = counts(outcome.trials)
        told = ", ".join(f"{number} {state}" for state, number in numbers.items())
        best = outcome.best
        found = f"; best trial {best.number}, validation accuracy {best.result.accuracy:.4f}" if best else ""
        ran_out = " (the search space has no further configuration)" if outcome.facts["exhausted"] else ""
        log.info("%s: %d trials%s: %s%s", self.subject.title, len(outcome.trials), ran_out, told, found)
        log.info("%s: results in %s", self.subject.title, _shown(self.target))
        if best and hydra_job.choice("output") != "project":
            log.info("fit the best on 5 repetitions: %s", self._fit_command(best.params))
        failed = [trial for trial in outcome.trials if trial.result.state == FAILED]
        if best and len(failed) <= self.subject.settings.max_failure_rate * len(outcome.trials):
            return ""
        first = f", the first of them trial {failed[0].number}: {failed[0].result.error}" if failed else ""
        return (
            f"at most {self.subject.settings.max_failure_rate:.0%} of the trials of a search may fail "
            f"(hydra.sweeper.max_failure_rate), and {len(failed)} of {len(outcome.trials)} of {self.subject.title} "
            f"failed{first}; all results are kept in {_shown(self.target)}"
        )

    def _fit_command(self, params: dict[str, Any]) -> str:
        cell = self.subject.cell
        features = [] if cell.family == "deep" else [f"features={cell.features}"]
        given = [f"dataset={cell.dataset}", *features, f"model={cell.model}", "seeds=5"]
        command = [
            "python",
            f"pipelines/train_{cell.family}.py",
            *given,
            *self.subject.space.overrides(params),
        ]
        return shlex.join(command)

    def _alone(self) -> Any:
        """Two processes in one search would run its trials twice."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / ".lock")
        try:
            return lock.acquire(timeout=0)
        except Timeout:
            raise CrossoverError(
                f"a search can be run by one process at a time, and another one is at {_shown(self.folder)}; wait "
                "for it, or give this one another seed"
            ) from None


def _result_seconds(trial: "FrozenTrial") -> float:
    return float(json.loads(trial.user_attrs[RESULT])["seconds"])


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
