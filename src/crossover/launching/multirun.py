"""Hydra multiruns of the training stages: where their jobs lie, and what became of each.

A job's folder is named by the content of its configuration, a multirun's by its overrides, and both lie where the
next start of the same command finds them. So a job that has finished is taken over, and no two that differ share
a folder. `conf/output/hydra.yaml` and `conf/hydra/launcher/` use the resolvers that this module registers.
"""

import csv
import logging
import os
import re
import shutil
import sys
import traceback
import uuid
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from crossover.core.clock import cores
from crossover.core.errors import CrossoverError
from crossover.core.files import digest, read_json, write_json
from crossover.core.fits import Fit, FittedCell
from crossover.core.layout import Layout

if TYPE_CHECKING:
    from hydra.conf import HydraConf
    from hydra.core.utils import JobReturn

    from crossover.fitting.training import Training

log = logging.getLogger(__name__)

SURROUNDINGS = ("output", "not_applicable", "tracking", "threads")
"""Keys and groups that say where a job runs and is recorded, not what it computes."""

TRUSTED = ("crossover.*", "hydra.*", "hydra_plugins.*", "logging.*")
"""What Hydra itself may make from a training stage's configuration: callbacks, launchers, loggers."""

SUCCEEDED, TAKEN_OVER, FAILED = "succeeded", "taken over", "failed"
DIED = "died"
"""The job began and did not come to its end: its process was killed, or stopped with another one."""
NOT_STARTED = "not started"


# Names


def job_name(*, _root_: DictConfig) -> str:
    """The folder of a job: the chosen YAML files, the repetition and a hash of the composed configuration."""
    content = {str(key): _plain(_root_, key) for key in _root_ if key not in ("hydra", *SURROUNDINGS)}
    choices = _root_.hydra.runtime.choices
    groups = {key: str(choices[key]) for key in content if key in choices}
    if content.get("root") == _root_.hydra.runtime.cwd:
        del content["root"]  # the same project may be mounted elsewhere on another machine
    repetition = "seed" if content.get("seeds") is None else "seeds"
    words = [*groups.values(), *([f"{repetition}={content[repetition]}"] if repetition in content else [])]
    return f"{_slug('-'.join(words))}-{digest([groups, content])[:10]}"


def multirun_name() -> str:
    """The folder of a multirun, and its parent run in the tracker: its overrides and a hash of them."""
    overrides = sorted(
        override
        for override in map(str, HydraConfig.get().overrides.task)
        if override.lstrip("+~").partition("=")[0] not in SURROUNDINGS
    )
    return f"multirun-{_slug('-'.join(overrides))}-{digest(overrides)[:10]}"


def _plain(config: DictConfig, key: Any) -> Any:
    try:
        value = config[key]
    except OmegaConfBaseException:  # the job will tell; its name must not end the others
        return str(OmegaConf.to_container(config, resolve=False)[key])  # type: ignore[index]
    return OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else value


def _slug(text: str) -> str:
    """A text as part of a file name, whose limit is 255 bytes on the usual file systems."""
    return re.sub(r"[^\w.,=+-]+", "_", text, flags=re.ASCII)[:100]


# Jobs at once


def planned(hydra: "HydraConf") -> list[list[str]] | None:
    """The overrides of each job of a multirun; None where its sweeper decides that while it runs.

    Args:
        hydra: Hydra's part of the configuration of the multirun, not of one of its jobs.
    """
    if hydra.runtime.choices["hydra/sweeper"] != "basic":
        return None
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    params = [f"{key}={value}" for key, value in (hydra.sweeper.params or {}).items()]
    overrides = parser.parse_overrides([*params, *hydra.overrides.task])
    return BasicSweeper.split_arguments(overrides, None)[0]


def jobs_at_once(most: int) -> int:
    """How many jobs of this multirun a launcher on this machine runs at once.

    Args:
        most: a limit; -1 is one job a core.
    """
    hydra = HydraConfig.get()
    jobs = planned(hydra)
    waiting = (hydra.sweeper.get("n_jobs") or most) if jobs is None else len(jobs)
    return max(1, min(cores() if number == -1 else number for number in (most, waiting)))


def threads_each(jobs: int) -> int:
    """Processor threads of each of several jobs at once on this machine; of at most one a core where -1."""
    return max(1, cores() // jobs) if jobs > 0 else 1


def _register() -> None:
    # Through the cache, which Hydra copies into each job's configuration, a job has the value of its multirun.
    for name, function, cached in (
        ("job_name", job_name, False),
        ("multirun_name", multirun_name, True),
        ("jobs_at_once", jobs_at_once, True),
        ("threads_each", threads_each, False),
    ):
        OmegaConf.register_resolver(f"crossover.{name}", function, use_cache=cached, replace=True)


_register()  # at import: a launcher's worker process imports this module and runs nothing else of ours before the job


# Not twice


def fit(training: "Training", seeds: list[int], *, not_applicable: Literal["record", "error"]) -> list[Fit]:
    """Fit the repetitions of a cell, or take over what an earlier job of a multirun fitted in the same folder.

    Args and errors are those of `Training.run`. A second process that fits the same waits for the first.
    """
    from filelock import FileLock

    if training.data.why_not():
        return training.run(seeds, not_applicable=not_applicable)
    lock = training.layout.staging / "locks" / f"{training._fit_id(seeds[0])}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        found = finished(training, seeds) if _in_multirun() else None
        if found is None:
            return training.run(seeds, not_applicable=not_applicable)
    mark_taken_over(training.output)
    return found


def mark_taken_over(folder: Path) -> None:
    """Tell, and tell the summary, that a job found what it would make in its own folder."""
    log.info("taken over from %s", folder)
    _taken_over.add(str(folder))


def finished(training: "Training", seeds: list[int]) -> list[Fit] | None:
    """The fits in the training's own folder where they are exactly those that it would make; else None."""
    folder = Layout(training.output).models(training.config.cell)
    if not (folder / "cell.json").exists():
        return None
    fitted = FittedCell(folder)
    if fitted.record.seeds != (seeds if fitted.record.stochastic else seeds[:1]):
        return None
    fits = fitted.fits()
    same = all(fit.record.fit_id == training._fit_id(fit.seed) for fit in fits)
    return fits if same else None


def _in_multirun() -> bool:
    return HydraConfig.get().mode == RunMode.MULTIRUN


_taken_over: set[str] = set()
"""Job folders that this process took over as they were."""


# What became of each job


@dataclass(frozen=True)
class JobRecord:
    """What is known of one job of a multirun.

    Attributes:
        job: its number in the multirun.
        overrides: as on the command line.
        state: SUCCEEDED, TAKEN_OVER, FAILED, DIED or NOT_STARTED.
        value: what the job returned: a training stage's mean validation accuracy; empty where it returned none.
        error: one sentence; empty where the job succeeded.
        folder: the job's.
    """

    job: int
    overrides: str
    state: str
    value: float | None = None
    error: str = ""
    folder: str = field(default="")

    @property
    def ended_well(self) -> bool:
        return self.state in (SUCCEEDED, TAKEN_OVER)


class Multirun(Callback):
    """Hydra's callback that keeps a record of each job, sums them up at the end and sets the exit status.

    It travels to the launcher's worker processes with the jobs, which write their records to one folder.
    """

    def __init__(self) -> None:
        self._records: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        OmegaConf.to_container(config.hydra.launcher, resolve=True)  # fills the cache that the jobs get
        # One folder a start, since the same multirun can be started twice at once.
        self._records = Path(config.hydra.sweep.dir).absolute() / f".records-{uuid.uuid4().hex}"
        self._records.mkdir(parents=True)

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._write(config, state=DIED)  # true until the job has ended

    def on_job_end(self, config: DictConfig, job_return: "JobReturn", **kwargs: Any) -> None:
        folder = config.hydra.runtime.output_dir
        returned = job_return._return_value  # the public property raises and prints the error
        if isinstance(returned, BaseException):
            Path(folder, "error.txt").write_text("".join(traceback.format_exception(returned)))
            self._write(config, state=FAILED, error=_sentence(returned))
        else:
            Path(folder, "error.txt").unlink(missing_ok=True)
            self._write(config, state=TAKEN_OVER if folder in _taken_over else SUCCEEDED, value=returned)
        _taken_over.discard(folder)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Tell the summary and write it to `summary.csv`.

        Raises:
            SystemExit: status 1 where a job did not succeed, whose sentence has then been told.
        """
        if self._records is None:
            return
        jobs = _all_jobs(self._records, config)
        shutil.rmtree(self._records, ignore_errors=True)
        error = sys.exc_info()[1]
        if error is not None and all(job.state == NOT_STARTED for job in jobs):
            _tell_mistake(error)
            return
        _write_summary(Path(config.hydra.sweep.dir) / "summary.csv", jobs)
        _tell(jobs, Path(config.hydra.sweep.dir) / "summary.csv")
        interrupted = isinstance(error, KeyboardInterrupt)
        if not interrupted and not os.environ.get("HYDRA_FULL_ERROR") and not all(j.ended_well for j in jobs):
            raise SystemExit(1)

    def _write(self, config: DictConfig, **known: Any) -> None:
        if self._records is None:
            return
        record = JobRecord(
            job=config.hydra.job.num,
            overrides=" ".join(config.hydra.overrides.task),
            folder=config.hydra.runtime.output_dir,
            **known,
        )
        path = self._records / f"{record.job}.json"
        write_json(path.with_suffix(".partial"), asdict(record))
        path.with_suffix(".partial").replace(path)


def _tell_mistake(error: BaseException) -> None:
    """Tell a launcher's own sentence; a mistake in the overrides is told by Hydra."""
    if isinstance(error, CrossoverError) and not os.environ.get("HYDRA_FULL_ERROR"):
        log.error("error: %s", error)
        raise SystemExit(1)


def _all_jobs(records: Path, config: DictConfig) -> list[JobRecord]:
    jobs = {
        number: JobRecord(number, " ".join(overrides), NOT_STARTED)
        for number, overrides in enumerate(planned(config.hydra) or [])
    }
    for path in records.glob("*.json"):
        record = JobRecord(**read_json(path, "the multirun"))
        jobs[record.job] = record
    return [jobs[number] for number in sorted(jobs)]


def _write_summary(path: Path, jobs: list[JobRecord]) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with fresh.open("w", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(JobRecord)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(job) for job in jobs)
    fresh.replace(path)


def _tell(jobs: list[JobRecord], summary: Path) -> None:
    counts = Counter(job.state for job in jobs)
    states = [f"{counts[s]} {s}" for s in (SUCCEEDED, TAKEN_OVER, FAILED, DIED, NOT_STARTED) if counts[s]]
    log.info("%d jobs: %s; %s", len(jobs), ", ".join(states), summary)
    for job in jobs:
        if job.state == FAILED:
            log.error("failed: %s: %s", job.overrides, job.error)
    for state, what in ((DIED, "began and did not end"), (NOT_STARTED, "did not begin")):
        missing = [job.overrides for job in jobs if job.state == state]
        if missing:
            log.error("%s: %s", what, "; ".join(missing))
    if counts[DIED]:
        log.error(
            "The process of a job was killed: by hand, by a scheduler's limit or for want of memory, where fewer "
            "jobs at once help. joblib then stops the jobs beside it."
        )
    if not all(job.ended_well for job in jobs):
        log.error("Mend what failed and give the same command again: finished jobs are kept.")


def _sentence(error: BaseException) -> str:
    from crossover.core.errors import sentence

    return sentence(error) or f"{type(error).__name__}: {' '.join(str(error).split())[:300]} (see error.txt)"
