"""The report as one HTML page that needs nothing but itself: no network, no other file."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from crossover.report.figures.style import COLORS
from crossover.report.page.figures import FIGURES, data_uri, fill, insert_figures, plain
from crossover.report.templating import FAMILY_NAMES, MARKS

_PAGE = Path(__file__).parent
_TERMS: dict[str, str] = yaml.safe_load((_PAGE / "terms.yaml").read_text(encoding="utf-8"))
"""What a column is about, by its header."""

_UNIT = re.compile(r"(?<=\d) (?=(%|ms|s|kB|MB|points?)(\W|$))")
"""The space between a number and its unit."""

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
    HTML in the Markdown is shown as text. A heading of the third level folds what follows it, and a table's header
    that is one of the terms in `terms.yaml` explains itself at a tap.

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
    tokens = _fold(insert_figures(tokens, figures))
    body = parser.renderer.render(tokens, parser.options, {})
    return fill(
        "page.html",
        title=title,
        description=_description(tokens),
        contents=contents,
        body=Markup(body),
        colors=COLORS,
        icon=data_uri("image/svg+xml", fill("icon.svg", **COLORS).encode()),
        css=Markup((_PAGE / "page.css").read_text(encoding="utf-8")),
        script=Markup((_PAGE / "page.js").read_text(encoding="utf-8")),
    )


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
    if source.startswith(FIGURES):
        raise ValueError(f"the figure {source} must stand in a paragraph of its own")
    return str(escape(plain(tokens[at])))


def _table_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    label = escape(tokens[at].meta.get("label", "Table"))
    return f'<div class="wide" role="group" aria-label="{label}">\n<table>\n'


def _table_close(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    return "</table>\n</div>\n"


def _cell_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any) -> str:
    """A cell; one of the head holds the button that sorts by its column."""
    token = tokens[at]
    right = ' class="right"' if token.attrGet("style") == "text-align:right" else ""
    return (
        f'<th scope="col"{right}><button type="button" class="sort">' if token.tag == "th" else f"<td{right}>"
    )


def _header_close(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any
) -> str:
    name = plain(tokens[at - 1])
    if name not in _TERMS:
        return "</button></th>\n"
    id_ = _unique(f"term-{_slug(name)}", env.setdefault("terms", Counter()))
    return (
        f'</button><button type="button" class="term" popovertarget="{id_}" aria-label="What is {escape(name)}?">?'
        f'</button><span id="{id_}" class="explanation" popover>{escape(_TERMS[name])}</span></th>\n'
    )


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
        last = plain(following)
        chapter = f"{contents[-1].id}-" if contents and token.tag > "h2" else ""
        heading = Heading(_unique(chapter + _slug(last), ids), last)
        token.attrSet("id", heading.id)
        if token.tag == "h2":
            contents.append(heading)
        elif token.tag == "h3" and contents:
            contents[-1].children.append(heading)
    return contents


def _fold(tokens: list[Token]) -> list[Token]:
    """Put what follows each heading of the third level, up to the next heading as high, into a fold."""
    folded: list[Token] = []
    is_open = False
    for token in tokens:
        if token.type == "heading_open" and token.tag in ("h1", "h2", "h3"):
            if is_open:
                folded.append(Token("html_block", "", 0, content="</details>\n"))
            is_open = token.tag == "h3"
            if is_open:
                folded.append(Token("html_block", "", 0, content='<details class="fold"><summary>'))
        folded.append(token)
        if token.type == "heading_close" and token.tag == "h3":
            folded.append(Token("html_block", "", 0, content="</summary>\n"))
    return [*folded, *([Token("html_block", "", 0, content="</details>\n")] if is_open else [])]


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
    text = plain(next(paragraphs, Token("inline", "", 0)))
    return text if len(text) <= _DESCRIPTION else f"{text[:_DESCRIPTION].rsplit(' ', 1)[0]} …"
