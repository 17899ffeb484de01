"""The report as one HTML page that needs nothing but itself: no network, no other file."""

import base64
import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from crossover.core.errors import CrossoverError
from crossover.core.numbers import MISSING
from crossover.report.figures.style import COLORS
from crossover.report.templating import FAMILY_NAMES, MARKS

_PAGE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_PAGE),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_FIGURES = "figures/"
_LARGEST_SVG = 300_000  # bytes; above it the PNG is smaller and shows sooner
_UNIT = re.compile(r"(?<=\d) (?=(%|ms|s|kB|MB|points?)(\W|$))")
"""The space between a number and its unit."""

_POINT = 96 / 72  # of matplotlib's SVG, in CSS pixels
_DESCRIPTION = 160  # characters; search engines and link previews show no more


@dataclass(frozen=True)
class Heading:
    """An entry of the contents list.

    Attributes:
        id: of the heading's element.
        text: without markup.
        children: the headings one level below it.
    """

    id: str
    text: str
    children: list["Heading"] = field(default_factory=list)


def render_html(markdown: str, figures: Path, title: str) -> str:
    """The page that shows a report.

    A paragraph that is one image `![alternative](figures/name.png)` becomes the figure itself, with its
    alternative as caption and a table of its numbers. A block quotation becomes a box that stands out.
    HTML in the Markdown is shown as text.

    Args:
        markdown: CommonMark with tables, one heading of the first level.
        figures: folder with `name.svg`, `name.png` and `name.csv` of every figure.
        title: of the browser's window.

    Raises:
        CrossoverError: a figure's file does not exist.
        ValueError: a figure shares its paragraph with something else.
    """
    parser = _parser()
    tokens = parser.parse(markdown)
    contents = _name_headings(tokens)
    tokens = _insert_figures(tokens, figures)
    body = parser.renderer.render(tokens, parser.options, {})
    return _fill(
        "page.html",
        title=title,
        description=_description(tokens),
        contents=contents,
        body=Markup(body),
        colors=COLORS,
        icon=_data_uri("image/svg+xml", _fill("icon.svg", **COLORS).encode()),
        css=Markup((_PAGE / "page.css").read_text(encoding="utf-8")),
        script=Markup((_PAGE / "page.js").read_text(encoding="utf-8")),
    )


def _fill(template: str, **values: Any) -> str:
    return _TEMPLATES.get_template(template).render(**values)


def _data_uri(mime: str, content: bytes) -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


# From Markdown to HTML


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    for token_type, rule in (
        ("text", _text),
        ("image", _image_in_a_line),
        ("table_open", _table_open),
        ("table_close", _table_close),
        ("th_open", _cell_open),
        ("th_close", _header_close),
        ("td_open", _cell_open),
        ("blockquote_open", _callout_open),
        ("blockquote_close", _callout_close),
    ):
        parser.add_render_rule(token_type, rule)
    return parser


def _text(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    """Text with the marks of the families in their colours, and named for who hears them."""
    text = _UNIT.sub("\N{NO-BREAK SPACE}", str(escape(tokens[at].content)))
    for family, mark in MARKS.items():
        name = FAMILY_NAMES[family]
        span = f'<span class="{family}" role="img" aria-label="{name}" title="{name}">{mark}</span>'
        text = text.replace(f"{mark} ", f"{mark}&nbsp;").replace(mark, span)
    return text


def _image_in_a_line(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any
) -> str:
    """An image that is no figure of the report, such as one in an error message: its alternative alone."""
    source = str(tokens[at].attrGet("src"))
    if source.startswith(_FIGURES):
        raise ValueError(f"the figure {source} must stand in a paragraph of its own")
    return str(escape(_plain(tokens[at])))


def _table_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    label = escape(tokens[at].meta.get("label", "Table"))
    return f'<div class="wide" role="group" aria-label="{label}">\n<table>\n'


def _table_close(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    return "</table>\n</div>\n"


def _cell_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    """A cell; one of the head holds the button that sorts by its column."""
    token = tokens[at]
    right = ' class="right"' if token.attrGet("style") == "text-align:right" else ""
    return f'<th scope="col"{right}><button type="button">' if token.tag == "th" else f"<td{right}>"


def _header_close(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any
) -> str:
    return "</button></th>\n"


def _callout_open(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any
) -> str:
    return '<div class="callout">\n'


def _callout_close(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any
) -> str:
    return "</div>\n"


# Headings


def _name_headings(tokens: list[Token]) -> list[Heading]:
    """Give each heading an id and each table the name of its heading; return what the contents list shows.

    A heading's id begins with that of the chapter (second level) that it stands in, so that it stays the
    same when a data set is added in front.
    """
    contents: list[Heading] = []
    ids: Counter[str] = Counter()
    last = "Table"
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "table_open":
            token.meta["label"] = last
        if token.type != "heading_open" or following is None:
            continue
        last = _plain(following)
        chapter = f"{contents[-1].id}-" if contents and token.tag > "h2" else ""
        heading = Heading(_unique(chapter + _slug(last), ids), last)
        token.attrSet("id", heading.id)
        if token.tag == "h2":
            contents.append(heading)
        elif token.tag == "h3" and contents:
            contents[-1].children.append(heading)
    return contents


def _plain(inline: Token) -> str:
    """The words of a line or of an image's alternative, without markup."""
    return "".join(" " if child.type == "softbreak" else child.content for child in inline.children or [])


def _slug(text: str) -> str:
    """Lower-case words joined by hyphens, as GitHub makes them: "What it cost, in all" -> "what-it-cost-in-all"."""
    kept = "".join(c for c in text.lower() if c.isalnum() or c in " -_")
    return "-".join(kept.split())


def _unique(name: str, used: Counter[str]) -> str:
    used[name] += 1
    return name if used[name] == 1 else _unique(f"{name}-{used[name] - 1}", used)


def _description(tokens: Sequence[Token]) -> str:
    """The first words of the first paragraph."""
    paragraphs = (b for a, b in pairwise(tokens) if a.type == "paragraph_open")
    text = _plain(next(paragraphs, Token("inline", "", 0)))
    return text if len(text) <= _DESCRIPTION else f"{text[:_DESCRIPTION].rsplit(' ', 1)[0]} …"


# Figures


def _insert_figures(tokens: list[Token], folder: Path) -> list[Token]:
    """Put a figure in the place of each paragraph that is nothing but its image."""
    inserted: list[Token] = []
    for token in tokens:
        inserted.append(token)
        name = _figure_name(inserted)
        if name is not None:
            alternative = _plain((inserted[-2].children or [])[0])
            inserted[-3:] = [Token("html_block", "", 0, content=_figure(folder, name, alternative))]
    return inserted


def _figure_name(tokens: Sequence[Token]) -> str | None:
    """The figure that the last three tokens show, if they are its paragraph."""
    if [token.type for token in tokens[-3:]] != ["paragraph_open", "inline", "paragraph_close"]:
        return None
    children = tokens[-2].children or []
    source = str(children[0].attrGet("src")) if [c.type for c in children] == ["image"] else ""
    return Path(source).stem if source.startswith(_FIGURES) else None


def _figure(folder: Path, name: str, alternative: str) -> str:
    """The figure, with its caption and its numbers."""
    svg, png, numbers = (_existing(folder / f"{name}.{suffix}") for suffix in ("svg", "png", "csv"))
    width, height = _pixels(svg)
    large = svg.stat().st_size > _LARGEST_SVG
    source = (
        _data_uri("image/png", png.read_bytes()) if large else _data_uri("image/svg+xml", svg.read_bytes())
    )
    return _fill(
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
