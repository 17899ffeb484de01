"""Stage learning_curve: one model on nested subsets of one data set, from the configuration to the curve."""

from pathlib import Path

from omegaconf import DictConfig

from crossover.core.cell import DEFAULT
from crossover.core.clock import use_threads
from crossover.core.configuration import plain
from crossover.core.files import digest
from crossover.core.study import load_study, with_overrides
from crossover.fitting import engine
from crossover.fitting.curve import CurveRun
from crossover.launching import job
from crossover.launching.multirun import mark_taken_over

KEYS = (
    "dataset",
    "features",
    "model",
    "trainer",
    "study",
    "sizes",
    "repetitions",
    "output",
    "not_applicable",
    "tracking",
    "threads",
    "clock_seconds",
)


def run(config: DictConfig) -> float | None:
    """Measure the curve; the mean of the metric on validation rows at the largest size, None where it does not apply.

    Raises:
        CrossoverError: see `CurveRun.run`; or a value of the configuration is refused.
    """
    job.check_keys(config, *KEYS)
    fit_config, given = job.fit_config(config, variant=DEFAULT), plain(config)
    study = load_study(Path(config.study))
    plan = with_overrides(study.learning_curve, given["sizes"], given["repetitions"])
    tracker = job.tracker(config)
    run = CurveRun(
        fit_config,
        plan,
        job.layout(config),
        Path(config.output),
        tracker,
        job.multirun_folder(),
        job.clock_seconds(config),
    )
    with use_threads((config.trainer.threads if fit_config.trainer else None) or config.threads):
        if run.data.why_not():
            run.run(not_applicable=config.not_applicable)
            return None
        # A second process that measures the same waits for the first, whose staged fits it would remove, and takes
        # over the curve: also from an earlier job of a multirun, or a stage that went on after `dvc` was killed.
        with engine.lock(run.data, digest(engine.identity(run.data))):
            found = run.existing()
            scores = run.run() if found is None else found
    if found is not None:
        mark_taken_over(run.output)
    largest = scores[scores["n"] == scores["n"].max()]
    return float(largest[f"validation_{run.data.meta.metric}"].mean())
