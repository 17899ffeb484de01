"""Writing files so that a killed process leaves nothing half-written."""

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from crossover.core.errors import CrossoverError, first_line

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder next to `target` and rename it to `target` when the block ends well.

    An error inside the block removes the new folder and leaves an older `target` as it was. A place that cannot
    be written, or a full disk, is an OSError, which `crossover.cli` reports in one sentence.
    """
    fresh = _beside(target, "partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target.parent, f".{target.name}.*.partial")
        fresh.mkdir()
        yield fresh
        discard(target)
        fresh.rename(target)
    except Exception as error:
        if _disk_is_full(error):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            raise OSError(
                error.errno, error.strerror, str(target)
            ) from error  # the user's sentence needs a place
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove a folder, if it is there, so that a kill leaves no half of it under its name: it is renamed first."""
    _remove_leftovers(folder.parent, ".*.removed")
    if not folder.exists():
        return
    gone = _beside(folder, "removed")
    folder.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _beside(path: Path, what: str) -> Path:
    """A name next to a path that tells which process made it."""
    return path.with_name(f".{path.name}.{os.getpid()}.{what}")


def _remove_leftovers(parent: Path, pattern: str) -> None:
    """Remove what killed processes left behind under names of `_beside`."""
    for leftover in parent.glob(pattern):
        process = leftover.name.split(".")[-2]
        if process == str(os.getpid()) or not Path(f"/proc/{process}").exists():
            shutil.rmtree(leftover, ignore_errors=True)


def _disk_is_full(error: BaseException) -> bool:
    """Also in the words of libraries that raise errors of their own; NumPy's end with "written"."""
    return (
        isinstance(error, OSError) and error.errno is None and str(error).endswith("written")
    ) or os.strerror(errno.ENOSPC) in str(error)


def existing(path: Path, made_by: str) -> Path:
    """The path of a file that an earlier stage wrote.

    Args:
        path: the file.
        made_by: the command that makes the file, for the error's advice.

    Raises:
        CrossoverError: it does not exist.
    """
    if not path.is_file():
        raise CrossoverError(f"{path} does not exist; make it with `{made_by}`")
    return path


def write_csv(table: "pd.DataFrame", path: Path) -> None:
    """Write a table without its index.

    Text that a spreadsheet would take for a formula, as a class may be called, gets an apostrophe in front.
    """
    from pandas.api.types import is_numeric_dtype

    words = [name for name in table if not is_numeric_dtype(table[name])]
    safe = table[words].map(
        lambda value: f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
    )
    table.assign(**safe).to_csv(path, index=False)


_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.,]*$)")


def read_array(path: Path, made_by: str, *, mapped: bool = False) -> "np.ndarray":
    """Read an array that an earlier stage wrote.

    Args:
        path: the file.
        made_by: see `existing`.
        mapped: leave it on disk until it is read.

    Raises:
        CrossoverError: the file is missing or broken.
    """
    import numpy as np

    with broken_as(path, made_by):
        return np.load(existing(path, made_by), mmap_mode="r" if mapped else None)


@contextmanager
def broken_as(path: Path, made_by: str) -> Iterator[None]:
    """Turn a library's refusal of a file that an earlier stage wrote into one sentence.

    Raises:
        CrossoverError: in place of the library's error.
    """
    try:
        yield
    except (EOFError, ValueError, OSError) as error:  # Arrow's errors are of these, too
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise CrossoverError(
            f"{path} is broken ({first_line(error)}); make it again with `{made_by}`"
        ) from error


def write_json(path: Path, content: Any) -> None:
    """Write readable JSON with a fixed key order, so that equal content is an equal file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path, made_by: str) -> Any:
    """Read JSON that an earlier stage wrote; the arguments are those of `existing`.

    Raises:
        CrossoverError: the file is missing or is not JSON.
    """
    try:
        return json.loads(existing(path, made_by).read_text())
    except json.JSONDecodeError as error:
        raise CrossoverError(f"{path} is not valid JSON ({error}); make it again with `{made_by}`") from error


class _NoRepeatedKeys(yaml.SafeLoader):
    """Of two equal keys, YAML's own loader silently keeps the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [
            self.construct_object(key, deep=True) for key, _ in node.value if isinstance(key, yaml.ScalarNode)
        ]
        for key in keys:
            if keys.count(key) > 1:
                line = node.start_mark.line + 1
                raise yaml.YAMLError(
                    f"the key {key!r} is given twice in the mapping that begins in line {line}"
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Read a YAML file that the user writes.

    Raises:
        CrossoverError: the file is missing or is not YAML, or a key is given twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8-sig"), _NoRepeatedKeys)
    except FileNotFoundError:
        raise CrossoverError(f"{path} does not exist; run from the project's root") from None
    except UnicodeDecodeError as error:
        raise CrossoverError(
            f"{path} must be text in UTF-8, got {first_line(error)}; save it as such"
        ) from error
    except yaml.YAMLError as error:
        raise CrossoverError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error


def checksum(paths: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of files, in the order of their paths."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def digest(facts: Any) -> str:
    """SHA-256 of plain values, the same for the same content whatever the order of its keys."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def folder_bytes(folder: Path) -> int:
    """Size of all files below a folder, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
