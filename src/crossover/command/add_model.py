"""`crossover add model NAME`: the files of a new model, which run as they are and are yours to change."""

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

from crossover.core.errors import CrossoverError
from crossover.core.settings import NAME

NETWORK = '''"""{title}: say here what it is, and whose."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn


class {kind}(nn.Module):
    """One hidden layer, to begin with.

    Args:
        input_shape: (height, width, channels) of images, (columns,) of an encoded table.
        n_classes: number of classes.
        hidden: width of the hidden layer.
    """

    def __init__(self, input_shape: Sequence[int], n_classes: int, *, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(prod(input_shape), hidden), nn.ReLU(), nn.Linear(hidden, n_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch."""
        return self.layers(x)  # (batch, channels, height, width) or (batch, columns) -> (batch, classes)
'''

NETWORK_YAML = """\
# {title}: say here what it is, and whose.
_target_: crossover.models.deep.network.Network
modalities: [image, table]
architecture:
  _target_: crossover.models.deep.{name}.{kind}
  _partial_: true
  hidden: 128
min_size: null           # images as they are
optimizer:
  _target_: torch.optim.Adam
  _partial_: true
learning_rate: 0.001
schedule: constant       # or cosine, one_cycle
batch_size: 128
max_epochs: 100          # at most, and …
min_steps: 3000          # … on a small data set as many more epochs as these optimiser steps take
early_stopping:          # the rate falls once, then the fit ends; all rows are then fitted for as long as was best
  monitor: val/loss
  patience: 3
  patience_steps: 100
  min_delta: 0.001
  rate_drops: 1
select_best: val/loss
"""

ESTIMATOR_YAML = """\
# {title}: say here what it is.
_target_: crossover.models.classical.sklearn_model.SklearnClassifier
modalities: [image, table]
stochastic: {stochastic}
standardize: true        # features of mean 0 and variance 1
estimator:
  _target_: {estimator}
{params}"""

TEST = '''"""The model {name}, as the pipeline builds it."""

from pathlib import Path

import numpy as np
{imported}import yaml

from crossover.core.configuration import build
from crossover.data.prepared import Part

YAML = Path(__file__).parents[2] / "conf" / "model" / "{name}.yaml"


def test_it_learns_two_clouds() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    X = rng.normal(3.0 * y[:, None], 1, (200, 4))
    part = Part({inputs}, y, 2)
    model = build(yaml.safe_load(YAML.read_text()){changes}, YAML.name)
    proba = model.fit(part, None, seed=0).predict_proba(part.X)
    assert proba.shape == (200, 2)
    assert (proba.argmax(axis=1) == y).mean() > 0.9
'''


def files_of(name: str, estimator: str | None) -> dict[str, str]:
    """The files of a new model: path from the project's root to content.

    Args:
        name: of the model.
        estimator: a classifier of scikit-learn, or one like them; None for a network.

    Raises:
        CrossoverError: the name is none, or the estimator is no classifier with probabilities.
    """
    if not NAME.fullmatch(name) or not name.replace("_", "a").isalnum() or not name[0].isalpha():
        raise CrossoverError(
            f"a model's name must be letters, digits and underscores that begin with a letter, got {name!r}"
        )
    title = name.replace("_", " ").capitalize()
    files = {}
    if estimator is None:
        kind = "".join(part.capitalize() for part in name.split("_"))
        files[f"src/crossover/models/deep/{name}.py"] = NETWORK.format(title=title, kind=kind)
        files[f"conf/model/{name}.yaml"] = NETWORK_YAML.format(title=title, name=name, kind=kind)
        space = "learning_rate: tag(log, interval(3e-4, 1e-2))\narchitecture.hidden: choice(64, 128, 256)\n"
        changes = ' | {"epochs": 40, "early_stopping": None, "select_best": None}'
        inputs, imported = 'pd.DataFrame(X, columns=list("abcd"))', "import pandas as pd\n"
    else:
        params = _params(estimator)
        stochastic = str("random_state" in inspect.signature(_located(estimator)).parameters).lower()
        lines = "".join(f"  {key}: {_yaml(value)}\n" for key, value in params.items())
        fields = {"title": title, "stochastic": stochastic, "estimator": estimator, "params": lines}
        files[f"conf/model/{name}.yaml"] = ESTIMATOR_YAML.format(**fields)
        key, value = next(((k, v) for k, v in params.items() if v is not None), next(iter(params.items())))
        space = f"estimator.{key}: choice({_yaml(value)})\n"
        changes, inputs, imported = "", "X.astype(np.float32)", ""
    files[f"conf/search/{name}.yaml"] = (
        f"# Search space of {title}: the ranges, and where they come from.\n{space}"
    )
    files[f"tests/models/test_{name}.py"] = TEST.format(
        name=name, changes=changes, inputs=inputs, imported=imported
    )
    return files


def write_model(name: str, estimator: str | None) -> list[Path]:
    """Write the files of a new model below the working directory; none of them may be there.

    Raises:
        CrossoverError: see `files_of`; or a file is there already.
    """
    files = {Path(path): content for path, content in files_of(name, estimator).items()}
    for path in files:
        if path.exists():
            raise CrossoverError(
                f"the name of a new model must be free, and {path} exists; choose another one"
            )
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return list(files)


def _located(path: str) -> Any:
    module, _, kind = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), kind)
    except (ImportError, AttributeError, ValueError) as error:
        raise CrossoverError(
            f"--estimator must name a class, as sklearn.svm.SVC does, got {path!r}, which is not there"
        ) from error


def _params(path: str) -> dict[str, Any]:
    """The arguments of a classifier that a YAML can hold, with their defaults; the seed is not among them."""
    kind = _located(path)
    if not (inspect.isclass(kind) and hasattr(kind, "predict_proba") and hasattr(kind, "get_params")):
        raise CrossoverError(f"--estimator must be a classifier with predict_proba, got {path!r}")
    plain = {
        key: one.default
        for key, one in inspect.signature(kind).parameters.items()
        if key not in ("random_state", "verbose", "warm_start")
        and (one.default is None or isinstance(one.default, bool | int | float | str))
        and one.default != "deprecated"
    }
    if not plain:
        raise CrossoverError(f"--estimator must have a parameter with a default, got {path!r}")
    return plain


def _yaml(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return re.sub(r"^(\d+)e", r"\1.0e", text) if isinstance(value, float) else text
