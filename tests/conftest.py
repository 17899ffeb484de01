"""What several tests share."""

from pathlib import Path

import pytest
from project_clone import Clone, clone_project


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A fresh copy of the project."""
    return clone_project(tmp_path / "project")
