"""What the adapters of gradient-boosted trees share: rounds, early stopping, moments, classes without a gap."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import Field

from crossover.core.errors import CrossoverError, first_line
from crossover.core.files import existing, read_json, write_json
from crossover.data.prepared import Input, Part
from crossover.models.base import Family, FitHooks, Model, TrainingProblem, require_classes
from crossover.models.classical.common import expand, refusals_as
from crossover.models.convergence import problem_of
from crossover.models.moments import Moment, MomentClock

Rounds = Annotated[int, Field(gt=0, le=1_000_000)]
"""Of boosting, as many as anybody has the time for."""

OnRound = Callable[[dict[str, float]], None]
"""Called after each round with its metrics: those of `FitHooks.on_epoch`, or none where no part is watched."""


class BoostedTrees(Model):
    """Gradient boosting by a library, whose settings hold `n_estimators` and `early_stopping_rounds`.

    Args:
        modalities: the kinds of data set that it takes.
        settings: of the library, by the names of the model's YAML.
        stochastic: whether the fit draws random numbers.
    """

    family: ClassVar[Family] = "classical"
    name: ClassVar[str]
    trees_file: ClassVar[str]

    def __init__(self, modalities: Iterable[str], settings: dict[str, Any], *, stochastic: bool) -> None:
        super().__init__(modalities)
        self.settings = settings
        self.selects = settings["early_stopping_rounds"] is not None
        self.stochastic = stochastic
        self._classes = np.empty(0, dtype=np.int64)
        self._n_classes = 0
        self._moments: list[Moment] = []
        self._n_codes = 0  # of the last columns that hold categories, in the last fit

    @abstractmethod
    def _boost(self, parts: list[tuple[Input, np.ndarray]], *, seed: int, on_round: OnRound) -> None:
        """Fit in place.

        Args:
            parts: inputs and labels 0 .. k-1 to fit on and, if there is a second entry, to watch: its loss stops the
                fit where `early_stopping_rounds` is set.
            seed: number of the repetition.
            on_round: to be called after each round.
        """

    @abstractmethod
    def _predict(self, X: Input, rounds: int | None) -> np.ndarray:
        """Probabilities (n, k) of the classes that were fitted, with the first rounds alone; None for the kept ones."""

    @abstractmethod
    def _save_trees(self, path: Path) -> None:
        """Write the trees in the library's own format, which holds no code."""

    @abstractmethod
    def _load_trees(self, path: Path) -> None:
        """Read them back; a ValueError where they are broken."""

    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:  # noqa: B008
        clock, done = MomentClock(), 0
        kept: list[int] = []
        require_classes(train, self.name)
        if self.selects and val is None:
            raise CrossoverError("early_stopping_rounds needs a validation part, got none; set it to null")
        self._classes, labels = np.unique(train.y, return_inverse=True)
        self._n_classes = train.n_classes
        self.history, self.problem = [], None
        self._n_codes = train.n_codes
        parts = [(train.X, labels)]
        if val is not None:
            known = np.isin(val.y, self._classes)
            parts.append((val.X[known], np.searchsorted(self._classes, val.y[known])))

        def on_round(metrics: dict[str, float]) -> None:
            nonlocal done
            done += 1
            if metrics:
                self.history.append({"epoch": done - 1, **metrics})
                hooks.on_epoch(done - 1, metrics)
            if hooks.keep_moments and clock.due():
                kept.append(done)

        with refusals_as(f"{self.name} cannot be fitted"):
            self._boost(parts, seed=seed, on_round=on_round)
        self.problem = self._problem()
        self._moments = [
            Moment(share, partial(self.predict_proba, rounds=self._best_round(rounds)))
            for share, rounds in zip(clock.shares(), kept, strict=True)
        ]
        return self

    def predict_proba(self, X: Input, rounds: int | None = None) -> np.ndarray:
        """See `Model.predict_proba`; `rounds` takes the first ones alone."""
        with refusals_as(f"{self.name} cannot predict"):
            proba = self._predict(X, rounds)
        return expand(proba, self._classes, self._n_classes)

    def moments(self) -> list[Moment]:
        return self._moments

    def planned_epochs(self, n_train: int) -> int | None:
        return int(self.settings["n_estimators"])

    def chosen(self) -> dict[str, Any]:
        """The number of rounds with the lowest validation loss."""
        if not self.selects:
            return {}
        return {"n_estimators": self._best_round(len(self.history)), "early_stopping_rounds": None}

    def save(self, folder: Path) -> None:
        self._save_trees(folder / self.trees_file)
        state = {
            "settings": {**self.settings, "modalities": sorted(self.modalities)},
            "classes": self._classes.tolist(),
            "n_classes": self._n_classes,
        }
        write_json(folder / "model.json", state)

    @classmethod
    def load(cls, folder: Path) -> Self:
        state = read_json(folder / "model.json", "dvc repro")
        model = cls(**state["settings"])
        model._classes, model._n_classes = np.array(state["classes"]), state["n_classes"]
        path = existing(folder / cls.trees_file, "dvc repro")
        try:
            model._load_trees(path)
        except ValueError as error:
            reason = first_line(error)
            raise CrossoverError(f"{path} cannot be read: {reason}; delete it and run `dvc repro`") from error
        return model

    def _best_round(self, rounds: int) -> int:
        """How many of the first rounds count: up to the best one, where a validation part chooses it."""
        if not self.selects:
            return rounds
        return int(np.argmin([entry["val/loss"] for entry in self.history[:rounds]])) + 1

    def _problem(self) -> TrainingProblem | None:
        rounds, stop = self.settings["n_estimators"], self.settings["early_stopping_rounds"]
        longer = f"n_estimators={2 * rounds}"
        if stop is None:
            losses = [entry["val/loss"] for entry in self.history]
            return problem_of(losses, "rounds", longer, "early_stopping_rounds=10")
        if len(self.history) == rounds and self._best_round(rounds) + stop > rounds:
            return TrainingProblem(f"its {rounds} rounds ended before early stopping did", longer)
        return None
