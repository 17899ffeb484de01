"""Fitting one cell of the study: one model on one data set, over its repetitions.

Every model that is kept is fitted on the whole training part. Where validation rows decide something (how long a
network or boosting goes on), a first fit without these rows decides it, and the second one does the same on all rows.
Both are paid for.
"""

import logging
import os
import shutil
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from math import ceil, nan
from pathlib import Path
from typing import Literal

import numpy as np

from crossover.core.clock import git_commit
from crossover.core.configuration import save_config
from crossover.core.errors import CrossoverError
from crossover.core.files import atomic_folder, discard, read_json, write_json
from crossover.core.fits import MADE_BY, Fit, FitCosts, FitRecord, Repetitions, ValidationScores
from crossover.core.layout import Layout
from crossover.core.metric import WORDS
from crossover.core.study import NOT_APPLICABLE, OK
from crossover.fitting import engine
from crossover.fitting.config import FitConfig
from crossover.fitting.data import TrainingData
from crossover.models.base import FitHooks
from crossover.tracking.recording import record_fit
from crossover.tracking.tracker import FitFacts, Tracker

log = logging.getLogger(__name__)

VALIDATION_EXAMPLES = 1000
"""Validation examples that a cell is scored on, in as many repetitions as it takes."""


@dataclass(frozen=True)
class Training:
    """Fits the repetitions of one cell.

    Attributes:
        config: what to fit.
        layout: where the data lie.
        output: the folder below which `models/…` is written.
        tracker: where the fits are logged.
        parent: name of the tracked parent run; None for the study's.
        clock_seconds: the fits of the cell are timed again until their times add up to so much.
    """

    config: FitConfig
    layout: Layout
    output: Path
    tracker: Tracker
    parent: str | None = None
    clock_seconds: float = 0.0

    @cached_property
    def data(self) -> TrainingData:
        """What the first repetition is fitted on; the other ones, too, where the publisher gives the test part."""
        return TrainingData(self.config, self.layout)

    def data_of(self, seed: int) -> TrainingData:
        """What a repetition is fitted on."""
        split = self.data.prepared.of(seed).split
        return self.data if split == 0 else TrainingData(self.config, self.layout, split)

    def run(self, seeds: list[int], *, not_applicable: Literal["record", "error"] = "record") -> list[Fit]:
        """Fit the repetitions and write the cell's folder, whole or not at all.

        A fit that an earlier, killed run of the same cell finished is taken over.

        Args:
            seeds: the repetitions; the first alone where another one would give the same model: neither random
                numbers, nor validation rows, nor another split change it.
            not_applicable: whether a model that does not take the data set is written down or is an error.

        Returns:
            the fits; none where the cell does not apply.

        Raises:
            CrossoverError: see `FitConfig.build`, `Model.fit`, `Prepared`, `Features`.
        """
        reason = self.data.refused(not_applicable)
        if reason:
            return self._write({}, [], stochastic=False, reason=reason)
        model = self.config.build()
        # By time, all repetitions have the same validation rows.
        selects = model.selects and self.data.prepared.times is None
        varies = model.stochastic or selects or self.data.meta.splits > 1
        kept = seeds if varies else seeds[:1]
        scored = self.validated(seeds)
        clock_seconds = self.clock_seconds / len(kept)
        staged = {}
        for seed in kept:
            make = partial(self._fit, seed, seed in scored, clock_seconds)
            staged[seed] = engine.finished(self._staging(self.fit_id(seed)), make)
        validation = {seed: self._validation(seed, FitHooks(), clock_seconds) for seed in scored}
        fits = self._write(staged, list(validation.values()), stochastic=varies, reason="")
        for seed in seeds:
            for fit_id in (self.fit_id(seed), self._validation_id(seed)):
                discard(self._staging(fit_id))
        return fits

    def fit_id(self, seed: int) -> str:
        """SHA-256 of all that decides one repetition."""
        data = self.data_of(seed)
        # The rows that decide, and those that are fitted on.
        rows = [data.prepared.validation_rows(seed), np.arange(len(data.labels))]
        return engine.fit_id(data, seed, *(rows if self.config.build().selects else []))

    def _validation_id(self, seed: int) -> str:
        data = self.data_of(seed)
        return engine.fit_id(data, seed, data.prepared.validation_rows(seed))

    def validated(self, seeds: list[int]) -> list[int]:
        """The repetitions whose validation rows are scored, so that the best of a family can be chosen by them.

        As many as hold 1,000 examples together, as far as there are so many: with 97 % right, the standard error of an
        accuracy is then half a point.
        """
        if self.data.prepared.times is not None:  # another repetition has the same validation rows
            return seeds[:1]
        return seeds[: ceil(VALIDATION_EXAMPLES / len(self.data.prepared.validation_rows(seeds[0])))]

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

    def validation_score(self) -> float:
        """Mean of the data set's metric on validation rows, of the fits in the cell's folder."""
        folder = Layout(self.output).models(self.config.cell)
        scores = Repetitions.read(folder).validation(folder)
        return sum(one.metrics.get(self.data.meta.metric, nan) for one in scores) / len(scores)

    def _staging(self, fit_id: str) -> Path:
        return self.layout.staging / "fits" / fit_id

    def _validation(self, seed: int, hooks: FitHooks, clock_seconds: float) -> Path:
        """The finished folder of a fit without the validation rows, scored on them."""
        folder = self._staging(self._validation_id(seed))
        return engine.finished(folder, partial(self._validate, seed, hooks, clock_seconds))

    def _validate(
        self, seed: int, hooks: FitHooks, clock_seconds: float, folder: Path, checkpoints: Path
    ) -> None:
        """Write the scores of such a fit, its costs, and what the validation rows decided in it."""
        data = self.data_of(seed)
        inputs, val = data.split(seed)
        # The time of a fit counts where the kept one follows from it.
        clock_seconds = clock_seconds if self.config.build().selects else 0.0
        hooks = replace(hooks, checkpoints=checkpoints)
        model, costs = engine.fit(
            self.config, inputs.fitted, val, data=data, seed=seed, hooks=hooks, clock_seconds=clock_seconds
        )
        proba = model.predict_proba(val.X)
        scores = engine.judged(val, proba)
        np.save(folder / "validation.npy", proba.astype(np.float32))
        problem, remedy = (model.problem.what, model.problem.remedy) if model.problem else ("", "")
        of_validation = ValidationScores(seed, len(inputs.train), len(val), scores, problem, remedy)
        write_json(folder / "validation.json", asdict(of_validation))
        write_json(folder / "history.json", model.history)
        write_json(folder / "chosen.json", model.chosen())
        write_json(folder / "cost.json", asdict(costs))

    def _fit(self, seed: int, scored: bool, clock_seconds: float, folder: Path, checkpoints: Path) -> None:
        """Fit the model that is kept, and before it, where that one decides or is `scored`, one without validation."""
        config, data = self.config, self.data_of(seed)
        selects = config.build().selects
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
        with self.tracker.fit(facts) as tracked:
            scores, first, history = None, None, []
            if scored or selects:
                hooks = FitHooks(
                    on_epoch=lambda epoch, metrics: tracked.epoch(epoch, _of_validation(metrics))
                )
                validation = self._validation(seed, hooks, clock_seconds)
                scores = ValidationScores(**read_json(validation / "validation.json", MADE_BY))
                history = read_json(validation / "history.json", MADE_BY)
            if selects:
                first = FitCosts(**read_json(validation / "cost.json", MADE_BY))
                chosen = read_json(validation / "chosen.json", MADE_BY)
                config = replace(config, model=config.model | chosen)
            model, costs = engine.fit(
                config,
                data.fitted,
                None,
                data=data,
                seed=seed,
                hooks=FitHooks(checkpoints, tracked.epoch),
                clock_seconds=clock_seconds,
            )
            n_watched = scores.n_validation if scores and selects else 0
            record = FitRecord(facts.fit_id, len(data.train), n_watched, data.meta.checksum)
            fit = Fit(folder, seed)
            fit.model_folder.mkdir()
            model.save(fit.model_folder)
            save_config(fit.model_folder, config.model)
            fit.write(record, costs.after(first) if first else costs, _joined(model.history, history))
            featurizer = None if config.cell.family == "deep" else data.features.featurizer
            record_fit(tracked, fit, scores, featurizer, data.prepared)
        metric = data.meta.metric
        score = f", validation {WORDS[metric]} {scores.metrics.get(metric, nan):.4f}" if scores else ""
        seconds = costs.after(first).fit_seconds if first else costs.fit_seconds
        text = f"{len(data.train)} examples in {seconds:.1f} s on {costs.device}{score}"
        log.info("%s · seed %d: %s", config.cell.path, seed, text)

    def _write(
        self, staged: dict[int, Path], validation: list[Path], *, stochastic: bool, reason: str
    ) -> list[Fit]:
        target = Layout(self.output).models(self.config.cell)
        status = NOT_APPLICABLE if reason else OK
        made = Repetitions(self.config.cell, status, reason, stochastic, list(staged))
        with atomic_folder(target) as folder:
            made.write(folder)
            scores = [read_json(one / "validation.json", MADE_BY) for one in validation]
            write_json(folder / "validation.json", scores)
            (folder / "validation").mkdir()
            for of_seed, one in zip(scores, validation, strict=True):
                shutil.copy2(one / "validation.npy", folder / "validation" / f"seed_{of_seed['seed']}.npy")
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


def _of_validation(metrics: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if name.startswith("val/")}


def _joined(kept: list[dict[str, float]], validated: list[dict[str, float]]) -> list[dict[str, float]]:
    """The epochs of the kept fit, with what the fit without the validation rows said of these rows."""
    epochs = {int(entry["epoch"]): dict(entry) for entry in kept}
    for entry in validated:
        epoch = int(entry["epoch"])
        epochs[epoch] = epochs.get(epoch, {"epoch": epoch}) | _of_validation(entry)
    return [epochs[epoch] for epoch in sorted(epochs)]
