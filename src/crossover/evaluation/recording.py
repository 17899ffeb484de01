"""What the tracker keeps of the scores: numbers and figures, added to the run that recorded the fit."""

from crossover.data.prepared import Prepared
from crossover.evaluation.rows import ScoredRepetitions
from crossover.features.base import Features
from crossover.tracking.recording import record_epochs, record_fit
from crossover.tracking.tracker import FitFacts, Tracker


def record_scores(
    tracker: Tracker,
    scored: ScoredRepetitions,
    prepared: Prepared,
    features: Features | None,
) -> None:
    """Record the scores of each fit of a cell.

    Args:
        tracker: where to.
        scored: one cell.
        prepared: the data set.
        features: of a classical model; None for a network.
    """
    from crossover.evaluation.figures import confusion_figure, reliability_figure  # loads Matplotlib

    cell, validation = scored.cell, {one.seed: one for one in scored.validation}
    for one in scored.fits:
        assert one.fit is not None
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
                split = prepared.of(one.fit.seed)
                featurizer = Features(features.folder, split.split).featurizer if features else None
                # One of the cell's models is enough to look at and to serve; the others lie in models/.
                first = one is scored.fits[0]
                record_fit(log, one.fit, validation.get(one.fit.seed), featurizer, split, with_model=first)
            numbers = one.metrics | vars(one.cost)
            log.metrics({f"test/{name}": value for name, value in numbers.items() if value is not None})
            if one is scored.fits[0]:  # as of the models; the report has those of all repetitions together
                classes = prepared.meta.classes
                log.figure(confusion_figure(one.y_true, one.proba, classes, title), "confusion_matrix")
                log.figure(reliability_figure(one.y_true, one.proba, title), "reliability")
