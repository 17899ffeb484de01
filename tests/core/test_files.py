"""Files and folders that a kill, a full disk or odd content must not spoil."""

import errno
import os
import re
from pathlib import Path

import pandas as pd
import pytest

from crossover.core.errors import CrossoverError, sentence
from crossover.core.files import atomic_folder, discard, read_yaml, write_csv

DEAD = 2**22 + 1  # above the largest number of a process


def test_an_older_folder_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "models"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(FileNotFoundError), atomic_folder(target) as folder:
        (folder / "no such folder" / "new").touch()
    assert os.listdir(target) == ["old"]
    with atomic_folder(target) as folder:
        (folder / "new").touch()
        assert os.listdir(target) == ["old"]
    assert os.listdir(target) == ["new"]
    assert os.listdir(tmp_path) == ["models"]


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    (tmp_path / "fit").mkdir()
    for name in (f".fit.{DEAD}.partial", f".other.{DEAD}.removed", f".other.{os.getppid()}.removed"):
        (tmp_path / name).mkdir()
    with atomic_folder(tmp_path / "fit"):
        pass
    assert sorted(os.listdir(tmp_path)) == [f".other.{os.getppid()}.removed", "fit"]
    discard(tmp_path / "fit")
    discard(tmp_path / "fit")
    assert os.listdir(tmp_path) == [f".other.{os.getppid()}.removed"]  # a process that still runs


@pytest.mark.parametrize(
    "error",
    [
        OSError("123 requested and 45 written"),  # NumPy
        RuntimeError(
            "I/O error: No space left on device (os error 28)"
        ),  # safetensors, and shutil.Error alike
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    ],
)
def test_a_full_disk_is_one_sentence_in_whichever_words(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as raised, atomic_folder(tmp_path / "fit"):
        raise error
    assert sentence(raised.value) == (
        f"cannot write {tmp_path / 'fit'}: No space left on device; free some space on that disk"
    )
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seeds: 1\nseeds: 2\n", "the key 'seeds' is given twice in the mapping that begins in line 1"),
        (b"a:\n  b: 1\n  b: 1\n", "the key 'b' is given twice in the mapping that begins in line 2"),
        (b"a:\n\tb: 1\n", "is not valid YAML"),
        (b"a: !!python/object/apply:os.getcwd []\n", "could not determine a constructor"),
        ("a: é\n".encode("latin-1"), "must be text in UTF-8"),
    ],
)
def test_yaml_that_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(CrossoverError, match=rf"{re.escape(str(path))}.*{re.escape(message)}") as raised:
        read_yaml(path)
    assert "\n" not in str(raised.value)


def test_yaml_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xef\xbb\xbfseeds: 1\n")
    assert read_yaml(path) == {"seeds": 1}


def test_no_text_in_a_table_is_a_formula_of_a_spreadsheet(tmp_path: Path) -> None:
    names = ["=cmd|' /C calc'!A0", "@SUM(1)", "+cmd", "-2+3", "\tx", "-1.5", "+", "a=b", None]
    write_csv(pd.DataFrame({"predicted": names, "n": range(-1, 8)}), tmp_path / "table.csv")
    read = pd.read_csv(tmp_path / "table.csv")
    assert list(read["predicted"][:5]) == [f"'{name}" for name in names[:5]]
    assert list(read["predicted"][5:8]) == names[5:8]
    assert list(read["n"]) == list(range(-1, 8))
