"""Gradient-boosted trees with LightGBM."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, ClassVar

import lightgbm
import numpy as np
from lightgbm.basic import LightGBMError
from lightgbm.callback import CallbackEnv
from pydantic import Field, PositiveInt

from crossover.core.settings import checked
from crossover.data.prepared import Input
from crossover.models.base import Complexity
from crossover.models.classical.boosting import BoostedTrees, OnRound, Rounds
from crossover.models.classical.common import refuse_infinity

NotNegative = Annotated[int | float, Field(ge=0)]
Share = Annotated[int | float, Field(gt=0, le=1)]


class LightGBM(BoostedTrees):
    """LightGBM's trees, which grow leaf by leaf: softmax over trees, or logistic for two classes.

    The arguments are those of `lightgbm.LGBMClassifier`, written out because it only warns of one that it does not
    know.

    Args:
        modalities: the kinds of data set that it takes.
        n_estimators: boosting rounds.
        learning_rate: weight of each round.
        num_leaves: of a tree.
        max_depth: of a tree; -1 is no limit.
        min_child_samples: least examples in a leaf.
        min_child_weight: least sum of Hessians in a leaf.
        min_split_gain: least loss reduction of a split.
        subsample: share of the examples that a round sees.
        colsample_bytree: share of the features that a tree sees.
        reg_lambda: L2 penalty on leaf values.
        reg_alpha: L1 penalty on leaf values.
        max_bin: bins of a feature's histogram.
        early_stopping_rounds: stop when the validation loss has not fallen for so many rounds, and predict
            with the best round; None fits all rounds on the whole training part.
        n_jobs: threads; None is all.

    Raises:
        ValidationError: an argument is of another type, or a number is out of its range.
    """

    name: ClassVar = "lightgbm"
    trees_file: ClassVar = "model.txt"

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        n_estimators: Rounds,
        learning_rate: Annotated[int | float, Field(gt=0)],
        num_leaves: Annotated[int, Field(ge=2, le=131_072)],
        max_depth: int,
        min_child_samples: PositiveInt,
        min_child_weight: NotNegative,
        min_split_gain: NotNegative,
        subsample: Share,
        colsample_bytree: Share,
        reg_lambda: NotNegative,
        reg_alpha: NotNegative,
        max_bin: Annotated[int, Field(ge=2)],
        early_stopping_rounds: PositiveInt | None,
        n_jobs: int | None,
    ) -> None:
        settings = {
            "n_estimators": n_estimators,
            "learning_rate": learning_rate,
            "num_leaves": num_leaves,
            "max_depth": max_depth,
            "min_child_samples": min_child_samples,
            "min_child_weight": min_child_weight,
            "min_split_gain": min_split_gain,
            "subsample": subsample,
            "colsample_bytree": colsample_bytree,
            "reg_lambda": reg_lambda,
            "reg_alpha": reg_alpha,
            "max_bin": max_bin,
            "early_stopping_rounds": early_stopping_rounds,
            "n_jobs": n_jobs,
        }
        super().__init__(modalities, settings, stochastic=subsample < 1 or colsample_bytree < 1)

    def _boost(self, parts: list[tuple[Input, np.ndarray]], *, seed: int, on_round: OnRound) -> None:
        n_classes = int(parts[0][1].max()) + 1
        kind = "binary" if n_classes == 2 else "multi"
        loss, error = f"{kind}_logloss", f"{kind}_error"
        refuse_infinity(parts[0][0])
        stop = self.settings["early_stopping_rounds"]
        left = {"n_estimators", "early_stopping_rounds"}
        params = {name: value for name, value in self.settings.items() if name not in left}
        params |= {
            "objective": "binary" if n_classes == 2 else "multiclass",
            "num_class": 1 if n_classes == 2 else n_classes,
            "metric": [loss, error],
            "subsample_freq": 1,  # of itself, LightGBM draws no subsample
            "n_jobs": self.settings["n_jobs"] or 0,
            "seed": seed,
            # The same trees whatever the number of threads.
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        }

        def after_round(env: CallbackEnv) -> None:
            found = {(part, metric): value for part, metric, value, *_ in env.evaluation_result_list or []}
            on_round(
                {
                    "train/loss": found["train", loss],
                    "val/loss": found["val", loss],
                    "val/accuracy": 1 - found["val", error],
                }
                if found
                else {}
            )

        width = parts[0][0].shape[1]
        codes = list(range(width - self._n_codes, width))
        train = lightgbm.Dataset(*parts[0], categorical_feature=codes)
        watched = [train, *(lightgbm.Dataset(X, y, reference=train) for X, y in parts[1:])]
        callbacks = [after_round]
        if stop is not None:  # the first metric, the loss, decides
            callbacks.append(lightgbm.early_stopping(stop, first_metric_only=True, verbose=False))
        try:
            booster = lightgbm.train(
                params,
                train,
                num_boost_round=self.settings["n_estimators"],
                valid_sets=watched if len(watched) > 1 else None,
                valid_names=["train", "val"] if len(watched) > 1 else None,
                callbacks=callbacks,
            )
        except LightGBMError as refusal:
            raise ValueError(str(refusal)) from refusal
        kept = booster.best_iteration if stop is not None else None
        # Without the training data, and without the rounds after the best one, as it is saved.
        self._booster = lightgbm.Booster(model_str=booster.model_to_string(num_iteration=kept))

    def _predict(self, X: Input, rounds: int | None) -> np.ndarray:
        threads = self.settings["n_jobs"] or 0
        proba = np.asarray(self._booster.predict(X, num_iteration=rounds, num_threads=threads))
        return proba if proba.ndim == 2 else np.stack([1 - proba, proba], axis=1)  # (n,) -> (n, 2)

    def complexity(self) -> Complexity:
        """Nodes of all trees, up to the best round where one is chosen."""
        trees = self._booster.dump_model()["tree_info"]
        return Complexity(sum(2 * tree["num_leaves"] - 1 for tree in trees), "nodes")

    def _save_trees(self, path: Path) -> None:
        self._booster.save_model(path)

    def _load_trees(self, path: Path) -> None:
        try:
            self._booster = lightgbm.Booster(model_file=path)
        except LightGBMError as refusal:
            raise ValueError(str(refusal)) from refusal
