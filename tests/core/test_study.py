"""params.yaml: every mistake is one sentence that names the key."""

from pathlib import Path
from typing import Any

import pytest

from crossover.core.cell import TEXTBOOK, TUNED, Cell
from crossover.core.errors import CrossoverError
from crossover.core.study import LearningCurve, Study, load_study, require_yaml, with_overrides

GOOD = {
    "datasets": "[digits]",
    "feature_sets": "[raw, handcrafted]",
    "classical_models": "[random_forest]",
    "deep_models": "[mlp, cnn]",
    "seeds": "5",
}


def tuning(**changes: str) -> str:
    """The flow mapping of `tuning` with some keys changed."""
    keys = {
        "feature_sets": "[raw]",
        "classical_models": "[]",
        "deep_models": "[]",
        "trials": "30",
        "seconds": "null",
        "examples": "null",
        "sampler": "random",
        "seed": "0",
        "pruner": "none",
        "cost": "null",
    }
    return "{" + ", ".join(f"{k}: {v}" for k, v in (keys | changes).items()) + "}"


def curve(**changes: str) -> str:
    """The flow mapping of `learning_curve` with some keys changed."""
    keys = {
        "feature_sets": "[raw]",
        "classical_models": "[random_forest]",
        "deep_models": "[cnn]",
        "sizes": "5",
        "repetitions": "3",
    }
    return "{" + ", ".join(f"{k}: {v}" for k, v in (keys | changes).items()) + "}"


def study_file(tmp_path: Path, **changes: str | None) -> Path:
    path = tmp_path / "params.yaml"
    content = GOOD | {"tuning": tuning(), "learning_curve": curve()} | changes
    path.write_text("\n".join(f"{k}: {v}" for k, v in content.items() if v is not None))
    return path


def test_the_projects_own_params_are_a_study():
    study = load_study(Path(__file__).parents[2] / "params.yaml")
    assert {"digits", "breast_cancer"} <= set(study.datasets)


def test_cells_are_features_times_classical_models_and_one_a_network(tmp_path):
    cells = load_study(study_file(tmp_path)).cells("digits")
    assert cells == [
        Cell("digits", "raw", "random_forest", "classical"),
        Cell("digits", "handcrafted", "random_forest", "classical"),
        Cell("digits", "learned", "mlp", "deep"),
        Cell("digits", "learned", "cnn", "deep"),
    ]


def test_tuned_cells_follow_the_default_ones(tmp_path):
    searched = tuning(classical_models="[random_forest]", deep_models="[cnn]")
    study = load_study(study_file(tmp_path, tuning=searched))
    cells = study.cells("digits")
    assert [cell for cell in cells if cell.variant == TUNED] == cells[-2:]
    assert [cell.name for cell in cells[-2:]] == ["raw-random_forest-tuned", "learned-cnn-tuned"]


def test_the_textbook_may_have_models_that_the_study_does_not_default_to(tmp_path):
    textbook = "{feature_sets: [raw], classical_models: [xgboost], deep_models: [mlp]}"
    cells = load_study(study_file(tmp_path, textbook=textbook)).cells("digits")
    assert [cell.name for cell in cells if cell.variant == TEXTBOOK] == [
        "raw-xgboost-textbook",
        "learned-mlp-textbook",
    ]
    assert cells[-1].made_by == "dvc repro train_deep_textbook@digits-mlp"


@pytest.mark.parametrize(
    ("textbook", "words"),
    [
        ("{feature_sets: [hog], classical_models: [xgboost]}", ["textbook.feature_sets", "hog", "add it"]),
        ("{deep_models: [cnn, cnn]}", ["textbook.deep_models", "repeat"]),
        ("{deep_model: [cnn]}", ["textbook", "check deep_model"]),
    ],
)
def test_a_mistake_in_the_textbook_is_named(tmp_path, textbook, words):
    path = study_file(tmp_path, textbook=textbook)
    with pytest.raises(CrossoverError) as raised:
        load_study(path)
    for word in [*words, str(path)]:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("textbook", "words"),
    [
        ("{deep_models: [resnet18]}", ["textbook.deep_models", "resnet18", "does not exist", "cnn"]),
        (
            "{feature_sets: [raw], classical_models: [svm]}",
            ["textbook.classical_models", "svm", "changes nothing", "take it out"],
        ),
    ],
)
def test_a_model_without_a_recipe_of_the_textbook_is_named(tmp_path, textbook, words):
    study = load_study(study_file(tmp_path, textbook=textbook))
    with pytest.raises(CrossoverError) as raised:
        require_yaml(study, Path(__file__).parents[2] / "conf")
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trials": "0"}, ["tuning.trials", "positive", "0"]),
        ({"trials": "null", "seconds": "-5"}, ["tuning.seconds", "positive", "-5"]),
        ({"seconds": "60"}, ["either trials or seconds", "30", "60"]),
        ({"trials": "null"}, ["either trials or seconds", "None"]),
        ({"examples": "0"}, ["tuning.examples", "positive", "0"]),
        ({"seed": "-1"}, ["tuning.seed", "-1"]),
        ({"cost": "energy"}, ["tuning.cost", "fit_seconds", "energy"]),
        ({"trails": "30"}, ["tuning", "trails"]),
        ({"deep_models": "[resnet18]"}, ["tuning.deep_models", "resnet18", "add it"]),
        ({"classical_models": "[random_forest]", "feature_sets": "[hog]"}, ["tuning.feature_sets", "hog"]),
        ({"deep_models": "cnn"}, ["tuning.deep_models", "'cnn'"]),
    ],
)
def test_a_mistake_in_the_tuning_is_named(tmp_path, change, words):
    path = study_file(tmp_path, tuning=tuning(**change))
    with pytest.raises(CrossoverError) as raised:
        load_study(path)
    for word in [*words, str(path)]:
        assert word in str(raised.value)


def test_the_cells_with_a_learning_curve_are_named_apart(tmp_path):
    study = load_study(study_file(tmp_path, learning_curve=curve(feature_sets="[handcrafted, raw]")))
    assert study.curve_cells("digits") == [
        Cell("digits", "handcrafted", "random_forest", "classical"),
        Cell("digits", "raw", "random_forest", "classical"),
        Cell("digits", "learned", "cnn", "deep"),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sizes": "1"}, ["learning_curve.sizes", "at least 2", "got 1"]),
        ({"sizes": "[]"}, ["learning_curve.sizes", "[]"]),
        ({"sizes": "[100, 50]"}, ["learning_curve.sizes", "rise", "[100, 50]"]),
        ({"sizes": "[50, 50]"}, ["learning_curve.sizes", "rise", "[50, 50]"]),
        ({"sizes": "[50, 0.5]"}, ["learning_curve.sizes[1]", "integer", "0.5"]),
        ({"repetitions": "0"}, ["learning_curve.repetitions", "positive", "0"]),
        ({"size": "5"}, ["learning_curve", "check size"]),
        ({"deep_models": "cnn"}, ["learning_curve.deep_models", "'cnn'"]),
        ({"classical_models": "[svm, svm]"}, ["learning_curve.classical_models", "repeat"]),
        ({"feature_sets": "[hog]"}, ["learning_curve.feature_sets", "among feature_sets", "'hog'", "add it"]),
    ],
)
def test_a_mistake_in_the_learning_curve_is_named(tmp_path, change, words):
    path = study_file(tmp_path, learning_curve=curve(**change))
    with pytest.raises(CrossoverError) as raised:
        load_study(path)
    for word in [*words, str(path)]:
        assert word in str(raised.value)


def test_feature_sets_of_no_model_need_not_be_made(tmp_path):
    load_study(study_file(tmp_path, learning_curve=curve(feature_sets="[hog]", classical_models="[]")))


def test_the_command_line_overrides_the_learning_curve():
    models = {"feature_sets": ["raw"], "classical_models": ["svm"], "deep_models": []}
    own = LearningCurve(**models, sizes=5, repetitions=3)
    assert with_overrides(own, None, None) == own
    assert with_overrides(own, [10, 20], 1) == LearningCurve(**models, sizes=[10, 20], repetitions=1)


@pytest.mark.parametrize(("sizes", "repetitions", "word"), [(0, None, "sizes"), (None, 0, "repetitions")])
def test_an_override_is_checked_like_the_file(sizes, repetitions, word):
    with pytest.raises(CrossoverError, match=rf"learning_curve\.{word} .*got 0 \(the command line\)"):
        with_overrides(LearningCurve(), sizes, repetitions)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"datasets": "[]"}, ["datasets", "empty", "[]"]),
        ({"datasets": "[digits, digits]"}, ["datasets", "repeat"]),
        ({"deep_models": "cnn"}, ["deep_models", "'cnn'"]),
        ({"seeds": "0"}, ["seeds", "positive", "0"]),
        ({"seeds": "many"}, ["seeds", "many"]),
        ({"seeds": None}, ["seeds"]),
        ({"sedes": "5"}, ["sedes"]),
        ({"datasets": "[digits"}, ["not valid YAML"]),
    ],
)
def test_a_mistake_is_named(tmp_path, change, words):
    path = study_file(tmp_path, **change)
    with pytest.raises(CrossoverError) as raised:
        load_study(path)
    for word in [*words, str(path)]:
        assert word in str(raised.value)


def test_a_missing_file_says_where_to_stand(tmp_path):
    with pytest.raises(CrossoverError, match="project's root"):
        load_study(tmp_path / "params.yaml")


@pytest.mark.parametrize("key", ["datasets", "feature_sets", "classical_models", "deep_models"])
def test_a_name_without_its_yaml_lists_those_that_exist(tmp_path, key):
    for group, name in {"dataset": "digits", "features": "raw", "model": "cnn", "pruner": "none"}.items():
        (tmp_path / group).mkdir()
        (tmp_path / group / f"{name}.yaml").touch()
    names: dict[str, Any] = {
        "datasets": ["digits"],
        "feature_sets": ["raw"],
        "classical_models": ["cnn"],
        "deep_models": ["cnn"],
    }
    require_yaml(Study(**names, seeds=1), tmp_path)
    with pytest.raises(CrossoverError, match=rf"{key} .* 'absent'.*there are (digits|raw|cnn)$"):
        require_yaml(Study(**(names | {key: ["absent"]}), seeds=1), tmp_path)
