"""The crossover map: who is ahead with so many labels and seconds, on curves whose answer is known."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.crossover_map import CrossoverMap, crossover_map
from crossover.analysis.curves import DatasetCurves, read_curves
from crossover.analysis.map_options import options_of
from crossover.core.cell import LEARNED
from crossover.report.figures.crossover_map import draw_map
from crossover.report.templating import render
from tests.curves_folder import CurvesFolder, realistic_curves

SIZES = [100, 1000, 10_000]
TREE, NET = [0.80, 0.85, 0.90], [0.50, 0.80, 0.99]


def read(folder: CurvesFolder) -> DatasetCurves:
    curves = read_curves(folder.study(), folder.layout, "fruit")
    assert curves is not None
    return curves


def found(folder: CurvesFolder, **arguments: Any) -> CrossoverMap:
    made = crossover_map(read(folder), 0.005, **arguments)
    assert made is not None
    return made


def fruit(
    root: Path, net: list[float] = NET, n_test: int = 1000, repetitions: int = 3, **values: Any
) -> CurvesFolder:
    """A tree that takes 0.1, 1 and 10 s, and a net that takes 10, 100 and 1000 s."""
    folder = CurvesFolder(root, "fruit", SIZES, repetitions, n_test)
    folder.add("raw", "tree", TREE, seconds=[0.1, 1, 10])
    folder.add(LEARNED, "net", net, seconds=[10, 100, 1000], **values)
    return folder


def test_each_family_leads_where_it_has_the_better_fit_in_time(tmp_path: Path) -> None:
    made = found(fruit(tmp_path))
    assert made.labels.tolist() == SIZES
    assert (made.seconds[0], made.seconds[-1]) == pytest.approx((0.1, 1000))
    states = [[made.at(size, t).state for t in (0.1, 1, 8, 12, 120, 1000)] for size in range(3)]
    assert states[0] == ["classical alone"] * 3 + ["classical"] * 3
    assert states[1] == states[0]
    assert states[2] == ["classical alone"] * 3 + ["classical", "classical", "deep"]
    # All labels are there, and the time allows a tree on all of them, but a net on a tenth.
    cell = made.at(2, 120)
    assert cell.difference == pytest.approx(0.80 - 0.90)
    assert cell.interval is not None
    assert cell.difference in cell.interval
    assert cell.deep_ahead == 0


def test_more_labels_and_seconds_never_make_a_better_choice_on_validation_rows_impossible(
    tmp_path: Path,
) -> None:
    folder = realistic_curves(tmp_path, "fruit", repetitions=2, n_test=200)
    curves = read(folder)
    options = options_of(curves.curves, 0)
    table, rng = options.table, np.random.default_rng(0)
    for n, t in zip(rng.uniform(30, 60_000, 200), np.exp(rng.uniform(-4, 7, 200)), strict=True):
        row = options.best(int(n), float(t))
        within = table[(table["labels"] <= int(n)) & (table["seconds"] <= t)]
        if row is None:
            assert within.empty
        else:
            assert table.loc[row, "score"] == within["score"].max()
            assert row in within.index


def test_a_fit_between_two_sizes_lies_between_them_on_logarithmic_scales(tmp_path: Path) -> None:
    tree = read(fruit(tmp_path)).family("classical")
    options = options_of(tree, 0)
    table = options.table.sort_values("labels")
    assert len(table) == 2 * 5 + 1
    between = table.iloc[2]  # two fifths of the way from 100 to 1000
    assert between["labels"] == round(100 * 10**0.4)
    assert between["seconds"] == pytest.approx(0.1 * 10**0.4)
    error = 0.20 * (0.15 / 0.20) ** 0.4
    assert between["score"] == pytest.approx(1 - error)
    assert options.correct(int(table.index[2])).mean() == pytest.approx(1 - error, abs=1e-6)
    measured = options.correct(int(table.index[5]))
    np.testing.assert_array_equal(measured, tree[0].correct[1, 0])


def test_a_network_that_is_stopped_is_ready_before_its_end(tmp_path: Path) -> None:
    whole, stopped = (
        found(fruit(tmp_path / "whole")),
        found(fruit(tmp_path / "stopped", moments={0.12: 0.01})),
    )
    assert whole.at(2, 125).state == "classical"
    cell = stopped.at(2, 125)  # 120 of the 1000 seconds
    assert cell.state == "deep"
    assert cell.difference == pytest.approx(0.98 - 0.90)
    assert cell.played["deep"].models == [("net", False)] * 3
    assert stopped.at(2, 1000).played["deep"].models == [("net", True)] * 3


def test_the_answers_by_time_are_those_at_round_times(tmp_path: Path) -> None:
    made = found(fruit(tmp_path, n_test=10_000))
    assert made.by_time(-1) == [("classical alone", 0.1), ("classical", 10.0), ("deep", 600.0)]


def test_the_choice_is_made_on_validation_rows_alone(tmp_path: Path) -> None:
    folder = fruit(tmp_path)
    folder.add("raw", "lucky", [0.95, 0.96, 0.97], validation=[0.1, 0.1, 0.1], seconds=[0.1, 1, 10])
    assert found(folder).at(2, 100).played["classical"].most_often == "tree (raw)"


def test_watched_examples_are_labels_too(tmp_path: Path) -> None:
    made = found(fruit(tmp_path, n_watched=50))
    assert made.labels.tolist() == [150, 1050, 10_050]
    options = options_of(read(fruit(tmp_path / "again", n_watched=50)).family("deep"), 0)
    assert options.best(149, 1e6) is None
    assert options.best(150, 1e6) is not None


def test_a_model_that_was_not_trained_to_its_end_leaves_the_lead_open(tmp_path: Path) -> None:
    folder = fruit(tmp_path, net=[0.5, 0.6, 0.7], moments={0.1: 0.05})
    assert found(folder).at(2, 1000).state == "classical"
    made = found(folder, unfinished={"net"})
    assert made.at(2, 1000).state == "undecided"
    # The net on all examples was stopped here: more seconds are what it lacks, and the map has them above.
    assert made.at(2, 150).played["deep"].models == [("net", False)] * 3
    assert made.at(2, 150).state == "classical"
    assert found(folder, unfinished={"tree (raw)"}).at(2, 1000).state == "classical"


def test_one_repetition_shows_no_lead(tmp_path: Path) -> None:
    states = found(fruit(tmp_path, repetitions=1)).states
    assert states <= {"classical alone", "not told apart", "nothing"}


def test_without_one_family_there_is_no_map(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", SIZES)
    folder.add("raw", "tree", TREE)
    assert crossover_map(read(folder), 0.005) is None


def test_where_nothing_is_ready_the_map_says_so(tmp_path: Path) -> None:
    folder = CurvesFolder(tmp_path, "fruit", SIZES)
    folder.add("raw", "tree", TREE, seconds=[[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    folder.add(LEARNED, "net", NET, seconds=[10, 100, 1000])
    made = found(folder)
    assert made.at(2, 1).state == "nothing"  # ready in one repetition of three
    assert made.at(2, 3.5).state == "classical alone"
    assert made.round_times[0] == 1
    assert made.by_time(2)[0][1] == 10  # nothing is ready at 1 s


@pytest.mark.slow
def test_equal_families_are_rarely_told_apart(tmp_path: Path) -> None:
    """Twenty studies of equal families: a lead somewhere on the map in two of them at most."""
    rng, false = np.random.default_rng(0), 0
    for number in range(20):
        folder = CurvesFolder(tmp_path / str(number), "fruit", SIZES, repetitions=3, n_test=300)
        for features, model in (("raw", "tree"), (LEARNED, "net")):
            scattered = np.array(TREE)[:, None] + rng.normal(0, 0.01, (3, 3))
            folder.add(features, model, scattered, seconds=[1, 10, 100], noise=2.0)
        false += bool(found(folder).states & {"deep", "classical"})
    assert false <= 2


def test_the_table_has_the_lead_at_round_times(tmp_path: Path) -> None:
    made = found(fruit(tmp_path))
    assert made.round_times == [0.1, 1, 10, 60, 600]
    *_, smallest, _, largest = (
        line for line in render("crossover_map", map=made).splitlines() if "|" in line
    )
    cells = [cell.strip() for cell in smallest.split("|")[1:-1]]
    assert cells == ["100", "●", "●", "● 30.00", "● 30.00", "● 30.00"]
    lead = made.at(2, 600)
    assert lead.state == "deep"
    assert largest.split("|")[-2].strip() == f"◆ {100 * lead.difference:.2f}"


@pytest.mark.parametrize(
    ("equivalence", "unfinished", "cell"),
    [(0.005, set(), "(● 0.20)"), (0.3, set(), "= ● 0.20"), (0.3, {"net"}, "● 0.20 *")],
)
def test_the_table_says_what_is_no_lead(
    tmp_path: Path, equivalence: float, unfinished: set[str], cell: str
) -> None:
    folder = CurvesFolder(tmp_path, "fruit", SIZES, n_test=1000)
    folder.add("raw", "tree", TREE, seconds=[0.1, 1, 10])
    folder.add(LEARNED, "net", [0.798, 0.848, 0.898], seconds=[0.1, 1, 10])
    made = crossover_map(read(folder), equivalence, unfinished)
    assert made is not None
    last = render("crossover_map", map=made).split("| 10,000 |")[1].splitlines()[0]
    assert last.split("|")[-2].strip() == cell


def test_the_figure_has_a_number_for_each_cell(tmp_path: Path) -> None:
    made = found(fruit(tmp_path, moments={0.2: 0.01}))
    draw_map(tmp_path, made)
    numbers = pd.read_csv(tmp_path / "fruit-map.csv")
    assert len(numbers) == made.seconds.size * made.labels.size
    last = numbers.iloc[-1]
    assert (last["labels"], last["answer"], last["deep"]) == (10_000, "deep", "net")
    assert last["difference"] == pytest.approx(9.0)
    for suffix in ("png", "svg"):
        assert (tmp_path / f"fruit-map.{suffix}").stat().st_size > 5000
