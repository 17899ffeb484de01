"""The stage, from a prepared data set to a feature matrix on disk."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.core.configuration import load_fitted
from crossover.core.errors import CrossoverError
from crossover.data.prepared import Meta, Part, write_prepared
from crossover.data.splits import Split
from crossover.features.base import Features
from crossover.features.raw import RawFeatures
from crossover.stages.featurize import column_name, featurize

CONFIG = {
    "raw": {"_target_": "crossover.features.raw.RawFeatures"},
    "handcrafted": {"_target_": "crossover.features.handcrafted.Handcrafted"},
}


@pytest.fixture
def run(make_set, layout):
    def run(dataset, name):
        featurize(dataset, name, make_set(name), CONFIG[name], layout, jobs=1)
        return Features(layout.features(dataset, name))

    return run


def split(part, n_train=8):
    return part.take(np.arange(n_train)), part.take(np.arange(n_train, len(part)))


@pytest.mark.parametrize(("name", "kind"), [("raw", "grey"), ("handcrafted", "colour"), ("raw", "table")])
def test_writes_both_parts_and_the_fitted_feature_set(name, kind, run, part, prepare, layout):
    train, test = split(part(kind))
    prepare("some", train, test)
    features = run("some", name)
    assert features.meta.applicable
    assert features.matrix("train").shape == (8, features.meta.n_features)
    assert features.matrix("test").shape == (4, features.meta.n_features)
    assert features.matrix("test").dtype == np.float32
    fitted = load_fitted(layout.features("some", name) / "featurizer" / "0", "dvc repro")
    assert (fitted.transform(test.X) == features.matrix("test")).all()


@pytest.mark.parametrize(("name", "kind"), [("handcrafted", "grey"), ("raw", "table")])
def test_two_runs_write_the_same_bytes(name, kind, run, part, prepare, layout):
    prepare("some", *split(part(kind)))
    contents = []
    for _ in range(2):
        folder = run("some", name).folder
        contents.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()})
        assert contents[-1].pop(Path("cost.json"))  # measured
    assert len(contents[0]) >= 5
    assert contents[0] == contents[1]


@pytest.mark.parametrize(("name", "kind"), [("raw", "table"), ("handcrafted", "grey")])
def test_nothing_is_learned_from_the_test_part(name, kind, run, part, prepare):
    train, test = split(part(kind))
    other = Part(test.X.copy(), test.y, 2, test.value_max)
    if isinstance(other.X, pd.DataFrame):
        other.X.loc[1:, "age"] = 1e9
        other.X.loc[1:, "city"] = "Ulm"
    else:
        other.X[1:] = 0
    prepare("one", train, test)
    prepare("two", train, other)
    one, two = run("one", name), run("two", name)
    assert one.meta.names == two.meta.names
    assert (one.matrix("train") == two.matrix("train")).all()
    assert (one.matrix("test")[0] == two.matrix("test")[0]).all()
    assert (one.matrix("test")[1:] != two.matrix("test")[1:]).any()


def test_the_labels_of_the_test_part_are_not_read(run, part, prepare, layout):
    prepare("some", *split(part("grey")))
    (layout.prepared("some") / "test" / "0" / "y.npy").unlink()
    assert run("some", "raw").meta.applicable


def test_what_does_not_apply_says_so_and_writes_nothing_else(run, part, prepare):
    prepare("patients", *split(part("table")))
    features = run("patients", "handcrafted")
    assert not features.meta.applicable
    assert features.meta.reason == "handcrafted describes images, patients is a table"
    assert [p.name for p in features.folder.rglob("*") if p.is_file()] == ["meta.json"]


def test_what_does_not_apply_imports_nothing_heavy(part, prepare, layout):
    prepare("patients", *split(part("table")))
    code = f"""
import sys
from pathlib import Path
from typing import Any
from crossover.stages.featurize import featurize
from crossover.features.handcrafted import Handcrafted
from crossover.core.layout import Layout
off = dict.fromkeys(["zoning", "profiles", "lbp", "moments", "edges", "colours"])
hog = dict(orientations=9, cell=4, block=2, normalization="L2")
features = Handcrafted(modalities=["image"], min_size=16, hog=hog, **off)
featurize("patients", "handcrafted", features, {{}}, Layout(Path({str(layout.root)!r})), jobs=1)
print([m for m in ("sklearn", "torch", "scipy", "skimage.feature._hog", "mlflow") if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_feature_that_is_not_finite_is_named_and_nothing_is_written(part, prepare, layout):
    class Broken(RawFeatures):
        def transform(self, X, *, jobs=1, progress=False):
            out = super().transform(X)
            out[3, 40] = np.nan
            return out

    prepare("some", *split(part("grey")))
    with pytest.raises(
        CrossoverError, match=r"nan in row 3 of pixels, column 40 of 784 \(some/broken, train"
    ):
        featurize("some", "broken", Broken(modalities=["image"]), {}, layout, jobs=1)
    assert not layout.features("some", "broken").exists()


def test_a_data_set_that_is_not_prepared_is_named_with_the_command(run):
    with pytest.raises(CrossoverError, match=r"python pipelines/prepare\.py dataset=some"):
        run("some", "raw")


def test_column_names_are_found_inside_blocks():
    names = ["age", "hog (4)", "edges (2)"]
    assert [column_name(names, c) for c in (0, 1, 6)] == [
        "age",
        "hog, column 0 of 4",
        "edges, column 1 of 2",
    ]


@pytest.mark.parametrize("left_out", [([], []), ([6], [7]), ([7], [7]), ([6, 7], [])])
@pytest.mark.parametrize(("name", "kind"), [("raw", "grey"), ("raw", "table")])
def test_each_split_has_features_of_its_own_training_part(name, kind, left_out, make_set, part, layout):
    """Also where a split leaves rows out, so that no group is in two parts."""
    everything, tested = part(kind), ([0, 3], [1, 3])
    splits = [
        Split(np.setdiff1d(np.arange(len(everything)), [*rows, *out]), np.array(rows), np.array([[5]]))
        for rows, out in zip(tested, left_out, strict=True)
    ]
    modality: Any = "table" if kind == "table" else "image"
    meta = Meta(
        "some",
        modality,
        ["a", "b"],
        [*everything.X.shape[1:]],
        everything.value_max,
        10,
        2,
        "",
        "0",
        splits=2,
    )
    folder = layout.prepared("some")
    folder.mkdir(parents=True)
    parts = [(everything.take(split.train), everything.take(split.test)) for split in splits]
    write_prepared(folder, meta, {}, parts, splits)
    featurize("some", name, make_set(name), CONFIG[name], layout, jobs=1)
    for k, (train, test) in enumerate(parts):
        features = Features(layout.features("some", name), k)
        expected = make_set(name).fit(train)
        np.testing.assert_array_equal(features.matrix("train"), expected.transform(train.X))
        np.testing.assert_array_equal(features.matrix("test"), expected.transform(test.X))
        loaded = load_fitted(features.featurizer, "dvc repro")
        np.testing.assert_array_equal(loaded.transform(test.X), features.matrix("test"))
