"""The report as one HTML page that needs no network and no other file."""

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
    that is one of the terms in `terms.yaml` has a button that shows its explanation.

    Args:
        markdown: CommonMark with tables, one heading of the first level.
        figures: folder with `name.svg`, `name.png` and `name.csv` of every figure.
        title: of the browser's window.

    Raises:
        CrossoverError: a figure's file does not exist.
        ValueError: a figure shares its paragraph with something else.
    """
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_PageRenderer).enable("table")
    tokens = parser.parse(markdown)
    contents = _name_headings(tokens)
    tokens = _wrap(insert_figures(tokens, figures))
    paragraphs = (b for a, b in pairwise(tokens) if a.type == "paragraph_open")
    description = plain(next(paragraphs, Token("inline", "", 0)))
    if len(description) > _DESCRIPTION:
        description = f"{description[:_DESCRIPTION].rsplit(' ', 1)[0]} …"
    return fill(
        "page.html",
        title=title,
        description=description,
        contents=contents,
        body=Markup(parser.renderer.render(tokens, parser.options, {})),
        colors=COLORS,
        icon=data_uri("image/svg+xml", fill("icon.svg", **COLORS).encode()),
        css=Markup((_PAGE / "page.css").read_text(encoding="utf-8")),
        script=Markup((_PAGE / "page.js").read_text(encoding="utf-8")),
    )


class _PageRenderer(RendererHTML):
    """From tokens to HTML: each method renders the tokens of its name, the library all others."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """Text with the marks of the families in their colours, each with the family's name for screen readers."""
        text = _UNIT.sub("\N{NO-BREAK SPACE}", str(escape(tokens[idx].content)))
        for family, mark in MARKS.items():
            name = FAMILY_NAMES[family]
            span = f'<span class="{family}" role="img" aria-label="{name}" title="{name}">{mark}</span>'
            text = text.replace(f"{mark} ", f"{mark}&nbsp;").replace(mark, span)
        return text

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """An image that is no figure of the report, such as one in an error message: its alternative alone."""
        source = str(tokens[idx].attrGet("src"))
        if source.startswith(FIGURES):
            raise ValueError(f"the figure {source} must stand in a paragraph of its own")
        return str(escape(plain(tokens[idx])))

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        right = ' class="right"' if tokens[idx].attrGet("style") == "text-align:right" else ""
        return f"<td{right}>"

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """A cell of the head with the button that sorts by its column."""
        right = ' class="right"' if tokens[idx].attrGet("style") == "text-align:right" else ""
        return f'<th scope="col"{right}><button type="button" class="sort">'

    def th_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """The end of the button and, where the column is one of the terms, its explanation."""
        name = plain(tokens[idx - 1])
        if name not in _TERMS:
            return "</button></th>\n"
        id_ = _unique(f"term-{_slug(name)}", env.setdefault("terms", Counter()))
        return (
            f'</button><button type="button" class="term" popovertarget="{id_}" aria-label="What is {escape(name)}?">?'
            f'</button><span id="{id_}" class="explanation" popover>{escape(_TERMS[name])}</span></th>\n'
        )


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


def _wrap(tokens: list[Token]) -> list[Token]:
    """Put tables and quotations into boxes, and what follows a heading of the third level into a fold.

    A fold ends at the next heading of the third level or above.
    """
    wrapped: list[Token] = []
    open_fold = False

    def html(content: str) -> None:
        wrapped.append(Token("html_block", "", 0, content=content))

    for token in tokens:
        if token.type == "heading_open" and token.tag in ("h1", "h2", "h3"):
            if open_fold:
                html("</details>\n")
            open_fold = token.tag == "h3"
            if open_fold:
                html('<details class="fold"><summary>')
        elif token.type == "table_open":
            html(f'<div class="wide" role="group" aria-label="{escape(token.meta["label"])}">\n')
        elif token.type == "blockquote_open":
            token.tag = "div"
            token.attrSet("class", "callout")
        elif token.type == "blockquote_close":
            token.tag = "div"
        wrapped.append(token)
        if token.type == "heading_close" and token.tag == "h3":
            html("</summary>\n")
        elif token.type == "table_close":
            html("</div>\n")
    if open_fold:
        html("</details>\n")
    return wrapped


def _slug(text: str) -> str:
    """Lower-case words joined by hyphens, as GitHub makes them: "What it cost, in all" -> "what-it-cost-in-all"."""
    kept = "".join(c for c in text.lower() if c.isalnum() or c in " -_")
    return "-".join(kept.split())


def _unique(name: str, used: Counter[str]) -> str:
    used[name] += 1
    return name if used[name] == 1 else _unique(f"{name}-{used[name] - 1}", used)
