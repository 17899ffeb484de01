"""Facts of fits, searches and trials for the tests of tracking, and what they record when a store is new."""

from dataclasses import replace
from typing import Any

from crossover.core.cell import Cell
from crossover.data.prepared import Meta
from crossover.tracking.mlflow_tracker import MlflowTracker
from crossover.tracking.tracker import FitFacts, SweepFacts, TrialFacts

IMAGES = Meta(
    "digits", "image", ["zero", "one"], [4, 4, 1], 16.0, 30, 10, "stratified", "0123456789abcdef" * 4
)
TABLE = Meta("passengers", "table", ["no", "yes"], [2], 1.0, 40, 10, "stratified", "fedcba9876543210" * 4)

FIRST_FITS, FIRST_TRIALS = 2, 2
CELL = ("dataset", "features", "family", "variant")


def facts_of(fit_id: str, **changes: Any) -> FitFacts:
    facts = FitFacts(
        cell=Cell("digits", "raw", "random_forest", "classical"),
        seed=3,
        fit_id=fit_id,
        stage="train_classical",
        params={"model": {"n_estimators": 100, "max_depth": None}, "trainer": {"optimizer": {"lr": 1e-3}}},
        git_commit="0123456789abcdef0123456789abcdef01234567+",
        meta=IMAGES,
    )
    of_cell = {name: changes.pop(name) for name in CELL if name in changes}
    return replace(facts, cell=replace(facts.cell, **of_cell), **changes)


def sweep_of(sweep_id: str, **changes: Any) -> SweepFacts:
    facts = SweepFacts(
        cell=Cell("digits", "raw", "xgboost", "classical"),
        name=f"tune xgboost · raw · {sweep_id}",
        sweep_id=sweep_id,
        params={"sampler": "random", "seed": 0, "budget": {"trials": 20, "seconds": None}},
        git_commit="0123456789abcdef0123456789abcdef01234567",
        meta=IMAGES,
    )
    of_cell = {name: changes.pop(name) for name in CELL if name in changes}
    return replace(facts, cell=replace(facts.cell, **of_cell), **changes)


def trial_of(sweep: SweepFacts, number: int, **params: Any) -> TrialFacts:
    config = {"model": {"n_estimators": 100, "learning_rate": 0.3, **params}}
    return TrialFacts(sweep, number, f"{sweep.sweep_id}-{number}", params, config)


def use_first(uri: str, what: str, number: int) -> None:
    """Record a fit, a search or a trial, as one of several processes that are the first to use a store."""
    tracker, sweep = MlflowTracker(uri=uri, log_models=False), sweep_of("first")
    if what == "search":
        with tracker.sweep(sweep):
            return
    with (
        tracker.fit(facts_of(f"first {number}"))
        if what == "fit"
        else tracker.trial(trial_of(sweep, number)) as log
    ):
        log.metrics({"val/accuracy": 0.5})
