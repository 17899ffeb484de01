"""The textbook's claims and their answers, in tables and words."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pandas as pd

from crossover.analysis.claims.claim import NOT_MEASURED, AnsweredClaim, ClaimAnswer, Criterion
from crossover.analysis.claims.quantity import Estimate, Unit
from crossover.core.numbers import percent, points, share, significant, size
from crossover.report.text.tables import bullets, table

_UNITS: dict[Unit, tuple[Callable[[float], str], str]] = {
    "accuracy": (percent, " %"),
    "points": (points, " points"),
    "share": (lambda value: f"{100 * value:.1f}".replace("-", "−"), " %"),  # noqa: RUF001
    "times": (significant, " times"),
    "examples": (lambda value: f"{value:,.0f}", " examples"),
    "seconds": (significant, " s"),
    "milliseconds": (significant, " ms"),
    "bytes": (size, ""),
    "joules": (significant, " J"),
}


_DECIDED: tuple[ClaimAnswer, ...] = ("holds", "does not hold", "undecided")


def claims_parts(answers: list[AnsweredClaim]) -> list[str]:
    """The section of the report: what was answered, by which numbers, and what was not measured."""
    parts = ["## The textbook's claims", _summary(answers)]
    if answered := _answered(answers):
        parts += [
            _table(answered),
            "### By which numbers",
            _rule(),
            bullets([_sentence(a) for a in answered]),
        ]
    if open_ := [a for a in answers if a.answer == NOT_MEASURED]:
        parts += ["### Not measured here", bullets(_not_measured(open_))]
    return parts


def _summary(answers: list[AnsweredClaim]) -> str:
    counts: Counter[ClaimAnswer] = Counter(a.answer for a in answers)
    counted = ", ".join(f"*{answer}* {counts[answer]}" for answer in _DECIDED if counts[answer])
    claims, answered = ({a.claim.id for a in some} for some in (answers, _answered(answers)))
    by_answer = f" Answers, one a data set: {counted}." if counted else ""
    return (
        f"`conf/claims/` holds {len(claims)} claims as data, each with the quantity and the condition that decide "
        f"it. The data sets of this study answer {len(answered)} of them.{by_answer}"
    )


def _answered(answers: list[AnsweredClaim]) -> list[AnsweredClaim]:
    return [a for a in answers if a.answer != NOT_MEASURED]


def _table(answers: list[AnsweredClaim]) -> str:
    header, rows = ["id", "claim", "data set", "answer", "numbers"], []
    for before, a in zip([None, *answers], answers, strict=False):
        new = before is None or before.claim.id != a.claim.id
        numbers = "; ".join(reading(estimate) for _, estimate, _ in a.measured)
        rows.append([a.claim.id, a.claim.claim if new else "", a.dataset or "", f"**{a.answer}**", numbers])
    return table(header, rows)


def _rule() -> str:
    return (
        "A condition is met where the whole interval lies where it should, and refuted where all of it lies "
        "elsewhere; otherwise it is undecided. A claim holds where all its conditions are met, and does not hold "
        "where one is refuted."
    )


def reading(estimate: Estimate) -> str:
    """The value with its interval, for a table: "97.04 % [96.70, 97.36]"."""
    text, unit = _UNITS[estimate.unit]
    low, high = estimate.interval.low, estimate.interval.high
    if estimate.unit == "examples" and (low == 0 or math.isinf(high)):
        return _one_sided(estimate)
    if low == high:
        return f"{text(estimate.value)}{unit}"
    return f"{text(estimate.value)}{unit} [{text(low)}, {text(high)}]"


def _one_sided(estimate: Estimate) -> str:
    """A number of examples that only one end bounds, or none."""
    text, unit = _UNITS[estimate.unit]
    low, high = estimate.interval.low, estimate.interval.high
    if math.isinf(high):
        return f"above {text(low)}{unit}, if ever" if low > 0 else "no size decides"
    return f"{text(high)}{unit} or fewer"


def _sentence(a: AnsweredClaim) -> str:
    criteria = " ".join(_criterion(*measured) for measured in a.measured)
    beside = "".join(f" Beside it: {_measured(estimate)}.{_note(estimate)}" for estimate in a.beside)
    missing = "".join(f" Not measured: {one.reason}." for one in a.missing)
    return f"**{a.claim.id} on {a.dataset}: {a.answer}.** {criteria}{missing}{beside}"


def _criterion(criterion: Criterion, estimate: Estimate, answer: ClaimAnswer) -> str:
    met = _met(criterion, estimate)
    shown = "" if math.isnan(met) else f", which {share(met)} of the {estimate.sampled} show"
    words = {"holds": "met", "does not hold": "refuted"}.get(answer, answer)
    measured = _measured(estimate)
    return (
        f"{measured[0].upper()}{measured[1:]}. Asked: {_asked(criterion, estimate)}{shown}; {words}."
        f"{_note(estimate)}"
    )


def _asked(criterion: Criterion, estimate: Estimate) -> str:
    text, unit = _UNITS[estimate.unit]
    return criterion.condition.words(lambda bound: "0" if bound == 0 else text(bound), unit)


def _met(criterion: Criterion, estimate: Estimate) -> float:
    """Share of the samples that meet the condition; NaN where there are none."""
    if estimate.samples is None:
        return float("nan")
    return float(criterion.condition.meets(estimate.samples).mean())


def _measured(estimate: Estimate) -> str:
    """The quantity with its value and what its interval is: "accuracy of …: 97.04 % (95 % interval over …: …)"."""
    text, unit = _UNITS[estimate.unit]
    low, high = estimate.interval.low, estimate.interval.high
    if estimate.unit == "examples" and (low == 0 or math.isinf(high)):
        return f"{estimate.what}: {_one_sided(estimate)}"
    ends = "" if low == high else f": {text(low)} to {text(high)}"
    return f"{estimate.what}: {text(estimate.value)}{unit} ({estimate.interval_of}{ends})"


def _note(estimate: Estimate) -> str:
    return f" {estimate.note}" if estimate.note else ""


def _not_measured(answers: list[AnsweredClaim]) -> list[str]:
    """One line for each claim and reason, with the data sets that it keeps out."""
    groups: dict[tuple[str, str], list[AnsweredClaim]] = {}
    for a in answers:
        groups.setdefault((a.claim.id, _reason(a)), []).append(a)
    return [_line(group) for group in groups.values()]


def _reason(a: AnsweredClaim) -> str:
    if a.claim.waits_for:
        return f"it waits for {a.claim.waits_for}"
    return "; ".join(dict.fromkeys(one.reason for one in a.missing)) or "not in this study"


def _command(group: list[AnsweredClaim]) -> str:
    """What would measure the claim where it is not; empty where no other study would."""
    if any(not one.possible for a in group for one in a.missing):
        return ""
    return group[0].claim.command([a.dataset for a in group if a.dataset])


def _line(group: list[AnsweredClaim]) -> str:
    claim, datasets = group[0].claim, [a.dataset for a in group if a.dataset]
    where = f" on {', '.join(datasets)}" if datasets else ""
    command = _command(group)
    measures = f"; `{command}` measures it" if command else ""
    return f"{claim.id}{where} ({claim.claim}): {_reason(group[0])}{measures}."


def claims_table(answers: list[AnsweredClaim]) -> pd.DataFrame:
    """One row a criterion, in plain numbers: accuracies as shares of 1; an end that nothing bounds is infinite."""
    return pd.DataFrame([row for a in answers for row in _rows(a)])


def _rows(a: AnsweredClaim) -> list[dict[str, Any]]:
    row = {"id": a.claim.id, "claim": a.claim.claim, "source": a.claim.source, "dataset": a.dataset}
    row |= {"answer": a.answer}
    if a.answer == NOT_MEASURED:
        row |= {"reason": _reason(a), "measure": _command([a])}
    decided = [
        row | _numbers(estimate) | _condition(criterion, estimate, answer)
        for criterion, estimate, answer in a.measured
    ]
    return (decided + [row | _numbers(estimate) for estimate in a.beside]) or [row]


def _numbers(estimate: Estimate) -> dict[str, Any]:
    return {
        "quantity": estimate.what,
        "value": estimate.value,
        "low": estimate.interval.low,
        "high": estimate.interval.high,
        "unit": estimate.unit,
        "interval_of": estimate.interval_of,
    }


def _condition(criterion: Criterion, estimate: Estimate, answer: ClaimAnswer) -> dict[str, Any]:
    return {
        "asked": _asked(criterion, estimate),
        "condition": answer,
        "share_met": _met(criterion, estimate),
    }
