"""Gradient-boosted trees with XGBoost."""

import ctypes
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, PositiveInt
from xgboost import XGBClassifier
from xgboost.callback import TrainingCallback

from crossover.core.errors import CrossoverError
from crossover.core.settings import checked
from crossover.data.prepared import Input
from crossover.models.base import Complexity
from crossover.models.classical.boosting import BoostedTrees, OnRound, Rounds

_DEVICE = re.compile(r"cpu|cuda(:\d+)?")


class XGBoost(BoostedTrees):
    """XGBoost's classifier: softmax over trees, or logistic for two classes.

    The arguments are those of `xgboost.XGBClassifier`, written out because it only warns of one that it does
    not know.

    Args:
        modalities: the kinds of data set that it takes.
        n_estimators: boosting rounds.
        learning_rate: weight of each round.
        max_depth: of a tree; 0 is no limit.
        min_child_weight: least sum of Hessians in a leaf.
        gamma: least loss reduction of a split.
        subsample: share of the examples that a round sees.
        colsample_bytree: share of the features that a tree sees.
        reg_lambda: L2 penalty on leaf values.
        reg_alpha: L1 penalty on leaf values.
        tree_method: "hist", "approx" or "exact".
        max_bin: bins of a feature's histogram.
        early_stopping_rounds: stop when the validation loss has not fallen for so many rounds, and predict
            with the best round; None fits all rounds on the whole training part.
        device: "cpu", "cuda" or "cuda:<number>".
        n_jobs: threads; None is all.

    Raises:
        ValidationError: an argument is of another type, or a number of rounds or bins is too small. XGBoost itself
            checks the other values when it fits.
        CrossoverError: `device` is not of its form.
    """

    name: ClassVar = "xgboost"
    trees_file: ClassVar = "model.ubj"

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        n_estimators: Rounds,
        learning_rate: int | float,
        max_depth: int,
        min_child_weight: int | float,
        gamma: int | float,
        subsample: int | float,
        colsample_bytree: int | float,
        reg_lambda: int | float,
        reg_alpha: int | float,
        tree_method: str,
        max_bin: Annotated[int, Field(ge=2)],
        early_stopping_rounds: PositiveInt | None,
        device: str,
        n_jobs: int | None,
    ) -> None:
        if not _DEVICE.fullmatch(device):
            raise CrossoverError(f"device must be cpu, cuda or cuda:<number>, got {device!r}")
        settings: dict[str, Any] = {
            "n_estimators": n_estimators,
            "learning_rate": learning_rate,
            "max_depth": max_depth,
            "min_child_weight": min_child_weight,
            "gamma": gamma,
            "subsample": subsample,
            "colsample_bytree": colsample_bytree,
            "reg_lambda": reg_lambda,
            "reg_alpha": reg_alpha,
            "tree_method": tree_method,
            "max_bin": max_bin,
            "early_stopping_rounds": early_stopping_rounds,
            "device": device,
            "n_jobs": n_jobs,
        }
        super().__init__(modalities, settings, stochastic=subsample < 1 or colsample_bytree < 1)

    def _boost(self, parts: list[tuple[Input, np.ndarray]], *, seed: int, on_round: OnRound) -> None:
        device = self.settings["device"]
        if device == "cpu":
            self.device = device
        else:
            name = _gpu_name(int(device.partition(":")[2] or 0))
            if name is None:  # XGBoost would go on on the CPU
                raise CrossoverError(
                    f"device {device} needs an NVIDIA GPU and its driver, and there is none; set device=cpu"
                )
            self.device = f"cuda: {name}"
        labels = parts[0][1]
        loss, error = ("logloss", "error") if labels.max() == 1 else ("mlogloss", "merror")
        watched = len(parts) > 1
        self._classifier = XGBClassifier(
            random_state=seed,
            callbacks=[_Rounds(on_round, loss, error)],
            eval_metric=[error, loss] if watched else None,  # the last one decides when to stop
            feature_types=self._types(parts[0][0].shape[1]),
            enable_categorical=bool(self._n_codes),
            **self.settings,
        )
        self._classifier.fit(*parts[0], eval_set=parts if watched else None, verbose=False)
        # The trees of a model that was fitted on a GPU then serve on every machine.
        self._classifier.get_booster().set_param({"device": "cpu"})

    def _types(self, width: int) -> list[str] | None:
        """XGBoost's names of numbers and of categories, a column each."""
        return ["q"] * (width - self._n_codes) + ["c"] * self._n_codes if self._n_codes else None

    def _predict(self, X: Input, rounds: int | None) -> np.ndarray:
        return self._classifier.predict_proba(X, iteration_range=None if rounds is None else (0, rounds))

    def complexity(self) -> Complexity:
        """Nodes of all trees, those of rounds after the best one too: they are stored, though not used."""
        trees = self._classifier.get_booster().get_dump()  # one line a node
        return Complexity(sum(len(tree.splitlines()) for tree in trees), "nodes")

    def _save_trees(self, path: Path) -> None:
        self._classifier.save_model(path)

    def _load_trees(self, path: Path) -> None:
        self._classifier = XGBClassifier(n_jobs=self.settings["n_jobs"])
        self._classifier.load_model(path)


class _Rounds(TrainingCallback):
    """Reports each round."""

    def __init__(self, on_round: OnRound, loss: str, error: str) -> None:
        super().__init__()
        self.on_round, self.loss, self.error = on_round, loss, error

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        metrics = {}
        if evals_log:  # XGBoost's names of eval_set's entries
            train, val = evals_log["validation_0"], evals_log["validation_1"]
            metrics = {
                "train/loss": train[self.loss][-1],
                "val/loss": val[self.loss][-1],
                "val/accuracy": 1 - val[self.error][-1],
            }
        self.on_round(metrics)
        return False


def _gpu_name(number: int) -> str | None:
    """Name of a GPU by the CUDA driver's own interface; None where there is no such GPU or no driver."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    done = driver.cuInit(0) or driver.cuDeviceGet(ctypes.byref(device), number)
    if done or driver.cuDeviceGetName(name, len(name), device):
        return None
    return name.value.decode()
