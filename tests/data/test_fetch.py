"""Fetching: the order of addresses, retries, checksums, and what a user reads."""

import logging
import os
import socket
import time
from pathlib import Path

import pytest

from crossover.core.errors import CrossoverError
from crossover.data import fetch as fetch_module
from crossover.data.fetch import MIRROR, MOST_BYTES, PublishedFile, fetch, require_published
from tests.data.small_data import Server, md5

CONTENT = b"the publisher's bytes\n" * 100


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module.time, "sleep", lambda seconds: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "fetched"
    path.mkdir()
    return path


def published(*addresses: str, content: bytes = CONTENT) -> PublishedFile:
    return PublishedFile("data.gz", md5(content), addresses, most_bytes=MOST_BYTES)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_http_gives_the_file(server: Server, folder: Path):
    (server.folder / "data.gz").write_bytes(CONTENT)
    path = fetch(published(f"{server.address}/data.gz"), "small", folder)
    assert path == folder / "data.gz"
    assert path.read_bytes() == CONTENT
    assert os.listdir(folder) == ["data.gz"]
    assert path.stat().st_mode == (server.folder / "data.gz").stat().st_mode  # the user's usual permissions


def test_the_mirror_is_asked_before_the_publisher(server: Server, mirror: Path, folder: Path):
    (server.folder / "data.gz").write_bytes(CONTENT)
    (mirror / "small").mkdir()
    (mirror / "small" / "data.gz").write_bytes(CONTENT)
    fetch(published(f"{server.address}/data.gz"), "small", folder)
    assert server.requests == []


def test_a_mirror_over_http_holds_a_folder_a_data_set(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (server.folder / "small").mkdir()
    (server.folder / "small" / "data.gz").write_bytes(CONTENT)
    monkeypatch.setenv(MIRROR, f"{server.address}/")
    assert fetch(published(), "small", folder).read_bytes() == CONTENT
    assert server.requests == ["/small/data.gz"]


def test_a_mirror_without_the_file_falls_through_to_the_publisher_and_says_so(
    server: Server, mirror: Path, folder: Path, caplog: pytest.LogCaptureFixture
):
    (server.folder / "data.gz").write_bytes(CONTENT)
    with caplog.at_level(logging.WARNING):
        fetch(published(f"{server.address}/data.gz"), "small", folder)
    assert (folder / "data.gz").read_bytes() == CONTENT
    assert f"{mirror}/small/data.gz: no such file; trying {server.address}/data.gz" in caplog.text


def test_addresses_are_asked_in_their_order(server: Server, folder: Path):
    (server.folder / "third.gz").write_bytes(CONTENT)
    addresses = [f"{server.address}/{name}.gz" for name in ("first", "second", "third", "fourth")]
    fetch(published(*addresses), "small", folder)
    assert server.requests == ["/first.gz", "/second.gz", "/third.gz"]


@pytest.mark.parametrize("kind", ["http", "mirror"])
def test_a_wrong_checksum_stops_at_once_and_keeps_nothing(
    kind: str, server: Server, mirror: Path, folder: Path
):
    bad, good = b"an impostor", f"{server.address}/data.gz"
    (server.folder / "data.gz").write_bytes(CONTENT)
    (server.folder / "bad.gz").write_bytes(bad)
    address = f"{server.address}/bad.gz"
    if kind == "mirror":
        (mirror / "small").mkdir()
        (mirror / "small" / "data.gz").write_bytes(bad)
        address = f"file://{mirror}/small/data.gz"
    with pytest.raises(CrossoverError) as raised:
        fetch(published(f"{server.address}/bad.gz", good), "small", folder)
    for fact in ("data.gz", md5(CONTENT), md5(bad), address):
        assert fact in str(raised.value)
    assert os.listdir(folder) == []
    assert "/data.gz" not in server.requests


def test_all_addresses_failing_names_each_with_its_reason(server: Server, mirror: Path, folder: Path):
    server.status["/gone.gz"] = 404
    dead = f"http://127.0.0.1:{unused_port()}/data.gz"
    start = time.monotonic()
    with pytest.raises(CrossoverError) as raised:
        fetch(published(f"{server.address}/gone.gz", dead), "small", folder)
    assert time.monotonic() - start < 10
    text = str(raised.value)
    assert f"{mirror}/small/data.gz (no such file)" in text
    assert f"{server.address}/gone.gz (404 Not Found)" in text
    assert f"{dead} (no network: " in text
    assert "Connection refused" in text
    assert MIRROR in text
    assert "\n" not in text
    assert "object at 0x" not in text
    assert os.listdir(folder) == []


def test_a_name_that_does_not_resolve_is_no_network(folder: Path):
    with pytest.raises(
        CrossoverError, match=r"http://nowhere\.invalid/data\.gz \(no network: Failed to resolve"
    ):
        fetch(published("http://nowhere.invalid/data.gz"), "small", folder)


def test_a_broken_transfer_is_tried_again(server: Server, folder: Path):
    (server.folder / "data.gz").write_bytes(CONTENT)
    server.broken["/data.gz"] = 2
    assert fetch(published(f"{server.address}/data.gz"), "small", folder).read_bytes() == CONTENT
    assert server.requests == ["/data.gz"] * 3


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (503, 3), (429, 3)])
def test_only_what_may_pass_is_tried_again(status: int, requests: int, server: Server, folder: Path):
    server.status["/data.gz"] = status
    with pytest.raises(CrossoverError, match=str(status)):
        fetch(published(f"{server.address}/data.gz"), "small", folder)
    assert len(server.requests) == requests


def test_a_transfer_that_breaks_each_time_leaves_nothing(server: Server, folder: Path):
    server.broken["/data.gz"] = 9
    with pytest.raises(CrossoverError, match=r"data\.gz"):
        fetch(published(f"{server.address}/data.gz"), "small", folder)
    assert os.listdir(folder) == []


def test_a_finished_file_is_not_fetched_again(server: Server, folder: Path):
    (folder / "data.gz").write_bytes(CONTENT)
    fetch(published(f"{server.address}/data.gz"), "small", folder)
    assert server.requests == []


def test_a_half_written_file_is_fetched_again(server: Server, folder: Path):
    (server.folder / "data.gz").write_bytes(CONTENT)
    (folder / "data.gz").write_bytes(CONTENT[:50])
    assert fetch(published(f"{server.address}/data.gz"), "small", folder).read_bytes() == CONTENT


@pytest.mark.parametrize("value", ["/srv/data", "ftp://host/data", "file://srv/data", "file://", "http://"])
def test_a_mirror_must_be_an_address(value: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(MIRROR, value)
    with pytest.raises(CrossoverError, match=MIRROR) as raised:
        fetch(published(), "small", folder)
    assert repr(value) in str(raised.value)


def test_a_folder_that_cannot_be_written(mirror: Path, folder: Path):
    (mirror / "small").mkdir()
    (mirror / "small" / "data.gz").write_bytes(CONTENT)
    (folder / "file").write_text("in the way")
    with pytest.raises(CrossoverError, match="cannot write"):
        fetch(published(), "small", folder / "file")


def test_an_altered_file_is_refused(folder: Path):
    with pytest.raises(CrossoverError, match=r"data\.gz does not exist; make it with `dvc repro x`"):
        require_published(published(), folder, "dvc repro x")
    (folder / "data.gz").write_bytes(CONTENT[:50])
    with pytest.raises(CrossoverError, match=rf"data\.gz is broken.*{md5(CONTENT)}.*{md5(CONTENT[:50])}"):
        require_published(published(), folder, "dvc repro x")


@pytest.mark.parametrize("kind", ["http", "mirror"])
def test_no_more_than_most_bytes_is_read(kind: str, server: Server, mirror: Path, folder: Path):
    (server.folder / "data.gz").write_bytes(CONTENT)
    addresses = [f"{server.address}/data.gz"]
    if kind == "mirror":
        (mirror / "small").mkdir()
        (mirror / "small" / "data.gz").symlink_to("/dev/zero")
        addresses = []
    file = PublishedFile("data.gz", md5(CONTENT), tuple(addresses), most_bytes=len(CONTENT) - 1)
    with pytest.raises(CrossoverError, match=rf"more than the {len(CONTENT) - 1:,} bytes of most_bytes"):
        fetch(file, "small", folder)
    assert os.listdir(folder) == []


@pytest.mark.parametrize("limit", ["LOWEST_RATE", "MOST_SECONDS"])
def test_a_trickle_is_broken_off(limit: str, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch):
    (server.folder / "data.gz").write_bytes(CONTENT)
    server.seconds_a_byte = 0.01  # 22 s for all
    if limit == "MOST_SECONDS":
        monkeypatch.setattr(fetch_module, "MOST_SECONDS", 0.2)
    else:
        monkeypatch.setattr(fetch_module, "RATE_SECONDS", 0.2)
    start = time.monotonic()
    with pytest.raises(
        CrossoverError, match=r"less than 1,000 bytes a second|not at its end after 0.2 seconds"
    ):
        fetch(published(f"{server.address}/data.gz"), "small", folder)
    assert time.monotonic() - start < 10
    assert os.listdir(folder) == []


def test_a_password_in_an_address_is_shown_nowhere(
    server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    host = server.address.removeprefix("http://")
    monkeypatch.setenv(MIRROR, f"http://user:sec/ret@{host}?token=sec-ret")
    address = f"http://user:sec-ret@{host}/data.gz"
    with caplog.at_level(logging.INFO), pytest.raises(CrossoverError) as raised:
        fetch(published(address), "small", folder)
    (server.folder / "data.gz").write_bytes(b"an impostor")
    monkeypatch.delenv(MIRROR)
    with caplog.at_level(logging.INFO), pytest.raises(CrossoverError) as impostor:
        fetch(published(address), "small", folder)
    for text in (caplog.text, str(raised.value), str(impostor.value)):
        assert host in text
        assert "ret@" not in text
        assert "sec-ret" not in text
