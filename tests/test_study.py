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


def study_file(tmp_path: Path, **changes: str | None) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text("\n".join(f"{k}: {v}" for k, v in (GOOD | changes).items() if v is not None))
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
    for group, name in {"dataset": "digits", "features": "raw", "model": "cnn"}.items():
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
