"""What the findings of a data set's audit do to the verdict."""

from dataclasses import dataclass

import numpy as np

from crossover.analysis.results import CellResult, DatasetResults
from crossover.analysis.verdict import Verdict
from crossover.audit.finding import Finding, Findings, Picture
from crossover.core.metric import ACCURACY


@dataclass(frozen=True)
class Effect:
    """The best of each family with and without the test examples of a finding.

    Attributes:
        n: test answers that are left out, over all splits.
        of: of how many.
        deep: accuracy of the best network on all test examples and without these.
        classical: likewise of the best classical model.
    """

    n: int
    of: int
    deep: tuple[float, float]
    classical: tuple[float, float]

    @property
    def differences(self) -> tuple[float, float]:
        """Deep minus classical, with and without these examples."""
        return self.deep[0] - self.classical[0], self.deep[1] - self.classical[1]

    @property
    def change(self) -> float:
        """What the examples add to that difference."""
        return self.differences[0] - self.differences[1]


@dataclass(frozen=True)
class DatasetAudit:
    """What the checks of a data set found, and what that does to the verdict.

    Attributes:
        findings: with the effect of each; None where it is about no test example, or there is no verdict, or none about
            accuracy: contributions to another metric do not add up to the metric of some examples.
        clean: codes and titles of the checks that found nothing.
    """

    findings: list[tuple[Finding, Effect | None]]
    clean: dict[str, str]

    @property
    def voiding(self) -> list[tuple[Finding, Effect | None]]:
        """Those with which a comparison says little."""
        return [(finding, effect) for finding, effect in self.findings if finding.voids]

    @property
    def pictures(self) -> list[Picture]:
        """Images whose labels a model doubts."""
        return [picture for finding, _ in self.findings for picture in finding.pictures]


def weigh(found: Findings, results: DatasetResults, verdict: Verdict | None) -> DatasetAudit:
    """Add to each finding what it does to the verdict.

    Args:
        found: of the data set.
        results: its cells.
        verdict: on it; None where a family has no result.
    """
    effects = [_effect(finding, results, verdict) if verdict else None for finding in found.findings]
    return DatasetAudit(list(zip(found.findings, effects, strict=True)), found.clean)


def _effect(finding: Finding, results: DatasetResults, verdict: Verdict) -> Effect | None:
    if not finding.test_rows or verdict.metric != ACCURACY:
        return None
    kept = np.ones((results.splits, results.n_test), dtype=bool)
    for split, rows in finding.test_rows.items():
        if split < len(kept):  # a study may have fewer repetitions than the data set has splits
            kept[split, rows] = False
    if kept.all() or not kept.any():
        return None

    def accuracies(cell: CellResult) -> tuple[float, float]:
        of_fit = kept[cell.scores["split"].to_numpy(dtype=int)]  # (fits, n_test)
        return float(cell.correct.mean()), float(cell.correct[of_fit].mean())

    return Effect(int((~kept).sum()), kept.size, accuracies(verdict.deep), accuracies(verdict.classical))
