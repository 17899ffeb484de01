"""What the study answers to each claim."""

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from crossover.analysis.claims.claim import Claim, Criterion
from crossover.analysis.claims.conditions import Answer
from crossover.analysis.claims.quantity import ClaimInputs, Estimate, NotMeasured

NOT_MEASURED: Final = "not measured here"
ClaimAnswer = Answer | Literal["not measured here"]


@dataclass(frozen=True, eq=False)  # equal is the same: arrays have no plain ==
class Finding:
    """A criterion with what was measured on one data set.

    Attributes:
        criterion: of the claim.
        estimate: of its quantity.
        answer: whether its condition is met.
    """

    criterion: Criterion
    estimate: Estimate
    answer: Answer

    @property
    def share_met(self) -> float:
        """Share of the samples that meet the condition; NaN where there are none."""
        if self.estimate.samples is None:
            return float("nan")
        return float(self.criterion.condition.meets(self.estimate.samples).mean())


@dataclass(frozen=True, eq=False)
class AnsweredClaim:
    """A claim on one data set.

    Attributes:
        claim: the claim.
        dataset: name; None where the claim waits for something, on whatever data.
        answer: to the claim as a whole.
        findings: one per criterion that has a value.
        missing: why the others have none; empty where the study does not have the data set.
        for_comparison: what else was measured.
    """

    claim: Claim
    dataset: str | None
    answer: ClaimAnswer
    findings: tuple[Finding, ...] = ()
    missing: tuple[NotMeasured, ...] = ()
    for_comparison: tuple[Estimate, ...] = ()


@dataclass(frozen=True, eq=False)
class OpenClaim:
    """A claim that is not answered, with all data sets on which it is not for the same reasons.

    Attributes:
        claim: the claim.
        datasets: names; empty where the claim waits for something.
        missing: why; empty where the claim waits, or the study does not have the data sets.
    """

    claim: Claim
    datasets: list[str]
    missing: list[NotMeasured]

    @property
    def command(self) -> str:
        """The command that measures the claim there; empty where no study would."""
        possible = all(one.possible for one in self.missing)
        return self.claim.measure.replace("{datasets}", ",".join(self.datasets)) if possible else ""


@dataclass(frozen=True, eq=False)
class ClaimSummary:
    """The answers as a chapter of the report shows them.

    Attributes:
        n_claims: how many claims there are.
        n_answered: how many are answered on some data set.
        counts: of the answers, those alone that were given.
        answered: by claim and then by data set.
        open: what is not answered, by claim.
    """

    n_claims: int
    n_answered: int
    counts: dict[Answer, int]
    answered: list[AnsweredClaim]
    open: list[OpenClaim]


def answer_claims(claims: list[Claim], inputs: list[ClaimInputs]) -> list[AnsweredClaim]:
    """Answer each claim on each data set that it is about.

    Args:
        claims: from `load_claims`.
        inputs: one per data set of the study.

    Returns:
        By claim and then by data set; a claim that waits for something once.
    """
    study = {of_dataset.results.dataset: of_dataset for of_dataset in inputs}
    answers = []
    for claim in claims:
        if claim.waits_for:
            answers.append(AnsweredClaim(claim, None, NOT_MEASURED))
            continue
        for dataset in study if claim.datasets is None else claim.datasets:
            if dataset in study:
                answers.append(_answer(claim, study[dataset]))
            else:
                answers.append(AnsweredClaim(claim, dataset, NOT_MEASURED))
    return answers


def _answer(claim: Claim, inputs: ClaimInputs) -> AnsweredClaim:
    findings, missing = [], []
    for criterion in claim.all_of:
        estimate = criterion.quantity.on(inputs)
        if isinstance(estimate, NotMeasured):
            missing.append(estimate)
        else:
            findings.append(Finding(criterion, estimate, criterion.condition.answer(estimate)))
    answers: set[ClaimAnswer] = {finding.answer for finding in findings}
    if missing:
        answers.add(NOT_MEASURED)
    # One criterion that is clearly not met refutes the claim, whatever is known of the others.
    order: list[ClaimAnswer] = ["does not hold", NOT_MEASURED, "undecided", "holds"]
    overall = next(answer for answer in order if answer in answers)
    others = [quantity.on(inputs) for quantity in claim.for_comparison]
    shown = tuple(other for other in others if isinstance(other, Estimate))
    return AnsweredClaim(claim, inputs.results.dataset, overall, tuple(findings), tuple(missing), shown)


def open_claim(answer: AnsweredClaim) -> OpenClaim:
    """A claim that is not answered on one data set."""
    missing = [one for i, one in enumerate(answer.missing) if one not in answer.missing[:i]]
    return OpenClaim(answer.claim, [answer.dataset] if answer.dataset else [], missing)


def summarise(answers: list[AnsweredClaim]) -> ClaimSummary:
    """Count the answers, and group the data sets on which a claim is open for the same reasons."""
    answered = [a for a in answers if a.answer != NOT_MEASURED]
    counts = Counter(a.answer for a in answered)
    order: list[Answer] = ["holds", "does not hold", "undecided"]
    still_open: list[OpenClaim] = []
    for new in (open_claim(a) for a in answers if a.answer == NOT_MEASURED):
        same = [old for old in still_open if old.claim.id == new.claim.id and old.missing == new.missing]
        if same:
            same[0].datasets.extend(new.datasets)
        else:
            still_open.append(new)
    return ClaimSummary(
        n_claims=len({a.claim.id for a in answers}),
        n_answered=len({a.claim.id for a in answered}),
        counts={answer: counts[answer] for answer in order if counts[answer]},
        answered=answered,
        open=still_open,
    )
