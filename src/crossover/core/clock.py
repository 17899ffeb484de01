"""The clock of a fit, and what it ran on: threads, versions, the commit."""

import atexit
import ctypes
import gc
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from crossover.core.energy import EnergyMeter
from crossover.core.errors import CrossoverError


@dataclass
class Measurement:
    """What one block of code took.

    Attributes:
        seconds: wall-clock time.
        peak_memory_bytes: highest resident memory of the process during the block. Where the kernel cannot reset
            its mark (outside Linux), the highest since the process began.
        added_memory_bytes: what of it was not resident at the start of the block; None outside Linux. It is the
            block's own where the process does nothing else, as in the pipeline, whose cells are fitted in a
            process each; several jobs at once in one process count together. Memory of a GPU is not in it.
        energy_joules: of the machine's chips, other processes included (`crossover.core.energy`); None where the
            machine does not say.
        energy_method: how the energy was measured; empty where it was not.
        waiting_share: share of the time in which other work had the processor that the block wanted; None outside
            Linux. It is the share in which a thread of the process was ready and waited, by the scheduler, and at most
            the share of the processors' time that other processes took, since threads of one process also wait for
            each other. Next to nothing on a machine that does nothing else.
        device: set by the block: where it computed, as in `Model.device`. The GPU's energy counts where this is
            "cuda: …".
    """

    seconds: float = 0.0
    peak_memory_bytes: int = 0
    added_memory_bytes: int | None = None
    energy_joules: float | None = None
    energy_method: str = ""
    waiting_share: float | None = None
    device: str = "cpu"


@contextmanager
def measured() -> Iterator[Measurement]:
    """Measure the time, memory and energy of the block."""
    result = Measurement()
    resettable = _reset_peak_memory()
    before = _peak_memory(resettable)
    with EnergyMeter() as meter:
        threads_before, others_before = _thread_times(), _seconds_of_others()
        start = time.perf_counter()
        yield result
        result.seconds = time.perf_counter() - start
        # A thread that began in the block has all of its time from it; of one that ended nothing is known.
        ran, waited = (
            sum(times[i] - threads_before.get(name, (0, 0))[i] for name, times in _thread_times().items())
            for i in range(2)
        )
        others = _seconds_of_others() - others_before
        if ran:
            others_share = max(0.0, others) / (result.seconds * cores())
            result.waiting_share = min(waited / (ran + waited), others_share)
    result.peak_memory_bytes = _peak_memory(resettable)
    result.added_memory_bytes = max(0, result.peak_memory_bytes - before) if resettable else None
    energy = meter.energy(gpu=result.device.startswith("cuda"))
    result.energy_joules, result.energy_method = energy.joules, energy.method


def _thread_times() -> dict[str, tuple[int, int]]:
    """Nanoseconds that each thread of the process ran, and waited for a processor; empty outside Linux."""
    found = {}
    for file in Path("/proc/self/task").glob("*/schedstat"):  # proc(5)
        with suppress(OSError):  # the thread has just ended
            ran, waited, _ = file.read_text().split()
            found[file.parent.name] = int(ran), int(waited)
    return found


def _seconds_of_others() -> float:
    """Seconds that other processes, or other virtual machines, had the processors that this one may use; grows."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()  # proc(5)
    except OSError:
        return 0.0
    mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    ticks = 0
    for line in lines:
        name, *times = line.split()
        if name in mine:
            user, nice, system, _idle, _waits, irq, softirq, steal, *_ = map(int, times)
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def return_free_memory() -> None:
    """Give memory that is no longer used back to the system.

    After it, a fit that follows another one in the same process asks for all the memory that it takes, as in a
    process of its own. It takes some tenths of a second where torch is loaded, and next to nothing after
    `leave_out_of_collections`.
    """
    gc.collect()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):  # glibc's, not musl's
        libc.malloc_trim(0)


def leave_out_of_collections() -> None:
    """Let no later garbage collection of this process look at what is in memory now, imported libraries above all.

    Where torch and MLflow are loaded these are 600,000 objects, which take 0.3 s at each collection.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # without it, libraries made with nanobind complain of leaks at the end


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


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int:
    """Processor threads that a fit in this process may use: what `use_threads` set, else one a core."""
    return _in_use[-1] if _in_use else cores()


_in_use: list[int] = []
"""What each `use_threads` that is still in force set."""

_VARIABLES = (
    "OMP_NUM_THREADS",  # XGBoost, torch, scikit-learn's compiled loops; read when the library is loaded
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "LOKY_MAX_CPU_COUNT",  # joblib: what n_jobs=-1 means
)


class use_threads(AbstractContextManager["use_threads"]):
    """Limit what a job computes with to some processor threads: libraries that are loaded and those that will be.

    It takes effect at once. As a context manager it is undone at the end of the block, so that jobs of different
    settings can follow each other in one process.

    Args:
        n: processor threads; None is OMP_NUM_THREADS where the environment gives it, as Hydra's launchers do, else
            one a core.

    Raises:
        CrossoverError: `n` is not a positive integer.
    """

    def __init__(self, n: int | None) -> None:
        if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n < 1):
            raise CrossoverError(
                f"threads must be a positive integer or null, got {n!r} (conf/training.yaml or the command line)"
            )
        from threadpoolctl import threadpool_limits

        self._environment = {name: os.environ.get(name) for name in _VARIABLES}
        # OMP_NUM_THREADS may be a list, one number for each level of nested loops.
        given = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
        self.n = n or (int(given) if given.isdecimal() else 0) or cores()
        os.environ.update(dict.fromkeys(_VARIABLES, str(self.n)))
        self._torch = _set_torch_threads(self.n)  # before the pools, one of which is torch's
        self._pools = threadpool_limits(self.n)
        _in_use.append(self.n)

    def __exit__(self, *_: object) -> None:
        _in_use.remove(self.n)
        for name, value in self._environment.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
        self._pools.restore_original_limits()
        if self._torch is not None:
            _set_torch_threads(self._torch)


def _set_torch_threads(n: int) -> int | None:
    """Set torch's number of threads and return the former one; torch that is imported later reads the environment."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    former = int(torch.get_num_threads())
    torch.set_num_threads(n)
    return former


@cache
def versions() -> str:
    """Python's and the model libraries' versions, without importing any of them."""
    found = [f"python {platform.python_version()}"]
    for package in ("numpy", "scikit-learn", "xgboost", "torch", "pytorch-lightning"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


@cache
def git_commit(root: Path) -> str:
    """The commit of the project, with "+" where the work tree differs from it; "" outside a repository.

    As it was when this process first asked: a process runs the code with which it began. `dvc.lock` does not count:
    DVC writes it while the study runs.
    """
    printed = []
    for command in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", ":(top)", ":(exclude)dvc.lock"]):
        try:
            done = subprocess.run(
                ["git", "-C", str(root), *command], capture_output=True, text=True, check=False
            )
        except FileNotFoundError:  # git is not installed
            return ""
        printed.append(done.stdout.strip())
    commit, changes = printed
    return commit + ("+" if commit and changes else "")


def now() -> str:
    """The time, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
