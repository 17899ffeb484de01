"""The numbers behind the figures, on cells and trials small enough to count by hand."""

import pandas as pd
import pytest

from crossover.analysis.statistics import accuracy_interval
from crossover.analysis.study import DatasetAnalysis
from crossover.core.cell import LEARNED
from crossover.core.layout import Layout
from crossover.core.study import Tuning
from crossover.report.figures.numbers import accuracy_numbers, overview_numbers, pareto_numbers, trial_numbers
from tests.results_folder import first_right, read_chapters, study_of
from tests.tuning_folder import SearchFolder, TunedResults

N_TEST = 200


@pytest.fixture(scope="module")
def chapter(tmp_path_factory: pytest.TempPathFactory) -> DatasetAnalysis:
    """Of 200 examples the tuned net has 191 right, the net 190 and 192, the tree 160 and 163, the line 150."""
    root = tmp_path_factory.mktemp("project")
    folder = TunedResults(root, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 160, 163), fit_seconds=0.0123456)
    folder.add("raw", "line", first_right(N_TEST, 150), False, fit_seconds=1234.56)
    folder.add(LEARNED, "net", first_right(N_TEST, 190, 192))
    folder.add_tuned(LEARNED, "net", first_right(N_TEST, 191, 191))
    folder.write()
    search = SearchFolder(root, "fruit", LEARNED, "net", [0.9, 0.94, float("nan"), 0.92])
    search.second_objective("fit_seconds", [1.0, 2.0, 3.0, 0.123456], {1, 3})
    search.write()
    searched = Tuning(deep_models=["net"], trials=4, cost="fit_seconds")
    study = study_of("fruit", ["tree", "line"], ["net"], 2, tuning=searched)
    return read_chapters(study, Layout(root))[0]


def values(table: pd.DataFrame) -> list[list[object]]:
    return table.astype(object).where(table.notna(), None).to_numpy().tolist()


def test_overview_has_a_row_for_each_cell(chapter: DatasetAnalysis) -> None:
    table = overview_numbers([chapter])
    assert values(table.drop(columns=["family"])) == [
        ["fruit", "net", "learned", 95.5, 1.5, "yes"],
        ["fruit", "net, tuned", "learned", 95.5, 1.5, ""],
        ["fruit", "tree", "raw", 80.75, 0.01235, "yes"],
        ["fruit", "line", "raw", 75.0, 1235.0, ""],
    ]
    assert table["family"].to_list() == ["deep", "deep", "classical", "classical"]


def test_accuracy_has_the_interval_and_each_single_fit(chapter: DatasetAnalysis) -> None:
    table = accuracy_numbers(chapter)
    fits = table[["seed_0_percent", "seed_1_percent"]]
    assert values(fits) == [[95.0, 96.0], [95.5, 95.5], [80.0, 81.5], [75.0, None]]
    interval = accuracy_interval(chapter.results.cells[2].correct)
    assert table.loc[2, "low_95_percent"] == round(100 * interval.low, 2)
    assert table.loc[2, "high_95_percent"] == round(100 * interval.high, 2)


def test_trials_are_followed_by_the_expected_best(chapter: DatasetAnalysis) -> None:
    assert chapter.tuning is not None
    table = trial_numbers(chapter.tuning).drop(columns=["model", "features", "family"])
    assert values(table[table["shows"] == "trial"].iloc[:, :5]) == [
        ["trial", 0, 90.0, "completed", ""],
        ["trial", 1, 94.0, "completed", "yes"],
        ["trial", 2, None, "failed", ""],
        ["trial", 3, 92.0, "completed", ""],
    ]
    # Of the trials 1 and 3, one is 93 in the mean; the better of both is no third of the trials.
    best = table[table["shows"] == "expected best"]
    assert best["number"].to_list() == [1]
    assert best["accuracy_percent"].to_list() == [93.0]


def test_pareto_has_both_objectives_of_every_trial(chapter: DatasetAnalysis) -> None:
    assert chapter.tuning is not None
    table = pareto_numbers(chapter.tuning.searches).drop(columns=["model", "features", "family"])
    assert table.columns.to_list() == [
        "trial",
        "accuracy_percent",
        "fit_seconds",
        "state",
        "on_the_front",
        "best",
    ]
    assert values(table) == [
        [0, 90.0, 1.0, "completed", "", ""],
        [1, 94.0, 2.0, "completed", "yes", "yes"],
        [2, None, 3.0, "failed", "", ""],
        [3, 92.0, 0.1235, "completed", "yes", ""],
    ]
