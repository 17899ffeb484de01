"""Writing files so that a killed process leaves nothing half-written."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from crossover.core.errors import CrossoverError


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder next to `target` and rename it to `target` when the block ends well.

    An error inside the block removes the new folder and leaves an older `target` as it was. A place that cannot
    be written, or a full disk, is an OSError, which `crossover.cli` reports in one sentence.
    """
    fresh = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for leftover in target.parent.glob(f".{target.name}.*.partial"):  # of a process that was killed
            process = int(leftover.name.split(".")[-2])
            if not Path(f"/proc/{process}").exists() or process == os.getpid():
                shutil.rmtree(leftover, ignore_errors=True)
        fresh.mkdir()
        yield fresh
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    except OSError as error:
        if error.errno is None and str(error).endswith("written"):  # NumPy's words for a full disk
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        if error.errno is not None and error.filename is None:  # the sentence for the user needs a place
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


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


def read_yaml(path: Path) -> Any:
    """Read a YAML file that the user writes.

    Raises:
        CrossoverError: the file is missing or is not YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CrossoverError(f"{path} does not exist; run from the project's root") from None
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
