"""What a tracker records of a finished fit, in the stage that fits or, later, in the one that scores."""

from pathlib import Path

from crossover.core.files import folder_bytes
from crossover.core.fits import Fit, ValidationScores
from crossover.data.prepared import Prepared
from crossover.tracking.tracker import Log


def record_fit(
    log: Log,
    fit: Fit,
    scores: ValidationScores | None,
    featurizer: Path | None,
    prepared: Prepared,
    *,
    with_model: bool = True,
) -> None:
    """Record the model and the numbers of a finished fit.

    Args:
        log: the tracker's record of the fit.
        fit: on disk.
        scores: what the same configuration reaches on the repetition's validation rows; None where these were not
            scored.
        featurizer: the fitted feature set in front of the model; None for a network.
        prepared: the data set; a few of its rows become the model's example request.
        with_model: whether to keep a copy of the model, which takes most of the time.
    """
    # The model first: MLflow links the metrics that follow to it.
    if with_model:
        log.model(fit.model_folder, featurizer, prepared.inputs("train")[:5])
    record, cost = fit.record, fit.costs
    numbers = {f"val/{name}": value for name, value in (scores.metrics if scores else {}).items()}
    numbers |= {
        "n_train": record.n_train,
        "fit_seconds": cost.fit_seconds,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "model_bytes": folder_bytes(fit.model_folder),
    }
    measured_where_possible = {"fit_memory_bytes": cost.fit_memory_bytes, "fit_energy_j": cost.fit_energy_j}
    numbers |= {name: value for name, value in measured_where_possible.items() if value is not None}
    log.metrics(numbers)


def record_epochs(log: Log, fit: Fit) -> None:
    """Record the epochs of a fit that was not tracked while it ran."""
    for entry in fit.history:
        log.epoch(int(entry["epoch"]), {name: value for name, value in entry.items() if name != "epoch"})
