"""What the cells of a data set cost, in a table and in words."""

import numpy as np

from crossover.analysis.costs import (
    COMPLEXITY,
    ENERGY,
    comparable_costs,
    complexity,
    energies_compare,
    energy_methods,
    frontier,
)
from crossover.analysis.results import CellResult, DatasetResults
from crossover.report.text.tables import bold_where, bullets, figure, table
from crossover.report.text.wording import FAMILY_NAMES, MARKS, MISSING, name, percent, significant, size

_HEADER = [
    "model",
    "features",
    "fit s",
    "latency ms",
    "95th percentile ms",
    "in bulk, a second",
    "on disk",
    "size of the model",
    "memory of the fit",
]
_NOTE = (
    "Of the fitted models themselves, mean over the fits. Fit: wall-clock time of `fit` alone, warm. Latency: one "
    "example at a time, median and 95th percentile; in bulk: the whole test part in one call. Memory of the fit: what "
    "it added to the memory of its process; the data lay there already, and a GPU's memory is not in it. Parameters, "
    "nodes and stored values do not compare with each other."
)


def cost_parts(results: DatasetResults) -> list[str]:
    """The costs of one data set's cells: table, figure, and who lies on which front; nothing without cells."""
    if not results.cells:
        return []
    return [_table(results.cells), _NOTE, _figure(results), _FRONTS, bullets(_fronts(results.cells))]


_FRONTS = (
    "On the front of accuracy against a cost lie the cells that no other beats in mean accuracy at the same cost or "
    "less, cheapest first; a lead that the intervals above do not support counts here too."
)


def _table(cells: list[CellResult]) -> str:
    best = [next((cell for cell in cells if cell.family == family), None) for family in FAMILY_NAMES]
    measured = bool(energy_methods(cells))
    header = [*_HEADER, *(["energy of the fit"] if measured else [])]
    rows = [_row(cell, cell in best) + ([_joules(cell)] if measured else []) for cell in cells]
    return table(header, rows, right=set(range(2, len(header))))


def _row(cell: CellResult, bold: bool) -> list[str]:
    count, unit = complexity(cell)
    return [
        f"{MARKS[cell.family]} {bold_where(bold, cell.label)}",
        cell.cell.features,
        significant(cell.mean("fit_seconds")),
        significant(cell.mean("latency_p50_ms")),
        significant(cell.mean("latency_p95_ms")),
        _about(cell.mean("throughput_per_s")),
        size(cell.mean("model_bytes")),
        f"{_whole(count)} {unit}" if np.isfinite(count) else MISSING,
        size(cell.mean("fit_memory_bytes")),
    ]


def _whole(value: float) -> str:
    return f"{value:,.0f}" if np.isfinite(value) else MISSING


def _about(value: float) -> str:
    """57898.3 -> "58,000"."""
    return _whole(float(f"{value:.2g}"))


def _joules(cell: CellResult) -> str:
    joules = ENERGY.of(cell)
    return f"{significant(joules)} J" if np.isfinite(joules) else MISSING


def _figure(results: DatasetResults) -> str:
    cells = results.cells
    costs = ", ".join(cost.name for cost in comparable_costs(cells)) or "no cost"
    best = cells[0]
    return figure(
        f"{results.dataset}-cost",
        f"Test accuracy of every cell on {results.dataset} against {costs}, with the front of each. The most "
        f"accurate, {name(best)}, reaches {percent(best.mean('accuracy'))} % in "
        f"{significant(best.mean('fit_seconds'))} s.",
    )


def _fronts(cells: list[CellResult]) -> list[str]:
    lines = [
        f"**{_capital(cost.name)}**: {_listed(frontier(cells, cost))}." for cost in comparable_costs(cells)
    ]
    by_unit: dict[str, list[CellResult]] = {}
    for cell in cells:
        by_unit.setdefault(complexity(cell)[1], []).append(cell)
    lines += [
        f"**{_capital(unit)}**, among the {len(some)} cells that have them: {_listed(frontier(some, COMPLEXITY))}."
        for unit, some in sorted(by_unit.items())
        if len(some) > 1
    ]
    return [*lines, f"**Energy**: {_energy(cells)}"]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _listed(cells: list[CellResult]) -> str:
    return ", ".join(f"{name(cell)} ({percent(cell.mean('accuracy'))} %)" for cell in cells)


def _energy(cells: list[CellResult]) -> str:
    """How the energy was measured, or why it was not."""
    methods = energy_methods(cells)
    if not methods:
        return (
            "not measured; this machine gives no counter that the fits could read (RAPL is readable by root alone on "
            "many systems)."
        )
    known = sum(np.isfinite(ENERGY.of(cell)) for cell in cells)
    text = f"measured for {known} of {len(cells)} cells with {', '.join(methods)}; other processes count too."
    if energies_compare(cells):
        return text
    return f"{text} No front: the processor counts in some of them and not in others."
