"""`crossover add model`: files that run as they are."""

import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

from crossover.command.add_model import files_of, write_model
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.models.base import Model
from crossover.search.space import SearchSpace

LDA = "sklearn.discriminant_analysis.LinearDiscriminantAnalysis"


def run_test(path: Path) -> None:
    """Run the test function of a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.test_it_learns_two_clouds()


@pytest.mark.parametrize(
    "estimator", [LDA, "sklearn.naive_bayes.GaussianNB", "sklearn.tree.DecisionTreeClassifier", None]
)
def test_the_test_that_is_written_passes(
    estimator: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = "net_of_mine" if estimator is None else "mine"
    paths = write_model(name, estimator)
    if estimator is None:  # as if the file lay in the package
        (source,) = (path for path in paths if path.parts[0] == "src")
        spec = importlib.util.spec_from_file_location(f"crossover.models.deep.{name}", tmp_path / source)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, f"crossover.models.deep.{name}", module)
        spec.loader.exec_module(module)
    run_test(tmp_path / f"tests/models/test_{name}.py")
    config = yaml.safe_load((tmp_path / f"conf/model/{name}.yaml").read_text())
    space = yaml.safe_load((tmp_path / f"conf/search/{name}.yaml").read_text())
    SearchSpace.load(space, config, f"conf/search/{name}.yaml", f"conf/model/{name}.yaml")
    assert build(config, f"conf/model/{name}.yaml", Model).family == (
        "deep" if estimator is None else "classical"
    )


@pytest.mark.parametrize(
    ("name", "estimator", "words"),
    [
        ("../x", None, "a model's name must be letters, digits and underscores"),
        ("3d", None, "begin with a letter"),
        ("x", "sklearn.nothing.Here", "--estimator must name a class, .* which is not there"),
        ("x", "sklearn.linear_model.LinearRegression", "a classifier with predict_proba"),
    ],
)
def test_a_mistake_is_one_sentence(name: str, estimator: str | None, words: str) -> None:
    with pytest.raises(CrossoverError, match=words):
        files_of(name, estimator)


def test_nothing_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "conf" / "search").mkdir(parents=True)
    (tmp_path / "conf" / "search" / "mine.yaml").write_text("kept: 1\n")
    with pytest.raises(CrossoverError, match=r"conf/search/mine\.yaml exists"):
        write_model("mine", LDA)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.yaml"]
