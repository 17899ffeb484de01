"""Stage prepare: what every later stage reads."""

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.core.errors import CrossoverError
from crossover.core.files import checksum, read_yaml
from crossover.core.layout import Layout
from crossover.data.bundled import BundledTable
from crossover.data.checks import check
from crossover.data.delimited import DelimitedTable
from crossover.data.fetch import MIRROR
from crossover.data.prepared import Part, Prepared
from crossover.data.source import DataSource
from crossover.data.statistics import statistics
from crossover.stages.download import download
from crossover.stages.prepare import prepare
from tests.data.configured import CONF, NAMES, load_protocol, load_source
from tests.data.small_data import TEST_TEXT, TRAIN_TEXT, put_table, small_table

BUNDLED = {"digits": (1347, 450, [8, 8, 1]), "breast_cancer": (426, 143, [30]), "wine": (133, 45, [13])}
SMALL = {"validation_fraction": 0.25, "repetitions": 2}  # enough for eight rows


def prepared(source: DataSource, layout: Layout, **protocol: Any) -> Prepared:
    """Run both stages."""
    download(source, layout)
    prepare(source, load_protocol(**protocol), layout)
    return Prepared(layout.prepared(source.name))


def prepared_table(layout: Layout, train: str = TRAIN_TEXT, test: str = TEST_TEXT) -> Prepared:
    put_table(layout.raw("small"), train, test)
    prepare(small_table(train, test), load_protocol(**SMALL), layout)
    return Prepared(layout.prepared("small"))


@pytest.mark.parametrize("name", NAMES)
def test_every_yaml_builds_a_source_of_its_name(name: str):
    source = load_source(name)
    assert isinstance(source, DataSource)
    assert source.name == name
    assert source.modality in ("image", "table", "text")


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_key_is_an_error(name: str):
    with pytest.raises(CrossoverError, match=rf"conf/dataset/{name}\.yaml.*misspelt"):
        load_source(name, misspelt=1)


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_can_have_a_caveat(name: str):
    assert load_source(name, caveat="Mind the gap.").caveat == "Mind the gap."
    with pytest.raises(CrossoverError, match=rf"conf/dataset/{name}\.yaml.*caveats"):
        load_source(name, caveats="Mind the gap.")
    with pytest.raises(CrossoverError, match="caveat must be"):
        load_source(name, caveat=13)


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_can_name_its_metric(name: str):
    node = read_yaml(CONF / "dataset" / f"{name}.yaml")
    assert load_source(name).metric == node.get("metric", "accuracy")
    with pytest.raises(CrossoverError, match="metric must be"):
        load_source(name, metric="log_loss")


def test_the_metric_reaches_every_later_stage(layout: Layout):
    assert prepared(load_source("wine", metric="roc_auc"), layout).meta.metric == "roc_auc"


def test_the_digits_say_that_their_parts_share_writers():
    assert "same person" in load_source("digits").caveat
    assert load_source("mnist").caveat == ""


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_data_set_is_split_by_the_protocol(name: str, layout: Layout):
    source = load_source(name)
    data = prepared(source, layout)
    n_train, n_test, shape = BUNDLED[name]
    meta = data.meta
    assert (meta.n_train, meta.n_test, meta.input_shape) == (n_train, n_test, shape)
    assert (meta.dataset, meta.modality) == (name, source.modality)
    assert meta.split.startswith(
        "8 stratified draws of 0.25 of the examples, one a repetition, split_seed 0; 0.25"
    )
    assert meta.splits == 8
    assert meta.test_overlap == pytest.approx(1 / 3, abs=0.01)  # a quarter out of three quarters
    assert meta.checksum == checksum(layout.raw(name).iterdir())
    for part, n in ((data.train(), n_train), (data.test(), n_test)):
        assert part.X.shape == (n, *shape)
        assert part.y.shape == (n,)
        assert part.y.dtype == np.int64
        assert part.n_classes == len(meta.classes)
    assert len(data.validation_rows(31)) == math.ceil(n_train / 10)


@pytest.mark.parametrize("name", BUNDLED)
def test_train_and_test_hold_each_example_once(name: str, layout: Layout):
    source = load_source(name)
    data = prepared(source, layout)
    everything = source.load(layout.raw(name)).train

    def examples(part: Part) -> list[bytes]:
        X = np.asarray(part.X).reshape(len(part), -1)
        return sorted(x.tobytes() + bytes([y]) for x, y in zip(X, part.y, strict=True))

    for k in range(8):
        split = data.of(k)
        assert sorted(examples(split.train()) + examples(split.test())) == examples(everything)
        assert examples(everything.take(split.rows("test"))) == examples(split.test())
    with pytest.raises(
        CrossoverError, match=r"9 repetitions of .* 8 parts; raise `test_parts` in conf/protocol"
    ):
        data.require_splits(9)
    data.require_splits(8)
    assert data.of(8).split == 0


@pytest.mark.parametrize("value", [0, -1, "16"])
def test_a_largest_value_that_is_no_positive_number(value: Any):
    with pytest.raises(CrossoverError, match=rf"value_max must .*got {value!r} \(conf/dataset/digits.yaml\)"):
        load_source("digits", value_max=value)


def test_digits_are_bytes_up_to_sixteen(layout: Layout):
    data = prepared(load_source("digits"), layout)
    X = data.inputs("train")
    assert isinstance(X, np.memmap)
    assert X.dtype == np.uint8
    assert X.max() == data.meta.value_max == 16


@pytest.mark.parametrize("name", BUNDLED)
def test_a_second_run_writes_the_same_bytes(name: str, layout: Layout, tmp_path: Path):
    other = Layout(tmp_path / "other")
    for place in (layout, other):
        prepared(load_source(name), place)
    for folder in ("raw", "prepared"):
        files = [
            p.relative_to(layout.root)
            for p in (layout.root / "data" / folder / name).rglob("*")
            if p.is_file()
        ]
        assert files
        for file in files:
            assert (layout.root / file).read_bytes() == (other.root / file).read_bytes(), file


@pytest.mark.usefixtures("mirror")
def test_statistics_of_images_are_of_the_training_part_alone(layout: Layout):
    data = prepared(load_source("digits"), layout)
    X = np.asarray(data.inputs("train")) / 16
    assert data.statistics["mean"] == pytest.approx([X.mean()])
    assert data.statistics["std"] == pytest.approx([X.std()])
    assert data.statistics["class_counts"] == np.bincount(data.labels("train")).tolist()


def test_statistics_of_each_colour():
    X = np.random.default_rng(0).integers(0, 256, (50, 4, 4, 3), dtype=np.uint8)
    found = statistics(Part(X, np.arange(50) % 2, 2, 255.0))
    np.testing.assert_allclose(found["mean"], (X / 255).mean(axis=(0, 1, 2)))
    np.testing.assert_allclose(found["std"], (X / 255).std(axis=(0, 1, 2)))


def test_statistics_of_a_table_are_of_the_training_part_alone(layout: Layout):
    found = prepared_table(layout).statistics
    ages = np.array([39, 50, 28, 41, 35, 52, 23])
    assert found["class_counts"] == [4, 4]
    assert found["numeric"]["age"] == pytest.approx(
        {"mean": ages.mean(), "std": ages.std(), "median": 39, "missing": 1}
    )
    assert found["categorical"]["work"] == {
        "counts": {"Never-worked": 1, "Private": 4, "State-gov": 2},
        "missing": 1,
    }
    assert "Unseen-category" not in json.dumps(found)


def test_a_column_without_any_value_has_null_statistics():
    X = pd.DataFrame({"empty": [np.nan, np.nan], "full": [1.0, 2.0]})
    found = statistics(Part(X, np.array([0, 1]), 2))["numeric"]
    assert found["empty"] == {"mean": None, "std": None, "median": None, "missing": 2}


def test_a_table_keeps_the_publishers_split_and_its_missing_values(layout: Layout):
    data = prepared_table(layout)
    train, test = data.train(), data.test()
    assert data.meta.split == "the publisher's"
    assert (data.meta.n_train, data.meta.n_test, data.meta.input_shape) == (8, 2, [3])
    assert train.y.tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert test.y.tolist() == [0, 1]
    assert isinstance(train.X, pd.DataFrame)
    assert isinstance(test.X, pd.DataFrame)
    assert list(train.X) == list(test.X) == ["age", "work", "sex"]
    assert train.X["age"].dtype == np.float64
    assert train.X["age"].isna().tolist() == [False] * 3 + [True] + [False] * 4
    assert train.X["work"].isna().tolist() == [False, True] + [False] * 6
    assert train.X["work"][0] == "Private"
    assert test.X["work"].tolist() == ["Private", "Unseen-category"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("41, State-gov, Male", "41, State-gov", r"line 6 of .*small\.data must hold 4 values, got 3"),
        (
            "41, State-gov",
            "forty, State-gov",
            r"line 6 of .*small\.data must hold a number in column age, got 'forty'",
        ),
        (
            "35, Private, Female, >50K",
            "35, Private, Female, >50M",
            r"line 7 of .*must end in one of .*got '>50M'",
        ),
        ("35, Private, Female, >50K", "inf, Private, Female, >50K", r"finite numbers.*age"),
        (TRAIN_TEXT, "", r"at least one, got 0"),
        ("Female, >50K", "Female, <=50K", r"at least two classes"),
    ],
)
def test_a_table_that_is_not_as_described(old: str, new: str, message: str, layout: Layout):
    assert old in TRAIN_TEXT
    with pytest.raises(CrossoverError, match=message) as raised:
        prepared_table(layout, train=TRAIN_TEXT.replace(old, new))
    assert "conf/dataset/small.yaml" in str(raised.value)
    assert not layout.prepared("small").exists()


def test_a_kind_of_column_that_does_not_exist():
    with pytest.raises(
        CrossoverError,
        match=r"columns\.age must be one of number, category, got 'float' .*conf/dataset/adult\.yaml",
    ):
        load_source("adult", columns={"age": "float"})


def test_a_test_label_without_its_full_stop(layout: Layout):
    with pytest.raises(CrossoverError, match=r"line 2 of .*small\.test must end in one of .*got '<=50K'"):
        prepared_table(layout, test=TEST_TEXT.replace("<=50K.", "<=50K"))


def test_mnist_keeps_the_publishers_split(small_mnist: dict[str, np.ndarray], layout: Layout):
    data = prepared(load_source("mnist"), layout, validation_fraction=0.25)
    for part, prefix in ((data.train(), "train"), (data.test(), "t10k")):
        np.testing.assert_array_equal(part.X[..., 0], small_mnist[f"{prefix}-images-idx3-ubyte"])
        np.testing.assert_array_equal(part.y, small_mnist[f"{prefix}-labels-idx1-ubyte"])
    assert data.meta.input_shape == [28, 28, 1]
    assert data.meta.classes == [str(digit) for digit in range(10)]
    assert data.meta.split == "the publisher's"


def test_cifar_keeps_the_publishers_split_and_its_colours(small_cifar: dict[str, np.ndarray], layout: Layout):
    data = prepared(load_source("cifar10"), layout, validation_fraction=0.25)
    for part, name in ((data.train(), "data_batch_1"), (data.test(), "test_batch")):
        planes = small_cifar[name].reshape(-1, 3, 32, 32)  # the publisher stores red, green and blue planes
        np.testing.assert_array_equal(part.X, planes.transpose(0, 2, 3, 1))
    assert data.meta.classes == list("abcdefghij")
    assert data.meta.input_shape == [32, 32, 3]


@pytest.mark.usefixtures("small_mnist")
def test_a_broken_archive_is_named(layout: Layout):
    source = load_source("mnist")
    download(source, layout)
    path = layout.raw("mnist") / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(
        CrossoverError, match=r"t10k-images-idx3-ubyte\.gz is broken.*pipelines/download.py dataset=mnist"
    ):
        prepare(source, load_protocol(), layout)


def test_raw_files_that_are_not_there(layout: Layout):
    with pytest.raises(CrossoverError, match=r"data/raw/digits.*pipelines/download.py dataset=digits"):
        prepare(load_source("digits"), load_protocol(), layout)


def test_another_librarys_data_are_refused(layout: Layout):
    download(load_source("wine"), layout)
    with pytest.raises(CrossoverError, match=r"SHA-256 checksum of sklearn\.datasets\.load_iris"):
        prepare(load_source("wine", loader="load_iris"), load_protocol(), layout)


def test_an_error_leaves_the_older_preparation(layout: Layout, monkeypatch: pytest.MonkeyPatch):
    data = prepared(load_source("wine"), layout)
    before = data.meta
    monkeypatch.setattr(
        BundledTable, "load", lambda self, folder: (_ for _ in ()).throw(CrossoverError("broken"))
    )
    with pytest.raises(CrossoverError, match="broken"):
        prepare(load_source("wine"), load_protocol(), layout)
    assert Prepared(layout.prepared("wine")).meta == before
    assert os.listdir(layout.prepared("wine").parent) == ["wine"]


IMAGES = np.zeros((4, 8, 8, 1), dtype=np.uint8)
LABELS = np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (IMAGES[:0], LABELS[:0], "at least one, got 0 and 0"),
        (IMAGES, LABELS[:3], "got 3 and 4"),
        (IMAGES, np.array([0, 1, np.nan, 1]), "a whole number as label of each example, got nan"),
        (IMAGES, np.array([0, 1, 2, 1]), "labels from 0 to 1, got 2"),
        (IMAGES, np.array([0, -1, 0, 1]), "labels from 0 to 1, got -1"),
        (IMAGES, np.zeros(4, dtype=np.int64), "at least two classes"),
        (IMAGES + 17, LABELS, "no pixel above value_max 16, got 17"),
        (IMAGES[..., 0], LABELS, "images uint8"),
        (IMAGES.astype(float), LABELS, "images uint8"),
    ],
)
def test_examples_that_break_the_contract(X: np.ndarray, y: np.ndarray, message: str):
    with pytest.raises(CrossoverError, match=message) as raised:
        check(Part(X, y, 2, 16.0), load_source("digits"))
    assert "digits" in str(raised.value)


@pytest.fixture
def real_mirror() -> None:
    if not os.environ.get(MIRROR):
        pytest.skip(f"{MIRROR} names no mirror with the publishers' files")


@pytest.mark.usefixtures("real_mirror")
def test_the_real_mnist(layout: Layout):
    data = prepared(load_source("mnist"), layout)
    assert data.train().X.shape == (60_000, 28, 28, 1)
    assert data.test().X.shape == (10_000, 28, 28, 1)
    # LeCun's test labels begin so, and his pixels have this mean and deviation
    assert data.labels("test")[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(data.labels("test")).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert data.statistics["mean"] == pytest.approx([0.1307], abs=5e-5)
    assert data.statistics["std"] == pytest.approx([0.3081], abs=5e-5)


@pytest.mark.usefixtures("real_mirror")
def test_the_real_adult(layout: Layout):
    source = load_source("adult")
    assert isinstance(source, DelimitedTable)
    data = prepared(source, layout)
    # the counts in the publisher's adult.names
    assert (data.meta.n_train, data.meta.n_test, data.meta.input_shape) == (32_561, 16_281, [14])
    train, test = data.inputs("train"), data.inputs("test")
    assert isinstance(train, pd.DataFrame)
    assert isinstance(test, pd.DataFrame)
    assert int(train.notna().all(axis=1).sum()) == 30_162
    assert int(test.notna().all(axis=1).sum()) == 15_060
    assert data.labels("train").mean() == pytest.approx(0.2408, abs=5e-5)
    assert data.statistics["numeric"]["age"]["mean"] == pytest.approx(train["age"].mean())
    assert set(data.statistics["categorical"]["sex"]["counts"]) == {"Male", "Female"}


@pytest.mark.parametrize("content", [b"", b"half of it"])
@pytest.mark.parametrize(
    "file", ["train/0/X.parquet", "train/0/y.npy", "train/0/rows.npy", "train/0/validation.npy"]
)
def test_a_broken_prepared_file_is_named(file: str, content: bytes, layout: Layout):
    data = prepared(load_source("wine"), layout)
    (data.folder / file).write_bytes(content)
    with pytest.raises(
        CrossoverError,
        match=rf"{file} is broken \(.*\); make it again with `python pipelines/prepare.py dataset=wine`",
    ):
        data.train(), data.rows("train"), data.validation_rows(0)
