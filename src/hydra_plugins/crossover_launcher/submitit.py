"""Submitit's launchers: locally a limit to the jobs at once, and one job's death is one failed job.

The plugin's own launchers start every job of a multirun at once, which on one machine is one process a job,
and leave the other jobs alone when one is killed.
"""

import logging
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra_plugins.hydra_submitit_launcher import submitit_launcher as plugin

import crossover.launching.names  # noqa: F401  (the launchers' YAMLs use its resolvers, whatever the entry point)
from crossover.core.errors import CrossoverError, first_line

log = logging.getLogger(__name__)


class LocalLauncher(plugin.LocalLauncher):
    """Submitit's local executor with a limit.

    Args:
        n_jobs: most jobs at once.
        params: the plugin's own.
    """

    def __init__(self, n_jobs: int, **params: Any) -> None:
        super().__init__(**params)
        self._n_jobs = n_jobs

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs; one whose process died is returned as failed, like one that raised."""
        numbers = range(initial_job_idx, initial_job_idx + len(job_overrides))
        with ThreadPoolExecutor(self._n_jobs) as pool:
            return list(pool.map(self._launch_one, job_overrides, numbers))

    def _launch_one(self, overrides: Sequence[str], number: int) -> JobReturn:
        from submitit.core.utils import UncompletedJobError

        try:
            return super().launch([overrides], number)[0]
        except UncompletedJobError as error:
            returned = JobReturn(overrides=overrides, status=JobStatus.FAILED)
            returned.return_value = CrossoverError(
                f"the process of the job {' '.join(overrides)} ended before the job did ({first_line(error)}); "
                "give the same command again: what was finished is kept"
            )
            return returned


class SlurmLauncher(plugin.SlurmLauncher):
    """Submitit's Slurm executor: one job array for the jobs of a multirun."""

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs.

        Raises:
            CrossoverError: the machine has no Slurm.
        """
        if not shutil.which("sbatch"):
            raise CrossoverError(
                "hydra/launcher=submitit_slurm needs Slurm's command sbatch, which is not on the PATH here; "
                "start from a login node of the cluster, or take hydra/launcher=joblib"
            )
        if subprocess.run(["sacct", "--noheader"], capture_output=True, check=False).returncode:
            log.warning(
                "Slurm keeps no accounts here (sacct fails): nobody tells of a job that is killed, and this multirun "
                "then waits for it until it is interrupted"
            )
        return super().launch(job_overrides, initial_job_idx)
