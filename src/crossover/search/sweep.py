"""The search as a Hydra sweep: propose, launch, tell, up to a total budget.

What happened so far is in the Optuna storage; what a trial found lies in its job folder before the storage knows of
it. So a process that is killed at any moment loses at most the trials that were running, and these are run again
under their own numbers.
"""

import functools
import json
import logging
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict

from crossover import cli
from crossover.errors import CrossoverError
from crossover.files import digest
from crossover.layout import Layout
from crossover.measure import cores
from crossover.search import job
from crossover.search.arguments import split
from crossover.search.budget import Budget
from crossover.search.outcome import (
    RESULT,
    Outcome,
    best_of,
    counts,
    does_not_apply,
    ended_trials,
    importance,
)
from crossover.search.plan import Plan
from crossover.search.proposals import PARAMS, canonical, propose
from crossover.search.schema import COMPLETED, FAILED, PRUNED
from crossover.search.space import SearchSpace
from crossover.search.storage import open_study
from crossover.search.trial import TrialResult, finished, settings_of, write_result
from crossover.study import NOT_APPLICABLE, OK
from crossover.training import CellConfig, CellData, code_checksum

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)

MOST_LAUNCHES = 3
"""A trial whose process dies so often without a result is given up; one that was killed by chance is not."""

_LAUNCHES = "launches"
_SWEEP = "sweep"


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
        made = cls(**{name: job.null_of_dvc(value) for name, value in settings.items()})
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


@dataclass(frozen=True)
class Surroundings:
    """What Hydra gives a sweeper."""

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig


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
        problem = Search(_of_the_job(config), overrides, swept, settings, hydra).run()
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
    """One search: one model on one feature set of one data set.

    Args:
        config: the job's configuration, with the default configuration of the model.
        overrides: the command line's, without what is searched.
        swept: the search space on the command line, instead of the model's.
        settings: the sweeper's.
        hydra: what launches jobs.
    """

    def __init__(
        self,
        config: DictConfig,
        overrides: Sequence[str],
        swept: dict[str, Any],
        settings: SweeperSettings,
        hydra: Surroundings,
    ) -> None:
        job.check_keys(config)
        self.config, self.overrides, self.swept, self.settings, self.hydra = (
            config,
            overrides,
            swept,
            settings,
            hydra,
        )
        self.cell: CellConfig = job.cell_of(config)
        self.plan: Plan = job.plan_of(config)
        self.data = CellData(self.cell, cli.layout(config))
        self.cell.build()  # a default configuration that is refused is a mistake, not a failed trial

    def run(self) -> str:
        """Search up to the budget, write the outcome, and say in a sentence what is wrong with it, if anything."""
        reason = self.data.why_not()
        if reason and self.config.not_applicable == "error":
            raise CrossoverError(f"{reason} ({self.cell.origin}); choose another model or data set")
        if reason:
            log.info("%s: does not apply: %s", self._title, reason)
            does_not_apply(self._facts(NOT_APPLICABLE, reason)).write(self.target)
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone(), self._tracked() as tracked:
            self._search()
            outcome = self._outcome()
            outcome.write(self.target)
            self._record(tracked, outcome)
        return self._summary(outcome)

    # What is searched ------------------------------------------------------------------------------------------------

    @cached_property
    def space(self) -> SearchSpace:
        return job.space_of(self.config, self.cell.config, self.swept)

    @cached_property
    def sweep_id(self) -> str:
        """SHA-256 of all that decides the trials, but not of how many there are."""
        return digest(
            {
                **settings_of(self.cell, self.data, self.plan),
                "config": self.cell.config,
                "space": self.space.as_dict(),
                "sampler": OmegaConf.to_container(OmegaConf.create(self.settings.sampler), resolve=True),
                "grid_points": self.settings.grid_points,
                "seed": self.settings.seed,
                "code": code_checksum(),
            }
        )

    @cached_property
    def name(self) -> str:
        cell = self.cell
        return f"{cell.dataset}-{cell.features}-{cell.model}-{self.sweep_id[:8]}"

    @property
    def folder(self) -> Path:
        """The search's folder; a trial's lies below it."""
        return Path(self.hydra.config.hydra.sweep.dir).resolve() / self.name

    @property
    def target(self) -> Path:
        """Where the outcome is written: the pipeline's results, or the search's folder for a search by hand."""
        if cli.choice("output") != "project":
            return self.folder / "outcome"
        cell = self.cell
        return Layout(Path(self.config.output)).tuning(cell.dataset, cell.features, cell.model)

    @cached_property
    def study(self) -> "Study":
        study = open_study(
            job.storage_of(self.config), self.settings.study_name or self.name, self.plan.directions
        )
        held = study.user_attrs.get(_SWEEP)
        if held is None:
            study.set_user_attr(_SWEEP, self.sweep_id)
        elif held != self.sweep_id:
            raise CrossoverError(
                f"hydra.sweeper.study_name must name a new study or one of the very same search, but "
                f"{study.study_name!r} holds a search with another space, seed, data or code; choose another name"
            )
        return study

    # The loop --------------------------------------------------------------------------------------------------------

    def _search(self) -> None:
        begun = len(self._trials())
        if begun:
            log.info(
                "%s: goes on after %d of %s", self._title, len(self._finished()), self.settings.budget.words()
            )
        while batch := self._next_batch():
            self._launch(batch)
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
        at_once = self._at_once
        running = [trial for trial in trials if not trial.state.is_finished()][:at_once]
        to_the_end_of_the_block = -len(trials) % at_once
        wanted = to_the_end_of_the_block if running else (to_the_end_of_the_block or at_once)
        spent = sum(_result_seconds(trial) for trial in trials if trial.state.is_finished())
        new = self.settings.budget.left(len(trials), spent, at_once) if wanted else 0
        for _ in range(min(wanted, new, at_once - len(running))):
            if not self._begin():
                break
        begun = self._trials()[len(trials) :]
        return [*running, *begun]

    def _begin(self) -> bool:
        """Put a new trial into the storage, in one step; False where the space is exhausted."""
        import optuna

        proposal = propose(
            self._trials(), self.space, self._sampler, self.plan.directions, self.settings.seed
        )
        if proposal is None:
            return False
        params, distributions = self.space.encode(proposal.params)
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

    def _sampler(self, stream: int) -> "BaseSampler":
        from hydra.utils import instantiate

        whitelist = ("optuna.samplers.*", "hydra_plugins.hydra_optuna_sweeper.*")
        if self.settings.sampler.get(
            "_partial_", False
        ):  # a grid is shuffled by its seed: one order for all trials
            partial: functools.partial = instantiate(
                self.settings.sampler, seed=self.settings.seed, _execution_whitelist_=whitelist
            )
            return partial(self.space.grid(self.settings.grid_points))
        return instantiate(self.settings.sampler, seed=stream, _execution_whitelist_=whitelist)

    @property
    def _at_once(self) -> int:
        """How many trials run at the same time."""
        if self.settings.n_jobs:
            return self.settings.n_jobs
        return _as_many_as(self.hydra.config.hydra.launcher)

    def _launch(self, batch: list["FrozenTrial"]) -> None:
        """Run the jobs of a batch; one whose process dies does not take the others with it."""
        todo = batch
        while todo := [trial for trial in todo if not self._has_result(trial)]:
            for trial in todo:
                self._count_launch(trial)
            problem = self._launch_once(todo)
            left = [trial for trial in todo if not self._has_result(trial)]
            if problem is not None and len(left) > 1:  # somebody's process died: each of the others by itself
                for trial in left:
                    self._launch([trial])
            for trial in left:
                if not self._has_result(trial) and self._launches(trial) >= MOST_LAUNCHES:
                    self._give_up(trial, problem)

    def _launch_once(self, batch: list["FrozenTrial"]) -> str | None:
        """Hand a batch to Hydra's launcher; why it ended without results, if it did."""
        from hydra.core.plugins import Plugins

        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.hydra.hydra_context,
            task_function=self.hydra.task_function,
            config=self.hydra.config,
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
        place = {"number": trial.number, "sweep": self.sweep_id, "study": self.study.study_name}
        given = [f"trial.{key}={value if key == 'number' else repr(value)}" for key, value in place.items()]
        if self.swept:
            given.append(f"trial.space={_hydra_text(self.swept)}")
        return [
            *self.overrides,
            *self.space.overrides(params),
            *given,
            f"hydra.sweep.subdir={self.name}/{self._trial_folder(trial).name}",
        ]

    def _trial_folder(self, trial: "FrozenTrial") -> Path:
        """Named by number and content."""
        identity = job.trial_id(self.sweep_id, trial.user_attrs[PARAMS])
        return self.folder / f"trial-{trial.number:03d}-{identity[:8]}"

    def _has_result(self, trial: "FrozenTrial") -> bool:
        return finished(self._trial_folder(trial)) is not None

    def _launches(self, trial: "FrozenTrial") -> int:
        return int(self._trials()[trial.number].user_attrs.get(_LAUNCHES, 0))

    def _count_launch(self, trial: "FrozenTrial") -> None:
        self._live(trial).set_user_attr(_LAUNCHES, self._launches(trial) + 1)

    def _live(self, trial: "FrozenTrial") -> Any:
        import optuna

        return optuna.trial.Trial(self.study, trial._trial_id)

    def _give_up(self, trial: "FrozenTrial", problem: str | None) -> None:
        died = f"its process died without a result in each of {MOST_LAUNCHES} attempts (killed, or out of memory)"
        error = f"{died}: {problem}" if problem else died
        params = json.loads(trial.user_attrs[PARAMS])
        tried = replace(self.cell, config=self.space.apply(self.cell.config, params))
        root = Path(self.config.root)
        facts = job.trial_facts(tried, self.data, self.sweep_id, trial.number, params, root)
        with cli.tracker(self.config).trial(facts) as tracked:
            tracked.ended(FAILED, error)
        self._trial_folder(trial).mkdir(parents=True, exist_ok=True)
        write_result(self._trial_folder(trial), TrialResult(FAILED, error=error))

    def _tell(self, trial: "FrozenTrial") -> None:
        """Put a trial's result into the storage."""
        import optuna

        result = finished(self._trial_folder(trial))
        assert result is not None
        self._live(trial).set_user_attr(RESULT, json.dumps(asdict(result)))
        states = optuna.trial.TrialState
        state = {COMPLETED: states.COMPLETE, PRUNED: states.PRUNED, FAILED: states.FAIL}[result.state]
        values = result.objectives(self.plan.objectives) if result.state == COMPLETED else None
        self.study.tell(trial.number, values, state=state)
        self._log_line(trial.number, result)

    # What comes out --------------------------------------------------------------------------------------------------

    def _log_line(self, number: int, result: TrialResult) -> None:
        best = best_of(ended_trials(self.study))
        at = f" of {self.settings.n_trials}" if self.settings.n_trials else ""
        what = {
            COMPLETED: f"accuracy {result.accuracy:.4f}",
            PRUNED: f"pruned at {result.accuracy:.4f}",
            FAILED: f"failed: {result.error}",
        }[result.state]
        so_far = f" (best {best.result.accuracy:.4f}, trial {best.number})" if best else ""
        default = ", the default configuration" if number == 0 else ""
        log.info("trial %d%s%s: %s in %.1f s%s", number, at, default, what, result.seconds, so_far)

    def _outcome(self) -> Outcome:
        trials = ended_trials(self.study)
        found = Outcome(
            self._facts(OK, ""), self.space.names, trials, self.plan.objectives, importance(self.study)
        )
        found.facts.update({**counts(trials), "best_trial": found.best.number if found.best else None})
        spent_all = self.settings.n_trials is None or len(trials) >= self.settings.n_trials
        found.facts["exhausted"] = not spent_all
        return found

    def _facts(self, status: str, reason: str) -> dict[str, Any]:
        """The keys of `schema.SWEEP` that are known before a trial ends."""
        cell, applies = self.cell, status == OK
        repetitions = self.plan.repetitions(self.data.prepared)
        held_out = len(self.data.prepared.validation_rows(repetitions[0]))
        return {
            "dataset": cell.dataset,
            "features": cell.features,
            "model": cell.model,
            "family": cell.family,
            "status": status,
            "reason": reason,
            "sampler": self.settings.sampler_name,
            "seed": self.settings.seed,
            "pruner": self._pruner_name,
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

    @property
    def _pruner_name(self) -> str | None:
        if not self.plan.prunes or self.plan.pruner is None:
            return None
        return str(self.plan.pruner["_target_"]).rsplit(".", 1)[-1].removesuffix("Pruner").lower()

    def _tracked(self) -> Any:
        facts = self._facts(OK, "")
        shown = ("sampler", "seed", "pruner", "objectives", "budget", "examples", "repetitions")
        params = {name: facts[name] for name in shown}
        root = Path(self.config.root)
        return cli.tracker(self.config).sweep(
            job.sweep_facts(self.cell, self.data, self.sweep_id, params, root)
        )

    def _record(self, tracked: Any, outcome: Outcome) -> None:
        for path in sorted(self.target.iterdir()):
            tracked.artifact(path)
        best = outcome.best
        tracked.best(job.trial_id(self.sweep_id, canonical(best.params)) if best else None)
        if tracked.keeps:
            from crossover.search.figures import sweep_figures

            for name, figure in sweep_figures(self.study, list(self.plan.objectives)).items():
                tracked.figure(figure, name)

    def _summary(self, outcome: Outcome) -> str:
        """Tell how the search went; what is wrong with it, if anything, is returned."""
        numbers = counts(outcome.trials)
        told = ", ".join(f"{number} {state}" for state, number in numbers.items())
        best = outcome.best
        found = f"; best trial {best.number}, validation accuracy {best.result.accuracy:.4f}" if best else ""
        ran_out = " (the search space has no further configuration)" if outcome.facts["exhausted"] else ""
        log.info("%s: %d trials%s: %s%s", self._title, len(outcome.trials), ran_out, told, found)
        log.info("%s: results in %s", self._title, _shown(self.target))
        if best and cli.choice("output") != "project":
            log.info("fit the best on 5 repetitions: %s", self._fit_command(best.params))
        failed = [trial for trial in outcome.trials if trial.result.state == FAILED]
        if best and len(failed) <= self.settings.max_failure_rate * len(outcome.trials):
            return ""
        first = f", the first of them trial {failed[0].number}: {failed[0].result.error}" if failed else ""
        return (
            f"at most {self.settings.max_failure_rate:.0%} of the trials of a search may fail "
            f"(hydra.sweeper.max_failure_rate), and {len(failed)} of {len(outcome.trials)} of {self._title} "
            f"failed{first}; all results are kept in {_shown(self.target)}"
        )

    def _fit_command(self, params: dict[str, Any]) -> str:
        cell = self.cell
        features = [] if cell.family == "deep" else [f"features={cell.features}"]
        given = [f"dataset={cell.dataset}", *features, f"model={cell.model}", "seeds=5"]
        command = ["python", f"pipelines/train_{cell.family}.py", *given, *self.space.overrides(params)]
        return shlex.join(command)

    @property
    def _title(self) -> str:
        return f"{self.cell.dataset} · {self.cell.features} · {self.cell.model}"

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


def _as_many_as(launcher: DictConfig) -> int:
    """How many jobs a launcher runs at once; one where it does not say."""
    if "ray" in launcher:
        return max(
            1, int((launcher.ray.init.get("num_cpus") or cores()) // (launcher.ray.remote.num_cpus or 1))
        )
    jobs = launcher.get("n_jobs") or launcher.get("array_parallelism") or 1
    return cores() if jobs == -1 else int(jobs)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _hydra_text(content: Any) -> str:
    """Plain content in Hydra's grammar of overrides, whose keys have no quotes."""
    if isinstance(content, dict):
        return "{" + ",".join(f"{key}:{_hydra_text(value)}" for key, value in content.items()) + "}"
    if isinstance(content, list):
        return f"[{','.join(map(_hydra_text, content))}]"
    return json.dumps(content)
