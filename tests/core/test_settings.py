"""What pydantic refuses is one sentence of ours: the rule, the value, where it came from, what to do."""

from typing import Annotated, Any, Literal, Self

import pytest
from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.settings import Names, Number, Settings, checked, validated


class Stop(Settings):
    monitor: Literal["loss", "accuracy"]
    patience: PositiveInt


class Training(Settings):
    epochs: PositiveInt = 5
    rate: PositiveFloat = 0.1
    warm_up: NonNegativeInt = 0
    decay: NonNegativeFloat = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    folds: Annotated[int, Field(ge=2, le=10)] = 2
    width: Number = 1
    gamma: float | Literal["scale", "auto"] = "scale"
    shuffle: bool = True
    name: str = ""
    layers: Annotated[list[PositiveInt], Field(min_length=1)] = Field(default_factory=lambda: [1])
    sizes: PositiveInt | list[PositiveInt] = 1
    models: Names = Field(default_factory=list)
    stop: Stop | None = None
    stops: list[Stop] = Field(default_factory=list)
    by_name: dict[str, Stop] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _warm_up_ends(self) -> Self:
        if self.warm_up >= self.epochs:
            raise ValueError(f"must train longer than {self.warm_up} epochs, got {self.epochs}; raise epochs")
        return self


class Model:
    """Stands for what a YAML's `_target_` names."""

    @checked
    def __init__(self, *, trees: PositiveInt, stop: Stop | None = None) -> None:
        self.trees, self.stop = trees, stop


STOP = {"monitor": "loss", "patience": 3}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"epochs": 0}, "fit.epochs must be a positive integer, got 0 (a.yaml)"),
        ({"epochs": "ten"}, "fit.epochs must be an integer, got 'ten' (a.yaml)"),
        ({"epochs": True}, "fit.epochs must be an integer, got True (a.yaml)"),
        ({"epochs": 2.0}, "fit.epochs must be an integer, got 2.0 (a.yaml)"),
        ({"epochs": None}, "fit.epochs must be an integer, got None (a.yaml)"),
        ({"epochs": "5"}, "fit.epochs must be an integer, got '5' (a.yaml); YAML reads it as text, write 5"),
        ({"rate": 0}, "fit.rate must be a positive number, got 0 (a.yaml)"),
        ({"rate": float("nan")}, "fit.rate must be a finite number, got nan (a.yaml)"),
        ({"rate": False}, "fit.rate must be a number, got False (a.yaml)"),
        (
            {"rate": "1e-5"},
            "fit.rate must be a number, got '1e-5' (a.yaml); YAML reads it as text, write 1.0e-5",
        ),
        ({"warm_up": -1}, "fit.warm_up must be an integer of at least 0, got -1 (a.yaml)"),
        ({"decay": -0.5}, "fit.decay must be at least 0, got -0.5 (a.yaml)"),
        ({"dropout": 1}, "fit.dropout must be below 1, got 1 (a.yaml)"),
        ({"folds": 1}, "fit.folds must be an integer of at least 2, got 1 (a.yaml)"),
        ({"folds": 11}, "fit.folds must be at most 10, got 11 (a.yaml)"),
        ({"width": -2}, "fit.width must be a positive number, got -2 (a.yaml)"),
        ({"width": "2e3"}, "fit.width must be a number, got '2e3' (a.yaml); YAML reads it as text, write 2.0e3"),
        ({"gamma": "scaled"}, "fit.gamma must be a number or one of scale, auto, got 'scaled' (a.yaml)"),
        ({"shuffle": "yes"}, "fit.shuffle must be true or false, got 'yes' (a.yaml)"),
        ({"name": 3}, "fit.name must be text, got 3 (a.yaml)"),
        ({"layers": 3}, "fit.layers must be a list, got 3 (a.yaml)"),
        ({"layers": []}, "fit.layers must not be empty, got [] (a.yaml)"),
        ({"layers": [8, 0]}, "fit.layers[1] must be a positive integer, got 0 (a.yaml)"),
        ({"sizes": 0}, "fit.sizes must be a positive integer or a list, got 0 (a.yaml)"),
        ({"sizes": [5, 0.5]}, "fit.sizes[1] must be an integer, got 0.5 (a.yaml)"),
        ({"models": ["a", "b", "a"]}, "fit.models must not repeat a name, got ['a', 'b', 'a'] (a.yaml)"),
        ({"stop": "loss"}, "fit.stop must be a mapping, got 'loss' (a.yaml)"),
        ({"stop": STOP | {"monitor": "los"}}, "fit.stop.monitor must be one of loss, accuracy, got 'los' (a.yaml)"),
        (
            {"stops": [STOP, STOP | {"patience": 0}]},
            "fit.stops[1].patience must be a positive integer, got 0 (a.yaml)",
        ),
        (
            {"by_name": {"a": STOP | {"patience": 0}}},
            "fit.by_name.a.patience must be a positive integer, got 0 (a.yaml)",
        ),
        ({"warm_up": 7}, "fit must train longer than 7 epochs, got 5 (a.yaml); raise epochs"),
        ([], "fit must be a mapping, got [] (a.yaml)"),
    ],
)  # fmt: skip
def test_a_value_is_refused_with_its_rule_and_its_place(content: Any, sentence: str) -> None:
    with pytest.raises(CrossoverError) as raised:
        validated(Training, content, "a.yaml", key="fit")
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            {"stop": {"monitor": "loss", "pattience": 3}},
            "stop must hold exactly the keys monitor, patience; check patience, pattience (a.yaml)",
        ),
        (
            {"stops": [STOP, STOP | {"int": 1}]},
            "stops[1] must hold exactly the keys monitor, patience; check int (a.yaml)",
        ),
        (
            {"by_name": {"a": {}}},
            "by_name.a must hold exactly the keys monitor, patience; check monitor, patience (a.yaml)",
        ),
    ],
)
def test_misspelt_and_missing_keys_are_named_together(content: Any, sentence: str) -> None:
    with pytest.raises(CrossoverError) as raised:
        validated(Training, content, "a.yaml")
    assert str(raised.value) == sentence


def test_keys_that_may_be_left_out_are_said_to_be() -> None:
    with pytest.raises(CrossoverError, match=r"^a\.yaml may hold the keys epochs, .*; check epohcs$"):
        validated(Training, {"epohcs": 3}, "a.yaml")


def test_content_without_a_mistake_stays_as_it_is() -> None:
    assert validated(Training, None, "a.yaml") == Training()
    settings = validated(Training, {"width": 3, "sizes": [1, 2], "stop": STOP}, "a.yaml")
    assert (settings.width, type(settings.width), settings.sizes) == (3, int, [1, 2])
    assert settings.stop == Stop(monitor="loss", patience=3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"trees": 0}, "trees must be a positive integer, got 0 (m.yaml)"),
        ({"stop": STOP | {"patience": "3"}}, "stop.patience must be an integer, got '3' (m.yaml); "),
        ({"stop": {"monitr": "loss"}}, "stop must hold exactly the keys monitor, patience; check monitor, "),
        ({"tress": 3}, "m.yaml must hold the keys trees and may hold the keys stop; check tress"),
        ({"stop": {"_target_": f"{__name__}.Stop", "monitor": "loss", "patience": 0}}, "stop.patience must be "),
    ],
)  # fmt: skip
def test_a_class_that_a_yaml_names_is_checked_alike(change: dict[str, Any], sentence: str) -> None:
    node = {"_target_": f"{__name__}.Model", "trees": 5}
    assert build(node | {"stop": STOP}, "m.yaml").stop == Stop(monitor="loss", patience=3)
    with pytest.raises(CrossoverError) as raised:
        build(node | change, "m.yaml")
    assert str(raised.value).startswith(sentence)
    assert "m.yaml" in str(raised.value)
