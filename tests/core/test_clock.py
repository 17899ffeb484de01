"""Time, memory and energy of a block, on made-up counters where the machine has none."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crossover.core import clock
from crossover.core.clock import measured, return_free_memory
from crossover.core.energy import Energy, EnergyMeter

LINUX = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the kernel has no such mark")


def package(root: Path, number: str, energy: int, name: str = "package-0", largest: int = 1_000_000) -> Path:
    """One domain of a made-up /sys/class/powercap; returns the file of its counter."""
    folder = root / f"intel-rapl:{number}"
    folder.mkdir()
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{largest}\n")
    (folder / "energy_uj").write_text(f"{energy}\n")
    return folder / "energy_uj"


class FakeNvml:
    """`pynvml` with GPUs of given names, whose counters (mJ) grow by 2,500 at each reading."""

    class NVMLError(Exception):
        pass

    def __init__(self, names: list[str], broken: bool = False) -> None:
        self.names, self.broken = names, broken
        self.counters = dict.fromkeys(range(len(names)), 1_000_000)
        self.open = 0

    def nvmlInit(self) -> None:
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.names)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index >= len(self.names):
            raise self.NVMLError
        return index

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> int:
        return int(uuid.removeprefix("GPU-"))

    def nvmlDeviceGetName(self, handle: int) -> str:
        return self.names[handle]

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        if self.broken:
            raise self.NVMLError
        self.counters[handle] += 2_500
        return self.counters[handle]


@pytest.fixture
def nvml(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeNvml]:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def install(*names: str, broken: bool = False) -> FakeNvml:
        fake = FakeNvml(list(names), broken)
        monkeypatch.setitem(sys.modules, "pynvml", fake)
        return fake

    return install


@pytest.fixture(autouse=True)
def _no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # importing it fails


class TestProcessor:
    def test_packages_are_added_up_and_nothing_is_counted_twice(self, tmp_path: Path) -> None:
        first, second = package(tmp_path, "0", 100_000), package(tmp_path, "1", 5, "package-1")
        core, platform = package(tmp_path, "0:0", 0, "core"), package(tmp_path, "2", 0, "psys")
        with EnergyMeter(tmp_path) as meter:
            first.write_text("400000")
            second.write_text("200005")
            core.write_text("250000")
            platform.write_text("900000")
        assert meter.energy(gpu=False) == Energy(0.5, "RAPL package counters")  # 300,000 + 200,000 µJ

    def test_a_counter_that_is_full_starts_again(self, tmp_path: Path) -> None:
        counter = package(tmp_path, "0", 900_000, largest=999_999)
        with EnergyMeter(tmp_path) as meter:
            counter.write_text("50000")
        # 99,999 up to the largest value, 1 to reach 0, and 50,000 from there.
        assert meter.energy(gpu=False).joules == pytest.approx(0.15)

    def test_a_long_block_is_read_often_enough_to_see_each_wrap(self, tmp_path: Path) -> None:
        counter = package(tmp_path, "0", 900_000, largest=999_999)
        with EnergyMeter(tmp_path, seconds=0.005) as meter:
            for value in ("600000", "300000", "0"):  # each 700,000 further on
                fresh = tmp_path / "fresh"  # renamed, since a file that is written is empty for a moment
                fresh.write_text(value)
                fresh.replace(counter)
                until_read(meter, counter)
        assert meter.energy(gpu=False).joules == pytest.approx(2.1)

    @pytest.mark.parametrize("damage", ["no folder", "no domain", "not a number", "unreadable", "one gone"])
    def test_what_cannot_be_read_is_absent(self, damage: str, tmp_path: Path) -> None:
        root = tmp_path / "missing" if damage == "no folder" else tmp_path
        if damage not in ("no folder", "no domain"):
            package(root, "0", 0)
            counter = package(root, "1", 0, "package-1")
            if damage == "not a number":
                counter.write_text("")
            elif damage == "unreadable":
                counter.unlink()
                counter.mkdir()  # reading it fails for root too, as a file without permission would not
        with EnergyMeter(root) as meter:
            if damage == "one gone":
                counter.unlink()
        assert meter.energy(gpu=False) == Energy(None, "")


def until_read(meter: EnergyMeter, counter: Path) -> None:
    """Wait until the meter has taken the counter's present value."""
    import time

    value, package = int(counter.read_text()), meter._processor._packages[0]
    for _ in range(2000):
        if package._last == value:
            return
        time.sleep(0.002)
    raise AssertionError("the counter was not read")


class TestGpu:
    def test_a_fit_on_a_gpu_counts_both_chips(self, tmp_path: Path, nvml: Callable[..., FakeNvml]) -> None:
        fake, counter = nvml("NVIDIA H200"), package(tmp_path, "0", 0)
        with EnergyMeter(tmp_path) as meter:
            counter.write_text("500000")
        both = "RAPL package counters + NVML total energy, NVIDIA H200"
        assert meter.energy(gpu=True) == Energy(3.0, both)  # 0.5 J and 2,500 mJ
        assert meter.energy(gpu=False) == Energy(0.5, "RAPL package counters")
        assert fake.open == 0

    def test_without_the_processors_counter_the_gpu_stands_alone(
        self, tmp_path: Path, nvml: Callable[..., FakeNvml]
    ) -> None:
        nvml("NVIDIA H200", "NVIDIA H200")
        with EnergyMeter(tmp_path) as meter:
            pass
        assert meter.energy(gpu=True) == Energy(5.0, "NVML total energy, 2 x NVIDIA H200")
        assert meter.energy(gpu=False) == Energy(None, "")

    @pytest.mark.parametrize(("visible", "joules"), [("1", 2.5), ("GPU-0", 2.5), ("0,2", 5.0), ("7", None)])
    def test_only_the_gpus_that_the_process_may_use_count(
        self,
        visible: str,
        joules: float | None,
        tmp_path: Path,
        nvml: Callable[..., FakeNvml],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        nvml("A", "B", "C")
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        with EnergyMeter(tmp_path) as meter:
            pass
        assert meter.energy(gpu=True).joules == joules

    def test_a_gpu_without_a_counter_makes_its_fit_unknown(
        self, tmp_path: Path, nvml: Callable[..., FakeNvml]
    ) -> None:
        nvml("Tesla K80", broken=True)
        counter = package(tmp_path, "0", 0)
        with EnergyMeter(tmp_path) as meter:
            counter.write_text("500000")
        assert meter.energy(gpu=True) == Energy(None, "")
        assert meter.energy(gpu=False).joules == pytest.approx(0.5)


class TestMeasured:
    def test_the_clock_runs_in_the_block(self) -> None:
        import time

        with measured() as taken:
            time.sleep(0.02)
        assert 0.02 <= taken.seconds < 1

    @LINUX
    def test_memory_that_the_block_takes_is_its_own(self) -> None:
        before = np.ones(4_000_000)  # 32 MB, resident already
        with measured() as taken:
            np.ones(10_000_000).sum()  # 80 MB, gone again at the end
        assert taken.added_memory_bytes is not None
        assert taken.added_memory_bytes == pytest.approx(80e6, rel=0.1)
        assert taken.peak_memory_bytes > taken.added_memory_bytes + before.nbytes

    @LINUX
    def test_a_block_that_takes_nothing_adds_nothing(self) -> None:
        with measured() as taken:
            pass
        assert taken.added_memory_bytes is not None
        assert 0 <= taken.added_memory_bytes < 1e6

    @LINUX
    def test_memory_that_was_freed_is_asked_for_again(self) -> None:
        def small_arrays() -> list[
            np.ndarray
        ]:  # below glibc's threshold, so freed memory stays with the process
            return [np.ones(1000) for _ in range(5000)]  # 40 MB

        added = []
        for _ in range(2):
            return_free_memory()
            with measured() as taken:
                small_arrays()
            added.append(taken.added_memory_bytes)
        assert added[1] == pytest.approx(added[0], rel=0.2)
        assert added[1] == pytest.approx(40e6, rel=0.2)

    def test_outside_linux_the_added_memory_is_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crossover.core.clock._reset_peak_memory", lambda: False)
        with measured() as taken:
            pass
        assert taken.added_memory_bytes is None
        assert taken.peak_memory_bytes > 1e6

    @pytest.mark.parametrize(("device", "joules"), [("cuda: NVIDIA H200", 2.5), ("cpu", None)])
    def test_a_gpus_energy_counts_where_the_block_used_one(
        self,
        device: str,
        joules: float | None,
        nvml: Callable[..., FakeNvml],
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        nvml("NVIDIA H200")
        monkeypatch.setattr("crossover.core.clock.EnergyMeter", lambda: EnergyMeter(tmp_path))
        with measured() as taken:
            taken.device = device
        assert taken.energy_joules == joules
        assert taken.energy_method == ("NVML total energy, NVIDIA H200" if joules else "")


@LINUX
def test_a_block_that_shares_its_processor_shows_that_it_waited() -> None:
    """Three other processes on the same processor leave a quarter of the time to each."""
    core = min(os.sched_getaffinity(0))
    spin = f"import os; os.sched_setaffinity(0, {{{core}}}); print(flush=True)\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", spin], stdout=subprocess.PIPE) for _ in range(3)]
    everywhere = os.sched_getaffinity(0)
    try:
        for other in others:
            assert other.stdout is not None
            other.stdout.readline()
        os.sched_setaffinity(0, {core})
        with measured() as taken:
            end = time.perf_counter() + 0.5
            while time.perf_counter() < end:
                pass
    finally:
        os.sched_setaffinity(0, everywhere)
        for other in others:
            other.kill()
            other.communicate()
    assert taken.waiting_share is not None
    assert 0.4 < taken.waiting_share < 1


@LINUX
def test_threads_that_wait_for_each_other_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four threads of this process share one processor, and nobody else takes any of its time."""
    monkeypatch.setattr(clock, "_seconds_of_others", lambda: 0.0)
    with measured() as taken:
        threads = [
            threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"", b"", 300_000)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert taken.waiting_share == 0


@LINUX
def test_the_time_of_other_processes_is_not_that_of_this_one() -> None:
    before = clock._seconds_of_others()
    end = time.perf_counter() + 0.3
    while time.perf_counter() < end:
        pass
    after = clock._seconds_of_others()
    assert -0.1 < after - before < 0.3 * clock.cores()  # this process was busy on one of them
