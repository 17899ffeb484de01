"""The manners of the command line: one sentence for a mistake, a status other than 0, no traceback."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.tracking.tracker import Tracker

TRAINING = ("seed", "seeds", "variant", "output", "not_applicable")
"""The keys that both training stages share (conf/training.yaml, conf/output/)."""

_SURROUNDINGS = {
    errno.EACCES: "give yourself permission to write there",
    errno.EPERM: "give yourself permission to write there",
    errno.EROFS: "choose a place that can be written",
    errno.ENOSPC: "free some space on that disk",
    errno.ENOTDIR: "move the file that stands where a folder should be",
    errno.EEXIST: "move the file that stands where a folder should be",
    errno.EDQUOT: "free some of your quota on that disk",
}


def run(main: Callable[[], Any]) -> None:
    """Run a `@hydra.main` program; what the user can mend is told in one sentence.

    Hydra hands an exception of the job to `sys.excepthook` and exits with status 1.
    HYDRA_FULL_ERROR=1 shows the traceback, as it does for Hydra's own errors.
    """
    if not os.environ.get("HYDRA_FULL_ERROR"):
        sys.excepthook = _one_sentence
    main()


def _one_sentence(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    told = sentence(error)
    if told is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {told}", file=sys.stderr)  # noqa: T201


def sentence(error: BaseException) -> str | None:
    """What the user can mend, in one sentence; None for a mistake of ours."""
    if isinstance(error, CrossoverError):
        return str(error)
    if isinstance(error, OmegaConfBaseException):
        return " ".join(str(error).split()) + "; check the YAML files in conf/ and the command line"
    if isinstance(error, OSError) and error.errno in _SURROUNDINGS:
        return f"cannot write {error.filename or 'a file'}: {error.strerror}; {_SURROUNDINGS[error.errno]}"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; what was finished is kept, and the same command carries on from there"
    return None


def check_keys(config: DictConfig, *known: str) -> None:
    """Refuse a stage's configuration that holds a key too many or too few.

    Raises:
        CrossoverError: a key of the stage's YAML files is misspelt or missing.
    """
    wrong = sorted(str(key) for key in set(config) ^ {"root", *known})
    if wrong:
        stage = HydraConfig.get().job.config_name
        raise CrossoverError(
            f"conf/{stage}.yaml must give exactly the keys {', '.join(known)}; check {', '.join(wrong)}"
        )


def choice(group: str) -> str:
    """The YAML that was chosen in a config group, for example "random_forest" in `model`."""
    return str(HydraConfig.get().runtime.choices[group])


def origin(group: str) -> str:
    """The file behind the chosen YAML of a group, for messages."""
    return f"conf/{group}/{choice(group)}.yaml"


def layout(config: DictConfig) -> Layout:
    """Where the project's files lie."""
    return Layout(Path(config.root))


def tracker(config: DictConfig) -> Tracker:
    """What records the fits: the chosen `tracking`, unless CROSSOVER_TRACKING names another of conf/tracking/.

    Raises:
        CrossoverError: the environment names one that does not exist.
    """
    name = os.environ.get("CROSSOVER_TRACKING") or choice("tracking")
    if name == choice("tracking"):
        return build(config.tracking, origin("tracking"))
    main = next(s for s in HydraConfig.get().runtime.config_sources if s.provider == "main")
    folder = Path(main.path) / "tracking"
    there = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in there:
        raise CrossoverError(
            f"CROSSOVER_TRACKING must be one of {', '.join(there)}, got {name!r} (the environment)"
        )
    return build(OmegaConf.load(folder / f"{name}.yaml"), f"conf/tracking/{name}.yaml")


def multirun_name() -> str | None:
    """The folder of the Hydra multirun that this job belongs to; None for a single run."""
    hydra = HydraConfig.get()
    return str(hydra.sweep.dir) if hydra.mode is not None and hydra.mode.name == "MULTIRUN" else None
