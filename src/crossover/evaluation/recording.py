"""What the tracker keeps of the scores: numbers and figures, added to the run that recorded the fit."""

from pathlib import Path

import numpy as np

from crossover.data.prepared import Prepared
from crossover.evaluation.rows import ScoredRepetitions
from crossover.tracking.recording import record_epochs, record_fit
from crossover.tracking.tracker import FitFacts, Tracker


def record_scores(
    tracker: Tracker,
    scored: ScoredRepetitions,
    y_true: np.ndarray,
    prepared: Prepared,
    featurizer: Path | None,
) -> None:
    """Record the scores of each fit of a cell.

    Args:
        tracker: where to.
        scored: one cell.
        y_true: labels of the test part, int64 (n_test,).
        prepared: the data set.
        featurizer: the fitted feature set in front of a classical model; None for a network.
    """
    from crossover.evaluation.figures import confusion_figure, reliability_figure  # loads Matplotlib

    cell, validation = scored.cell, {one.seed: one for one in scored.validation}
    for one in scored.fits:
        title = f"{cell.dataset}: {cell.label}, seed {one.fit.seed}"
        facts = FitFacts(
            cell=cell,
            seed=one.fit.seed,
            fit_id=one.fit.record.fit_id,
            stage=f"train_{cell.family}",
            params={"model": one.fit.config},
            git_commit=one.fit.costs.git_commit,
            meta=prepared.meta,
        )
        with tracker.fit(facts, resume=True) as log:
            # Classical cells are fitted with tracking off: one process records them all.
            if not log.resumed:
                record_epochs(log, one.fit)
                record_fit(log, one.fit, validation.get(one.fit.seed), featurizer, prepared)
            numbers = one.metrics | vars(one.cost)
            log.metrics({f"test/{name}": value for name, value in numbers.items() if value is not None})
            log.figure(confusion_figure(y_true, one.proba, prepared.meta.classes, title), "confusion_matrix")
            log.figure(reliability_figure(y_true, one.proba, title), "reliability")
