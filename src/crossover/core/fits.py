"""Fitted models on disk: what the training stages write and the stage `evaluate` reads.

`models/<dataset>/<feature set>/<model>/` holds

    cell.json               Repetitions
    validation.json         ValidationScores of some repetitions, by which the best of a family is chosen
    validation/seed_<k>.npy float32 (n_validation, n_classes), the probabilities that they were made from
    seed_<k>/model/         the model as `Model.save` wrote it, and `config.json`, from which it was built
    seed_<k>/fit.json       FitRecord: what a second run must repeat
    seed_<k>/history.json   one entry an epoch: {"epoch": 0, "train/loss": …, "val/loss": …, "val/accuracy": …}; what
                            it says of validation rows is of the fit without them, which may go on for longer
    seed_<k>/cost.json      FitCosts: what was measured

A cell that does not apply has `cell.json` alone.
"""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from crossover.core.cell import Cell
from crossover.core.files import read_array, read_json, write_json
from crossover.core.study import OK

if TYPE_CHECKING:
    import numpy as np

MADE_BY = "dvc repro"


@dataclass(frozen=True)
class FitRecord:
    """The exact facts of one fit.

    Attributes:
        fit_id: SHA-256 of configuration, seed, data and code: equal fits have equal ids.
        n_train: examples that the model was fitted on.
        n_watched: those of them by which a first fit, of a model that selects, chose the length of this one; else 0.
        data_checksum: of the prepared data set.
    """

    fit_id: str
    n_train: int
    n_watched: int
    data_checksum: str


@dataclass(frozen=True)
class FitCosts:
    """The measured facts of one fit; the names are those of the columns of results.

    Attributes:
        fit_seconds: wall-clock time from the prepared input to the fitted model; the median of `fits_timed`.
        fit_seconds_low: the shortest of them.
        fit_seconds_high: the longest of them.
        fits_timed: how often the same fit was timed: a short one is repeated.
        features_seconds: what of the seconds the making of the features took; 0 for a network.
        waiting_share: share of the time in which other work had the processor that the fit wanted
            (`clock.Measurement`); None where the system does not say.
        peak_memory_bytes: highest resident memory of the process during the fit.
        fit_memory_bytes: what of it was not resident when the fit began; None where the system does not say.
        fit_energy_j: joules that the machine's chips took during the fit, other processes included; None where the
            machine does not say.
        energy_method: how they were measured; empty where they were not.
        device: where the fit ran.
        threads: processor threads that it could use.
        versions: "python 3.11.7, numpy 2.4.6, …".
        git_commit: of the project, with "+" at its end where the work tree had changes.
        fitted_at: ISO 8601, UTC.
    """

    fit_seconds: float
    fit_seconds_low: float
    fit_seconds_high: float
    fits_timed: int
    features_seconds: float
    waiting_share: float | None
    peak_memory_bytes: int
    fit_memory_bytes: int | None
    fit_energy_j: float | None
    energy_method: str
    device: str
    threads: int
    versions: str
    git_commit: str
    fitted_at: str

    def after(self, first: "FitCosts") -> "FitCosts":
        """The costs of two fits of which the first one decides how long this one is: times and energy are summed."""

        def values(name: str) -> list:
            return [getattr(one, name) for one in (first, self)]

        times = ("fit_seconds", "fit_seconds_low", "fit_seconds_high", "features_seconds", "fit_energy_j")
        largest = ("waiting_share", "peak_memory_bytes", "fit_memory_bytes")
        changed: dict[str, Any] = {"fits_timed": min(values("fits_timed"))}
        for names, combine in ((times, sum), (largest, max)):
            changed |= {name: None if None in values(name) else combine(values(name)) for name in names}
        return replace(self, **changed)

    def with_features(self, seconds: float) -> "FitCosts":
        """The same fit with the seconds that its features took."""
        times = ("fit_seconds", "fit_seconds_low", "fit_seconds_high", "features_seconds")
        return replace(self, **{name: getattr(self, name) + seconds for name in times})


@dataclass(frozen=True)
class ValidationScores:
    """What a fit without the validation rows of a repetition reaches on them.

    Attributes:
        seed: number of the repetition.
        n_train: examples that were fitted on.
        n_validation: examples that were scored.
        metrics: the judge's.
        problem: why the fit says little about what its model can do (`TrainingProblem`); empty where nothing is known.
        remedy: the override that may solve it; empty where none is known.
    """

    seed: int
    n_train: int
    n_validation: int
    metrics: dict[str, float]
    problem: str = ""
    remedy: str = ""


def validation_order(score: float, log_loss: float) -> tuple[float, float]:
    """Lower is better: by the data set's metric on validation rows, rounded far below one example, then by log loss."""
    return -round(score, 12), log_loss


@dataclass(frozen=True)
class Fit:
    """One fitted repetition on disk."""

    folder: Path
    seed: int

    @property
    def model_folder(self) -> Path:
        return self.folder / "model"

    @property
    def record(self) -> FitRecord:
        return FitRecord(**read_json(self.folder / "fit.json", MADE_BY))

    @property
    def costs(self) -> FitCosts:
        return FitCosts(**read_json(self.folder / "cost.json", MADE_BY))

    @property
    def history(self) -> list[dict[str, float]]:
        return read_json(self.folder / "history.json", MADE_BY)

    @property
    def config(self) -> dict[str, Any]:
        """The model's configuration, as composed from its YAML and the overrides."""
        return read_json(self.model_folder / "config.json", MADE_BY)

    def write(self, record: FitRecord, costs: FitCosts, history: list[dict[str, float]]) -> None:
        """Write all but the model."""
        write_json(self.folder / "fit.json", asdict(record))
        write_json(self.folder / "cost.json", asdict(costs))
        write_json(self.folder / "history.json", history)


@dataclass(frozen=True)
class Repetitions:
    """The fits of one cell of the study.

    Attributes:
        cell: which one.
        status: `study.OK` or `study.NOT_APPLICABLE`.
        reason: why the cell does not apply; empty where it does.
        stochastic: False where the cell was fitted once, since a repetition would give the same model.
        seeds: the repetitions that were fitted; empty where the cell does not apply.
    """

    cell: Cell
    status: str
    reason: str
    stochastic: bool
    seeds: list[int]

    def write(self, folder: Path) -> None:
        """Write `cell.json`, in which the fields of the cell stand next to the others."""
        content = asdict(self)
        write_json(folder / "cell.json", {**content.pop("cell"), **content})

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `cell.json`.

        Raises:
            CrossoverError: it is missing or broken.
        """
        content = read_json(folder / "cell.json", MADE_BY)
        rest = {name: content[name] for name in ("status", "reason", "stochastic", "seeds")}
        return cls(Cell(**{field.name: content[field.name] for field in fields(Cell)}), **rest)

    def validation(self, folder: Path) -> list[ValidationScores]:
        """The scores on validation rows, in the order of the seeds; none where the cell does not apply."""
        if self.status != OK:
            return []
        return [ValidationScores(**scores) for scores in read_json(folder / "validation.json", MADE_BY)]

    def validation_proba(self, folder: Path) -> dict[int, "np.ndarray"]:
        """By repetition, the probabilities behind `validation`: float32 (n_validation, n_classes).

        Raises:
            CrossoverError: a file is missing or broken.
        """
        return {
            one.seed: read_array(folder / "validation" / f"seed_{one.seed}.npy", MADE_BY)
            for one in self.validation(folder)
        }

    def fits(self, folder: Path) -> list[Fit]:
        """The fits in the cell's folder, in the order of the seeds."""
        return [Fit(folder / f"seed_{seed}", seed) for seed in self.seeds]
