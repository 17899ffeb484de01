"""What several tests share."""

import gc
import os

# Before NumPy and torch are loaded: fits of a few rows gain nothing from threads, and the processes of pytest-xdist
# share the cores. Tests of threads set their own number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.project_clone import Clone, clone_project, prepare

SLOWEST = ("test_pipeline.py", "test_sweep.py", "test_classical.py", "test_launchers.py", "test_compare.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: each file runs in one process, and the last ones should be short."""
    items.sort(key=lambda item: SLOWEST.index(item.path.name) if item.path.name in SLOWEST else len(SLOWEST))


def pytest_collection_finish() -> None:
    """Each fit collects garbage first; looking through all that the imports made would take longer than the fit."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()  # or nanobind takes it for a leak


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    """Networks as small as in tests spend more time waiting for a second thread than it saves."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def copy_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Clone]:
    """Makes a copy of the project in a folder; git and the compiled code are made once, for the first."""
    template = clone_project(tmp_path_factory.mktemp("template") / "project")

    def copy(root: Path) -> Clone:
        shutil.copytree(template.root, root, symlinks=True)
        return Clone(root)

    return copy


@pytest.fixture
def clone(copy_project: Callable[[Path], Clone], tmp_path: Path) -> Clone:
    """A copy of the project for one test."""
    return copy_project(tmp_path / "project")


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `data/` of a project with wine, 133 training examples of 13 columns, split for 24 repetitions."""
    root = tmp_path_factory.mktemp("wine")
    prepare("wine", root, "download", "prepare", "featurize", test_parts=24)
    return root / "data"


@pytest.fixture
def clone_with_wine(clone: Clone, wine: Path) -> Clone:
    """A copy of the project for one test, in which the data set wine is ready to be fitted."""
    shutil.copytree(wine, clone.root / "data")
    return clone
