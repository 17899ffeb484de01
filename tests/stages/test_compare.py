"""The comparison from result files to reports, on studies small enough to rank by eye."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.results import read_results
from crossover.analysis.study import analyse
from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.numbers import MISSING
from crossover.core.study import Study
from crossover.report.document import render
from crossover.stages.compare import read_caveats
from tests.results_folder import CONSTRAINTS, ResultsFolder, compare, first_right, read_report, study_of

N_TEST = 200


STUDY = study_of("fruit", ["tree", "line"], ["net", "convnet"], seeds=3)


def write_results(root: Path) -> ResultsFolder:
    """Of 200 examples the net has 190, 188 and 192 right, the line 180, the tree 160, 160 and 166."""
    folder = ResultsFolder(root, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 160, 160, 166))
    folder.add("raw", "line", first_right(N_TEST, 180), stochastic=False)
    folder.add(LEARNED, "net", first_right(N_TEST, 190, 188, 192), model_bytes=9_000)
    folder.add_not_applicable(LEARNED, "convnet", "it takes images, not tables")
    folder.write()
    return folder


@pytest.fixture
def results(tmp_path: Path) -> ResultsFolder:
    """Results that the test may spoil."""
    return write_results(tmp_path)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The comparison of the results above."""
    root = tmp_path_factory.mktemp("project")
    write_results(root)
    compare(STUDY, Layout(root))
    return root / "reports"


@pytest.fixture(scope="module")
def report(reports: Path) -> str:
    return (reports / "report.md").read_text(encoding="utf-8")


def rendered(study: Study, root: Path) -> str:
    """The report without its figures."""
    return render(read_report(study, Layout(root)))


def test_cells_are_ranked_by_their_mean_accuracy(reports: Path) -> None:
    table = pd.read_csv(reports / "comparison.csv")
    assert table["model"].to_list() == ["net", "line", "tree", "convnet"]
    assert table["accuracy_mean"].to_list()[:3] == pytest.approx([0.95, 0.9, 0.81])
    assert table["accuracy_sd"].to_list()[0] == pytest.approx(0.01)
    assert table["n"].to_list()[:3] == [3, 1, 3]
    assert table["best_of_family"].to_list()[:3] == [True, True, False]
    assert table["fit_seconds"].to_list()[:3] == pytest.approx([2, 1, 2])
    assert table["status"].to_list()[3] == "not applicable"
    assert table["reason"].to_list()[3] == "it takes images, not tables"


def test_a_caveat_of_a_data_set_stands_at_its_verdict(tmp_path: Path, report: str) -> None:
    write_results(tmp_path)
    folder = tmp_path / "conf" / "dataset"
    folder.mkdir(parents=True)
    (folder / "fruit.yaml").write_text("name: fruit\ncaveat: >-\n  All of it grew\n  in one garden.\n")
    (folder / "roots.yaml").write_text("name: roots\n")
    both = study_of("fruit", ["tree"], ["net"], 1).model_copy(update={"datasets": ["fruit", "roots"]})
    caveats = read_caveats(both, folder)
    assert caveats == {"fruit": "All of it grew in one garden."}
    text = render(analyse(STUDY, Layout(tmp_path), CONSTRAINTS, [], caveats))
    chapter = text.split("\n## fruit\n")[1]
    assert chapter.strip().startswith(
        "### The verdict in numbers\n\n**To bear in mind:** All of it grew in one garden.\n\n"
        "**Deep learning leads, in these fits.**"
    )
    assert "To bear in mind" not in report


def test_a_clear_lead_is_the_verdict(reports: Path, report: str) -> None:
    verdict = json.loads((reports / "verdicts" / "fruit.json").read_text())
    assert (verdict["verdict"], verdict["tier"], verdict["splits"]) == ("deep", "default", 1)
    assert verdict["best_classical"] == "raw-line"
    assert verdict["best_deep"] == "learned-net"
    assert verdict["deep_minus_classical"] == pytest.approx(0.05)
    assert 0 < verdict["low"] < 0.05 < verdict["high"]
    # Only the net is right on 10, 8 and 12 examples, only the line on none: the median p is 2 / 2^10.
    assert verdict["mcnemar_p"] == pytest.approx(2 / 2**10)
    assert "fruit: use ◆ net" in report
    assert "**+5.00 points**" in report


@pytest.mark.parametrize(("equivalence_points", "winner"), [(0.5, "not told apart"), (10.0, "tie")])
def test_a_tie_is_shown_only_within_what_does_not_matter(
    tmp_path: Path, equivalence_points: float, winner: str
) -> None:
    """Two hundred examples leave three points open on each side."""
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 180, 182))
    folder.add(LEARNED, "net", first_right(N_TEST, 182, 180)[:, ::-1])
    folder.write()
    constraints = CONSTRAINTS.model_copy(update={"equivalence_points": equivalence_points})
    study = study_of("fruit", ["tree"], ["net"], seeds=2)
    found = analyse(study, Layout(tmp_path), constraints, []).datasets[0]
    assert found.verdict is not None
    assert found.verdict.winner == winner
    assert found.decision is not None
    use = found.decision.recommendations[0]
    assert use.use is not None
    assert use.use.cell.model == "tree"
    assert [cell.cell.model for cell in use.as_good] == ["net"]  # the tree cannot be told from it


def test_a_family_gains_nothing_from_having_more_candidates(tmp_path: Path) -> None:
    """Of twenty trees of equal worth, the one that is lucky on the test part is not the one that speaks for them."""
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    rng = np.random.default_rng(0)
    trees = [f"tree{i}" for i in range(20)]
    for tree in trees:
        chosen = tree == "tree7"
        right = first_right(N_TEST, 180) if chosen else rng.random((1, N_TEST)) < 0.9
        folder.add("raw", tree, right, validation=0.91 if chosen else 0.9)
    folder.add(LEARNED, "net", first_right(N_TEST, 180)[:, ::-1])
    folder.write()
    (found,) = read_report(study_of("fruit", trees, ["net"], seeds=1), Layout(tmp_path)).datasets
    assert found.verdict is not None
    assert found.verdict.classical.cell.model == "tree7"
    assert found.verdict.classical.mean("accuracy") < found.results.cells[0].mean("accuracy")
    assert [cell.cell.model for cell in found.best] == ["tree7", "net"]
    assert found.verdict.winner == "not told apart"
    assert found.verdict.candidates == (1, 20)


def test_of_equals_on_validation_data_the_lower_log_loss_decides(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "sure", first_right(N_TEST, 190), validation=0.9, log_loss=0.5)
    folder.add("raw", "careful", first_right(N_TEST, 180), validation=0.9, log_loss=0.3)
    folder.add(LEARNED, "net", first_right(N_TEST, 185))
    folder.write()
    study = study_of("fruit", ["sure", "careful"], ["net"], seeds=1)
    (found,) = read_report(study, Layout(tmp_path)).datasets
    assert found.verdict is not None
    assert found.verdict.classical.cell.model == "careful"


def test_a_close_choice_shows_what_the_other_one_would_have_given(tmp_path: Path) -> None:
    """One standard error of 90 % on 10 validation rows is 9.5 points."""
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 196), validation=0.98)
    folder.add(LEARNED, "net", first_right(N_TEST, 176), validation=0.9)
    folder.add(LEARNED, "close", first_right(N_TEST, 190), validation=0.85)
    folder.add(LEARNED, "far", first_right(N_TEST, 199), validation=0.7)
    folder.write()
    study = study_of("fruit", ["tree"], ["net", "close", "far"], seeds=1)
    (found,) = read_report(study, Layout(tmp_path)).datasets
    assert found.verdict is not None
    assert found.verdict.difference == pytest.approx(-0.10)
    (other,) = found.verdict.alternatives
    assert (other.deep.cell.model, other.classical.cell.model) == ("close", "tree")
    assert other.difference == pytest.approx(-0.03)
    assert other.interval.low < -0.03 < other.interval.high
    compare(study, Layout(tmp_path))
    report = (tmp_path / "reports" / "report.md").read_text()
    assert "with close, as good a network on validation data, 3.00 points ahead" in report
    assert "far, as good" not in report


def test_a_lead_must_hold_against_all_that_are_as_good_on_validation_data(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 176), validation=0.9)
    folder.add("raw", "close", first_right(N_TEST, 195), validation=0.85)
    folder.add("raw", "far", first_right(N_TEST, 199), validation=0.7)
    folder.add(LEARNED, "net", first_right(N_TEST, 196), validation=0.98)
    folder.add(LEARNED, "poor", first_right(N_TEST, 150), validation=0.97)  # the leader needs no second model
    folder.write()
    study = study_of("fruit", ["tree", "close", "far"], ["net", "poor"], seeds=1)
    (found,) = read_report(study, Layout(tmp_path)).datasets
    assert found.verdict is not None
    assert found.verdict.interval.low > 0.05
    assert found.verdict.winner == "not told apart"
    assert [other.classical.cell.model for other in found.verdict.contested_by] == ["close"]
    assert found.decision is not None
    first = found.decision.recommendations[0]
    assert (first.standing, [pair.other.cell.model for pair in first.contested_by]) == (
        "not told apart",
        ["close"],
    )
    compare(study, Layout(tmp_path))
    report = (tmp_path / "reports" / "report.md").read_text()
    assert (
        "validation data cannot tell tree (raw) from close (raw), with which the difference is +0.50 ("
        in report
    )
    assert "but not shown to be ahead of close (raw), by 0.50 points" in report


UNFINISHED: dict[str, Any] = {
    "problem": "its 3 epochs ended before early stopping did",
    "remedy": "min_steps=60",
}


@pytest.mark.parametrize(
    ("right", "unfinished", "winner"),
    [
        (190, ["net"], "undecided"),
        (190, ["close"], "undecided"),  # as good on validation rows
        (190, ["far"], "classical"),  # it is out of the question
        (190, ["tree"], "classical"),  # the leader would only lead by more
        (199, ["net"], "deep"),
    ],
)
def test_a_model_that_was_not_trained_to_its_end_decides_nothing(
    tmp_path: Path, right: int, unfinished: list[str], winner: str
) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    for features, model, n_right, validation in (
        ("raw", "tree", 196 if right != 199 else 180, 0.9),
        (LEARNED, "net", right if right != 190 else 176, 0.9),
        (LEARNED, "close", 170, 0.85),
        (LEARNED, "far", 150, 0.3),
    ):
        problem: dict[str, Any] = UNFINISHED if model in unfinished else {}
        folder.add(features, model, first_right(N_TEST, n_right), validation=validation, **problem)
    folder.write()
    study = study_of("fruit", ["tree"], ["net", "close", "far"], seeds=1)
    (found,) = read_report(study, Layout(tmp_path)).datasets
    assert found.verdict is not None
    assert found.verdict.winner == winner
    report = rendered(study, tmp_path)
    named = f"{unfinished[0]} (raw)" if unfinished == ["tree"] else unfinished[0]
    command = f"dvc exp run -S conf/model/{unfinished[0]}.yaml:min_steps=60"
    assert f"{named} (its 3 epochs ended before early stopping did; try `{command}`)" in report
    for words in ("**Deep or classical? Undecided:**", "**Undecided.**", "That is undecided"):
        assert (words in report) == (winner == "undecided")


def test_the_losses_of_such_a_model_are_drawn(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 196, 196), **UNFINISHED)
    folder.add(LEARNED, "net", first_right(N_TEST, 176, 178), **UNFINISHED)
    folder.add(LEARNED, "close", first_right(N_TEST, 170, 170))
    folder.history = [
        {"model": model, "seed": seed, "epoch": epoch, "val_loss": loss}
        for model in ("net", "close")
        for seed in (0, 1)
        for epoch, loss in enumerate([0.9, 0.5, 0.25])
    ]
    folder.write()
    study = study_of("fruit", ["tree"], ["net", "close"], seeds=2)
    compare(study, Layout(tmp_path))
    drawn = pd.read_csv(tmp_path / "reports" / "figures" / "fruit-losses.csv")
    assert drawn["model"].unique().tolist() == ["net"]
    assert drawn["val_loss"].tolist() == [0.9, 0.5, 0.25] * 2
    assert "validation rows against the epochs or rounds of training, for net." in (
        tmp_path / "reports" / "report.md"
    ).read_text(encoding="utf-8")


def test_models_tie_only_where_both_were_trained_to_their_end(tmp_path: Path) -> None:
    for unfinished, winner in ((None, "tie"), ("tree", "undecided"), ("net", "undecided")):
        folder = ResultsFolder(tmp_path / str(unfinished), "fruit", N_TEST)
        for features, model, right in (
            ("raw", "tree", first_right(N_TEST, 180, 182)),
            (LEARNED, "net", first_right(N_TEST, 182, 180)[:, ::-1]),
        ):
            folder.add(features, model, right, **(UNFINISHED if model == unfinished else {}))
        folder.write()
        constraints = CONSTRAINTS.model_copy(update={"equivalence_points": 20.0})
        layout, study = Layout(tmp_path / str(unfinished)), study_of("fruit", ["tree"], ["net"], seeds=2)
        (found,) = analyse(study, layout, constraints, []).datasets
        assert found.verdict is not None
        assert found.verdict.winner == winner
        assert found.decision is not None
        assert found.decision.recommendations[0].standing == winner


def test_a_problem_in_few_repetitions_is_none(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 196), **UNFINISHED)
    folder.add(LEARNED, "net", first_right(N_TEST, 170))
    folder.write()
    path = folder.folder / "validation.csv"
    rows = pd.read_csv(path)
    pd.concat([rows, rows.assign(seed=1, problem=None), rows.assign(seed=2, problem=None)]).to_csv(
        path, index=False
    )
    (found,) = read_report(study_of("fruit", ["tree"], ["net"], 1), Layout(tmp_path)).datasets
    assert [cell.problem for cell in found.results.cells] == [None, None]


def test_a_model_that_chose_its_length_is_marked(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 196), n_watched=10)
    folder.add(LEARNED, "net", first_right(N_TEST, 170))
    folder.write()
    report = rendered(study_of("fruit", ["tree"], ["net"], 1), tmp_path)
    rows = [line for line in report.split("### Every cell")[1].splitlines() if " 100 § |" in line]
    assert [row.split("|")[1].strip() for row in rows] == ["● **tree**"]
    assert "§: fitted twice" in report


def test_results_without_validation_scores_name_the_command(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 186))
    folder.add(LEARNED, "net", first_right(N_TEST, 190))
    folder.write()
    study = study_of("fruit", ["tree"], ["net"], seeds=1)
    path = Layout(tmp_path).results("fruit") / "validation.csv"
    rows = pd.read_csv(path)
    rows[rows["model"] == "net"].to_csv(path, index=False)
    with pytest.raises(
        CrossoverError, match=r"validation.csv has no accuracy for fruit, raw, tree.*dvc repro evaluate@fruit"
    ):
        read_report(study, Layout(tmp_path))
    path.unlink()
    with pytest.raises(CrossoverError, match=r"validation.csv does not exist"):
        read_report(study, Layout(tmp_path))


def cells_of(report: str, model: str) -> list[str]:
    """The row of a model in the table of every cell."""
    [row] = [line for line in every_cell(report) if f"● {model} " in line or f"● **{model}** " in line]
    return [cell.strip() for cell in row.strip("|").split("|")]


def every_cell(report: str) -> list[str]:
    """The lines of the table of every cell."""
    section = report.split("### Every cell")[1].split("###")[0]
    return [line for line in section.splitlines() if line.startswith("|")]


def test_the_report_names_what_does_not_apply_and_what_is_deterministic(report: str) -> None:
    assert "- learned / convnet: it takes images, not tables" in report
    assert cells_of(report, "line")[3:5] == [MISSING, "1"]
    assert cells_of(report, "tree")[3:5] == ["1.73", "3"]
    assert "| ◆ **net**" in report
    assert "| ● tree" in report
    assert "9.0 kB" in report
    assert "0123abc" in report


def test_table_columns_line_up(report: str) -> None:
    block = every_cell(report)
    assert len(block) == 5
    assert len({len(line) for line in block}) == 1


def test_every_figure_that_the_report_shows_is_there(reports: Path, report: str) -> None:
    shown = [line.split("](")[1].rstrip(")") for line in report.splitlines() if line.startswith("![")]
    assert len(shown) == 3
    for figure in shown:
        png = reports / figure
        assert png.read_bytes().startswith(b"\x89PNG")
        assert png.with_suffix(".svg").read_text().startswith("<?xml")


def test_rows_outside_the_study_are_ignored(results: ResultsFolder, tmp_path: Path, report: str) -> None:
    results.add("raw", "stale", first_right(N_TEST, 200, 200, 200))
    results.write()
    assert rendered(STUDY, tmp_path) == report


def test_a_smaller_study_takes_its_repetitions_alone(results: ResultsFolder, tmp_path: Path) -> None:
    asked = study_of("fruit", ["tree", "line"], ["net"], seeds=2)
    best = read_results(asked, Layout(tmp_path), "fruit").cells[0]
    assert best.cell.model == "net"
    assert best.n == 2
    assert best.mean("accuracy") == pytest.approx(0.945)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (study_of("fruit", ["tree", "line", "forest"], ["net"], 3), "no row for fruit, raw, forest"),
        (study_of("fruit", ["tree"], ["net"], 4), "no row for fruit, raw, tree and seed 3"),
    ],
)
def test_a_missing_result_names_itself_and_the_command(
    asked: Study, problem: str, results: ResultsFolder, tmp_path: Path
) -> None:
    with pytest.raises(CrossoverError, match=problem) as error:
        compare(asked, Layout(tmp_path))
    assert "dvc repro evaluate@fruit" in str(error.value)
    assert not (tmp_path / "reports").exists()


def test_a_missing_data_set_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(CrossoverError, match="dvc repro evaluate@pears"):
        compare(study_of("pears", ["tree"], ["net"], 1), Layout(tmp_path))


def test_a_missing_column_is_an_error(results: ResultsFolder, tmp_path: Path) -> None:
    scores = pd.read_csv(results.folder / "scores.csv").drop(columns="macro_f1")
    scores.to_csv(results.folder / "scores.csv", index=False)
    with pytest.raises(CrossoverError, match="macro_f1"):
        compare(STUDY, Layout(tmp_path))


def test_an_empty_cost_is_an_error(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 150), fit_seconds=None)
    folder.write()
    with pytest.raises(CrossoverError, match="no fit_seconds for fruit, raw, tree"):
        read_results(study_of("fruit", ["tree"], [], 1), Layout(tmp_path), "fruit")


@pytest.mark.parametrize("damage", ["missing", "broken", "other length", "other answers"])
def test_predictions_must_fit_the_rows(damage: str, results: ResultsFolder, tmp_path: Path) -> None:
    path = results.folder / "predictions" / "learned-net-seed1.npy"
    proba = np.load(path)
    if damage == "missing":
        path.unlink()
    elif damage == "broken":
        path.write_bytes(b"nothing")
    else:
        np.save(path, proba[:-1] if damage == "other length" else proba[:, ::-1])
    with pytest.raises(CrossoverError, match=r"learned-net-seed1.npy .* `dvc repro evaluate@fruit`"):
        compare(STUDY, Layout(tmp_path))


def test_equal_accuracies_are_ranked_by_log_loss(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    for model, log_loss in (("tree", 0.7), ("line", 0.2), ("net", 0.5)):
        folder.add(LEARNED if model == "net" else "raw", model, first_right(N_TEST, 150), log_loss=log_loss)
    folder.write()
    ranked = read_results(study_of("fruit", ["tree", "line"], ["net"], 1), Layout(tmp_path), "fruit")
    assert [cell.cell.model for cell in ranked.cells] == ["line", "net", "tree"]


def test_without_one_family_there_is_no_verdict(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 150))
    folder.add_not_applicable(LEARNED, "convnet", "it takes images, not tables")
    folder.write()
    compare(study_of("fruit", ["tree"], ["convnet"], 1), Layout(tmp_path))
    assert "**No verdict**" in (tmp_path / "reports" / "report.md").read_text(encoding="utf-8")
    assert not list((tmp_path / "reports" / "verdicts").iterdir())


def test_where_nothing_applies_the_report_says_so(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", N_TEST)
    folder.add_not_applicable("raw", "tree", "no reason")
    folder.add_not_applicable(LEARNED, "convnet", "it takes images, not tables")
    folder.write()
    text = rendered(study_of("fruit", ["tree"], ["convnet"], 1), tmp_path)
    assert "- raw / tree: no reason" in text
    assert "fruit: no answer" in text


def test_perfect_cells_can_be_drawn_and_compared(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path, "fruit", 40)
    folder.add("raw", "tree", first_right(40, 40, 40))
    folder.add(LEARNED, "net", first_right(40, 40, 40))
    folder.write()
    compare(study_of("fruit", ["tree"], ["net"], 2), Layout(tmp_path))
    text = (tmp_path / "reports" / "report.md").read_text(encoding="utf-8")
    assert "Not told apart" in text
    assert "**100.00** [91.24, 100.00]" in text


MODEL_LIBRARIES = {"torch", "pytorch_lightning", "sklearn", "xgboost", "mlflow", "skimage", "skops"}


@pytest.fixture(scope="module")
def second_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """The same comparison in a process of its own: its reports, and the packages that it imported."""
    root = tmp_path_factory.mktemp("second")
    write_results(root)
    program = (
        "import sys; from pathlib import Path; from crossover.core.layout import Layout; "
        "from crossover.stages.compare import compare; from crossover.analysis.decision import Constraints; "
        "from crossover.core.study import LearningCurve, Study, Textbook, Tuning; "
        f"compare({STUDY!r}, Layout(Path({str(root)!r})), {CONSTRAINTS!r}, []); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return root / "reports", {module.split(".")[0] for module in done.stdout.split()}


@pytest.mark.slow
def test_the_comparison_imports_no_model_library(second_run: tuple[Path, set[str]]) -> None:
    _, imported = second_run
    assert "statsmodels" in imported
    assert not imported & MODEL_LIBRARIES


@pytest.mark.slow
def test_a_second_run_writes_the_same_files(reports: Path, second_run: tuple[Path, set[str]]) -> None:
    again, _ = second_run
    files = {p.relative_to(reports): p.read_bytes() for p in reports.rglob("*") if p.is_file()}
    assert len(files) == 18
    assert files == {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}
