"""Tuning in the comparison, from the files of the searches to the report."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from results_folder import ResultsFolder, compare, first_right, read_report, study_of
from tuning_folder import SearchFolder, TunedResults

from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import Study, Tuning
from crossover.report.document import render
from crossover.report.figures.tuning import draw_tuning_figures

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
    root: Path, tree: list[float] = TREE, net: list[float] = NET, **facts: object
) -> list[SearchFolder]:
    facts = {"budget": {"trials": 1 + DRAWN, "seconds": None}} | facts
    return [
        SearchFolder(root, "fruit", "raw", "tree", tree, **facts),
        SearchFolder(root, "fruit", LEARNED, "net", net, **facts),
    ]


def write_project(root: Path, **facts: object) -> list[SearchFolder]:
    write_results(root)
    made = searches(root, **facts)  # type: ignore[arg-type]
    for search in made:
        search.write()
    return made


def study_with(**tuning: Any) -> Study:
    return STUDY.model_copy(update={"tuning": STUDY.tuning.model_copy(update=tuning)})


def rendered(root: Path, study: Study = STUDY, figures: Path | None = None) -> str:
    """The report, each run of blanks as one; of the figures those of the tuning, if a folder is given."""
    report = read_report(study, Layout(root))
    if figures:
        draw_tuning_figures(figures, [chapter.tuning for chapter in report.datasets if chapter.tuning])
    text = render(report)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    write_project(root)
    compare(STUDY, Layout(root))
    return root / "reports"


@pytest.fixture(scope="module")
def report(reports: Path) -> str:
    text = (reports / "report.md").read_text(encoding="utf-8")
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def test_default_and_tuned_stand_side_by_side(report: str) -> None:
    assert "| ● tree | raw | 85.00 | 88.00 [" in report
    assert "| +3.00 [" in report
    assert "| 90.00 → 93.00 | 13 / 0 / 0 | 26 |" in report
    assert "| ◆ net | learned | 93.00 | 95.00 [" in report


def test_the_budget_is_named(report: str) -> None:
    assert "Each model had 13 trials (random search, seed 0)" in report
    assert "scores it on 100 validation examples, the mean of 3 splits" in report


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
    assert "tuned net on its own features, 95.00 %" in report
    assert "The search for a tuned configuration is not in these times." in report


def test_the_tuned_variant_has_a_row_of_its_own(report: str) -> None:
    assert "| ◆ **net, tuned** | learned |" in report
    assert "| ◆ net | learned | 93.00 [" in report


def test_every_figure_that_the_report_shows_is_there(reports: Path, report: str) -> None:
    shown = [line.split("](")[1].rstrip(")") for line in report.splitlines() if line.startswith("![")]
    assert "figures/fruit-tuning.png" in shown
    assert "figures/fruit-pareto.png" not in shown
    for figure in shown:
        assert (reports / figure).read_bytes().startswith(b"\x89PNG")
        assert (reports / figure).with_suffix(".svg").exists()


def test_the_most_important_hyperparameters_come_with_their_best_values(report: str) -> None:
    # Trial 12 is the best of both: depth 15, rate 0.1234567 / 13, kind "wide".
    assert "`estimator.depth` 70 % (15) | `rate` 25 % (0.0095) | `kind` 5 % (wide)" in report


def test_the_wider_networks_answer_the_claim(report: str) -> None:
    assert "**Claim C14, deep learning is more sensitive to its hyperparameters: holds.**" in report
    assert "of the networks (net) minus that of the classical models (tree on raw)" in report
    assert "`conf/search/`" in report
    assert "No tuning" not in report


def test_the_expected_best_is_tabled(report: str) -> None:
    mean, highest = f"{100 * np.mean(TREE[1:]):.2f}", "93.00 (12)"
    line = next(line for line in report.splitlines() if line.startswith("| ● tree | raw | 90.00 | "))
    assert f"| {mean} [" in line
    assert line.endswith(f"| {highest} |")


def test_a_study_without_tuning_says_so_once(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 150))
    folder.add(LEARNED, "net", first_right(N_TEST, 160))
    folder.write()
    text = rendered(tmp_path, study_of("fruit", ["tree"], ["net"], seeds=1), figures=tmp_path)
    assert text.count("uning") == text.split("## Environment and commands")[1].count("uning") > 0
    assert "dvc exp run -S 'tuning.classical_models=[random_forest,xgboost]'" in text
    assert not list(tmp_path.glob("*.png"))


def test_failed_and_pruned_trials_are_counted(tmp_path: Path) -> None:
    write_results(tmp_path)
    tree, net = searches(tmp_path, tree=[0.90, np.nan, *np.linspace(0.89, 0.93, 11)])
    net.prune(1, 2)
    tree.write()
    net.write()
    text = rendered(tmp_path)
    assert "12 / 0 / 1" in text
    assert "11 / 2 / 0" in text
    assert "tree on raw: 1 of 13 trials failed, the first with: ValueError: no such kind" in text
    # The failed trial is no configuration with an accuracy; a pruned one is.
    assert "| ● tree | raw | 11 | 91.00 |" in text
    assert "| ◆ net | learned | 12 |" in text


@pytest.mark.parametrize(
    ("tree", "remark"),
    [
        ([0.99, *TREE[1:]], "tree on raw: no trial was better than the default configuration."),
        ([0.9, *[np.nan] * DRAWN], "not measured here**; it takes 10 scored random configurations"),
        ([np.nan, *TREE[1:]], "– → 93.00"),  # noqa: RUF001
    ],
)
def test_odd_searches_are_told(tree: list[float], remark: str, tmp_path: Path) -> None:
    write_project(tmp_path, tree=tree)
    assert remark in rendered(tmp_path, figures=tmp_path)
    assert (tmp_path / "fruit-tuning.png").exists()


def test_nothing_ended_well(tmp_path: Path) -> None:
    write_results(tmp_path)
    tree, net = searches(tmp_path)
    for trial in tree.trials:
        trial |= {"state": "failed", "best": False, "pareto": False, "accuracy": None, "error": "no"}
    tree.importance = []
    tree.write()
    net.write()
    assert "| ● tree | raw | – | – | – |" in rendered(tmp_path, figures=tmp_path)  # noqa: RUF001


def test_an_exhausted_space_is_told(tmp_path: Path) -> None:
    write_project(tmp_path, exhausted=True)
    assert "tree on raw: its search space holds no more than these 13 configurations." in rendered(tmp_path)


def test_proposals_that_build_on_each_other_do_not_answer_the_claim(tmp_path: Path) -> None:
    study = study_with(sampler="tpe")
    write_project(tmp_path, sampler="tpe", independent=False)
    text = rendered(tmp_path, study, figures=tmp_path)
    assert "not measured here**; it takes independent draws of both families" in text
    assert "Without spread and expected best: tree on raw, net." in text
    assert "IQR, points" not in text
    assert (tmp_path / "fruit-tuning.png").exists()


def test_quartiles_that_pruning_reaches_into_do_not_answer_the_claim(tmp_path: Path) -> None:
    write_project(tmp_path)
    for path in Path(tmp_path).glob("results/tuning/*/*/net/trials.csv"):
        trials = pd.read_csv(path, keep_default_na=False)
        trials.loc[trials["trial"].between(1, 4), "state"] = "pruned"
        trials.to_csv(path, index=False)
    text = rendered(tmp_path)
    assert "not measured here**; a quarter or more of the configurations of net were pruned" in text
    assert "tuning.pruner=none" in text


def test_a_family_that_was_not_tuned_leaves_the_claim_open(tmp_path: Path) -> None:
    write_project(tmp_path)
    study = study_with(classical_models=[])
    assert "not measured here**; no classical model was tuned on this data set" in rendered(tmp_path, study)


def test_seconds_and_a_subset_are_named(tmp_path: Path) -> None:
    write_project(tmp_path, budget={"trials": None, "seconds": 600}, examples=2000)
    study = study_with(trials=None, seconds=600)
    text = rendered(tmp_path, study)
    assert "Each model had 600 s of wall-clock time for its trials (random search, seed 0)" in text
    assert "on a stratified subset of 2,000 examples of the training part" in text


def test_two_objectives_show_their_front(tmp_path: Path) -> None:
    write_results(tmp_path)
    for search in searches(tmp_path):
        search.second_objective("fit_seconds", [float(20 - n) for n in range(1 + DRAWN)], front={0, DRAWN})
        search.write()
    text = rendered(tmp_path, figures=tmp_path)
    assert "| ● **tree** | raw | 12 | 93.00 | 8.0 | depth 15, rate 0.0095, kind wide |" in text
    assert "| ● tree | raw | 0 | 90.00 | 20 | default |" in text
    assert "](figures/fruit-pareto.png)" in text
    assert (tmp_path / "fruit-pareto.png").read_bytes().startswith(b"\x89PNG")


def test_a_tuned_model_that_does_not_apply_has_no_search(tmp_path: Path) -> None:
    folder = TunedResults(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 150))
    folder.add_not_applicable(LEARNED, "net", "it takes images, not tables")
    folder.add_tuned_not_applicable(LEARNED, "net", "it takes images, not tables")
    folder.write()
    study = study_of("fruit", ["tree"], ["net"], 1, tuning=Tuning(deep_models=["net"]))
    text = rendered(tmp_path, study)
    assert "- learned / net, net, tuned: it takes images, not tables" in text
    assert "No tuning on fruit" in text


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
    text = rendered(tmp_path, study)
    assert "raw / random_forest: published 97.05 %" in text
    assert "Ours is 97.00 %" in text
    assert "Ours is 75.00 %" not in text


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
        rendered(tmp_path)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    search, _ = write_project(tmp_path)
    del search.facts["n_validation"]
    search.write()
    with pytest.raises(CrossoverError, match="check n_validation"):
        rendered(tmp_path)


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
        rendered(tmp_path)


def test_trials_and_costs_must_agree(tmp_path: Path) -> None:
    search, _ = write_project(tmp_path)
    search.costs.pop()
    search.write()
    with pytest.raises(CrossoverError, match=r"the same trials as costs\.csv"):
        rendered(tmp_path)
