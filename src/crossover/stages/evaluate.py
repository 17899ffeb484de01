"""Stage evaluate: score every fitted model of one data set on its test part.

`results/<dataset>/` holds what a second run on the same machine must repeat bit for bit

    scores.csv                                 the columns `columns.SCORES`, one row a fit
    metrics/<features>-<model>.json            means over the fits, for `dvc metrics`
    predictions/y_true.npy                     int64 (n_test,)
    predictions/<features>-<model>-seed<k>.npy float32 (n_test, n_classes)
    plots/{confusion,history,reliability}.csv  for `dvc plots`

and, in files of their own, what it cannot: `costs.csv` (`columns.COSTS`) and `plots/cost.csv`.
"""

from functools import cache
from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from tqdm import tqdm

from crossover.core.cell import LEARNED, Cell
from crossover.core.configuration import load_fitted
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, write_json
from crossover.core.fits import CellRecord, Fit, FittedCell
from crossover.core.layout import Layout
from crossover.core.study import Study, load_study
from crossover.data.prepared import Input, Meta, Prepared
from crossover.evaluation import plots
from crossover.evaluation.rows import ScoredCell, ScoredFit, cell_metrics, cost_table, score_table
from crossover.features.base import Features
from crossover.launching import job
from crossover.scoring.judge import evaluate
from crossover.scoring.latency import predict_clocked
from crossover.tracking.recording import record_epochs, record_fit
from crossover.tracking.tracker import FitFacts, Tracker


def evaluate_dataset(dataset: str, study: Study, layout: Layout, tracker: Tracker | None = None) -> None:
    """Score the study's cells of one data set and write `results/<dataset>/`, whole or not at all.

    Args:
        dataset: its name.
        study: which cells and how many repetitions.
        layout: where models, data and results lie.
        tracker: where the scores are recorded beside the fits; it changes nothing in the results.

    Raises:
        CrossoverError: a cell or a repetition is not fitted, was fitted on other data, or predicts what is no
            distribution over the data set's classes.
    """
    test = _TestPart(layout, dataset)
    scored = _score(_fitted(study, layout, test.meta), test)
    with atomic_folder(layout.results(dataset)) as folder:
        _write(folder, scored, test)
    if tracker:
        _log(tracker, scored, test)


class _TestPart:
    """The test part of one data set, each form of its input read once."""

    def __init__(self, layout: Layout, dataset: str):
        self._layout, self._dataset = layout, dataset
        self.prepared = Prepared(layout.prepared(dataset))
        self.meta: Meta = self.prepared.meta
        self.y_true = self.prepared.labels("test")
        self.inputs = cache(self._inputs)

    def _inputs(self, features: str) -> Input:
        if features == LEARNED:
            return self.prepared.inputs("test")
        return Features(self._layout.features(self._dataset, features)).matrix("test")

    def featurizer(self, features: str) -> Path | None:
        """The fitted feature set in front of a classical model; None for a network."""
        return None if features == LEARNED else self._layout.features(self._dataset, features) / "featurizer"


def _fitted(study: Study, layout: Layout, meta: Meta) -> list[tuple[CellRecord, list[Fit]]]:
    """Every cell with the repetitions that the study asks for, found and checked before any is scored."""
    return [_fitted_cell(cell, study, layout, meta) for cell in study.cells(meta.dataset)]


def _fitted_cell(cell: Cell, study: Study, layout: Layout, meta: Meta) -> tuple[CellRecord, list[Fit]]:
    on_disk = FittedCell(layout.models(cell))
    if not (on_disk.folder / "cell.json").exists():
        raise _unfit(cell, f"is not fitted ({on_disk.folder} is missing or empty)")
    if not on_disk.applicable:
        return on_disk.record, []
    record = on_disk.record
    wanted = list(range(study.seeds)) if record.stochastic else record.seeds[:1]
    fits = [fit for fit in on_disk.fits() if fit.seed in wanted and fit.folder.exists()]
    missing = sorted(set(wanted or [0]) - {fit.seed for fit in fits})
    if missing:
        raise _unfit(cell, f"lacks repetition {missing[0]} of {max(len(wanted), 1)} ({on_disk.folder})")
    for fit in fits:
        if fit.record.data_checksum != meta.checksum:
            raise _unfit(cell, f"was fitted on other data than are prepared now ({fit.folder / 'fit.json'})")
    return record, fits


def _unfit(cell: Cell, problem: str) -> CrossoverError:
    return CrossoverError(
        f"each cell of the study must be fitted for every seed of params.yaml before it is scored, but the "
        f"cell {cell.in_words} {problem}; run `{cell.made_by}`"
    )


def _score(fitted: list[tuple[CellRecord, list[Fit]]], test: _TestPart) -> list[ScoredCell]:
    scored = []
    with tqdm(
        total=sum(len(fits) for _, fits in fitted), desc=f"evaluate {test.meta.dataset}", unit="fit"
    ) as bar:
        for record, fits in fitted:
            cell = ScoredCell(record, [])
            for fit in fits:
                bar.set_postfix_str(cell.cell.label)
                cell.fits.append(_score_fit(record, fit, test))
                bar.update()
            scored.append(cell)
    return scored


def _score_fit(record: CellRecord, fit: Fit, test: _TestPart) -> ScoredFit:
    cell = record.cell
    model = load_fitted(fit.model_folder, cell.made_by)
    proba, cost = predict_clocked(model, test.inputs(record.cell.features))
    try:
        metrics = evaluate(test.y_true, proba)
    except CrossoverError as error:
        raise CrossoverError(f"{cell.in_words}, seed {fit.seed}: {error}") from error
    return ScoredFit(fit, proba, metrics, cost, model.complexity())


def _write(folder: Path, cells: list[ScoredCell], test: _TestPart) -> None:
    costs = cost_table(cells)
    score_table(cells, test.meta.checksum).to_csv(folder / "scores.csv", index=False)
    costs.to_csv(folder / "costs.csv", index=False)
    applicable = [cell for cell in cells if cell.fits]
    _write_predictions(folder / "predictions", applicable, test.y_true)
    for name in ("metrics", "plots"):
        (folder / name).mkdir()
    for cell in applicable:
        write_json(folder / "metrics" / f"{cell.cell.name}.json", cell_metrics(cell))
    tables = {
        "confusion": plots.confusion_table(applicable, test.y_true, test.meta.classes),
        "history": plots.history_table(applicable),
        "reliability": plots.reliability_table(applicable, test.y_true),
        "cost": plots.cost_plot_table(applicable, costs),
    }
    for name, table in tables.items():
        table.to_csv(folder / "plots" / f"{name}.csv", index=False)


def _write_predictions(folder: Path, cells: list[ScoredCell], y_true: np.ndarray) -> None:
    folder.mkdir()
    np.save(folder / "y_true.npy", y_true)
    for cell in cells:
        for scored in cell.fits:
            np.save(folder / f"{cell.cell.name}-seed{scored.fit.seed}.npy", scored.proba)


def _log(tracker: Tracker, cells: list[ScoredCell], test: _TestPart) -> None:
    """Add the scores and figures of each fit to the run that recorded its training."""
    for cell in cells:
        for scored in cell.fits:
            _log_fit(tracker, cell, scored, test)


def _log_fit(tracker: Tracker, cell: ScoredCell, scored: ScoredFit, test: _TestPart) -> None:
    from crossover.evaluation.figures import confusion_figure, reliability_figure

    title = f"{test.meta.dataset}: {cell.cell.label}, seed {scored.fit.seed}"
    numbers = {f"test/{name}": value for name, value in scored.metrics.items()}
    numbers |= {f"test/{name}": value for name, value in vars(scored.cost).items()}
    facts = FitFacts(
        cell=cell.cell,
        seed=scored.fit.seed,
        fit_id=scored.fit.record.fit_id,
        stage=f"train_{cell.cell.family}",
        params={"model": scored.fit.config},
        git_commit=scored.fit.cost.git_commit,
        meta=test.meta,
    )
    with tracker.fit(facts, resume=True) as log:
        if not log.resumed:  # fitted with tracking off, as classical cells are: one process records them all
            record_epochs(log, scored.fit)
            record_fit(log, scored.fit, test.featurizer(cell.cell.features), test.prepared)
        log.metrics(numbers)
        log.figure(confusion_figure(test.y_true, scored.proba, test.meta.classes, title), "confusion_matrix")
        log.figure(reliability_figure(test.y_true, scored.proba, title), "reliability")


def run(config: DictConfig) -> None:
    """Score the data set of `conf/evaluate.yaml`; see `evaluate_dataset`."""
    job.check_keys(config, "dataset", "study", "tracking")
    study, tracker = load_study(Path(config.study)), job.tracker(config)
    evaluate_dataset(config.dataset.name, study, job.layout(config), tracker)
