"""The script that MLflow runs to serve a fitted model ("models from code": nothing is pickled).

Input is a data set's raw input, as it lies in `data/prepared`: images uint8 (n, height, width, channels), a table with
the data set's columns, or a table with one column `text`. Output is a frame with n rows: `prediction`, the name of the
most probable class, and a column of probabilities for each class.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext

from crossover.core.configuration import load_fitted

MADE_BY = "dvc repro"


class FittedClassifier(PythonModel):
    """A fitted model behind its feature set, from raw input to named classes."""

    def load_context(self, context: PythonModelContext) -> None:
        self._model = load_fitted(Path(context.artifacts["model"]), MADE_BY)
        featurizer = context.artifacts.get("featurizer")
        self._featurizer = load_fitted(Path(featurizer), MADE_BY) if featurizer else None

    # A table comes as a pandas frame; but a union as the hint makes MLflow warn on every load.
    def predict(
        self, context: PythonModelContext, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        """Name the most probable class of each row and give every class's probability."""
        if context.model_config["modality"] == "text":
            model_input = pd.DataFrame(model_input)["text"].to_numpy(dtype=object)
        X = model_input if self._featurizer is None else self._featurizer.transform(model_input)
        probabilities = self._model.predict_proba(X)
        classes = context.model_config["classes"]
        scores = pd.DataFrame(probabilities.astype(np.float64), columns=classes)
        scores.insert(0, "prediction", [classes[k] for k in probabilities.argmax(axis=1)])
        return scores


set_model(FittedClassifier())
