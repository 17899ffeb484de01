"""How each job of a Hydra multirun ends: a record while it runs, a summary and an exit status at the end."""

import csv
import logging
import os
import shutil
import sys
import traceback
import uuid
from collections import Counter
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from crossover.core.errors import CrossoverError, sentence
from crossover.core.files import read_json, write_json
from crossover.launching.names import planned

if TYPE_CHECKING:
    from hydra.core.utils import JobReturn

log = logging.getLogger(__name__)

SUCCEEDED, TAKEN_OVER, FAILED = "succeeded", "taken over", "failed"
KILLED = "killed"
"""The job began and did not come to its end: its process was killed, or stopped together with another one."""
NOT_STARTED = "not started"

_taken_over: set[str] = set()
"""Folders of jobs that this process took over as they were."""


def mark_taken_over(folder: Path) -> None:
    """Note, for the log and the summary, that a job found what it would make in its own folder."""
    log.info("taken over from %s", folder)
    _taken_over.add(str(folder))


@dataclass(frozen=True)
class JobRecord:
    """What is known of one job of a multirun.

    Attributes:
        job: its number in the multirun.
        overrides: as on the command line.
        state: SUCCEEDED, TAKEN_OVER, FAILED, KILLED or NOT_STARTED.
        value: what the job returned: a training stage's mean validation accuracy; empty where it returned none.
        error: one sentence; empty where the job succeeded.
        folder: the job's.
    """

    job: int
    overrides: str
    state: str
    value: float | None = None
    error: str = ""
    folder: str = ""


class Multirun(Callback):
    """Hydra's callback that keeps a record of each job, sums them up at the end and sets the exit status.

    It travels to the launcher's worker processes with the jobs, which write their records to one folder.
    """

    _records: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        OmegaConf.to_container(config.hydra.launcher, resolve=True)  # fills the cache that the jobs get
        # One folder a start, since the same multirun can be started twice at once.
        self._records = Path(config.hydra.sweep.dir).absolute() / f".records-{uuid.uuid4().hex}"
        self._records.mkdir(parents=True)

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        self._write(config, state=KILLED)  # true until the job has ended

    def on_job_end(self, config: DictConfig, job_return: "JobReturn", **kwargs: Any) -> None:
        folder = config.hydra.runtime.output_dir
        returned = job_return._return_value  # the public property raises and prints the error
        if isinstance(returned, BaseException):
            Path(folder, "error.txt").write_text("".join(traceback.format_exception(returned)))
            text = f"{type(returned).__name__}: {' '.join(str(returned).split())[:300]} (see error.txt)"
            self._write(config, state=FAILED, error=sentence(returned) or text)
        else:
            Path(folder, "error.txt").unlink(missing_ok=True)
            self._write(config, state=TAKEN_OVER if folder in _taken_over else SUCCEEDED, value=returned)
        _taken_over.discard(folder)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Log the summary and write it to `summary.csv`.

        Raises:
            SystemExit: status 1 where a job did not succeed; its error is in the log.
        """
        if self._records is None:
            return
        by_number = {
            number: JobRecord(number, " ".join(overrides), NOT_STARTED)
            for number, overrides in enumerate(planned(config.hydra) or [])
        }
        for path in self._records.glob("*.json"):
            record = JobRecord(**read_json(path, "the multirun"))
            by_number[record.job] = record
        jobs = [by_number[number] for number in sorted(by_number)]
        shutil.rmtree(self._records, ignore_errors=True)
        error, raw = sys.exc_info()[1], bool(os.environ.get("HYDRA_FULL_ERROR"))
        if error is not None and all(job.state == NOT_STARTED for job in jobs):
            # A launcher's error; Hydra itself shows mistakes in overrides.
            if isinstance(error, CrossoverError) and not raw:
                log.error("error: %s", error)
                raise SystemExit(1)
            return
        summary = Path(config.hydra.sweep.dir) / "summary.csv"
        fresh = summary.with_name(f".{summary.name}.{os.getpid()}.partial")
        with fresh.open("w", newline="") as file:
            writer = csv.DictWriter(file, [f.name for f in fields(JobRecord)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(job) for job in jobs)
        fresh.replace(summary)
        _log_summary(jobs, summary)
        if not all(job.state in (SUCCEEDED, TAKEN_OVER) for job in jobs):
            log.error("Fix what failed and give the same command again: finished jobs are kept.")
            if not isinstance(error, KeyboardInterrupt) and not raw:
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


def _log_summary(jobs: list[JobRecord], summary: Path) -> None:
    counts = Counter(job.state for job in jobs)
    states = [f"{counts[s]} {s}" for s in (SUCCEEDED, TAKEN_OVER, FAILED, KILLED, NOT_STARTED) if counts[s]]
    log.info("%d jobs: %s; %s", len(jobs), ", ".join(states), summary)
    for job in jobs:
        if job.state == FAILED:
            log.error("failed: %s: %s", job.overrides, job.error)
    for state, what in ((KILLED, "began and did not end"), (NOT_STARTED, "did not begin")):
        missing = [job.overrides for job in jobs if job.state == state]
        if missing:
            log.error("%s: %s", what, "; ".join(missing))
    if counts[KILLED]:
        log.error(
            "The process of a job was killed: by hand, by a scheduler's limit, or because memory ran out; then run "
            "fewer jobs at once. joblib also stops the jobs that run at the same time."
        )
