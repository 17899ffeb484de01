"""A data set that names another metric than accuracy: verdict, curves, map and decision follow it."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crossover.analysis.claims.answers import answer_claims, summarise
from crossover.analysis.claims.claim import Claim
from crossover.analysis.claims.quantity import ClaimInputs
from crossover.analysis.study import StudyAnalysis
from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.metric import ACCURACY, ALLOWED, SENSITIVITY, WORDS, Metric
from crossover.core.settings import validated
from crossover.core.study import Study
from crossover.report.document import render
from crossover.report.templating import render as render_template
from tests.curves_folder import CurvesFolder
from tests.results_folder import ResultsFolder, compare, read_report, study_of

SIZES = [100, 300, 900]
N, RARE = 1000, 100  # the last of the test examples are of the rare class
Y = np.repeat([0, 1], [N - RARE, RARE])


def constant(y: np.ndarray) -> np.ndarray:
    """Always answers the frequent class, and ranks at random."""
    noise = np.random.default_rng(5).random(len(y))
    return np.column_stack([0.95 - 0.01 * noise, 0.05 + 0.01 * noise]).astype(np.float32)


def detector(y: np.ndarray, found: float, alarms: float = 0.25, seed: int = 0) -> np.ndarray:
    """Finds a share of the rare class, at so many false alarms in the frequent one."""
    rng = np.random.default_rng(seed)
    of_rare = np.where(rng.random(len(y)) < np.where(y == 1, found, alarms), 0.9, 0.1)
    of_rare = of_rare + 0.05 * rng.random(len(y))
    return np.column_stack([1 - of_rare, of_rare]).astype(np.float32)


def study(root: Path, metric: Metric) -> Study:
    """The network answers one class alone; the tree finds the rare one, the better the more examples it has."""
    results = ResultsFolder(root, "rare", N, metric=metric)
    results.add_predictions(LEARNED, "net", Y, np.stack([constant(Y), constant(Y)]))
    results.add_predictions("raw", "tree", Y, np.stack([detector(Y, 0.8, seed=k) for k in range(2)]))
    results.write()
    curves = CurvesFolder(root, "rare", SIZES, repetitions=2, n_test=N, n_validation=200, metric=metric)
    curves.y_test = np.random.default_rng(1).permutation(Y)
    curves.add_predictions(LEARNED, "net", lambda n, y: constant(y))
    found = dict(zip(SIZES, (0.25, 0.5, 0.9), strict=True))
    seeds = iter(range(1000))
    # With few examples it finds no more than it raises alarms.
    curves.add_predictions("raw", "tree", lambda n, y: detector(y, found[n], seed=next(seeds)))
    both = study_of("rare", ["tree"], ["net"], seeds=2)
    return both.model_copy(update={"learning_curve": curves.study().learning_curve})


Analysed = Callable[[Metric], StudyAnalysis]


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    """The analysis of the study by a metric, made once."""

    @cache
    def by(metric: Metric) -> StudyAnalysis:
        root = tmp_path_factory.mktemp(metric)
        return read_report(study(root, metric), Layout(root))

    return by


@pytest.mark.parametrize(("metric", "leader"), [("accuracy", "deep"), ("balanced_accuracy", "classical")])
def test_by_accuracy_the_answer_of_one_class_leads_and_by_balanced_accuracy_the_detector(
    analysed: Analysed, metric: Metric, leader: str
) -> None:
    found = analysed(metric).datasets[0]
    assert found.verdict is not None
    assert found.decision is not None
    assert found.curves is not None
    assert found.curves.family is not None
    assert found.map is not None
    use = found.decision.recommendations[0]
    assert use.use is not None
    assert (use.use.family, use.standing) == (leader, "leads")
    assert found.verdict.winner == found.results.cells[0].family == leader
    assert found.map.at(-1, float(found.map.seconds[-1])).state == leader
    assert found.curves.family.crossover.signs[-1] == (1 if leader == "deep" else -1)
    assert found.verdict.deep.score == (0.9 if leader == "deep" else 0.5)
    assert not found.verdict.too_narrow
    assert len(found.verdict.p_values) == (2 if leader == "deep" else 0)  # the test counts right answers


def test_the_detector_leads_from_where_it_has_enough_examples(analysed: Analysed) -> None:
    curves = analysed("balanced_accuracy").datasets[0].curves
    assert curves is not None
    assert curves.family is not None
    crossover = curves.family.crossover
    assert crossover.signs.tolist()[1:] == [-1, -1]
    assert abs(crossover.difference[0]) < 0.05
    assert crossover.difference[-1] == pytest.approx(0.5 - 0.825, abs=0.03)


@pytest.mark.parametrize("metric", [metric for metric in ALLOWED if metric != ACCURACY])
def test_no_sentence_of_the_report_calls_the_metric_accuracy(analysed: Analysed, metric: Metric) -> None:
    text = render(analysed(metric))
    assert WORDS[metric] in text
    assert "McNemar" not in text
    # What is left says what the judge scores, what calibration is, and what an interval of an accuracy is.
    about_accuracy = re.sub("balanced accuracy", "", text.split("## Method")[0], flags=re.I)
    left = [line for line in re.split(r"\n|(?<=\.) ", about_accuracy) if re.search("accura", line, re.I)]
    assert all(re.search("confidence|reliability|figures/rare-accuracy", line, re.I) for line in left), left


def test_too_few_examples_of_a_class_are_told(tmp_path: Path) -> None:
    y = np.repeat([0, 1], [N - 12, 12])
    results = ResultsFolder(tmp_path, "rare", N, metric="roc_auc")
    results.add_predictions(LEARNED, "net", y, constant(y)[np.newaxis])
    results.add_predictions("raw", "tree", y, detector(y, 0.8)[np.newaxis])
    results.write()
    text = render(read_report(study_of("rare", ["tree"], ["net"], seeds=1), Layout(tmp_path)))
    assert "the rarest has 12 in the test part" in text


def test_claims_about_accuracy_are_not_answered(analysed: Analysed) -> None:
    d = analysed("macro_f1").datasets[0]
    inputs = ClaimInputs(d.results, d.tuning, d.curves)
    content = {
        "id": "new",
        "claim": "it is good",
        "source": "a test",
        "datasets": ["rare"],
        "measure": "dvc repro",
    }
    tree = {"features": "raw", "model": "tree"}
    accuracy = {"quantity": {"kind": "accuracy", **tree}, "condition": {"above": 0.5}}
    cost = {"kind": "cost_ratio", "column": "fit_seconds", "cells": tree, "over": {"family": "deep"}}
    answers = answer_claims(
        [
            validated(Claim, content | {"all_of": [criterion]}, "new.yaml")
            for criterion in (accuracy, {"quantity": cost, "condition": {"above": 0.5}})
        ],
        [inputs],
    )
    assert [one.reason for one in answers[0].missing] == ["another metric"]
    assert answers[1].missing == ()
    words = render_template("claims", claims=summarise(answers))
    assert "the claim is about accuracy, and this data set is judged by macro F1" in words


def test_power_laws_are_fitted_to_error_rates_alone(analysed: Analysed) -> None:
    found = analysed("roc_auc").datasets[0]
    assert found.curves is not None
    assert not found.curves.extrapolates
    assert set(found.curves.fits.values()) == {None}
    assert found.decision is not None
    assert found.decision.more_labels is not None
    assert found.decision.more_labels.answer == "no errors"
    # What a sensitivity lacks to 1 is the share of the class that is missed.
    missed = analysed(SENSITIVITY).datasets[0].curves
    assert missed is not None
    assert missed.extrapolates


def test_the_tables_name_the_metric(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    compare(study(tmp_path, "macro_f1"), layout)
    cells = pd.read_csv(layout.reports / "comparison.csv")
    assert set(cells["metric"]) == {"macro_f1"}
    tree = cells[cells["model"] == "tree"].iloc[0]
    assert tree["macro_f1_low"] < tree["macro_f1_mean"] < tree["macro_f1_high"]
    assert "accuracy_low" not in cells
    sizes = pd.read_csv(layout.reports / "learning_curves.csv")
    assert (sizes["macro_f1_lowest"] <= sizes["macro_f1"]).all()
    assert (layout.reports / "figures" / "rare-learning-curve.png").exists()


@pytest.mark.parametrize(
    ("metric", "alarms"),
    [("balanced_accuracy", 0.01), (SENSITIVITY, 0.04)],  # 0.04: a few alarms more would move the threshold
)
def test_the_interval_of_a_rare_class_that_is_always_right_keeps_a_width(
    tmp_path: Path, metric: Metric, alarms: float
) -> None:
    y = np.repeat([0, 1], [995, 5])
    results = ResultsFolder(tmp_path, "rare", N, metric=metric)
    results.add_predictions("raw", "tree", y, detector(y, found=1.0, alarms=alarms)[np.newaxis])
    results.write()
    cell = read_report(study_of("rare", ["tree"], [], seeds=1), Layout(tmp_path)).datasets[0].results.cells[0]
    assert cell.score > 0.99
    assert 0.5 < cell.score_interval.low < 0.9  # of five, one more might be missed


def test_curves_of_another_metric_than_the_results_are_refused(tmp_path: Path) -> None:
    both = study(tmp_path, "roc_auc")
    for path in Layout(tmp_path).results("rare").parent.rglob("learning_curve/**/scores.csv"):
        path.write_text(path.read_text().replace("roc_auc,1.0", "macro_f1,1.0"))
    with pytest.raises(CrossoverError, match="metric of its results, roc_auc, got macro_f1"):
        read_report(both, Layout(tmp_path))


def test_a_metric_that_is_not_allowed_is_refused(tmp_path: Path) -> None:
    one = study(tmp_path, "roc_auc")
    path = Layout(tmp_path).results("rare") / "scores.csv"
    pd.read_csv(path).assign(metric="log_loss").to_csv(path, index=False)
    with pytest.raises(CrossoverError, match=r"one metric of accuracy, .*got \['log_loss'\]"):
        read_report(one, Layout(tmp_path))
