"""What large inputs cost: a table of a million rows, and a comparison of 60 cells with 200 repetitions each.

    python -m benchmarks.load             # both
    python -m benchmarks.load compare     # one

Seconds, and the memory that it took on top of what the process had after its imports.
"""

import argparse
import hashlib
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from crossover.core.layout import Layout
from crossover.core.study import Study
from crossover.data.delimited import DelimitedTable, TextFile
from crossover.data.splits import Protocol
from crossover.stages.compare import compare as compare_all
from crossover.stages.prepare import prepare as prepare_all
from tests.results_folder import CONSTRAINTS, ResultsFolder

ROWS, COLUMNS = 1_000_000, 20
CELLS, REPETITIONS, N_TEST = 60, 200, 500

Task = tuple[str, Callable[[], None]]


def prepare(root: Path) -> Task:
    """A table of numbers as text, without a publisher's test part."""
    path = root / "data" / "raw" / "big" / "big.csv"
    path.parent.mkdir(parents=True)
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        for _ in range(ROWS // 10_000):
            labels = rng.integers(0, 2, 10_000)
            for row, label in zip(rng.standard_normal((10_000, COLUMNS)), labels, strict=True):
                file.write(",".join(f"{value:.4g}" for value in row) + f",{'ab'[label]}\n")
    source = DelimitedTable(
        name="big",
        addresses=[],
        columns={f"x{column}": "number" for column in range(COLUMNS)},
        classes=["a", "b"],
        train=TextFile(name="big.csv", md5=hashlib.md5(path.read_bytes()).hexdigest()),
    )
    protocol = Protocol(
        test_fraction=0.25,
        test_parts=1,
        never_tested=0.25,
        validation_fraction=0.1,
        repetitions=32,
        split_seed=0,
    )
    what = f"prepare {ROWS:,} rows of {COLUMNS} numbers ({path.stat().st_size / 1e6:.0f} MB of text)"
    return what, lambda: prepare_all(source, protocol, Layout(root))


def compare(root: Path) -> Task:
    """Made-up results of as many classical models and networks."""
    rng = np.random.default_rng(0)
    study = Study(
        datasets=["big"],
        feature_sets=["raw"],
        classical_models=[f"c{k}" for k in range(CELLS // 2)],
        deep_models=[f"d{k}" for k in range(CELLS // 2)],
        seeds=REPETITIONS,
    )
    folder = ResultsFolder(root, "big", N_TEST)
    for cell in study.cells("big"):
        folder.add(cell.features, cell.model, rng.random((REPETITIONS, N_TEST)) < rng.uniform(0.8, 0.95))
    folder.write()
    what = f"compare {CELLS} cells of {REPETITIONS} repetitions with {N_TEST} test examples"
    return what, lambda: compare_all(study, Layout(root), CONSTRAINTS, [])


TASKS = {"prepare": prepare, "compare": compare}


def measure(name: str) -> None:
    """Run a task and print its row; in a process of its own, since memory is counted by its highest mark."""
    with tempfile.TemporaryDirectory() as folder:
        what, run = TASKS[name](Path(folder))
        before, start = _peak_megabytes(), time.monotonic()
        run()
        print(f"| {what} | {time.monotonic() - start:.0f} | {_peak_megabytes() - before:.0f} |", flush=True)


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks", nargs="*", choices=[*TASKS, []], help="which; all where none is named")
    print("| what | s | MB |\n|---|--:|--:|")
    for name in parser.parse_args().tasks or TASKS:
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(name,))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(process.exitcode)


if __name__ == "__main__":
    main()
