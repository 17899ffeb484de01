"""The search spaces of conf/search/, and what a search space refuses."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
import yaml
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import QuotedString
from sklearn.datasets import load_digits

from crossover.core.configuration import build, plain
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.fitting.best import apply_best
from crossover.search.space import SearchSpace

CONF = Path(__file__).parents[2] / "conf"
NAMES = sorted(path.stem for path in (CONF / "search").glob("*.yaml"))

MODEL: dict[str, Any] = {
    "_target_": "some.Model",
    "modalities": ["image"],
    "stochastic": True,
    "rate": 0.1,
    "rounds": 10,
    "shape": [32, 64],
    "early_stopping": None,
    "estimator": {"_target_": "some.Estimator", "bootstrap": False, "max_samples": 1.0, "kind": "a b"},
}
RATE = {"type": "float", "low": 0.001, "high": 1.0, "log": True}
BOOTSTRAP = {"type": "categorical", "choices": [True, False]}
SAMPLES = {"type": "float", "low": 0.5, "high": 1.0, "when": {"estimator.bootstrap": [True]}}


def of(name: str) -> tuple[SearchSpace, dict[str, Any]]:
    """A search space of conf/ and the configuration of its model."""
    content = yaml.safe_load((CONF / "search" / f"{name}.yaml").read_text())
    model = yaml.safe_load((CONF / "model" / f"{name}.yaml").read_text())
    return SearchSpace.load(content, model, f"conf/search/{name}.yaml", f"conf/model/{name}.yaml"), model


def space(**content: Any) -> SearchSpace:
    """A search space of MODEL; `estimator__x` stands for the key `estimator.x`."""
    keys = {key.replace("__", "."): value for key, value in content.items()}
    return SearchSpace.load(keys, MODEL, "conf/search/m.yaml", "conf/model/m.yaml")


def draws(searched: SearchSpace, n: int, seed: int = 0) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [searched.suggest(study.ask()) for _ in range(n)]


def unquoted(value: Any) -> Any:
    if isinstance(value, list):
        return [unquoted(item) for item in value]
    return value.text if isinstance(value, QuotedString) else value


def read_back(override: str) -> tuple[str, Any]:
    """Key and value of an override, by Hydra's own parser."""
    parsed = OverridesParser.create().parse_override(override)
    assert not parsed.is_sweep_override()
    return str(parsed.key_or_group), unquoted(parsed.value())


def test_each_model_has_a_search_space() -> None:
    assert sorted(path.stem for path in (CONF / "model").glob("*.yaml")) == NAMES
    assert {"random_forest", "xgboost", "cnn"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
class TestEverySpace:
    def test_composes_to_what_its_file_holds(self, name: str) -> None:
        with initialize_config_dir(str(CONF)):
            composed = plain(compose(overrides=[f"+search={name}"]))
        assert composed["search"] == yaml.safe_load((CONF / "search" / f"{name}.yaml").read_text())

    def test_default_is_the_model_as_it_is(self, name: str) -> None:
        searched, model = of(name)
        default = searched.default()
        assert list(default) == [key for key in searched.names if key in default]
        assert searched.apply(model, default) == model

    def test_default_lies_inside_but_for_what_its_file_says(self, name: str) -> None:
        outside = {
            "decision_tree": {"estimator.ccp_alpha"},
            "svm": {"gamma"},
            "xgboost": {"gamma", "reg_alpha"},
        }
        searched, _ = of(name)
        default = searched.default()
        assert set(default) - set(searched.encode(default)[0]) == outside.get(name, set())

    def test_draws_build_the_model(self, name: str) -> None:
        searched, model = of(name)
        for params in draws(searched, 20):
            build(searched.apply(model, params), f"conf/model/{name}.yaml")

    def test_draws_come_back_from_overrides_and_from_the_storage(self, name: str) -> None:
        searched, _ = of(name)
        for params in draws(searched, 20):
            found = dict(map(read_back, searched.overrides(params)))
            assert found == {f"model.{key}": value for key, value in params.items()}
            assert [type(value) for value in found.values()] == [type(value) for value in params.values()]
            encoded, distributions = searched.encode(params)
            optuna.trial.create_trial(params=encoded, distributions=distributions, value=0.0)
            assert searched.decode(encoded) == params

    def test_draws_differ_and_repeat_with_the_seed(self, name: str) -> None:
        searched, _ = of(name)
        assert draws(searched, 5, seed=1) == draws(searched, 5, seed=1) != draws(searched, 5, seed=2)

    def test_grid_suits_optunas_sampler(self, name: str) -> None:
        searched, _ = of(name)
        grid = searched.grid(3)
        distributions = searched.distributions()
        assert list(grid) == list(distributions) == searched.names
        for key, values in grid.items():
            assert values
            assert all(distributions[key]._contains(distributions[key].to_internal_repr(v)) for v in values)


def test_draws_fill_a_range_on_its_scale() -> None:
    found = np.array([params["rate"] for params in draws(space(rate=RATE), 300)])
    assert 0.001 <= found.min() < 0.002
    assert 0.5 < found.max() <= 1.0
    assert 0.015 < np.median(found) < 0.07  # √(0.001 · 1) = 0.032


def test_a_step_is_kept(recwarn: pytest.WarningsRecorder) -> None:
    rate = {"type": "float", "low": 0.1, "high": 0.35, "step": 0.1}
    searched = space(rate=rate, rounds={"type": "int", "low": 1, "high": 10, "step": 4})
    found = draws(searched, 50)
    assert {round(params["rate"], 9) for params in found} == {0.1, 0.2, 0.3}
    assert {params["rounds"] for params in found} == {1, 5, 9}
    assert searched.encode({"rate": 0.3, "rounds": 4})[0] == {"rate": 0.3}
    assert searched.grid(9)["rate"] == pytest.approx([0.1, 0.2, 0.3])
    assert not [str(warning.message) for warning in recwarn if "divisible" in str(warning.message)]


class TestConditions:
    def test_ask_only_for_what_is_active(self) -> None:
        found = draws(space(estimator__bootstrap=BOOTSTRAP, estimator__max_samples=SAMPLES), 30)
        assert {params["estimator.bootstrap"] for params in found} == {True, False}
        for params in found:
            assert ("estimator.max_samples" in params) == params["estimator.bootstrap"]

    def test_leave_inactive_values_out_of_the_default(self) -> None:
        searched = space(estimator__bootstrap=BOOTSTRAP, estimator__max_samples=SAMPLES)
        assert searched.default() == {"estimator.bootstrap": False}

    @pytest.mark.parametrize(("wanted", "active"), [(False, True), (True, False)])
    def test_may_refer_to_a_value_that_is_not_searched(self, wanted: bool, active: bool) -> None:
        searched = space(rate=RATE | {"when": {"estimator.bootstrap": [wanted]}})
        assert ("rate" in searched.default()) == active
        assert all(("rate" in params) == active for params in draws(searched, 3))

    def test_may_refer_to_a_class(self) -> None:
        searched = space(rate=RATE | {"when": {"estimator._target_": ["some.Estimator"]}})
        assert searched.default() == {"rate": 0.1}

    def test_take_an_inactive_value_from_the_models_yaml(self) -> None:
        searched = space(
            estimator__bootstrap=BOOTSTRAP,
            rounds={"type": "int", "low": 1, "high": 5, "when": {"estimator.bootstrap": [True]}},
            rate=RATE | {"when": {"rounds": [10]}},  # the model's value, outside of the range
        )
        for params in draws(searched, 20):
            assert ("rate" in params) == (not params["estimator.bootstrap"])

    def test_must_all_hold(self) -> None:
        searched = space(
            estimator__bootstrap=BOOTSTRAP,
            shape={"type": "categorical", "choices": [[8], [32, 64]]},
            rate=RATE | {"when": {"estimator.bootstrap": [True], "shape": [[8]]}},
        )
        for params in draws(searched, 30):
            assert ("rate" in params) == (params["estimator.bootstrap"] and params["shape"] == [8])

    def test_do_not_take_1_for_true(self) -> None:
        with pytest.raises(CrossoverError, match="can take, got 1"):
            space(estimator__bootstrap=BOOTSTRAP, rate=RATE | {"when": {"estimator.bootstrap": [1]}})


def test_values_survive_overrides_and_the_composed_configuration(tmp_path: Path) -> None:
    values = [
        None,
        False,
        3,
        1.0,
        1e-5,
        -2.5,
        "sqrt",
        "val/loss",
        "a b",
        "it's",
        "1.0",
        "null",
        "",
        "a,b=[c]",
        "a\\",
    ]
    searched = space(estimator__kind={"type": "categorical", "choices": [*values, values, [32, 64], []]})
    (tmp_path / "base.yaml").write_text(yaml.safe_dump({"model": MODEL}))
    with initialize_config_dir(str(tmp_path)):
        for value in [*values, values, [32, 64], []]:
            (override,) = searched.overrides({"estimator.kind": value})
            assert read_back(override) == ("model.estimator.kind", value)
            found = plain(compose("base", overrides=[override]))["model"]
            assert found == searched.apply(MODEL, {"estimator.kind": value})
            assert type(found["estimator"]["kind"]) is type(value)


def test_encode_leaves_out_what_lies_outside() -> None:
    shape = {"type": "categorical", "choices": [[32, 64], [8]]}
    searched = space(rate=RATE, rounds={"type": "int", "low": 1, "high": 9}, shape=shape)
    encoded, distributions = searched.encode({"rate": 2.0, "rounds": 9.0, "shape": [32, 64]})
    assert encoded == {"rounds": 9, "shape": "[32, 64]"}
    assert isinstance(encoded["rounds"], int)
    assert list(distributions) == ["rounds", "shape"]
    assert searched.encode({"rate": "scale", "rounds": True, "shape": None}) == ({}, {})


class TestGrid:
    def test_is_even_on_the_scale(self) -> None:
        found = space(rate=RATE, estimator__max_samples={"type": "float", "low": 0.5, "high": 1.0}).grid(4)
        assert found["rate"] == pytest.approx([0.001, 0.01, 0.1, 1.0])
        assert found["estimator.max_samples"] == pytest.approx([0.5, 2 / 3, 5 / 6, 1.0])
        assert (found["rate"][0], found["rate"][-1]) == (0.001, 1.0)

    def test_holds_each_integer_once(self) -> None:
        assert space(rounds={"type": "int", "low": 2, "high": 4}).grid(10)["rounds"] == [2, 3, 4]
        assert space(rounds={"type": "int", "low": 1, "high": 100, "log": True}).grid(3)["rounds"] == [
            1,
            10,
            100,
        ]
        assert space(rounds={"type": "int", "low": 1, "high": 8, "step": 3}).grid(9)["rounds"] == [1, 4, 7]

    def test_holds_all_choices_encoded(self) -> None:
        choices = [None, "sqrt", 0.3, [8, 16]]
        found = space(estimator__kind={"type": "categorical", "choices": choices}).grid(2)
        assert found["estimator.kind"] == [None, "sqrt", 0.3, "[8, 16]"]

    def test_of_one_point_is_the_middle(self) -> None:
        assert space(rate=RATE).grid(1)["rate"] == pytest.approx([math.sqrt(0.001)])

    def test_is_run_by_optuna(self) -> None:
        searched = space(rate=RATE, shape={"type": "categorical", "choices": [[8], [32, 64]]})
        study = optuna.create_study(sampler=optuna.samplers.GridSampler(searched.grid(3), seed=0))
        study.optimize(lambda trial: searched.suggest(trial)["rate"], n_trials=20)
        assert len({str(trial.params) for trial in study.trials}) == len(study.trials) == 6

    @pytest.mark.parametrize("points", [0, -1, 2.5, True, None])
    def test_needs_points(self, points: Any) -> None:
        with pytest.raises(CrossoverError, match="points of a grid must be a positive integer"):
            space(rate=RATE).grid(points)


def test_nothing_handed_out_is_the_spaces_own() -> None:
    searched = space(shape={"type": "categorical", "choices": [[32, 64], [8]]})
    searched.default()["shape"].append(1)
    searched.as_dict()["shape"]["choices"].clear()
    changed = searched.apply(MODEL, {"shape": [8], "estimator.kind": "c"})
    changed["estimator"]["bootstrap"] = None
    assert searched.default() == {"shape": [32, 64]}
    assert searched.as_dict() == {"shape": {"type": "categorical", "choices": [[32, 64], [8]]}}
    assert (MODEL["estimator"]["bootstrap"], MODEL["estimator"]["kind"]) == (False, "a b")


FLOAT = {"type": "float", "low": 0.0, "high": 1.0}
INT = {"type": "int", "low": 1, "high": 9}
CHOICE = {"type": "categorical", "choices": ["a", "b"]}
LATER = {"rate": RATE | {"when": {"estimator.bootstrap": [True]}}, "estimator.bootstrap": BOOTSTRAP}

REFUSED = {
    "an empty file": (None, r"at least one key of the model, got None"),
    "no mapping": ([1], r"at least one key of the model, got \[1\]"),
    "no key": ({}, r"at least one key of the model, got \{\}"),
    "an unknown key": ({"rat": RATE}, r"names the key rat, which conf/model/m.yaml does not have; it has rate, "),
    "a key without its group": ({"max_samples": FLOAT}, r"does not have; it has estimator\.max_samples, "),
    "a group of keys": ({"estimator": FLOAT}, r"holds several .*; choose one of estimator\.bootstrap, "),
    "the class": ({"_target_": CHOICE}, r"must not change what the model is, but .* names the key _target_"),
    "a nested class": ({"estimator._target_": CHOICE}, r"must not change what the model is"),
    "the modalities": ({"modalities": CHOICE}, r"must not change what the model is"),
    "a declaration": ({"stochastic": BOOTSTRAP}, r"must not change what the model is"),
    "a bare value": ({"rate": 0.1}, r"rate must hold type and low, high or choices, got 0\.1"),
    "no type": ({"rate": {"low": 1, "high": 2}}, r"rate\.type must be one of float, int, categorical, got none"),
    "an unknown type": ({"rate": FLOAT | {"type": "uniform"}}, r"rate\.type must be one of .*, got 'uniform'"),
    "a type that is a list": ({"rate": FLOAT | {"type": ["int"]}}, r"rate\.type must be one of .*, got \['int'\]"),
    "an unknown field": ({"rate": FLOAT | {"hihg": 2}}, r"no other fields than type, low, .* got hihg"),
    "choices of a range": ({"rate": FLOAT | {"choices": [1]}}, r"rate of type float .* got choices"),
    "a low of choices": ({"rate": CHOICE | {"low": 1}}, r"rate of type categorical .* got low"),
    "no low": ({"rate": {"type": "float", "high": 1}}, r"rate\.low must be a finite number, got none"),
    "no high": ({"rate": {"type": "float", "low": 1}}, r"rate\.high must be a finite number, got none"),
    "no choices": ({"rate": {"type": "categorical"}}, r"rate\.choices must be a list .*, got none"),
    "low above high": ({"rate": FLOAT | {"low": 2}}, r"low must be less than high, got low 2\.0 and high 1\.0"),
    "an empty range": ({"rate": FLOAT | {"low": 1}}, r"empty range low = high = 1\.0"),
    "a log of 0": ({"rate": FLOAT | {"log": True}}, r"rate\.low must be greater than 0 on the log scale, got 0\.0"),
    "a log of text": ({"rate": FLOAT | {"log": "yes"}}, r"rate\.log must be true or false, got 'yes'"),
    "a step on the log scale": ({"rounds": INT | {"log": True, "step": 2}}, r"step 2 and log true"),
    "a step beyond the range": ({"rounds": INT | {"step": 9}}, r"step must be .* from 1 to 9, got 9"),
    "a step of 0": ({"rounds": INT | {"step": 0}}, r"step must be greater than 0"),
    "a fractional end": ({"rounds": INT | {"high": 9.5}}, r"rounds\.high must be an integer, got 9\.5"),
    "a fractional step": ({"rounds": INT | {"step": 0.5}}, r"rounds\.step must be an integer, got 0\.5"),
    "a boolean end": ({"rounds": INT | {"low": False}}, r"rounds\.low must be an integer, got False"),
    "text for a number": ({"rate": FLOAT | {"low": "1e-5"}}, r"got '1e-5' .*; YAML reads 1e-5 as text, write 1\.0e-5"),
    "a NaN": ({"rate": FLOAT | {"high": math.nan}}, r"rate\.high must be a finite number, got nan"),
    "an infinity": ({"rate": FLOAT | {"high": math.inf}}, r"rate\.high must be a finite number, got inf"),
    "empty choices": ({"rate": {"type": "categorical", "choices": []}}, r"at least one value, got \[\]"),
    "a bare choice": ({"rate": {"type": "categorical", "choices": "a"}}, r"at least one value, got 'a'"),
    "repeated choices": ({"shape": {"type": "categorical", "choices": [[8], [8]]}}, r"not repeat a value, got \[8\]"),
    "1 beside 1.0": ({"rate": {"type": "categorical", "choices": [1, 1.0]}}, r"not repeat a value, got 1\.0 twice"),
    "a choice that is a mapping": ({"early_stopping": {"type": "categorical", "choices": [{"a": 1}]}}, r"lists of"),
    "an infinite choice": ({"rate": {"type": "categorical", "choices": [math.inf]}}, r"finite numbers.*got inf"),
    "a condition that is a list": ({"rate": FLOAT | {"when": ["rounds"]}}, r"rate\.when must hold a list of values"),
    "a condition without a list": ({"rate": FLOAT | {"when": {"rounds": 3}}}, r"got 3 .*; write \[3\]"),
    "a condition on an unknown key": ({"rate": FLOAT | {"when": {"round": [3]}}}, r"rate\.when .* names round, which"),
    "a condition on a later key": (LATER, r"rate\.when must refer to keys above it, got estimator\.bootstrap"),
    "a condition on itself": ({"rate": FLOAT | {"when": {"rate": [1.0]}}}, r"must refer to keys above it, got rate"),
    "a condition on an impossible choice": (
        {"estimator.kind": CHOICE, "rate": FLOAT | {"when": {"estimator.kind": ["c"]}}},
        r"rate\.when\.estimator\.kind must list values that estimator\.kind can take, got 'c'",
    ),
    "a condition outside a range": (
        {"rounds": INT, "rate": FLOAT | {"when": {"rounds": [10]}}},
        r"must list values that rounds can take, got 10",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED)
def test_refuses_in_one_sentence(content: Any, message: str) -> None:
    with pytest.raises(CrossoverError, match=message) as caught:
        SearchSpace.load(content, MODEL, "conf/search/m.yaml", "conf/model/m.yaml")
    assert "conf/search/m.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


class TestBest:
    def test_merges_into_the_model(self) -> None:
        found = apply_best(MODEL, {"rounds": 3, "estimator": {"bootstrap": True}}, "best.yaml", "m.yaml")
        assert found == MODEL | {"rounds": 3, "estimator": MODEL["estimator"] | {"bootstrap": True}}
        assert MODEL["rounds"] == 10
        assert MODEL["estimator"]["bootstrap"] is False

    def test_is_the_default_where_nothing_is_changed(self) -> None:
        assert apply_best(MODEL, {}, "best.yaml", "m.yaml") == MODEL

    @pytest.mark.parametrize(
        ("best", "key"),
        [
            ({"depth": 3}, "depth"),
            ({"estimator": {"depth": 3}}, r"estimator\.depth"),
            ({"estimator": 3}, "estimator"),
            ({"rate": {"initial": 0.1}}, r"rate\.initial"),
            ({"_target_": "os.system"}, "_target_"),
        ],
    )
    def test_refuses_a_key_that_the_model_does_not_have(self, best: dict[str, Any], key: str) -> None:
        message = rf"best\.yaml holds {key}, which m\.yaml no longer has; run `dvc repro` to search again"
        with pytest.raises(CrossoverError, match=message):
            apply_best(MODEL, best, "best.yaml", "m.yaml")


CLASSICAL = [name for name in NAMES if ".classical." in (CONF / "model" / f"{name}.yaml").read_text()]


@pytest.mark.slow
@pytest.mark.parametrize("name", CLASSICAL)
def test_draws_learn_digits(name: str) -> None:
    digits = load_digits()
    part = Part((digits.data / 16).astype(np.float32), digits.target.astype(np.int64), 10)
    train, val = part.take(np.arange(1300)), part.take(np.arange(1300, 1797))
    searched, config = of(name)
    if "n_jobs" in config:
        config["n_jobs"] = 1  # XGBoost's threads wait for each other where other tests use the cores
    scores = []
    for params in [searched.default(), *draws(searched, 3)]:
        model = build(searched.apply(config, params), name).fit(train, None, seed=0)
        scores.append((model.predict_proba(val.X).argmax(axis=1) == val.y).mean())
    assert scores[0] > 0.75
    assert max(scores[1:]) > 0.75
