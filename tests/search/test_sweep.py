"""A search: fair, resumable, and whole however it ends."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import time

import pandas as pd
import pytest
import yaml
from optuna.trial import create_trial

from crossover.core.columns import COMPLETED, TRIAL_COSTS, TRIALS
from crossover.search.outcome import FinishedTrial, best_of, pareto_front
from crossover.search.trial import TrialResult

TREE = ("dataset=wine", "model=decision_tree", "output=project")
SHORT = (*TREE, "max_repetitions=2")  # for tests in which no number of repetitions matters
KILLS = int(os.environ.get("CROSSOVER_KILLS", "3"))


def budget(n: int) -> str:
    return f"hydra.sweeper.n_trials={n}"


def fails_with(done, *words: str) -> None:
    """The command failed, and says all of these in one sentence without a traceback."""
    assert done.status != 0, done.text
    assert "Traceback" not in done.text, done.text
    sentence = next(line for line in done.text.splitlines() if line.startswith("error: "))
    for word in words:
        assert word in sentence, sentence


@pytest.mark.slow
def test_a_search_leaves_its_trials_and_the_best_configuration(searched):
    trials, folder = searched.trials(), searched.outcome()
    assert list(trials.columns[: len(TRIALS)]) == TRIALS
    assert trials["trial"].tolist() == list(range(8))
    assert set(trials["state"]) <= {"completed", "pruned"}
    completed = trials[trials["state"] == "completed"]
    best = completed.sort_values(["accuracy", "log_loss", "trial"], ascending=[False, True, True]).iloc[0]
    assert trials.loc[trials["best"], "trial"].tolist() == [best["trial"]]
    found = yaml.safe_load((folder / "best.yaml").read_text())["model"]
    if best["trial"]:
        assert found["estimator"]["criterion"] == best["param.estimator.criterion"]
    costs = pd.read_csv(folder / "costs.csv")
    assert costs.columns.tolist() == TRIAL_COSTS
    assert (costs["seconds"] > 0).all()
    facts = json.loads((folder / "sweep.json").read_text())
    assert facts["repetitions"] == [31, 30, 29, 28, 27]
    assert facts["completed"] + facts["pruned"] == 8
    assert f"best trial {int(best['trial'])}" in (searched.root / "log.txt").read_text()


@pytest.mark.slow
def test_trial_0_is_the_default_configuration(searched, tmp_path):
    place = searched.copy(tmp_path / "copy")
    place.tune(*TREE, budget(1))
    trials = place.trials()
    assert trials["param.estimator.criterion"].tolist() == ["gini"]
    assert trials["best"].tolist() == [True]
    assert yaml.safe_load((place.outcome() / "best.yaml").read_text()) == {"model": {}}


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trials_and_another_seed_others(searched, workplace, tmp_path):
    shorter = searched.copy(tmp_path / "shorter")
    for place in (shorter, workplace):
        assert place.tune(*TREE, budget(5)).status == 0
    for name in ("trials.csv", "best.yaml", "importance.csv", "sweep.json"):
        assert (workplace.outcome() / name).read_bytes() == (shorter.outcome() / name).read_bytes()
    assert workplace.tune(*TREE, budget(3), "hydra.sweeper.seed=4").status == 0
    assert not workplace.trials()["accuracy"][1:].equals(searched.trials()["accuracy"][1:3])


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampler",
    [
        pytest.param(["random"], id="random"),
        pytest.param(["tpe", "hydra.sweeper.sampler.n_startup_trials=2"], id="tpe"),
        pytest.param(["grid"], id="grid"),
    ],
)
def test_the_budget_is_a_total(searched, workplace, tmp_path, sampler):
    whole = searched.copy(tmp_path / "whole")
    choice = [f"hydra/sweeper/sampler={sampler[0]}", *sampler[1:]]
    whole.tune(*TREE, *choice, budget(8))
    workplace.tune(*TREE, *choice, budget(3))
    first = workplace.trials()
    places = sorted(workplace.root.glob("multirun/tune/*/trial-*/trial.json"))
    written = [path.stat().st_mtime_ns for path in places]
    workplace.tune(*TREE, *choice, budget(8))
    assert len(first) == 3
    assert [path.stat().st_mtime_ns for path in places] == written
    shown = [name for name in TRIALS if name not in ("best", "pareto")]
    assert workplace.trials()[:3][shown].equals(first[shown])
    assert (workplace.outcome() / "trials.csv").read_bytes() == (whole.outcome() / "trials.csv").read_bytes()
    assert whole.tune(*TREE, *choice, budget(3)).status == 0  # trials beyond a smaller budget do not count
    assert whole.trials()[shown].equals(first[shown])


@pytest.mark.slow
def test_a_sequential_search_killed_at_random_moments_ends_with_the_trials_of_an_undisturbed_one(
    workplace, tmp_path
):
    arguments = (*SHORT, budget(12), "hydra/sweeper/sampler=tpe")
    undisturbed = workplace.fresh(tmp_path / "undisturbed")
    assert undisturbed.tune(*arguments).status == 0
    kills, rng = 0, random.Random(0)
    for search in range(KILLS):  # one that got to its end is followed by another one
        place = workplace.fresh(tmp_path / f"killed-{search}")
        process = place.start(*arguments)
        while kills < KILLS and _has_a_new_trial(place, process):
            time.sleep(rng.uniform(0, 0.2))
            with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            process = place.start(*arguments)
        assert process.wait() == 0, process.text
        for name in ("trials.csv", "best.yaml", "importance.csv", "sweep.json"):
            assert (place.outcome() / name).read_bytes() == (undisturbed.outcome() / name).read_bytes()
        if kills == KILLS:
            break
    assert kills == KILLS


@pytest.mark.slow
def test_a_parallel_search_that_is_killed_ends_with_its_budget_of_distinct_trials(workplace):
    arguments = (*SHORT, budget(12), "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    rng = random.Random(1)
    for kill in (os.kill, os.killpg):  # the search alone, then its workers too
        process = workplace.start(*arguments)
        _wait_for_a_new_trial(workplace, process)
        time.sleep(rng.uniform(0, 0.4))
        kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    process = workplace.start(*arguments)
    assert process.wait() == 0, process.text
    trials = workplace.trials()
    assert trials["trial"].tolist() == list(range(12))
    assert not trials.filter(like="param.").duplicated().any()
    assert set(trials["state"]) <= {"completed", "pruned"}


def _wait_for_a_new_trial(workplace, process) -> None:
    """Until the search has finished one more trial than before it was started."""
    assert _has_a_new_trial(workplace, process), process.text


def _has_a_new_trial(workplace, process) -> bool:
    """Whether the search finishes one more trial than before it was started, as soon as it does; else it ended."""

    def finished() -> int:
        return len(list(workplace.root.glob("multirun/tune/*/trial-*/trial.json")))

    before, deadline = finished(), time.monotonic() + 60
    while finished() <= before and time.monotonic() < deadline:
        if not process.running():
            return False
        time.sleep(0.02)
    return True


@pytest.mark.slow
def test_first_ever_searches_at_once_all_succeed(workplace):
    env = {"CROSSOVER_TRACKING": "mlflow"}
    seeds = range(3)
    processes = [
        workplace.start(
            "dataset=wine",
            "model=decision_tree",
            "max_repetitions=1",
            budget(2),
            f"hydra.sweeper.seed={seed}",
            env=env,
        )
        for seed in seeds
    ]
    for process in processes:
        assert process.wait() == 0, process.text
        assert "tracking is off" not in process.text
        assert "2 completed" in process.text
    with sqlite3.connect(workplace.root / "mlflow.db") as store:
        names = [row[0] for row in store.execute("select name from runs")]
    assert sum(name.startswith("tune decision_tree") for name in names) == len(seeds)
    assert sum(name == "trial 1" for name in names) == len(seeds)


@pytest.mark.slow
def test_two_processes_do_not_run_the_same_search_at_once(workplace):
    process = workplace.start(*SHORT, budget(200))
    _wait_for_a_new_trial(workplace, process)
    fails_with(
        workplace.tune(*SHORT, budget(200)), "one process at a time", "multirun/tune/wine-raw-decision_tree"
    )
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.slow
def test_a_failing_trial_is_recorded_and_the_search_goes_on(workplace):
    failing = (*SHORT, budget(5), "model.estimator.max_depth=choice(-2,3,4,5)", "hydra.sweeper.seed=1")
    done = workplace.tune(*failing)
    trials = workplace.trials()
    failed = trials[trials["state"] == "failed"]
    assert len(trials) == 5
    assert failed["param.estimator.max_depth"].tolist() == ["-2"]
    assert failed["error"].str.contains("max_depth").all()
    fails_with(done, "1 of 5", "max_depth", "max_failure_rate")
    assert "4 completed, 0 pruned, 1 failed" in done.text
    assert workplace.tune(*failing, "hydra.sweeper.max_failure_rate=0.9").status == 0


def test_all_trials_failing_is_an_error_whatever_the_rate(workplace):
    done = workplace.tune(
        *TREE,
        budget(2),
        "examples=3000",
        "max_repetitions=1",
        "hydra.sweeper.max_failure_rate=1",
        "hydra.sweeper.seed=1",
    )
    fails_with(done, "2 of 2", "examples", "3,000")


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_own_trial_alone(workplace):
    (workplace.root / "dying.py").write_text(
        "import os\n"
        "from sklearn.tree import DecisionTreeClassifier\n"
        "class Dying(DecisionTreeClassifier):\n"
        "    def fit(self, X, y):\n"
        "        if self.max_depth == 3:\n"
        "            os._exit(9)\n"
        "        return super().fit(X, y)\n"
    )
    process = workplace.start(
        *TREE,
        budget(5),
        "model.estimator._target_=dying.Dying",
        "model.estimator.max_depth=choice(3)",
        "hydra/sweeper/sampler=grid",
        "hydra/launcher=joblib",
        "hydra.launcher.n_jobs=2",
        "hydra.sweeper.max_failure_rate=0.5",
        env={"PYTHONPATH": f"{workplace.root}"},
    )
    assert process.wait() == 0, process.text
    trials = workplace.trials()
    assert trials.loc[trials["state"] == "failed", "param.estimator.max_depth"].tolist() == ["3"]
    assert (trials["state"] == "completed").sum() == len(trials) - 1


@pytest.mark.slow
def test_a_budget_in_seconds_ends_the_search(workplace):
    done = workplace.tune(*TREE, "hydra.sweeper.n_trials=null", "hydra.sweeper.n_seconds=0.4")
    assert done.status == 0, done.text
    seconds = pd.read_csv(workplace.outcome() / "costs.csv")["seconds"]
    assert seconds.sum() >= 0.4 > seconds[:-1].sum()
    facts = json.loads((workplace.outcome() / "sweep.json").read_text())
    assert facts["budget"] == {"trials": None, "seconds": 0.4}
    before = len(seconds)
    workplace.tune(*TREE, "hydra.sweeper.n_trials=null", "hydra.sweeper.n_seconds=0.4")
    assert len(workplace.trials()) == before


@pytest.mark.slow
def test_a_finite_space_that_runs_out_ends_the_search(workplace):
    done = workplace.tune(
        *SHORT, budget(50), "hydra/sweeper/sampler=grid",
        "model.estimator.criterion=choice(gini,entropy)", "model.estimator.min_samples_leaf=choice(1,2,3)",
    )  # fmt: skip
    assert done.status == 0, done.text
    trials = workplace.trials()
    assert len(trials) == 6
    assert not trials.filter(like="param.").duplicated().any()
    assert "no further configuration" in done.text
    assert json.loads((workplace.outcome() / "sweep.json").read_text())["exhausted"] is True


@pytest.mark.slow
def test_two_objectives_give_a_pareto_front(workplace):
    done = workplace.tune(*SHORT, budget(6), "objectives=[accuracy,fit_seconds]")
    assert done.status == 0, done.text
    trials = workplace.trials()
    seconds = pd.read_csv(workplace.outcome() / "costs.csv")["fit_seconds"]
    for row in range(6):
        better = (trials["accuracy"] >= trials["accuracy"][row]) & (seconds <= seconds[row])
        better &= (trials["accuracy"] > trials["accuracy"][row]) | (seconds < seconds[row])
        assert trials["pareto"][row] == (not better.any())
    assert (trials["state"] == "completed").all()  # Optuna cannot prune for two objectives


@pytest.mark.slow
def test_hopeless_trials_are_pruned(workplace):
    done = workplace.tune(
        "dataset=wine", "model=xgboost", "output=project", budget(6), "max_repetitions=2", "pruner.n_startup_trials=2",
        "model.learning_rate=tag(log,interval(1e-6,1))", "model.n_estimators=choice(20)", "hydra.sweeper.seed=2",
    )  # fmt: skip
    assert done.status == 0, done.text
    trials = workplace.trials(model="xgboost")
    pruned = trials[trials["state"] == "pruned"]
    assert len(pruned) > 0
    assert (pruned["repetitions"] < 2).all()
    assert pruned["accuracy"].max() <= trials["accuracy"].max()
    assert not trials["best"][pruned.index].any()


@pytest.mark.slow
def test_models_on_the_command_line_are_a_search_each(workplace):
    done = workplace.tune(
        "dataset=wine",
        "model=decision_tree,k_nearest_neighbors",
        "output=project",
        budget(2),
        "max_repetitions=1",
    )
    assert done.status == 0, done.text
    assert len(workplace.trials()) == len(workplace.trials(model="k_nearest_neighbors")) == 2


def test_a_single_run_scores_one_configuration(workplace):
    done = workplace.tune(*TREE[:2], "hydra.mode=RUN", "model.estimator.max_depth=1")
    assert done.status == 0, done.text
    assert "validation accuracy 0." in done.text
    assert not (workplace.root / "optuna.db").exists()


def test_a_model_that_does_not_take_the_data(workplace):
    fails_with(workplace.tune("dataset=wine", "model=cnn"), "cnn takes image data", "wine is table data")
    done = workplace.tune("dataset=wine", "model=cnn", "output=project")
    assert done.status == 0, done.text
    assert workplace.trials("learned", "cnn").empty
    facts = json.loads((workplace.outcome("learned", "cnn") / "sweep.json").read_text())
    assert facts["status"] == "not applicable"
    assert "cnn takes image data" in facts["reason"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([budget(0)], ["n_trials", "0"]),
        (["hydra.sweeper.n_trials=null"], ["either trials or seconds", "null"]),
        (["hydra.sweeper.n_seconds=30"], ["either trials or seconds", "30"]),
        (["hydra.sweeper.n_trials=null", "hydra.sweeper.n_seconds=-1"], ["n_seconds", "-1"]),
        (["hydra.sweeper.seed=-1"], ["hydra.sweeper.seed", "-1"]),
        (["hydra.sweeper.max_failure_rate=2"], ["max_failure_rate", "2"]),
        (["+hydra.sweeper.n_trails=3"], ["n_trails", "conf/hydra/sweeper/search.yaml"]),
        (["model.estimator.max_deep=interval(1,5)"], ["estimator.max_deep", "conf/model/decision_tree.yaml"]),
        (["model.estimator.max_depth=interval(5,1)"], ["estimator.max_depth", "5", "1"]),
        (["objectives=[fit_seconds]"], ["objectives", "accuracy", "fit_seconds"]),
        (["objectives=[accuracy,fit_seconds,latency_p50_ms]"], ["objectives", "latency_p50_ms"]),
        (["examples=0"], ["examples", "0"]),
        (
            ["hydra.sweeper.storage=sqlite:////proc/nowhere/x.db"],
            ["hydra.sweeper.storage", "/proc/nowhere/x.db"],
        ),
        (["hydra.sweeper.storage=nosuch://server/x"], ["hydra.sweeper.storage", "nosuch"]),
        (
            ["hydra.sweeper.storage='postgresql://user:secret@host/x'"],
            ["must not hold a password", "postgresql://***@host/x", "${oc.env:STORAGE}"],
        ),
        (["+pruner.n_startup_trails=3", "pruner=median"], ["n_startup_trails", "conf/pruner/median.yaml"]),
        (["+pruner.percentile=3", "pruner=none"], ["takes no arguments", "conf/pruner/none.yaml"]),
    ],
)
def test_bad_input_is_refused_in_one_sentence(workplace, arguments, words):
    fails_with(workplace.tune(*TREE, *arguments), *words)
    assert not (workplace.root / "results").exists()


def test_a_storage_of_another_program_is_refused_and_left_alone(workplace):
    path = workplace.root / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("create table alembic_version (version_num varchar(32) not null)")
        other.execute("insert into alembic_version values ('mlflow')")
        other.execute("create table studies (name text)")
    fails_with(
        workplace.tune(*TREE, f"hydra.sweeper.storage=sqlite:///{path}"), "hydra.sweeper.storage", "other.db"
    )
    with sqlite3.connect(path) as other:
        assert {row[0] for row in other.execute("select name from sqlite_master")} == {
            "alembic_version",
            "studies",
        }
    (workplace.root / "text.db").write_text("no database")
    address = f"hydra.sweeper.storage=sqlite:///{workplace.root}/text.db"
    fails_with(workplace.tune(*TREE, address), "hydra.sweeper.storage", "text.db")


def test_a_study_of_another_search_is_not_mixed_with_this_one(workplace):
    assert workplace.tune(*TREE, budget(1), "hydra.sweeper.study_name=mine").status == 0
    fails_with(
        workplace.tune(*TREE, budget(1), "hydra.sweeper.study_name=mine", "hydra.sweeper.seed=7"),
        "mine",
        "seed",
    )


def test_a_search_space_of_the_wrong_model_names_the_key(workplace):
    fails_with(
        workplace.tune(*TREE, "search=xgboost"), "conf/search/xgboost.yaml", "conf/model/decision_tree.yaml"
    )


def test_the_variant_tuned_is_fitted_with_the_best_configuration(workplace):
    workplace.outcome().mkdir(parents=True)
    (workplace.outcome() / "best.yaml").write_text("model: {estimator: {max_depth: 2}}\n")
    done = workplace.run("train_classical", *TREE, "variant=tuned", "seeds=2")
    assert done.status == 0, done.text
    folder = workplace.root / "models" / "wine" / "raw" / "decision_tree-tuned"
    for seed in (0, 1):
        config = json.loads((folder / f"seed_{seed}" / "model" / "config.json").read_text())
        assert config["estimator"]["max_depth"] == 2
        assert config["estimator"]["criterion"] == "gini"
    assert json.loads((folder / "cell.json").read_text())["variant"] == "tuned"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["best.yaml", "does not exist", "dvc repro"]),
        (
            "model: {estimator: {max_deep: 2}}",
            ["best.yaml", "estimator.max_deep", "no longer", "decision_tree.yaml"],
        ),
        ("- 1", ["best.yaml", "must hold keys", "search for it"]),
        ("model: [", ["best.yaml", "not valid YAML"]),
    ],
)
def test_a_best_configuration_that_does_not_fit_is_refused_in_one_sentence(workplace, content, words):
    if content is not None:
        workplace.outcome().mkdir(parents=True)
        (workplace.outcome() / "best.yaml").write_text(content)
    fails_with(workplace.run("train_classical", *TREE, "variant=tuned"), *words)
    assert not (workplace.root / "models").exists()


def test_a_variant_that_does_not_exist(workplace):
    fails_with(
        workplace.run("train_classical", *TREE, "variant=tunned"),
        "variant",
        "tunned",
        "textbook, default, tuned",
    )


def test_a_null_of_params_yaml_is_none_in_the_command_of_dvc(workplace):
    done = workplace.tune(
        *TREE,
        budget(1),
        "max_repetitions=1",
        "hydra.sweeper.n_seconds=None",
        "objectives=[accuracy,None]",
        "examples=None",
    )
    assert done.status == 0, done.text
    facts = json.loads((workplace.outcome() / "sweep.json").read_text())
    assert (facts["budget"], facts["objectives"], facts["examples"]) == (
        {"trials": 1, "seconds": None},
        ["accuracy"],
        None,
    )


@pytest.mark.slow
def test_trials_are_fitted_on_a_subset(workplace):
    assert workplace.tune(*TREE, budget(2), "examples=60").status == 0
    facts = json.loads((workplace.outcome() / "sweep.json").read_text())
    assert (facts["examples"], facts["n_train"]) == (60, 60)


def test_as_many_right_answers_are_as_good_however_the_splits_share_them():
    shared = [[12, 12, 12, 14, 14], [11, 13, 13, 13, 14]]  # right answers of 14 on five splits, 64 in all
    accuracies = [[right / 14 for right in splits] for splits in shared]
    assert sum(accuracies[0]) / 5 != sum(accuracies[1]) / 5  # by the sixteenth decimal
    results = [
        TrialResult(COMPLETED, values, values, [loss])
        for values, loss in zip(accuracies, (0.2, 0.4), strict=True)
    ]
    trials = [FinishedTrial(number, {}, result) for number, result in enumerate(results)]
    assert results[0].accuracy == results[1].accuracy
    assert best_of(trials) is trials[0]  # the lower log loss decides
    assert pareto_front([create_trial(value=result.accuracy) for result in results], ["maximize"]) == {0, 1}
