"""The documents: their links lead somewhere, and `make readme` fills what it should and nothing else."""

import re
import runpy
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
DOCUMENTS = [*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md")]
FILL = runpy.run_path(str(PROJECT / "docs" / "fill.py"))["fill"]

REPORT = """# Trees or a neural net?

## Verdict

> **digits: use ● tree**, 90.00 % of the test examples right.
>
> - **As good:** none of the other 2.
>
> ![A picture](figures/digits-verdict.png)

## digits

### Every cell

| model | n |
| ----- | - |
| tree  | 1 |

Words below the table.

## The textbook's claims

| id  | claim  | data set | answer    |
| --- | ------ | -------- | --------- |
| C1  | it can | mnist    | **holds** |
|     |        | digits   | **holds** |
| C2  | it may | digits   | **holds** |
"""


def anchor(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.strip().replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)\s]+)\)", document.read_text(encoding="utf-8"))
    for target in targets:
        name, _, part = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        if part:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
            assert part in {anchor(heading) for heading in headings}, target


def test_a_place_is_filled_and_can_be_filled_again() -> None:
    text = "a\n<!-- reports: cells of digits -->\nold\n<!-- end -->\nb\n"
    filled = FILL(text, REPORT)
    assert "| tree  | 1 |" in filled
    assert "old" not in filled
    assert "Words below" not in filled
    assert filled.startswith("a\n")
    assert filled.endswith("<!-- end -->\nb\n")
    assert FILL(filled, REPORT) == filled


def test_a_box_leaves_its_picture_out() -> None:
    filled = FILL("<!-- reports: answer of digits -->\n<!-- end -->\n", REPORT)
    assert "use ● tree" in filled
    assert "figures/" not in filled


def test_a_claim_keeps_its_words_where_they_stand_in_another_row() -> None:
    filled = FILL("<!-- reports: claims of digits -->\n<!-- end -->\n", REPORT)
    rows = [line for line in filled.splitlines() if line.startswith("|")][2:]
    assert [[cell.strip() for cell in row.strip("|").split("|")][1] for row in rows] == ["it can", "it may"]


def test_a_place_of_another_data_set_stays() -> None:
    text = "<!-- reports: cells of mnist -->\nold\n<!-- end -->\n"
    assert FILL(text, REPORT) == text
