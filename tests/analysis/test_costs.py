"""Costs beside accuracy: fronts, table and figure of cells whose numbers are chosen by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.costs import (
    BULK,
    DISK,
    ENERGY,
    FIT_TIME,
    LATENCY,
    MEMORY,
    comparable_costs,
    frontier,
)
from crossover.analysis.study import DatasetAnalysis
from crossover.core.cell import LEARNED
from crossover.core.layout import Layout
from crossover.core.numbers import MISSING
from crossover.report.figures.cells import draw_cost
from crossover.report.templating import render
from tests.results_folder import ResultsFolder, first_right, read_chapters, study_of

N_TEST = 200

# Right answers of 200, and costs. By time to fit the near and the net are on the front, and the forest, which is
# as right as the line and dearer, is not. By latency the line, the forest's equal, is the cheapest of all.
CELLS: dict[str, tuple[int, dict[str, Any]]] = {
    "near": (160, {"fit_seconds": 0.01, "latency_p50_ms": 9.0, "throughput_per_s": 1e3, "model_bytes": 5e6}),
    "line": (150, {"fit_seconds": 2.0, "latency_p50_ms": 0.1, "throughput_per_s": 2e5, "model_bytes": 1e3}),
    "forest": (150, {"fit_seconds": 3.0, "latency_p50_ms": 4.0, "throughput_per_s": 5e4, "model_bytes": 2e6}),
    "net": (190, {"fit_seconds": 60.0, "latency_p50_ms": 0.2, "throughput_per_s": 1e4, "model_bytes": 4e5}),
}
MODELS = ["near", "line", "forest"]
RAPL = "RAPL package counters"


def chapter(root: Path, **changes: dict[str, Any]) -> DatasetAnalysis:
    """The cells above, those named with some values changed."""
    folder = ResultsFolder(root, "fruit", N_TEST)
    for model, (right, costs) in CELLS.items():
        features = LEARNED if model == "net" else "raw"
        folder.add(features, model, first_right(N_TEST, right, right), **(costs | changes.get(model, {})))
    folder.write()
    [made] = read_chapters(study_of("fruit", MODELS, ["net"], 2), Layout(root))
    return made


def folder_for(root: Path) -> Path:
    """An empty folder for figures."""
    (root / "figures").mkdir()
    return root / "figures"


def names(cells: list) -> list[str]:
    return [cell.cell.model for cell in cells]


def text(made: DatasetAnalysis) -> str:
    return render("costs", dataset=made.dataset, costs=made.costs)


@pytest.mark.parametrize(
    ("cost", "front"),
    [
        (FIT_TIME, ["near", "net"]),
        (LATENCY, ["line", "net"]),
        (BULK, ["line", "net"]),
        (DISK, ["line", "net"]),
        (MEMORY, ["net"]),  # the same for all
        (ENERGY, []),  # of none
    ],
)
def test_the_front_holds_what_nothing_beats_at_its_cost(cost, front: list[str], tmp_path: Path) -> None:
    assert names(frontier(chapter(tmp_path).results.cells, cost)) == front


def test_a_cost_that_was_not_measured_keeps_a_cell_off_the_front(tmp_path: Path) -> None:
    made = chapter(tmp_path, net={"fit_memory_bytes": None}, line={"fit_memory_bytes": 1e6})
    assert names(frontier(made.results.cells, MEMORY)) == ["line", "near"]


def test_the_time_in_bulk_is_that_of_a_thousand_predictions(tmp_path: Path) -> None:
    times = {cell.cell.model: BULK.of(cell) for cell in chapter(tmp_path).results.cells}
    assert times == pytest.approx({"near": 1000, "line": 5, "forest": 20, "net": 100})  # ms


def test_complexity_is_the_mean_over_the_fits_with_its_unit(tmp_path: Path) -> None:
    made = chapter(tmp_path, forest={"complexity": 5001})
    assert {cell.cell.model: cell.complexity for cell in made.results.cells} == {
        "near": (1234, "nodes"),
        "line": (1234, "nodes"),
        "forest": (5001, "nodes"),
        "net": (1234, "parameters"),
    }


def test_the_table_names_every_cost_of_every_cell(tmp_path: Path) -> None:
    made = chapter(
        tmp_path, forest={"complexity": 1234567, "complexity_unit": "nodes", "fit_memory_bytes": None}
    )
    table = [line for line in text(made).splitlines() if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    rows = {
        cells[1].strip(): [c.strip() for c in cells[3:-1]] for cells in (line.split("|") for line in table)
    }
    net = ["60", MISSING, "0.20", MISSING, "0.70", "10,000", "400 kB", "1,234 parameters", "45 MB"]
    assert rows["◆ **net**"] == net
    forest = ["3.0", MISSING, "4.0", MISSING, "0.70", "50,000", "2.0 MB", "1,234,567 nodes", MISSING]
    assert rows["● forest"] == forest
    assert list(rows)[2:] == ["◆ **net**", "● **near**", "● line", "● forest"]


def test_features_stand_next_to_the_sum_and_a_loaded_machine_is_marked(tmp_path: Path) -> None:
    made = chapter(
        tmp_path,
        line={
            "fit_seconds": 10.0,
            "fit_seconds_low": 9.7,
            "fit_seconds_high": 14.0,
            "features_seconds": 9.5,
            "features_p50_ms": 1.1,
            "latency_p50_ms": 1.2,
        },
        forest={"waiting_share": 0.4},
    )
    table = [line for line in text(made).splitlines() if line.startswith("| ●")]
    line, forest = (
        [c.strip() for c in next(row for row in table if name in row).split("|")]
        for name in ("line", "forest")
    )
    assert line[3:7] == ["10 (9.7 to 14)", "9.5", "1.2", "1.1"]
    assert forest[3].endswith("‡")
    assert "‡ Other work had the processor" in text(made)
    assert "`dvc repro -f -s train_classical@" in text(made)
    assert "‡" not in text(chapter(tmp_path / "idle"))


def test_the_fronts_are_told_in_words(tmp_path: Path) -> None:
    found = text(chapter(tmp_path, line={"complexity": 12}))
    assert "- **Time to fit**: near on raw features (80.00 %), net on its own features (95.00 %)." in found
    assert "- **Latency**: line on raw features (75.00 %), net on its own features (95.00 %)." in found
    # The near's 160 right answers come with more nodes than the line's 150; the single network has no rival.
    assert (
        "- **Nodes**, among the 3 cells that have them: line on raw features (75.00 %), near on raw" in found
    )
    assert "**Parameters**" not in found


def test_energy_that_was_not_measured_is_told(tmp_path: Path) -> None:
    found = text(chapter(tmp_path))
    assert "- **Energy**: not measured; this machine gives no counter" in found
    assert "energy of the fit" not in found


def test_measured_energy_has_a_column_and_a_front(tmp_path: Path) -> None:
    measured = {
        model: {"fit_energy_j": joules, "energy_method": RAPL}
        for model, joules in {"near": 1.25, "line": 90.0, "net": 4000.0}.items()
    }
    made = chapter(tmp_path, **measured)
    found = text(made)
    assert names(frontier(made.results.cells, ENERGY)) == ["near", "net"]
    assert (
        "- **Energy of the fit**: near on raw features (80.00 %), net on its own features (95.00 %)." in found
    )
    assert f"- **Energy**: measured for 3 of 4 cells with {RAPL}; other processes count too." in found
    assert "4000 J |" in found
    forest = next(line for line in found.splitlines() if "forest" in line)
    assert forest.endswith(" – |")  # noqa: RUF001


@pytest.mark.parametrize(
    ("method", "compare"),
    [(f"{RAPL} + NVML total energy, NVIDIA H200", True), ("NVML total energy, NVIDIA H200", False)],
)
def test_energies_compare_where_the_processor_counts_in_all_or_none(
    method: str, compare: bool, tmp_path: Path
) -> None:
    made = chapter(
        tmp_path,
        near={"fit_energy_j": 10.0, "energy_method": RAPL},
        net={"fit_energy_j": 20.0, "energy_method": method},
    )
    assert (ENERGY in comparable_costs(made.results.cells)) == compare
    assert ("the processor counts in some of them" in text(made)) != compare


def test_without_cells_there_is_nothing_to_tell(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add_not_applicable("raw", "near", "no reason")
    folder.write()
    [made] = read_chapters(study_of("fruit", ["near"], [], 1), Layout(tmp_path))
    assert made.costs is None


class TestFigure:
    def test_it_has_a_panel_and_numbers_for_each_cost_that_compares(self, tmp_path: Path) -> None:
        made = chapter(tmp_path, net={"fit_energy_j": 20.0, "energy_method": RAPL})  # alone, so no panel
        draw_cost(folder_for(tmp_path), made)
        figure = tmp_path / "figures" / "fruit-cost"
        numbers = pd.read_csv(figure.with_suffix(".csv"), keep_default_na=False)
        shown = [FIT_TIME, LATENCY, BULK, DISK, MEMORY]
        assert list(numbers["cost"].unique()) == [cost.label for cost in shown]
        drawn = figure.with_suffix(".svg").read_text()  # matplotlib writes each text as a comment, too
        assert all(f"<!-- {cost.label} -->" in drawn for cost in shown)
        assert f"<!-- {ENERGY.label} -->" not in drawn
        front = numbers.query("cost == 'seconds to fit' and on_the_front == 'yes'")
        assert dict(zip(front["model"], front["value"], strict=True)) == {"net": 60, "near": 0.01}
        assert set(front["accuracy_percent"]) == {95, 80}

    def test_a_fit_that_adds_no_memory_is_drawn(self, tmp_path: Path) -> None:
        made = chapter(tmp_path, near={"fit_memory_bytes": 0})
        with np.errstate(all="raise"):
            draw_cost(folder_for(tmp_path), made)
        numbers = pd.read_csv(tmp_path / "figures" / "fruit-cost.csv")
        assert numbers.query("model == 'near' and cost == @MEMORY.label")["value"].item() == 0

    def test_a_single_cell_is_drawn_alone(self, tmp_path: Path) -> None:
        folder = ResultsFolder(tmp_path, "fruit", N_TEST)
        folder.add("raw", "near", first_right(N_TEST, 160))
        folder.write()
        chapters = read_chapters(study_of("fruit", ["near"], [], 1), Layout(tmp_path))
        draw_cost(folder_for(tmp_path), chapters[0])
        assert (tmp_path / "figures" / "fruit-cost.png").read_bytes().startswith(b"\x89PNG")
        assert "figures/fruit-cost.png" in text(chapters[0])
