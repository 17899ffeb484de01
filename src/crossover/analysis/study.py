"""The analysis of a study: all that the report says and the figures show."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from crossover.analysis.audit import DatasetAudit, weigh
from crossover.analysis.calibration import DatasetCalibration, calibrate
from crossover.analysis.claims.answers import AnsweredClaim, answer_claims
from crossover.analysis.claims.claim import Claim
from crossover.analysis.claims.quantity import ClaimInputs
from crossover.analysis.costs import DatasetCosts, dataset_costs
from crossover.analysis.crossover_map import CrossoverMap, crossover_map
from crossover.analysis.curve_comparison import CurveComparison, compare_curves
from crossover.analysis.curves import read_curves
from crossover.analysis.decision import Constraints, Decision, decide
from crossover.analysis.design import Design, compare_families, compare_resamples, compare_splits
from crossover.analysis.many_datasets import compare_shared_methods
from crossover.analysis.published import Reproduction, load_published, reproductions
from crossover.analysis.results import CellResult, DatasetResults, read_results
from crossover.analysis.tuning import DatasetTuning
from crossover.analysis.tuning_reader import read_tuning
from crossover.analysis.verdict import Verdict, judge
from crossover.audit.finding import Findings
from crossover.core.cell import FAMILIES, Tier
from crossover.core.errors import CrossoverError
from crossover.core.layout import Layout
from crossover.core.metric import Metric
from crossover.core.study import Study


@dataclass(frozen=True)
class DatasetAnalysis:
    """The results of one data set and what follows from them.

    Attributes:
        results: its cells.
        verdict: at the highest level of effort; None where one of the families has no result.
        tiers: by level of effort, what the verdict would be there, the least first; the last is `verdict`.
        reproductions: published values next to ours.
        tuning: the searches behind its tuned cells; None where it has none.
        curves: its learning curves; None where none was measured.
        map: of labels and seconds; None unless both families have learning curves.
        costs: of its cells; None where no cell has a result.
        calibration: of the fits on the largest size of the curves; None without curves.
        decision: which approach to use; None where no cell has a result.
        caveat: what a reader must know to judge its accuracies; empty where there is nothing.
        audit: what is wrong with the data; None where nobody looked.
    """

    results: DatasetResults
    verdict: Verdict | None
    tiers: dict[Tier, Verdict]
    reproductions: list[Reproduction]
    tuning: DatasetTuning | None
    curves: CurveComparison | None
    map: CrossoverMap | None
    costs: DatasetCosts | None
    calibration: DatasetCalibration | None
    decision: Decision | None
    caveat: str = ""
    audit: DatasetAudit | None = None

    @property
    def dataset(self) -> str:
        return self.results.dataset

    @property
    def metric(self) -> Metric:
        """By which its models are chosen and compared."""
        return self.results.metric

    @property
    def best(self) -> list[CellResult]:
        """The best cell of each family that has one."""
        return self.results.best


@dataclass(frozen=True)
class StudyAnalysis:
    """The results of a study and what follows from them.

    Attributes:
        study: what was run.
        datasets: one for each data set, in the order of `params.yaml`.
        design: the statistics that fit the study's shape.
        answers: to the claims.
    """

    study: Study
    datasets: list[DatasetAnalysis]
    design: Design
    answers: list[AnsweredClaim]


def analyse(
    study: Study,
    layout: Layout,
    constraints: Constraints,
    claims: list[Claim],
    caveats: Mapping[str, str] = MappingProxyType({}),
    textbook: frozenset[str] | None = None,
    audits: Mapping[str, Findings] = MappingProxyType({}),
) -> StudyAnalysis:
    """Read `results/` and compare the study's cells.

    Args:
        study: which cells to compare.
        layout: where the results lie.
        constraints: under which an approach is recommended.
        claims: to answer.
        caveats: by data set, what a reader must know to judge its accuracies.
        textbook: the models whose default recipe is the textbook's; None: all that have no textbook cell.
        audits: by data set, what its audit found.

    Raises:
        CrossoverError: a result that the study asks for is missing or does not fit the others.
    """
    datasets = []
    for dataset in study.datasets:
        results = read_results(study, layout, dataset, textbook)
        tuning = read_tuning(study, layout, results)
        if tuning:
            results = results.with_search_problems({s.tuned.cell: s.still_improving for s in tuning.searches})
        tiers = {tier: judge(results, constraints.equivalence, tier) for tier in results.tiers}
        measured = read_curves(study, layout, dataset)
        if measured and measured.metric != results.metric:
            raise CrossoverError(
                f"the learning curves of {dataset} must be measured by the metric of its results, {results.metric}, "
                f"got {measured.metric}; make both again with `dvc repro`"
            )
        curves = compare_curves(measured) if measured else None
        datasets.append(
            DatasetAnalysis(
                results=results,
                verdict=tiers[results.tiers[-1]],
                tiers={tier: verdict for tier, verdict in tiers.items() if verdict},
                reproductions=reproductions(results, load_published()),
                tuning=tuning,
                curves=curves,
                map=crossover_map(measured, constraints.equivalence, results.unfinished)
                if measured
                else None,
                costs=dataset_costs(results),
                calibration=calibrate(measured) if measured else None,
                decision=decide(results, curves, constraints),
                caveat=caveats.get(dataset, ""),
                audit=weigh(audits[dataset], results, tiers[results.tiers[-1]])
                if dataset in audits
                else None,
            )
        )
    resampled = [
        compare_splits(d.results)
        if d.results.test_overlap is not None
        else compare_resamples(d.curves.curves)
        if d.curves
        else None
        for d in datasets
    ]
    best = {
        family: {d.dataset: c.score for d in datasets for c in d.results.family(family)[:1]}
        for family in FAMILIES
    }
    design = Design(
        resampled=[comparison for comparison in resampled if comparison],
        families=compare_families(best["deep"], best["classical"]),
        metrics={d.dataset: d.metric for d in datasets if d.results.cells},
        methods=compare_shared_methods(
            {d.dataset: {c.cell.label: c.score for c in d.results.contenders} for d in datasets}
        ),
    )
    inputs = [ClaimInputs(d.results, d.tuning, d.curves) for d in datasets]
    return StudyAnalysis(study, datasets, design, answer_claims(claims, inputs))
