"""Stage compare: the results of all data sets to a verdict. It reads `results/` and nothing else."""

from pathlib import Path

from omegaconf import DictConfig

from crossover.analysis.claims.claim import Claim, load_claims
from crossover.analysis.decision import Constraints
from crossover.analysis.study import analyse
from crossover.core.configuration import plain
from crossover.core.files import atomic_folder
from crossover.core.layout import Layout
from crossover.core.settings import validated
from crossover.core.study import Study, load_study
from crossover.launching import job
from crossover.report.document import TITLE, draw, render
from crossover.report.page.html import render_html
from crossover.report.tables import write_tables


def compare(study: Study, layout: Layout, constraints: Constraints, claims: list[Claim]) -> None:
    """Read `results/`, compare the study's cells and write `reports/`, whole or not at all.

    `reports/` holds report.html and report.md, which say the same, comparison.csv (one row a cell), claims.csv (one
    row a criterion), learning_curves.csv (for `dvc plots show`), verdicts/<dataset>.json (for `dvc metrics show`),
    figures/ (PNG, SVG and the numbers as CSV) and, where the study tunes, tuning.csv (one row a tuned cell).

    Args:
        study: which cells to compare.
        layout: where the results lie.
        constraints: under which an approach is recommended.
        claims: to answer.

    Raises:
        CrossoverError: a result that the study asks for is missing or does not fit the others.
    """
    found = analyse(study, layout, constraints, claims)
    with atomic_folder(layout.reports) as folder:
        write_tables(folder, found)
        draw(folder / "figures", found)
        markdown = render(found)
        (folder / "report.md").write_text(markdown, encoding="utf-8")
        page = render_html(markdown, folder / "figures", f"{TITLE} {', '.join(study.datasets)}")
        (folder / "report.html").write_text(page, encoding="utf-8")


def run(config: DictConfig) -> None:
    """Compare the study of `conf/compare.yaml`; see `compare`."""
    job.check_keys(config, "study", "decision", "claims_folder")
    constraints = validated(Constraints, plain(config.decision), job.origin("decision"))
    claims = load_claims(Path(config.claims_folder))
    compare(load_study(Path(config.study)), job.layout(config), constraints, claims)
