"""How a text of the user's is to be read: encoding, separator, names of the columns, decimal mark."""

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from crossover.command.description import NUMBER, Decision
from crossover.core.errors import CrossoverError
from crossover.data.own_table import WHITESPACE

MISSING = ("NA", "N/A", "n/a", "nan", "NaN", "NULL", "null", "None", "?", "-", "--", ".", "#N/A")
"""What stands for a missing value, besides nothing at all."""

LOOKED_AT = 200
"""Lines of a text by which its form is found."""

SEPARATORS = {"\t": "a tab", ";": "a semicolon", "|": "a bar", ",": "a comma", WHITESPACE: "blanks"}

_COMMA_NUMBER = re.compile(r"[+-]?(\d+|\d*,\d+)([eE][+-]?\d+)?")


@dataclass
class TextForm:
    """How a text is to be read, as `read_text` takes it."""

    encoding: str
    separator: str
    header: list[str] | None
    decimal: str
    missing: list[str]
    quoted: bool = True


def text_form(path: Path, separator: str | None, decisions: list[Decision]) -> TextForm:
    """How a text is to be read, from its first lines.

    Raises:
        CrossoverError: it is empty, or no separator gives all lines the same number of values.
    """
    encoding = _encoding(path)
    quoted = not _marks_belong_to_values(path, encoding)
    with path.open(encoding=encoding, newline="") as text:
        lines = [line for line in islice(text, 10 * LOOKED_AT) if line.strip()][:LOOKED_AT]
    if not lines:
        raise CrossoverError(f"{path} must hold a table, got an empty file")
    whole = len(lines) < LOOKED_AT
    found = separator or _separator(lines, quoted)
    if found is None:
        raise CrossoverError(
            f"{path} must have the same number of values in each line, and no tab, semicolon, bar, comma or blank "
            "divides its first lines so; correct it, or name what does with --separator"
        )
    rows = _split(lines, found, quoted)
    if not whole and len(rows) > 2:
        rows.pop()  # its value may go on in the next line
    width = max({len(row) for row in rows}, key=[len(row) for row in rows].count)
    ragged = next((number for number, row in enumerate(rows, start=1) if len(row) != width), None)
    if ragged is not None:
        raise CrossoverError(
            f"line {ragged} of {path} must hold {width} values, as the others do, got {len(rows[ragged - 1])}; "
            "correct it, or name another --separator"
        )
    decisions.append(
        Decision(
            "form",
            f"text, values divided by {SEPARATORS.get(found, found)}",
            f"{width} values in each line",
            "--separator",
        )
    )
    if not quoted:
        decisions.append(
            Decision(
                "quotation marks",
                "part of the values",
                "one begins with such a mark and does not end with it",
            )
        )
    if encoding == "cp1252":
        decisions.append(Decision("encoding", encoding, "its bytes are no UTF-8"))
    header = None
    if _has_header(rows):
        if repeated := sorted({name for name in rows[0] if rows[0].count(name) > 1}):
            raise CrossoverError(
                f"{path} must have columns of different names, got {repeated[0]!r} twice; rename one of them"
            )
        decisions.append(Decision("names of the columns", "the first line", "it holds no number"))
    else:
        header = [f"c{number}" for number in range(1, width + 1)]
        decisions.append(
            Decision("names of the columns", "c1, c2, …", "the first line looks like the others")
        )
    body = rows if header else rows[1:]
    decimal = "."
    if found != "," and any(
        _all(_COMMA_NUMBER, values) and any("," in value for value in values)
        for values in zip(*body, strict=True)
    ):
        decimal = ","
        decisions.append(Decision("decimal mark", "a comma", "a column has numbers like 1,5"))
    return TextForm(encoding, found, header, decimal, [""], quoted)


def _marks_belong_to_values(path: Path, encoding: str) -> bool:
    """Whether a quotation mark at the beginning of a value of a tab-separated text stands for itself."""
    with path.open(encoding=encoding, newline="") as text:
        return any(
            value.startswith('"') and not value.rstrip().endswith('"')
            for line in text
            if "\t" in line
            for value in line.rstrip("\r\n").split("\t")
        )


def _encoding(path: Path) -> str:
    """By its first bytes; else UTF-8 where all of them are, and the encoding of Windows where not."""
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            decoder.decode(start)
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8-sig"


def _split(lines: list[str], separator: str, quoted: bool) -> list[list[str]]:
    if separator == WHITESPACE:
        return [line.split() for line in lines]
    return [
        [value.strip() for value in row]
        for row in csv.reader(
            lines,
            delimiter=separator,
            skipinitialspace=True,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        )
    ]


def _separator(lines: list[str], quoted: bool) -> str | None:
    """The first that gives most lines the same number of values, more than one."""
    for separator in SEPARATORS:
        widths = [len(row) for row in _split(lines, separator, quoted)]
        usual = max(set(widths), key=widths.count)
        if usual > 1 and widths.count(usual) > 0.5 * len(widths):
            return separator
    return None


def _has_header(rows: list[list[str]]) -> bool:
    first, body = rows[0], rows[1:]
    if any(NUMBER.fullmatch(value) or _COMMA_NUMBER.fullmatch(value) for value in first):
        return False
    below = list(zip(*body, strict=True))
    numbers = any(_all(NUMBER, values) or _all(_COMMA_NUMBER, values) for values in below)
    return numbers or not any(name in values for name, values in zip(first, below, strict=False))


def _all(pattern: re.Pattern[str], values: Sequence[str]) -> bool:
    known = [value for value in values if value and value not in MISSING]
    return bool(known) and all(pattern.fullmatch(value) for value in known)
