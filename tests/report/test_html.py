"""The report as one HTML page, from small pieces of Markdown; what a browser makes of it is in test_browser.py."""

import base64
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from crossover.core.errors import CrossoverError
from crossover.report.figures.style import new_figure, save
from crossover.report.page.html import render_html

NUMBERS = pd.DataFrame(
    {"model": ["cnn", "tree <b>"], "fit_seconds": [12.5, None], "accuracy_percent": [98.5, 97.25]}
)

REPORT = """# Comparison

> **Deep learning leads** on digits.

A line with <b>HTML</b> in it and a [link](https://example.org/paper).

## digits

### Tuning

| model | fit s |
| ----- | ----: |
| ● **forest** | 1.5 |
| ◆ `cnn` | <script>alert(1)</script> |

![Accuracy of every cell of `digits`](figures/digits-accuracy.png)

## breast cancer

### Tuning

### Tuning

![Accuracy of every cell of breast_cancer](figures/cancer-accuracy.png)
"""


class Page(HTMLParser):
    """What the tests look at: every element with its attributes and the text inside."""

    def __init__(self, html: str):
        super().__init__()
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[int] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        if tag not in ("meta", "link", "img", "br", "hr"):
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag, f"</{tag}> closes no <{tag}>"

    def handle_data(self, data: str) -> None:
        for index in self._open:
            self.elements[index][2].append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes, _ in self.elements if name == tag]

    def texts(self, tag: str, **wanted: str) -> list[str]:
        """The text of each such element, blanks squeezed."""
        return [
            " ".join("".join(text).split())
            for name, attributes, text in self.elements
            if name == tag and wanted.items() <= attributes.items()
        ]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two figures, drawn the same way, so that their SVGs use the same ids."""
    folder = tmp_path_factory.mktemp("figures")
    for name in ("digits-accuracy", "cancer-accuracy"):
        figure = new_figure(4, 3)
        figure.add_subplot().plot([1, 2], [3, 4], "o")
        save(figure, folder / name, NUMBERS)
    return folder


@pytest.fixture(scope="module")
def page(drawn: Path) -> Page:
    return Page(render_html(REPORT, drawn, "Comparison of <two>"))


@pytest.fixture
def figures(drawn: Path, tmp_path: Path) -> Path:
    """The figures, for a test to spoil."""
    return Path(shutil.copytree(drawn, tmp_path / "figures"))


def test_contents_list_names_every_heading_below_the_first(page: Page) -> None:
    assert page.texts("nav") == ["Contents digits Tuning breast cancer Tuning Tuning"]
    links = [a["href"] for a in page.attributes("a") if str(a["href"]).startswith("#")]
    ids = ["digits", "digits-tuning", "breast-cancer", "breast-cancer-tuning", "breast-cancer-tuning-1"]
    assert links == ["#content", *(f"#{name}" for name in ids)]
    headings = [a["id"] for tag, a, _ in page.elements if tag in ("h2", "h3")]
    assert headings == ids


def test_ids_are_unique(page: Page) -> None:
    ids = [a["id"] for _, a, _ in page.elements if "id" in a]
    assert len(ids) == len(set(ids)) == 8  # seven headings, and the explanation of "fit s"


def test_an_id_stays_when_a_chapter_is_added_in_front(drawn: Path) -> None:
    longer = Page(render_html(REPORT.replace("## digits", "## new\n\n### Tuning\n\n## digits"), drawn, "t"))
    assert "digits-tuning" in [a.get("id") for a in longer.attributes("h3")]


def test_every_column_has_a_button_that_sorts(page: Page) -> None:
    headers = ["model", "fit s", *["model", "fit seconds", "accuracy percent"] * 2]
    assert page.texts("button", **{"class": "sort"}) == headers
    assert len(page.attributes("th")) == len(headers)


def test_a_column_that_is_a_term_has_its_explanation(page: Page) -> None:
    (explanation,) = page.texts("span", **{"class": "explanation"})
    assert "Seconds of wall-clock time" in explanation
    assert page.texts("button", **{"class": "term"}) == ["?"]


def test_what_looks_like_html_is_text(page: Page) -> None:
    assert "<script>alert(1)</script>" in page.texts("td")
    assert "A line with <b>HTML</b> in it and a link." in page.texts("p")
    assert page.texts("title") == ["Comparison of <two>"]
    assert not page.attributes("b")
    assert len(page.attributes("script")) == 1


def test_figure_is_inside_the_page_with_alternative_caption_and_numbers(page: Page, drawn: Path) -> None:
    first, second = page.attributes("img")
    alternative = "Accuracy of every cell of digits"
    assert first["alt"] == page.texts("figcaption")[0] == alternative
    assert second["alt"] == "Accuracy of every cell of breast_cancer"
    kind, content = str(first["src"]).split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content) == (drawn / "digits-accuracy.svg").read_bytes()
    assert (first["width"], first["height"]) == ("384", "288")  # 4 by 3 inches of 96 pixels
    cells = page.texts("td")[4:10]
    assert cells == ["cnn", "12.5", "98.50", "tree <b>", "–", "97.25"]  # noqa: RUF001


def test_a_large_drawing_is_shown_as_its_png(figures: Path) -> None:
    svg = figures / "digits-accuracy.svg"
    svg.write_text(svg.read_text() + f"<!--{' ' * 300_000}-->")
    first, second = Page(render_html(REPORT, figures, "t")).attributes("img")
    assert str(first["src"]).startswith("data:image/png;base64,")
    assert str(second["src"]).startswith("data:image/svg+xml;base64,")


@pytest.mark.parametrize("suffix", ["svg", "png", "csv"])
def test_a_missing_file_of_a_figure_is_named(figures: Path, suffix: str) -> None:
    (figures / f"cancer-accuracy.{suffix}").unlink()
    with pytest.raises(CrossoverError, match=rf"cancer-accuracy\.{suffix}, which does not exist"):
        render_html(REPORT, figures, "t")


def test_a_figure_in_the_middle_of_a_line_is_not_lost_in_silence(drawn: Path) -> None:
    with pytest.raises(ValueError, match=r"cancer-accuracy\.png must stand in a paragraph of its own"):
        render_html(f"{REPORT}and text right below it\n", drawn, "t")


def test_page_needs_nothing_but_itself(drawn: Path) -> None:
    foreign = "\nIt said ![a picture](https://example.org/x.png).\n\n![other](https://example.org/y.png)\n"
    page = Page(render_html(REPORT + foreign, drawn, "t"))
    loaded = [a[key] for tag, a, _ in page.elements for key in ("src", "href") if key in a and tag != "a"]
    assert len(loaded) == 3  # the icon and two figures
    assert all(str(address).startswith("data:") for address in loaded)
    style = page.texts("style")[0]
    assert not re.search(r"url\(|@import", style)
    assert "It said a picture." in page.texts("p")
    assert "https://example.org/paper" in [a["href"] for a in page.attributes("a")]


def test_families_have_their_colour_and_a_name_for_who_hears_them(page: Page) -> None:
    marks = [a for a in page.attributes("span") if a.get("role") == "img"]
    assert [(m["class"], m["aria-label"]) for m in marks] == [
        ("classical", "classical machine learning"),
        ("deep", "deep learning"),
    ]


def test_a_quotation_stands_out(page: Page) -> None:
    assert page.texts("div", **{"class": "callout"}) == ["Deep learning leads on digits."]


def test_head_and_landmarks(page: Page) -> None:
    assert page.attributes("html") == [{"lang": "en"}]
    meta = {a["name"]: a["content"] for a in page.attributes("meta") if "name" in a}
    assert meta["viewport"] == "width=device-width, initial-scale=1"
    assert meta["description"] == "Deep learning leads on digits."
    assert [len(page.attributes(tag)) for tag in ("h1", "main", "nav")] == [1, 1, 1]


def test_the_same_report_is_the_same_page(drawn: Path) -> None:
    assert render_html(REPORT, drawn, "t") == render_html(REPORT, drawn, "t")
