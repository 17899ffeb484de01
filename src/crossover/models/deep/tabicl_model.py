"""TabICL, a network that has learned to predict from the examples of a table; an extra of the project."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
import pooch
from pydantic import PositiveInt

from crossover.core.errors import CrossoverError, first_line
from crossover.core.files import read_array, read_json, write_json
from crossover.core.settings import checked
from crossover.core.skops_io import dump, load
from crossover.data.prepared import Input, Part
from crossover.models.base import Complexity, Family, FitHooks, Model, require_classes
from crossover.models.deep.randomness import WEIGHTS, stream
from crossover.models.deep.trainer import TrainerConfig

if TYPE_CHECKING:
    from tabicl import TabICLClassifier


class TabICL(Model):
    """TabICL (Qu et al. 2025, arXiv 2502.05564): weights that were trained on made-up tables, and no fit on this one.

    A fit keeps the training part, which each prediction reads again. The weights come from a file that you have
    downloaded: nothing is downloaded here. They were found elsewhere, so what a fit costs is not what they cost.

    Args:
        modalities: the kinds of data set that the model takes.
        checkpoint: path of the file with the weights, `tabicl-classifier-….ckpt`.
        members: orders of columns and classes, and scalings, over which predictions are averaged.

    Attributes:
        trainer: device of the next fit.

    Raises:
        CrossoverError: TabICL is not installed; of `fit`, also that the file is not there.
    """

    family: ClassVar[Family] = "deep"
    stochastic = True  # the orders are drawn

    @checked
    def __init__(self, *, modalities: Iterable[str], checkpoint: str | None, members: PositiveInt) -> None:
        super().__init__(modalities)
        _library()
        self.checkpoint, self.members = checkpoint, members
        self.trainer = TrainerConfig()

    def fit(self, train: Part, val: Part | None, *, seed: int, hooks: FitHooks = FitHooks()) -> Self:  # noqa: B008
        from crossover.features.tables import refuse_infinite, table_encoder

        require_classes(train, "TabICL")
        if not isinstance(train.X, pd.DataFrame):
            raise CrossoverError(
                f"TabICL takes a table, got {type(train.X).__name__}; choose another data set"
            )
        refuse_infinite(train.X)
        self._encoder = table_encoder(train.X, codes=True).fit(train.X)
        X = np.ascontiguousarray(self._encoder.transform(train.X), dtype=np.float32)
        device = "cuda" if self.trainer.resolved().accelerator == "gpu" else "cpu"
        self._state: dict[str, Any] = {
            "n_classes": train.n_classes,
            "seed": stream(seed, WEIGHTS) % 2**32,
            "device": device,
        }
        return self._with_examples(X, train.y)

    def _with_examples(self, X: np.ndarray, y: np.ndarray) -> Self:
        import torch

        if self.checkpoint is None or not Path(self.checkpoint).is_file():
            raise CrossoverError(
                f"checkpoint must be the path of TabICL's weights, got {self.checkpoint!r}; download "
                "tabicl-classifier-….ckpt from https://huggingface.co/jingang/TabICL and give its path: "
                "model.checkpoint=…"
            )
        device = self._state["device"] if torch.cuda.is_available() else "cpu"
        self.device = "cpu" if device == "cpu" else f"cuda: {torch.cuda.get_device_name()}"
        self._X, self._y = X, y
        self._classifier = _library()(
            n_estimators=self.members,
            model_path=self.checkpoint,
            allow_auto_download=False,
            device=device,
            random_state=self._state["seed"],
        )
        try:
            self._classifier.fit(X, y)
        except (AssertionError, RuntimeError, ValueError) as error:
            raise CrossoverError(
                f"{self.checkpoint} must hold TabICL's weights and suit the table, got {first_line(error)}; download "
                "the file again, or choose another model"
            ) from error
        return self

    def predict_proba(self, X: Input) -> np.ndarray:
        found = self._classifier.predict_proba(np.asarray(self._encoder.transform(X), dtype=np.float32))
        proba = np.zeros((len(found), self._state["n_classes"]), dtype=np.float32)
        proba[:, self._classifier.classes_] = found
        return proba

    def complexity(self) -> Complexity:
        """The weights, which no fit here finds."""
        return Complexity(
            sum(weight.numel() for weight in self._classifier.model_.parameters()), "parameters"
        )

    def save(self, folder: Path) -> None:
        """Write the training part and where the weights lie; the weights stay there."""
        np.save(folder / "X.npy", self._X)
        np.save(folder / "y.npy", self._y)
        dump(self._encoder, folder / "encoder.skops")
        settings = {
            "modalities": sorted(self.modalities),
            "checkpoint": self.checkpoint,
            "members": self.members,
        }
        weights = pooch.file_hash(self.checkpoint, alg="sha256")
        write_json(folder / "tabicl.json", {"settings": settings, "state": self._state, "sha256": weights})

    @classmethod
    def load(cls, folder: Path) -> Self:
        content = read_json(folder / "tabicl.json", "dvc repro")
        model = cls(**content["settings"])
        there = Path(model.checkpoint or "").is_file()
        if there and (got := pooch.file_hash(model.checkpoint, alg="sha256")) != content["sha256"]:
            raise CrossoverError(
                f"{model.checkpoint} must hold the weights of the fit, with the SHA-256 checksum {content['sha256']}, "
                f"got {got}; put them back, or fit again with `dvc repro`"
            )
        model._encoder, model._state = load(folder / "encoder.skops"), content["state"]
        return model._with_examples(*(read_array(folder / name, "dvc repro") for name in ("X.npy", "y.npy")))


def _library() -> "type[TabICLClassifier]":
    try:
        from tabicl import TabICLClassifier
    except ImportError as error:
        raise CrossoverError(
            "model=tabicl needs TabICL; install it with pip install 'crossover[tabicl]'"
        ) from error
    found: Any = TabICLClassifier
    return found
