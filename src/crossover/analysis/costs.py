"""What cells cost, and which of them are worth it: the fronts of accuracy against each cost."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossover.analysis.chapter import Chapter
from crossover.analysis.results import CellResult
from crossover.report.figures.numbers import cell_keys, rounded, rounded_percent, yes_no

_PROCESSOR = "RAPL"  # how the method of a measured energy begins where the processor counts


@dataclass(frozen=True)
class Cost:
    """One thing that a fitted cell costs; less is better.

    Attributes:
        name: in sentences and tables of numbers.
        label: of an axis, with the unit.
        of: the mean over a cell's fits, in that unit; NaN where it was not measured.
        least: what is less is drawn as this much, since nothing at all has no logarithm.
    """

    name: str
    label: str
    of: Callable[[CellResult], float]
    least: float = 0.0


def _mean(column: str, factor: float = 1.0) -> Callable[[CellResult], float]:
    return lambda cell: factor * cell.mean(column)


def _bulk_ms(cell: CellResult) -> float:
    return float(np.mean(1e6 / pd.to_numeric(cell.costs["throughput_per_s"])))


FIT_TIME = Cost("time to fit", "seconds to fit", _mean("fit_seconds"))
LATENCY = Cost("latency", "milliseconds for one prediction, median", _mean("latency_p50_ms"))
BULK = Cost("time in bulk", "milliseconds for 1,000 predictions in bulk", _bulk_ms)
DISK = Cost("size on disk", "megabytes on disk", _mean("model_bytes", 1e-6))
MEMORY = Cost(
    "memory of the fit",
    "megabytes of memory added by the fit, 0.1 or more",
    _mean("fit_memory_bytes", 1e-6),
    0.1,
)
ENERGY = Cost("energy of the fit", "joules to fit", _mean("fit_energy_j"))
COSTS = [FIT_TIME, LATENCY, BULK, DISK, MEMORY, ENERGY]

COMPLEXITY = Cost("number of them", "parameters, nodes or stored values", lambda cell: complexity(cell)[0])
"""Comparable within one unit alone."""


def complexity(cell: CellResult) -> tuple[float, str]:
    """The size of the fitted model, mean over the fits, and its unit."""
    count = float(pd.to_numeric(cell.scores["complexity"]).mean())
    return count, str(cell.scores["complexity_unit"].iloc[0])


def energy_methods(cells: list[CellResult]) -> list[str]:
    """The ways in which the energy of the fits was measured; none where it was not."""
    methods = pd.concat([cell.costs["energy_method"] for cell in cells] or [pd.Series(dtype=object)])
    return sorted({str(method) for method in methods.dropna()})


def energies_compare(cells: list[CellResult]) -> bool:
    """Whether the measured energies are of one kind: the processor counts in all of them, or in none."""
    return len({method.startswith(_PROCESSOR) for method in energy_methods(cells)}) == 1


def comparable_costs(cells: list[CellResult]) -> list[Cost]:
    """The costs by which at least two of the cells can be compared."""
    enough = [cost for cost in COSTS if np.isfinite([cost.of(cell) for cell in cells]).sum() > 1]
    return [cost for cost in enough if cost != ENERGY or energies_compare(cells)]


def frontier(cells: list[CellResult], cost: Cost) -> list[CellResult]:
    """Cells that no other beats in mean accuracy at the same cost or less, cheapest first.

    A cell whose cost was not measured is left out.
    """
    front: list[CellResult] = []
    known = [cell for cell in cells if np.isfinite(cost.of(cell))]
    for cell in sorted(known, key=lambda c: (cost.of(c), -c.mean("accuracy"))):
        if not front or cell.mean("accuracy") > front[-1].mean("accuracy"):
            front.append(cell)
    return front


def cost_numbers(chapter: Chapter) -> pd.DataFrame:
    """The numbers behind the figure: one row a cell and cost that was measured."""
    cells = chapter.results.cells
    return pd.DataFrame(
        {
            **cell_keys(cell),
            "accuracy_percent": rounded_percent(cell.mean("accuracy")),
            "cost": cost.label,
            "value": rounded(cost.of(cell)),
            "on_the_front": yes_no(cell in frontier(cells, cost)),
        }
        for cost in comparable_costs(cells)
        for cell in cells
        if np.isfinite(cost.of(cell))
    )
