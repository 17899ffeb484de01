"""Names and numbers that Hydra fills into its configuration: folders of jobs and multiruns, jobs at once, threads.

A job's folder is named by the content of its configuration, a multirun's by its overrides. So the same command finds
what it finished before, and no two jobs that differ share a folder. `conf/output/hydra.yaml` and `conf/hydra/launcher/`
use the resolvers that this module registers.
"""

import re
import uuid
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from crossover.core.clock import cores
from crossover.core.files import digest

if TYPE_CHECKING:
    from hydra.conf import HydraConf

NOT_IN_NAMES = ("output", "not_applicable", "tracking", "threads")
"""Keys and groups that say where a job runs and is recorded, not what it computes."""

TRUSTED = ("crossover.*", "hydra.*", "hydra_plugins.*", "logging.*")
"""What Hydra itself may make from a training stage's configuration: callbacks, launchers, loggers."""


def job_name(*, _root_: DictConfig) -> str:
    """The folder of a job: the chosen YAML files, the repetition and a hash of the composed configuration."""
    content: dict[str, Any] = {}
    for key in map(str, _root_):
        if key in ("hydra", *NOT_IN_NAMES):
            continue
        try:
            value = _root_[key]
        except OmegaConfBaseException:  # the job reports it; a name must not end the other jobs
            unresolved: Any = OmegaConf.to_container(_root_, resolve=False)
            value = str(unresolved[key])
        content[key] = OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else value
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
        if override.lstrip("+~").partition("=")[0] not in NOT_IN_NAMES
    )
    return f"multirun-{_slug('-'.join(overrides))}-{digest(overrides)[:10]}"


def unique() -> str:
    """Eight characters that no other process has."""
    return uuid.uuid4().hex[:8]


def _slug(text: str) -> str:
    """A text as part of a file name, whose limit is 255 bytes on the usual file systems."""
    return re.sub(r"[^\w.,=+-]+", "_", text, flags=re.ASCII)[:100]


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
    """Processor threads of each of several jobs at once on this machine; with -1, one job a core, it is one."""
    return max(1, cores() // jobs) if jobs > 0 else 1


# At import: a launcher's worker process imports this module and runs nothing else of ours before the job.
# Through the cache, which Hydra copies into each job's configuration, a job has the value of its multirun.
OmegaConf.register_resolver("crossover.job_name", job_name, replace=True)
OmegaConf.register_resolver("crossover.multirun_name", multirun_name, use_cache=True, replace=True)
OmegaConf.register_resolver("crossover.unique", unique, use_cache=True, replace=True)
OmegaConf.register_resolver("crossover.jobs_at_once", jobs_at_once, use_cache=True, replace=True)
OmegaConf.register_resolver("crossover.threads_each", threads_each, replace=True)
