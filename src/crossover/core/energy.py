"""Energy of a block of code, from the counters of the machine where it has any.

Both counters belong to a whole chip, so they count other processes too: a number is worth something on a machine
with nothing else to do.
"""

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

POWERCAP = Path("/sys/class/powercap")
RAPL, NVML = "RAPL package counters", "NVML total energy"
_SECONDS = 30.0  # between two readings: a counter of 65 kJ, the smallest range, wraps after 65 s at 1 kW


@dataclass(frozen=True)
class Energy:
    """What a block took.

    Attributes:
        joules: None where it is not known.
        method: the counters that were added up, for example "RAPL package counters + NVML total energy, NVIDIA
            H200"; empty where there are none.
    """

    joules: float | None = None
    method: str = ""


class EnergyMeter:
    """Reads the counters at the start and the end of a `with` block.

    The processor: RAPL's package domains of Intel and AMD under Linux (cores, caches, graphics on the chip; not the
    memory), which many systems let root alone read. GPUs: NVML's total energy counter of every GPU that the process
    may use (CUDA_VISIBLE_DEVICES), where the package `pynvml` is installed.

    Args:
        powercap: the folder of the kernel's power capping framework.
        seconds: between two readings of the processor's counters within the block, so that none can wrap twice.
    """

    def __init__(self, powercap: Path = POWERCAP, seconds: float = _SECONDS) -> None:
        self._powercap, self._seconds = powercap, seconds

    def __enter__(self) -> Self:
        self._gpus = _Gpus()
        self._processor = _Processor(self._powercap, self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        self._processor.stop()
        self._gpus.stop()

    def energy(self, *, gpu: bool) -> Energy:
        """What the block took.

        Args:
            gpu: whether the block computed on a GPU. Where the GPU's energy is not known then, none is given,
                since the processor's share alone would be too little.
        """
        if gpu and self._gpus.energy.joules is None:
            return Energy()
        parts = [self._processor.energy, *([self._gpus.energy] if gpu else [])]
        known = [(part.joules, part.method) for part in parts if part.joules is not None]
        if not known:
            return Energy()
        return Energy(sum(joules for joules, _ in known), " + ".join(method for _, method in known))


class _Package:
    """One RAPL domain."""

    def __init__(self, folder: Path) -> None:
        self._counter = folder / "energy_uj"
        self._range = int((folder / "max_energy_range_uj").read_text())
        self._last = int(self._counter.read_text())
        self.microjoules = 0

    def read(self) -> None:
        """Add what was used since the last reading; the counter starts again at 0 when it is full."""
        now = int(self._counter.read_text())
        self.microjoules += now - self._last + (self._range + 1 if now < self._last else 0)
        self._last = now


class _Processor:
    """All packages of the machine; a single one that cannot be read makes the whole unknown."""

    def __init__(self, powercap: Path, seconds: float) -> None:
        self.energy = Energy()
        self._seconds, self._ended = seconds, Event()
        try:
            # The domains of whole packages: their parts, and a platform domain that holds them, would count twice.
            domains = sorted(powercap.glob("intel-rapl:*"))
            packages = [folder for folder in domains if (folder / "name").read_text().startswith("package")]
            self._packages = [_Package(folder) for folder in packages]
        except (OSError, ValueError):
            self._packages = []
        self._reader = Thread(target=self._read, daemon=True)
        if self._packages:
            self._reader.start()

    def _read(self) -> None:
        """Read at intervals, and for the last time when the block has ended."""
        ended = False
        try:
            while not ended:
                ended = self._ended.wait(self._seconds)
                for package in self._packages:
                    package.read()
        except (OSError, ValueError):
            self._packages = []

    def stop(self) -> None:
        self._ended.set()
        if self._packages:
            self._reader.join()
        if self._packages:
            self.energy = Energy(sum(package.microjoules for package in self._packages) / 1e6, RAPL)


class _Gpus:
    """All GPUs that the process may use: those in CUDA_VISIBLE_DEVICES, or all where it is not set."""

    def __init__(self) -> None:
        self.energy = Energy()
        self._nvml: Any = None
        self._handles: list[Any] = []
        try:
            nvml = import_module("pynvml")  # optional: without it no GPU is measured
        except ImportError:
            return
        try:
            nvml.nvmlInit()
        except nvml.NVMLError:
            return
        self._nvml = nvml
        given = os.environ.get("CUDA_VISIBLE_DEVICES")
        try:
            names = map(str, range(nvml.nvmlDeviceGetCount())) if given is None else given.split(",")
            self._handles = [
                nvml.nvmlDeviceGetHandleByIndex(int(name))
                if name.isdecimal()
                else nvml.nvmlDeviceGetHandleByUUID(name)
                for name in map(str.strip, names)
                if name
            ]
            self._before = self._millijoules()
        except nvml.NVMLError:  # an older GPU, or a part of one, has no counter
            self._handles = []

    def _millijoules(self) -> int:
        return sum(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in self._handles)

    def stop(self) -> None:
        if self._nvml is None:
            return
        try:
            if self._handles:
                joules = (self._millijoules() - self._before) / 1e3
                given = [self._nvml.nvmlDeviceGetName(handle) for handle in self._handles]
                # Older versions of pynvml give bytes.
                names = [name.decode() if isinstance(name, bytes) else name for name in given]
                counts = [(names.count(name), name) for name in dict.fromkeys(names)]
                listed = ", ".join(name if n == 1 else f"{n} x {name}" for n, name in counts)
                self.energy = Energy(joules, f"{NVML}, {listed}")
            self._nvml.nvmlShutdown()
        except self._nvml.NVMLError:
            self.energy = Energy()
