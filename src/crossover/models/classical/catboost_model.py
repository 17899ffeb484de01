"""Gradient-boosted trees with CatBoost, which is an extra of the project."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.settings import checked
from crossover.data.prepared import Input
from crossover.models.base import Complexity
from crossover.models.classical.boosting import BoostedTrees, OnRound, Rounds
from crossover.models.classical.common import refuse_infinity

if TYPE_CHECKING:
    import catboost

NotNegative = Annotated[int | float, Field(ge=0)]


class CatBoost(BoostedTrees):
    """CatBoost's symmetric trees: each level has one split for all its nodes.

    The arguments are those of `catboost.CatBoostClassifier`, but for the names that all boosters share here.

    Args:
        modalities: the kinds of data set that it takes.
        n_estimators: boosting rounds.
        learning_rate: weight of each round; None lets CatBoost choose by the number of examples and of rounds.
        max_depth: of a tree.
        l2_leaf_reg: L2 penalty on leaf values.
        random_strength: of the noise that is added to the scores of splits.
        bagging_temperature: of the random weights of examples; 0 weighs all alike.
        max_bin: bins of a feature's histogram.
        early_stopping_rounds: stop when the validation loss has not fallen for so many rounds, and predict
            with the best round; None fits all rounds on the whole training part.
        n_jobs: threads; None is all.

    Raises:
        CrossoverError: CatBoost is not installed.
        ValidationError: an argument is of another type, or a number is out of its range.
    """

    name: ClassVar = "catboost"
    trees_file: ClassVar = "model.cbm"

    @checked
    def __init__(
        self,
        *,
        modalities: Iterable[str],
        n_estimators: Rounds,
        learning_rate: Annotated[int | float, Field(gt=0)] | None,
        max_depth: Annotated[int, Field(ge=1, le=16)],
        l2_leaf_reg: NotNegative,
        random_strength: NotNegative,
        bagging_temperature: NotNegative,
        max_bin: Annotated[int, Field(ge=1, le=65_535)],
        early_stopping_rounds: PositiveInt | None,
        n_jobs: int | None,
    ) -> None:
        _library()
        settings = {
            "n_estimators": n_estimators,
            "learning_rate": learning_rate,
            "max_depth": max_depth,
            "l2_leaf_reg": l2_leaf_reg,
            "random_strength": random_strength,
            "bagging_temperature": bagging_temperature,
            "max_bin": max_bin,
            "early_stopping_rounds": early_stopping_rounds,
            "n_jobs": n_jobs,
        }
        super().__init__(modalities, settings, stochastic=random_strength > 0 or bagging_temperature > 0)

    def _boost(self, parts: list[tuple[Input, np.ndarray]], *, seed: int, on_round: OnRound) -> None:
        library = _library()
        refuse_infinity(parts[0][0])
        loss = "Logloss" if parts[0][1].max() == 1 else "MultiClass"
        own = ("early_stopping_rounds", "n_jobs", "learning_rate")
        params: dict[str, Any] = {name: value for name, value in self.settings.items() if name not in own}
        if self.settings["learning_rate"] is not None:
            params["learning_rate"] = self.settings["learning_rate"]
        watched = len(parts) > 1
        classifier = library.CatBoostClassifier(
            **params,
            loss_function=loss,
            custom_metric=["Accuracy"] if watched else None,
            bootstrap_type="Bayesian",
            random_seed=seed,
            thread_count=self.settings["n_jobs"] or -1,
            allow_writing_files=False,
            logging_level="Silent",
        )
        try:
            classifier.fit(
                np.asarray(parts[0][0]),
                parts[0][1],
                eval_set=(np.asarray(parts[1][0]), parts[1][1]) if watched else None,
                early_stopping_rounds=self.settings["early_stopping_rounds"],
                use_best_model=watched and self.selects,
                callbacks=[_Rounds(on_round, loss)],
            )
        except library.CatBoostError as refusal:
            raise ValueError(str(refusal)) from refusal
        self._classifier = classifier

    def chosen(self) -> dict[str, Any]:
        """As of all boosters; and the learning rate, which CatBoost would choose anew for another number of rounds."""
        decided = super().chosen()
        return decided | {"learning_rate": float(self._classifier.learning_rate_)} if decided else {}

    def _predict(self, X: Input, rounds: int | None) -> np.ndarray:
        return self._classifier.predict_proba(
            np.asarray(X), ntree_end=rounds or 0, thread_count=self.settings["n_jobs"] or -1
        )

    def complexity(self) -> Complexity:
        """Nodes of all trees, up to the best round where one is chosen; a tree of n leaves has 2 n - 1."""
        return Complexity(int(sum(2 * n - 1 for n in self._classifier.get_tree_leaf_counts())), "nodes")

    def _save_trees(self, path: Path) -> None:
        self._classifier.save_model(str(path), format="cbm")

    def _load_trees(self, path: Path) -> None:
        library = _library()
        self._classifier = library.CatBoostClassifier()
        try:
            self._classifier.load_model(str(path), format="cbm")
        except library.CatBoostError as refusal:
            raise ValueError(str(refusal)) from refusal


def _library() -> "catboost":
    try:
        import catboost
    except ImportError as error:
        raise CrossoverError(
            "catboost needs the package of its name, which is an extra, and it is not installed; "
            "install it with `pip install 'crossover[catboost]'`"
        ) from error
    return catboost


class _Rounds:
    """Reports each round; CatBoost calls it."""

    def __init__(self, on_round: OnRound, loss: str) -> None:
        self.on_round, self.loss = on_round, loss

    def after_iteration(self, info: Any) -> bool:
        metrics = {}
        if "validation" in info.metrics:
            learn, val = info.metrics["learn"], info.metrics["validation"]
            metrics = {
                "train/loss": learn[self.loss][-1],
                "val/loss": val[self.loss][-1],
                "val/accuracy": val["Accuracy"][-1],
            }
        self.on_round(metrics)
        return True
