"""Numbers and verdicts in words, the same in the report and in the figures."""

import math

from crossover.analysis.published import Reproduction
from crossover.analysis.results import CellResult
from crossover.analysis.statistics import Interval
from crossover.analysis.verdict import Verdict
from crossover.core.cell import DEFAULT

MISSING = "–"  # noqa: RUF001
NO_VERDICT = "no verdict: one family has no result"
MARKS = {"classical": "●", "deep": "◆"}
FAMILY_NAMES = {"classical": "classical machine learning", "deep": "deep learning"}


def percent(value: float, digits: int = 2) -> str:
    """0.98847 -> "98.85"."""
    return MISSING if math.isnan(value) else f"{100 * value:.{digits}f}"


def points(value: float) -> str:
    """A difference of accuracies in percentage points, with its sign: 0.0034 -> "+0.34"."""
    return f"{100 * value:+.2f}".replace("-", "−")  # noqa: RUF001


def percent_interval(interval: Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"


def points_interval(interval: Interval) -> str:
    return f"{points(interval.low)} to {points(interval.high)}"


def decimals(value: float, digits: int) -> str:
    return MISSING if math.isnan(value) else f"{value:.{digits}f}"


def significant(value: float, digits: int = 2) -> str:
    """A plain decimal number with so many significant digits, but no whole digit lost: 1234.6 -> "1235"."""
    if math.isnan(value):
        return MISSING
    if value == 0:
        return "0"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def size(n_bytes: float) -> str:
    """2345678 -> "2.3 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{significant(n_bytes / factor)} {unit}"
    return MISSING if math.isnan(n_bytes) else f"{n_bytes:.0f} B"


def p_text(p: float) -> str:
    """A p value: 0.0312 -> "0.031", and nothing below 0.001."""
    return "below 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def share(value: float) -> str:
    """A share of the resamples; 10,000 of them cannot tell 99.99 % from certainty, or 0.01 % from never."""
    if value > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if value < 0.001 else f"{100 * value:.1f} %"


def model(cell: CellResult) -> str:
    """The model in a sentence: "xgboost", "tuned xgboost"."""
    return cell.cell.model_in_words


def name(cell: CellResult) -> str:
    """The model and what it sees."""
    return cell.cell.described


def method(cell: CellResult) -> str:
    """The method as tables over several data sets name it: "xgboost, tuned (raw)", "cnn"."""
    return cell.cell.label


def verdict_title(verdict: Verdict) -> str:
    """The verdict in a word or two, for a table."""
    return {
        "deep": "deep learning leads",
        "classical": "classical leads",
        "undecided": "undecided",
        "tie": "they tie",
    }[verdict.winner]


def verdict_subtitle(verdict: Verdict | None) -> str:
    """The verdict with its difference, for a figure."""
    if verdict is None:
        return NO_VERDICT
    return f"{verdict_title(verdict)} (deep − classical: {points(verdict.difference)} points)"  # noqa: RUF001


def verdict_sentence(verdict: Verdict) -> str:
    """The verdict with its numbers."""
    opening = {
        "deep": "Deep learning leads",
        "classical": "Classical machine learning leads",
        "undecided": "Undecided",
        "tie": "They tie",
    }[verdict.winner]
    return f"**{opening}**: {_numbers(verdict)} {_meaning(verdict)}"


def _numbers(verdict: Verdict) -> str:
    return (
        f"the best network ({name(verdict.deep)}, {_accuracy(verdict.deep)}) against the best classical "
        f"model ({name(verdict.classical)}, {_accuracy(verdict.classical)}) makes a difference of "
        f"**{points(verdict.difference)} points** of test accuracy, deep minus classical "
        f"(95 % interval {points_interval(verdict.interval)}; the network is ahead in "
        f"{share(verdict.deep_ahead)} of the resamples)."
    )


def _accuracy(cell: CellResult) -> str:
    return f"{percent(cell.mean('accuracy'))} %"


def _meaning(verdict: Verdict) -> str:
    if verdict.interval.low == verdict.interval.high:
        return (
            f"Both are right on the same of the {verdict.n_test:,} test examples: nothing tells them apart."
        )
    if verdict.winner == "tie":
        return f"A test part of {verdict.n_test:,} examples cannot tell them apart."
    if verdict.winner == "undecided":
        return "The lead does not stand once the luck of choosing the best of several is taken out."
    return "The lead stands also when the best are chosen and scored on different test examples."


def selection_sentence(verdict: Verdict) -> str:
    """The same difference without the advantage of having more candidates."""
    deep, classical = verdict.candidates
    return (
        f"Choosing the best of {deep} deep and {classical} classical cells by their test accuracy flatters "
        f"the family with more candidates. Chosen and scored on different test examples, the difference is "
        f"{points(verdict.selected_difference)} points (95 % interval "
        f"{points_interval(verdict.selected_interval)}; conservative, since each resample scores on the 37 % "
        f"of the test part that it left out)."
    )


def mcnemar_sentence(verdict: Verdict) -> str:
    """McNemar's test of each pair of fits."""
    low, high = p_text(min(verdict.p_values)), p_text(max(verdict.p_values))
    pairs = len(verdict.p_values)
    fits = "of the two fits" if pairs == 1 else f"of each of the {pairs} pairs of fits"
    numbers = f"p is {low}" if low == high else f"median p is {p_text(verdict.p_value)}, from {low} to {high}"
    return f"McNemar's exact test {fits}: {numbers}."


def cost_sentence(verdict: Verdict) -> str:
    """What the best network costs beside the best classical model."""
    compared = [
        _ratio(verdict, column, what)
        for column, what in (
            ("fit_seconds", "the time to fit"),
            ("latency_p50_ms", "the time of one prediction"),
            ("model_bytes", "the space on disk"),
        )
    ]
    devices = sorted({str(device) for c in (verdict.deep, verdict.classical) for device in c.costs["device"]})
    caveat = f" They ran on different devices ({', '.join(devices)})." if len(devices) > 1 else ""
    if any(cell.cell.variant != DEFAULT for cell in (verdict.deep, verdict.classical)):
        caveat += " The search for a tuned configuration is not in these times."
    return f"Beside the best classical model, the best network takes {', '.join(compared)}.{caveat}"


def _ratio(verdict: Verdict, column: str, what: str) -> str:
    return f"{significant(verdict.deep.mean(column) / verdict.classical.mean(column))} times {what}"


def reproduction_sentence(reproduction: Reproduction) -> str:
    """A published number, what came out here, and whether that is the same."""
    published, cell = reproduction.published, reproduction.cell
    fits = cell.scores["accuracy"].astype(float)
    single = f", single fits {percent(fits.min())} to {percent(fits.max())}" if cell.n > 1 else ""
    answer = "reproduced" if reproduction.reproduced else "not reproduced"
    return (
        f"{cell.cell.features} / {cell.label}: published {percent(published.value)} % ({published.source}). "
        f"Ours {_accuracy(cell)} (95 % interval {percent_interval(reproduction.interval)}, n = {cell.n}"
        f"{single}), {points(reproduction.difference)} points: **{answer}** within the tolerance of "
        f"{percent(published.tolerance)} points; the published value lies "
        f"{'inside' if reproduction.inside else 'outside'} our interval."
    )
