"""Stage evaluate: score every fitted model of one data set on its test part.

`results/<dataset>/` holds what a second run on the same machine must repeat bit for bit

    scores.csv                                 the columns `columns.SCORES`, one row a fit
    validation.csv                             `columns.VALIDATION`, by which the best of a family is chosen
    metrics/<features>-<model>.json            means over the fits, for `dvc metrics`
    predictions/y_true.npy                     int64 (splits, n_test)
    predictions/<features>-<model>-seed<k>.npy float32 (n_test, n_classes)
    plots/{confusion,history,reliability}.csv  for `dvc plots`

and, in files of their own, what it cannot: `costs.csv` (`columns.COSTS`) and `plots/cost.csv`.
"""

from pathlib import Path

import numpy as np
from omegaconf import DictConfig
from tqdm import tqdm

from crossover.core.cell import LEARNED, VOTE, Cell
from crossover.core.configuration import load_fitted
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, folder_bytes
from crossover.core.fits import Fit, Repetitions
from crossover.core.layout import Layout
from crossover.core.study import OK, Study, load_study
from crossover.data.prepared import Meta, Prepared
from crossover.evaluation.files import write_results
from crossover.evaluation.recording import record_scores
from crossover.evaluation.rows import ScoredFit, ScoredRepetitions
from crossover.evaluation.soft_vote import soft_vote
from crossover.features.base import Features
from crossover.launching import job
from crossover.scoring.judge import evaluate
from crossover.scoring.latency import ModelInput, predict_clocked
from crossover.tracking.tracker import Tracker


def evaluate_dataset(dataset: str, study: Study, layout: Layout, tracker: Tracker | None = None) -> None:
    """Score the study's cells of one data set and write `results/<dataset>/`, whole or not at all.

    Args:
        dataset: its name.
        study: which cells and how many repetitions.
        layout: where models, data and results lie.
        tracker: where the scores are recorded with the fits; it changes nothing in the results.

    Raises:
        CrossoverError: a cell or a repetition is not fitted, was fitted on other data, or predicts what is no
            distribution over the data set's classes.
    """
    prepared = Prepared(layout.prepared(dataset))
    prepared.require_splits(study.seeds)
    y_true = np.stack([prepared.of(k).labels("test") for k in range(prepared.meta.splits)])
    fitted = [_fitted(cell, study, layout, prepared.meta) for cell in study.cells(dataset)]
    inputs: dict[tuple[str, int], ModelInput] = {}
    scored = []
    with tqdm(
        total=sum(len(fits) for _, fits in fitted), desc=f"evaluate {dataset}", unit="fit", disable=None
    ) as bar:
        for record, fits in fitted:
            cell = record.cell
            scores = record.validation(layout.models(cell))
            features = Features(layout.features(dataset, cell.features))
            needs_none = cell.features == LEARNED or not fits
            of_cell = ScoredRepetitions(record, scores, [])
            for fit in fits:
                bar.set_postfix_str(cell.label)
                split = prepared.of(fit.seed)
                key = cell.features, split.split
                if key not in inputs:
                    of_split = None if needs_none else Features(features.folder, split.split)
                    inputs[key] = _test_input(split, of_split)
                model = load_fitted(fit.model_folder, cell.made_by)
                proba, cost = predict_clocked(model, inputs[key])
                labels = y_true[split.split]
                try:
                    metrics = evaluate(labels, proba)
                except CrossoverError as error:
                    raise CrossoverError(f"{cell.in_words}, seed {fit.seed}: {error}") from error
                seconds = 0.0 if needs_none else features.costs.of(fit.record.n_train)
                costs, size = fit.costs.with_features(seconds), folder_bytes(fit.model_folder)
                sizes = (model.complexity(), size)
                of_cell.fits.append(
                    ScoredFit(fit.seed, fit, fit.record, labels, proba, metrics, costs, cost, *sizes)
                )
                bar.update()
            scored.append(of_cell)
    if study.soft_vote:
        validation = {one.cell: one.record.validation_proba(layout.models(one.cell)) for one in scored}
        scored += [
            soft_vote(cell, scored, validation, study.soft_vote, prepared) for cell in study.votes(dataset)
        ]
    with atomic_folder(layout.results(dataset)) as folder:
        write_results(folder, scored, y_true, prepared)
    if tracker is None:
        return
    for of_cell in scored:
        if of_cell.cell.model == VOTE:  # it has no fits of its own
            continue
        features_of_cell = None
        if of_cell.cell.features != LEARNED:
            features_of_cell = Features(layout.features(dataset, of_cell.cell.features))
        record_scores(tracker, of_cell, prepared, features_of_cell)


def _test_input(prepared: Prepared, features: Features | None) -> ModelInput:
    """A test part for a network, or with its features for a classical model."""
    X = prepared.inputs("test")
    if features is None:
        return ModelInput(X)
    feature_set = load_fitted(features.featurizer, "dvc repro")
    return ModelInput(features.matrix("test"), X, feature_set)


def _fitted(cell: Cell, study: Study, layout: Layout, meta: Meta) -> tuple[Repetitions, list[Fit]]:
    """A cell with the repetitions that the study asks for, checked before any is scored."""
    folder, problem = layout.models(cell), ""
    if not (folder / "cell.json").exists():
        problem = f"is not fitted ({folder} is missing or empty)"
    else:
        record = Repetitions.read(folder)
        if record.status != OK:
            return record, []
        wanted = list(range(study.seeds)) if record.stochastic else record.seeds[:1]
        fits = [fit for fit in record.fits(folder) if fit.seed in wanted and fit.folder.exists()]
        missing = sorted(set(wanted or [0]) - {fit.seed for fit in fits})
        if missing:
            problem = f"lacks repetition {missing[0]} of {max(len(wanted), 1)} ({folder})"
        elif other := [fit for fit in fits if fit.record.data_checksum != meta.checksum]:
            problem = f"was fitted on other data than are prepared now ({other[0].folder / 'fit.json'})"
    if problem:
        raise CrossoverError(
            f"each cell of the study must be fitted for every seed of params.yaml before it is scored, but the "
            f"cell {cell.in_words} {problem}; run `{cell.made_by}`"
        )
    return record, fits


def run(config: DictConfig) -> None:
    """Score the data set of `conf/evaluate.yaml`; see `evaluate_dataset`."""
    job.check_keys(config, "dataset", "study", "tracking")
    study, tracker = load_study(Path(config.study)), job.tracker(config)
    evaluate_dataset(config.dataset.name, study, job.layout(config), tracker)
