"""Small data sets in the publishers' own formats, at a mirror on this machine."""

import gzip
import pickle
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from crossover.core.layout import Layout
from crossover.data.fetch import MIRROR
from tests.data.small_data import Server, idx, md5


@pytest.fixture(autouse=True)
def _no_mirror(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests see the mirror that the environment names only where they ask for it."""
    if "real_mirror" not in request.fixturenames:
        monkeypatch.delenv(MIRROR, raising=False)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "project")


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty mirror on disk, which the environment names."""
    folder = tmp_path / "a mirror"  # a space, which an address may hold as it is
    folder.mkdir()
    monkeypatch.setenv(MIRROR, f"file://{folder}")
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "served"
    folder.mkdir()
    served = Server(folder)
    threading.Thread(target=served.http.serve_forever, args=(0.01,), daemon=True).start()
    yield served
    served.http.shutdown()
    served.http.server_close()


@pytest.fixture
def small_mnist(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Files in MNIST's format at the mirror; torchvision's class is made to expect their checksums."""
    from torchvision.datasets import MNIST

    rng = np.random.default_rng(0)
    arrays = {
        "train-images-idx3-ubyte": rng.integers(0, 256, (60, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte": np.repeat(np.arange(10, dtype=np.uint8), 6),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (20, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": np.tile(np.arange(10, dtype=np.uint8), 2),
    }
    (mirror / "mnist").mkdir()
    resources = []
    for name, array in arrays.items():
        content = gzip.compress(idx(array), mtime=0)
        (mirror / "mnist" / f"{name}.gz").write_bytes(content)
        resources.append((f"{name}.gz", md5(content)))
    monkeypatch.setattr(MNIST, "resources", resources)
    return arrays


@pytest.fixture
def small_cifar(mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """An archive in CIFAR-10's format at the mirror; torchvision's class is made to expect its checksums."""
    from torchvision.datasets import CIFAR10

    rng = np.random.default_rng(0)
    arrays = {
        name: rng.integers(0, 256, (n, 3072), dtype=np.uint8)
        for name, n in (("data_batch_1", 40), ("test_batch", 20))
    }
    unpacked = tmp_path / "cifar-10-batches-py"
    unpacked.mkdir()
    entries = {n: {"data": a, "labels": [i % 10 for i in range(len(a))]} for n, a in arrays.items()}
    entries["batches.meta"] = {"label_names": list("abcdefghij")}
    for name, entry in entries.items():
        (unpacked / name).write_bytes(pickle.dumps(entry))
    sums = {name: md5((unpacked / name).read_bytes()) for name in entries}
    archive = mirror / "cifar10" / CIFAR10.filename
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(unpacked, unpacked.name)
    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive.read_bytes()))
    monkeypatch.setattr(CIFAR10, "train_list", [["data_batch_1", sums["data_batch_1"]]])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    return arrays
