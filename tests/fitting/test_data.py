"""What a fit on some rows gets, and what making it costs."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from crossover.core.cell import LEARNED, Cell
from crossover.core.configuration import build
from crossover.core.layout import Layout
from crossover.data.prepared import Input, Meta, Part
from crossover.features.raw import RawFeatures
from crossover.features.tables import table_encoder
from crossover.fitting.config import FitConfig
from crossover.fitting.data import SubsetInputs, TrainingData
from crossover.stages.featurize import featurize
from tests.prepared_folder import write_one_split

N = 40
ROWS = np.arange(0, N, 4)


def prepared(root: Path, X: Input, modality: Any) -> Layout:
    """A prepared and featurized data set of two classes, whose test part is the training part."""
    layout = Layout(root)
    part = Part(X, np.arange(N) % 2, 2, 255.0 if modality == "image" else 1.0)
    shape = list(X.shape[1:])
    meta = Meta("some", modality, ["no", "yes"], shape, part.value_max, N, N, "made for a test", "checksum")
    layout.prepared("some").mkdir(parents=True)
    write_one_split(layout.prepared("some"), meta, part, part, np.array([[0, 1]]))
    config = {"_target_": "crossover.features.raw.RawFeatures", "modalities": ["image", "table"]}
    featurize("some", "raw", RawFeatures(modalities=["image", "table"]), config, layout, jobs=1)
    return layout


def data_of(layout: Layout, features: str) -> TrainingData:
    return TrainingData(FitConfig(Cell("some", features, "tree", "classical"), {}), layout)


@pytest.fixture
def table(tmp_path: Path) -> Layout:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(5, 3, N), "b": rng.choice(["x", "y"], N)})
    return prepared(tmp_path, X, "table")


@pytest.fixture
def images(tmp_path: Path) -> Layout:
    return prepared(
        tmp_path, np.random.default_rng(0).integers(0, 256, (N, 3, 3, 1), dtype=np.uint8), "image"
    )


def test_a_table_is_encoded_by_what_the_subset_alone_tells(table):
    data = data_of(table, "raw")
    inputs = SubsetInputs(data, ROWS)
    frame = data.prepared.inputs("train")
    assert isinstance(frame, pd.DataFrame)
    encoder = table_encoder(frame).fit(frame.iloc[ROWS])
    assert inputs.train.X[:, 0].mean() == pytest.approx(0, abs=1e-6)  # scaled by the subset's own mean
    np.testing.assert_array_equal(inputs.train.X, encoder.transform(frame.iloc[ROWS]))
    np.testing.assert_array_equal(inputs.take(np.arange(5)).X, encoder.transform(frame.iloc[:5]))
    np.testing.assert_array_equal(inputs.test.X, encoder.transform(frame))
    assert inputs.feature_seconds > 0
    assert data.stored_feature_seconds(N) == 0  # a fit pays for its own


def test_pixels_are_read_and_take_their_share_of_the_time(images):
    data = data_of(images, "raw")
    inputs = SubsetInputs(data, ROWS)
    np.testing.assert_array_equal(inputs.train.X, data.features.matrix("train")[ROWS])
    np.testing.assert_array_equal(inputs.train.y, data.labels[ROWS])
    np.testing.assert_array_equal(inputs.test.X, data.features.matrix("test"))
    whole = data.features.costs
    assert whole.n == N
    assert inputs.feature_seconds == pytest.approx(whole.seconds * len(ROWS) / N)
    assert data.stored_feature_seconds(N) == pytest.approx(whole.seconds)


def test_a_network_gets_the_prepared_input_at_no_cost(images):
    inputs = SubsetInputs(data_of(images, LEARNED), ROWS)
    assert inputs.train.X.dtype == np.uint8
    assert inputs.feature_seconds == 0


@pytest.mark.parametrize("inner", ["raw.RawFeatures", "random_patches.RandomPatches"])
def test_a_fit_gets_the_virtual_examples_of_its_own_rows(images, inner):
    """Features that learn, as the patches, learn from the rows of the fit alone, and describe their versions too."""
    own: dict[str, Any] = {
        "patch": 2,
        "filters": 2,
        "grid": 1,
        "threshold": 0.0,
        "contrast": 0.1,
        "whitening": 0.1,
    }
    inside = {"_target_": f"crossover.features.{inner}", "modalities": ["image"]}
    inside |= own | {"seed": 0} if "patches" in inner else {}
    config = {"_target_": "crossover.features.shifted.Shifted", "modalities": ["image"], "pixels": 1}
    config |= {"features": inside}
    featurize("some", "shifted", build(config, "a test"), config, images, jobs=1)
    data = data_of(images, "shifted")
    inputs, val = data.split(0)
    rows = np.arange(2, N)  # all but the validation rows
    feature_set = build(config, "a test").fit(data.prepared.train().take(rows))
    X = data.prepared.inputs("train")
    assert isinstance(X, np.ndarray)
    expected = [feature_set.transform(version) for version in feature_set.versions(X[rows])]
    assert (len(inputs.train), len(inputs.fitted), len(val)) == (N - 2, 5 * (N - 2), 2)
    np.testing.assert_array_equal(inputs.fitted.X[: N - 2], inputs.train.X)
    np.testing.assert_allclose(
        np.asarray(inputs.fitted.X)[N - 2 :].reshape(N - 2, 4, -1), np.stack(expected, 1), atol=1e-6
    )
    np.testing.assert_array_equal(inputs.fitted.y[N - 2 :], np.repeat(data.labels[rows], 4))
    assert (len(data.fitted), len(data.train)) == (5 * N, N)
    smaller, _ = data.split(0, examples=10)
    assert (len(smaller.train), len(smaller.fitted)) == (10, 50)


def test_features_without_virtual_examples_and_networks_get_their_rows_alone(images):
    for features in ("raw", LEARNED):
        data = data_of(images, features)
        assert len(data.fitted) == N
        assert len(data.split(0)[0].fitted) == N - 2
