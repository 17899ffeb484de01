"""Tables whose columns hold many different strings."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from crossover.core.configuration import load_fitted, save_config
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.features.base import Features
from crossover.stages.featurize import featurize
from tests.own_table_folder import own_table, prepared_table

TARGET = {"_target_": "crossover.features.skrub_features.SkrubFeatures"}
JOBS = {
    "bak": ["baker", "bakery", "baking", "bread baker", "backer"],
    "teach": ["teacher", "teaching", "teachers aide", "techer", "school teacher"],
    "nurs": ["nurse", "nursing", "night nurse", "nurrse", "head nurse"],
    "weld": ["welder", "welding", "pipe welder", "wellder", "weld master"],
}
"""What a stem is written as; the first two are of class 0, the others of class 1."""


@pytest.fixture
def make_skrub(make_set):
    pytest.importorskip("skrub", reason="skrub, an extra, is not installed")
    return lambda **changes: make_set("skrub", **changes)


def titles(n=300, seed=0, **columns):
    """A table in which the stem of a job decides; nearly every row has a string of its own."""
    rng = np.random.default_rng(seed)
    stems = rng.integers(len(JOBS), size=n)
    spelt = [
        f"{rng.choice(list(JOBS.values())[stem])} {rng.choice(['no', 'unit', 'grade'])} {rng.integers(1000)}"
        for stem in stems
    ]
    table = {
        "age": rng.uniform(20, 70, n),
        "city": pd.Series(np.resize(["Bonn", "Kiel"], n), dtype="str"),
        "job": pd.Series(spelt, dtype="str"),
    }
    return Part(pd.DataFrame(table | columns), (stems > 1).astype(np.int64), 2)


def accuracy(features, train, test):
    X = features.fit(train).transform(train.X)
    return LogisticRegression(max_iter=500).fit(X, train.y).score(features.transform(test.X), test.y)


def test_it_learns_from_dirty_categories_what_one_column_each_does_not(make_skrub, make_set):
    train, test = titles(), titles(seed=1)
    assert train.X["job"].nunique() > 200
    assert accuracy(make_skrub(), train, test) > 0.95
    assert accuracy(make_set("raw"), train, test) < 0.7


def test_all_other_columns_are_those_of_raw(make_skrub, make_set):
    train, test = titles(age=[*np.arange(299.0), np.nan]), titles(seed=1)
    features, raw = make_skrub().fit(train), make_set("raw").fit(train)
    X, kept = features.transform(test.X), [name for name in raw.names() if not name.startswith("job")]
    assert kept == ["age", "missingindicator_age", "city_Bonn", "city_Kiel"]
    assert features.names() == [*kept, *(f"job_{k:02}" for k in range(30))]
    np.testing.assert_array_equal(X[:, :4], raw.transform(test.X)[:, :4])


def test_a_column_with_fewer_strings_than_the_threshold_has_a_column_for_each(make_skrub):
    part = titles(job=pd.Series(np.resize([f"job {k}" for k in range(39)], 300), dtype="str"))
    assert len(make_skrub().fit(part).names()) == 1 + 2 + 39
    fewer = make_skrub(cardinality_threshold=39).fit(part)
    assert len(fewer.names()) == 1 + 2 + 30


@pytest.mark.filterwarnings("error")
def test_a_column_has_fewer_components_than_strings(make_skrub):
    part = titles(n=50)
    different = part.X["job"].nunique()
    features = make_skrub(n_components=1000).fit(part)
    assert features.transform(part.X).shape == (50, 1 + 2 + different - 1)


def test_missing_strings_and_those_that_share_nothing_are_zeros(make_skrub):
    train = titles()
    train.X.loc[::7, "job"] = None
    features = make_skrub().fit(train)
    test = train.X[:4].assign(job=pd.Series([None, "ξξξξ", "", "teachr"], dtype="str"))
    X = features.transform(test)[:, 3:]
    assert not X[:3].any()
    assert X[3].any()
    everything = features.transform(test.assign(job=pd.Series([None] * 4, dtype="object")))
    assert not everything[:, 3:].any()


def test_a_string_is_near_those_that_are_spelt_like_it(make_skrub):
    train = titles()
    table = train.X[:3].assign(job=pd.Series(["nurse unit", "nurses unitt", "welder unit"], dtype="str"))
    nurse, misspelt, welder = make_skrub().fit(train).transform(table)[:, 3:]
    assert np.linalg.norm(nurse - misspelt) < 0.5 * np.linalg.norm(nurse - welder)


@pytest.mark.parametrize("columns", [["age"], ["age", "city"], ["job"]])
def test_a_table_of_one_kind_of_column(make_skrub, columns):
    part = titles()
    some = Part(part.X[columns], part.y, 2)
    features = make_skrub().fit(some)
    X = features.transform(some.X)
    assert X.dtype == np.float32
    assert X.shape == (300, len(features.names()))
    assert X.std(axis=0).all()


def test_it_comes_back_from_disk_the_same(make_skrub, tmp_path):
    train, test = titles(), titles(seed=1)
    contents = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        features = make_skrub().fit(train)
        features.save(folder)
        contents.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert contents[0] == contents[1]
    save_config(folder, TARGET)
    again = load_fitted(folder, "dvc repro")
    assert (again.transform(test.X) == features.transform(test.X)).all()
    assert again.names() == features.names()


def test_another_seed_is_another_start_of_the_same_svd(make_skrub):
    train = titles()
    X = [make_skrub(seed=seed).fit(train).transform(train.X) for seed in (0, 0, 1)]
    assert (X[0] == X[1]).all()
    assert (X[0] != X[2]).any()


@pytest.mark.parametrize(("kind", "words"), [("grey", "set of images"), ("text", "set of texts")])
def test_images_and_texts_are_none_of_its_business(make_skrub, part, prepare, layout, kind, words):
    prepare("some", part(kind), part(kind))
    featurize("some", "skrub", make_skrub(), TARGET, layout, jobs=1)
    meta = Features(layout.features("some", "skrub")).meta
    assert not meta.applicable
    assert meta.reason == f"skrub describes tables, some is a {words}"


@pytest.mark.parametrize(("most", "applied"), [(100, 100), (1000, 300)])
def test_a_table_of_ones_own_keeps_the_strings_that_its_yaml_lets_it(
    make_skrub, layout, tmp_path, most, applied
):
    part = titles(job=[f"job {k}" for k in range(300)])
    kinds = {"age": "number", "city": "category", "job": "category"}
    table = part.X.assign(y=part.y)
    test = table.assign(age=1.0)
    source = own_table(table, tmp_path, test, columns=kinds, most_categories=most)
    strings = prepared_table(source, layout).inputs("train")
    assert isinstance(strings, pd.DataFrame)
    assert strings["job"].nunique() == applied
    featurize("own", "skrub", make_skrub(), TARGET, layout, jobs=1)
    assert Features(layout.features("own", "skrub")).matrix("test").shape == (300, 1 + 2 + 30)


def test_infinity_is_refused_with_its_column(make_skrub):
    with pytest.raises(CrossoverError, match="infinity in column age"):
        make_skrub().fit(titles(age=np.full(300, np.inf)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cardinality_threshold": 1}, "cardinality_threshold must .*2, got 1"),
        ({"n_components": 0}, "n_components must be a positive integer, got 0"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(make_set, changes, words):
    with pytest.raises(CrossoverError, match=rf"{words} \(conf/features/skrub\.yaml\)"):
        make_set("skrub", **changes)


def test_without_the_package_it_says_how_to_install_it(make_set, monkeypatch):
    monkeypatch.setitem(sys.modules, "skrub", None)
    with pytest.raises(CrossoverError, match=r"features=skrub needs .*pip install 'crossover\[skrub\]'"):
        make_set("skrub")
