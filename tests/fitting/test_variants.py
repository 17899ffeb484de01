"""The recipes of the textbook, and how they change a model's configuration."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from crossover.core.cell import LEARNED, TEXTBOOK, Cell
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.fitting.config import FitConfig
from crossover.fitting.variants import apply_textbook, configured

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "conf" / "textbook").glob("*.yaml"))
MODEL = {
    "rate": 0.003,
    "stop": {"monitor": "val/loss", "patience": 3},
    "layers": {"hidden": [64], "dropout": 0.1},
}


def model_yaml(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "conf" / "model" / f"{name}.yaml").read_text())
    return content


def config_of(model: str, root: Path = ROOT) -> FitConfig:
    cell = Cell("digits", LEARNED, model, "deep", TEXTBOOK)
    return configured(
        FitConfig(cell, model_yaml(model), model_origin=f"conf/model/{model}.yaml"), Layout(root)
    )


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_builds_its_model(path: Path) -> None:
    recipe = yaml.safe_load(path.read_text()) or {}
    default = model_yaml(path.stem)
    changed = apply_textbook(default, recipe, str(path), "the model's YAML")
    assert (changed == default) == (not recipe)
    build(changed, str(path))


def test_the_textbooks_cnn_is_the_one_of_the_published_number() -> None:
    model = config_of("cnn").model
    assert (model["learning_rate"], model["batch_size"], model["max_epochs"]) == (0.001, 128, 5)
    assert model["early_stopping"] is None
    assert not build(model, "cnn").selects


def test_a_mapping_changes_the_keys_that_it_holds_and_another_value_takes_the_place() -> None:
    recipe = {"stop": None, "layers": {"hidden": [256, 128]}}
    assert apply_textbook(MODEL, recipe, "recipe.yaml", "m.yaml") == {
        "rate": 0.003,
        "stop": None,
        "layers": {"hidden": [256, 128], "dropout": 0.1},
    }
    assert MODEL["stop"] == {"monitor": "val/loss", "patience": 3}


def test_a_key_that_the_model_does_not_have_is_named() -> None:
    with pytest.raises(CrossoverError, match=r"recipe\.yaml holds rat, which m\.yaml does not have"):
        apply_textbook(MODEL, {"rat": 0.1}, "recipe.yaml", "m.yaml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ["conf/textbook/cnn.yaml", "does not exist", "leave variant out"]),
        ("# nothing", ["conf/textbook/cnn.yaml", "must hold keys", "got an empty file", "leave variant out"]),
        ("max_epochs: [", ["conf/textbook/cnn.yaml", "not valid YAML"]),
    ],
)
def test_a_recipe_that_cannot_be_read_is_named(tmp_path: Path, content: str | None, words: list[str]) -> None:
    if content is not None:
        path = tmp_path / "conf" / "textbook" / "cnn.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(content)
    with pytest.raises(CrossoverError) as raised:
        config_of("cnn", tmp_path)
    for word in words:
        assert word in str(raised.value)
