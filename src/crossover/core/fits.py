"""Fitted cells on disk: what training writes and scoring reads.

`models/<dataset>/<feature set>/<model>/` holds

    cell.json               CellRecord
    seed_<k>/model/         the model as `Model.save` wrote it, and `config.json`, from which it was built
    seed_<k>/fit.json       FitRecord: what a second run must repeat
    seed_<k>/history.json   one entry an epoch: {"epoch": 0, "train/loss": …, "val/loss": …, "val/accuracy": …}
    seed_<k>/cost.json      CostRecord: what was measured

A cell that does not apply has `cell.json` alone.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from crossover.core.cell import Cell
from crossover.core.files import read_json, write_json
from crossover.core.study import OK


@dataclass(frozen=True)
class CellRecord:
    """What became of one cell of the study.

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
        """Write `cell.json`, in which the cell's fields stand beside the others."""
        content = asdict(self)
        write_json(folder / "cell.json", {**content.pop("cell"), **content})

    @classmethod
    def read(cls, folder: Path, made_by: str) -> Self:
        """Read `cell.json`."""
        content = read_json(folder / "cell.json", made_by)
        rest = {name: content[name] for name in ("status", "reason", "stochastic", "seeds")}
        return cls(Cell.from_row(content), **rest)


@dataclass(frozen=True)
class FitRecord:
    """The exact facts of one fit.

    Attributes:
        fit_id: SHA-256 of configuration, seed, data and code: equal fits have equal ids.
        n_train: examples that the model was fitted on.
        n_validation: examples held back for validation; 0 where the model uses none.
        validation: the judge's metrics on the validation part; empty without one.
        data_checksum: of the prepared data set.
    """

    fit_id: str
    n_train: int
    n_validation: int
    validation: dict[str, float]
    data_checksum: str


@dataclass(frozen=True)
class CostRecord:
    """The measured facts of one fit.

    Attributes:
        fit_seconds: wall-clock time of `fit` alone.
        peak_memory_bytes: highest resident memory of the process during the fit.
        fit_memory_bytes: what of it was not resident when the fit began; None where the system cannot tell.
        fit_energy_j: joules that the machine's chips took during the fit, other processes included; None where the
            machine cannot tell.
        energy_method: how they were measured; empty where they were not.
        device: where the fit ran.
        threads: processor threads that it could use.
        versions: "python 3.11.7, numpy 2.4.6, …".
        git_commit: of the project, with "+" behind it where the work tree had changes.
        fitted_at: ISO 8601, UTC.
    """

    fit_seconds: float
    peak_memory_bytes: int
    fit_memory_bytes: int | None
    fit_energy_j: float | None
    energy_method: str
    device: str
    threads: int
    versions: str
    git_commit: str
    fitted_at: str


class Fit:
    """One fitted repetition on disk."""

    def __init__(self, folder: Path, seed: int, made_by: str):
        self.folder = folder
        self.seed = seed
        self._made_by = made_by

    @property
    def model_folder(self) -> Path:
        return self.folder / "model"

    @property
    def record(self) -> FitRecord:
        return FitRecord(**read_json(self.folder / "fit.json", self._made_by))

    @property
    def cost(self) -> CostRecord:
        return CostRecord(**read_json(self.folder / "cost.json", self._made_by))

    @property
    def history(self) -> list[dict[str, float]]:
        return read_json(self.folder / "history.json", self._made_by)

    @property
    def config(self) -> dict[str, Any]:
        """The model's configuration, as composed from its YAML and the overrides."""
        return read_json(self.model_folder / "config.json", self._made_by)


class FittedCell:
    """One cell on disk."""

    def __init__(self, folder: Path):
        self.folder = folder

    @property
    def record(self) -> CellRecord:
        return CellRecord.read(self.folder, self._made_by)

    @property
    def applicable(self) -> bool:
        return self.record.status == OK

    def fits(self) -> list[Fit]:
        """The repetitions in order; none where the cell does not apply."""
        return [Fit(self.folder / f"seed_{seed}", seed, self._made_by) for seed in self.record.seeds]

    @property
    def _made_by(self) -> str:
        return "dvc repro"


def write_records(folder: Path, fit: FitRecord, cost: CostRecord, history: list[dict[str, float]]) -> None:
    """Write the records of one fit into its folder."""
    write_json(folder / "fit.json", asdict(fit))
    write_json(folder / "cost.json", asdict(cost))
    write_json(folder / "history.json", history)
