"""From the result rows of one data set to the cells of the study."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from crossover.analysis.bootstrap import bootstrap
from crossover.analysis.statistics import Interval, accuracy_interval
from crossover.core.cell import DEFAULT, FAMILIES, TEXTBOOK, TIERS, TUNED, Cell, Family, Tier
from crossover.core.columns import COSTS, METRICS, SCORES, VALIDATION, read_rows
from crossover.core.errors import CrossoverError
from crossover.core.files import existing
from crossover.core.fits import validation_order
from crossover.core.layout import Layout
from crossover.core.metric import ACCURACY, ALLOWED, Metric
from crossover.core.study import OK, Study

LOADED = 0.1
"""Share of the time in which a fit's threads wait for a processor, above which its time says little: next to one other
process that computes on every core it is about a half."""

_NEEDED = {  # to rank and draw a cell; any other empty value is printed as a dash
    "scores.csv": ["log_loss"],
    "costs.csv": ["fit_seconds", "latency_p50_ms"],
}


@dataclass(frozen=True, eq=False)  # compared by identity: frames have no plain ==
class CellResult:
    """The results of one cell.

    Attributes:
        cell: which one.
        status: `study.OK` or why there are no numbers.
        reason: in words, where the cell does not apply.
        stochastic: False where the cell was fitted once, since a repetition would give the same model.
        scores: one row per fit, in the order of the seeds; empty where the cell does not apply.
        costs: the same.
        validation: one row for each repetition whose validation rows were scored; empty where the cell does not apply.
        correct: (fits, n_test): what each test example contributes to the metric of each fit. For the accuracy bool:
            whether it is classified rightly; else float64, see `scoring.contributions`.
        test_overlap: share of its examples that a repetition's test part has in common with another's; None where all
            have the same one.
        metric: by which the data set's models are chosen and compared.
        balance: of its test examples, see `scoring.contributions.balance`.
        search_problem: of a tuned cell, why its search says little about what it can find, and the override of
            params.yaml that may solve it; None where nothing is known.
    """

    cell: Cell
    status: str
    reason: str
    stochastic: bool
    scores: pd.DataFrame
    costs: pd.DataFrame
    validation: pd.DataFrame
    correct: np.ndarray
    test_overlap: float | None = None
    metric: Metric = ACCURACY
    balance: float = 1.0
    search_problem: tuple[str, str] | None = None

    @property
    def family(self) -> Family:
        return self.cell.family

    @property
    def applicable(self) -> bool:
        return self.status == OK

    @property
    def n(self) -> int:
        """Number of fits."""
        return len(self.scores)

    @property
    def score(self) -> float:
        """Mean of the data set's metric over the fits, on the test part."""
        return self.mean(self.metric)

    @property
    def validation_score(self) -> float:
        """Mean of the metric over the repetitions, of fits without the validation rows."""
        return float(self.validation[self.metric].mean())

    @property
    def validation_order(self) -> tuple[float, float]:
        """See `fits.validation_order`."""
        return validation_order(self.validation_score, float(self.validation["log_loss"].mean()))

    @property
    def selects(self) -> bool:
        """Whether validation rows chose how long it was fitted."""
        return bool(pd.to_numeric(self.scores["n_watched"]).any())

    @property
    def problem(self) -> tuple[str, str] | None:
        """Why its fits say little about what the model can do, and the override that may solve it.

        None where nothing is known of that in more than half of the repetitions whose validation rows were scored, nor
        of the search behind it.
        """
        found = self.validation[self.validation["problem"].notna()]
        if 2 * len(found) <= len(self.validation) or found.empty:
            return self.search_problem
        what, remedy = found.iloc[0][["problem", "remedy"]]
        return str(what), "" if pd.isna(remedy) else str(remedy)

    @property
    def complexity(self) -> tuple[float, str]:
        """How many parameters, nodes or stored values the fitted model has, mean over the fits, and which of them.

        NaN for a vote of models that have different ones.
        """
        count = float(pd.to_numeric(self.scores["complexity"]).mean())
        return count, str(self.scores["complexity_unit"].iloc[0])

    @property
    def score_interval(self) -> Interval:
        """The 95 % interval of `score` over test examples and repetitions."""
        return accuracy_interval(self.correct, self.test_overlap, self.balance)

    def mean(self, column: str) -> float:
        """Mean over the fits of a metric or a cost; NaN where none was measured."""
        rows = self.scores if column in METRICS else self.costs
        return float(pd.to_numeric(rows[column]).mean())

    def cost_range(self, column: str) -> Interval:
        """A cost from its lowest to its highest time over all fits; where a fit has one value, over these values."""
        low, high = (
            self.costs[f"{column}_{end}"] if f"{column}_{end}" in self.costs else self.costs[column]
            for end in ("low", "high")
        )
        return Interval(float(pd.to_numeric(low).min()), float(pd.to_numeric(high).max()))

    @property
    def loaded(self) -> bool:
        """Whether other work slowed one of its fits: its threads waited for a processor in `LOADED` of the time."""
        return bool((pd.to_numeric(self.costs["waiting_share"]) > LOADED).any())

    def sd(self, metric: str) -> float:
        """Standard deviation of a metric over the fits; NaN for a single fit."""
        return float(pd.to_numeric(self.scores[metric]).std(ddof=1))


@dataclass(frozen=True)
class DatasetResults:
    """The cells of one data set.

    Attributes:
        dataset: its name.
        cells: those with numbers, in the order of their mean score on the test part, then of their log loss.
        not_applicable: the others.
        n_test: examples of a test part.
        losses: of the cells with a problem that are fitted in epochs or rounds, those on validation rows, one row an
            epoch and repetition: `model` (the cell's label), `seed`, `epoch`, `val_loss`.
        textbook: the models whose default recipe is the textbook's; None: all that have no textbook cell.
        metric: by which its models are chosen and compared.
        rarest: examples of the rarest class in a test part, the fewest over the parts.
    """

    dataset: str
    cells: list[CellResult]
    not_applicable: list[CellResult]
    n_test: int
    losses: pd.DataFrame
    textbook: frozenset[str] | None = None
    metric: Metric = ACCURACY
    rarest: int = 0

    def with_search_problems(self, problems: dict[Cell, tuple[str, str] | None]) -> Self:
        """The same with what is known of the searches behind the tuned cells."""
        cells = [replace(cell, search_problem=problems.get(cell.cell)) for cell in self.cells]
        return replace(self, cells=cells)

    def at(self, tier: Tier) -> list[CellResult]:
        """The cells that speak for their families at a level of effort, in the order of `cells`.

        textbook: the textbook's models, with its recipe where that is not the default one. default: the models as
        their YAML says. tuned: these, and what a search found.
        """
        if tier == TUNED:
            return [cell for cell in self.cells if cell.cell.variant != TEXTBOOK]
        if tier == DEFAULT:
            return [cell for cell in self.cells if cell.cell.variant == DEFAULT]
        own = {cell.cell.model for cell in self.cells if cell.cell.variant == TEXTBOOK}
        same = {cell.cell.model for cell in self.cells} - own if self.textbook is None else self.textbook
        return [
            cell
            for cell in self.cells
            if cell.cell.variant == TEXTBOOK or (cell.cell.variant == DEFAULT and cell.cell.model in same)
        ]

    @cached_property
    def tiers(self) -> list[Tier]:
        """The levels of effort that both families have, the least first: "default", and others with cells of their own.

        Cells of the textbook need them in one family, since the other's recipes may be the textbook's. A search in one
        family alone would give it more effort than the other one had.
        """
        families = {
            tier: {cell.family for cell in self.cells if cell.cell.variant == tier}
            for tier in (TEXTBOOK, TUNED)
        }
        present = {
            TEXTBOOK: bool(families[TEXTBOOK])
            and {cell.family for cell in self.at(TEXTBOOK)} == set(FAMILIES),
            DEFAULT: True,
            TUNED: families[TUNED] == set(FAMILIES),
        }
        return [tier for tier in TIERS if present[tier]]

    @property
    def contenders(self) -> list[CellResult]:
        """The cells that speak for their families: those of the highest level of effort."""
        return self.at(self.tiers[-1])

    @property
    def unfinished(self) -> set[str]:
        """The labels of the contenders that were not trained to their end."""
        return {cell.cell.label for cell in self.contenders if cell.problem}

    @cached_property
    def resamples(self) -> np.ndarray:
        """Scores of `cells`, in their order: float (draws, cells), see `bootstrap`.

        The same resamples serve every question, so that all differences are paired.
        """
        return bootstrap([cell.correct for cell in self.cells], self.test_overlap)

    @property
    def test_overlap(self) -> float | None:
        """As of `CellResult`."""
        return self.cells[0].test_overlap if self.cells else None

    @property
    def splits(self) -> int:
        """How many test parts its cells were scored on."""
        return max(cell.n for cell in self.cells) if self.test_overlap is not None else 1

    def difference(self, a: CellResult, b: CellResult) -> np.ndarray:
        """The score of `a` minus that of `b` in each resample: float (draws,)."""
        return self.resamples[:, self.cells.index(a)] - self.resamples[:, self.cells.index(b)]

    @property
    def best(self) -> list[CellResult]:
        """The best contender of each family that has one, chosen on validation rows.

        The choice owes nothing to the test part, so the score there is that of a model picked beforehand, however
        many others there were.
        """
        return best_of_families(self.contenders)

    def family(self, family: str) -> list[CellResult]:
        """The contenders of one family, best first by their score on validation rows."""
        return of_family(self.contenders, family)


def of_family(cells: list[CellResult], family: str) -> list[CellResult]:
    """Those of the cells that belong to a family, best first by their score on validation rows."""
    return sorted((cell for cell in cells if cell.family == family), key=lambda cell: cell.validation_order)


def best_of_families(cells: list[CellResult]) -> list[CellResult]:
    """The best cell of each family that is among the cells, chosen on validation rows."""
    return [
        of_family(cells, family)[0] for family in FAMILIES if any(cell.family == family for cell in cells)
    ]


def as_good_on_validation(family: list[CellResult]) -> list[CellResult]:
    """The cells after the first, best one whose validation score is within a standard error of its own.

    The error is that of a proportion on as many independent answers as the validation rows are worth.
    """
    best = family[0].validation_score
    n = family[0].balance * float(family[0].validation["n_distinct"].iloc[0])
    error = np.sqrt(best * (1 - best) / n)
    return [cell for cell in family[1:] if cell.validation_score >= best - error]


def read_results(
    study: Study, layout: Layout, dataset: str, textbook: frozenset[str] | None = None
) -> DatasetResults:
    """Read what the study's cells of one data set scored and cost; rows of other cells are ignored.

    Args:
        study: which cells.
        layout: where the results lie.
        dataset: which one.
        textbook: as of `DatasetResults`.

    Raises:
        CrossoverError: a file, column, row or prediction is missing, or predictions and rows disagree.
    """
    folder, made_by = layout.results(dataset), f"dvc repro evaluate@{dataset}"
    reader = _Reader(folder, made_by, study.seeds)
    cells = [reader.cell(cell) for cell in [*study.cells(dataset), *study.votes(dataset)]]
    ranked = sorted((cell for cell in cells if cell.applicable), key=lambda c: (-c.score, c.mean("log_loss")))
    # The textbook's recipes may be too short; what they are is known, and they decide nothing.
    unfinished = [cell for cell in ranked if cell.problem and cell.cell.variant != TEXTBOOK]
    return DatasetResults(
        dataset,
        ranked,
        not_applicable=[c for c in cells if not c.applicable],
        n_test=reader.y_true.shape[1],
        losses=reader.losses(unfinished),
        textbook=textbook,
        metric=reader.metric,
        rarest=min(int(np.unique(part, return_counts=True)[1].min()) for part in reader.y_true),
    )


def named_metric(rows: pd.DataFrame, path: Path, made_by: str) -> Metric:
    """The metric that rows of results name.

    Raises:
        CrossoverError: they name none, several, or one that is not allowed.
    """
    named = rows["metric"].unique().tolist()
    if len(named) != 1 or named[0] not in ALLOWED:
        raise CrossoverError(
            f"result rows must name one metric of {', '.join(ALLOWED)}, got {named} ({path}); make them again with "
            f"`{made_by}`"
        )
    return named[0]


class _Reader:
    """The files of one data set below `results/`."""

    def __init__(self, folder: Path, made_by: str, seeds: int):
        self._folder, self._made_by, self._seeds = folder, made_by, seeds
        self._scores = read_rows(folder / "scores.csv", SCORES, made_by)
        self._costs = read_rows(folder / "costs.csv", COSTS, made_by)
        self._validation = read_rows(folder / "validation.csv", VALIDATION, made_by)
        self.y_true = self._load("y_true.npy")
        self.metric = named_metric(self._scores, folder / "scores.csv", made_by)
        self._balance = 1.0
        if self.metric != ACCURACY:
            from crossover.scoring.contributions import balance  # loads scikit-learn

            self._balance = balance(self.metric, self.y_true.ravel())

    def cell(self, cell: Cell) -> CellResult:
        scores = self._rows(self._scores, cell)
        if scores.empty:
            raise self._missing(f"has no row for {cell.in_words}", "scores.csv")
        first = scores.iloc[0]
        status = str(first["status"])
        if status != OK:
            empty = np.empty((0, 0), dtype=bool)
            reason, costs = str(first["reason"]), self._costs[:0]
            return CellResult(cell, status, reason, False, scores[:0], costs, self._validation[:0], empty)
        stochastic = bool(first["stochastic"])
        seeds = list(range(self._seeds)) if stochastic else [int(first["seed"])]
        scores = self._fits(scores, seeds, cell, "scores.csv")
        costs = self._fits(self._rows(self._costs, cell), seeds, cell, "costs.csv")
        correct = []
        for seed in seeds:
            name = f"{cell.name}-seed{seed}.npy"
            proba = self._load(name)
            y_true = self.y_true[int(scores["split"][seed])]
            if len(proba) != len(y_true):
                problem = f"holds {len(proba)} predictions for {len(y_true)} test examples"
                raise self._missing(problem, name)
            correct.append(self._contributions(y_true, proba))
            rounding = 1e-9 if self.metric == ACCURACY else 1e-6
            if not np.isclose(correct[-1].mean(), scores[self.metric][seed], rtol=0, atol=rounding):
                problem = f"does not give the {self.metric} that stands in {self._folder / 'scores.csv'}"
                raise self._missing(problem, name)
        validation = self._rows(self._validation, cell)
        if validation.empty or validation[[self.metric, "log_loss"]].isna().any(axis=None):
            raise self._missing(f"has no {self.metric} for {cell.in_words}", "validation.csv")
        overlap = scores["test_overlap"].iloc[0]
        return CellResult(
            cell,
            status,
            "",
            stochastic,
            scores,
            costs,
            validation,
            np.stack(correct),
            None if pd.isna(overlap) else float(overlap),
            self.metric,
            self._balance,
        )

    def losses(self, cells: list[CellResult]) -> pd.DataFrame:
        """See `DatasetResults`."""
        history = pd.read_csv(existing(self._folder / "plots" / "history.csv", self._made_by))
        of_cells = history["model"].isin([cell.cell.label for cell in cells]) & history["val_loss"].notna()
        return history.loc[of_cells, ["model", "seed", "epoch", "val_loss"]]

    def _contributions(self, y_true: np.ndarray, proba: np.ndarray) -> np.ndarray:
        if self.metric == ACCURACY:
            return proba.argmax(axis=1) == y_true
        from crossover.scoring.contributions import contributions

        return contributions(self.metric, y_true, proba)

    @staticmethod
    def _rows(table: pd.DataFrame, cell: Cell) -> pd.DataFrame:
        keys = ("dataset", "features", "model", "variant")
        of_cell = [table[key] == getattr(cell, key) for key in keys]
        return table[np.logical_and.reduce(of_cell)]

    def _fits(self, rows: pd.DataFrame, seeds: list[int], cell: Cell, file: str) -> pd.DataFrame:
        """The rows of the given seeds, in their order, with the seed as index."""
        by_seed = rows.set_index(rows["seed"].astype("Int64"))
        missing = sorted(set(seeds) - set(by_seed.index))
        if missing:
            raise self._missing(f"has no row for {cell.in_words} and seed {missing[0]}", file)
        found = by_seed.loc[seeds]
        needed = [self.metric, *_NEEDED[file]] if file == "scores.csv" else _NEEDED[file]
        empty = [column for column in needed if found[column].isna().any()]
        if empty:
            raise self._missing(f"has no {empty[0]} for {cell.in_words}", file)
        return found

    def _load(self, name: str) -> np.ndarray:
        path = self._folder / "predictions" / name
        try:
            return np.load(path)
        except (OSError, ValueError, EOFError) as error:
            problem = "does not exist" if isinstance(error, FileNotFoundError) else "is no NumPy array"
            raise self._missing(problem, name) from error

    def _missing(self, problem: str, file: str) -> CrossoverError:
        folder = self._folder / "predictions" if file.endswith(".npy") else self._folder
        return CrossoverError(f"{folder / file} {problem}; make it again with `{self._made_by}`")
