"""The comparison on MLflow's own pages, in a real browser, from a server that holds two studies and the artifacts."""

import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from crossover.core.cell import LEARNED
from crossover.core.files import write_json
from crossover.core.layout import Layout
from crossover.core.study import LearningCurve, Study
from crossover.stages.compare import answer_of
from crossover.tracking.mlflow_tracker import MlflowTracker
from tests.browser import CHROMIUM, FLAGS, playwright
from tests.curves_folder import CurvesFolder
from tests.results_folder import ResultsFolder, compare, first_right
from tests.tracking.tracking_facts import IMAGES, facts_of

pytestmark = [
    pytest.mark.slow,  # a server and a browser
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome in PATH"),
]

META = replace(IMAGES, dataset="pages", modality="table", input_shape=[2], n_test=100)
SIZES = [20, 60, 200]
STUDY = Study(
    datasets=["pages"],
    feature_sets=["raw"],
    classical_models=["forest", "line"],
    deep_models=["net"],
    seeds=2,
    learning_curve=LearningCurve(
        feature_sets=["raw"], classical_models=["forest"], deep_models=["net"], sizes=SIZES, repetitions=3
    ),
)
COMMITS = ("a" * 40, "b" * 40)


@pytest.fixture(scope="module")
def server(store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server on a copy of the store, which serves the artifacts, too."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(store.removeprefix("sqlite:///"), folder / "mlflow.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    place = [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "kept"),
    ]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, *place, "--workers", "1"], stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    for _ in range(240):
        assert process.poll() is None, (folder / "log").read_text()
        try:
            urllib.request.urlopen(f"{address}/health", timeout=1)
            break
        except OSError:
            time.sleep(0.5)
    yield address
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def pages(server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """By commit, where its study is found; two studies of the same data set record at the same time."""
    found: dict[str, dict[str, str]] = {}

    def record(commit: str, layout: Layout) -> None:
        tracker = MlflowTracker(uri=server, log_models=False)
        for cell in STUDY.cells("pages"):
            for seed in (0, 1):
                facts = facts_of(f"{commit[0]} {cell.name} {seed}", seed=seed, meta=META, git_commit=commit)
                with tracker.fit(replace(facts, cell=cell)) as log:
                    log.metrics({"val/accuracy": 0.5})
        answer = answer_of((layout.reports / "report.md").read_text(encoding="utf-8"), "pages")
        found[commit] = tracker.report(META, commit, layout.reports, answer)

    studies = []
    for commit in COMMITS:
        root = tmp_path_factory.mktemp("project")
        folder = ResultsFolder(root, "pages", 100)
        folder.add("raw", "forest", first_right(100, 90, 88))
        folder.add("raw", "line", first_right(100, 85, 85))
        folder.add(LEARNED, "net", first_right(100, 60, 62))
        folder.write()
        curves = CurvesFolder(root, "pages", SIZES, n_test=100)
        curves.add("raw", "forest", [0.7, 0.8, 0.9])
        curves.add(LEARNED, "net", [0.5, 0.55, 0.6])
        compare(STUDY, Layout(root))
        write_json(root / "params.yaml", STUDY.model_dump())
        studies.append(threading.Thread(target=record, args=(commit, Layout(root))))
    for study in studies:
        study.start()
    for study in studies:
        study.join()
    assert set(found) == set(COMMITS)
    return found


@pytest.fixture(scope="module")
def visit(server: str) -> Iterator[Callable[[str], Any]]:
    """Opens a page below the server's address."""
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 3000, "height": 1000})
        context.set_default_timeout(30_000)  # milliseconds; MLflow's page is large

        def goto(page: str) -> Any:
            opened = context.new_page()
            assert page.startswith(server)
            opened.goto(page)
            return opened

        yield goto
        browser.close()


def test_two_studies_at_once_are_two_runs_each_with_its_own_cells(server: str, pages: dict) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(server)
    known = client.get_experiment_by_name("pages")
    assert known is not None
    experiment = known.experiment_id
    for commit in COMMITS:
        (study,) = client.search_runs([experiment], f"tags.`crossover.study` = 'dvc repro {commit[:8]}'")
        assert pages[commit]["the answer"].endswith(study.info.run_id)
        assert study.info.status == "FINISHED"
        below = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{study.info.run_id}'")
        names = sorted(run.info.run_name for run in below)
        curves = ["learning curve · forest (raw)", "learning curve · net"]
        assert names == ["forest · raw", *curves, "line · raw", "net · learned"]
        forest = next(run for run in below if run.info.run_name == "forest · raw")
        fits = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{forest.info.run_id}'")
        assert {run.data.tags["crossover.fit_id"] for run in fits} == {
            f"{commit[0]} raw-forest {k}" for k in (0, 1)
        }


def test_the_studys_page_has_the_verdict(pages: dict, visit: Callable) -> None:
    page = visit(pages[COMMITS[0]]["the answer"])
    page.get_by_text("Classical learning leads").first.wait_for()
    page.get_by_text("deep_minus_classical").first.wait_for()


def test_the_report_opens_within_the_artifact_page(pages: dict, visit: Callable) -> None:
    page = visit(pages[COMMITS[0]]["the report"])
    report = page.frame_locator("iframe")
    report.get_by_text("Classical learning leads").first.wait_for()


def test_the_view_of_every_cell_has_their_rows_and_columns(pages: dict, visit: Callable) -> None:
    page = visit(pages[COMMITS[0]]["every cell"])
    for words in (
        "forest · raw",
        "line · raw",
        "net · learned",
        "best of family",
        "test/accuracy_low",
        "fit_seconds",
    ):
        page.get_by_text(words).first.wait_for()
    assert page.get_by_text("learning curve · net").count() == 0


def test_the_view_of_the_learning_curves_lays_both_families_over_each_other(
    pages: dict, visit: Callable
) -> None:
    page = visit(pages[COMMITS[0]]["the learning curves"])
    for words in ("learning curve · forest (raw)", "learning curve · net", "test/accuracy"):
        page.get_by_text(words).first.wait_for()
    page.locator(".js-plotly-plot .scatterlayer .trace").nth(1).wait_for()
