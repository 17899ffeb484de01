"""The command `crossover study`, with a stand-in for DVC; the whole of it is in test_own_data.py."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from crossover.audit.finding import Finding, Findings, findings_file, write_findings
from crossover.command.main import main, seconds_of
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import load_study

PROJECT = Path(__file__).parents[2]
ROWS = "".join(f"{k / 7:.3f},{'red' if k % 3 else 'blue'},{'yes' if k % 2 else 'no'}\n" for k in range(60))
TABLE = f"size,colour,kept\n{ROWS}"

Run = Callable[..., tuple[object, str]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without results, in which `dvc` notes what it is asked for, and makes the file of `dvc add`."""
    root = tmp_path / "project"
    (root / "conf").mkdir(parents=True)
    for name in ("dvc.yaml", "params.yaml"):
        shutil.copy(PROJECT / name, root / name)
    for group in ("audit", "dataset", "protocol"):
        shutil.copytree(PROJECT / "conf" / group, root / "conf" / group)
    dvc = tmp_path / "bin" / "dvc"
    dvc.parent.mkdir()
    adds = '[ "$1" = add ] && touch "$2.dvc"'
    says = 'printf "$DVC_SAYS" >&2'
    dvc.write_text(f'#!/bin/sh\necho "$@" >> dvc.log\n{adds}\n{says}\nexit ${{DVC_STATUS:-0}}\n')
    dvc.chmod(0o755)
    monkeypatch.setenv("PATH", f"{dvc.parent}:/usr/bin:/bin")
    monkeypatch.chdir(root)
    (tmp_path / "kept.csv").write_text(TABLE)
    return root


@pytest.fixture
def run(project: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """The exit status, or its sentence, and what was printed."""

    def command(*arguments: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as ended:
            main(["study", *arguments])
        return ended.value.code, capsys.readouterr().out

    return command


def asked(project: Path) -> list[str]:
    log = project / "dvc.log"
    return log.read_text().splitlines() if log.exists() else []


def test_a_set_of_unequal_classes_is_judged_by_balanced_accuracy(project: Path, run: Run) -> None:
    rows = "".join(f"{k / 7:.3f},{'yes' if k % 10 else 'no'}\n" for k in range(300))
    (project.parent / "kept.csv").write_text(f"size,kept\n{rows}")
    _, text = run("../kept.csv", "--budget", "2m")
    assert "metric: balanced accuracy (90% of the examples are 'yes', and a model that always says so" in text
    assert "; --metric names another one)" in text
    described = yaml.safe_load((project / "conf/dataset/kept.yaml").read_text())
    assert described["metric"] == "balanced_accuracy"


def test_the_metric_can_be_named(project: Path, run: Run) -> None:
    _, text = run("../kept.csv", "--budget", "2m", "--metric", "roc_auc")
    assert "metric: ROC AUC (--metric)" in text
    assert yaml.safe_load((project / "conf/dataset/kept.yaml").read_text())["metric"] == "roc_auc"


def test_accuracy_is_the_metric_of_equal_classes_and_needs_no_key(project: Path, run: Run) -> None:
    _, text = run("../kept.csv", "--budget", "2m")
    assert "metric: accuracy (no class has more than 80% of the examples; --metric names another one)" in text
    assert "metric" not in yaml.safe_load((project / "conf/dataset/kept.yaml").read_text())


def test_the_task_is_told_and_regression_refused(project: Path, run: Run) -> None:
    assert "- task: classification (there are 2 classes)" in run("../kept.csv", "--dry-run")[1]
    rows = "".join(f"{k / 7:.3f},{k % 5 / 2}\n" for k in range(300))
    (project.parent / "graded.csv").write_text(f"size,grade\n{rows}")
    _, text = run("../graded.csv", "--dry-run")
    assert "- task: classification (5 numbers are taken for classes, whatever their order)" in text
    refused, _ = run("../graded.csv", "--task", "regression")
    assert refused == (
        "error: --task must be classification, got regression: this project compares classifiers, so make classes of a "
        "number, such as quarters of its range"
    )
    assert not (project / "conf/dataset/graded.yaml").exists()


def test_from_a_file_to_dvc_repro(project: Path, run: Run) -> None:
    before = (project.parent / "kept.csv").stat()
    status, text = run("../kept.csv", "--budget", "2m")
    assert status == 0
    assert asked(project) == ["add data/own/kept", "repro audit@kept", "repro"]
    assert (project / "data/own/kept/kept.csv").read_text() == TABLE
    described = yaml.safe_load((project / "conf/dataset/kept.yaml").read_text())
    assert described["train"]["path"] == "data/own/kept/kept.csv"
    assert described["columns"] == {"size": "number", "colour": "category"}
    assert "target: kept (the last column, with 2 distinct values" in text
    study = load_study(project / "params.yaml")
    assert study.datasets == ["kept"]
    assert "mlp" in study.deep_models
    assert "params.yaml: datasets is [kept], and was [digits,breast_cancer]" in text
    asked_for = (project / "params.yaml").read_text()
    assert "# What to run. How each thing is built" in asked_for
    assert re.search(r"^soft_vote: null +# of each family", asked_for, re.M)
    after = (project.parent / "kept.csv").stat()
    assert (before.st_mtime_ns, before.st_mode, before.st_nlink) == (
        after.st_mtime_ns,
        after.st_mode,
        after.st_nlink,
    )


def test_a_dry_run_writes_nothing(project: Path, run: Run) -> None:
    files = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    status, text = run("../kept.csv", "--dry-run")
    assert status == 0
    assert "plan: " in text
    assert "time: about " in text
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == files


def test_a_dry_run_shows_how_the_rows_are_split(project: Path, run: Run) -> None:
    rows = [f"{k % 20},2024-01-{1 + k // 3:02},{k / 7:.3f},{'yes' if k % 4 else 'no'}\n" for k in range(80)]
    (project.parent / "visits.csv").write_text("patient_id,day,size,kept\n" + "".join(rows))
    _, text = run("../visits.csv", "--dry-run")
    hint = "by its name, and 80 rows have 20 different values; --groups patient_id keeps them in one part"
    assert f"- column patient_id: may tell which rows belong together ({hint})" in text
    assert (
        "- column day: may tell the order in time (it has dates; --time day tests on the latest rows)" in text
    )
    assert "columns of type number: patient_id, size" in text  # a hint decides nothing
    assert re.search("plan: .*, 8 repetitions", text)
    _, text = run("../visits.csv", "--dry-run", "--groups", "patient_id", "--time", "day", "--test", "0.1")
    assert "- groups: 20 of column patient_id (--groups: each is in one part as a whole" in text
    assert (
        "- time: day (--time: the latest rows are tested, and the column stays an input; --drop day" in text
    )
    assert "- test part: 0.1 of the rows (--test)" in text
    assert "columns of type number: size (" in text
    assert re.search("plan: .*, 3 repetitions", text)
    assert "may tell" not in text


def test_a_hint_can_be_copied_and_a_count_is_no_group(project: Path, run: Run) -> None:
    rows = [
        f"{k % 28 + 1}.{k % 12 + 1}.2024,{k % 9},{k % 20},{'yes' if k % 2 else 'no'}\n" for k in range(80)
    ]
    (project.parent / "calls.csv").write_text("day of call,visits,user id,kept\n" + "".join(rows))
    _, text = run("../calls.csv", "--dry-run")
    assert "--time 'day of call' tests on the latest rows" in text
    assert "--groups 'user id' keeps them in one part" in text
    assert "--groups visits" not in text


def test_how_the_rows_are_split_stands_in_the_yaml(project: Path, run: Run) -> None:
    assert run("../kept.csv", "--groups", "auto", "--time", "size", "--test", "0.3")[0] == 0
    described = yaml.safe_load((project / "conf/dataset/kept.yaml").read_text())
    assert [described[key] for key in ("groups", "time", "test_fraction")] == ["auto", "size", 0.3]
    assert run("../kept.csv")[0] == 0  # without the options, it is another description
    described = yaml.safe_load((project / "conf/dataset/kept.yaml").read_text())
    assert not {"groups", "time", "test_fraction"} & set(described)


def test_a_second_call_carries_on_and_changed_data_say_so(project: Path, run: Run) -> None:
    run("../kept.csv")
    status, text = run("../kept.csv")
    assert status == 0
    assert "conf/dataset/kept.yaml describes these data already; the study carries on" in text
    assert asked(project) == ["add data/own/kept", *2 * ["repro audit@kept", "repro"]]
    (project.parent / "kept.csv").write_text(TABLE + "9.5,green,yes\n")
    status, text = run("../kept.csv")
    assert status == 0
    assert "conf/dataset/kept.yaml describes other data" in text
    assert (project / "data/own/kept/kept.csv").read_text().endswith("green,yes\n")


def test_the_data_may_stay_where_they_are(project: Path, run: Run) -> None:
    run("../kept.csv", "--no-copy", "--name", "mine")
    described = yaml.safe_load((project / "conf/dataset/mine.yaml").read_text())
    assert described["train"]["path"] == str(project.parent / "kept.csv")
    assert asked(project) == ["repro audit@mine", "repro"]
    assert not (project / "data").exists()


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ("WARNING: slow\nERROR: unexpected error - no space\n", "failed: unexpected error - no space; solve"),
        ("'./dvc.lock' is invalid.\n\nin line 2\n", r"failed: './dvc.lock' is invalid; solve"),
        ("", "failed: no reason given; solve"),
    ],
)
def test_the_reason_of_dvc_is_told(says: str, reason: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STATUS", "1")
    monkeypatch.setenv("DVC_SAYS", says)
    assert reason in str(run("../kept.csv")[0])


def test_the_status_of_dvc_is_that_of_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("../kept.csv", "--no-copy")[0] == 0
    monkeypatch.setenv("DVC_STATUS", "3")
    assert run("../kept.csv", "--no-copy")[0] == 3


def test_data_that_dvc_refuses_leave_nothing(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_STATUS", "1")
    status, _ = run("../kept.csv")
    assert "`dvc add data/own/kept` failed" in str(status)
    assert not list((project / "data/own").iterdir())
    assert not (project / "conf/dataset/kept.yaml").exists()
    assert load_study(project / "params.yaml").datasets == ["digits", "breast_cancer"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.csv"], "PATH must be a file or a folder, got nothing.csv, which does not exist"),
        (["../kept.csv", "--name", "digits"], "the name 'digits' is taken by conf/dataset/digits.yaml"),
        (["../kept.csv", "--name", "../x"], "--name must be a name of at most 100 letters"),
        (["../kept.csv", "--budget", "soon"], "--budget must be a time such as 90s, 10m or 2h, got 'soon'"),
        (["../kept.csv", "--sample", "0"], "--sample must be at least 1, got 0"),
        (["../kept.csv", "--target", "x"], "--target must be a column of"),
        (["../kept.csv", "--drop", "x"], "--drop must name columns of"),
        (["../kept.csv", "--test", "../none.csv"], "--test must be a file next to a table"),
        (["../kept.csv", "--test", "1.5"], "--test must be a file or a share between 0 and 1, got 1.5"),
        (
            ["../kept.csv", "--groups", "x"],
            "--groups must be a column besides the target, got 'x'; there are size",
        ),
        (
            ["../kept.csv", "--time", "kept"],
            "--time must be a column besides the target, got 'kept'; there are size, colour",
        ),
        (
            ["../kept.csv", "--groups", "colour"],
            "each class must be in enough groups to keep whole ones apart",
        ),
        (
            ["../kept.csv", "--time", "colour"],
            "time must be a number or a date in each row, got 'blue' in 60 of 60",
        ),
        (["../kept.csv", "--test", "0.9"], "each class must have enough examples to be split"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(
    project: Path, run: Run, arguments: list[str], words: str
) -> None:
    status, _ = run(*arguments)
    assert str(status).startswith("error: ")
    assert words in str(status)
    assert asked(project) == []
    assert not (project / "data").exists()


def test_outside_of_a_project(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "must run in the root of the project" in str(run("kept.csv")[0])


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("2 min", 120)])
def test_times(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds
    with pytest.raises(CrossoverError, match="--budget must be a time"):
        seconds_of(f"-{text}")


def test_data_that_are_not_fit_to_compare_on(project: Path, run: Run) -> None:
    leak = Finding("A02", "test examples that …", "why", "do", 0.2, 20, 100, [], {0: [1]}, voids=True)
    path = findings_file(Layout(project), "kept")
    write_findings(path, Findings([leak], {}))
    status, text = run("../kept.csv")
    assert "the data must be fit to compare on, and have test examples that …" in str(status)
    assert "correct them, keep equal examples in one part with --groups auto, or go on" in str(status)
    assert "--accept A02" in str(status)
    assert "- A02, test examples that … (20 of 100): why; do" in text
    assert asked(project)[-1] == "repro audit@kept"
    assert run("../kept.csv", "--accept", "A02")[0] == 0
    assert asked(project)[-1] == "repro"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1.5,blue,rare\n", "each class must have enough examples to be split .*, got 1 of 'rare'"),
        ("inf,blue,yes\n", "a number must be finite, got infinity in 1 rows of column 'size'"),
    ],
)
def test_data_that_cannot_be_used_are_told_before_anything_is_written(
    project: Path, run: Run, rows: str, words: str
) -> None:
    (project.parent / "kept.csv").write_text(TABLE + rows)
    status, _ = run("../kept.csv")
    assert re.search(words, str(status))
    assert asked(project) == []
    assert not (project / "data").exists()


def test_data_that_lie_where_the_copy_would_go_stay_as_they_are(project: Path, run: Run) -> None:
    own = project / "data" / "own" / "kept"
    own.mkdir(parents=True)
    for name in ("kept.csv", "notes.txt"):
        (own / name).write_text(TABLE)
    assert run("data/own/kept/kept.csv")[0] == 0
    assert sorted(path.name for path in own.iterdir()) == ["kept.csv", "notes.txt"]
    assert asked(project) == ["repro audit@kept", "repro"]


def test_an_earlier_copy_outlasts_a_failure_of_dvc(
    project: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("../kept.csv")
    (project.parent / "kept.csv").write_text(TABLE + "9.5,green,yes\n")
    monkeypatch.setenv("DVC_STATUS", "1")
    assert "`dvc add data/own/kept` failed" in str(run("../kept.csv")[0])
    assert (project / "data/own/kept/kept.csv").exists()


def test_a_test_file_from_another_folder(project: Path, run: Run) -> None:
    (project.parent / "other").mkdir()
    for name in ("kept.csv", "later.csv"):
        (project.parent / "other" / name).write_text(TABLE)
    assert "--test must be a file of another name" in str(
        run("../kept.csv", "--test", "../other/kept.csv")[0]
    )
    assert run("../kept.csv", "--test", "../other/later.csv", "--no-copy")[0] == 0
    described = yaml.safe_load((project / "conf/dataset/kept.yaml").read_text())
    assert described["test"]["path"] == str(project.parent / "other" / "later.csv")
    assert run("../kept.csv", "--test", "../other/later.csv", "--name", "copied")[0] == 0
    assert (project / "data/own/copied/later.csv").exists()
