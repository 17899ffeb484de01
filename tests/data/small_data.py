"""A small table, MNIST's file format, and an HTTP server on this machine."""

import hashlib
import struct
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from crossover.data.delimited import DelimitedTable, TextFile


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


class Server:
    """A folder over HTTP; a path in `broken` ends too early that many times, one in `status` is an error.

    With `seconds_a_byte`, every file comes byte by byte.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.requests: list[str] = []
        self.broken: dict[str, int] = {}
        self.status: dict[str, int] = {}
        self.seconds_a_byte = 0.0
        self.wait = Event().wait  # tests take `time.sleep` away
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, owner=self))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}"


class Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, owner: Server):
        self.owner = owner
        super().__init__(*args, directory=str(owner.folder))

    def do_GET(self) -> None:
        self.owner.requests.append(self.path)
        if self.path in self.owner.status:
            self.send_error(self.owner.status[self.path])
        elif self.owner.broken.get(self.path, 0) > 0:
            self.owner.broken[self.path] -= 1
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            self.wfile.write(b"only the beginning")
        elif self.owner.seconds_a_byte:
            content = (self.owner.folder / self.path.lstrip("/")).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # the other side has gone
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.owner.wait(self.owner.seconds_a_byte)
        else:
            super().do_GET()

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


TRAIN_TEXT = """\
39, Private, Male, <=50K
50, ?, Female, >50K

28, Private, Male, <=50K
?, Never-worked, Female, >50K
41, State-gov, Male, <=50K
35, Private, Female, >50K
52, Private, Male, <=50K
23, State-gov, Female, >50K
"""
TEST_TEXT = """\
|1x3 Cross validator
25, Private, Male, <=50K.
99, Unseen-category, Female, >50K.
"""


def small_table(train: str = TRAIN_TEXT, test: str = TEST_TEXT, name: str = "small") -> DelimitedTable:
    """A data set in the format of adult; the checksums are those of the given texts."""
    return DelimitedTable(
        name=name,
        addresses=[],
        columns={"age": "number", "work": "category", "sex": "category"},
        classes=["<=50K", ">50K"],
        train=TextFile(name="small.data", md5=md5(train.encode())),
        test=TextFile(name="small.test", md5=md5(test.encode()), skip_lines=1, label_suffix="."),
    )


def put_table(folder: Path, train: str = TRAIN_TEXT, test: str = TEST_TEXT) -> None:
    """Write the texts where a data set's files belong."""
    folder.mkdir(parents=True)
    (folder / "small.data").write_text(train)
    (folder / "small.test").write_text(test)


def idx(array: np.ndarray) -> bytes:
    """MNIST's own format: a magic number, the shape, the bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()
