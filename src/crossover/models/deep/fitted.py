"""A fitted network: predicting, and its form on disk. Needs torch, and no Lightning.

network.json          FittedFacts
weights.safetensors   the network's state
encoder.skops         of a table, the encoder fitted on the training part
vocabulary.json       of texts, the words of the training part
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from crossover.core.errors import CrossoverError
from crossover.core.files import read_json, write_json
from crossover.data.prepared import Input, Modality, modality_of, texts_of
from crossover.models.deep.inputs import Inputs, network_shape
from crossover.models.deep.partials import from_spec
from crossover.models.deep.vocabulary import Vocabulary

# Examples at a time without gradients: larger batches leave a CPU's caches and take longer an example.
EVAL_BATCH = {"cpu": 256, "cuda": 4096}

_ADVICE = "dvc repro"


@dataclass(frozen=True)
class FittedFacts:
    """What a network is rebuilt from.

    Attributes:
        architecture: `_target_` and arguments.
        modalities: the kinds of data set that the model takes.
        min_size: a smaller image is resized up to it.
        permutation_seed: of the order of an image's pixels.
        input_shape: of one example: (height, width, channels), (columns,) of an encoded table, or (words,) of a text.
        n_classes: number of classes.
        value_max: the pixel value that becomes 1.
        fitted_on: "cpu" or "cuda".
        categories: how many categories each of the last columns of a table has, where they hold codes.
        vocabulary: how many numbers of words there are; 0 where the input is no text.
    """

    architecture: dict[str, Any]
    modalities: list[str]
    min_size: int | None
    permutation_seed: int | None
    input_shape: list[int]
    n_classes: int
    value_max: float
    fitted_on: str
    categories: list[int]
    vocabulary: int

    def build(self, architecture: partial) -> nn.Sequential:
        """A network with new weights: raw input to logits.

        Raises:
            CrossoverError: the architecture does not work on the input's shape.
        """
        inputs = Inputs(self.input_shape, self.value_max, self.min_size, self.permutation_seed)
        shape = network_shape(self.input_shape, self.min_size)
        dtype = torch.uint8 if inputs.is_image else torch.int32 if self.vocabulary else torch.float32
        known = {"categories": self.categories, "vocabulary": self.vocabulary}
        wanted = {name: value for name, value in known.items() if takes(architecture, name)}
        try:
            network = nn.Sequential(
                inputs, architecture(input_shape=shape, n_classes=self.n_classes, **wanted)
            )
            # For convolutions: `ModernCNN` takes 0.7 to 0.75 of the time of a step so, on two cores.
            network = network.to(memory_format=torch.channels_last)
            with torch.inference_mode():
                network.eval()(torch.ones(1, *self.input_shape, dtype=dtype))
        except (RuntimeError, ValueError, TypeError) as error:
            raise CrossoverError(
                f"architecture and min_size must suit the data set's examples, got {self.architecture} with "
                f"min_size {self.min_size} for shape {self.input_shape} "
                f"({str(error).splitlines()[0].rstrip('.')}); change them in the model's YAML"
            ) from error
        return network.train()


class FittedNetwork:
    """Predicts on one device: on a GPU if it was fitted on one and there is one, else on the CPU.

    Args:
        facts: of the network.
        network: raw input to logits.
        encoder: of a table, or the vocabulary of texts; None for images.

    Attributes:
        device_type: "cuda" or "cpu".
        device: the same as `Model.device` has it.
    """

    def __init__(self, facts: FittedFacts, network: nn.Module, encoder: Any) -> None:
        self.facts, self.network, self.encoder = facts, network, encoder
        self.device_type = "cuda" if facts.fitted_on == "cuda" and torch.cuda.is_available() else "cpu"
        self.device = "cpu" if self.device_type == "cpu" else f"cuda: {torch.cuda.get_device_name()}"
        network.to(self.device_type).eval()

    def predict_proba(self, X: Input) -> np.ndarray:
        """Softmax of the logits: float32 (n, n_classes).

        Raises:
            CrossoverError: the input is not of the shape that the network was fitted on.
        """
        inputs = to_tensor(X, self.encoder)
        if list(inputs.shape[1:]) != self.facts.input_shape:
            raise CrossoverError(
                f"the network was fitted on examples of shape {self.facts.input_shape}, got "
                f"{list(inputs.shape[1:])}; predict on the data set that it was fitted on"
            )
        proba = np.empty((len(inputs), self.facts.n_classes), dtype=np.float32)
        start = 0
        with torch.inference_mode(), _same_on_every_device(self.device_type):
            for batch in inputs.split(EVAL_BATCH[self.device_type]):
                logits = self.network(batch.to(self.device_type))
                proba[start : start + len(batch)] = logits.softmax(1).cpu().numpy()
                start += len(batch)
        return proba

    def predict_with(self, weights: dict[str, Tensor], X: Input) -> np.ndarray:
        """The same with other weights of the network, which keeps its own."""
        own = {name: weight.clone() for name, weight in self.network.state_dict().items()}
        self.network.load_state_dict(weights)
        try:
            return self.predict_proba(X)
        finally:
            self.network.load_state_dict(own)

    def save(self, folder: Path) -> None:
        """Write the files into an existing folder."""
        from safetensors.torch import save_file

        write_json(folder / "network.json", asdict(self.facts))
        weights = {name: tensor.cpu().contiguous() for name, tensor in self.network.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")
        if isinstance(self.encoder, Vocabulary):
            self.encoder.save(folder)
        elif self.encoder is not None:
            from crossover.core.skops_io import dump

            dump(self.encoder, folder / "encoder.skops")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files back; runs no code from them, and needs no GPU.

        Raises:
            CrossoverError: a file is missing or broken, or names a class outside the package.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        path, weights = folder / "network.json", folder / "weights.safetensors"
        content = read_json(path, _ADVICE)
        wrong = set(content) ^ {field.name for field in fields(FittedFacts)}
        if wrong:
            raise CrossoverError(
                f"{path} must hold the facts of a fitted network, check {', '.join(sorted(wrong))}; "
                f"fit it again with `{_ADVICE}`"
            )
        facts = FittedFacts(**content)
        network = facts.build(from_spec(facts.architecture, str(path)))
        try:
            network.load_state_dict(load_file(weights))
        except FileNotFoundError:
            raise CrossoverError(
                f"{weights} does not exist; fit the network again with `{_ADVICE}`"
            ) from None
        except (SafetensorError, RuntimeError) as error:
            raise CrossoverError(
                f"{weights} does not hold the weights of its network "
                f"({str(error).splitlines()[0].rstrip(':')}); delete its folder and run `{_ADVICE}`"
            ) from error
        encoder: Any = None
        if facts.vocabulary:
            encoder = Vocabulary.load(folder)
        elif len(facts.input_shape) == 1:
            from crossover.core.skops_io import load

            encoder = load(folder / "encoder.skops")
        return cls(facts, network, encoder)


def takes(made_by: partial, name: str) -> bool:
    """Whether a class has an argument of that name: an architecture `categories`, an optimiser `fused`."""
    return name in inspect.signature(made_by.func).parameters


def to_tensor(X: Input, encoder: Any) -> Tensor:
    """The input as one tensor on the CPU.

    Images are uint8 (n, h, w, c), an encoded table float32 (n, columns), texts int32 (n, words).

    Raises:
        CrossoverError: the input is of another kind than the network's, or a table holds infinity.
    """
    fitted_on: Modality = (
        "image" if encoder is None else "text" if isinstance(encoder, Vocabulary) else "table"
    )
    if modality_of(X) != fitted_on:
        wanted = {"image": "images", "table": "a table", "text": "texts"}[fitted_on]
        raise CrossoverError(
            f"the network was fitted on {wanted}, got {type(X).__name__}; predict on such data"
        )
    if fitted_on == "text":
        return torch.from_numpy(encoder.transform(texts_of(X)))
    if isinstance(X, pd.DataFrame):
        try:
            return torch.from_numpy(np.ascontiguousarray(encoder.transform(X), dtype=np.float32))
        except ValueError:
            from crossover.features.tables import refuse_infinite

            refuse_infinite(X)  # only where it failed: the check costs as much as encoding one row
            raise
    if X.dtype != np.uint8 or X.ndim != 4:
        raise CrossoverError(
            f"images must be uint8 (n, height, width, channels), got {X.dtype} {X.shape}; "
            "make them with `dvc repro prepare`"
        )
    return torch.from_numpy(np.require(X, requirements=["C", "W"]))


@contextmanager
def _same_on_every_device(device_type: str) -> Iterator[None]:
    """Convolutions in full float32 on a GPU too, so that a CPU agrees; cuDNN rounds to TF32 by default."""
    if device_type == "cpu":
        yield
        return
    allowed = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = allowed
