"""The answers to the claims as a table of plain numbers."""

from typing import Any

import pandas as pd

from crossover.analysis.claims.answers import NOT_MEASURED, AnsweredClaim, open_claim
from crossover.analysis.claims.quantity import Estimate
from crossover.report.templating import macros


def claims_table(answers: list[AnsweredClaim]) -> pd.DataFrame:
    """One row a criterion, in plain numbers: accuracies as shares of 1; an end that nothing bounds is infinite."""
    words = macros("claim_words")

    def numbers(estimate: Estimate) -> dict[str, Any]:
        return {
            "quantity": words.what(estimate).strip(),
            "value": estimate.value,
            "low": estimate.interval.low,
            "high": estimate.interval.high,
            "unit": estimate.unit,
            "interval_of": words.interval_of(estimate).strip(),
        }

    rows: list[dict[str, Any]] = []
    for a in answers:
        row = {"id": a.claim.id, "claim": a.claim.claim, "source": a.claim.source, "dataset": a.dataset}
        row["answer"] = a.answer
        if a.answer == NOT_MEASURED:
            still_open = open_claim(a)
            row |= {"reason": words.why_open(still_open).strip(), "measure": still_open.command}
        measured = []
        for finding in a.findings:
            required = words.required(finding.criterion.condition, finding.estimate.unit).strip()
            decided = {"asked": required, "condition": finding.answer, "share_met": finding.share_met}
            measured.append(row | numbers(finding.estimate) | decided)
        measured += [row | numbers(estimate) for estimate in a.for_comparison]
        rows += measured or [row]
    return pd.DataFrame(rows)
