"""Stage compare: the results of all data sets to a verdict. Of what was measured it reads `results/` alone."""

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from omegaconf import DictConfig

from crossover.analysis.claims.claim import Claim, load_claims
from crossover.analysis.decision import Constraints
from crossover.analysis.study import analyse
from crossover.audit.finding import Findings, findings_file, read_findings
from crossover.core.clock import git_commit
from crossover.core.configuration import plain
from crossover.core.files import atomic_folder, read_yaml
from crossover.core.layout import Layout
from crossover.core.settings import validated
from crossover.core.study import Study, load_study
from crossover.data.prepared import Prepared
from crossover.launching import job
from crossover.report.document import TITLE, draw, render
from crossover.report.page.html import render_html
from crossover.report.tables import write_tables
from crossover.tracking.tracker import Tracker

log = logging.getLogger(__name__)


def compare(
    study: Study,
    layout: Layout,
    constraints: Constraints,
    claims: list[Claim],
    caveats: Mapping[str, str] = MappingProxyType({}),
    textbook: frozenset[str] | None = None,
    audits: Mapping[str, Findings] = MappingProxyType({}),
) -> None:
    """Read `results/`, compare the study's cells and write `reports/`, whole or not at all.

    `reports/` holds report.html and report.md, which say the same, comparison.csv (one row a cell), claims.csv (one
    row a criterion), learning_curves.csv (for `dvc plots show`), verdicts/<dataset>.json (for `dvc metrics show`),
    figures/ (PNG, SVG and the numbers as CSV) and, where the study tunes, tuning.csv (one row a tuned cell).

    Args:
        study: which cells to compare.
        layout: where the results lie.
        constraints: under which an approach is recommended.
        claims: to answer.
        caveats: by data set, as `analyse` takes them.
        textbook: likewise.
        audits: likewise.

    Raises:
        CrossoverError: a result that the study asks for is missing or does not fit the others.
    """
    found = analyse(study, layout, constraints, claims, caveats, textbook, audits)
    with atomic_folder(layout.reports) as folder:
        write_tables(folder, found)
        draw(folder / "figures", found)
        markdown = render(found)
        (folder / "report.md").write_text(markdown, encoding="utf-8")
        page = render_html(markdown, folder / "figures", f"{TITLE} {', '.join(study.datasets)}")
        (folder / "report.html").write_text(page, encoding="utf-8")


def run(config: DictConfig) -> None:
    """Compare the study of `conf/compare.yaml`; see `compare`."""
    job.check_keys(
        config, "study", "decision", "claims_folder", "datasets_folder", "textbook_folder", "tracking"
    )
    constraints = validated(Constraints, plain(config.decision), job.origin("decision"))
    claims = load_claims(Path(config.claims_folder))
    study = load_study(Path(config.study))
    caveats = read_caveats(study, Path(config.datasets_folder))
    recipes = Path(config.textbook_folder).glob("*.yaml")
    as_default = frozenset(path.stem for path in recipes if not read_yaml(path))
    layout = job.layout(config)
    compare(study, layout, constraints, claims, caveats, as_default, read_audits(study, layout))
    record(study, layout, job.tracker(config))


def record(study: Study, layout: Layout, tracker: Tracker) -> None:
    """Record what `reports/` says where the fits are recorded, and tell where that is."""
    report = (layout.reports / "report.md").read_text(encoding="utf-8")
    for dataset in study.datasets:
        prepared = Prepared(layout.prepared(dataset))
        if not (prepared.folder / "meta.json").exists():  # results that came without their data
            continue
        pages = tracker.report(
            prepared.meta, git_commit(layout.root), layout.reports, answer_of(report, dataset)
        )
        if pages:
            log.info("%s in MLflow:", dataset)
        for what, page in pages.items():
            log.info("  %s: %s", what, page)


def answer_of(report: str, dataset: str) -> str:
    """The box about a data set at the top of `report.md`, without its picture."""
    boxes = re.findall(r"^(?:>.*\n)+", report, re.M)
    box = next((box for box in boxes if box.startswith(f"> **{dataset}:")), "")
    return re.sub(r">\n> !\[.*\n", "", box)


def read_audits(study: Study, layout: Layout) -> dict[str, Findings]:
    """What the audits of the study's data sets found, as far as there were any."""
    files = {name: findings_file(layout, name) for name in study.datasets}
    return {
        name: read_findings(path, f"dvc repro audit@{name}") for name, path in files.items() if path.exists()
    }


def read_caveats(study: Study, folder: Path) -> dict[str, str]:
    """The `caveat` of each data set that has one in its YAML; the stage `download` has checked the file's keys.

    Raises:
        CrossoverError: a data set of the study has no YAML in the folder.
    """
    found = {name: read_yaml(folder / f"{name}.yaml").get("caveat") for name in study.datasets}
    return {name: caveat for name, caveat in found.items() if caveat}
