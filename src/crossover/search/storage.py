"""The Optuna storage of a search: where its trials survive a kill."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossover.core.errors import CrossoverError, first_line, without_secrets
from crossover.search.plan import Direction

if TYPE_CHECKING:
    from optuna import Study
    from optuna.storages import RDBStorage

LOCK_SECONDS = 60
"""How long to wait while another process makes the tables, which takes it about a second."""

_SQLITE = "sqlite:///"


def open_study(storage: str, name: str, directions: list[Direction]) -> "Study":
    """Load a study, or make it where it is new.

    Args:
        storage: address of a database, as SQLAlchemy writes it.
        name: of the study.
        directions: "maximize" or "minimize" for each objective.

    Raises:
        CrossoverError: the database cannot be reached, or is no storage of this Optuna.
    """
    import optuna
    from filelock import FileLock
    from sqlalchemy import NullPool, create_engine, inspect

    try:
        lock: AbstractContextManager[Any] = nullcontext()
        if storage.startswith(_SQLITE):  # processes that start at once would each make the tables
            path = Path(storage.removeprefix(_SQLITE))
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(f"{path}.lock", timeout=LOCK_SECONDS)
        with lock:
            # Optuna would add its tables to those of another program.
            tables = inspect(create_engine(storage, poolclass=NullPool)).get_table_names()
            if tables and "trials" not in tables:
                raise ValueError(f"it holds the tables {', '.join(sorted(tables)[:3])}, … of another program")
            return optuna.create_study(
                storage=_connected(storage), study_name=name, directions=directions, load_if_exists=True
            )
    except Exception as error:
        reason = without_secrets(first_line(error))
        raise CrossoverError(
            f"hydra.sweeper.storage must be a database in which Optuna can keep its trials, got "
            f"{without_secrets(storage)} ({type(error).__name__}: {reason}); "
            "check the address and that no other program's tables are in it"
        ) from error


def load_study(storage: str, name: str) -> "Study":
    """The study of a search that is under way, from the process of one of its trials."""
    import optuna

    return optuna.load_study(storage=_connected(storage), study_name=name)


def _connected(storage: str) -> "RDBStorage":
    """Optuna's storage; its own log and its marks of new features stay out of the output."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    # A trial that goes on after a kill reports its first steps again, with the same values.
    warnings.filterwarnings("ignore", message="The reported value is ignored because this `step=")
    # Several searches may share a SQLite file: a writer waits for the other instead of failing.
    arguments = {"connect_args": {"timeout": LOCK_SECONDS}} if storage.startswith("sqlite:") else {}
    return optuna.storages.RDBStorage(storage, engine_kwargs=arguments)
