"""The textbook's claims: the project's own files, each answer, each quantity, and what a claim must not say."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from curves_folder import CurvesFolder
from results_folder import ResultsFolder, first_right, study_of
from statsmodels.stats.proportion import proportion_confint
from tuning_folder import SearchFolder, TunedResults

from crossover.analysis.claims.claim import AnsweredClaim, Claim, answer_claims, load_claims
from crossover.analysis.claims.conditions import Above, Below, Reaches
from crossover.analysis.claims.quantity import ClaimInputs, Estimate
from crossover.analysis.curve_comparison import compare_curves
from crossover.analysis.curves import read_curves
from crossover.analysis.power_law import WORTH_IT
from crossover.analysis.published import load_published
from crossover.analysis.results import read_results
from crossover.analysis.tuning import read_tuning
from crossover.core.cell import LEARNED
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.study import Tuning, load_study
from crossover.report.text.claims import claims_parts, claims_table
from crossover.report.text.sensitivity import MEASURE_IT

PROJECT = Path(__file__).parents[2]
OWN = PROJECT / "conf" / "claims"
N_TEST = 1000

TREE = {"features": "raw", "model": "tree"}
ABOVE_HALF = {"quantity": "accuracy", "of": TREE, "condition": {"above": 0.5}}


def write_claim(folder: Path, name: str = "new", **changes: Any) -> Path:
    """A claim about the data set fruit; a change to None takes the key out."""
    content = {
        "id": name,
        "claim": f"the claim {name}",
        "source": "a test",
        "datasets": ["fruit"],
        "all_of": [ABOVE_HALF],
        "measure": "dvc exp run -S 'datasets=[{datasets}]'",
    } | changes
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


def answers(folder: Path, *inputs: ClaimInputs) -> list[AnsweredClaim]:
    return answer_claims(load_claims(folder), list(inputs))


def answered(folder: Path, inputs: ClaimInputs, *all_of: dict[str, Any]) -> AnsweredClaim:
    """The answer to one claim with these criteria."""
    write_claim(folder, all_of=list(all_of))
    [answer] = answers(folder, inputs)
    return answer


def measured(folder: Path, inputs: ClaimInputs, quantity: str, **of: Any) -> Estimate:
    """A quantity of the data set fruit."""
    criterion = {"quantity": quantity, "of": of, "condition": {"above": 0}}
    [(_, estimate, _)] = answered(folder, inputs, criterion).measured
    return estimate


def why_not(folder: Path, inputs: ClaimInputs, quantity: str, **of: Any) -> str:
    """Why a quantity cannot be measured."""
    answer = answered(folder, inputs, {"quantity": quantity, "of": of, "condition": {"above": 0}})
    assert answer.answer == "not measured here"
    [missing] = answer.missing
    return missing.reason


@pytest.fixture(scope="module")
def fruit(tmp_path_factory: pytest.TempPathFactory) -> ClaimInputs:
    """Results without learning curves: a tree and a line on two feature sets, two networks of which one refuses.

    Right of 1,000: tree 900 on raw and 930 on handcrafted, line 800 and 810, net 950 and 960.
    """
    root = tmp_path_factory.mktemp("project")
    folder = ResultsFolder(root, "fruit", N_TEST)
    folder.add("raw", "tree", first_right(N_TEST, 900), stochastic=False, fit_seconds=4.0)
    folder.add("raw", "line", first_right(N_TEST, 800), stochastic=False, fit_seconds=1.0)
    folder.add("handcrafted", "tree", first_right(N_TEST, 930), stochastic=False, fit_seconds=2.0)
    folder.add("handcrafted", "line", first_right(N_TEST, 810), stochastic=False, device="cuda:0")
    folder.add(LEARNED, "net", first_right(N_TEST, 950, 960), latency_p50_ms=5.0)
    folder.add_not_applicable(LEARNED, "cnn", "it takes images, not tables")
    folder.write()
    study = study_of("fruit", ["tree", "line"], ["net", "cnn"], 2, ("raw", "handcrafted"))
    return ClaimInputs(read_results(study, Layout(root), "fruit"), None, None)


def with_curves(
    root: Path,
    fruit: ClaimInputs,
    tree: list[float],
    net: list[float],
    sizes: list[int],
    n_test: int = 400,
    **values: Any,
) -> ClaimInputs:
    folder = CurvesFolder(root, "fruit", sizes, repetitions=2, n_test=n_test)
    folder.add("raw", "tree", tree)
    folder.add(LEARNED, "net", net, **values)
    curves = read_curves(folder.study(), Layout(root), "fruit")
    assert curves is not None
    return replace(fruit, curves=compare_curves(curves))


# The project's own claims


def test_the_twenty_claims_are_there() -> None:
    claims = load_claims(OWN)
    assert [claim.id for claim in claims] == [f"C{number}" for number in range(1, 21)]
    assert [path.stem for path in sorted(OWN.glob("*"))] == [f"C{number:02d}" for number in range(1, 21)]


def test_what_can_be_measured_is_and_the_others_say_what_they_wait_for() -> None:
    waiting = {claim.id for claim in load_claims(OWN) if claim.waits_for}
    assert waiting == {"C12", "C13", "C15", "C16", "C17", "C18", "C19", "C20"}


def names_in(content: Any, key: str) -> set[str]:
    """Every value of a key, at whatever depth."""
    if isinstance(content, list):
        return set().union(*(names_in(part, key) for part in content))
    if not isinstance(content, dict):
        return set()
    own = {content[key]} if isinstance(content.get(key), str) else set()
    return own.union(*(names_in(part, key) for part in content.values()))


@pytest.mark.parametrize("path", sorted(OWN.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_claim_names_what_exists(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    models = {p.stem for p in (PROJECT / "conf" / "model").glob("*.yaml")}
    features = {p.stem for p in (PROJECT / "conf" / "features").glob("*.yaml")} | {LEARNED}
    datasets = {p.stem for p in (PROJECT / "conf" / "dataset").glob("*.yaml")}
    assert names_in(content, "model") <= models
    assert names_in(content, "features") | names_in(content, "over") <= features
    if "waits_for" not in content and content["datasets"] != "any":
        assert set(content["datasets"]) <= datasets


@pytest.mark.parametrize("claim", load_claims(OWN), ids=lambda claim: claim.id)
def test_the_command_that_measures_a_claim_gives_a_study(claim: Claim, tmp_path: Path) -> None:
    if claim.waits_for:
        assert claim.measure == ""
        return
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    changes = re.findall(r"-S '([\w.]+)=([^']*)'", claim.command(["mnist", "adult"]))
    assert changes
    for key, value in changes:
        *group, last = key.split(".")
        (params[group[0]] if group else params)[last] = yaml.safe_load(value)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    load_study(tmp_path / "params.yaml")


def test_a_claim_reads_its_numbers_from_their_one_owner() -> None:
    claims = {claim.id: claim for claim in load_claims(OWN)}
    published = {entry.name: entry for entry in load_published()}
    for claim, name in (("C1", "textbook_forest"), ("C2", "textbook_cnn")):
        [criterion], entry = claims[claim].all_of, published[name]
        assert criterion.condition == Reaches(entry.value, entry.tolerance)
    assert [criterion.condition for criterion in claims["C4"].all_of] == [Below(WORTH_IT), Above(WORTH_IT)]
    assert f"`{claims['C14'].measure}`" == MEASURE_IT


# Answers


@pytest.mark.parametrize(
    ("condition", "answer"),
    [  # 900 of 1,000: Wilson's interval is 0.8798 to 0.9171
        ({"above": 0.87}, "holds"),
        ({"above": 0.89}, "undecided"),
        ({"above": 0.92}, "does not hold"),
        ({"below": 0.92}, "holds"),
        ({"below": 0.91}, "undecided"),
        ({"below": 0.87}, "does not hold"),
        ({"within": [0.87, 0.92]}, "holds"),
        ({"within": [0.90, 0.92]}, "undecided"),
        ({"within": [0.70, 0.87]}, "does not hold"),
        ({"within": [0.92, 0.95]}, "does not hold"),
        ({"reaches": 0.90, "tolerance": 0.003}, "holds"),
        ({"reaches": 0.903, "tolerance": 0.003}, "holds"),
        ({"reaches": 0.904, "tolerance": 0.003}, "undecided"),
        ({"reaches": 0.918, "tolerance": 0.02}, "does not hold"),
        ({"reaches": 0.80, "tolerance": 0.003}, "holds"),
    ],
)
def test_an_interval_decides(
    tmp_path: Path, fruit: ClaimInputs, condition: dict[str, Any], answer: str
) -> None:
    criterion = {"quantity": "accuracy", "of": TREE, "condition": condition}
    assert answered(tmp_path, fruit, criterion).answer == answer


HOLDS = ABOVE_HALF
REFUTED = ABOVE_HALF | {"condition": {"below": 0.5}}
UNDECIDED = ABOVE_HALF | {"condition": {"above": 0.9}}
UNKNOWN = ABOVE_HALF | {"of": {"features": "raw", "model": "bush"}}


@pytest.mark.parametrize(
    ("criteria", "answer"),
    [
        ([HOLDS, HOLDS], "holds"),
        ([HOLDS, UNDECIDED], "undecided"),
        ([UNDECIDED, REFUTED], "does not hold"),
        ([UNDECIDED, UNKNOWN], "not measured here"),
        ([UNKNOWN, REFUTED], "does not hold"),
    ],
)
def test_all_criteria_together_decide(
    tmp_path: Path, fruit: ClaimInputs, criteria: list[dict[str, Any]], answer: str
) -> None:
    assert answered(tmp_path, fruit, *criteria).answer == answer


def test_a_claim_is_answered_on_each_data_set_that_it_speaks_of(tmp_path: Path, fruit: ClaimInputs) -> None:
    herbs = replace(fruit, results=replace(fruit.results, dataset="herbs"))
    write_claim(tmp_path, "a", datasets="any")
    write_claim(tmp_path, "b", datasets=["roots", "herbs"])
    found = [(a.claim.id, a.dataset, a.answer) for a in answers(tmp_path, fruit, herbs)]
    assert found == [
        ("a", "fruit", "holds"),
        ("a", "herbs", "holds"),
        ("b", "roots", "not measured here"),
        ("b", "herbs", "holds"),
    ]


def test_what_is_missing_is_said_with_the_command(tmp_path: Path, fruit: ClaimInputs) -> None:
    write_claim(tmp_path, "a", datasets=["fruit", "roots", "herbs"])
    write_claim(tmp_path, "b", all_of=[UNKNOWN])
    write_claim(tmp_path, "c", all_of=[ABOVE_HALF | {"of": {"features": LEARNED, "model": "cnn"}}])
    write_claim(tmp_path, "d", all_of=None, measure=None, waits_for="rain")
    lines = claims_parts(answers(tmp_path, fruit))[-1].splitlines()
    assert lines == [
        "- a on roots, herbs (the claim a): not in this study; `dvc exp run -S 'datasets=[roots,herbs]'` measures it.",
        "- b on fruit (the claim b): this study has no result of bush on raw; "
        "`dvc exp run -S 'datasets=[fruit]'` measures it.",
        "- c on fruit (the claim c): cnn on learned does not apply, since it takes images, not tables.",
        "- d (the claim d): it waits for rain.",
    ]


def test_the_section_gives_answer_numbers_and_interval(tmp_path: Path, fruit: ClaimInputs) -> None:
    write_claim(
        tmp_path,
        "a",
        beside=[{"quantity": "highest_cost", "of": {"column": "latency_p50_ms", "cells": TREE}}],
    )
    write_claim(tmp_path, "b", all_of=[REFUTED])
    text = "\n".join(claims_parts(answers(tmp_path, fruit)))
    assert "`conf/claims/` holds 2 claims as data" in text
    assert "answer 2 of them. Answers, one a data set: *holds* 1, *does not hold* 1." in text
    assert re.search(r"\| a +\| the claim a +\| fruit +\| \*\*holds\*\* +\| 90.00 % \[87.98, 91.71\]", text)
    assert (
        "**a on fruit: holds.** Accuracy of tree on raw features: 90.00 % (95 % interval over test examples and "
        "repetitions, n = 1: 87.98 to 91.71). Asked: above 50.00 %; met. Beside it: time of one prediction of tree on "
        "raw features, the highest of 1: 0.50 ms (a single fit)."
    ) in text
    assert "Asked: below 50.00 %; refuted." in text
    assert "Not measured here" not in text


def test_the_table_has_plain_numbers(tmp_path: Path, fruit: ClaimInputs) -> None:
    write_claim(tmp_path, "a", all_of=[HOLDS, UNDECIDED])
    write_claim(tmp_path, "b", datasets=["roots"])
    table = claims_table(answers(tmp_path, fruit))
    assert table["id"].to_list() == ["a", "a", "b"]
    assert table["answer"].to_list() == ["undecided", "undecided", "not measured here"]
    assert table["condition"].to_list()[:2] == ["holds", "undecided"]
    assert table["value"].to_list()[:2] == pytest.approx([0.9, 0.9])
    assert table["share_met"].isna().all()  # a formula, not a resampling
    assert table["measure"].to_list()[2] == "dvc exp run -S 'datasets=[roots]'"


# Quantities of cells


def test_the_interval_of_a_single_fit_is_wilsons(tmp_path: Path, fruit: ClaimInputs) -> None:
    estimate = measured(tmp_path, fruit, "accuracy", **TREE)
    low, high = proportion_confint(900, 1000, method="wilson")
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx((low, high))


def test_a_difference_of_two_cells_is_paired(tmp_path: Path, fruit: ClaimInputs) -> None:
    estimate = measured(
        tmp_path, fruit, "accuracy_difference", cells={"features": "handcrafted", "model": "tree"}, minus=TREE
    )
    # All that the raw tree has right the other has too, and 30 of 1,000 more: a proportion of 0.03.
    error = 1.96 * math.sqrt(0.03 * 0.97 / 1000)
    assert estimate.value == pytest.approx(0.03)
    assert estimate.samples is not None
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx(
        (0.03 - error, 0.03 + error), abs=1.5e-3
    )


def test_the_best_of_each_side_is_compared_and_the_choice_widens_the_interval(
    tmp_path: Path, fruit: ClaimInputs
) -> None:
    best = {"features": "handcrafted", "model": "tree"}
    net = {"model": "net"}
    one = measured(tmp_path, fruit, "accuracy_difference", cells=net, minus=best)
    several = measured(
        tmp_path, fruit, "accuracy_difference", cells=net, minus=[{"model": "line"}, {"family": "classical"}]
    )
    assert (
        one.what
        == several.what
        == "accuracy of net on its own features minus that of tree on handcrafted features"
    )
    assert one.value == several.value == pytest.approx(0.955 - 0.930)
    assert several.interval.low < one.interval.low < one.interval.high < several.interval.high
    assert "The second is the best of 4" in several.note
    assert one.note == ""


def test_a_feature_set_gains_the_mean_over_the_models(tmp_path: Path, fruit: ClaimInputs) -> None:
    estimate = measured(tmp_path, fruit, "feature_gain", features="handcrafted", over="raw")
    assert estimate.value == pytest.approx((0.03 + 0.01) / 2)
    assert estimate.note == "By model: tree +3.00, line +1.00."
    # Both gains lie in examples of their own, 30 and 10 of 1,000, each counted half.
    error = 1.96 * math.sqrt(((0.03 + 0.01) / 4 - 0.02**2) / 1000)
    assert estimate.interval.high - estimate.interval.low == pytest.approx(2 * error, rel=0.05)


def test_a_cost_ratio_is_of_geometric_means_over_pairs_of_models(tmp_path: Path, fruit: ClaimInputs) -> None:
    raw, net = {"features": "raw"}, {"family": "deep"}
    estimate = measured(tmp_path, fruit, "cost_ratio", column="fit_seconds", cells=net, over=raw)
    # The net takes 1 and 2 s; over 4 s and 1 s the ratios are 0.375 and 1.5, and 2.5 % lie outside on each side.
    assert estimate.value == pytest.approx(math.sqrt(0.375 * 1.5))
    expected = (0.375 + 0.025 * 1.125, 1.5 - 0.025 * 1.125)
    assert (estimate.interval.low, estimate.interval.high) == pytest.approx(expected)
    assert estimate.interval_of == "middle 95 % of the 2 pairs of models"


def test_a_ratio_over_two_devices_says_so(tmp_path: Path, fruit: ClaimInputs) -> None:
    over = {"family": "classical"}
    estimate = measured(
        tmp_path, fruit, "cost_ratio", column="model_bytes", cells={"model": "net"}, over=over
    )
    assert estimate.note == "They ran on different devices (cpu, cuda:0)."


def test_the_highest_cost_is_that_of_the_slowest_on_the_device(tmp_path: Path, fruit: ClaimInputs) -> None:
    classical = {"family": "classical"}
    there = measured(tmp_path, fruit, "highest_cost", column="fit_seconds", cells=classical, device="cpu")
    assert (there.value, there.what) == (4.0, "time to fit of tree on raw features, the highest of 3")
    assert there.note == "Left out, since they ran elsewhere: line on handcrafted features."
    nets = measured(tmp_path, fruit, "highest_cost", column="fit_seconds", cells={"family": "deep"})
    assert (nets.value, nets.interval.low, nets.interval.high) == (1.5, 1.0, 2.0)
    why = why_not(tmp_path, fruit, "highest_cost", column="fit_seconds", cells=classical, device="tpu")
    assert why == "none of the cells ran on the device tpu"


def test_a_cost_that_nobody_measured_is_not_measured(tmp_path: Path, fruit: ClaimInputs) -> None:
    cells = {"model": "net"}
    assert (
        why_not(tmp_path, fruit, "highest_cost", column="fit_energy_j", cells=cells)
        == "no fit_energy_j was measured"
    )


def test_the_sensitivity_is_the_verdict_of_the_searches(tmp_path: Path) -> None:
    folder = TunedResults(tmp_path, "fruit", 100)
    for features, model in (("raw", "tree"), (LEARNED, "net")):
        folder.add(features, model, first_right(100, 90, 90))
        folder.add_tuned(features, model, first_right(100, 91, 91))
    folder.write()
    budget = {"trials": 21, "seconds": None}
    SearchFolder(tmp_path, "fruit", "raw", "tree", [0.9, *np.linspace(0.89, 0.91, 20)], budget=budget).write()
    SearchFolder(tmp_path, "fruit", LEARNED, "net", [0.9, *np.linspace(0.5, 0.9, 20)], budget=budget).write()
    searched = Tuning(feature_sets=["raw"], classical_models=["tree"], deep_models=["net"], trials=21)
    study = study_of("fruit", ["tree"], ["net"], 2, tuning=searched)
    results = read_results(study, Layout(tmp_path), "fruit")
    tuning = read_tuning(study, Layout(tmp_path), results)
    assert tuning is not None
    assert tuning.sensitivity is not None
    answer = answered(
        tmp_path / "claims",
        ClaimInputs(results, tuning, None),
        {"quantity": "sensitivity", "condition": {"above": 0}},
    )
    assert answer.answer == tuning.sensitivity.answer == "holds"
    assert answer.measured[0][1].value == pytest.approx(
        (0.4 - 0.02) / 2
    )  # half of each range lies between quartiles


def test_without_tuning_there_is_no_sensitivity(tmp_path: Path, fruit: ClaimInputs) -> None:
    assert why_not(tmp_path, fruit, "sensitivity") == "nothing was tuned"


# Quantities of learning curves

SIZES = [100, 1000, 10_000, 40_000]


TREE_CURVE = [0.70, 0.75, 0.80, 0.82]


def test_deep_learning_begins_to_lead_where_it_overtakes(tmp_path: Path, fruit: ClaimInputs) -> None:
    inputs = with_curves(tmp_path, fruit, TREE_CURVE, [0.50, 0.60, 0.90, 0.95], SIZES)
    estimate = measured(tmp_path / "claims", inputs, "deep_leads_from", needs=10_000)
    # From -0.15 at 1,000 to +0.10 at 10,000, straight over the logarithm.
    assert estimate.value == pytest.approx(1000 * 10 ** (0.15 / 0.25), rel=0.02)
    assert 1000 <= estimate.interval.low < estimate.value < estimate.interval.high <= 10_000


@pytest.mark.parametrize(
    ("net", "low", "high"),
    [
        ([0.90, 0.92, 0.94, 0.96], 0, 100),  # ahead from the smallest size on
        ([0.40, 0.50, 0.60, 0.70], 40_000, math.inf),  # behind at the largest size
        ([0.40, 0.50, 0.60, 0.82], 10_000, math.inf),  # behind at 10,000, and equal at the largest size
        ([0.70, 0.75, 0.80, 0.96], 0, 40_000),  # ahead at the largest size, and equal below
        ([0.70, 0.75, 0.80, 0.82], 0, math.inf),  # equal everywhere
    ],
)
def test_without_a_crossing_the_sizes_bound_the_lead(
    tmp_path: Path, fruit: ClaimInputs, net: list[float], low: float, high: float
) -> None:
    inputs = with_curves(tmp_path, fruit, TREE_CURVE, net, SIZES)
    estimate = measured(tmp_path / "claims", inputs, "deep_leads_from", needs=10_000)
    assert (estimate.interval.low, estimate.interval.high) == (low, high)


@pytest.mark.parametrize(
    ("net", "answer", "numbers"),
    [
        ([0.90, 0.92, 0.94, 0.96], "does not hold", "100 examples or fewer"),
        ([0.40, 0.50, 0.60, 0.70], "does not hold", "above 40,000 examples, if ever"),
        ([0.70, 0.75, 0.80, 0.82], "undecided", "no size decides"),
    ],
)
def test_a_lead_without_a_crossing_in_words(
    tmp_path: Path, fruit: ClaimInputs, net: list[float], answer: str, numbers: str
) -> None:
    inputs = with_curves(tmp_path, fruit, TREE_CURVE, net, SIZES)
    criterion = {
        "quantity": "deep_leads_from",
        "of": {"needs": 10_000},
        "condition": {"within": [5000, 20_000]},
    }
    given = answered(tmp_path / "claims", inputs, criterion)
    assert given.answer == answer
    text = "\n".join(claims_parts([given]))
    assert f"| {numbers}" in text
    assert (
        f"Number of examples from which deep learning leads: {numbers}. Asked: within 5,000 to 20,000 examples"
        in text
    )


def test_too_few_examples_refute_an_early_lead_only(tmp_path: Path, fruit: ClaimInputs) -> None:
    small, tree = [50, 200, 800, 1500], TREE_CURVE
    behind = with_curves(tmp_path / "behind", fruit, tree, [0.4, 0.5, 0.6, 0.7], small)
    ahead = with_curves(tmp_path / "ahead", fruit, tree, [0.9, 0.92, 0.94, 0.96], small)
    why = why_not(tmp_path / "claims", behind, "deep_leads_from", needs=10_000)
    assert why.startswith("it takes 10,000 examples, and the largest size has 1,500")
    assert measured(tmp_path / "claims", ahead, "deep_leads_from", needs=10_000).interval.high == 50


@pytest.mark.parametrize(
    ("net", "answer"),
    [
        ([0.5, 0.6, 0.95, 0.95], "holds"),  # what happens at 1,000 and above does not count
        ([0.9, 0.6, 0.60, 0.60], "does not hold"),
        ([0.5, 0.75, 0.60, 0.60], "undecided"),
    ],
)
def test_the_smallest_lead_below_a_size(
    tmp_path: Path, fruit: ClaimInputs, net: list[float], answer: str
) -> None:
    inputs = with_curves(tmp_path, fruit, TREE_CURVE, net, [100, 900, 1000, 40_000])
    of = {"family": "classical", "below": 1000}
    given = answered(
        tmp_path / "claims", inputs, {"quantity": "smallest_lead", "of": of, "condition": {"above": 0}}
    )
    assert given.answer == answer
    [(_, estimate, _)] = given.measured
    assert estimate.value == pytest.approx(min(0.70 - net[0], 0.75 - net[1]), abs=1e-3)


def test_the_interval_of_the_smallest_lead_takes_each_end_where_it_is_lowest(
    tmp_path: Path, fruit: ClaimInputs
) -> None:
    # The lead is smaller at 100, and the band wider, since accuracies near one half scatter most.
    tree, net = [0.545, 0.99, 0.99, 0.99], [0.50, 0.94, 0.94, 0.94]
    inputs = with_curves(tmp_path, fruit, tree, net, [100, 900, 1000, 40_000])
    estimate = measured(tmp_path / "claims", inputs, "smallest_lead", family="classical", below=1000)
    assert inputs.curves is not None
    assert inputs.curves.family is not None
    band = inputs.curves.family.by_data  # deep minus classical
    assert -band.high[0] < -band.high[1] < -band.low[1] < -band.low[0]
    assert (estimate.interval.low, estimate.interval.high) == (-band.high[0], -band.low[1])
    assert "It is smallest at 100 examples" in estimate.note


def test_overfitting_is_the_mean_gap_below_the_size(tmp_path: Path, fruit: ClaimInputs) -> None:
    net = [0.5, 0.6, 0.95, 0.95]
    inputs = with_curves(tmp_path, fruit, [0.7, 0.75, 0.8, 0.82], net, [100, 900, 1000, 40_000], train=0.9)
    estimate = measured(tmp_path / "claims", inputs, "overfitting", family="deep", below=1000)
    assert estimate.value == pytest.approx((0.4 + 0.3) / 2)
    why = why_not(tmp_path / "claims", inputs, "overfitting", family="deep", below=100)
    assert why == "no size below 100 examples was measured"


def test_the_gain_of_a_doubling_is_that_of_the_law(tmp_path: Path, fruit: ClaimInputs) -> None:
    sizes = [100, 400, 1600, 6400, 25_600]
    tree, net = (1 - (a + b * np.array(sizes) ** -0.5) for a, b in ((0.10, 2.0), (0.0, 4.0)))
    inputs = with_curves(tmp_path, fruit, list(tree), list(net), sizes, n_test=4000)
    net_gain = measured(tmp_path / "claims", inputs, "gain_per_doubling", family="deep")
    tree_gain = measured(tmp_path / "claims", inputs, "gain_per_doubling", family="classical")
    assert net_gain.value == pytest.approx(1 - 2**-0.5, abs=0.03)  # with nothing left over, whatever the size
    # 2 / sqrt(25,600) is 0.0125, beside the 0.10 that stay.
    assert tree_gain.value == pytest.approx(0.0125 * (1 - 2**-0.5) / 0.1125, abs=0.01)
    assert tree_gain.interval.low < tree_gain.value < tree_gain.interval.high


@pytest.mark.parametrize(
    ("quantity", "of"),
    [
        ("deep_leads_from", {"needs": 10}),
        ("smallest_lead", {"family": "deep", "below": 10}),
        ("overfitting", {"family": "deep", "below": 10}),
        ("gain_per_doubling", {"family": "deep"}),
    ],
)
def test_without_curves_nothing_is_said_of_them(
    tmp_path: Path, fruit: ClaimInputs, quantity: str, of: dict[str, Any]
) -> None:
    assert why_not(tmp_path, fruit, quantity, **of) == "no learning curve was measured"


# What a claim must not say


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sorce": "a test"}, r"keys all_of, beside, .*; check sorce"),
        ({"source": None}, "check source"),
        ({"claim": ""}, "claim must be text, got ''"),
        ({"waits_for": "rain"}, "check all_of, measure"),
        ({"datasets": "fruit"}, "datasets must be any or a list of names, got 'fruit'"),
        ({"all_of": []}, r"all_of must be a list of quantities, got \[\]"),
        ({"all_of": [{"quantity": "accuracy", "of": TREE}]}, "check condition"),
        (
            {"all_of": [ABOVE_HALF | {"quantity": "acuracy"}]},
            "one of accuracy, accuracy_difference, .*'acuracy'",
        ),
        (
            {"all_of": [ABOVE_HALF | {"of": {"model": "tree"}}]},
            "accuracy takes features, model, variant; check features",
        ),
        ({"all_of": [ABOVE_HALF | {"of": TREE | {"modell": "tree"}}]}, "check modell"),
        ({"all_of": [ABOVE_HALF | {"of": {"features": "raw", "model": 3}}]}, "model must be a name, got 3"),
        (
            {"all_of": [ABOVE_HALF | {"condition": {"over": 1}}]},
            r"one of \{above\}, \{below\}, .*got \{'over': 1\}",
        ),
        ({"all_of": [ABOVE_HALF | {"condition": {"reaches": 1}}]}, r"\{reaches, tolerance\}"),
        (
            {"all_of": [ABOVE_HALF | {"condition": {"published": "forest"}}]},
            "published must be one of textbook_forest, textbook_cnn, .*got 'forest'",
        ),
        ({"all_of": [ABOVE_HALF | {"condition": {"above": "high"}}]}, "above must be a number, got 'high'"),
        (
            {"all_of": [ABOVE_HALF | {"condition": {"within": [2, 1]}}]},
            r"two rising numbers, \[low, high\], got \[2, 1\]",
        ),
        ({"beside": [ABOVE_HALF]}, "check condition"),
        (
            {"beside": [{"quantity": "gain_per_doubling", "of": {"family": "shallow"}}]},
            "family must be one of",
        ),
        (
            {"beside": [{"quantity": "deep_leads_from", "of": {"needs": 0}}]},
            "needs must be a number above 0, got 0",
        ),
        (
            {"beside": [{"quantity": "highest_cost", "of": {"column": "fit_second", "cells": TREE}}]},
            "column must be one of fit_seconds, .*'fit_second'",
        ),
        (
            {
                "beside": [
                    {"quantity": "highest_cost", "of": {"column": "fit_seconds", "cells": {"modl": "tree"}}}
                ]
            },
            "cells are named by features, model, family, variant, got modl",
        ),
    ],
)
def test_a_wrong_claim_is_refused_by_its_file(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write_claim(tmp_path, **changes)
    with pytest.raises(CrossoverError, match=rf"(?s){message}.*new\.yaml\)$"):
        load_claims(tmp_path)


def test_an_id_stands_for_one_claim(tmp_path: Path) -> None:
    write_claim(tmp_path, "a")
    write_claim(tmp_path, "b", id="a")
    with pytest.raises(CrossoverError, match=r"an id of its own, got a again \(.*b\.yaml\)"):
        load_claims(tmp_path)


def test_a_folder_without_claims_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CrossoverError, match="claims must hold at least one claim"):
        load_claims(tmp_path / "claims")


def test_a_broken_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: [")
    with pytest.raises(CrossoverError, match=r"a\.yaml is not valid YAML"):
        load_claims(tmp_path)
