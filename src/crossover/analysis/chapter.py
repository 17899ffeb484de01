"""What the report says: a chapter a data set, and what all of them together tell."""

from dataclasses import dataclass

from crossover.analysis.calibration import DatasetCalibration
from crossover.analysis.claims.claim import AnsweredClaim
from crossover.analysis.curve_comparison import CurveComparison
from crossover.analysis.decision import Decision
from crossover.analysis.design import Design
from crossover.analysis.published import Reproduction
from crossover.analysis.results import CellResult, DatasetResults
from crossover.analysis.tuning import DatasetTuning
from crossover.analysis.verdict import Verdict
from crossover.core.study import Study
from crossover.report.text.wording import FAMILY_NAMES


@dataclass(frozen=True)
class Chapter:
    """One data set of the report.

    Attributes:
        results: its cells.
        verdict: None where one of the families has no result.
        reproductions: published values beside ours.
        tuning: the searches behind its tuned cells; None where it has none.
        curves: its learning curves; None where none was measured.
        calibration: of the fits on the largest size of the curves; None without curves.
        decision: which approach to use; None where no cell has a result.
    """

    results: DatasetResults
    verdict: Verdict | None
    reproductions: list[Reproduction]
    tuning: DatasetTuning | None
    curves: CurveComparison | None
    calibration: DatasetCalibration | None
    decision: Decision | None

    @property
    def dataset(self) -> str:
        return self.results.dataset

    @property
    def best(self) -> list[CellResult]:
        """The best cell of each family."""
        families = [self.results.family(family) for family in FAMILY_NAMES]
        return [family[0] for family in families if family]


@dataclass(frozen=True)
class Report:
    """Everything that the report says.

    Attributes:
        study: what was run.
        chapters: one a data set, in the order of `params.yaml`.
        design: the statistics that fit the study's shape.
        answers: to the claims.
    """

    study: Study
    chapters: list[Chapter]
    design: Design
    answers: list[AnsweredClaim]
