"""The search as a Hydra sweep: propose, launch, store, up to a total budget.

What happened so far is in the Optuna storage; what a trial found lies in its job folder before the storage knows of
it. So a process that is killed at any moment loses at most the trials that were running, and these are run again
under their own numbers.
"""

import json
import logging
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict

from crossover.core.columns import COMPLETED, FAILED, PRUNED
from crossover.core.errors import CrossoverError, without_secrets
from crossover.core.layout import Layout
from crossover.core.metric import WORDS
from crossover.core.settings import validated
from crossover.core.study import NOT_APPLICABLE, OK
from crossover.launching import job as hydra_job
from crossover.search.config import SearchConfig, trial_id
from crossover.search.figures import search_figures
from crossover.search.launches import HydraSetup, TrialLauncher, model_overrides, set_attribute
from crossover.search.outcome import RESULT, SearchResult, best_of, finished_trial
from crossover.search.proposals import next_trial
from crossover.search.settings import ORIGIN, SweeperSettings
from crossover.search.storage import open_study
from crossover.search.trial import TrialResult

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

log = logging.getLogger(__name__)

_MODEL = "model."

_SWEEP = "sweep"
"""Key under which the storage keeps the id of the search that it holds."""

_TRACKED = ("sampler", "seed", "pruner", "objectives", "budget", "examples", "repetitions")


def run_searches(arguments: list[str], sweeper: dict[str, Any], hydra: HydraSetup) -> None:
    """Run the search that the command line asks for, one for each combination of what it sweeps outside `model.`.

    What is swept below `model.` is searched, in place of the model's search space. Any other sweep, as
    `model=random_forest,xgboost`, is a search for each of its values.

    Args:
        arguments: the overrides on the command line.
        sweeper: the keys of `hydra.sweeper`.
        hydra: what launches jobs.

    Raises:
        CrossoverError: bad input, for example a range outside `model.`, which has no end of values; or more trials
            failed than `max_failure_rate` allows.
    """
    settings = validated(SweeperSettings, sweeper, ORIGIN, key="hydra.sweeper")
    _refuse_password(hydra.config)
    ranges, rest = {}, []
    parser = OverridesParser.create(config_loader=hydra.context.config_loader)
    for override in parser.parse_overrides(arguments):
        key = override.get_key_element()
        if override.is_sweep_override() and key.startswith(_MODEL):
            # The notation of a range is that of `crossover.search.space`.
            _, _, ranges[key.removeprefix(_MODEL)] = str(override.input_line).partition("=")
        elif override.is_sweep_override() and not override.is_discrete_sweep():
            raise CrossoverError(
                f"only values of the model, model.<key>, can be searched in a range, got {override.input_line} "
                "(the command line)"
            )
        else:
            rest.append(override)
    problems = []
    for overrides in BasicSweeper.split_arguments(rest, None)[0]:
        config = hydra.context.config_loader.load_sweep_config(hydra.config, list(overrides))
        HydraConfig.instance().set_config(config)
        job = config.copy()
        with open_dict(job):
            del job["hydra"]  # as the job's task function gets it
        problems.append(Search(SearchConfig(job, ranges, settings), overrides, hydra).run())
    if any(problems):
        raise CrossoverError("; ".join(filter(None, problems)))


def _refuse_password(config: DictConfig) -> None:
    """Hydra keeps the sweeper's keys as they are given in the folder of each trial; an interpolation stays one."""
    given = OmegaConf.to_container(config.hydra.sweeper, resolve=False)["storage"]  # type: ignore[index, call-overload]
    if isinstance(given, str) and without_secrets(given) != given:
        raise CrossoverError(
            f"hydra.sweeper.storage must not hold a password, which Hydra would write into the folder of each trial, "
            f"got {without_secrets(given)}; put the address into an environment variable, say STORAGE, and give "
            "'hydra.sweeper.storage=${oc.env:STORAGE}'"
        )


@dataclass(frozen=True)
class Search:
    """One search.

    Attributes:
        config: what is searched.
        overrides: the command line, without what is searched.
        hydra: what launches jobs.
    """

    config: SearchConfig
    overrides: Sequence[str]
    hydra: HydraSetup

    def run(self) -> str:
        """Search up to the budget, write the outcome, and say in a sentence what is wrong with it, if anything."""
        config = self.config
        refused = config.not_applicable()
        if refused and config.job.not_applicable == "error":
            raise refused
        if refused:
            reason = config.data.why_not()
            log.info("%s: does not apply: %s", config.cell.path, reason)
            nothing = SearchResult(config.facts(NOT_APPLICABLE, reason), [], [], config.plan.directions)
            nothing.write(self.target)
            return ""
        self.folder.mkdir(parents=True, exist_ok=True)
        facts = config.facts(OK, "")
        sweep = config.sweep_facts(config.sweep_id, {name: facts[name] for name in _TRACKED})
        try:
            lock = FileLock(self.folder / ".lock").acquire(timeout=0)
        except Timeout:  # two processes in one search would run its trials twice
            raise CrossoverError(
                "a search can be run by one process at a time, and another one is at "
                f"{_shown(self.folder)}; wait for it, or give this one another seed"
            ) from None
        with lock, hydra_job.tracker(config.job).sweep(sweep) as tracked:
            study = self._run_trials()
            facts["exhausted"] = bool(self._may_begin(study, 1))
            names = list(config.space.ranges)
            found = SearchResult(facts, names, self._counted(study), config.plan.directions)
            found.write(self.target)
            for path in sorted(self.target.iterdir()):
                tracked.artifact(path)
            tracked.best(trial_id(config.sweep_id, found.best.params) if found.best else None)
            if tracked.keeps:
                figures = search_figures(
                    found.stored,
                    list(config.plan.objectives),
                    config.plan.directions,
                    config.data.meta.metric,
                )
                for name, figure in figures.items():
                    tracked.figure(figure, name)
        return self._summary(found)

    @cached_property
    def folder(self) -> Path:
        """The search's folder, named by its content; that of a trial lies in it."""
        cell = self.config.cell
        name = f"{cell.dataset}-{cell.features}-{cell.model}-{self.config.sweep_id[:8]}"
        return Path(self.hydra.config.hydra.sweep.dir).resolve() / name

    @cached_property
    def target(self) -> Path:
        """Where the outcome is written: the pipeline's results, or the search's folder for a search by hand."""
        if hydra_job.choice("output") != "project":
            return self.folder / "outcome"
        return Layout(Path(self.config.job.output)).tuning(self.config.cell)

    def _run_trials(self) -> "Study":
        """Open the storage, run the trials that the budget still lets begin, and store each."""
        config, settings = self.config, self.config.settings
        name = settings.study_name or self.folder.name
        study = open_study(config.storage(), name, config.plan.directions)
        held = study.user_attrs.get(_SWEEP)
        if held is None:
            study.set_user_attr(_SWEEP, config.sweep_id)
        elif held != config.sweep_id:
            raise CrossoverError(
                f"hydra.sweeper.study_name must name a new study or one of the very same search, but {name!r} holds "
                "a search with another space, seed, data or code; choose another name"
            )
        launcher = TrialLauncher(config, study, self.overrides, self.hydra, self.folder)
        if earlier := self._counted(study):
            done = sum(trial.state.is_finished() for trial in earlier)
            budget = (
                f"{settings.n_trials} trials" if settings.n_trials else f"{settings.n_seconds:g} s of trials"
            )
            log.info("%s: goes on after %d of %s", config.cell.path, done, budget)
        while batch := self._next_batch(study):
            launcher.run(batch)
            for trial in batch:
                result = launcher.result(trial)
                assert result is not None
                self._store(study, trial, result)
        return study

    def _next_batch(self, study: "Study") -> list["FrozenTrial"]:
        """Trials that were broken off, and new ones that fill the batch.

        A batch is an aligned block of numbers, so that a search which was killed in one proposes the rest of it
        with the knowledge that an undisturbed search had.
        """
        begun = len(study.get_trials(deepcopy=False))
        config, settings = self.config, self.config.settings
        at_once = settings.trials_at_once(self.hydra.config.hydra.launcher)
        running = [trial for trial in self._counted(study) if not trial.state.is_finished()][:at_once]
        to_the_end_of_the_block = -begun % at_once
        # At the end of a block a new one begins only where no trial of the last one still runs.
        wanted = to_the_end_of_the_block if running else (to_the_end_of_the_block or at_once)
        for _ in range(min(wanted, self._may_begin(study, at_once), at_once - len(running))):
            trial = next_trial(
                study.get_trials(deepcopy=False),
                config.space,
                lambda seed: settings.make_sampler(seed, config.space),
                config.plan.directions,
                settings.seed,
            )
            if trial is None:  # the space is exhausted
                break
            study.add_trial(trial)
        return [*running, *study.get_trials(deepcopy=False)[begun:]]

    def _may_begin(self, study: "Study", at_once: int) -> int:
        """How many trials the budget lets begin now."""
        trials, settings = study.get_trials(deepcopy=False), self.config.settings
        if settings.n_trials is not None:
            return max(0, min(at_once, settings.n_trials - len(trials)))
        ended = [finished_trial(trial) for trial in trials if trial.state.is_finished()]
        # Features that were made beforehand are in the budget once, as those that a network learns are in each trial.
        # DVC does not know that this reads their time: a search need not be made again because they were timed anew.
        features = self.config.data.stored_feature_seconds(self.config.facts(OK, "")["n_train"])
        spent = features + sum(trial.result.seconds for trial in ended)
        return at_once if not ended or spent < (settings.n_seconds or 0) else 0

    def _counted(self, study: "Study") -> list["FrozenTrial"]:
        """The trials within the budget; an earlier start may have had a larger one."""
        return study.get_trials(deepcopy=False)[: self.config.settings.n_trials]

    def _store(self, study: "Study", trial: "FrozenTrial", result: TrialResult) -> None:
        """Put a trial's result into the storage, and log it in a line."""
        from optuna.trial import TrialState

        set_attribute(study, trial, RESULT, json.dumps(asdict(result)))
        state = {COMPLETED: TrialState.COMPLETE, PRUNED: TrialState.PRUNED, FAILED: TrialState.FAIL}
        objectives, n_trials = self.config.plan.objectives, self.config.settings.n_trials
        values = result.objectives(objectives) if result.state == COMPLETED else None
        study.tell(trial.number, values, state=state[result.state])
        ended = [finished_trial(t) for t in study.get_trials(deepcopy=False) if t.state.is_finished()]
        best = best_of(ended)
        what = {
            COMPLETED: f"{WORDS[self.config.data.meta.metric]} {result.score:.4f}",
            PRUNED: f"pruned at {result.score:.4f}",
            FAILED: f"failed: {result.error}",
        }
        log.info(
            "trial %d%s%s: %s in %.1f s%s",
            trial.number,
            f" of {n_trials}" if n_trials else "",
            ", the default configuration" if trial.number == 0 else "",
            what[result.state],
            result.seconds,
            f" (best {best.result.score:.4f}, trial {best.number})" if best else "",
        )

    def _summary(self, found: SearchResult) -> str:
        """Log how the search went; what is wrong with it, if anything, is returned."""
        best, target, n = found.best, _shown(self.target), len(found.trials)
        title, allowed = self.config.cell.path, self.config.settings.max_failure_rate
        by_state = ", ".join(f"{number} {state}" for state, number in found.counts.items())
        metric = WORDS[self.config.data.meta.metric]
        at_best = f"; best trial {best.number}, validation {metric} {best.result.score:.4f}" if best else ""
        ran_out = " (the search space has no further configuration)" if found.facts["exhausted"] else ""
        log.info("%s: %d trials%s: %s%s", title, n, ran_out, by_state, at_best)
        log.info("%s: results in %s", title, target)
        if best and hydra_job.choice("output") != "project":
            cell = self.config.cell
            features = [] if cell.family == "deep" else [f"features={cell.features}"]
            choice = [f"dataset={cell.dataset}", *features, f"model={cell.model}", "seeds=5"]
            command = ["python", f"pipelines/train_{cell.family}.py", *choice, *model_overrides(best.params)]
            log.info("fit the best on 5 repetitions: %s", shlex.join(command))
        failed = [trial for trial in found.trials if trial.result.state == FAILED]
        if best and len(failed) <= allowed * n:
            return ""
        first = f", the first of them trial {failed[0].number}: {failed[0].result.error}" if failed else ""
        return (
            f"at most {allowed:.0%} of the trials of a search may fail "
            f"(hydra.sweeper.max_failure_rate), and {len(failed)} of {n} of {title} failed{first}; "
            f"all results are kept in {target}"
        )


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
