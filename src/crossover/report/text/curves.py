"""The report's section on learning curves: who leads at which size, where that changes, who still improves."""

import numpy as np

from crossover.analysis.crossing import Crossing, Crossover, equal_budgets
from crossover.analysis.curve_comparison import CurveComparison, FamilyCurve, FamilyResult, PairResult
from crossover.analysis.curves import Curve
from crossover.analysis.power_law import DECADE, WORTH_IT, PowerLaw, extrapolated_crossing
from crossover.analysis.statistics import Interval
from crossover.core.numbers import MISSING, decimals, percent, points, points_interval, share, significant
from crossover.report.templating import FAMILY_NAMES, MARKS
from crossover.report.text.tables import bullets, figure, table

NO_FAMILY = "No crossover: only one family has learning curves here."
NOT_WELL_BEHAVED = "not well-behaved"


def about(n: float) -> str:
    """A number of examples to two significant digits: 3119.6 -> "3,100"."""
    return f"{float(f'{n:.2g}'):,.0f}"


def _span(crossing: Crossing) -> str:
    low, high = about(crossing.low), about(crossing.high)
    return f"{low} to {high}" if low != high else low


def crossover_short(crossover: Crossover) -> str:
    """The answer in a few words, for tables and figures: "at 3,100 [2,400, 4,000]", "not up to 54,000"."""
    if crossover.kind == "undecided":
        return "undecided"
    if crossover.crossings:
        places = ", ".join(_place(crossing) for crossing in crossover.crossings)
        return places if len(crossover.crossings) == 1 else f"several: {places}"
    first, last = crossover.decided[0], crossover.sizes[-1]
    answer = f"not up to {last:,}" if crossover.kind == "not up to N" else f"deep leads from {first:,} on"
    return f"{answer}{_open_end(crossover)}"


def _place(crossing: Crossing) -> str:
    back = "" if crossing.direction == "deep overtakes" else "back "
    return f"{back}at {about(crossing.n)} [{about(crossing.low)}, {about(crossing.high)}]"


def _open_end(crossover: Crossover) -> str:
    """What is undecided after the last decided size."""
    after = crossover.undecided[crossover.undecided > crossover.decided[-1]]
    return f"; undecided {_from(after)}" if len(after) else ""


def _from(last: np.ndarray) -> str:
    """The last sizes: "from 520 on", or "at 1,150" where it is one."""
    return f"from {last[0]:,} on" if len(last) > 1 else f"at {last[0]:,}"


def crossover_sentence(crossover: Crossover, deep: str, classical: str) -> str:
    """The answer in a sentence without its first capital and its full stop.

    Args:
        crossover: deep minus classical.
        deep: name of the deep side.
        classical: name of the classical side.
    """
    if crossover.kind == "undecided":
        return f"undecided: neither {deep} nor {classical} clearly leads at any size"
    if crossover.crossings:
        changes = "; then ".join(_change(c, deep, classical) for c in crossover.crossings)
        several = "the lead changes several times: " if len(crossover.crossings) > 1 else ""
        return f"{several}{changes}{_open_end(crossover)}"
    if crossover.kind == "not up to N":
        return f"not up to {crossover.sizes[-1]:,}: {classical} leads {_where(crossover)}"
    if crossover.kind == "from the smallest size on":
        return f"{deep} leads {_where(crossover)}"
    first = crossover.decided[0]
    return f"{deep} leads from {first:,} examples on, and below that it is undecided{_open_end(crossover)}"


def _change(crossing: Crossing, deep: str, classical: str) -> str:
    winner, loser = (deep, classical) if crossing.direction == "deep overtakes" else (classical, deep)
    return (
        f"{winner} overtakes {loser} at about {about(crossing.n)} examples (95 % interval {_span(crossing)})"
    )


def _where(crossover: Crossover) -> str:
    """Where the one leader leads, and where that is undecided."""
    decided, undecided = crossover.decided, crossover.undecided
    if not len(undecided):
        return f"at every size from {crossover.sizes[0]:,} on"
    if undecided[0] > decided[-1]:
        return f"up to {decided[-1]:,}, and {_from(undecided)} it is undecided"
    return f"at {_list(decided)}, and at {_list(undecided)} it is undecided"


def _list(sizes: np.ndarray) -> str:
    *first, last = (f"{n:,}" for n in sizes)
    return f"{', '.join(first)} and {last}" if first else last


def curve_parts(comparison: CurveComparison) -> list[str]:
    """The paragraphs, tables and figures of one data set."""
    parts = ["### Learning curves and the crossover"]
    parts += _family_parts(comparison.family) if comparison.family else [NO_FAMILY]
    parts += [_curve_figure(comparison), _accuracy_note(comparison), _accuracies(comparison)]
    if comparison.pairs:
        parts += ["#### Each pair", _pair_note(), _pairs(comparison.pairs), _crossover_figure(comparison)]
    parts += ["#### Who still improves", *_fit_parts(comparison)]
    if refused := comparison.curves.not_applicable:
        parts.append(f"Without a learning curve:\n\n{bullets([f'{c.name}: {why}' for c, why in refused])}")
    return parts


def _family_parts(family: FamilyResult) -> list[str]:
    deep, classical = "the best network", "the best classical model"
    by_data = crossover_sentence(family.by_data, deep, classical)
    by_time = crossover_sentence(family.by_time, deep, classical)
    budgets = equal_budgets(family.deep.seconds, family.classical.seconds)
    return [
        f"**By equal data**: {by_data}. {_at_largest(family.by_data)}",
        f"**By equal training time**: {by_time}. {_at_largest(family.by_time)} Each side has the seconds of the "
        f"faster one ({significant(budgets[-1])} s with {family.by_time.sizes[-1]:,} examples), and uses as many "
        f"of the examples as it can be fitted on in that time; making features by hand is not in it."
        f"{_not_in_time(family)}",
        f"The best of a family is chosen by validation accuracy, anew at each size and repetition: "
        f"{_chosen(family.deep)}; {_chosen(family.classical)}.",
    ]


def _at_largest(crossover: Crossover) -> str:
    band = Interval(float(crossover.low[-1]), float(crossover.high[-1]))
    return (
        f"With {crossover.sizes[-1]:,} examples the difference, deep minus classical, is "
        f"**{points(float(crossover.difference[-1]))} points** (95 % band over all sizes {points_interval(band)}), "
        f"and the network is ahead in {share(float(crossover.ahead[-1]))} of the resamples."
    )


def _not_in_time(family: FamilyResult) -> str:
    sides = ((family.deep_in_time, "network"), (family.classical_in_time, "classical model"))
    late = [(family.by_time.sizes[~in_time], words) for in_time, words in sides if not in_time.all()]
    return "".join(
        f" {_with(sizes, family)} no {words} is ready in time, and the most frequent class stands in for it."
        for sizes, words in late
    )


def _with(sizes: np.ndarray, family: FamilyResult) -> str:
    return "At every size" if len(sizes) == len(family.by_time.sizes) else f"With {_list(sizes)} examples"


def _chosen(best: FamilyCurve) -> str:
    counts = ", ".join(
        f"{label} {times} of {best.chosen.size} times" for label, times in best.counts().items()
    )
    return f"in {FAMILY_NAMES[best.family]} {counts}"


def _curve_figure(comparison: CurveComparison) -> str:
    largest = comparison.curves.sizes[-1]
    ends = ", ".join(
        f"{curve.label} {percent(float(curve.accuracy[-1].mean()))} %"
        for curve in sorted(comparison.curves.curves, key=lambda c: -float(c.accuracy[-1].mean()))
    )
    alternative = f"Test accuracy against the number of training examples; with {largest:,}: {ends}"
    return figure(f"{comparison.dataset}-learning-curve", alternative)


def _crossover_figure(comparison: CurveComparison) -> str:
    alternative = (
        "Difference of test accuracies, deep minus classical, against the number of training examples"
    )
    if comparison.family:
        alternative += (
            f"; best of family, by equal data: {crossover_short(comparison.family.by_data)}, "
            f"by equal training time: {crossover_short(comparison.family.by_time)}"
        )
    return figure(f"{comparison.dataset}-crossover", alternative)


def _accuracy_note(comparison: CurveComparison) -> str:
    repetitions = comparison.curves.curves[0].repetitions
    spread = f" (standard deviation over {repetitions} repetitions)" if repetitions > 1 else ""
    return (
        f"Test accuracy in %{spread} by the number of training examples, on {comparison.curves.n_test:,} test "
        "examples. The subsets are nested, stratified and the same for every model."
    )


def _accuracies(comparison: CurveComparison) -> str:
    header = ["model", *(f"{n:,}" for n in comparison.curves.sizes)]
    rows = [[_named(curve), *_cells(curve.accuracy)] for curve in comparison.curves.curves]
    rows += [
        [f"{MARKS[family]} best, chosen on validation data", *_cells(best.accuracy)]
        for family, best in comparison.best.items()
    ]
    return table(header, rows, right=set(range(1, len(header))))


def _named(curve: Curve) -> str:
    return f"{MARKS[curve.family]} {curve.label}"


def _cells(accuracy: np.ndarray) -> list[str]:
    """One a size, from accuracies (S, R)."""
    if accuracy.shape[1] == 1:
        return [percent(float(mean)) for mean in accuracy.mean(axis=1)]
    scatter = accuracy.std(axis=1, ddof=1)
    return [f"{percent(m)} ({percent(s)})" for m, s in zip(accuracy.mean(axis=1), scatter, strict=True)]


def _pair_note() -> str:
    return (
        "Number of training examples at which the network overtakes, with its 95 % interval; `back` is where the "
        "classical model overtakes in turn. Ahead: share of the resamples in which the network is ahead at the "
        "largest size."
    )


def _pairs(pairs: list[PairResult]) -> str:
    header = ["deep", "classical", "by equal data", "ahead", "by equal training time", "ahead"]
    rows = [
        [
            _named(pair.deep),
            _named(pair.classical),
            crossover_short(pair.by_data),
            share(float(pair.by_data.ahead[-1])),
            crossover_short(pair.by_time),
            share(float(pair.by_time.ahead[-1])),
        ]
        for pair in pairs
    ]
    return table(header, rows, right={3, 5})


def _fit_parts(comparison: CurveComparison) -> list[str]:
    fitted = [(curve, fit) for curve in comparison.curves.curves if (fit := comparison.fits[curve.label])]
    if not fitted:
        sizes = len(comparison.curves.sizes)
        return [f"No power law: it takes four sizes or more, and there are {sizes}."]
    parts = [_fit_note(), _fits(fitted)]
    return parts + ([beyond] if (beyond := beyond_sentence(comparison)) else [])


def _fit_note() -> str:
    return (
        "Power law fitted to each curve: error(n) = a + b·n^−c. R²: share of the variance that it explains; "  # noqa: RUF001
        "miss: its largest distance from a measured error, in points. Doubling: share of the errors that twice the "
        f"data would remove at the largest size; below {percent(WORTH_IT, 0)} % is a plateau, above it still improves. "
        "The intervals hold the resamples and the fits without one size each. A curve that the law does not describe "
        "(R² below 0.9 and a miss beyond the noise, or an error that rises with more data) is "
        f"{NOT_WELL_BEHAVED} and not extrapolated."
    )


def _fits(fitted: list[tuple[Curve, PowerLaw]]) -> str:
    beyond = DECADE * fitted[0][1].largest_size
    header = ["model", "a, %", "c", "R²", "miss", "doubling, %", "status", f"accuracy at {beyond:,}, %"]
    return table(
        header, [[_named(curve), *_fit(fit, beyond)] for curve, fit in fitted], right={1, 2, 3, 4, 5, 7}
    )


def _fit(fit: PowerLaw, beyond: int) -> list[str]:
    gain, errors = fit.improvement, fit.band(beyond)
    accuracy = Interval(1 - errors.high, 1 - errors.low)
    law = [
        f"{percent(fit.a)} {_brackets(fit.a_interval)}",
        f"{fit.c:.2f} [{fit.c_interval.low:.2f}, {fit.c_interval.high:.2f}]",
        decimals(fit.r2, 3),
        percent(fit.largest_residual),
    ]
    if not fit.well_behaved:
        return [*law, MISSING, NOT_WELL_BEHAVED, MISSING]
    return [
        *law,
        f"{percent(gain.value, 0)} {_brackets(gain.interval, 0)}",
        gain.status,
        f"{percent(1 - fit.predict(beyond))} {_brackets(accuracy)}",
    ]


def _brackets(interval: Interval, digits: int = 2) -> str:
    return f"[{percent(interval.low, digits)}, {percent(interval.high, digits)}]"


def beyond_sentence(comparison: CurveComparison) -> str | None:
    """Whether the lead is expected to change within the decade beyond the largest size; None without two laws."""
    deep, classical = (comparison.family_fits.get(family) for family in ("deep", "classical"))
    if deep is None or classical is None:
        return None
    names = [comparison.best[family].at_largest.label for family in ("deep", "classical")]
    largest = deep.largest_size
    opening = f"Beyond {largest:,} examples, by the laws of {names[0]} and {names[1]}, the best of each family there"
    if not (deep.well_behaved and classical.well_behaved):
        return f"{opening}: no answer, since a law does not describe its curve."
    n, interval, crossing = extrapolated_crossing(deep, classical, largest)
    if n is None or interval is None:
        return (
            f"{opening}: the lead does not change within ten times the data; it does in {share(crossing)} of the "
            "resamples."
        )
    return (
        f"{opening}: the lead changes at about {about(n)} examples ({about(interval.low)} to "
        f"{about(interval.high)}), and within ten times the data in {share(crossing)} of the resamples."
    )
