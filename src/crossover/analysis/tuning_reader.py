"""Read the searches behind the tuned cells of one data set from `results/tuning/`."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from crossover.analysis.results import CellResult, DatasetResults
from crossover.analysis.tuning import DatasetTuning, Search
from crossover.core.cell import DEFAULT, TUNED
from crossover.core.columns import IMPORTANCE, PARAMETER, SWEEP, TRIAL_COSTS, TRIALS, read_rows
from crossover.core.errors import CrossoverError
from crossover.core.files import read_json
from crossover.core.layout import Layout
from crossover.core.study import Study, Tuning

_MADE_BY = "dvc repro"


def read_tuning(study: Study, layout: Layout, results: DatasetResults) -> DatasetTuning | None:
    """Read the searches behind the tuned cells that have results; None where there is none.

    Raises:
        CrossoverError: a file or a column is missing, files disagree, a search had another budget, sampler or
            seed than the study gives, or has seen a repetition on which its best configuration is fitted.
    """
    cells = {result.cell: result for result in results.cells}
    tuned = [cells[cell] for cell in study.cells(results.dataset) if cell.variant == TUNED and cell in cells]
    if not tuned:
        return None
    searches = []
    for result in tuned:
        cell = result.cell
        default = cells[replace(cell, variant=DEFAULT)]
        searches.append(_read_search(layout.tuning(cell), result, default, study.tuning))
    facts = [search.facts for search in searches]
    return DatasetTuning(
        results.dataset,
        study.tuning,
        searches,
        examples=sorted({of_search["examples"] for of_search in facts if of_search["examples"]}),
        n_validation=sorted({of_search["n_validation"] for of_search in facts}),
        splits=sorted({len(of_search["repetitions"]) for of_search in facts}),
    )


def _read_search(folder: Path, tuned: CellResult, default: CellResult, budget: Tuning) -> Search:
    def wrong(file: str, rule: str) -> CrossoverError:
        return CrossoverError(f"{folder / file} {rule}; make it again with `{_MADE_BY}`")

    facts = read_json(folder / "sweep.json", _MADE_BY)
    if check := sorted(set(facts) ^ set(SWEEP)):
        raise wrong("sweep.json", f"must have exactly the keys of the schema, check {check[0]}")
    found = {"sampler": facts["sampler"], "seed": facts["seed"], **facts["budget"]}
    for name in ("trials", "seconds", "sampler", "seed"):
        required = getattr(budget, name)
        if found.get(name) != required:
            rule = f"must be of the {name} in params.yaml, {required}, but has {found.get(name)}"
            raise wrong("sweep.json", rule)
    if both := set(facts["repetitions"]) & set(tuned.scores["seed"].astype(int)):
        rule = f"must not have seen repetition {min(both)}, on which the best is fitted"
        raise wrong("sweep.json", rule)

    if facts["metric"] != tuned.metric:
        rule = f"must be of the data set's metric, {tuned.metric}, but has {facts['metric']}"
        raise wrong("sweep.json", rule)

    path = folder / "trials.csv"
    if not path.exists():
        raise CrossoverError(f"{path} does not exist; make it with `{_MADE_BY}`")
    trials, as_text = (
        pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dtype) for dtype in (None, str)
    )
    parameters = [column for column in trials.columns if column.startswith(PARAMETER)]
    trials[parameters] = as_text[parameters]  # as they were written: 5, and not 5.0 next to a gap
    if check := sorted(set(trials.columns) ^ {*TRIALS, *parameters}):
        raise wrong("trials.csv", f"must have exactly the columns of the schema, check {check[0]}")
    trials = trials.sort_values("trial", ignore_index=True)
    costs = read_rows(folder / "costs.csv", TRIAL_COSTS, _MADE_BY).sort_values("trial")
    if trials["trial"].tolist() != costs["trial"].tolist() or 0 not in set(trials["trial"]):
        raise wrong("trials.csv", "must hold trial 0 and the same trials as costs.csv")
    if trials["best"].sum() > 1:
        raise wrong("trials.csv", "must mark one trial as the best")
    importance = read_rows(folder / "importance.csv", IMPORTANCE, _MADE_BY)
    importance = importance.sort_values("importance", ascending=False, kind="stable")
    return Search(tuned, default, facts, trials, costs, importance)
