"""Fitting one cell of the study: one model on one data set, over its repetitions."""

import hashlib
import logging
import math
import os
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from crossover.core.cell import LEARNED, Cell
from crossover.core.clock import Measurement, git_commit, measured, now, return_free_memory, threads, versions
from crossover.core.configuration import build, save_config
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, checksum, digest
from crossover.core.fits import CellRecord, CostRecord, Fit, FitRecord, FittedCell, write_records
from crossover.core.layout import Layout
from crossover.core.study import NOT_APPLICABLE, OK
from crossover.data.prepared import Meta, Part, Prepared
from crossover.features.base import Features
from crossover.models.base import FitHooks, Model
from crossover.tracking.recording import record_fit
from crossover.tracking.tracker import FitFacts, Tracker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitConfig:
    """What to fit.

    Attributes:
        cell: which data set, features and model; a model of the other family is refused.
        model: the model's YAML, overrides applied.
        trainer: the trainer's YAML for a network, else None.
        model_origin: the file behind `model`, for messages.
        trainer_origin: the file behind `trainer`, for messages.
    """

    cell: Cell
    model: dict[str, Any]
    trainer: dict[str, Any] | None = None
    model_origin: str = "the model's configuration"
    trainer_origin: str = "the trainer's configuration"

    def build(self) -> Model:
        """A new, unfitted model.

        Raises:
            CrossoverError: a key is unknown, a value is refused, or the model is of the other family.
        """
        model = build(self.model, self.model_origin)
        if model.family != self.cell.family:
            raise CrossoverError(
                f"this stage fits {self.cell.family} models, got {self.cell.model}, which is {model.family} "
                f"({self.model_origin}); use pipelines/train_{model.family}.py"
            )
        if self.trainer is not None:
            model.trainer = build(self.trainer, self.trainer_origin)
        return model


class TrainingData:
    """What a cell is fitted on: the training part, as features or as it is, and its validation rows.

    Args:
        config: which data set and features, and the model's `modalities`.
        layout: where the data lie.
    """

    def __init__(self, config: FitConfig, layout: Layout):
        self._cell = config.cell
        self._modalities = config.model.get("modalities", [])
        self._layout = layout

    @cached_property
    def prepared(self) -> Prepared:
        return Prepared(self._layout.prepared(self._cell.dataset))

    @property
    def meta(self) -> Meta:
        return self.prepared.meta

    @cached_property
    def features(self) -> Features:
        return Features(self._layout.features(self._cell.dataset, self._cell.features))

    @cached_property
    def train(self) -> Part:
        """The whole training part."""
        if self._cell.features == LEARNED:
            return self.prepared.train()
        return Part(self.features.matrix("train"), self.prepared.labels("train"), self.meta.n_classes)

    def why_not(self) -> str:
        """The reason why the cell does not apply to its data set; empty where it does.

        Reads the YAML alone, so that it costs no import of a model library.
        """
        cell, takes = self._cell, self._modalities
        if self.meta.modality not in takes:
            return (
                f"{cell.model} takes {' and '.join(takes)} data, {cell.dataset} is {self.meta.modality} data"
            )
        return "" if cell.features == LEARNED else self.features.meta.reason

    def split(self, repetition: int) -> tuple[Part, Part]:
        """The training part without the validation rows of a repetition, and these rows."""
        rows = self.prepared.validation_rows(repetition)
        return self.train.without(rows), self.train.take(rows)

    def facts(self) -> dict[str, Any]:
        """What the data contribute to the identity of a fit."""
        learned = self._cell.features == LEARNED
        config = "" if learned else (self.features.folder / "featurizer" / "config.json").read_text()
        return {"data": self.meta.checksum, "features": config}


@dataclass(frozen=True)
class Training:
    """Fits the repetitions of one cell.

    Attributes:
        config: what to fit.
        layout: where the data lie.
        output: the folder below which `models/…` is written.
        tracker: where the fits are logged.
        parent: name of the tracked parent run; None for the study's.
    """

    config: FitConfig
    layout: Layout
    output: Path
    tracker: Tracker
    parent: str | None = None

    def run(self, seeds: list[int], *, not_applicable: Literal["record", "error"] = "record") -> list[Fit]:
        """Fit the repetitions and write the cell's folder, whole or not at all.

        A fit that an earlier, killed run of the same cell finished is taken over.

        Args:
            seeds: the repetitions; the first alone where another would give the same model.
            not_applicable: whether a model that does not take the data set is written down or is an error.

        Returns:
            the fits; none where the cell does not apply.

        Raises:
            CrossoverError: see `FitConfig.build`, `Model.fit`, `Prepared`, `Features`.
        """
        reason = self.data.why_not()
        if reason and not_applicable == "error":
            raise CrossoverError(f"{reason} ({self.config.model_origin}); choose another model or data set")
        if reason:
            log.info("%s: does not apply: %s", self.config.cell.path, reason)
            return self._write_cell({}, stochastic=False, reason=reason)
        model = self.config.build()
        varies = model.stochastic or model.uses_validation
        model.warm_up(self.data.train)  # an untimed start of lazy imports, thread pools and the device
        staged = {seed: self._finished_fit(seed) for seed in (seeds if varies else seeds[:1])}
        return self._write_cell(staged, stochastic=varies, reason="")

    @cached_property
    def data(self) -> TrainingData:
        """What the cell is fitted on."""
        return TrainingData(self.config, self.layout)

    def _finished_fit(self, seed: int) -> Path:
        """The staging folder of one finished fit, fitted now or by an earlier, killed run."""
        fit_id = self._fit_id(seed)
        place = self.layout.staging / "fits" / fit_id
        if not (place / "finished").exists():
            with atomic_folder(place / "finished") as folder:
                self._fit(seed, fit_id, place / "checkpoints", folder)
        return place

    def _fit(self, seed: int, fit_id: str, checkpoints: Path, folder: Path) -> None:
        # Slow to import, and not needed where a cell does not apply.
        from crossover.scoring.judge import evaluate

        model = self.config.build()
        train, val = self.data.split(seed) if model.uses_validation else (self.data.train, None)
        with self.tracker.fit(self._facts(seed, fit_id)) as tracked:
            hooks = FitHooks(checkpoints=checkpoints, on_epoch=tracked.epoch)
            _read(train)
            return_free_memory()
            with measured() as taken:
                model.fit(train, val, seed=seed, hooks=hooks)
                taken.device = model.device
            scores = evaluate(val.y, model.predict_proba(val.X)) if val is not None else {}
            scores = {name: value for name, value in scores.items() if not math.isnan(value)}
            record = FitRecord(
                fit_id, len(train), 0 if val is None else len(val), scores, self.data.meta.checksum
            )
            cost = self._cost(taken)
            (folder / "model").mkdir()
            model.save(folder / "model")
            save_config(folder / "model", self.config.model)
            write_records(folder, record, cost, model.history)
            featurizer = None if self.config.cell.is_deep else self.data.features.folder / "featurizer"
            record_fit(tracked, Fit(folder, seed, "dvc repro"), featurizer, self.data.prepared)
        self._tell(seed, record, cost)

    def _cost(self, taken: Measurement) -> CostRecord:
        return CostRecord(
            fit_seconds=taken.seconds,
            peak_memory_bytes=taken.peak_memory_bytes,
            fit_memory_bytes=taken.added_memory_bytes,
            fit_energy_j=taken.energy_joules,
            energy_method=taken.energy_method,
            device=taken.device,
            threads=threads(),
            versions=versions(),
            git_commit=git_commit(self.layout.root),
            fitted_at=now(),
        )

    def _tell(self, seed: int, record: FitRecord, cost: CostRecord) -> None:
        scores = f", validation accuracy {record.validation['accuracy']:.4f}" if record.validation else ""
        text = f"{record.n_train} examples in {cost.fit_seconds:.1f} s on {cost.device}{scores}"
        log.info("%s · seed %d: %s", self.config.cell.path, seed, text)

    def _facts(self, seed: int, fit_id: str) -> FitFacts:
        config = self.config
        trainer = {"trainer": config.trainer} if config.trainer else {}
        return FitFacts(
            cell=config.cell,
            seed=seed,
            fit_id=fit_id,
            stage=f"train_{config.cell.family}",
            params={"model": config.model, **trainer},
            git_commit=git_commit(self.layout.root),
            meta=self.data.meta,
            parent=self.parent,
        )

    def _fit_id(self, seed: int) -> str:
        """SHA-256 of all that decides the fit: configuration, seed, split, data, features and code."""
        config, cell = self.config, self.config.cell
        facts = {
            "cell": [cell.dataset, cell.features, cell.model, cell.variant],
            "config": config.model,
            "trainer": config.trainer,
            "seed": seed,
            "validation": hashlib.sha256(self.data.prepared.validation_rows(seed).tobytes()).hexdigest(),
            **self.data.facts(),
            "code": code_checksum(),
        }
        return digest(facts)

    def _write_cell(self, staged: dict[int, Path], *, stochastic: bool, reason: str) -> list[Fit]:
        target = Layout(self.output).models(self.config.cell)
        record = CellRecord(
            self.config.cell,
            status=NOT_APPLICABLE if reason else OK,
            reason=reason,
            stochastic=stochastic,
            seeds=list(staged),
        )
        with atomic_folder(target) as folder:
            record.write(folder)
            for seed, place in staged.items():
                shutil.copytree(place / "finished", folder / f"seed_{seed}", copy_function=_link_or_copy)
        for place in staged.values():
            shutil.rmtree(place)
        return FittedCell(target).fits()


def _read(part: Part) -> None:
    """Read a memory-mapped part once, so that it counts in neither the time nor the memory of a cell's first fit."""
    if isinstance(part.X, np.ndarray):
        part.X.max(initial=0)


def _link_or_copy(source: str, target: str) -> None:
    """Large models cost no second copy where the file system has hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


RESULT_CODE = ("core", "data", "features", "models", "scoring", "fitting")
"""Folders of the package whose code can change a fit or its scores."""


def code_checksum() -> str:
    """SHA-256 of the package's code that can change a fit."""
    package = Path(__file__).parents[1]
    files = (file for folder in RESULT_CODE for file in (package / folder).rglob("*.py"))
    return checksum(files)


def repetitions(seed: int, seeds: int | None) -> list[int]:
    """The repetitions that `seed` and `seeds` ask for.

    Args:
        seed: one repetition.
        seeds: how many, from 0 on; None leaves it to `seed`.

    Raises:
        CrossoverError: a value is not a whole number, or too small.
    """
    number, least, name = (seed, 0, "seed") if seeds is None else (seeds, 1, "seeds")
    if not isinstance(number, int) or isinstance(number, bool) or number < least:
        raise CrossoverError(
            f"{name} must be a whole number of at least {least}, got {number!r} (params.yaml or the command line)"
        )
    return [seed] if seeds is None else list(range(seeds))


def mean_validation_accuracy(fits: list[Fit]) -> float | None:
    """What a Hydra sweeper maximises: mean accuracy on the validation parts; None where there are none."""
    scores = [fit.record.validation["accuracy"] for fit in fits if fit.record.validation]
    return sum(scores) / len(scores) if scores else None
