"""A figure in the page: its image inside the page itself, its caption, the numbers behind it."""

import base64
import csv
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
    """Put a figure in the place of each paragraph that holds only its image."""
    inserted: list[Token] = []
    for token in tokens:
        inserted.append(token)
        if [t.type for t in inserted[-3:]] != ["paragraph_open", "inline", "paragraph_close"]:
            continue
        children = inserted[-2].children or []
        source = str(children[0].attrGet("src")) if [c.type for c in children] == ["image"] else ""
        if source.startswith(FIGURES):
            figure = _figure(folder, Path(source).stem, plain(children[0]))
            inserted[-3:] = [Token("html_block", "", 0, content=figure)]
    return inserted


def _figure(folder: Path, name: str, alternative: str) -> str:
    """The figure, with its caption and its numbers."""
    svg, png, numbers = (folder / f"{name}.{suffix}" for suffix in ("svg", "png", "csv"))
    for path in (svg, png, numbers):
        if not path.is_file():
            raise CrossoverError(
                f"the report shows the figure {path}, which does not exist; make it again with `dvc repro compare`"
            )
    root = ElementTree.parse(svg).getroot()
    width, height = (round(_POINT * float(root.attrib[k].removesuffix("pt"))) for k in ("width", "height"))
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


def _numbers(path: Path) -> dict[str, Any]:
    """Header and rows of a CSV file as the table shows them, and the columns that hold only numbers."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    right = set()
    for i, column in enumerate(columns):
        try:
            numbers = [float(text) if text else None for text in column]
        except ValueError:
            continue  # words
        right.add(i)
        # Numbers with at most two decimals, such as percentages, all get as many; others stay as they are.
        most = max((len(text.partition(".")[2]) for text in column), default=0)
        if 0 < most <= 2 and not any("e" in text.lower() for text in column):
            columns[i] = ["" if number is None else f"{number:.{most}f}" for number in numbers]
    return {
        "header": [name.replace("_", " ") for name in header],
        "rows": [[cell or MISSING for cell in row] for row in zip(*columns, strict=True)],
        "right": right,
    }
