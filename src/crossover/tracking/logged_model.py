"""A copy of a fitted model in MLflow, loadable with `mlflow.pyfunc` and served by `mlflow models serve`."""

import tempfile
from dataclasses import asdict
from importlib.metadata import requires, version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from packaging.requirements import Requirement
from pandas.api.types import is_numeric_dtype

from crossover.data.prepared import Input, Meta, modality_of
from crossover.tracking.contents import origin_tags, params_of
from crossover.tracking.tracker import FitFacts

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.models import ModelSignature

NOT_SERVED = {"dvc", "matplotlib", "pooch", "statsmodels"}
NETWORKS = {"pytorch-lightning", "safetensors", "torch", "torchmetrics", "torchvision"}
"""Requirements of the project that serving, or serving a classical model, does without."""


def log_model(
    client: "MlflowClient",
    run: "Run",
    facts: FitFacts,
    folders: dict[str, Path | None],
    example: Input,
    step: int,
) -> str:
    """Record a model and link it to its run; the id of the model.

    It does what `mlflow.pyfunc.log_model` does, for a run that is named and not "active".

    Args:
        client: the store's.
        run: of the fit.
        facts: of the fit.
        folders: the saved "model", and the "featurizer" in front of it if there is one.
        example: raw input.
        step: of the run's last metrics.
    """
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model
    from mlflow.pyfunc import save_model

    logged = client.create_logged_model(
        run.info.experiment_id,
        name=f"{facts.cell.model}-{facts.cell.features}-seed{facts.seed}",
        source_run_id=run.info.run_id,
        tags={**origin_tags(facts), **asdict(facts.cell), "seed": str(facts.seed)},
        params={param.key: param.value for param in params_of(facts.params, facts.meta)},
        model_type=facts.cell.family,
    )
    signature, request = _interface(facts.meta, example)
    unneeded = NOT_SERVED | (set() if facts.cell.family == "deep" else NETWORKS)
    wanted = [Requirement(line) for line in requires("crossover") or []]
    # An extra has the name of the model, or of the feature set, that needs it.
    used = {"", facts.cell.model, facts.cell.features}
    packages = [
        r.name
        for r in wanted
        if r.name not in unneeded
        and (not r.marker or any(r.marker.evaluate({"extra": name}) for name in used))
    ]
    with tempfile.TemporaryDirectory() as temporary:
        save_model(
            f"{temporary}/model",
            python_model=Path(__file__).with_name("serving.py"),
            # The package goes along, so that the model can be served where Crossover is not installed.
            code_paths=[str(Path(__file__).parents[1])],
            artifacts={name: str(folder) for name, folder in folders.items() if folder},
            signature=signature,
            input_example=request,
            # At the versions installed here; a local one such as 2.15.0+cu130 is not on PyPI.
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in packages],
            model_config={"classes": facts.meta.classes, "modality": facts.meta.modality},
            mlflow_model=Model(
                artifact_path=logged.artifact_location,
                run_id=run.info.run_id,
                model_uuid=logged.model_id,
                model_id=logged.model_id,
            ),
        )
        client.log_model_artifacts(logged.model_id, f"{temporary}/model")
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run.info.run_id, [LoggedModelOutput(logged.model_id, step=step)])
    return str(logged.model_id)


def _interface(meta: Meta, example: Input) -> "tuple[ModelSignature, Input]":
    """The model's input and output (the columns of `crossover.tracking.serving`), and two rows to ask it about."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    if modality_of(example) == "text":
        inputs = Schema([ColSpec("string", "text")])
        request: Input = pd.DataFrame({"text": example[:2]})
    elif isinstance(example, np.ndarray):
        inputs = Schema([TensorSpec(example.dtype, (-1, *example.shape[1:]))])
        request = np.array(example[:2])
    else:
        kinds = {c: "double" if is_numeric_dtype(example[c]) else "string" for c in example.columns}
        # A single value may be missing. A whole column may not: the mistake would pass for missing values.
        inputs = Schema([ColSpec(kind, column) for column, kind in kinds.items()])
        complete = example.dropna()  # JSON has no NaN
        request = (example if complete.empty else complete).head(2)
    probabilities = [ColSpec("double", name) for name in meta.classes]
    return ModelSignature(inputs, Schema([ColSpec("string", "prediction"), *probabilities])), request
