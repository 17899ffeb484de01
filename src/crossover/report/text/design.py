"""How sure the comparison is, in words: which test, why that one, and what it says."""

from crossover.analysis.design import NOT_TESTED, AcrossDatasets, Choice, Design, ResampledComparison
from crossover.analysis.many_datasets import ALPHA, Friedman, MethodsComparison, Pair
from crossover.core.numbers import p_text, percent, points, points_interval, share, significant
from crossover.report.figures.ranks import FIGURE
from crossover.report.text.tables import bold_where, bullets, figure, table

HEADING = "## How sure: which test, and why"

_NOTABLE = 0.2  # of the errors: a region of equivalence as large is worth a word


def design_section(design: Design) -> list[str]:
    """The section, as Markdown paragraphs."""
    return [
        HEADING,
        bullets([_choice(choice) for choice in design.choices]),
        *_resampled(design.resampled),
        *_over_datasets(design),
    ]


def _choice(choice: Choice) -> str:
    method = choice.method[0].upper() + choice.method[1:]
    return f"*{choice.question}* {bold_where(choice.method != NOT_TESTED, method)}: {choice.why}."


def _resampled(comparisons: list[ResampledComparison]) -> list[str]:
    if not comparisons:
        return []
    return [
        "### Over repeated splits",
        "At the largest size of the learning curves: fitted without the validation examples of a repetition, and "
        "scored on them. The test part is not used here.",
        bullets([resampled_sentence(comparison) for comparison in comparisons]),
        _resampled_caveat(comparisons),
    ]


def resampled_sentence(comparison: ResampledComparison) -> str:
    """The verdict over repeated splits with its numbers, or why there is none."""
    if comparison.reason:
        return f"{comparison.dataset}: **no test**; {comparison.reason}."
    t, k = comparison.t, len(comparison.accuracies_a)
    difference = (
        f"{comparison.dataset}: **{_opening(comparison)}**. {_side(comparison, 0)} minus {_side(comparison, 1)} "
        f"is **{points(t.mean)} points** of validation accuracy over {k} splits of {comparison.n_train:,} and "
        f"{comparison.n_validation:,} examples"
    )
    if t.t is None:
        return f"{difference}, in every split; without scatter there is nothing to measure a difference by."
    interval = f"95 % interval {points_interval(t.interval)}; corrected resampled t-test: p {p_text(t.p)}"
    return " ".join(
        [f"{difference} ({interval}).", _probabilities(comparison), *_beside_the_errors(comparison)]
    )


def _side(comparison: ResampledComparison, side: int) -> str:
    name = (comparison.name_a, comparison.name_b)[side]
    accuracies = (comparison.accuracies_a, comparison.accuracies_b)[side]
    return f"{name} ({percent(float(accuracies.mean()))} %)"


def _opening(comparison: ResampledComparison) -> str:
    t, verdict = comparison.t, comparison.posterior.verdict
    ahead = comparison.name_a if t.mean > 0 else comparison.name_b
    if t.t is None:
        return f"{ahead} is ahead, untested" if t.mean else "They tie"
    if verdict in ("above", "below"):
        return f"{ahead} leads by more than {_rope(comparison)}"
    if verdict == "equivalent":
        return f"{ahead} leads, by less than {_rope(comparison)}" if t.p <= ALPHA else "They tie"
    return f"{ahead} leads, perhaps by less than {_rope(comparison)}" if t.p <= ALPHA else "Undecided"


def _rope(comparison: ResampledComparison) -> str:
    """0.01 -> "1 point"."""
    size = f"{100 * comparison.rope:g}"
    return f"{size} point" if size == "1" else f"{size} points"


def _probabilities(comparison: ResampledComparison) -> str:
    p, rope = comparison.posterior, _rope(comparison)
    return (
        f"Probability that {comparison.name_a} is better by more than {rope}: {share(p.p_above)}; that "
        f"the two are within {rope} of each other: {share(p.p_equivalent)}; that {comparison.name_b} is "
        f"better by more: {share(p.p_below)}."
    )


def _beside_the_errors(comparison: ResampledComparison) -> list[str]:
    """A point is little at 70 % and most of the errors at 99 %."""
    errors = 1 - max(comparison.accuracies_a.mean(), comparison.accuracies_b.mean())
    if comparison.rope < _NOTABLE * errors:
        return []
    if comparison.rope >= errors:
        return [f"At this accuracy {_rope(comparison)} is more than all errors of the better one."]
    part = significant(100 * comparison.rope / errors)
    return [f"At this accuracy {_rope(comparison)} is {part} % of the errors of the better one."]


def _resampled_caveat(comparisons: list[ResampledComparison]) -> str:
    several = sorted({c.candidates for c in comparisons if max(c.candidates) > 1})
    watched = sorted({name for c in comparisons for name in c.watched})
    sentences = [f"A lead is called one where its probability is above 95 %, or p at or below {ALPHA}."]
    if several:
        of = ", ".join(f"{a} and {b}" for a, b in several)
        sentences.append(
            "Each side is the best of its family by this very validation accuracy, which flatters the side with "
            f"more candidates (networks and classical models: {of})."
        )
    if watched:
        sentences.append(
            f"Training watched the same examples (early stopping) for {', '.join(watched)}, which flatters too."
        )
    return " ".join(sentences)


def _over_datasets(design: Design) -> list[str]:
    families, methods = design.families.comparison, design.methods.comparison
    if families.reason and methods.reason:
        return []  # the choices above say why
    parts = ["### Over the data sets"]
    if not families.reason:
        parts.append(_families_sentence(families))
    if not methods.reason:
        parts += [methods_sentence(methods), *_left_out(design.methods), _ranks(methods)]
    if methods.critical_difference is not None:
        parts += [_pairs_note(methods), _pairs(methods), figure(FIGURE, _alternative(methods))]
    return parts


def _families_sentence(comparison: MethodsComparison) -> str:
    return (
        f"{_two_sides(comparison)} The best of a family is chosen by the same accuracy, which flatters the family "
        "with more candidates."
    )


def _two_sides(comparison: MethodsComparison) -> str:
    """The verdict on two methods by Wilcoxon's test alone."""
    pair, n = comparison.pair(0, 1), len(comparison.datasets)
    first, second = comparison.methods
    opening = "They tie"
    if pair.wilcoxon_p <= ALPHA:
        opening = f"{_capital(first if pair.median > 0 else second)} leads"
    return (
        f"**{opening}**: over {n} data sets the median of {first} minus {second} is **{points(pair.median)} "
        f"points** (95 % interval {points_interval(pair.interval)}; {first} is ahead on {_count(pair.ahead)} of "
        f"{n}; Wilcoxon's signed-rank test: p {p_text(pair.wilcoxon_p)})."
    )


def _capital(name: str) -> str:
    """Models are named as in `conf/model/`, wherever in a sentence they stand."""
    return f"The {name[4:]}" if name.startswith("the ") else name


def _count(value: float) -> str:
    return f"{value:g}"


def methods_sentence(comparison: MethodsComparison) -> str:
    """The verdict over the data sets on all methods, with its numbers."""
    test = comparison.friedman
    if test is None:
        return _two_sides(comparison)
    return f"**{_leaders(comparison, test)}**: {_friedman(comparison, test)} {_first_two(comparison)}"


def _leaders(comparison: MethodsComparison, test: Friedman) -> str:
    """Who leads, by Friedman's test and then by Nemenyi's."""
    names = [comparison.methods[i] for i in comparison.ranking]
    if test.p > ALPHA:
        return "They tie"
    tied = len(_tied_with_the_best(comparison))
    if tied == 0:
        return f"{names[0]} leads"
    if tied + 1 == len(names):
        return "Undecided: the methods differ, and Nemenyi's test cannot say which"
    return f"{', '.join(names[:tied])} and {names[tied]} tie in the lead"


def _tied_with_the_best(comparison: MethodsComparison) -> list[int]:
    best = comparison.ranking[0]
    group = next((group for group in comparison.groups() if best in group), [best])
    return group[1:]


def _friedman(comparison: MethodsComparison, test: Friedman) -> str:
    n, k = len(comparison.datasets), len(comparison.methods)
    statistic = (
        "all data sets rank them alike"
        if test.f is None
        else f"Iman and Davenport's F({test.df[0]}, {test.df[1]}) = {test.f:.2f}, p {p_text(test.p)}"
    )
    return f"{k} methods on {n} data sets, Friedman's χ² = {test.chi2:.2f}, {statistic}."


def _first_two(comparison: MethodsComparison) -> str:
    first, second = comparison.ranking[:2]
    pair = comparison.pair(first, second)
    name_a, name_b = (comparison.methods[i] for i in (first, second))
    rank_a, rank_b = (f"{comparison.average_ranks[i]:.2f}" for i in (first, second))
    return (
        f"{name_a} has the average rank {rank_a} and {name_b} {rank_b}: a difference of "
        f"{abs(pair.rank_difference):.2f}, where Nemenyi's test needs {comparison.critical_difference:.2f} "
        f"(p {p_text(pair.nemenyi_p)}). The median of {name_a} minus {name_b} is {points(pair.median)} points (95 % "
        f"interval {points_interval(pair.interval)}), and {name_a} is ahead on {_count(pair.ahead)} of "
        f"{len(comparison.datasets)}."
    )


def _left_out(across: AcrossDatasets) -> list[str]:
    if not across.left_out:
        return []
    lines = [f"{method} (none on {', '.join(where)})" for method, where in across.left_out.items()]
    return [f"Left out, since a rank needs a score on every data set: {'; '.join(lines)}."]


def _ranks(comparison: MethodsComparison) -> str:
    best_on = comparison.scores == comparison.scores.max(axis=1, keepdims=True)
    rows = [
        [
            bold_where(i == comparison.ranking[0], comparison.methods[i]),
            f"{comparison.average_ranks[i]:.2f}",
            percent(float(comparison.scores[:, i].mean())),
            str(int(best_on[:, i].sum())),
        ]
        for i in comparison.ranking
    ]
    return table(["method", "average rank", "mean accuracy %", "best on"], rows, right={1, 2, 3})


def _pairs_note(comparison: MethodsComparison) -> str:
    note = (
        "The method with the best average rank against each of the others. Ranks: its own minus theirs. "
        "Points: pseudo-median of the differences, with the interval of this pair alone. Holm: p of Wilcoxon's test, "
        f"corrected for all {len(comparison.pairs)} pairs."
    )
    if comparison.least_holm_p > ALPHA:
        note += (
            f" With {len(comparison.datasets)} data sets the smallest p that this can give is "
            f"{p_text(comparison.least_holm_p)}, so it finds nothing here, whatever the scores."
        )
    return note


def _pairs(comparison: MethodsComparison) -> str:
    best, *others = comparison.ranking
    pairs = [comparison.pair(best, other) for other in others]
    header = [
        f"{comparison.methods[best]} against",
        "ranks",
        "Nemenyi p",
        "points [95 %]",
        "Holm p",
        "ahead on",
    ]
    return table(header, [_pair_row(comparison, pair) for pair in pairs], right={1, 2, 3, 4, 5})


def _pair_row(comparison: MethodsComparison, pair: Pair) -> list[str]:
    return [
        comparison.methods[pair.second],
        f"{pair.rank_difference:+.2f}".replace("-", "−"),  # noqa: RUF001
        p_text(pair.nemenyi_p),
        f"{points(pair.median)} [{points_interval(pair.interval)}]",
        p_text(pair.holm_p),
        f"{_count(pair.ahead)} of {len(comparison.datasets)}",
    ]


def _alternative(comparison: MethodsComparison) -> str:
    ranks = ", ".join(
        f"{comparison.methods[i]} {comparison.average_ranks[i]:.2f}" for i in comparison.ranking
    )
    groups = [", ".join(comparison.methods[i] for i in group) for group in comparison.groups()]
    apart = f"not told apart: {'; '.join(groups)}" if groups else "all told apart"
    return (
        f"Critical-difference diagram. Average ranks on {len(comparison.datasets)} data sets: {ranks}. Critical "
        f"difference {comparison.critical_difference:.2f}; {apart}."
    )
