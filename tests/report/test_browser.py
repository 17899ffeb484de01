"""The report in a real browser: it loads alone, its figures show, its tables sort, it fits a phone and paper."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from crossover.core.cell import LEARNED
from crossover.core.layout import Layout
from crossover.core.study import Study, Tuning
from crossover.report.page.html import render_html
from tests.browser import CHROMIUM, FLAGS, playwright
from tests.results_folder import compare, first_right
from tests.tuning_folder import SearchFolder, TunedResults

pytestmark = [
    pytest.mark.slow,  # a browser opens the report of a whole study
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome in PATH"),
]

STUDY = Study(
    datasets=["fruit", "leaves"],
    feature_sets=["raw", "handcrafted"],
    classical_models=["tree", "logistic_regression"],
    deep_models=["net"],
    seeds=2,
    tuning=Tuning(feature_sets=["raw"], classical_models=["tree"], deep_models=["net"], trials=12),
)
N_TEST = 200

TRICKY = """# Sizes

| name | size | difference | score | examples | time | p |
| ---- | ---: | ---------: | ----: | -------: | ---: | - |
| ● **oak** | 1.4 MB | −0.12 | 98.58 [97.00, 99.33] | 1,234 | 90 s | below 0.001 |
| ◆ beech | 853 kB | +0.34 [−0.10 to +0.70] | **100.00** [98.00, 100.00] | 999 | 2 min | 0.031 |
| ● ash | – | 0.05 | 9.50 [9.00, 9.90] | 10 (all) | 850 ms | 0.50 |
| ◆ elm | 9 kB | – | – | 100,000 | 1.5 h | > 0.9 |
"""  # noqa: RUF001
RISING = {
    "name": ["ash", "beech", "elm", "oak"],
    "size": ["elm", "beech", "oak", "ash"],
    "difference": ["oak", "ash", "beech", "elm"],
    "score": ["ash", "oak", "beech", "elm"],
    "examples": ["ash", "beech", "oak", "elm"],
    "time": ["ash", "oak", "beech", "elm"],
    "p": ["oak", "beech", "ash", "elm"],
}
FALLING = {
    "name": ["oak", "elm", "beech", "ash"],
    "size": ["oak", "beech", "elm", "ash"],  # what is missing stays last
    "difference": ["beech", "ash", "oak", "elm"],
    "score": ["beech", "oak", "ash", "elm"],
    "examples": ["elm", "oak", "beech", "ash"],
    "time": ["elm", "beech", "oak", "ash"],
    "p": ["elm", "ash", "beech", "oak"],
}

OPEN_ALL = "document.querySelectorAll('details').forEach(details => (details.open = true))"
CONTRAST = """element => {
    const luminance = color => {
        const canvas = document.createElement("canvas").getContext("2d");
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => {
            const share = part / 255;
            return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    let behind = element;
    while (behind && getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
    const pair = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(luminance);
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""  # WCAG 2.2, "contrast ratio" and "relative luminance"


def write_dataset(root: Path, dataset: str) -> None:
    """Two classical models on two feature sets, a network, two searches."""
    folder = TunedResults(root, dataset, N_TEST)
    for features, right in (("raw", 170), ("handcrafted", 180)):
        folder.add(features, "tree", first_right(N_TEST, right, right + 2), model_bytes=12_345)
        folder.add(features, "logistic_regression", first_right(N_TEST, right + 4), False, model_bytes=900)
    folder.add(LEARNED, "net", first_right(N_TEST, 190, 192), fit_seconds=12.5)
    for features, model, right in (("raw", "tree", 176), (LEARNED, "net", 193)):
        folder.add_tuned(features, model, first_right(N_TEST, right, right), fit_seconds=3.25)
        SearchFolder(root, dataset, features, model, list(np.linspace(0.8, 0.95, 12))).write()
    folder.write()


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The comparison of a small study with two data sets and searches."""
    root = tmp_path_factory.mktemp("project")
    for dataset in STUDY.datasets:
        write_dataset(root, dataset)
    compare(STUDY, Layout(root))
    return root / "reports"


@pytest.fixture(scope="module")
def report(reports: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its page, in a folder that holds nothing else."""
    html = render_html((reports / "report.md").read_text(encoding="utf-8"), reports / "figures", "Comparison")
    alone = tmp_path_factory.mktemp("alone") / "report.html"
    alone.write_text(html, encoding="utf-8")
    return alone


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser) -> Iterator[Callable]:
    """Opens a file in a window of a given size; afterwards nothing but that file must have been asked for."""
    context, problems, asked = browser.new_context(), [], set()
    context.set_default_timeout(5_000)  # milliseconds

    def open_file(path: Path, width: int = 1280, height: int = 900):
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: asked.add(request.url.split("#")[0].partition(",")[0]))
        page.goto(path.as_uri())
        asked.discard(path.as_uri())
        return page

    yield open_file
    context.close()
    assert problems == []
    assert all(address.startswith("data:image/") for address in asked), asked


@pytest.fixture
def tricky(tmp_path: Path) -> Path:
    path = tmp_path / "tricky.html"
    path.write_text(render_html(TRICKY, tmp_path, "Sizes"), encoding="utf-8")
    return path


def names(table) -> list[str]:
    return [re.sub(r"[●◆]\s", "", text) for text in table.locator("td:first-child").all_inner_texts()]


def header(table, text: str):
    return table.get_by_role("button", name=text, exact=True)


def test_every_figure_shows(reports: Path, report: Path, open_page: Callable) -> None:
    page = open_page(report)
    page.evaluate(OPEN_ALL)
    images = page.locator("figure img").all()
    markdown = (reports / "report.md").read_text(encoding="utf-8")
    assert len(images) == markdown.count("](figures/") >= 7
    for image in images:
        image.scroll_into_view_if_needed()
        box = image.bounding_box()
        assert image.is_visible()
        assert box["width"] > 300
        assert box["height"] > 90
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")
        assert image.get_attribute("alt")


def test_numbers_of_a_figure_open(report: Path, open_page: Callable) -> None:
    figure = open_page(report).locator("figure:has(img[alt^='Accuracy of every cell'])")
    table = figure.locator("table")
    assert not table.is_visible()
    figure.get_by_text("The numbers behind this figure").click()
    assert table.is_visible()
    assert table.locator("tbody tr").count() >= 7


@pytest.mark.parametrize("column", RISING)
def test_a_click_sorts_rising_then_falling_then_as_written(
    tricky: Path, open_page: Callable, column: str
) -> None:
    table = open_page(tricky).locator("table")
    button, cell = header(table, column), table.locator("th", has_text=re.compile(rf"^{column}"))
    written = names(table)
    button.click()
    assert names(table) == RISING[column]
    assert cell.get_attribute("aria-sort") == "ascending"
    button.click()
    assert names(table) == FALLING[column]
    assert cell.get_attribute("aria-sort") == "descending"
    button.click()
    assert names(table) == written
    assert table.locator("[aria-sort]").count() == 0


def test_sorting_by_another_column_starts_anew_and_works_by_keyboard(
    tricky: Path, open_page: Callable
) -> None:
    page = open_page(tricky)
    table = page.locator("table")
    header(table, "size").click()
    header(table, "score").focus()
    page.keyboard.press("Enter")
    assert names(table) == RISING["score"]
    assert table.locator("[aria-sort]").all_inner_texts() == ["score"]


def test_every_table_of_the_report_sorts(report: Path, open_page: Callable) -> None:
    page = open_page(report)
    page.evaluate(OPEN_ALL)
    tables = page.locator("table").all()
    assert len(tables) > 10
    for table in tables:
        button = table.locator("th .sort").last
        button.click()
        assert table.locator("th").last.get_attribute("aria-sort") == "ascending"


def test_nothing_is_wider_than_the_screen(report: Path, open_page: Callable) -> None:
    page, needed = open_page(report), {}
    for width in (360, 390, 768, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(OPEN_ALL)
        needed[width] = page.evaluate("document.documentElement.scrollWidth")
    assert {width: pixels for width, pixels in needed.items() if pixels > width} == {}


def test_first_column_stays_while_a_table_scrolls_on_a_phone(report: Path, open_page: Callable) -> None:
    page = open_page(report, 390)
    page.evaluate(OPEN_ALL)
    box = page.locator(".wide:has(> table)").filter(has_text="latency").first
    before = box.locator("td").first.bounding_box()
    box.evaluate("box => (box.scrollLeft = 200)")
    assert box.evaluate("box => box.scrollLeft") == 200
    assert box.locator("td").first.bounding_box()["x"] == pytest.approx(before["x"], abs=1)


def test_contents_list_is_open_beside_the_report_and_folded_on_a_phone(
    report: Path, open_page: Callable
) -> None:
    link = open_page(report).locator("nav a").last
    assert link.is_visible()
    phone = open_page(report, 390)
    link = phone.locator("nav a").last
    assert not link.is_visible()
    phone.get_by_text("Contents", exact=True).click()
    assert link.is_visible()
    link.click()
    assert phone.locator("h2, h3").last.is_visible()
    assert phone.evaluate("scrollY") > 500
    phone.wait_for_selector("nav a[aria-current=true]", state="attached")  # what is being read


def test_the_answer_is_open_and_the_rest_is_folded(report: Path, open_page: Callable) -> None:
    page = open_page(report)
    for dataset in STUDY.datasets:
        assert page.locator(f".callout:has-text('{dataset}: use') img").is_visible()
    folds = page.locator("details.fold")
    assert folds.count() >= 10
    assert page.locator("details.fold[open]").count() == 0
    page.locator("nav a", has_text="Cost").first.click()
    assert page.locator("details.fold[open]").count() == 1
    assert page.locator("h3#fruit-cost").is_visible()
    assert page.get_by_text("On the front of accuracy against a cost").first.is_visible()


def test_a_link_from_elsewhere_opens_the_part_that_it_names(report: Path, open_page: Callable) -> None:
    page = open_page(report)
    page.goto(f"{report.as_uri()}#leaves-every-cell")
    assert page.locator("details.fold[open] h3#leaves-every-cell").is_visible()


def test_a_term_explains_itself_at_a_tap(report: Path, open_page: Callable) -> None:
    page = open_page(report)
    page.evaluate(OPEN_ALL)
    explanation = page.locator("th:has-text('ECE') .explanation").first
    assert not explanation.is_visible()
    page.get_by_role("button", name="What is ECE?").first.click()
    assert explanation.is_visible()
    assert "calibration error" in explanation.inner_text()
    page.keyboard.press("Escape")
    assert not explanation.is_visible()


def test_text_stands_out_from_its_background(report: Path, open_page: Callable) -> None:
    page, contrasts = open_page(report), {}
    for what in (".classical", ".deep", "p", "figcaption", "summary", "nav a", "nav ul ul a", "th button"):
        each = page.locator(what).evaluate_all(f"elements => elements.slice(0, 20).map({CONTRAST})")
        contrasts[what] = min(each)
    assert {what: contrast for what, contrast in contrasts.items() if contrast < 4.5} == {}  # WCAG 2.2, 1.4.3


def test_it_prints(report: Path, open_page: Callable) -> None:
    page = open_page(report)
    assert page.pdf(format="A4").startswith(b"%PDF-")
    page.emulate_media(media="print")
    assert page.locator("nav a").last.is_visible()
    for hidden in ("figure summary", ".skip"):
        assert not page.locator(hidden).first.is_visible()
    assert (
        page.locator(".wide:has(> table)").first.evaluate("box => getComputedStyle(box).overflowX")
        == "visible"
    )
