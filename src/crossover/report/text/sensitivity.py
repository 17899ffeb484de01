"""How much hangs on the hyperparameters, in tables and words."""

from crossover.analysis.sensitivity import ENOUGH, SensitivityVerdict, SpreadDifference
from crossover.analysis.tuning import DatasetTuning, Search
from crossover.core.columns import FAILED, PRUNED
from crossover.core.numbers import MISSING, percent, points, points_interval, share
from crossover.report.templating import MARKS
from crossover.report.text.tables import bold_where, table

CLAIM = "C14, deep learning is more sensitive to its hyperparameters"
MEASURE_IT = (
    "`dvc exp run -S 'tuning.classical_models=[random_forest,xgboost]' -S 'tuning.deep_models=[cnn]'`"
)
_BY_K = (1, 5, 10, 30, 100)


def no_tuning_line(datasets: list[str]) -> str:
    """What is not measured on data sets without tuned cells, and how to measure it."""
    return f"No tuning on {', '.join(datasets)}: claim {CLAIM}, is not measured there; {MEASURE_IT} would measure it."


def model_cells(search: Search, bold: bool = False) -> list[str]:
    """The first two columns of every table: the model, with the mark of its family, and its features."""
    cell = search.tuned.cell
    return [f"{MARKS[search.tuned.family]} {bold_where(bold, cell.model)}", cell.features]


def named(search: Search) -> str:
    """The model, and the features where that is a choice: "cnn", "xgboost on raw"."""
    cell = search.tuned.cell
    return cell.model if search.tuned.family == "deep" else f"{cell.model} on {cell.features}"


def sensitivity_parts(tuning: DatasetTuning) -> list[str]:
    """The paragraphs and tables of one data set."""
    independent = [s for s in tuning.searches if s.independent and len(s.accuracies)]
    parts = [_claim(tuning)]
    if independent:
        parts += [_spread_note(), _spreads(independent), _curve_note(), _curves(independent)]
    if dependent := [s for s in tuning.searches if not s.independent]:
        parts.append(
            f"Without spread and expected best: {', '.join(map(named, dependent))}. The proposals of the sampler "
            f"{dependent[0].facts['sampler']} are no independent draws from the search space, and their scatter "
            "shows the sampler at work; only the sampler `random` draws independently."
        )
    return parts


def _spread_note() -> str:
    return (
        "Validation accuracy over the random configurations, without the default one. IQR: distance of the "
        "quartiles. Far below: share of the configurations more than one point below the best. A failed trial has "
        "no accuracy and is counted apart; a pruned one enters with the last accuracy that it reported."
    )


def _spreads(searches: list[Search]) -> str:
    header = [
        "model",
        "features",
        "configurations",
        "median %",
        "IQR, points",
        "sd, points",
        "far below",
        "pruned",
    ]
    header.append("failed")
    return table(header, [_spread(search) for search in searches], right=set(range(2, 9)))


def _spread(search: Search) -> list[str]:
    s = search.spread
    return [
        *model_cells(search),
        str(s.n),
        percent(s.median),
        percent(s.iqr),
        percent(s.sd),
        f"{100 * s.far_below:.0f} %",
        str(search.count(PRUNED)),
        str(search.count(FAILED)),
    ]


def _curve_note() -> str:
    return (
        "Expected best validation accuracy, in %, after trying so many random configurations, with its 95 % "
        "interval from a bootstrap over the trials."
    )


def _curves(searches: list[Search]) -> str:
    longest = max(len(s.accuracies) for s in searches)
    columns = [k for k in _BY_K if k <= longest]
    header = ["model", "features", "default", *map(str, columns), "all"]
    rows = [_expected(search, columns) for search in searches]
    return table(header, rows, right=set(range(2, len(header))))


def _expected(search: Search, columns: list[int]) -> list[str]:
    c, n = search.curve, len(search.accuracies)

    def after(k: int) -> str:
        if k > n:
            return MISSING
        return f"{percent(c.expected[k - 1])} [{percent(c.low[k - 1])}, {percent(c.high[k - 1])}]"

    default = percent(search.default_trial["accuracy"])
    return [*model_cells(search), default, *map(after, columns), f"{percent(c.expected[-1])} ({n})"]


def _claim(tuning: DatasetTuning) -> str:
    verdict = tuning.sensitivity
    if verdict is None:
        return f"**Claim {CLAIM}: not measured here**; {_why_not(tuning)}."
    deep, classical = (
        ", ".join(named(s) for s in tuning.comparable(family)) for family in ("deep", "classical")
    )
    return (
        f"**Claim {CLAIM}: {verdict.answer}.** The interquartile range of validation accuracy over random "
        f"configurations of the networks ({deep}) minus that of the classical models ({classical}) is "
        f"{_difference(verdict.iqr)}, wider for the networks in {share(verdict.iqr.a_wider)} of the resamples. "
        f"{_beside(verdict)} This speaks of the search spaces in `conf/search/` alone: a wider space scatters more."
    )


def _difference(difference: SpreadDifference) -> str:
    return f"{points(difference.value)} points (95 % interval {points_interval(difference.interval)})"


def _beside(verdict: SensitivityVerdict) -> str:
    """The standard deviation, which a few hopeless configurations dominate, beside the quartiles."""
    difference = f"The difference of the standard deviations is {_difference(verdict.sd)}"
    if verdict.sd.answer == verdict.answer:
        return f"{difference}."
    return (
        f"{difference}, by which the answer would be: {verdict.sd.answer}; a few hopeless configurations weigh "
        "much in it."
    )


def _why_not(tuning: DatasetTuning) -> str:
    for family, words in (("deep", "no network"), ("classical", "no classical model")):
        if not tuning.family(family):
            return f"{words} was tuned on this data set, and {MEASURE_IT} would measure it"
    if not all(search.independent for search in tuning.searches):
        return (
            "it takes independent draws of both families, which `dvc exp run -S tuning.sampler=random` makes"
        )
    if unsettled := [search for search in tuning.searches if not search.settled]:
        return (
            f"a quarter or more of the configurations of {', '.join(map(named, unsettled))} were pruned, and nobody "
            "knows the accuracy that they would have ended with; `dvc exp run -S tuning.pruner=none` lets them end"
        )
    return (
        f"it takes {ENOUGH} scored random configurations in both families, and a larger budget in params.yaml"
    )
