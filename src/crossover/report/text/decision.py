"""Which model to use, in a table and words."""

import math

from crossover.analysis.decision import Decision, LabelAdvice, Lead, Outlook, Recommendation
from crossover.analysis.power_law import DECADE
from crossover.analysis.results import CellResult
from crossover.analysis.statistics import Interval
from crossover.core.cell import FAMILIES
from crossover.core.numbers import MISSING, percent, points, points_interval, share, significant, size
from crossover.report.templating import FAMILY_NAMES
from crossover.report.text.tables import bullets, table

_COLUMNS = ["constraint", "use", "test accuracy %", "instead of", "difference, points [95 %]", "how sure"]
_MEASURE = "models under `learning_curve` in params.yaml and `dvc repro` measure it"


def decision_parts(decision: Decision) -> list[str]:
    """The section of one data set."""
    return [
        "### Which to use",
        f"**{headline(decision)}**",
        _table(decision),
        bullets(_sentences(decision)),
        _notes(decision),
    ]


def headline(decision: Decision) -> str:
    """One sentence: what to use where accuracy is all, with the evidence, and what other constraints ask for."""
    return f"On {decision.dataset} use {_first(decision.recommendations[0])}{_exceptions(decision)}."


def choices(decision: Decision) -> str:
    """The headline without its evidence, to stand beside a verdict that has it."""
    return f"Use {_choice(decision.recommendations[0])}{_exceptions(decision)}."


def _exceptions(decision: Decision) -> str:
    """The constraints under which another model is the one to use."""
    first, *others = decision.recommendations
    changed = [f"{_choice(r)} for {r.condition.words}" for r in others if r.use and r.use is not first.use]
    return f"; {', '.join(changed)}" if changed else ""


def _first(r: Recommendation) -> str:
    if r.rival is None:
        return f"{_named(r)} ({_accuracy(r)})"
    numbers = (
        f"{_by(r.rival)}, {_interval(r.rival.interval)}, ahead in {share(r.rival.ahead)} of the resamples"
    )
    if r.standing == "tie":
        return (
            f"{_named(r)} or {_name(r.rival.other)}, which tie at {_accuracy(r)} (a difference of {numbers})"
        )
    leads = "leads" if r.standing == "leads" else "may lead"
    return f"{_named(r)} ({_accuracy(r)}), which {leads} {_name(r.rival.other)} by {numbers}"


def _choice(r: Recommendation) -> str:
    tie = f" or {_name(r.rival.other)} (they tie)" if r.rival and r.standing == "tie" else ""
    return f"{_named(r)}{tie}"


def _name(cell: CellResult) -> str:
    """As at the learning curves: "tuned xgboost (raw)", "cnn"."""
    return (
        cell.cell.model_in_words
        if cell.family == "deep"
        else f"{cell.cell.model_in_words} ({cell.cell.features})"
    )


def _named(r: Recommendation) -> str:
    return _name(r.use) if r.use else "none"


def _accuracy(r: Recommendation) -> str:
    return f"{percent(r.use.mean('accuracy'))} %" if r.use else MISSING


def _by(lead: Lead) -> str:
    return f"{percent(lead.difference)} points"


def _interval(interval: Interval) -> str:
    return f"95 % interval {points_interval(interval)}"


def _table(decision: Decision) -> str:
    rows = [_row(r) for r in decision.recommendations] + [_label_row(advice) for advice in decision.labels]
    return table(_COLUMNS, rows, right={2})


def _row(r: Recommendation) -> list[str]:
    if r.use is None:
        return [r.condition.words, "none", *[MISSING] * 4]
    rival, sure = [MISSING, MISSING], []
    if r.rival:
        rival = [_name(r.rival.other), _difference(r.rival.difference, r.rival.interval)]
        sure = [str(r.standing), f"ahead in {share(r.rival.ahead)}"]
    sure.append("the only one" if r.candidates == 1 else f"best of {r.candidates} in {share(r.best)}")
    return [
        r.condition.words,
        f"**{_named(r)}**",
        percent(r.use.mean("accuracy")),
        *rival,
        ", ".join(sure),
    ]


def _difference(difference: float, interval: Interval) -> str:
    return f"{points(difference)} [{points_interval(interval)}]"


def _label_row(advice: LabelAdvice) -> list[str]:
    words = f"{advice.labels:,} labels now"
    if advice.size is None:
        return [words, "not measured", *[MISSING] * 4]
    known = [f"{words} (measured: {advice.size:,})", f"**{_models(advice.use)}**", percent(advice.accuracy)]
    if advice.interval is None:
        return [*known, *[MISSING] * 3]
    sure = f"{'tie' if 0 in advice.interval else 'leads'}, ahead in {share(advice.ahead)}"
    return [*known, _models(advice.instead_of), _difference(advice.difference, advice.interval), sure]


def _models(chosen: dict[str, int]) -> str:
    return " or ".join(chosen)


def _sentences(decision: Decision) -> list[str]:
    matters = decision.constraints.equivalence_points
    lines = [f"**{_capital(r.condition.words)}**: {_sentence(r, matters)}" for r in decision.recommendations]
    lines += [f"**{a.labels:,} labels now**: {_label_sentence(a)}" for a in decision.labels]
    if decision.constraints.labels and not decision.labels:
        asked = " or ".join(f"{n:,}" for n in decision.constraints.labels)
        lines.append(f"**{asked} labels now**: not measured, since there is no learning curve; {_MEASURE}.")
    return [*lines, f"**More labels**: {_outlook_sentence(decision.outlook)}"]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _sentence(r: Recommendation, matters: float) -> str:
    if r.use is None:
        return f"none of the models meets it{_nearest(r)}."
    sentences = [_evidence(r, matters)]
    if r.price:
        sentences.append(
            f"Without the constraint {_name(r.price.cell)} would be {_by(r.price)} ahead "
            f"({_interval(r.price.interval)})."
        )
    if r.cheaper:
        sentences.append(_cheaper(r.cheaper, matters))
    return " ".join(sentences)


def _nearest(r: Recommendation) -> str:
    if r.nearest:
        return f"; the nearest is {_name(r.nearest)} with {_cost(r, r.nearest)}"
    return f", which allows {', '.join(r.condition.models)}" if r.condition.models else ""


def _cost(r: Recommendation, cell: CellResult) -> str:
    value = cell.mean(r.condition.column)
    return size(value) if r.condition.column == "model_bytes" else f"{significant(value)} ms"


def _evidence(r: Recommendation, matters: float) -> str:
    """The recommended model beside the best of the other family."""
    cost = f", {_cost(r, r.use)}" if r.use and r.condition.column else ""
    use = f"{_named(r)} ({_accuracy(r)}{cost})"
    best = f"best of the {r.candidates} models that meet it in {share(r.best)} of the resamples"
    if r.rival is None:
        alone = "is the only model that meets it" if r.candidates == 1 else f"is the {best}"
        return f"{use} {alone}; no model of the other family does."
    other = f"{_name(r.rival.other)}, the best of {FAMILY_NAMES[r.rival.other.family]}"
    numbers = (
        f"{_by(r.rival)} ({_interval(r.rival.interval)}; ahead in {share(r.rival.ahead)} of the resamples)"
    )
    small = _too_small(r.rival.difference, matters)
    if r.standing == "tie":
        return f"{use} and {other}, tie, with a difference of {numbers}."
    if r.standing == "undecided":
        luck = "the lead does not stand once the luck of choosing the best of several is taken out"
        return f"{use} is ahead of {other}, by {numbers}{small}, but undecided: {luck}."
    return f"{use} leads {other}, by {numbers}{small}."


def _too_small(difference: float, matters: float) -> str:
    return f", less than the {matters:g} points that matter" if difference < matters / 100 else ""


def _cheaper(lead: Lead, matters: float) -> str:
    times = (significant(cell.mean("fit_seconds")) for cell in (lead.other, lead.cell))
    return (
        f"The cheaper {_name(lead.other)}, fitted in {next(times)} s instead of {next(times)} s, loses only "
        f"{percent(lead.difference)} points ({_interval(lead.interval)}), and no more than {matters:g} in "
        f"{share(lead.within)} of the resamples."
    )


def _label_sentence(advice: LabelAdvice) -> str:
    if advice.size is None:
        return "not measured, since the smallest size of the learning curve is larger."
    at = f"at {advice.size:,} labels, the largest measured size up to that, "
    use = f"{_models(advice.use)} ({percent(advice.accuracy)} %)"
    if advice.interval is None:
        return f"{at}{use}; the other family has no learning curve."
    numbers = (
        f"{percent(advice.difference)} points (95 % band {points_interval(advice.interval)}; ahead in "
        f"{share(advice.ahead)} of the resamples)"
    )
    other = _models(advice.instead_of)
    if 0 in advice.interval:
        return f"{at}{use} and {other} tie, with a difference of {numbers}."
    return f"{at}{use} leads {other} by {numbers}."


def _outlook_sentence(outlook: Outlook | None) -> str:
    if outlook is None:
        return f"not measured, since there is no learning curve of both families; {_MEASURE}."
    return f"{_now(outlook)} {_later(outlook)}"


def _now(outlook: Outlook) -> str:
    """Who leads at the largest size."""
    trailing = next(family for family in FAMILIES if family != outlook.leader)
    leader, other = (f"{FAMILY_NAMES[f]} ({outlook.models[f]})" for f in (outlook.leader, trailing))
    numbers = f"{percent(outlook.difference)} points (95 % band {points_interval(outlook.interval)})"
    verdict = (
        f"{leader} and {other} tie, with a difference of {numbers}"
        if 0 in outlook.interval
        else f"{leader} leads {other} by {numbers}"
    )
    return f"with the {outlook.largest:,} of the learning curve's largest size, {verdict}."


def _later(outlook: Outlook) -> str:
    """Whether that changes within a decade more."""
    crossing, most = outlook.crossing, f"{DECADE * outlook.largest:,}"
    if crossing is None:
        return "It has too few sizes for a power law, which could tell whether more labels change that."
    if math.isnan(crossing.share):
        return "A power law does not describe both curves, so they say nothing about more labels."
    if crossing.n is None or crossing.interval is None or outlook.overtakes is None:
        return (
            f"Up to {most} labels the same one stays ahead, as far as the fitted power laws tell; they cross in "
            f"{share(crossing.share)} of the resamples."
        )
    if outlook.overtakes == outlook.leader:
        return "The fitted power laws see the other one ahead there, so they cannot tell what more labels change."
    return (
        f"About {_about(crossing.n - outlook.largest)} more would change that: the fitted power laws cross at "
        f"{_about(crossing.n)} labels (95 % interval {_about(crossing.interval.low)} to "
        f"{_about(crossing.interval.high)}), where {FAMILY_NAMES[outlook.overtakes]} takes the lead; up to {most} they "
        f"cross in {share(crossing.share)} of the resamples."
    )


def _about(n: float) -> str:
    """A number of examples to two digits: 123456 -> "120,000"."""
    return f"{float(f'{n:.2g}'):,.0f}"


def _notes(decision: Decision) -> str:
    return (
        "Each row names the model with the highest mean test accuracy among those that meet the constraint, and beside "
        "it the best one of the other family that does. Differences come with the interval of the paired bootstrap; "
        "for labels, with a band that covers all sizes of the learning curve at once, on which a family's best is "
        "chosen on validation data and no model is tuned. How sure: as the verdict above, in how many resamples of "
        f"the {decision.n_test:,} test examples and the repetitions it is ahead of the other, and in how many it is "
        "the best of all that meet the constraint. The time of a prediction begins at the model's input and leaves "
        "out the making of features by hand; the time to fit leaves out the search for a tuned configuration. The "
        "constraints stand in `conf/decision/default.yaml`."
    )
