"""Stage learning_curve: one model on nested subsets of one data set, from the configuration to the curve."""

from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from crossover.core.cell import DEFAULT
from crossover.core.clock import use_threads
from crossover.core.columns import CURVE_SCORES, read_rows
from crossover.core.configuration import plain
from crossover.core.files import read_json, write_json
from crossover.core.study import load_study, with_overrides
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
    """Measure the curve; mean validation accuracy at the largest size, None where the cell does not apply.

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
        # The same command finds the folder of a multirun's job again, and takes over a curve that has ended there.
        in_job_folder = run.output.absolute() == Path(HydraConfig.get().runtime.output_dir).absolute()
        kept = job.multirun_folder() is not None and in_job_folder and not run.data.why_not()
        marker = run.output / "curve.json"
        if kept and marker.exists() and read_json(marker, "the same command") == {"curve_id": run.curve_id}:
            mark_taken_over(run.output)
            scores = read_rows(run.folder / "scores.csv", CURVE_SCORES, "the same command")
        else:
            if kept:
                marker.unlink(missing_ok=True)
            scores = run.run(not_applicable=config.not_applicable)
            if kept:
                write_json(marker, {"curve_id": run.curve_id})
    largest = scores[scores["n"] == scores["n"].max()]
    return None if largest.empty else float(largest["validation_accuracy"].mean())
