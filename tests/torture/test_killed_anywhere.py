"""SIGKILL before each file operation of the programs that fit and score: the next run ends as if there had been none.

Each is run on a small table until it needs fewer operations than the number at which it is killed.
"""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from crossover.analysis.decision import Constraints
from crossover.core.cell import Cell
from crossover.core.configuration import build
from crossover.core.files import read_yaml
from crossover.core.layout import Layout
from crossover.core.settings import validated
from crossover.core.study import LearningCurve, Study
from crossover.fitting.config import FitConfig
from crossover.fitting.curve import CurveRun
from crossover.fitting.data import TrainingData
from crossover.fitting.training import Training
from crossover.scoring import latency
from crossover.search.plan import Plan
from crossover.search.trial import Trial
from crossover.stages.compare import compare
from crossover.stages.download import download
from crossover.stages.evaluate import evaluate_dataset
from crossover.stages.featurize import featurize
from crossover.stages.prepare import prepare
from crossover.tracking.tracker import Tracker
from tests.data.configured import CONF, load_protocol, load_source
from tests.torture.killed_process import killed_before

pytestmark = pytest.mark.slow

RAW = {"_target_": "crossover.features.raw.RawFeatures", "modalities": ["table"]}
BAYES: dict[str, Any] = {
    "_target_": "crossover.models.classical.sklearn_model.SklearnClassifier",
    "modalities": ["table"],
    "stochastic": False,
    "estimator": {"_target_": "sklearn.naive_bayes.GaussianNB"},
}
CELL = Cell("wine", "raw", "bayes", "classical")
OTHER = Cell("wine", "learned", "other", "deep")  # stands for a network
STUDY = Study.model_construct(
    datasets=["wine"], feature_sets=["raw"], classical_models=["bayes"], deep_models=["other"], seeds=2
)
CURVE = LearningCurve(sizes=[20, 40], repetitions=1)
PLAN = Plan(
    objectives=["accuracy"],  # type: ignore[arg-type]
    examples=None,
    min_validation_examples=30,
    max_repetitions=2,
    pruner={"_target_": "optuna.pruners.NopPruner"},
)
MEASURED = {"cost.json", "costs.csv", "cost.csv", "moments.csv", "validation.json", "trial.json", "fit.json"}
"""Files that hold times or when something was made, too."""


def fit(layout: Layout, cell: Cell = CELL) -> None:
    Training(FitConfig(cell, BAYES), layout, layout.root, Tracker()).run([0, 1])


def fit_both(layout: Layout) -> None:
    fit(layout)
    if not layout.models(OTHER).exists():  # no network: it would start threads, which a fork does not survive
        shutil.copytree(layout.models(CELL), layout.models(OTHER))
        record = layout.models(OTHER) / "cell.json"
        words = {'"raw"': '"learned"', '"bayes"': '"other"', '"classical"': '"deep"'}
        text = record.read_text()
        for old, new in words.items():
            text = text.replace(old, new)
        record.write_text(text)


def curve(layout: Layout) -> None:
    CurveRun(FitConfig(CELL, BAYES), CURVE, layout, layout.root).run()


def evaluation(layout: Layout) -> None:
    evaluate_dataset("wine", STUDY, layout)


def comparison(layout: Layout) -> None:
    compare(STUDY, layout, validated(Constraints, read_yaml(CONF / "decision" / "default.yaml"), ""), [])


def trial(layout: Layout) -> None:
    config = FitConfig(Cell("wine", "raw", "bayes", "classical", "trial"), BAYES)
    folder = layout.root / "trial"
    folder.mkdir(exist_ok=True)
    data = TrainingData(config, layout)
    Trial(config, data, PLAN, folder, lambda step, value: False, lambda step, metrics: None).run()


def data(layout: Layout) -> None:
    source = load_source("wine")
    download(source, layout)
    prepare(source, load_protocol(test_parts=2), layout)
    featurize("wine", "raw", build(RAW, "conf/features/raw.yaml"), RAW, layout, jobs=1)


PROGRAMS: dict[Callable[[Layout], None], list[Callable[[Layout], None]]] = {
    data: [],
    fit: [data],
    curve: [data],
    trial: [data],
    evaluation: [data, fit_both],
    comparison: [data, fit_both, evaluation],
}
"""With what must have run before."""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_killed_before_each_file_operation(
    program: Callable[[Layout], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency, "_SECONDS", 0.0)
    monkeypatch.setattr(Figure, "savefig", _empty_file)  # drawing takes a second
    begin = Layout(tmp_path / "begin")
    for earlier in PROGRAMS[program]:
        earlier(begin)
    begin.root.mkdir(exist_ok=True)
    whole = _copy(begin, tmp_path / "whole")
    program(whole)
    expected = _files(whole)
    number = 1
    while True:
        layout = _copy(begin, tmp_path / "killed")
        killed = killed_before(number, partial(program, layout))
        if killed:
            program(layout)
        assert _files(layout) == expected, f"killed before file operation {number}"
        _leaves_nothing(layout, number)
        if not killed:
            break
        number += 1
    assert number > 10


def _copy(layout: Layout, root: Path) -> Layout:
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(layout.root, root)
    return Layout(root)


def _files(layout: Layout) -> dict[str, bytes]:
    """What a run must repeat: every file with its content, and of measured ones that they are there."""
    return {
        str(path.relative_to(layout.root)): b"" if path.name in MEASURED else path.read_bytes()
        for path in sorted(layout.root.rglob("*"))
        if path.is_file() and ".staging" not in path.parts
    }


def _leaves_nothing(layout: Layout, number: int) -> None:
    staged = [path for path in layout.staging.glob("*/*") if path.suffix != ".lock"]
    assert staged == [], f"killed before file operation {number}"


def _empty_file(figure: Figure, path: Path, **options: Any) -> None:
    path.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="1pt" height="1pt" viewBox="0 0 1 1"/>')
