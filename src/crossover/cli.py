"""Errors on the command line: one sentence for a mistake, a status other than 0, no traceback."""

import os
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

# Before NumPy's and the models' libraries are loaded, which read it then. By default, an OpenMP thread that waits for
# the others keeps its processor busy: next to other work on every core, a network's fit took 8 to 20 times as long so.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A table of 5,000 columns has a longer YAML than OmegaConf takes of itself; the project's configuration is trusted.
os.environ.setdefault("OMEGACONF_MAX_YAML_EXPANDED_NODES", "none")

from crossover.core.errors import sentence


def run(main: Callable[[], Any]) -> None:
    """Run a `@hydra.main` program; a mistake that the user can fix is reported in one sentence.

    Hydra hands an exception of the job to `sys.excepthook` and exits with status 1.
    HYDRA_FULL_ERROR=1 shows the traceback, as it does for Hydra's own errors.
    """
    if not os.environ.get("HYDRA_FULL_ERROR"):
        sys.excepthook = _one_sentence
        _tell_of_broken_yaml()
    main()


def _tell_of_broken_yaml() -> None:
    """Hydra shows its own traceback of a YAML file that cannot be read, before any hook is asked."""
    from hydra._internal.core_plugins.file_config_source import FileConfigSource
    from hydra.errors import CompactHydraException
    from yaml import YAMLError

    load = FileConfigSource.load_config
    if load.__module__ == __name__:  # an earlier program of this process
        return

    def load_config(self: Any, config_path: str) -> Any:
        try:
            return load(self, config_path)
        except YAMLError as error:  # which names the file
            raise CompactHydraException(f"error: {sentence(error)}") from error
        except UnicodeDecodeError as error:
            raise CompactHydraException(f"error: {self.path}/{config_path}: {sentence(error)}") from error

    FileConfigSource.load_config = load_config  # type: ignore[method-assign]


def _one_sentence(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    text = sentence(error)
    if text is None:
        sys.__excepthook__(kind, error, trace)
    else:
        print(f"error: {text}", file=sys.stderr)  # noqa: T201
