"""Energy of a block of code, from the counters of the machine where it has any.

Both counters belong to a whole chip, so they count other processes too: a number is worth something on a machine
with nothing else to do.
"""

import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
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
    """Reads the counters at the begin and the end of a `with` block.

    The processor: RAPL's package domains of Intel and AMD under Linux (cores, caches, graphics on the chip; not the
    memory), which many systems let root alone read. GPUs: NVML's total energy counter of every GPU that the process
    may use (CUDA_VISIBLE_DEVICES), where the package `pynvml` is installed.

    Args:
        powercap: the folder of the kernel's power capping framework.
        seconds: between two readings of the processor's counters within the block, so that none can wrap twice.
    """

    def __init__(self, powercap: Path = POWERCAP, seconds: float = _SECONDS) -> None:
        self._processor = _Processor(powercap, seconds)
        self._gpus = _Gpus()

    def __enter__(self) -> Self:
        self._gpus.start()
        self._processor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        self._range = _number(folder / "max_energy_range_uj")
        self._last = _number(self._counter)
        self.microjoules = 0

    def read(self) -> None:
        """Add what was used since the last reading; the counter starts again at 0 when it is full."""
        now = _number(self._counter)
        self.microjoules += now - self._last + (self._range + 1 if now < self._last else 0)
        self._last = now


class _Processor:
    """All packages of the machine; a single one that cannot be read makes the whole unknown."""

    def __init__(self, powercap: Path, seconds: float) -> None:
        self._powercap, self._seconds = powercap, seconds
        self._packages: list[_Package] = []
        self._ended = Event()
        self._reader: Thread | None = None
        self.energy = Energy()

    def start(self) -> None:
        try:
            # The domains of whole packages: their parts, and a platform domain that holds them, would count twice.
            domains = sorted(self._powercap.glob("intel-rapl:*"))
            packages = [folder for folder in domains if (folder / "name").read_text().startswith("package")]
            self._packages = [_Package(folder) for folder in packages]
        except (OSError, ValueError):
            self._packages = []
        if self._packages:
            self._reader = Thread(target=self._watch, daemon=True)
            self._reader.start()

    def stop(self) -> None:
        if self._reader is None:
            return
        self._ended.set()
        self._reader.join()
        if self._read():
            joules = sum(package.microjoules for package in self._packages) / 1e6
            self.energy = Energy(joules, RAPL)

    def _watch(self) -> None:
        while not self._ended.wait(self._seconds) and self._read():
            pass

    def _read(self) -> bool:
        try:
            for package in self._packages:
                package.read()
        except (OSError, ValueError):
            self._packages = []
        return bool(self._packages)


def _number(path: Path) -> int:
    return int(path.read_text())


class _Gpus:
    """All GPUs that the process may use."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._handles: list[Any] = []
        self._before = 0
        self.energy = Energy()

    def start(self) -> None:
        try:
            pynvml = import_module("pynvml")  # optional: without it no GPU is measured
        except ImportError:
            return
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError:
            return
        self._nvml = pynvml
        try:
            self._handles = _visible(pynvml)
            self._before = self._millijoules()
        except pynvml.NVMLError:  # an older GPU, or a part of one, has no counter
            self._handles = []

    def stop(self) -> None:
        if self._nvml is None:
            return
        try:
            if self._handles:
                self.energy = Energy((self._millijoules() - self._before) / 1e3, self._method())
            self._nvml.nvmlShutdown()
        except self._nvml.NVMLError:
            self.energy = Energy()

    def _millijoules(self) -> int:
        return sum(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle) for handle in self._handles)

    def _method(self) -> str:
        given = [self._nvml.nvmlDeviceGetName(handle) for handle in self._handles]
        names = [
            name.decode() if isinstance(name, bytes) else name for name in given
        ]  # bytes in older pynvml
        kinds = [(names.count(name), name) for name in dict.fromkeys(names)]
        return f"{NVML}, " + ", ".join(name if n == 1 else f"{n} x {name}" for n, name in kinds)


def _visible(nvml: Any) -> list[Any]:
    """Handles of the GPUs in CUDA_VISIBLE_DEVICES, numbers or UUIDs; of all where it is not set."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
    names = [name.strip() for name in given.split(",") if name.strip()]
    return [
        nvml.nvmlDeviceGetHandleByIndex(int(name))
        if name.isdecimal()
        else nvml.nvmlDeviceGetHandleByUUID(name)
        for name in names
    ]
