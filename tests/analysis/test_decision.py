"""The decision on results small enough to decide by eye."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from crossover.analysis.curve_comparison import CurveComparison, compare_curves
from crossover.analysis.curves import read_curves
from crossover.analysis.decision import Constraints, Decision, Recommendation, decide
from crossover.analysis.label_advice import Extrapolation
from crossover.analysis.power_law import FutureCrossing
from crossover.analysis.results import DatasetResults, read_results
from crossover.analysis.statistics import Interval, standing
from crossover.analysis.verdict import judge
from crossover.core.cell import LEARNED, Family
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.settings import validated
from crossover.report.templating import render
from tests.curves_folder import CurvesFolder
from tests.results_folder import ResultsFolder, first_right, study_of

PROJECT = Path(__file__).parents[2]
N_TEST = 100
ORIGIN = "conf/decision/default.yaml"
GIVEN: dict[str, Any] = {
    "latency_ms": 1.0,
    "size_mb": 1.0,
    "labels": [100, 1000],
    "explainable": ["stump"],
    "equivalence_points": 0.5,
}
Cells = dict[str, dict[str, Any]]


def constraints(**changed: Any) -> Constraints:
    return validated(Constraints, GIVEN | changed, ORIGIN)


def results_of(root: Path, cells: Cells, n_test: int = N_TEST) -> DatasetResults:
    """Results of cells by model; `right` test examples are right in its one fit, the rest are costs.

    A model whose name ends in "net" is a network.
    """
    folder = ResultsFolder(root, "fruit", n_test)
    for model, facts in cells.items():
        costs: dict[str, Any] = {"latency_p50_ms": 0.5, "model_bytes": 5e5} | facts
        right = costs.pop("right")
        correct = right if isinstance(right, np.ndarray) else first_right(n_test, right)
        folder.add(LEARNED if model.endswith("net") else "raw", model, correct, **costs)
    folder.write()
    classical = [model for model in cells if not model.endswith("net")]
    deep = [model for model in cells if model.endswith("net")]
    return read_results(study_of("fruit", classical, deep, 1), Layout(root), "fruit")


def decided(root: Path, cells: Cells, curves: CurveComparison | None = None, **changed: Any) -> Decision:
    decision = decide(results_of(root, cells), curves, constraints(**changed))
    assert decision is not None
    return decision


def section(decision: Decision) -> str:
    return render("decision", decision=decision)


def used(recommendation: Recommendation) -> str | None:
    return recommendation.use.cell.model if recommendation.use else None


CELLS: Cells = {
    "net": {"right": 95, "latency_p50_ms": 3.0, "model_bytes": 5e6},
    "forest": {"right": 85, "model_bytes": 2e6},
    "small_net": {"right": 80},
    "stump": {"right": 60},
}


def test_each_constraint_has_the_best_model_that_meets_it(tmp_path: Path) -> None:
    decision = decided(tmp_path, CELLS)
    assert [used(r) for r in decision.recommendations] == ["net", "forest", "small_net", "stump"]
    assert [r.candidates for r in decision.recommendations] == [4, 3, 2, 1]


def test_the_evidence_is_the_lead_over_the_other_family(tmp_path: Path) -> None:
    first, fast, small, explained = decided(tmp_path, CELLS).recommendations
    assert first.other_family is not None
    assert fast.other_family is not None
    assert small.other_family is not None
    assert first.other_family.other.cell.model == "forest"
    assert first.other_family.difference == pytest.approx(0.10)
    # Five examples tell these two apart. A resample holds none of them with probability 0.37^5 = 0.7 %, within the
    # 2.5 % of the interval.
    assert (fast.other_family.other.cell.model, fast.standing) == ("small_net", "leads")
    assert (small.other_family.other.cell.model, small.standing) == ("stump", "leads")
    assert (explained.other_family, explained.standing, explained.best) == (None, None, 1.0)


def test_the_first_answer_is_that_of_the_verdict(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cells = {
        name: {"right": rng.random((1, N_TEST)) < 0.8} for name in ("tree", "forest", "net", "small_net")
    }
    results = results_of(tmp_path, cells)
    verdict, decision = judge(results, 0.005), decide(results, None, constraints())
    assert verdict is not None
    assert decision is not None
    pair = decision.recommendations[0].other_family
    assert pair is not None
    assert {pair.cell.cell, pair.other.cell} == {verdict.deep.cell, verdict.classical.cell}
    assert pair.difference == pytest.approx(abs(verdict.difference))
    assert pair.interval.high - pair.interval.low == pytest.approx(
        verdict.interval.high - verdict.interval.low
    )
    assert decision.recommendations[0].standing == verdict.winner == "not told apart"


def test_a_constraint_has_its_price(tmp_path: Path) -> None:
    first, fast, _, _ = decided(tmp_path, CELLS).recommendations
    assert first.price is None
    assert fast.price is not None
    assert fast.price.cell.cell.model == "net"
    assert fast.price.difference == pytest.approx(0.10)


def test_a_limit_may_be_reached_but_not_passed(tmp_path: Path) -> None:
    cells = {"net": {"right": 95, "latency_p50_ms": 1.0001}, "forest": {"right": 85, "latency_p50_ms": 1.0}}
    assert used(decided(tmp_path, cells).recommendations[1]) == "forest"


def test_where_nothing_meets_a_limit_the_nearest_is_named(tmp_path: Path) -> None:
    cells = {"net": {"right": 95, "model_bytes": 5e6}, "forest": {"right": 85, "model_bytes": 2e6}}
    decision = decided(tmp_path, cells)
    small, explained = decision.recommendations[2:]
    assert (small.use, explained.use, explained.nearest) == (None, None, None)
    assert small.nearest is not None
    assert small.nearest.cell.model == "forest"
    text = section(decision)
    assert "**A model of at most 1 MB**: no model meets it; the nearest is forest (raw) with 2.0 MB." in text
    assert "**Predictions that can be explained**: no model meets it, and it allows only stump." in text


def test_a_size_that_was_not_measured_meets_no_limit(tmp_path: Path) -> None:
    cells: Cells = {"net": {"right": 95, "model_bytes": np.nan}, "forest": {"right": 85}}
    assert used(decided(tmp_path, cells).recommendations[2]) == "forest"


@pytest.mark.parametrize(("right", "cheaper"), [(100, None), (199, "forest"), (198, None)])
def test_a_cheaper_model_counts_where_it_loses_no_more_than_matters(
    tmp_path: Path, right: int, cheaper: str | None
) -> None:
    # Of 200 examples one answer is half a point.
    cells = {"net": {"right": 200, "fit_seconds": 60.0}, "forest": {"right": right, "fit_seconds": 2.0}}
    decision = decide(results_of(tmp_path, cells, n_test=200), None, constraints())
    assert decision is not None
    first = decision.recommendations[0]
    assert (first.cheaper.other.cell.model if first.cheaper else None) == cheaper
    if first.cheaper:
        # It loses 0.5 points times how often that example is drawn: at most once with probability 2/e = 0.74.
        assert first.cheaper.within == pytest.approx(0.736, abs=0.02)
        text = section(decision)
        assert "forest (raw) is cheaper: it is fitted in 2.0 s instead of 60 s. It loses 0.50 points" in text


def test_a_slower_model_is_no_cheaper_one(tmp_path: Path) -> None:
    cells = {"net": {"right": 95, "fit_seconds": 1.0}, "forest": {"right": 94, "fit_seconds": 2.0}}
    decision = decided(tmp_path, cells, equivalence_points=5)
    assert [used(r) for r in decision.recommendations] == ["net", "net", "net", None]
    assert all(r.cheaper is None for r in decision.recommendations)


def test_equal_models_share_the_first_place(tmp_path: Path) -> None:
    decision = decided(tmp_path, {"net": {"right": 90}, "tree": {"right": 90}, "forest": {"right": 50}})
    first = decision.recommendations[0]
    assert first.standing == "not told apart"  # a hundred examples do not show that they are equal
    assert first.best == pytest.approx(0.5)
    assert first.other_family is not None
    assert (first.other_family.difference, first.other_family.ahead) == (0, 0.5)
    assert section(decision).split("\n\n")[1].startswith("**On fruit use tree (raw) or net (not told apart)")


def test_without_a_second_family_there_is_no_other_to_compare_with(tmp_path: Path) -> None:
    decision = decided(tmp_path, {"tree": {"right": 90}, "forest": {"right": 80}})
    assert decision.recommendations[0].other_family is None
    assert "no model of the other family does" in section(decision)
    assert "**On fruit use tree (raw).**" in section(decision)


def test_without_results_there_is_no_decision(tmp_path: Path) -> None:
    assert decide(DatasetResults("fruit", [], [], N_TEST, pd.DataFrame()), None, constraints()) is None


def curves_of(
    root: Path, sizes: list[int], tree: list[float], net: list[float] | None, repetitions: int = 2
) -> CurveComparison:
    folder = CurvesFolder(root, "fruit", sizes, repetitions, n_test=2000)
    folder.add("raw", "tree", tree)
    if net:
        folder.add(LEARNED, "net", net)
    curves = read_curves(folder.study(), Layout(root), "fruit")
    assert curves is not None
    return compare_curves(curves)


def test_the_curve_of_a_model_that_was_not_trained_to_its_end_decides_nothing(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, [20, 60, 200], [0.6, 0.7, 0.9], [0.5, 0.6, 0.7])
    for name, expected in (("tree", "leads"), ("net", "undecided")):  # the tree leads
        cells: Cells = {"net": {"right": 80}, "tree": {"right": 85}}
        cells[name]["problem"] = "its 3 epochs ended before early stopping did"
        decision = decided(tmp_path / name, cells, curves, labels=[200])
        assert decision.more_labels is not None
        assert decision.labels[0].standing == decision.more_labels.standing == expected
        assert (decision.more_labels.answer == "undecided") == (expected == "undecided")
        assert ("so nothing says whether more labels change that" in section(decision)) or name == "tree"


@pytest.mark.parametrize(
    ("interval", "ahead", "behind", "expected"),
    [
        (Interval(0.02, 0.04), True, False, "leads"),
        (Interval(0.02, 0.04), False, True, "undecided"),
        (Interval(-0.001, 0.002), False, False, "tie"),
        (Interval(-0.001, 0.002), True, False, "undecided"),
        (Interval(-0.03, 0.04), True, True, "not told apart"),
    ],
)
def test_what_stands_of_a_lead(interval: Interval, ahead: bool, behind: bool, expected: str) -> None:
    found = standing(interval, 0.005, unfinished_ahead=ahead, unfinished_behind=behind)
    assert found == expected


def test_one_repetition_of_a_curve_advises_nothing(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, [20, 60, 200], [0.6, 0.7, 0.8], [0.5, 0.7, 0.9], repetitions=1)
    decision = decided(tmp_path, CELLS, curves)
    assert {advice.standing for advice in decision.labels} == {"not told apart"}
    assert "(no band from one repetition" in section(decision)
    assert "inf" not in section(decision)


def test_with_so_many_labels_the_family_that_leads_there_is_used(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, [20, 60, 200], [0.6, 0.7, 0.75], [0.5, 0.7, 0.9])
    decision = decided(tmp_path, CELLS, curves, labels=[10, 30, 199, 200, 5000])
    assert [advice.size for advice in decision.labels] == [None, 20, 60, 200, 200]
    few, tied, many = decision.labels[1:4]
    assert (few.use, few.instead_of) == ({"tree (raw)": 2}, {"net": 2})
    assert few.difference == pytest.approx(0.1)
    assert few.interval is not None
    assert few.interval.low > 0
    assert few.ahead > 0.999
    assert tied.interval is not None
    assert 0 in tied.interval
    assert many.use == {"net": 2}
    assert (many.accuracy, many.difference) == pytest.approx((0.9, 0.15))
    assert many.ahead > 0.999
    text = section(decision)
    assert "**10 labels now**: not measured, because" in text
    assert (
        "at 20 labels, the largest size measured up to that number, tree (raw) (60.00 %) leads net by 10.00 points"
        in text
    )
    assert "at 60 labels, the largest size measured up to that number, " in text
    assert "| 5,000 labels now (measured: 200)" in text


def test_a_single_family_is_used_for_want_of_another(tmp_path: Path) -> None:
    decision = decided(tmp_path, CELLS, curves_of(tmp_path, [20, 60], [0.6, 0.7], None))
    assert [advice.use for advice in decision.labels] == [{"tree (raw)": 2}, {"tree (raw)": 2}]
    assert decision.more_labels is None
    assert "**More labels**: not measured" in section(decision)


SIZES = [50, 100, 200, 400, 800, 1600]


def law(a: float, b: float, c: float) -> list[float]:
    """Accuracies on a power law."""
    return [1 - a - b * n**-c for n in SIZES]


def test_more_labels_change_the_answer_where_the_laws_cross(tmp_path: Path) -> None:
    # 0.10 + 2 n^-0.5 and 0.05 + 4 n^-0.5 are equal where 2 n^-0.5 = 0.05: at n = 1600. With 5 n^-0.5 at 3600.
    curves = curves_of(tmp_path, SIZES, law(0.10, 2, 0.5), law(0.05, 5, 0.5))
    more = decided(tmp_path, CELLS, curves).more_labels
    assert more is not None
    assert (more.largest, more.leader, more.overtakes) == (1600, "classical", "deep")
    assert more.difference == pytest.approx(3 / 40 - 0.05, abs=2e-3)
    assert more.crossing is not None
    assert more.crossing.n == pytest.approx(3600, rel=0.1)
    text = section(decided(tmp_path, CELLS, curves))
    assert "classical machine learning (tree (raw)) " in text
    assert more.answer in ("changes", "may change")
    assert "change the lead: the laws cross at 3," in text
    assert "and deep learning is ahead from there on" in text


def test_parallel_laws_change_nothing(tmp_path: Path) -> None:
    curves = curves_of(tmp_path, SIZES, law(0.05, 4, 0.5), law(0.02, 3, 0.5))
    decision = decided(tmp_path, CELLS, curves)
    assert decision.more_labels is not None
    assert (decision.more_labels.overtakes, decision.more_labels.answer) == (None, "open")
    text = section(decision)
    assert "deep learning (net) leads classical machine learning (tree (raw)) by" in text
    assert "more labels" not in text.partition("**More labels**")[2]


def test_two_sizes_are_too_few_to_look_ahead(tmp_path: Path) -> None:
    decision = decided(tmp_path, CELLS, curves_of(tmp_path, [20, 60], [0.6, 0.7], [0.5, 0.9]))
    assert decision.more_labels is not None
    assert decision.more_labels.answer == "too few sizes"
    assert "too few sizes for a power law" in section(decision)


@pytest.mark.parametrize(
    ("crossing", "overtakes", "answer", "words"),
    [
        (
            FutureCrossing(None, None, float("nan")),
            None,
            "no law",
            "A power law does not describe both curves",
        ),
        (
            FutureCrossing(None, None, 0.1),
            None,
            "open",
            "In 10.0 % of the resamples the fitted power laws cross up to 1,000 labels.",
        ),
        (
            FutureCrossing(900.0, Interval(800, 950), 0.4),
            "deep",
            "open",
            "In 40.0 % of the resamples the fitted power laws cross up to 1,000 labels.",
        ),
        (
            FutureCrossing(900.0, Interval(800, 950), 0.6),
            "deep",
            "may change",
            "About 800 more labels may change",
        ),
        (
            FutureCrossing(900.0, Interval(800, 950), 0.96),
            "deep",
            "changes",
            "About 800 more labels would change",
        ),
        (
            FutureCrossing(900.0, Interval(800, 950), 0.6),
            "classical",
            "contradiction",
            "cannot say what more labels",
        ),
    ],
)
def test_what_the_laws_say_of_more_labels(
    tmp_path: Path, crossing: FutureCrossing, overtakes: Family | None, answer: str, words: str
) -> None:
    models: dict[Family, str] = {"classical": "tree (raw)", "deep": "net"}
    more = Extrapolation(
        100, 1000, "classical", models, 0.01, Interval(-0.01, 0.03), "not told apart", crossing, overtakes
    )
    assert (more.answer, more.trailing) == (answer, "deep")
    text = section(replace(decided(tmp_path, CELLS), more_labels=more))
    assert words in text
    assert (
        "classical machine learning (tree (raw)) and deep learning (net) are not told apart, with a difference of"
        in text
    )


def test_without_a_learning_curve_the_text_says_how_to_measure_one(tmp_path: Path) -> None:
    text = section(decided(tmp_path, CELLS))
    assert "**100 or 1,000 labels now**: not measured, because there is no learning curve" in text
    assert "`learning_curve` in params.yaml" in text


def test_the_section_reads_as_a_decision(tmp_path: Path) -> None:
    title, opening, rows, sentences, _ = section(decided(tmp_path, CELLS)).split("\n\n")
    assert title == "### Which to use"
    assert opening == (
        "**On fruit use net; forest (raw) for a prediction within 1 ms, small_net for a model of at most 1 MB, "
        "stump (raw) for predictions that can be explained.**"
    )
    assert (
        "| accuracy first                    | **net**          |           95.00 | forest (raw) | +10.00 [+"
        in rows
    )
    assert "leads, ahead in > 99.9 %, best of 4 in > 99.9 %" in rows
    assert (
        "Without the constraint, net would be the choice, ahead by 10.00 points (95 % interval +" in sentences
    )
    assert (
        "stump (raw) (60.00 %) is the only model that meets it; no model of the other family does."
        in sentences
    )


def test_a_constraint_changes_the_choice_or_not(tmp_path: Path) -> None:
    cells: Cells = {
        "net": {"right": 90, "model_bytes": 5e6},
        "tree": {"right": 90, "model_bytes": 5e6},
        "stump": {"right": 60},
    }
    decision = decided(tmp_path, cells)
    assert [(r.condition.asks, used(r)) for r in decision.exceptions] == [
        ("size", "stump"),
        ("explainable", "stump"),
    ]
    assert (
        "; stump (raw) for a model of at most 1 MB, stump (raw) for predictions that can be explained.**"
        in section(decision)
    )


def test_the_projects_own_constraints_are_valid() -> None:
    content = yaml.safe_load((PROJECT / "conf" / "decision" / "default.yaml").read_text())
    own = validated(Constraints, content, ORIGIN)
    assert own.equivalence == own.equivalence_points / 100
    models = {path.stem for path in (PROJECT / "conf" / "model").glob("*.yaml")}
    assert set(own.explainable) <= models


def test_nothing_to_explain_asks_for_no_explanation() -> None:
    assert len(constraints(explainable=[]).conditions) == len(constraints().conditions) - 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"latency": 1.0}, r"must hold exactly the keys latency_ms, .*; check latency"),
        ({"latency_ms": 0}, r"latency_ms must be a positive number, got 0 \(conf/decision/default\.yaml\)"),
        ({"latency_ms": -1.0}, "latency_ms must be a positive number, got -1.0"),
        ({"size_mb": "small"}, "size_mb must be a number, got 'small'"),
        ({"size_mb": True}, "size_mb must be a number, got True"),
        ({"labels": [1000, 100]}, r"labels must rise, got \[1000, 100\]"),
        ({"labels": [0]}, r"labels\[0\] must be a positive integer, got 0"),
        ({"labels": 100}, "labels must be a list, got 100"),
        ({"explainable": "stump"}, "explainable must be a list, got 'stump'"),
        ({"equivalence_points": 101}, "equivalence_points must be at most 100, got 101"),
        ({"equivalence_points": None}, "equivalence_points must be a number, got None"),
    ],
)
def test_a_wrong_constraint_is_an_error(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(CrossoverError, match=message):
        constraints(**changed)


def test_a_missing_constraint_is_an_error() -> None:
    with pytest.raises(CrossoverError, match="check size_mb"):
        validated(Constraints, {key: GIVEN[key] for key in GIVEN if key != "size_mb"}, ORIGIN)
