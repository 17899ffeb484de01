"""Fitting one cell of the study: one model on one data set, over its repetitions."""

import logging
import os
import shutil
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Literal

from crossover.core.clock import git_commit
from crossover.core.configuration import save_config
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder
from crossover.core.fits import Fit, FitRecord, Repetitions
from crossover.core.layout import Layout
from crossover.core.study import NOT_APPLICABLE, OK
from crossover.fitting import engine
from crossover.fitting.config import FitConfig
from crossover.fitting.data import TrainingData
from crossover.models.base import FitHooks
from crossover.tracking.recording import record_fit
from crossover.tracking.tracker import FitFacts, Tracker

log = logging.getLogger(__name__)


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

    @cached_property
    def data(self) -> TrainingData:
        """What the cell is fitted on."""
        return TrainingData(self.config, self.layout)

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
        reason = self.data.refused(not_applicable)
        if reason:
            return self._write({}, stochastic=False, reason=reason)
        model = self.config.build()
        varies = model.stochastic or model.uses_validation
        staged = {}
        for seed in seeds if varies else seeds[:1]:
            fit_folder = self.layout.staging / "fits" / self.fit_id(seed)
            staged[seed] = engine.finished(fit_folder, partial(self._fit, seed))
        fits = self._write(staged, stochastic=varies, reason="")
        for finished in staged.values():
            shutil.rmtree(finished.parent)
        return fits

    def fit_id(self, seed: int) -> str:
        """SHA-256 of all that decides one repetition."""
        return engine.fit_id(self.data, seed, self.data.prepared.validation_rows(seed))

    def existing(self, seeds: list[int]) -> list[Fit] | None:
        """The fits in the cell's folder where they are exactly those that `run` would make; else None."""
        folder = Layout(self.output).models(self.config.cell)
        if not (folder / "cell.json").exists():
            return None
        there = Repetitions.read(folder)
        fits = there.fits(folder)
        same = there.seeds == (seeds if there.stochastic else seeds[:1]) and all(
            fit.record.fit_id == self.fit_id(fit.seed) for fit in fits
        )
        return fits if same else None

    def _fit(self, seed: int, folder: Path, checkpoints: Path) -> None:
        config, data = self.config, self.data
        facts = FitFacts(
            cell=config.cell,
            seed=seed,
            fit_id=self.fit_id(seed),
            stage=f"train_{config.cell.family}",
            params=config.params,
            git_commit=git_commit(self.layout.root),
            meta=data.meta,
            parent=self.parent,
        )
        model = config.build()
        train, val = data.split(seed) if model.uses_validation else (data.train, None)
        with self.tracker.fit(facts) as tracked:
            hooks = FitHooks(checkpoints, tracked.epoch)
            costs = engine.fit(model, train, val, data=data, seed=seed, hooks=hooks)
            scores = engine.judged(val, model.predict_proba(val.X)) if val is not None else {}
            n_validation = 0 if val is None else len(val)
            record = FitRecord(facts.fit_id, len(train), n_validation, scores, data.meta.checksum)
            fit = Fit(folder, seed)
            fit.model_folder.mkdir()
            model.save(fit.model_folder)
            save_config(fit.model_folder, config.model)
            fit.write(record, costs, model.history)
            featurizer = None if config.cell.family == "deep" else data.features.folder / "featurizer"
            record_fit(tracked, fit, featurizer, data.prepared)
        accuracy = f", validation accuracy {scores['accuracy']:.4f}" if scores else ""
        text = f"{len(train)} examples in {costs.fit_seconds:.1f} s on {costs.device}{accuracy}"
        log.info("%s · seed %d: %s", config.cell.path, seed, text)

    def _write(self, staged: dict[int, Path], *, stochastic: bool, reason: str) -> list[Fit]:
        target = Layout(self.output).models(self.config.cell)
        status = NOT_APPLICABLE if reason else OK
        made = Repetitions(self.config.cell, status, reason, stochastic, list(staged))
        with atomic_folder(target) as folder:
            made.write(folder)
            for fit in made.fits(folder):
                shutil.copytree(staged[fit.seed], fit.folder, copy_function=_link_or_copy)
        return made.fits(target)


def _link_or_copy(source: str, target: str) -> None:
    """Large models cost no second copy where the file system has hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


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
