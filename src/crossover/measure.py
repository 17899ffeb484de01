"""Clocks and surroundings of a fit."""

import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("numpy", "scikit-learn", "xgboost", "torch", "pytorch-lightning")


@dataclass
class Measurement:
    """What one block of code took.

    Attributes:
        seconds: wall-clock time.
        peak_memory_bytes: highest resident memory of the process during the block. Where the kernel cannot reset
            its mark (outside Linux), the highest since the process began.
    """

    seconds: float = 0.0
    peak_memory_bytes: int = 0


@contextmanager
def measured() -> Iterator[Measurement]:
    """Measure the time and peak memory of the block."""
    result = Measurement()
    resettable = _reset_peak_memory()
    start = time.perf_counter()
    yield result
    result.seconds = time.perf_counter() - start
    result.peak_memory_bytes = _peak_memory(resettable)


def _reset_peak_memory() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets VmHWM to the present resident size
    except OSError:
        return False
    return True


def _peak_memory(resettable: bool) -> int:
    if resettable:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if platform.system() == "Darwin" else 1024  # getrusage(2): bytes on macOS, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def threads() -> int:
    """Processor threads that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> str:
    """Python's and the model libraries' versions, without importing any of them."""
    found = [f"python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def git_commit(root: Path) -> str:
    """The commit of the project, with "+" where the work tree differs from it; "" outside a repository."""
    commit = _git(root, "rev-parse", "HEAD")
    return commit + ("+" if commit and _git(root, "status", "--porcelain") else "")


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def now() -> str:
    """The time, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
