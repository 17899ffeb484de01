"""Recording searches in MLflow."""

import contextlib
import logging
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossover.tracking.mlflow_tracker import MlflowTracker
from crossover.tracking.tracker import SweepFacts, Tracker, TrialFacts
from tests.tracking.tracking_facts import IMAGES, sweep_of, trial_of

pytestmark = pytest.mark.slow  # MLflow takes half a minute to make its databases


def runs_of(client: Any, query: str) -> list[Any]:
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    return list(client.search_runs(ids, query, order_by=["attributes.start_time ASC"]))


def parent_of(client: Any, sweep: SweepFacts) -> Any:
    """The one run of a search."""
    (run,) = runs_of(client, f"tags.`crossover.sweep_id` = '{sweep.sweep_id}'")
    return run


def children_of(client: Any, sweep: SweepFacts) -> list[Any]:
    return runs_of(client, f"tags.`mlflow.parentRunId` = '{parent_of(client, sweep).info.run_id}'")


def child_of(client: Any, sweep: SweepFacts, number: int = 0) -> Any:
    """The one run of a trial."""
    (run,) = runs_of(client, f"tags.`crossover.trial_id` = '{sweep.sweep_id}-{number}'")
    return run


def test_a_search_and_its_trials_that_are_first_at_once_share_a_parent(client: Any) -> None:
    sweep = sweep_of("first")
    parent, children = parent_of(client, sweep), children_of(client, sweep)
    assert parent.info.run_name == "tune xgboost · raw · first"
    assert sorted(run.info.run_name for run in children) == ["trial 0", "trial 1"]
    assert {run.info.status for run in [parent, *children]} == {"FINISHED"}


def test_a_trial_holds_what_was_searched_and_where_it_comes_from(tracker: Tracker, client: Any) -> None:
    sweep = sweep_of("origin")
    with tracker.trial(trial_of(sweep, 17, learning_rate=0.000123456789, booster="dart")):
        pass
    run = child_of(client, sweep, 17)
    searched = {"model.learning_rate": "0.00012346", "model.booster": "dart"}
    assert run.info.run_name == "trial 17"
    assert run.data.params.items() >= {**searched, "model.n_estimators": "100", "data.n_train": "30"}.items()
    tags = {
        "mlflow.source.git.commit": sweep.git_commit,
        "crossover.stage": "tune",
        "crossover.data_checksum": IMAGES.checksum,
        "crossover.state": "completed",
        "dataset": "digits",
        "features": "raw",
        "model": "xgboost",
        "family": "classical",
        "variant": "trial",
        "trial": "17",
    }
    assert run.data.tags.items() >= tags.items()
    (data,) = run.inputs.dataset_inputs
    assert data.dataset.name == "digits"


def test_the_note_of_a_trial_is_a_command_that_hydra_reads(tracker: Tracker, client: Any) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    params = {
        "learning_rate": 1.5e-05,
        "grow": None,
        "kind": "a, 'b'",
        "layers": [32, 64],
        "null_word": "null",
    }
    sweep = sweep_of("command", features="learned", family="deep")
    with tracker.trial(trial_of(sweep, 0, **params)):
        pass
    note = child_of(client, sweep).data.tags["mlflow.note.content"]
    python, script, *overrides = shlex.split(note.split("`")[1])
    assert (python, script) == ("python", "pipelines/train_deep.py")
    parsed = OverridesParser.create().parse_overrides(overrides)
    values = {override.key_or_group: override.value() for override in parsed}
    assert values == {
        "dataset": "digits",
        "model": "xgboost",
        **{f"model.{key}": value for key, value in params.items()},
    }


def test_the_value_recorded_last_is_the_one_that_is_shown(tracker: Tracker, client: Any) -> None:
    sweep = sweep_of("curve")
    with tracker.trial(trial_of(sweep, 0)) as log:
        for epoch in range(3):
            log.epoch(epoch, {"val/accuracy": 0.9 + epoch / 100})
        log.metrics({"val/accuracy": 0.7})
    run = child_of(client, sweep)
    points = client.get_metric_history(run.info.run_id, "val/accuracy")
    assert [point.step for point in points] == [0, 1, 2, 2]
    assert run.data.metrics["val/accuracy"] == 0.7


@pytest.mark.parametrize(
    ("state", "status"), [("completed", "FINISHED"), ("pruned", "FINISHED"), ("failed", "FAILED")]
)
def test_a_run_ends_as_its_trial(tracker: Tracker, client: Any, state: str, status: str) -> None:
    sweep = sweep_of(f"ended {state}")
    with tracker.trial(trial_of(sweep, 0)) as log:
        log.ended(state, "out of memory" if state == "failed" else "")
    run = child_of(client, sweep)
    assert (run.data.tags["crossover.state"], run.info.status) == (state, status)
    assert ("out of memory" in run.data.tags["mlflow.note.content"]) == (state == "failed")


def test_an_exception_is_the_error_of_its_trial_and_goes_on(tracker: Tracker, client: Any) -> None:
    sweep = sweep_of("exception")
    with pytest.raises(ValueError, match="too deep"), tracker.trial(trial_of(sweep, 0)):
        raise ValueError("too deep\nby far")
    with contextlib.suppress(ValueError), tracker.trial(trial_of(sweep, 1)) as log:
        log.ended("pruned")
        raise ValueError("hopeless")
    failed, pruned = children_of(client, sweep)
    assert (failed.info.status, failed.data.tags["crossover.state"]) == ("FAILED", "failed")
    assert failed.data.tags["mlflow.note.content"].startswith("**Failed:** too deep\n")
    assert (pruned.info.status, pruned.data.tags["crossover.state"]) == ("FINISHED", "pruned")


def break_off(tracker: Tracker, facts: TrialFacts) -> None:
    with contextlib.suppress(KeyboardInterrupt), tracker.trial(facts) as log:
        log.epoch(0, {"val/accuracy": 0.5})
        raise KeyboardInterrupt


def fail(tracker: Tracker, facts: TrialFacts) -> None:
    with tracker.trial(facts) as log:
        log.ended("failed", "out of memory")


@pytest.mark.parametrize("first", [break_off, fail])
def test_a_trial_that_has_not_ended_well_goes_on_in_its_run(
    tracker: Tracker, client: Any, first: Callable[[Tracker, TrialFacts], None]
) -> None:
    sweep = sweep_of(f"again after {first.__name__}")
    facts = trial_of(sweep, 4)
    first(tracker, facts)
    with tracker.trial(replace(facts, number=5)) as log:
        run = child_of(client, sweep, 4)
        assert (run.info.status, run.info.run_name) == ("RUNNING", "trial 5")
        assert "crossover.state" not in run.data.tags
        log.metrics({"val/accuracy": 0.8})
    run = child_of(client, sweep, 4)
    assert (run.info.status, run.data.tags["trial"], run.data.tags["crossover.state"]) == (
        "FINISHED",
        "5",
        "completed",
    )
    assert "out of memory" not in run.data.tags["mlflow.note.content"]
    assert run.data.metrics == {"val/accuracy": 0.8}


@pytest.mark.parametrize("state", ["completed", "pruned"])
def test_a_finished_trial_is_never_recorded_twice(tracker: Tracker, client: Any, state: str) -> None:
    sweep = sweep_of(f"once {state}")
    for accuracy in (0.8, 0.6):
        with tracker.trial(trial_of(sweep, 0)) as log:
            log.metrics({"val/accuracy": accuracy})
            log.ended(state)
    assert child_of(client, sweep).data.metrics == {"val/accuracy": 0.8}


def test_a_search_holds_settings_files_and_figures(tracker: Tracker, client: Any, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    (tmp_path / "best.yaml").write_text("model: {}\n")
    sweep = sweep_of("artifacts")
    with tracker.sweep(sweep) as log:
        assert log.keeps
        assert parent_of(client, sweep).info.status == "RUNNING"
        log.artifact(tmp_path / "best.yaml")
        log.figure(Figure(), "optimization_history")
    run = parent_of(client, sweep)
    files = [f.path for folder in (None, "figures") for f in client.list_artifacts(run.info.run_id, folder)]
    assert files == ["best.yaml", "figures", "figures/optimization_history.png"]
    assert run.data.params.items() >= {"sampler": "random", "seed": "0", "data.n_train": "30"}.items()
    assert run.data.tags.items() >= {"variant": "sweep", "model": "xgboost", "budget.trials": "20"}.items()
    assert run.info.status == "FINISHED"


def test_a_search_goes_on_in_its_run_with_another_budget(
    store: str, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sweep = sweep_of("resumed")
    with pytest.raises(KeyboardInterrupt), MlflowTracker(uri=store, log_models=False).sweep(sweep):
        raise KeyboardInterrupt
    assert parent_of(client, sweep).info.status == "KILLED"
    later = replace(sweep, params={**sweep.params, "seed": 1, "budget": {"trials": 40}, "jobs": 2})
    with MlflowTracker(uri=store, log_models=False).sweep(later):
        assert parent_of(client, sweep).info.status == "RUNNING"
    run = parent_of(client, sweep)
    assert run.info.status == "FINISHED"
    assert run.data.tags["budget.trials"] == "40"
    assert (run.data.params["seed"], run.data.tags["seed"], run.data.params["jobs"]) == ("0", "1", "2")
    assert caplog.messages == []


def test_the_best_trial_moves(tracker: Tracker, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossover.tracking.store.RUNS_PER_PAGE", 2)  # so that there is more than one page
    sweep = sweep_of("best")

    def run(number: int, accuracy: float, state: str = "completed") -> None:
        with tracker.trial(trial_of(sweep, number, learning_rate=number / 7)) as log:
            log.metrics({"val/accuracy": accuracy, "val/log_loss": 1 - accuracy, "seconds": 2.0})
            log.ended(state)

    def marked() -> list[str]:
        return [child.info.run_name for child in children_of(client, sweep) if "best" in child.data.tags]

    with tracker.sweep(sweep) as log:
        log.best(None)
        run(0, 0.8)
        run(1, 0.3, "pruned")
        log.best("best-0")
        assert marked() == ["trial 0"]
        run(2, 0.7, "failed")
        run(3, 0.9)
        log.best("best-3")
        log.best("best-3")
    assert marked() == ["trial 3"]
    parent = parent_of(client, sweep)
    assert parent.data.metrics == {
        "val/accuracy": 0.9,
        "val/log_loss": pytest.approx(0.1),
        "best_trial": 3,
        "completed": 2,
        "pruned": 1,
        "failed": 1,
    }
    note = parent.data.tags["mlflow.note.content"]
    page = f"#/experiments/{parent.info.experiment_id}/runs/{child_of(client, sweep, 3).info.run_id}"
    assert note.startswith(f"**Best: [trial 3]({page})**, validation accuracy 0.9000.")
    assert "| `learning_rate` | 0.42857 |" in note
    assert "2 completed, 1 pruned, 1 failed" in note


def test_a_trial_whose_process_died_is_closed_with_the_search(tracker: Tracker, client: Any) -> None:
    sweep = sweep_of("died")
    with tracker.sweep(sweep):
        with tracker.trial(trial_of(sweep, 0)):
            pass
        client.update_run(child_of(client, sweep).info.run_id, status="RUNNING")
    assert child_of(client, sweep).info.status == "KILLED"


def test_equal_trials_of_two_searches_are_two_runs(tracker: Tracker, client: Any) -> None:
    for sweep in (sweep_of("one of two"), sweep_of("two of two")):
        with tracker.trial(replace(trial_of(sweep, 0), trial_id="same")):
            pass
    assert len(runs_of(client, "tags.`crossover.trial_id` = 'same'")) == 2


def test_a_store_that_cannot_be_made_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    tracker = MlflowTracker(uri=f"sqlite:///{tmp_path}/file/mlflow.db", log_models=False)
    sweep = sweep_of("lost")
    with caplog.at_level(logging.WARNING, logger="crossover"), tracker.sweep(sweep) as log:
        for number in range(3):
            with tracker.trial(trial_of(sweep, number)) as trial:
                trial.epoch(0, {"val/accuracy": 0.5})
                trial.metrics({"val/accuracy": 0.5})
                trial.ended("completed")
        assert not log.keeps
        log.best("lost-0")
    assert len(caplog.messages) == 1


def test_a_store_that_fails_during_a_search_leaves_no_run_open(
    tracker: Tracker,
    client: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("crossover.tracking.store._given_up", set())
    sweep = sweep_of("half")
    with caplog.at_level(logging.WARNING, logger="crossover"), tracker.sweep(sweep) as log:
        log.artifact(tmp_path / "absent.yaml")
        log.best(None)
        with tracker.trial(trial_of(sweep, 0)) as trial:
            trial.metrics({"val/accuracy": 0.5})
    assert len(caplog.messages) == 1
    assert parent_of(client, sweep).info.status == "FINISHED"
    assert children_of(client, sweep) == []


def test_no_tracker_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = sweep_of("none")
    with Tracker().sweep(sweep) as log, Tracker().trial(trial_of(sweep, 0)) as trial:
        trial.epoch(0, {"val/accuracy": 0.5})
        trial.ended("completed")
        log.artifact(Path("absent"))
        log.best("none-0")
        assert not log.keeps
    assert list(tmp_path.iterdir()) == []
