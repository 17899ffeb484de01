"""The Optuna storage of a search: where its trials survive a kill."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from crossover.core.errors import CrossoverError, first_line, without_password
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

    quiet()
    try:
        with _one_at_a_time(storage):
            _require_own_tables(storage)
            return optuna.create_study(
                storage=_connected(storage), study_name=name, directions=directions, load_if_exists=True
            )
    except Exception as error:
        reason = without_password(first_line(error))
        raise CrossoverError(
            f"hydra.sweeper.storage must be a database in which Optuna can keep its trials, got "
            f"{without_password(storage)} ({type(error).__name__}: {reason}); "
            "check the address and that no other program's tables are in it"
        ) from error


def load_study(storage: str, name: str) -> "Study":
    """The study of a search that is under way, from the process of one of its trials."""
    import optuna

    quiet()
    return optuna.load_study(storage=_connected(storage), study_name=name)


def quiet() -> None:
    """Keep Optuna's own log and its marks of new features out of the output."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    # A trial that goes on after a kill reports its first steps again, with the same values.
    warnings.filterwarnings("ignore", message="The reported value is ignored because this `step=")


def _require_own_tables(storage: str) -> None:
    """Refuse a database with tables of another program, to which Optuna would add its own."""
    from sqlalchemy import create_engine, inspect

    engine = create_engine(storage)
    try:
        tables = inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if tables and "trials" not in tables:
        raise ValueError(f"it holds the tables {', '.join(sorted(tables)[:3])}, … of another program")


def _connected(storage: str) -> "RDBStorage":
    from optuna.storages import RDBStorage

    # Several searches may share a SQLite file: a writer waits for the other instead of failing.
    arguments = {"connect_args": {"timeout": LOCK_SECONDS}} if storage.startswith("sqlite:") else {}
    return RDBStorage(storage, engine_kwargs=arguments)


@contextmanager
def _one_at_a_time(storage: str) -> Iterator[None]:
    """First starts at once would each make the same tables."""
    if not storage.startswith(_SQLITE):
        yield
        return
    from filelock import FileLock

    path = Path(storage.removeprefix(_SQLITE))
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=LOCK_SECONDS):
        yield
