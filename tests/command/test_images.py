"""What a folder of images of the user's is taken for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from crossover.command.description import Description, Options
from crossover.command.images import describe_images
from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.data.source import DataSource, RawData


def write(path: Path, height: int, width: int, mode: str = "L", value: int = 200) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (width, height), value if mode == "L" else (value, 0, 0)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes, grey images of 12 by 10 pixels."""
    for name, value in (("cats", 10), ("dogs and more", 200)):
        for k in range(3):
            write(tmp_path / "photos" / name / f"im {k}.png", 12, 10, value=value)
    return tmp_path / "photos"


def described(path: Path, **options: object) -> Description:
    return describe_images(path, Options("photos", **options), path.as_posix())  # type: ignore[arg-type]


def load(found: Description, tmp_path: Path) -> RawData:
    source = build(found.yaml, "conf/dataset/photos.yaml", DataSource)
    raw = tmp_path / "raw"
    raw.mkdir()
    source.download(raw)
    return source.load(raw)


def test_a_folder_with_a_folder_a_class(folder: Path, tmp_path: Path) -> None:
    raw = load(described(folder), tmp_path)
    assert raw.classes == ["cats", "dogs and more"]
    assert raw.train.X.shape == (6, 12, 10, 1)
    assert raw.train.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert np.unique(np.asarray(raw.train.X)[:3]) == [10]
    assert raw.test is None


def test_train_and_test_below_it(folder: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("cats", "dogs and more"):
            (tmp_path / "both" / part).mkdir(parents=True, exist_ok=True)
            for k in range(2 if part == "test" else 3):
                write(tmp_path / "both" / part / name / f"{k}.png", 9, 9)
    found = described(tmp_path / "both")
    raw = load(found, tmp_path)
    assert raw.test is not None
    assert (len(raw.train), len(raw.test), found.has_test) == (6, 4, True)
    write(tmp_path / "both" / "test" / "birds" / "0.png", 9, 9)
    with pytest.raises(CrossoverError, match=r"must have the classes of .*, got another one, 'birds'"):
        described(tmp_path / "both")


def test_mixed_sizes_and_colours_are_brought_to_one(folder: Path, tmp_path: Path) -> None:
    write(folder / "cats" / "large.jpg", 100, 300, "RGB")
    found = described(folder)
    assert [found.yaml[key] for key in ("height", "width", "channels")] == [12, 10, 3]
    assert "they have 12 by 10 to 100 by 300, and 12 by 10 in the median" in str(found.decisions[1])
    X = np.asarray(load(found, tmp_path).train.X)
    assert X.shape == (7, 12, 10, 3)
    assert (X[0] == 10).all()  # a grey image has three equal channels
    assert X[3, 5, 5, 0] > 190  # "large" comes after the others
    assert X[3, 5, 5, 1] < 10


def test_large_images_are_scaled_down(folder: Path) -> None:
    for path in folder.rglob("*.png"):
        write(path, 90, 180)
    small, larger = described(folder), described(folder, size=64)
    assert [small.yaml[key] for key in ("height", "width")] == [16, 32]
    assert [larger.yaml[key] for key in ("height", "width")] == [32, 64]


def test_an_image_is_cut_at_both_ends(folder: Path, tmp_path: Path) -> None:
    wide = np.zeros((12, 30), np.uint8)
    wide[:, 10:20] = 255
    Image.fromarray(wide).save(folder / "cats" / "wide.png")
    X = np.asarray(load(described(folder), tmp_path).train.X)
    assert (X[3] > 200).mean() > 0.9


def test_bad_folders_get_one_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CrossoverError, match="images for each of at least two classes, got none"):
        described(tmp_path / "empty")
    (folder / "cats" / "broken.png").write_bytes(b"no image")
    with pytest.raises(CrossoverError, match=r"broken\.png must be an image, got a file that cannot be read"):
        described(folder)


def test_options_that_need_a_table_get_one_sentence(folder: Path) -> None:
    found = described(folder, groups="auto", test_fraction=0.4)
    assert (found.yaml["groups"], found.yaml["test_fraction"]) == ("auto", 0.4)
    assert "groups: equal images (--groups auto: they are in one part)" in map(str, found.decisions)
    for option, value in (("groups", "writer"), ("time", "day")):
        with pytest.raises(
            CrossoverError, match=f"a folder of images has no columns, got --{option} {value}"
        ):
            described(folder, **{option: value})
    for part in ("train", "test"):
        write(folder / part / "cats" / "0.png", 9, 9)
        write(folder / part / "dogs" / "0.png", 9, 9)
    with pytest.raises(CrossoverError, match=r"--test must be left out .*, got 0.4"):
        described(folder, test_fraction=0.4)


def test_a_circle_of_links_and_hidden_files_are_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "cats" / "again").symlink_to(folder, target_is_directory=True)
    write(folder / "cats" / ".hidden" / "0.png", 5, 5)
    (folder / ".DS_Store").write_text("")
    assert described(folder).n_train == 6


def test_a_folder_that_changed_is_not_taken(folder: Path, tmp_path: Path) -> None:
    found = described(folder)
    write(folder / "cats" / "new.png", 12, 10)
    with pytest.raises(CrossoverError, match="has changed since the data set photos was described"):
        load(found, tmp_path)
