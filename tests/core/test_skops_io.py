"""Fitted scikit-learn objects on disk."""

import zipfile

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from crossover.core import skops_io
from crossover.core.errors import CrossoverError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.skops"


def test_a_forest_comes_back(path):
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    skops_io.dump(forest, path)
    assert (skops_io.load(path).predict_proba(X) == forest.predict_proba(X)).all()


def test_equal_objects_give_equal_files(path, tmp_path):
    X = np.arange(6.0).reshape(3, 2)
    for file in (path, tmp_path / "again.skops"):
        skops_io.dump(StandardScaler().fit(X.copy()), file)
    assert path.read_bytes() == (tmp_path / "again.skops").read_bytes()


def test_a_function_from_elsewhere_is_refused_when_it_is_written(path):
    with pytest.raises(CrossoverError, match=r"os\.getcwd|posix\.getcwd"):
        skops_io.dump(FunctionTransformer(__import__("os").getcwd), path)
    assert not path.exists()


def test_a_file_with_a_function_from_elsewhere_is_refused_when_it_is_read(path):
    from skops.io import dump

    dump(FunctionTransformer(__import__("os").getcwd), path)
    with pytest.raises(CrossoverError, match=r"trusted types only, got .*getcwd \(.*model\.skops\)"):
        skops_io.load(path)


def test_a_missing_file_is_told(path):
    with pytest.raises(CrossoverError, match=r"model\.skops does not exist; make it with `dvc repro`"):
        skops_io.load(path)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped", "another zip"])
def test_a_broken_file_is_told(damage, path):
    skops_io.dump(DummyClassifier().fit([[0.0]] * 50, np.arange(50) % 3), path)
    content = path.read_bytes()
    if damage == "another zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("hello.txt", "hello")
    else:
        middle = len(content) // 2
        broken = {
            "empty": b"",
            "text": b"not a zip archive",
            "cut": content[:middle],
            "flipped": content[:60] + bytes(255 - byte for byte in content[60:120]) + content[120:],
        }
        path.write_bytes(broken[damage])
    with pytest.raises(CrossoverError, match=r"model\.skops is broken"):
        skops_io.load(path)
