"""Fill the tables of README.md and docs/results.md from a report: `python docs/fill.py [folder of reports]`.

A place to fill looks like this, and keeps its place when it is filled:

    <!-- reports: cells of digits -->
    …
    <!-- end -->

`answer of <data set>` is its box on the first page, `cells of <data set>` the table of every cell, `curves of
<data set>` the tables of the learning curves, `published of <data set>` the published values, `claims of <data set>`
the rows of the claims. A place whose data set the report does not hold stays as it is.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from crossover.stages.compare import answer_of

ROOT = Path(__file__).resolve().parents[1]
PLACE = re.compile(r"(<!-- reports: (\w+) of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def section(report: str, *headings: str) -> str:
    """What stands below a heading and, within that, below the next one; "" where there is none."""
    for level, heading in enumerate(headings, start=2):
        marks = "#" * level
        found = re.search(
            rf"^{marks} {re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", report, re.M | re.S
        )
        report = found[1] if found else ""
    return report


def tables(text: str) -> str:
    """The tables of a text, a blank line apart."""
    blocks = (block.strip() for block in text.split("\n\n"))
    return "\n\n".join(block for block in blocks if block.startswith("|"))


def answer(report: str, dataset: str) -> str:
    return answer_of(report, dataset)  # without the small picture, which lies in reports/ and so not in git


def claims(report: str, dataset: str) -> str:
    """The rows about one data set; a claim's name and words stand in the first of its rows, which may be another's."""
    header, rule, *rows = tables(section(report, "The textbook's claims")).splitlines() or ["", ""]
    mine, first = [], ["", ""]
    for row in ([cell.strip() for cell in row.strip("|").split("|")] for row in rows):
        first = row[:2] if row[0] else first
        if row[2] == dataset:
            mine.append([*first, *row[2:]])
    return "\n".join([header, rule, *(f"| {' | '.join(row)} |" for row in mine)]) if mine else ""


CONTENT: dict[str, Callable[[str, str], str]] = {
    "answer": answer,
    "cells": lambda report, dataset: tables(section(report, dataset, "Every cell")),
    "curves": lambda report, dataset: tables(section(report, dataset, "Learning curves and the crossover")),
    "published": lambda report, dataset: section(report, dataset, "Published values").strip(),
    "claims": claims,
}


def fill(text: str, report: str) -> str:
    """The text with every place filled that the report has something for."""

    def filled(place: re.Match[str]) -> str:
        content = CONTENT[place[2]](report, place[3]).strip()
        return f"{place[1]}{content}\n{place[4]}" if content else place[0]

    return PLACE.sub(filled, text)


def main(folder: Path) -> None:
    """Fill both files from `report.md` in a folder."""
    report = (folder / "report.md").read_text(encoding="utf-8")
    for path in (ROOT / "README.md", ROOT / "docs" / "results.md"):
        text = path.read_text(encoding="utf-8")
        path.write_text(fill(text, report), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "reports")
