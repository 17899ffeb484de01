"""What holds for every feature set in conf/features/."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from scipy.sparse import issparse

from crossover.core.configuration import load_fitted, save_config
from crossover.core.errors import CrossoverError
from crossover.features import handcrafted

PROJECT = Path(__file__).parents[2]
CONFIGS = {path.stem: OmegaConf.load(path) for path in (PROJECT / "conf" / "features").glob("*.yaml")}
NAMES = sorted(CONFIGS)
KINDS = {"image": ["digits8", "grey", "colour", "oblong"], "table": ["table"], "text": ["text"]}
CASES = [(name, kind) for name in NAMES for modality in CONFIGS[name].modalities for kind in KINDS[modality]]


@pytest.fixture(params=CASES, ids="-".join)
def case(request, make_set, part):
    """A feature set of conf/features/ and a part that it takes."""
    name, kind = request.param
    if name == "skrub":
        pytest.importorskip("skrub", reason="skrub, an extra, is not installed")
    return make_set(name), part(kind)


def dense(X):
    return X.toarray() if issparse(X) else X


def test_gives_a_finite_matrix_of_the_width_that_its_names_say(case):
    feature_set, part = case
    X = dense(feature_set.fit(part).transform(part.X))
    assert X.dtype == np.float32
    assert X.shape[0] == len(part)
    assert np.isfinite(X).all()
    assert X.std(axis=0).max() > 0
    widths = [int(n.split(" (")[1][:-1]) if n.endswith(")") else 1 for n in feature_set.names()]
    assert sum(widths) == X.shape[1]


def test_each_row_depends_on_its_own_example_alone(case):
    feature_set, part = case
    X = dense(feature_set.fit(part).transform(part.X))
    rows = np.array([7, 2])
    np.testing.assert_allclose(dense(feature_set.transform(part.take(rows).X)), X[rows], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_modality_that_does_not_exist_is_an_error(name, make_set):
    with pytest.raises(CrossoverError, match=rf"{name}.yaml: modalities must .*got \['imgae'\]"):
        make_set(name, modalities=["imgae"])


def test_leaves_its_input_as_it_was(case):
    feature_set, part = case
    before = part.X.copy()
    feature_set.fit(part).transform(part.X)
    assert part.X.equals(before) if isinstance(before, pd.DataFrame) else (before == part.X).all()


def test_comes_back_from_disk_the_same(case, tmp_path):
    feature_set, part = case
    X = dense(feature_set.fit(part).transform(part.X))
    feature_set.save(tmp_path)
    target = f"{type(feature_set).__module__}.{type(feature_set).__name__}"
    save_config(tmp_path, {"_target_": target})
    again = load_fitted(tmp_path, "dvc repro")
    assert (dense(again.transform(part.X)) == X).all()
    assert again.names() == feature_set.names()
    assert again.modalities == feature_set.modalities


def test_saves_the_same_bytes_twice(case, tmp_path):
    feature_set, part = case
    contents = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        feature_set.fit(part).save(folder)
        files = [path for path in folder.rglob("*") if path.is_file()]
        contents.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert contents[0] == contents[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_misspelt_key_is_named_with_its_file(name, make_set):
    with pytest.raises(CrossoverError, match=rf"conf/features/{name}\.yaml.*min_sice"):
        make_set(name, min_sice=3)


@pytest.mark.parametrize("constant", [0, 1, 255])
@pytest.mark.parametrize(("name", "kind"), [case for case in CASES if case[1] not in ("table", "text")])
def test_constant_images_are_finite(name, kind, constant, make_set, part):
    data = part(kind)
    data.X[:] = min(constant, int(data.value_max))
    assert np.isfinite(make_set(name).fit(data).transform(data.X)).all()


def test_raw_is_pixels_between_0_and_1(make_set, part):
    data = part("digits8")
    X = make_set("raw").fit(data).transform(data.X)
    np.testing.assert_array_equal(X, data.X.reshape(12, 64) / np.float32(16))


class TestHandcrafted:
    def test_more_processes_give_the_same_bits(self, make_set, part, monkeypatch):
        monkeypatch.setattr(handcrafted, "CHUNK", 5)
        data = part("grey")
        feature_set = make_set("handcrafted").fit(data)
        one, two = (feature_set.transform(data.X, jobs=jobs, progress=jobs == 2) for jobs in (1, 2))
        assert one.tobytes() == two.tobytes()

    def test_a_memory_mapped_input_is_as_good(self, make_set, part, tmp_path):
        data = part("grey")
        np.save(tmp_path / "X.npy", data.X)
        feature_set = make_set("handcrafted").fit(data)
        mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
        assert (feature_set.transform(mapped) == feature_set.transform(data.X)).all()

    def test_a_block_set_to_null_is_off(self, make_set, part):
        data = part("grey")
        full = make_set("handcrafted").fit(data)
        less = make_set("handcrafted", edges=None).fit(data)
        assert set(full.names()) - set(less.names()) == {"edges (16)"}

    def test_hog_alone_is_the_first_block(self, make_set, part):
        data = part("grey")
        hog = make_set("hog").fit(data).transform(data.X)
        assert hog.shape == (12, 6 * 6 * 2 * 2 * 9)
        assert (make_set("handcrafted").fit(data).transform(data.X)[:, : hog.shape[1]] == hog).all()

    def test_orientations_are_an_override_away(self, make_set, part):
        data = part("grey")
        assert make_set("hog", hog__orientations=12).fit(data).names() == ["hog (1728)"]

    def test_only_colour_images_have_a_colour_histogram(self, make_set, part):
        for kind, expected in (("grey", False), ("colour", True)):
            names = make_set("handcrafted").fit(part(kind)).names()
            assert any(name.startswith("colours") for name in names) == expected

    def test_small_images_are_enlarged_to_min_size(self, make_set, part):
        data = part("digits8")
        cells = {size: make_set("hog", min_size=size).fit(data).names() for size in (8, 16, 20)}
        assert cells == {8: ["hog (36)"], 16: ["hog (324)"], 20: ["hog (900)"]}

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"hog__orientatons": 9}, "hog.*orientatons"),
            ({"hog__orientations": 0}, "hog.*orientations must be a positive integer, got 0"),
            ({"hog__cell": 4.5}, "hog.*cell must be an integer, got 4.5"),
            ({"hog__normalization": "L3"}, "hog.*normalization must be one of .*got 'L3'"),
            ({"profiles__rows": 3}, "profiles.*rows must be true or false, got 3"),
            ({"edges__threshold": -1}, "edges.*threshold must be a positive number, got -1"),
            ({"edges": True}, "edges.*must be a mapping"),
            ({"min_size": 0}, "min_size must be a positive integer, got 0"),
        ],
    )
    def test_a_wrong_value_is_named_with_its_block(self, make_set, changes, words):
        with pytest.raises(CrossoverError, match=words) as raised:
            make_set("handcrafted", **changes)
        assert "conf/features/handcrafted.yaml" in str(raised.value)

    def test_no_block_at_all_is_an_error(self, make_set):
        with pytest.raises(CrossoverError, match="at least one block must be on"):
            make_set("hog", hog=None)

    @pytest.mark.parametrize(
        ("changes", "words"),
        [({"hog__cell": 8}, "hog needs images of at least 16x16"), ({"zoning__grid": 9}, "got 9 for 8x8")],
    )
    def test_an_image_too_small_for_a_block_is_an_error(self, make_set, part, changes, words):
        with pytest.raises(CrossoverError, match=words):
            make_set("handcrafted", min_size=8, **changes).fit(part("digits8"))

    def test_images_of_another_shape_are_refused(self, make_set, part):
        feature_set = make_set("hog").fit(part("grey"))
        with pytest.raises(CrossoverError, match=r"\(28, 28, 1\), got \(32, 32, 3\)"):
            feature_set.transform(part("colour").X)


def test_shifted_images_are_virtual_examples_for_the_training(make_set, part):
    of_images, plain = part("grey"), make_set("hog")
    shifted = make_set("hog_shifted", pixels=2).fit(of_images)
    X, y = plain.fit(of_images).transform(of_images.X), of_images.X
    assert (shifted.transform(of_images.X) == X).all()  # predictions are made from the image as it is
    assert plain.versions(of_images.X) == []
    down, up, right, left = (np.zeros_like(y) for _ in range(4))
    down[:, 2:], up[:, :-2] = y[:, :-2], y[:, 2:]
    right[:, :, 2:], left[:, :, :-2] = y[:, :, :-2], y[:, :, 2:]
    for found, expected in zip(shifted.versions(y), (down, up, right, left), strict=True):
        np.testing.assert_array_equal(found, expected)
