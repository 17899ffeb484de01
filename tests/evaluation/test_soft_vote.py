"""The soft vote of a family, from scored cells that are made up."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from crossover.core.cell import DEFAULT, LEARNED, SEVERAL, TUNED, VOTE, Cell, Family
from crossover.core.fits import FitCosts, FitRecord, Repetitions, ValidationScores
from crossover.core.study import NOT_APPLICABLE, OK
from crossover.data.prepared import Meta
from crossover.evaluation.rows import ScoredFit, ScoredRepetitions
from crossover.evaluation.soft_vote import soft_vote
from crossover.models.base import Complexity
from crossover.scoring.judge import evaluate
from crossover.scoring.latency import PredictionCost

Y_TEST = np.array([0, 1, 2, 0, 1, 2])
Y_VALIDATION = np.array([0, 1, 2, 0])


class OnePrepared:
    """A data set with one split, as far as a vote asks for it."""

    meta = Meta("toy", "table", ["a", "b", "c"], [2], 1.0, 6, 6, "made for a test", "checksum")

    def of(self, repetition: int) -> "OnePrepared":
        return self

    def labels(self, part: str) -> np.ndarray:
        return np.concatenate([Y_VALIDATION, [1, 2]])

    def validation_rows(self, repetition: int) -> np.ndarray:
        return np.arange(4)


def distributions(rng: np.random.Generator, y: np.ndarray, sure: float) -> np.ndarray:
    return rng.dirichlet(np.ones(3), len(y)) * (1 - sure) + np.eye(3)[y] * sure


class Cells:
    """Scored cells of a data set, and their probabilities for the validation rows."""

    def __init__(self) -> None:
        self.scored: list[ScoredRepetitions] = []
        self.validation: dict[Cell, dict[int, np.ndarray]] = {}
        self.rng = np.random.default_rng(0)

    def add(
        self,
        family: Family,
        model: str,
        accuracy: float,
        *,
        features: str = "raw",
        seeds: int = 2,
        variant: str = DEFAULT,
        problem: str = "",
        unit: Any = "nodes",
        **costs: float,
    ) -> ScoredRepetitions:
        cell = Cell("toy", LEARNED if family == "deep" else features, model, family, variant)
        metrics = {"accuracy": accuracy, "log_loss": 1 - accuracy}
        scores = [ValidationScores(seed, 50, 4, metrics, problem) for seed in (0, 1)]
        self.validation[cell] = {seed: distributions(self.rng, Y_VALIDATION, 0.3) for seed in (0, 1)}
        fits = []
        for seed in range(seeds):
            proba = distributions(self.rng, Y_TEST, 0.2)
            of_fit = FitCosts(
                fit_seconds=3.0,
                fit_seconds_low=2.0,
                fit_seconds_high=4.0,
                fits_timed=1,
                features_seconds=0.0 if family == "deep" else 1.0,
                waiting_share=None,
                peak_memory_bytes=100,
                fit_memory_bytes=None,
                fit_energy_j=None,
                energy_method="",
                device="cpu",
                threads=2,
                versions="python 3.11",
                git_commit="abc",
                fitted_at="2026-01-01T00:00:00+00:00",
            )
            features_cost = (0.0, None) if family == "deep" else (1.0, 1000.0)
            cost = PredictionCost(3.0, 2.0, 4.0, 5.0, features_cost[0], 500.0, 400.0, 600.0, features_cost[1])
            record = FitRecord(f"{model}{seed}", 60, 0, "c")
            fits.append(
                ScoredFit(
                    seed,
                    None,
                    record,
                    Y_TEST,
                    proba,
                    evaluate(Y_TEST, proba),
                    of_fit,
                    cost,
                    Complexity(10, unit),
                    7,
                )
            )
        one = ScoredRepetitions(Repetitions(cell, OK, "", seeds > 1, list(range(seeds))), scores, fits)
        self.scored.append(one)
        return one

    def vote(self, family: Family, most: int = 3, variant: str = DEFAULT) -> ScoredRepetitions:
        features = LEARNED if family == "deep" else SEVERAL
        prepared: Any = OnePrepared()
        return soft_vote(
            Cell("toy", features, VOTE, family, variant), self.scored, self.validation, most, prepared
        )


@pytest.fixture
def cells() -> Cells:
    """Four classical cells, "worst" the last on validation rows, and two networks."""
    cells = Cells()
    for model, accuracy in (("worst", 0.7), ("forest", 0.9), ("svm", 0.95), ("boost", 0.92)):
        cells.add("classical", model, accuracy)
    cells.add("deep", "mlp", 0.9)
    cells.add("deep", "cnn", 0.95)
    return cells


def test_the_best_by_the_metric_of_the_data_set_vote(cells: Cells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OnePrepared, "meta", replace(OnePrepared.meta, metric="macro_f1"))
    for one in cells.scored:
        for scores in one.validation:
            scores.metrics["macro_f1"] = 1 - scores.metrics["accuracy"]
    voted = cells.vote("classical").fits[0].proba
    expected = np.mean([one.fits[0].proba for one in named(cells, "worst", "forest", "boost")], axis=0)
    np.testing.assert_allclose(voted, expected)


def named(cells: Cells, *models: str) -> list[ScoredRepetitions]:
    return [next(one for one in cells.scored if one.cell.model == model) for model in models]


def test_the_best_on_validation_rows_vote_with_their_probabilities(cells):
    vote = cells.vote("classical")
    voters = named(cells, "svm", "boost", "forest")
    for k, fit in enumerate(vote.fits):
        np.testing.assert_allclose(fit.proba, np.mean([one.fits[k].proba for one in voters], axis=0))
        assert fit.metrics == evaluate(Y_TEST, fit.proba)
    assert [fit.seed for fit in vote.fits] == [0, 1]
    for scores in vote.validation:
        mean = np.mean([cells.validation[one.cell][scores.seed] for one in voters], axis=0)
        assert scores.metrics["log_loss"] == pytest.approx(evaluate(Y_VALIDATION, mean)["log_loss"])
    assert [(one.seed, one.n_train, one.n_validation) for one in vote.validation] == [(0, 50, 4), (1, 50, 4)]


def test_a_family_with_fewer_models_votes_with_what_it_has(cells):
    voters = named(cells, "mlp", "cnn")
    (fit, _) = cells.vote("deep").fits
    np.testing.assert_allclose(fit.proba, np.mean([one.fits[0].proba for one in voters], axis=0))


def test_no_family_has_a_vote_where_one_of_them_has_a_single_model(cells):
    cells.scored = [one for one in cells.scored if one.cell.model != "mlp"]
    for family in ("classical", "deep"):
        vote = cells.vote(family)
        assert (vote.record.status, vote.fits) == (NOT_APPLICABLE, [])
        assert vote.record.reason == "a vote needs two models in each family, toy has 1 deep"


def test_a_model_that_is_fitted_once_votes_in_every_repetition(cells):
    single = cells.add("classical", "neighbours", 0.99, seeds=1)
    vote = cells.vote("classical", most=2)
    (svm,) = named(cells, "svm")
    assert vote.record.stochastic
    for k, fit in enumerate(vote.fits):
        np.testing.assert_allclose(fit.proba, (single.fits[0].proba + svm.fits[k].proba) / 2)


def test_the_textbooks_recipes_and_other_levels_of_effort_do_not_vote(cells):
    cells.add("classical", "recipe", 0.99, variant="textbook")
    tuned = cells.add("classical", "boost", 0.98, variant=TUNED)
    default, searched = cells.vote("classical", most=2), cells.vote("classical", most=2, variant=TUNED)
    svm, boost = named(cells, "svm", "boost")
    np.testing.assert_allclose(default.fits[0].proba, (svm.fits[0].proba + boost.fits[0].proba) / 2)
    np.testing.assert_allclose(searched.fits[0].proba, (svm.fits[0].proba + tuned.fits[0].proba) / 2)


def test_costs_are_those_of_the_voters_and_features_are_made_once(cells):
    cells.add("classical", "other", 0.99, features="hog")
    fit = cells.vote("classical", most=3).fits[0]  # other on hog, svm and boost on raw
    assert (fit.costs.fit_seconds, fit.costs.features_seconds) == (3 + 3 + 2, 2.0)
    assert (fit.costs.fit_seconds_low, fit.costs.fit_seconds_high) == (2 + 2 + 1, 4 + 4 + 3)
    assert (fit.cost.latency_p50_ms, fit.cost.features_p50_ms) == (3 + 3 + 2, 2.0)
    assert fit.cost.throughput_per_s == pytest.approx(1 / (3 / 500 - 1 / 1000))
    assert fit.cost.features_per_s == pytest.approx(500)
    assert fit.model_bytes == 21
    assert fit.complexity == Complexity(30, "nodes")


def test_nodes_and_stored_values_have_no_sum(cells):
    cells.add("classical", "neighbours", 0.99, unit="stored values")
    assert cells.vote("classical").fits[0].complexity is None


def test_a_problem_of_a_voter_is_one_of_the_vote(cells):
    cells.add("deep", "tabm", 0.99, problem="its loss was still falling")
    problems = {one.problem for one in cells.vote("deep").validation}
    assert problems == {"tabm votes in it, and of that: its loss was still falling"}
    assert {one.remedy for one in cells.vote("deep").validation} == {""}
