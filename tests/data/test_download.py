"""Stage download: what lies in `data/raw/<dataset>/` afterwards."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from crossover.core.configuration import build
from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, read_yaml
from crossover.core.layout import Layout
from crossover.data.delimited import TextFile
from crossover.data.source import DataSource
from crossover.stages.download import download
from tests.data.configured import CONF, load_source
from tests.data.small_data import TEST_TEXT, TRAIN_TEXT, put_table, small_table


def test_the_files_are_the_publishers(layout: Layout, mirror: Path):
    put_table(mirror / "small")
    download(small_table(), layout)
    raw = layout.raw("small")
    assert sorted(os.listdir(raw)) == ["small.data", "small.test"]
    assert (raw / "small.data").read_text() == TRAIN_TEXT
    assert not (layout.staging / "download" / "small").exists()


def test_a_stopped_download_carries_on_with_the_next_file(layout: Layout, mirror: Path):
    put_table(mirror / "small")
    (mirror / "small" / "small.test").unlink()
    with pytest.raises(CrossoverError, match=r"small\.test"):
        download(small_table(), layout)
    assert not layout.raw("small").exists()
    (mirror / "small" / "small.data").unlink()  # fetched already
    (mirror / "small" / "small.test").write_text(TEST_TEXT)
    download(small_table(), layout)
    assert sorted(os.listdir(layout.raw("small"))) == ["small.data", "small.test"]


def test_leftovers_of_a_killed_download_stay_out(layout: Layout, mirror: Path):
    put_table(mirror / "small")
    staging = layout.staging / "download" / "small"
    staging.mkdir(parents=True)
    (staging / "tmpa1b2c3").write_bytes(b"half a file")
    download(small_table(), layout)
    assert sorted(os.listdir(layout.raw("small"))) == ["small.data", "small.test"]


def test_a_second_download_needs_no_address(layout: Layout, mirror: Path, monkeypatch: pytest.MonkeyPatch):
    put_table(mirror / "small")
    download(small_table(), layout)
    monkeypatch.setenv("CROSSOVER_DATA_MIRROR", "file:///nowhere")
    download(small_table(), layout)
    assert (layout.raw("small") / "small.data").read_text() == TRAIN_TEXT


def test_a_wrong_checksum_leaves_no_raw_folder(layout: Layout, mirror: Path):
    put_table(mirror / "small", train=TRAIN_TEXT.replace("39", "93"))
    with pytest.raises(CrossoverError, match=r"MD5 checksum of small\.data"):
        download(small_table(), layout)
    assert not layout.raw("small").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "project").write_text("a file where the project's folder should be")
    with pytest.raises(CrossoverError, match="cannot write"):
        download(load_source("digits"), Layout(tmp_path / "project"))


def test_a_bundled_data_set_leaves_its_checksum(layout: Layout):
    download(load_source("digits"), layout)
    record = read_json(layout.raw("digits") / "bundled.json", "dvc repro")
    assert record["loader"] == "load_digits"
    assert len(record["sha256"]) == 64


@pytest.mark.parametrize("loader", ["load_nothing", "fetch_openml", "load_diabetes"])
def test_a_loader_that_gives_no_classes_is_refused(loader: str, layout: Layout):
    with pytest.raises(CrossoverError, match=rf"loader.*'{loader}'.*conf/dataset/wine\.yaml"):
        download(load_source("wine", loader=loader), layout)


def test_a_class_that_torchvision_does_not_have_is_refused(layout: Layout):
    with pytest.raises(CrossoverError, match=r"torchvision's MNIST.*'NMIST'.*conf/dataset/mnist\.yaml"):
        download(load_source("mnist", dataset="NMIST"), layout)


@pytest.mark.parametrize("name", ["/etc/passwd", "../small.data", "a/b", "", ".."])
def test_a_file_of_the_users_is_not_taken(name: str):
    with pytest.raises(ValidationError, match="must be the name of a file without a folder"):
        TextFile(name=name, md5="0" * 32)


def test_a_source_that_gives_the_users_file_is_refused(layout: Layout, tmp_path: Path):
    mine = tmp_path / "mine.csv"
    mine.write_text("mine")
    source = small_table()
    source.download = lambda folder: [mine]  # type: ignore[method-assign]
    with pytest.raises(CrossoverError, match=r"conf/dataset/small\.yaml must put its files into .*mine\.csv"):
        download(source, layout)
    assert mine.read_text() == "mine"
    assert not layout.raw("small").exists()


@pytest.mark.parametrize("name", ["../../src", "", ".", "/tmp"])
def test_a_data_set_whose_name_is_a_path(name: str):
    with pytest.raises(
        CrossoverError, match=r"name must be a name of at most 100 .* \(conf/dataset/digits\.yaml\)"
    ):
        build(
            read_yaml(CONF / "dataset" / "digits.yaml") | {"name": name},
            "conf/dataset/digits.yaml",
            DataSource,
        )
