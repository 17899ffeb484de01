"""A figure in the page: its image inside the page itself, its caption, the numbers behind it."""

import base64
import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it.token import Token

from crossover.core.errors import CrossoverError
from crossover.core.numbers import MISSING

_PAGE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_PAGE),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
FIGURES = "figures/"
_LARGEST_SVG = 300_000  # bytes; above it the PNG is smaller and shows sooner
_POINT = 96 / 72  # of matplotlib's SVG, in CSS pixels


def fill(template: str, **values: Any) -> str:
    return _TEMPLATES.get_template(template).render(**values)


def data_uri(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def plain(inline: Token) -> str:
    """The words of a line or of an image's alternative, without markup."""
    return "".join(" " if child.type == "softbreak" else child.content for child in inline.children or [])


def insert_figures(tokens: list[Token], folder: Path) -> list[Token]:
    """Put a figure in the place of each paragraph that is nothing but its image."""
    inserted: list[Token] = []
    for token in tokens:
        inserted.append(token)
        name = _figure_name(inserted)
        if name is not None:
            alternative = plain((inserted[-2].children or [])[0])
            inserted[-3:] = [Token("html_block", "", 0, content=_figure(folder, name, alternative))]
    return inserted


def _figure_name(tokens: Sequence[Token]) -> str | None:
    """The figure that the last three tokens show, if they are its paragraph."""
    if [token.type for token in tokens[-3:]] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    children = tokens[-2].children or []
    source = str(children[0].attrGet("src")) if [c.type for c in children] == ["image"] else ""
    return Path(source).stem if source.startswith(FIGURES) else None


def _figure(folder: Path, name: str, alternative: str) -> str:
    """The figure, with its caption and its numbers."""
    svg, png, numbers = (_existing(folder / f"{name}.{suffix}") for suffix in ("svg", "png", "csv"))
    width, height = _pixels(svg)
    large = svg.stat().st_size > _LARGEST_SVG
    source = data_uri("image/png", png.read_bytes()) if large else data_uri("image/svg+xml", svg.read_bytes())
    return fill(
        "figure.html",
        source=source,
        alternative=alternative,
        width=width,
        height=height,
        **_numbers(numbers),
    )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise CrossoverError(
            f"the report shows the figure {path}, which does not exist; make it again with `dvc repro compare`"
        )
    return path


def _pixels(svg: Path) -> tuple[int, int]:
    """Width and height in CSS pixels."""
    root = ElementTree.parse(svg).getroot()
    width, height = (round(_POINT * float(root.attrib[k].removesuffix("pt"))) for k in ("width", "height"))
    return width, height


def _numbers(path: Path) -> dict[str, Any]:
    """Header and rows of a CSV file as the table shows them, and the columns that hold nothing but numbers."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    right = {i for i, column in enumerate(columns) if all(map(_is_number, filter(None, column)))}
    shown = [_aligned(column) if i in right else column for i, column in enumerate(columns)]
    return {
        "header": [name.replace("_", " ") for name in header],
        "rows": [[cell or MISSING for cell in row] for row in zip(*shown, strict=True)],
        "right": right,
    }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _aligned(column: list[str]) -> list[str]:
    """Numbers with at most two decimals, such as percentages, all with as many; others as they are."""
    decimals = [len(text.partition(".")[2]) for text in column]
    most = max(decimals, default=0)
    if not 0 < most <= 2 or any("e" in text.lower() for text in column):
        return column
    return [text and f"{float(text):.{most}f}" for text in column]
