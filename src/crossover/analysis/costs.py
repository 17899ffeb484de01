"""What cells cost, and which of them are worth it: the fronts of the metric against each cost."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crossover.analysis.results import CellResult, DatasetResults
from crossover.core.energy import RAPL


@dataclass(frozen=True)
class Cost:
    """One thing that a fitted cell costs; less is better.

    Attributes:
        name: in sentences and tables of numbers.
        label: of an axis, with the unit.
        of: the mean over a cell's fits, in that unit; NaN where it was not measured.
        least: less than this is drawn as this, since 0 has no logarithm.
    """

    name: str
    label: str
    of: Callable[[CellResult], float]
    least: float = 0.0


def _mean(column: str, factor: float = 1.0) -> Callable[[CellResult], float]:
    return lambda cell: factor * cell.mean(column)


FIT_TIME = Cost("time to fit", "seconds to fit", _mean("fit_seconds"))
LATENCY = Cost("latency", "milliseconds for one prediction, median", _mean("latency_p50_ms"))
BULK = Cost(
    "time in bulk",
    "milliseconds for 1,000 predictions in bulk",
    lambda cell: float(np.mean(1e6 / pd.to_numeric(cell.costs["throughput_per_s"]))),
)
DISK = Cost("size on disk", "megabytes on disk", _mean("model_bytes", 1e-6))
MEMORY = Cost(
    "memory of the fit",
    "megabytes of memory added by the fit, 0.1 or more",
    _mean("fit_memory_bytes", 1e-6),
    0.1,
)
ENERGY = Cost("energy of the fit", "joules to fit", _mean("fit_energy_j"))
COSTS = [FIT_TIME, LATENCY, BULK, DISK, MEMORY, ENERGY]

COMPLEXITY = Cost("number of them", "parameters, nodes or stored values", lambda cell: cell.complexity[0])
"""To compare within one unit only."""


def energy_methods(cells: list[CellResult]) -> list[str]:
    """The ways in which the energy of the fits was measured; none where it was not."""
    methods = pd.concat([cell.costs["energy_method"] for cell in cells] or [pd.Series(dtype=object)])
    return sorted({str(method) for method in methods.dropna()})


def energies_compare(cells: list[CellResult]) -> bool:
    """Whether the measured energies are of one kind: the processor counts in all of them, or in none."""
    return len({method.startswith(RAPL) for method in energy_methods(cells)}) == 1


def comparable_costs(cells: list[CellResult]) -> list[Cost]:
    """The costs by which at least two of the cells can be compared."""
    enough = [cost for cost in COSTS if np.isfinite([cost.of(cell) for cell in cells]).sum() > 1]
    return [cost for cost in enough if cost != ENERGY or energies_compare(cells)]


def frontier(cells: list[CellResult], cost: Cost) -> list[CellResult]:
    """Cells that no other beats in their mean score at the same cost or less, cheapest first.

    A cell whose cost was not measured is left out.
    """
    front: list[CellResult] = []
    known = [cell for cell in cells if np.isfinite(cost.of(cell))]
    for cell in sorted(known, key=lambda c: (cost.of(c), -c.score)):
        if not front or cell.score > front[-1].score:
            front.append(cell)
    return front


@dataclass(frozen=True)
class Front:
    """The cells that nothing beats at one cost.

    Attributes:
        cost: which one.
        cells: as `frontier` finds them.
    """

    cost: Cost
    cells: list[CellResult]


@dataclass(frozen=True)
class ComplexityFront:
    """The front among the cells whose complexity has one unit.

    Attributes:
        unit: "nodes", "parameters", "stored values".
        n: how many cells have it.
        cells: on the front.
    """

    unit: str
    n: int
    cells: list[CellResult]


@dataclass(frozen=True)
class DatasetCosts:
    """What the cells of one data set cost.

    Attributes:
        cells: those with numbers, best first.
        best: the best of each family.
        fronts: one for each cost by which at least two cells compare.
        complexity_fronts: one for each unit that at least two cells share.
        energy_methods: how energy was measured; empty where it was not.
        energy_known: of how many cells.
        energies_compare: whether these energies can be compared.
    """

    cells: list[CellResult]
    best: list[CellResult]
    fronts: list[Front]
    complexity_fronts: list[ComplexityFront]
    energy_methods: list[str]
    energy_known: int
    energies_compare: bool


def dataset_costs(results: DatasetResults) -> DatasetCosts | None:
    """The costs of one data set's cells; None without cells."""
    cells = results.cells
    if not cells:
        return None
    by_unit: dict[str, list[CellResult]] = {}
    for cell in cells:
        if not np.isfinite(COMPLEXITY.of(cell)):
            continue
        by_unit.setdefault(cell.complexity[1], []).append(cell)
    return DatasetCosts(
        cells=cells,
        best=results.best,
        fronts=[Front(cost, frontier(cells, cost)) for cost in comparable_costs(cells)],
        complexity_fronts=[
            ComplexityFront(unit, len(same), frontier(same, COMPLEXITY))
            for unit, same in sorted(by_unit.items())
            if len(same) > 1
        ],
        energy_methods=energy_methods(cells),
        energy_known=sum(bool(np.isfinite(ENERGY.of(cell))) for cell in cells),
        energies_compare=energies_compare(cells),
    )
