"""The report's section on tuning: what it gained and what it cost."""

import numpy as np
import pandas as pd

from crossover.analysis.statistics import accuracy_interval
from crossover.analysis.tuning import DatasetTuning, Search
from crossover.core.columns import COMPLETED, FAILED, PRUNED
from crossover.core.numbers import MISSING, percent, percent_interval, points, points_interval, significant
from crossover.report.text.sensitivity import model_cells, named, sensitivity_parts
from crossover.report.text.tables import bullets, table

SECOND_OBJECTIVES = {"fit_seconds": "seconds to fit", "latency_p50_ms": "milliseconds for one prediction"}
_SAMPLERS = {
    "random": "random search",
    "grid": "grid search",
    "tpe": "search by tree-structured Parzen estimators",
}
_TOP = 3
_LONGEST = 160  # characters of a failure's message that the report shows


def tuning_section(tuning: DatasetTuning) -> str:
    """The section of one data set."""
    parts = ["### Tuning", _procedure(tuning), _gains(tuning)]
    remarks = [remark for search in tuning.searches for remark in _remarks(search)]
    parts += [bullets(remarks)] if remarks else []
    parts += ["#### Most important hyperparameters", _importances(tuning)]
    two = [search for search in tuning.searches if search.second_objective]
    if two:
        parts += ["#### Pareto front", *_fronts(two)]
        parts.append(f"![Accuracy against cost of every trial](figures/{tuning.dataset}-pareto.png)")
    parts += ["### Sensitivity to hyperparameters", *sensitivity_parts(tuning)]
    parts.append(f"![Trials and expected best](figures/{tuning.dataset}-tuning.png)")
    return "\n\n".join(parts)


def _procedure(tuning: DatasetTuning) -> str:
    budget, facts = tuning.budget, [search.facts for search in tuning.searches]
    each = (
        f"{budget.trials} trials"
        if budget.trials
        else f"{budget.seconds:,} s of wall-clock time for its trials"
    )
    subsets = sorted({f["examples"] for f in facts if f["examples"]})
    part = (
        f"a stratified subset of {_whole(subsets)} examples of the training part"
        if subsets
        else "the training part"
    )
    splits = sorted({tuple(f["repetitions"]) for f in facts})
    scored = _whole(sorted({f["n_validation"] for f in facts}))
    return (
        f"Each model had {each} ({_sampler(budget.sampler)}, seed {budget.seed}), the first of them on its default "
        f"configuration. A trial fits one configuration on {part} and scores it on {scored} validation examples"
        f"{_splits(splits)}. The configuration with the highest validation accuracy is the variant *tuned*, "
        "which was then fitted afresh in every repetition of the study. Its validation accuracy is the highest of "
        "many and so flatters it; the test accuracy does not."
    )


def _whole(numbers: list[int]) -> str:
    return " or ".join(f"{number:,}" for number in numbers)


def _splits(splits: list[tuple[int, ...]]) -> str:
    """How many validation splits a trial is scored on, where that is more than one for some model."""
    counts = sorted({len(numbers) for numbers in splits})
    return "" if counts == [1] else f", the mean of {_whole(counts)} splits"


def _sampler(name: str) -> str:
    return _SAMPLERS.get(name, f"sampler {name}")


def _gains(tuning: DatasetTuning) -> str:
    header = [
        "model",
        "features",
        "default: test %",
        "tuned: test % [95 %]",
        "tuned − default, points [95 %]",  # noqa: RUF001
        "validation %: default → best",
        "completed / pruned / failed",
        "tuning s",
        "in default fits",
    ]
    return table(header, [_gain(search) for search in tuning.searches], right=set(range(2, 9)))


def _gain(search: Search) -> list[str]:
    interval = percent_interval(accuracy_interval(search.tuned.correct)).replace(" to ", ", ")
    best = np.nan if search.best is None else search.best["accuracy"]
    return [
        *model_cells(search),
        percent(search.default.mean("accuracy")),
        f"{percent(search.tuned.mean('accuracy'))} [{interval}]",
        f"{points(search.gain)} [{points_interval(search.gain_interval)}]",
        f"{percent(search.default_trial['accuracy'])} → {percent(best)}",
        " / ".join(str(search.count(state)) for state in (COMPLETED, PRUNED, FAILED)),
        significant(search.seconds),
        significant(search.fits_worth),
    ]


def _remarks(search: Search) -> list[str]:
    """What a reader of the table must know about one search."""
    name, remarks = named(search), []
    if search.best is not None and search.best["trial"] == 0:
        remarks.append(f"{name}: no trial was better than the default configuration.")
    if search.facts["exhausted"]:
        remarks.append(
            f"{name}: its search space holds no more than these {len(search.trials)} configurations."
        )
    failures = search.failures
    if len(failures):
        first = " ".join(str(failures.iloc[0]["error"]).split())
        shown = first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"
        remarks.append(
            f"{name}: {len(failures)} of {len(search.trials)} trials failed, the first with: {shown}"
        )
    return remarks


def _importances(tuning: DatasetTuning) -> str:
    header = ["model", "features", *("first", "second", "third")]
    rows = [[*model_cells(search), *_top(search)] for search in tuning.searches]
    note = (
        "How much of the variance of validation accuracy over the search space each hyperparameter explains, as a "
        "share of what all explain (fANOVA), and its value in the best trial. A hyperparameter that only some "
        "configurations have is not rated. A dash: none left to rate, too few trials, or no variation."
    )
    return f"{note}\n\n{table(header, rows)}"


def _top(search: Search) -> list[str]:
    top = [_important(search, row) for _, row in search.importance.head(_TOP).iterrows()]
    return top + [MISSING] * (_TOP - len(top))


def _important(search: Search, row: pd.Series) -> str:
    key = str(row["parameter"])
    value = None if search.best is None else search.parameter(search.best, key)
    shown = "" if value is None else f" ({short(value)})"
    return f"`{key}` {100 * row['importance']:.0f} %{shown}"


def short(value: str) -> str:
    """A hyperparameter's value with three significant digits; what is no decimal number stays as it is."""
    if not any(mark in value for mark in ".e"):
        return value
    try:
        return f"{float(value):.3g}"
    except ValueError:
        return value


def _fronts(searches: list[Search]) -> list[str]:
    objective = searches[0].second_objective or ""
    header = ["model", "features", "trial", "validation %", SECOND_OBJECTIVES[objective], "configuration"]
    rows = [row for search in searches for row in _front(search)]
    note = (
        "No other trial of the same model is better in one of the two and at least as good in the other; in bold "
        "the one that was chosen."
    )
    return [note, table(header, rows, right={2, 3, 4})]


def _front(search: Search) -> list[list[str]]:
    """One row a trial of the front, the most accurate first; the one that was chosen in bold."""
    front = search.trials[search.trials["pareto"]].sort_values("accuracy", ascending=False, kind="stable")
    costs = search.costs.set_index("trial")[search.second_objective or "fit_seconds"]
    return [
        [
            *model_cells(search, bold=bool(trial["best"])),
            str(trial["trial"]),
            percent(trial["accuracy"]),
            significant(float(costs[trial["trial"]])),
            "default" if trial["trial"] == 0 else _configuration(search, trial),
        ]
        for _, trial in front.iterrows()
    ]


def _configuration(search: Search, trial: pd.Series) -> str:
    return ", ".join(
        f"{key.split('.')[-1]} {short(value)}" for key, value in search.parameters(trial).items()
    )
