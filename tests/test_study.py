"""params.yaml: every mistake is one sentence that names the key."""

from pathlib import Path

import pytest

from crossover.errors import CrossoverError
from crossover.study import Cell, Study, load_study, require_yaml

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


def study_file(tmp_path: Path, **changes: str | None) -> Path:
    path = tmp_path / "params.yaml"
    content = GOOD | {"tuning": tuning()} | changes
    path.write_text("\n".join(f"{k}: {v}" for k, v in content.items() if v is not None))
    return path


def test_the_projects_own_params_are_a_study():
    study = load_study(Path(__file__).parent.parent / "params.yaml")
    assert {"digits", "breast_cancer"} <= set(study.datasets)


def test_cells_are_features_times_classical_models_and_one_a_network(tmp_path):
    cells = load_study(study_file(tmp_path)).cells("digits")
    assert cells == [
        Cell("digits", "raw", "random_forest"),
        Cell("digits", "handcrafted", "random_forest"),
        Cell("digits", "learned", "mlp"),
        Cell("digits", "learned", "cnn"),
    ]


def test_tuned_cells_follow_the_default_ones(tmp_path):
    searched = tuning(classical_models="[random_forest]", deep_models="[cnn]")
    study = load_study(study_file(tmp_path, tuning=searched))
    assert study.tuned_cells("digits") == study.cells("digits")[-2:]
    assert [cell.name for cell in study.tuned_cells("digits")] == [
        "raw-random_forest-tuned",
        "learned-cnn-tuned",
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"trials": "0"}, ["tuning.trials", "positive", "0"]),
        ({"trials": "null", "seconds": "-5"}, ["tuning.seconds", "positive", "-5"]),
        ({"seconds": "60"}, ["either trials or seconds", "30", "60"]),
        ({"trials": "null"}, ["either trials or seconds", "None"]),
        ({"examples": "0"}, ["tuning.examples", "positive"]),
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


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"datasets": "[]"}, ["datasets", "at least one"]),
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
    names = {
        "datasets": ["digits"],
        "feature_sets": ["raw"],
        "classical_models": ["cnn"],
        "deep_models": ["cnn"],
    }
    require_yaml(Study(**names, seeds=1), tmp_path)
    with pytest.raises(CrossoverError, match=rf"{key} .* 'absent'.*there are (digits|raw|cnn)$"):
        require_yaml(Study(**(names | {key: ["absent"]}), seeds=1), tmp_path)
