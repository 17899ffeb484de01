"""Numbers and verdicts in words, the same in the report and in the figures."""

from crossover.analysis.published import Reproduction
from crossover.analysis.results import CellResult
from crossover.analysis.verdict import Verdict
from crossover.core.cell import DEFAULT
from crossover.core.numbers import (
    p_text,
    percent,
    percent_interval,
    points,
    points_interval,
    share,
    significant,
)

NO_VERDICT = "no verdict: one family has no result"


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
