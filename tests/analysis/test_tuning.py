"""Tuning in the comparison, from the files of the searches to the report."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.results import read_results
from crossover.analysis.sensitivity import expected_best
from crossover.analysis.tuning import DatasetTuning
from crossover.analysis.tuning_reader import read_tuning
from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import Study, Tuning
from crossover.report.document import render
from crossover.report.figures.tuning import draw_tuning_figures
from crossover.report.templating import render as render_template
from tests.results_folder import ResultsFolder, compare, first_right, read_report, study_of
from tests.tuning_folder import SearchFolder, TunedResults

N_TEST = 200
DRAWN = 12
STUDY = study_of(
    "fruit",
    ["tree", "line"],
    ["net"],
    2,
    tuning=Tuning(feature_sets=["raw"], classical_models=["tree"], deep_models=["net"], trials=1 + DRAWN),
)
TREE = [0.90, *np.linspace(0.89, 0.93, DRAWN)]
NET = [0.95, *np.linspace(0.60, 0.98, DRAWN)]


def write_results(root: Path) -> TunedResults:
    """Of 200 examples the tree has 170 right and 176 when tuned, the net 186 and 190, the line 160."""
    folder = TunedResults(root, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 169, 171))
    folder.add("raw", "line", first_right(N_TEST, 160, 160))
    folder.add(LEARNED, "net", first_right(N_TEST, 186, 186))
    folder.add_tuned("raw", "tree", first_right(N_TEST, 176, 176))
    folder.add_tuned(LEARNED, "net", first_right(N_TEST, 188, 192))
    folder.write()
    return folder


def searches(
    root: Path, tree: list[float] = TREE, net: list[float] = NET, **facts: Any
) -> list[SearchFolder]:
    facts = {"budget": {"trials": 1 + DRAWN, "seconds": None}} | facts
    return [
        SearchFolder(root, "fruit", "raw", "tree", tree, **facts),
        SearchFolder(root, "fruit", LEARNED, "net", net, **facts),
    ]


def write_project(root: Path, **facts: Any) -> list[SearchFolder]:
    write_results(root)
    made = searches(root, **facts)
    for search in made:
        search.write()
    return made


def study_with(**tuning: Any) -> Study:
    return STUDY.model_copy(update={"tuning": STUDY.tuning.model_copy(update=tuning)})


def read(root: Path, study: Study = STUDY) -> DatasetTuning:
    """The searches of the data set fruit, as the comparison reads them."""
    tuning = read_tuning(study, Layout(root), read_results(study, Layout(root), "fruit"))
    assert tuning is not None
    return tuning


def words(tuning: DatasetTuning) -> str:
    """The chapter, each run of blanks as one."""
    return one_blank(render_template("tuning", tuning=tuning))


def one_blank(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def drawn(tuning: DatasetTuning, folder: Path) -> set[str]:
    """The pictures that the chapter shows, each of which is there."""
    draw_tuning_figures(folder, [tuning])
    shown = set(re.findall(r"\]\(figures/([\w-]+)\.png\)", words(tuning)))
    assert {path.stem for path in folder.glob("*.png")} == shown
    assert all((folder / f"{name}.png").read_bytes().startswith(b"\x89PNG") for name in shown)
    return shown


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    write_project(root)
    compare(STUDY, Layout(root))
    return root


@pytest.fixture(scope="module")
def reports(project: Path) -> Path:
    return project / "reports"


@pytest.fixture(scope="module")
def report(reports: Path) -> str:
    return one_blank((reports / "report.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tuning(project: Path) -> DatasetTuning:
    return read(project)


def test_default_and_tuned_stand_side_by_side(tuning: DatasetTuning, report: str) -> None:
    tree, net = tuning.searches
    assert (tree.default.mean("accuracy"), tree.tuned.mean("accuracy")) == (0.85, 0.88)
    assert (net.default.mean("accuracy"), net.tuned.mean("accuracy")) == (0.93, 0.95)
    assert tree.gain == pytest.approx(0.03)
    assert tree.best is not None
    assert (tree.default_trial["accuracy"], tree.best["accuracy"]) == pytest.approx((0.90, 0.93))
    assert "| ● tree | raw | 85.00 | 88.00 [" in report
    assert "| +3.00 [" in report
    assert "| 90.00 → 93.00 | 13 / 0 / 0 | 26 |" in report
    assert "| ◆ net | learned | 93.00 | 95.00 [" in report


def test_the_budget_is_named(tuning: DatasetTuning, report: str) -> None:
    assert (tuning.budget.trials, tuning.budget.sampler, tuning.budget.seed) == (13, "random", 0)
    assert (tuning.n_validation, tuning.splits, tuning.examples) == ([100], [3], [])
    assert "Each model had 13 trials (random search, seed 0)" in report


def test_the_tuning_table_is_in_plain_numbers(reports: Path) -> None:
    table = pd.read_csv(reports / "tuning.csv").set_index("model")
    tree = table.loc["tree"]
    assert tree["difference"] == pytest.approx(0.03)
    assert 0 < tree["difference_low"] < 0.03 < tree["difference_high"]
    assert tree["tuning_seconds"] == pytest.approx(26)
    assert tree["tuning_default_fits"] == pytest.approx(26 / 1.5)
    assert tree["validation_iqr"] == pytest.approx(np.ptp(np.quantile(TREE[1:], [0.25, 0.75])))
    assert tree["best_trial"] == DRAWN
    assert table["draws"].tolist() == [DRAWN, DRAWN]


def test_default_and_tuned_cells_are_kept_apart(reports: Path, report: str) -> None:
    table = pd.read_csv(reports / "comparison.csv")
    assert table[["model", "variant"]].to_numpy().tolist() == [
        ["net", "tuned"],
        ["net", "default"],
        ["tree", "tuned"],
        ["tree", "default"],
        ["line", "default"],
    ]
    verdict = json.loads((reports / "verdicts" / "fruit.json").read_text())
    assert verdict["best_deep"] == "learned-net-tuned"
    assert verdict["best_classical"] == "raw-tree-tuned"
    assert "| ◆ **net, tuned** | learned |" in report
    assert "| ◆ net | learned | 93.00 [" in report
    assert "tuned net on its own features, 95.00 %" in report
    assert "The search for a tuned configuration is not in these times." in report


def test_every_figure_that_the_report_shows_is_there(reports: Path, report: str) -> None:
    shown = [line.split("](")[1].rstrip(")") for line in report.splitlines() if line.startswith("![")]
    assert "figures/fruit-tuning.png" in shown
    assert "figures/fruit-pareto.png" not in shown
    for figure in shown:
        assert (reports / figure).read_bytes().startswith(b"\x89PNG")
        assert (reports / figure).with_suffix(".svg").exists()


def test_the_most_important_hyperparameters_come_with_their_best_values(
    tuning: DatasetTuning, report: str
) -> None:
    found = [(one.parameter, one.share, one.best) for one in tuning.searches[0].most_important(2)]
    assert found == [("estimator.depth", 0.7, "15.0"), ("rate", 0.25, str(0.1234567 / 13))]  # of trial 12
    assert "`estimator.depth` 70 % (15) | `rate` 25 % (0.0095) | `kind` 5 % (wide)" in report


def test_the_families_are_compared_by_their_spreads(tuning: DatasetTuning, report: str) -> None:
    def iqr(accuracies: list[float]) -> float:
        return float(np.ptp(np.quantile(accuracies[1:], [0.25, 0.75])))

    assert tuning.sensitivity is not None
    assert tuning.not_compared is None
    assert tuning.sensitivity.iqr.value == pytest.approx(iqr(NET) - iqr(TREE))
    assert tuning.sensitivity.iqr.sign == 1
    assert "of the networks (net) minus that of the classical models (tree on raw)" in report
    assert "C14" not in report  # the claims answer it, and this comparison has none


def test_the_expected_best_is_tabled(report: str) -> None:
    # Of 12 draws, up to 4: the highest of 12 is one lucky trial.
    mean, of_three = (f"{100 * expected_best(np.array(TREE[1:]))[k - 1]:.2f}" for k in (1, 3))
    assert mean == f"{100 * np.mean(TREE[1:]):.2f}"
    header = report.splitlines().index("| model | features | default | 1 | 3 |")
    line = next(line for line in report.splitlines() if line.startswith("| ● tree | raw | 90.00 | "))
    assert report.splitlines()[header + 2] == line
    assert re.fullmatch(
        rf"\| ● tree \| raw \| 90.00 \| {mean} \[\S+, \S+\] \| {of_three} \[\S+, \S+\] \|", line
    )


def test_a_study_without_tuning_says_so_once(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 150))
    folder.add(LEARNED, "net", first_right(N_TEST, 160))
    folder.write()
    text = render(read_report(study_of("fruit", ["tree"], ["net"], seeds=1), Layout(tmp_path)))
    assert text.count("tuning") == text.split("## Environment and commands")[1].count("tuning") > 0
    assert "No model was tuned on fruit." in text


def test_failed_and_pruned_trials_are_counted(tmp_path: Path) -> None:
    write_results(tmp_path)
    for search in searches(tmp_path, tree=[0.90, np.nan, *np.linspace(0.89, 0.93, 11)]):
        if search.facts["model"] == "net":
            search.prune(1, 2)
        search.write()
    tuning = read(tmp_path)
    states = [
        [search.count(state) for state in ("completed", "pruned", "failed")] for search in tuning.searches
    ]
    assert states == [[12, 0, 1], [11, 2, 0]]
    # The failed trial is no configuration with an accuracy; a pruned one is.
    assert [search.spread.n for search in tuning.searches] == [11, 12]
    text = words(tuning)
    assert "12 / 0 / 1" in text
    assert "tree on raw: 1 of 13 trials failed, the first with: ValueError: no such kind" in text


@pytest.mark.parametrize(
    ("tree", "remark"),
    [
        ([0.99, *TREE[1:]], "tree on raw: no trial was better than the default configuration."),
        ([0.9, *[np.nan] * DRAWN], "takes 10 scored random configurations"),
        ([np.nan, *TREE[1:]], "– → 93.00"),  # noqa: RUF001
    ],
)
def test_odd_searches_are_described_and_drawn(tree: list[float], remark: str, tmp_path: Path) -> None:
    write_project(tmp_path, tree=tree)
    tuning = read(tmp_path)
    assert remark in words(tuning)
    assert drawn(tuning, tmp_path) == {"fruit-tuning"}


def test_nothing_ended_well(tmp_path: Path) -> None:
    write_results(tmp_path)
    tree, net = searches(tmp_path)
    for trial in tree.trials:
        trial |= {"state": "failed", "best": False, "pareto": False, "accuracy": None, "error": "no"}
    tree.importance = []
    tree.write()
    net.write()
    tuning = read(tmp_path)
    assert tuning.searches[0].best is None
    assert "| ● tree | raw | – | – | – |" in words(tuning)  # noqa: RUF001
    assert drawn(tuning, tmp_path) == {"fruit-tuning"}


def test_an_exhausted_space_is_named(tmp_path: Path) -> None:
    write_project(tmp_path, exhausted=True)
    remark = "tree on raw: its search space holds no more than these 13 configurations."
    assert remark in words(read(tmp_path))


def test_proposals_that_build_on_each_other_are_not_compared(tmp_path: Path) -> None:
    write_project(tmp_path, sampler="tpe", independent=False)
    tuning = read(tmp_path, study_with(sampler="tpe"))
    assert tuning.not_compared is not None
    assert (tuning.not_compared.reason, tuning.independent) == ("dependent proposals", [])
    text = words(tuning)
    assert "No spread and no expected best for tree on raw, net" in text
    assert "IQR, points" not in text
    assert drawn(tuning, tmp_path) == {"fruit-tuning"}


def test_quartiles_that_pruning_reaches_into_are_not_compared(tmp_path: Path) -> None:
    write_results(tmp_path)
    tree, net = searches(tmp_path)
    net.prune(1, 2, 3, 4)
    tree.write()
    net.write()
    tuning = read(tmp_path)
    assert tuning.not_compared is not None
    assert tuning.not_compared.reason == "pruned"
    assert [search.tuned.cell.model for search in tuning.not_compared.searches] == ["net"]
    assert "tuning.pruner=none" in words(tuning)


def test_a_family_that_was_not_tuned_is_not_compared(tmp_path: Path) -> None:
    write_project(tmp_path)
    tuning = read(tmp_path, study_with(classical_models=[]))
    assert tuning.not_compared is not None
    assert (tuning.not_compared.reason, tuning.not_compared.family) == ("family not tuned", "classical")
    assert "no classical model was tuned on this data set" in words(tuning)


def test_seconds_and_a_subset_are_named(tmp_path: Path) -> None:
    write_project(tmp_path, budget={"trials": None, "seconds": 600}, examples=2000)
    tuning = read(tmp_path, study_with(trials=None, seconds=600))
    assert (tuning.budget.seconds, tuning.examples) == (600, [2000])
    text = words(tuning)
    assert "Each model had 600 s of wall-clock time for its trials (random search, seed 0)" in text
    assert "on a stratified subset of 2,000 examples of the training part" in text


def test_two_objectives_show_their_front(tmp_path: Path) -> None:
    write_results(tmp_path)
    for search in searches(tmp_path):
        search.second_objective("fit_seconds", [float(20 - n) for n in range(1 + DRAWN)], front={0, DRAWN})
        search.write()
    tuning = read(tmp_path)
    front = [(t.number, t.score, t.cost, t.chosen) for t in tuning.searches[0].front]
    assert front == [(DRAWN, pytest.approx(0.93), 8.0, True), (0, 0.90, 20.0, False)]
    text = words(tuning)
    assert "| ● **tree** | raw | 12 | 93.00 | 8.0 | depth 15, rate 0.0095, kind wide |" in text
    assert "| ● tree | raw | 0 | 90.00 | 20 | default |" in text
    assert drawn(tuning, tmp_path) == {"fruit-tuning", "fruit-pareto"}


def test_a_tuned_model_that_does_not_apply_has_no_search(tmp_path: Path) -> None:
    folder = TunedResults(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 150))
    folder.add_not_applicable(LEARNED, "net", "it takes images, not tables")
    folder.add_tuned_not_applicable(LEARNED, "net", "it takes images, not tables")
    folder.write()
    study = study_of("fruit", ["tree"], ["net"], 1, tuning=Tuning(deep_models=["net"]))
    found = read_report(study, Layout(tmp_path))
    assert found.datasets[0].tuning is None
    text = one_blank(render(found))
    assert "- learned / net, net, tuned: it takes images, not tables" in text
    assert "No model was tuned on fruit." in text


def test_a_published_value_is_compared_with_the_default_configuration(tmp_path: Path) -> None:
    folder = TunedResults(tmp_path, "mnist", N_TEST)
    folder.add("raw", "random_forest", first_right(N_TEST, 194))
    folder.add_tuned("raw", "random_forest", first_right(N_TEST, 150))
    folder.add(LEARNED, "net", first_right(N_TEST, 190))
    folder.write()
    budget = {"trials": len(TREE), "seconds": None}
    SearchFolder(tmp_path, "mnist", "raw", "random_forest", TREE, budget=budget).write()
    searched = Tuning(feature_sets=["raw"], classical_models=["random_forest"], trials=len(TREE))
    study = study_of("mnist", ["random_forest"], ["net"], 1, tuning=searched)
    [forest] = read_report(study, Layout(tmp_path)).datasets[0].reproductions
    assert (forest.published.value, forest.cell.mean("accuracy")) == (0.9705, 0.97)


@pytest.mark.parametrize("file", ["trials.csv", "costs.csv", "importance.csv", "sweep.json"])
def test_a_missing_file_names_itself(file: str, tmp_path: Path) -> None:
    search, _ = write_project(tmp_path)
    (search.folder / file).unlink()
    with pytest.raises(CrossoverError, match=f"tuning/fruit/raw/tree/{file} does not exist.*`dvc repro"):
        compare(STUDY, Layout(tmp_path))
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(("file", "column"), [("trials.csv", "log_loss"), ("costs.csv", "seconds")])
def test_a_missing_column_is_named(file: str, column: str, tmp_path: Path) -> None:
    search, _ = write_project(tmp_path)
    path = search.folder / file
    pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    with pytest.raises(CrossoverError, match=f"check {column}"):
        read(tmp_path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    search, _ = write_project(tmp_path)
    del search.facts["n_validation"]
    search.write()
    with pytest.raises(CrossoverError, match="check n_validation"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"budget": {"trials": 500, "seconds": None}}, "the trials in params.yaml, 13, but has 500"),
        ({"budget": {"trials": None, "seconds": 60}}, "the trials in params.yaml, 13, but has None"),
        ({"sampler": "tpe"}, "the sampler in params.yaml, random, but has tpe"),
    ],
)
def test_unequal_budgets_are_not_compared(facts: dict[str, object], problem: str, tmp_path: Path) -> None:
    write_project(tmp_path, **facts)
    with pytest.raises(CrossoverError, match=re.escape(problem)):
        read(tmp_path)


def test_trials_and_costs_must_agree(tmp_path: Path) -> None:
    search, _ = write_project(tmp_path)
    search.costs.pop()
    search.write()
    with pytest.raises(CrossoverError, match=r"the same trials as costs\.csv"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("accuracies", "improving"),
    [
        ([0.7, 0.8, 0.8, 0.9], True),
        ([0.7, 0.8, 0.8, 0.801], False),  # less than a standard error
        ([0.7, 0.9, 0.8, 0.9], False),
        ([0.9, 0.7, 0.7, 0.8], False),
        ([0.7, float("nan"), 0.8, 0.9], True),  # a failed trial is no trial of either half
        ([0.7], False),
    ],
)
def test_a_search_that_still_improves_is_named(
    accuracies: list[float], improving: bool, tmp_path: Path
) -> None:
    write_results(tmp_path)
    for made in searches(tmp_path, accuracies, budget={"trials": len(accuracies), "seconds": None}):
        made.write()
    study = study_with(trials=len(accuracies))
    tuning = read(tmp_path, study)
    search = next(s for s in tuning.searches if s.tuned.cell.model == "tree")
    assert (search.still_improving is not None) == improving
    results = read_report(study, Layout(tmp_path)).datasets[0].results
    cell = next(cell for cell in results.cells if cell.cell == search.tuned.cell)
    assert cell.problem == search.still_improving
    if improving:
        text = one_blank(render_template("training", results=results, dataset="fruit"))
        assert f"try `dvc exp run -S tuning.trials={2 * len(accuracies)}`" in text
