"""Read the searches behind the tuned cells of one data set from `results/tuning/`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

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
        reader = _Reader(layout.tuning(cell))
        searches.append(reader.search(result, cells[replace(cell, variant=DEFAULT)], study.tuning))
    return DatasetTuning(results.dataset, study.tuning, searches)


class _Reader:
    """The files of one search."""

    def __init__(self, folder: Path):
        self._folder = folder

    def search(self, tuned: CellResult, default: CellResult, asked: Tuning) -> Search:
        facts, trials = self._facts(asked), self._trials()
        costs = read_rows(self._folder / "costs.csv", TRIAL_COSTS, _MADE_BY).sort_values("trial")
        if trials["trial"].tolist() != costs["trial"].tolist() or 0 not in set(trials["trial"]):
            raise self._wrong("trials.csv", "must hold trial 0 and the same trials as costs.csv")
        both = set(facts["repetitions"]) & set(tuned.scores["seed"].astype(int))
        if both:
            raise self._wrong(
                "sweep.json", f"must not have seen repetition {min(both)}, on which the best is fitted"
            )
        if trials["best"].sum() > 1:
            raise self._wrong("trials.csv", "must mark one trial as the best")
        importance = read_rows(self._folder / "importance.csv", IMPORTANCE, _MADE_BY)
        importance = importance.sort_values("importance", ascending=False, kind="stable")
        return Search(tuned, default, facts, trials, costs, importance)

    def _facts(self, asked: Tuning) -> dict[str, Any]:
        facts = read_json(self._folder / "sweep.json", _MADE_BY)
        wrong = sorted(set(facts) ^ set(SWEEP))
        if wrong:
            raise self._wrong("sweep.json", f"must have exactly the keys of the schema, check {wrong[0]}")
        found = {"sampler": facts["sampler"], "seed": facts["seed"], **facts["budget"]}
        for name in ("trials", "seconds", "sampler", "seed"):
            if found.get(name) != getattr(asked, name):
                rule = (
                    f"must be of the {name} in params.yaml, {getattr(asked, name)}, but has {found.get(name)}"
                )
                raise self._wrong("sweep.json", rule)
        return facts

    def _trials(self) -> pd.DataFrame:
        path = self._folder / "trials.csv"
        if not path.exists():
            raise CrossoverError(f"{path} does not exist; make it with `{_MADE_BY}`")
        text = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=str)
        parameters = [column for column in text.columns if column.startswith(PARAMETER)]
        wrong = sorted(set(text.columns) ^ {*TRIALS, *parameters})
        if wrong:
            raise self._wrong("trials.csv", f"must have exactly the columns of the schema, check {wrong[0]}")
        # The numbers as pandas reads them, the hyperparameters as they were written: 5, and not 5.0 beside a gap.
        rows = pd.read_csv(path, keep_default_na=False, na_values=[""])
        rows[parameters] = text[parameters]
        return rows.sort_values("trial", ignore_index=True)

    def _wrong(self, file: str, rule: str) -> CrossoverError:
        return CrossoverError(f"{self._folder / file} {rule}; make it again with `{_MADE_BY}`")
