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
from optuna.trial import FrozenTrial
from sklearn.datasets import load_digits

from crossover.core.configuration import build, override_text, plain
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.fitting.keys import with_values
from crossover.fitting.variants import apply_best
from crossover.search.launches import model_overrides
from crossover.search.proposals import PARAMS, next_trial
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
RATE = "tag(log, interval(0.001, 1))"
BOOTSTRAP = "choice(true, false)"


def of(name: str) -> tuple[SearchSpace, dict[str, Any]]:
    """A search space of conf/ and the configuration of its model."""
    content = yaml.safe_load((CONF / "search" / f"{name}.yaml").read_text())
    model = yaml.safe_load((CONF / "model" / f"{name}.yaml").read_text())
    return SearchSpace.load(content, model, f"conf/search/{name}.yaml", f"conf/model/{name}.yaml"), model


def space(**ranges: Any) -> SearchSpace:
    """A search space of MODEL; `estimator__x` stands for the key `estimator.x`."""
    keys = {key.replace("__", "."): text for key, text in ranges.items()}
    return SearchSpace.load(keys, MODEL, "conf/search/m.yaml", "conf/model/m.yaml")


def draws(searched: SearchSpace, n: int, seed: int = 0) -> list[dict[str, Any]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    return [searched.decode(study.ask(searched.distributions).params) for _ in range(n)]


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
        assert list(searched.default()) == list(searched.ranges)
        assert with_values(model, searched.default()) == model

    def test_default_lies_inside_but_for_what_its_file_says(self, name: str) -> None:
        outside = {
            "lenet5": {"min_steps"},
            "decision_tree": {"estimator.ccp_alpha"},
            "svm": {"gamma"},
            "xgboost": {"gamma", "reg_alpha"},
            "lightgbm": {"min_split_gain", "reg_lambda", "reg_alpha"},
            "hist_gradient_boosting": {"estimator.l2_regularization"},
        }
        searched, _ = of(name)
        default = searched.default()
        assert set(default) - set(searched.encode(default)[0]) == outside.get(name, set())

    def test_draws_build_the_model(self, name: str) -> None:
        searched, model = of(name)
        for params in draws(searched, 20):
            build(with_values(model, params), f"conf/model/{name}.yaml")

    def test_draws_come_back_from_overrides_and_from_the_storage(self, name: str) -> None:
        searched, _ = of(name)
        for params in draws(searched, 20):
            found = dict(map(read_back, model_overrides(params)))
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
        distributions = searched.distributions
        assert list(grid) == list(distributions)
        for key, values in grid.items():
            assert values
            assert all(distributions[key]._contains(distributions[key].to_internal_repr(v)) for v in values)


def test_draws_fill_a_range_on_its_scale() -> None:
    found = np.array([params["rate"] for params in draws(space(rate=RATE), 300)])
    assert 0.001 <= found.min() < 0.002
    assert 0.5 < found.max() <= 1.0
    assert 0.015 < np.median(found) < 0.07  # √(0.001 · 1) = 0.032


def test_a_step_is_kept(recwarn: pytest.WarningsRecorder) -> None:
    searched = space(rate="range(0.1, 0.35, 0.1)", rounds="range(1, 10, 4)")
    found = draws(searched, 50)
    assert {round(params["rate"], 9) for params in found} == {0.1, 0.2, 0.3}
    assert {params["rounds"] for params in found} == {1, 5, 9}
    assert searched.encode({"rate": 0.3, "rounds": 4})[0] == {"rate": 0.3}
    assert searched.grid(9)["rate"] == pytest.approx([0.1, 0.2, 0.3])
    assert not [str(warning.message) for warning in recwarn if "divisible" in str(warning.message)]


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
    (tmp_path / "base.yaml").write_text(yaml.safe_dump({"model": MODEL}))
    every = [*values, values, [32, 64], []]
    searched = space(estimator__kind=",".join(map(override_text, every)))
    assert [searched.decode({"estimator.kind": value}) for value in searched.grid(1)["estimator.kind"]] == [
        {"estimator.kind": value} for value in every
    ]
    with initialize_config_dir(str(tmp_path)):
        for value in every:
            (override,) = model_overrides({"estimator.kind": value})
            assert read_back(override) == ("model.estimator.kind", value)
            found = plain(compose("base", overrides=[override]))["model"]
            assert found == with_values(MODEL, {"estimator.kind": value})
            assert type(found["estimator"]["kind"]) is type(value)


def test_encode_leaves_out_what_lies_outside() -> None:
    searched = space(rate=RATE, rounds="int(interval(1, 9))", shape="choice([32, 64], [8])")
    encoded, distributions = searched.encode({"rate": 2.0, "rounds": 9.0, "shape": [32, 64]})
    assert encoded == {"rounds": 9, "shape": "[32, 64]"}
    assert isinstance(encoded["rounds"], int)
    assert list(distributions) == ["rounds", "shape"]
    assert searched.encode({"rate": "scale", "rounds": True, "shape": None}) == ({}, {})


class TestGrid:
    def test_is_even_on_the_scale(self) -> None:
        found = space(rate=RATE, estimator__max_samples="interval(0.5, 1)").grid(4)
        assert found["rate"] == pytest.approx([0.001, 0.01, 0.1, 1.0])
        assert found["estimator.max_samples"] == pytest.approx([0.5, 2 / 3, 5 / 6, 1.0])
        assert (found["rate"][0], found["rate"][-1]) == (0.001, 1.0)

    def test_holds_each_integer_once(self) -> None:
        assert space(rounds="int(interval(2, 4))").grid(10)["rounds"] == [2, 3, 4]
        assert space(rounds="tag(log, int(interval(1, 100)))").grid(3)["rounds"] == [1, 10, 100]
        assert space(rounds="range(1, 9, 3)").grid(9)["rounds"] == [1, 4, 7]

    def test_holds_all_choices_encoded(self) -> None:
        found = space(estimator__kind="null, sqrt, 0.3, [8, 16]").grid(2)
        assert found["estimator.kind"] == [None, "sqrt", 0.3, "[8, 16]"]

    def test_of_one_point_is_the_middle(self) -> None:
        assert space(rate=RATE).grid(1)["rate"] == pytest.approx([math.sqrt(0.001)])

    def test_is_run_by_optuna_to_its_end(self) -> None:
        searched = space(rate=RATE, shape="choice([8], [32, 64])")
        trials: list[FrozenTrial] = []

        def sampler(_: int) -> optuna.samplers.GridSampler:
            return optuna.samplers.GridSampler(searched.grid(3), seed=0)

        while trial := next_trial(trials, searched, sampler, ["maximize"], 0):
            trials.append(trial)
        assert len({trial.user_attrs[PARAMS] for trial in trials}) == len(trials) == 7  # with the default


def test_nothing_handed_out_is_the_spaces_own() -> None:
    searched = space(shape="choice([32, 64], [8])")
    searched.default()["shape"].append(1)
    searched.decode({"shape": "[8]"})["shape"].append(1)
    changed = with_values(MODEL, {"shape": [8], "estimator.kind": "c"})
    changed["estimator"]["bootstrap"] = None
    assert searched.default() == {"shape": [32, 64]}
    assert searched.decode({"shape": "[8]"}) == {"shape": [8]}
    assert (MODEL["estimator"]["bootstrap"], MODEL["estimator"]["kind"]) == (False, "a b")


REFUSED = {
    "an empty file": (None, r"at least one key of the model, got None"),
    "no mapping": ([1], r"at least one key of the model, got \[1\]"),
    "no key": ({}, r"at least one key of the model, got \{\}"),
    "an unknown key": ({"rat": RATE}, r"names the key rat, which conf/model/m.yaml does not have; it has rate, "),
    "a key without its group": ({"max_samples": RATE}, r"does not have; it has estimator\.max_samples, "),
    "a group of keys": ({"estimator": RATE}, r"holds several .*; choose one of estimator\.bootstrap, "),
    "the class": ({"_target_": "a, b"}, r"must not change what the model is, but .* names the key _target_"),
    "a nested class": ({"estimator._target_": "a, b"}, r"must not change what the model is"),
    "the modalities": ({"modalities": "a, b"}, r"must not change what the model is"),
    "a declaration": ({"stochastic": BOOTSTRAP}, r"must not change what the model is"),
    "a bare value": ({"rate": 0.1}, r"rate must be a range or choices in Hydra's grammar, .* got 0\.1"),
    "a value as text": ({"rate": "0.1"}, r"rate must be a range or choices .* got 0\.1"),
    "a mapping": ({"rate": {"type": "float", "low": 0, "high": 1}}, r"rate must be a range .* got \{'type'"),
    "an unknown function": ({"rate": "uniform(0, 1)"}, r"rate must be .* got uniform\(0, 1\): .*uniform"),
    "no end": ({"rate": "interval(0)"}, r"rate must be .* got interval\(0\): .*interval"),
    "a broken text": ({"rate": "interval(0, "}, r"rate must be .* got interval\(0, : "),
    "no choices": ({"rate": "choice()"}, r"rate must be .* got choice\(\): .*empty choice"),
    "null in choice()": ({"rate": "choice(1, null)"}, r"or a, null, got choice\(1, null\): .*NoneType"),
    "low above high": ({"rate": "interval(2, 1)"}, r"rate must be .* got interval\(2, 1\): .*low <= high.*2\.0.*1\.0"),
    "an empty range": ({"rate": "interval(1, 1)"}, r"rate must be .* got interval\(1, 1\): .*one value"),
    "no integers": ({"rounds": "range(3, 3)"}, r"rounds must be .* got range\(3, 3\): .*at least one value"),
    "a log of 0": ({"rate": "tag(log, interval(0, 1))"}, r"rate must be .* got tag.*: .*low > 0.*low=0\.0"),
    "a step of 0": ({"rounds": "range(1, 9, 0)"}, r"rounds must be .* got range\(1, 9, 0\): .*step"),
    "text for a number": ({"rate": "interval(a, 1)"}, r"rate must be .* got interval\(a, 1\): .*start"),
    "a NaN": ({"rate": "interval(0, nan)"}, r"rate must be .* got interval\(0, nan\): .*finite"),
    "an infinity": ({"rate": "interval(0, inf)"}, r"rate must be .* got interval\(0, inf\): .*finite"),
    "repeated choices": ({"shape": "choice([8], [8])"}, r"shape must be .*: \[8\] is there twice"),
    "1 next to 1.0": ({"rate": "choice(1, 1.0)"}, r"rate must be .*: 1\.0 is there twice"),
    "a choice that is a mapping": ({"early_stopping": "choice({a: 1}, 2)"}, r"lists of these, not \{'a': 1\}"),
    "an infinite choice": ({"rate": "choice(1, inf)"}, r"finite numbers.* not inf"),
    "shuffled choices": ({"rate": "shuffle(1, 2, 3)"}, r"rate must be .* got shuffle\(1, 2, 3\): .*differ"),
    "names of files": ({"rate": "glob(*)"}, r"rate must be .* got glob\(\*\): "),
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
        model = build(with_values(config, params), name)
        model.fit(train, val if model.selects else None, seed=0)
        scores.append((model.predict_proba(val.X).argmax(axis=1) == val.y).mean())
    assert scores[0] > 0.75
    assert max(scores[1:]) > 0.75
