"""From the configuration of `pipelines/tune.py` to a cell, a plan and a trial."""

import logging
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from crossover.core.cell import Cell
from crossover.core.clock import git_commit, use_threads
from crossover.core.columns import COMPLETED
from crossover.core.configuration import build, plain
from crossover.core.errors import CrossoverError
from crossover.core.files import digest
from crossover.fitting.training import FitConfig, TrainingData
from crossover.launching import job as hydra_job
from crossover.search.plan import Plan
from crossover.search.proposals import canonical
from crossover.search.space import SearchSpace
from crossover.search.storage import default_storage, load_study
from crossover.search.trial import Trial, TrialResult
from crossover.tracking.tracker import Log, SweepFacts, TrialFacts

log = logging.getLogger(__name__)

KEYS = (
    "dataset",
    "features",
    "model",
    "trainer",
    "search",
    "tracking",
    "output",
    "not_applicable",
    "threads",
)
PLAN = ("objectives", "examples", "min_validation_examples", "max_repetitions", "pruner")


def check_keys(config: DictConfig) -> None:
    """Refuse a key of conf/tune.yaml that is misspelt or missing."""
    hydra_job.check_keys(config, *KEYS, *PLAN, "trial")


def fit_config(config: DictConfig) -> FitConfig:
    """What a trial fits."""
    return hydra_job.fit_config(config, variant="trial")


def plan_of(config: DictConfig) -> Plan:
    """How trials are scored."""
    settings = {name: null_of_dvc(plain(config)[name]) for name in PLAN}
    objectives = (null_of_dvc(name) for name in settings["objectives"])
    return Plan(**{**settings, "objectives": tuple(name for name in objectives if name)})


def null_of_dvc(value: Any) -> Any:
    """A null in params.yaml stands as None in the command that DVC makes of it."""
    return None if value == "None" else value


def space_of(config: DictConfig, model_config: dict[str, Any], swept: dict[str, Any]) -> SearchSpace:
    """The search space of a model: what the command line sweeps below `model.`, else its YAML."""
    if swept:
        return SearchSpace.load(swept, model_config, "the command line", hydra_job.origin("model"))
    return SearchSpace.load(
        plain(config.search), model_config, hydra_job.origin("search"), hydra_job.origin("model")
    )


def storage_of(config: DictConfig) -> str:
    """Address of the Optuna storage."""
    return HydraConfig.get().sweeper.storage or default_storage(Path(config.root))


def sweep_facts(
    cell: Cell, data: TrainingData, sweep_id: str, params: dict[str, Any], root: Path
) -> SweepFacts:
    """What identifies a search to the tracker."""
    return SweepFacts(
        cell=cell,
        name=f"tune {cell.model} · {cell.features} · {sweep_id[:8]}",
        sweep_id=sweep_id,
        params=params,
        git_commit=git_commit(root),
        meta=data.meta,
    )


def run_trial(config: DictConfig) -> list[float] | float | None:
    """Run the trial that this job is, and return the values of its objectives.

    Outside of a search it is the configuration alone, and nothing is pruned.

    Raises:
        CrossoverError: the model does not take the data set, or, outside of a search, the trial failed.
    """
    tried, plan, layout = fit_config(config), plan_of(config), hydra_job.layout(config)
    data = TrainingData(tried, layout)
    reason = data.why_not()
    if reason:
        raise CrossoverError(f"{reason} ({tried.model_origin}); choose another model or data set")
    folder = Path(HydraConfig.get().runtime.output_dir)
    if config.trial.number is None:
        result = Trial(tried, data, plan, folder, _never, _unwatched).run()
        if result.error:
            raise CrossoverError(result.error)
        log.info("validation accuracy %.4f over %d splits", result.accuracy, len(result.accuracies))
        return result.accuracy
    result = _tracked(config, tried, plan, data, folder)
    values = result.objectives(plan.objectives) if result.state == COMPLETED else None
    return values[0] if values and len(values) == 1 else values


def trial_facts(
    tried: FitConfig, data: TrainingData, sweep_id: str, number: int, params: dict[str, Any], root: Path
) -> TrialFacts:
    """What identifies a trial to the tracker; `tried` is the whole configuration."""
    sweep = sweep_facts(tried.cell, data, sweep_id, {}, root)
    identity = trial_id(sweep_id, canonical(params))
    return TrialFacts(sweep, number, identity, params, {"model": tried.model})


def trial_id(sweep_id: str, params: str) -> str:
    """SHA-256 of a trial's content; `params` as `canonical` writes them."""
    return digest([sweep_id, params])


def _tracked(
    config: DictConfig, tried: FitConfig, plan: Plan, data: TrainingData, folder: Path
) -> TrialResult:
    space = space_of(config, tried.model, plain(config.trial.space) if config.trial.space else {})
    params = space.default()  # those of this job's configuration, which holds what is tried
    facts = trial_facts(tried, data, config.trial.sweep, config.trial.number, params, Path(config.root))
    limit = use_threads(config.trainer.threads or config.threads)
    with limit, hydra_job.tracker(config).trial(facts) as tracked:
        judge = _Judge(config, plan) if plan.prunes else _never
        result = Trial(tried, data, plan, folder, judge, tracked.epoch).run()
        _record(tracked, result)
    return result


def _record(tracked: Log, result: TrialResult) -> None:
    numbers = {"val/accuracy": result.accuracy, "seconds": result.seconds}
    for name, values in (("val/log_loss", result.log_losses), ("fit_seconds", result.fit_seconds)):
        if values:
            numbers[name] = sum(values) / len(values)
    tracked.metrics({name: value for name, value in numbers.items() if value == value})  # NaN is not recorded
    tracked.ended(result.state, result.error)


class _Judge:
    """Asks Optuna's pruner whether a trial is hopeless; the storage holds what the others reported."""

    def __init__(self, config: DictConfig, plan: Plan):
        import optuna

        study = load_study(storage_of(config), config.trial.study)
        study.pruner = build(plan.pruner, hydra_job.origin("pruner"))
        number = config.trial.number
        self._trial = optuna.trial.Trial(study, study.get_trials(deepcopy=False)[number]._trial_id)

    def __call__(self, step: int, value: float) -> bool:
        self._trial.report(value, step)
        return self._trial.should_prune()


def _never(step: int, value: float) -> bool:
    return False


def _unwatched(step: int, metrics: dict[str, float]) -> None:
    """Nobody looks at the epochs."""
