"""RealMLP, a multilayer perceptron with the details that make one strong on tables."""

from collections.abc import Sequence
from itertools import pairwise
from math import pi, sqrt

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from crossover.models.deep.table_columns import split_columns

CLIP = 3.0
"""Far from the median, a number comes close to so many interquartile ranges and never gets there."""


class RealMLP(nn.Module):
    """RealMLP-TD (Holzmüller, Grinsztajn and Steinwart 2024, arXiv 2407.04491).

    Numbers are scaled by their quartiles and clipped smoothly, and each becomes a few more by sines; categories with
    few values become columns of 0 and 1, the others vectors. A weight of each input follows, then layers in the neural
    tangent parametrisation, whose activation learns how far it is from a straight line.

    Unlike there, offsets begin at 0 and not by the data, and columns of 0 and 1 are neither scaled nor turned into
    sines. What differs in the training stands in `conf/model/realmlp.yaml`.

    Args:
        input_shape: (columns,), those of codes last.
        n_classes: number of classes.
        categories: how many categories each column of codes has.
        hidden: width of each hidden layer.
        dropout: probability of dropping a hidden unit.
        frequencies: of the sines of a number.
        frequency_scale: standard deviation of the frequencies at the start.
        embedding: numbers that a number becomes, itself among them.
        most_one_hot: categories of a column up to which it becomes columns of 0 and 1.
        category_embedding: width of the vector of a category in a column that has more.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int,
        categories: Sequence[int],
        *,
        hidden: Sequence[int],
        dropout: float,
        frequencies: int,
        frequency_scale: float,
        embedding: int,
        most_one_hot: int,
        category_embedding: int,
    ) -> None:
        super().__init__()
        self.categories = list(categories)
        n = input_shape[0] - len(self.categories)
        self.register_buffer("centre", torch.zeros(n))
        self.register_buffer("factor", torch.ones(n))
        self.frequencies = nn.Parameter(frequency_scale * torch.randn(n, frequencies))
        self.phases = nn.Parameter(pi * (2 * torch.rand(n, frequencies) - 1))
        self.mixing = nn.Parameter((2 * torch.rand(n, frequencies, embedding - 1) - 1) / sqrt(frequencies))
        self.shift = nn.Parameter(torch.zeros(n, embedding - 1))
        vectors = {
            str(k): nn.Embedding(count, category_embedding)
            for k, count in enumerate(self.categories)
            if count - 2 > most_one_hot  # without missing and unknown ones
        }
        self.vectors = nn.ModuleDict(vectors)
        columns = [
            category_embedding if str(k) in vectors else count for k, count in enumerate(self.categories)
        ]
        widths = [n * embedding + sum(columns), *hidden]
        self.scale = nn.Parameter(torch.ones(widths[0]))
        self.layers = nn.ModuleList(_Linear(*pair) for pair in pairwise(widths))
        self.bends = nn.ParameterList(nn.Parameter(torch.ones(width)) for width in hidden)
        self.dropout = nn.Dropout(dropout)
        self.classifier = _Linear(widths[-1], n_classes)

    def observe(self, x: Tensor) -> None:
        """Take medians and quartiles from the inputs (n, columns) of a training part."""
        numbers, _ = split_columns(x, self.categories)
        if numbers is None:
            return
        # NumPy's, since torch's own takes at most 16 million values.
        quartiles = np.quantile(numbers.numpy(), [0.25, 0.5, 0.75], axis=0).astype(np.float32)
        low, middle, high = torch.from_numpy(quartiles)
        span = numbers.amax(0) - numbers.amin(0)
        width = torch.where(high > low, high - low, span / 2)  # where half of the values are equal
        self.centre = middle
        self.factor = torch.where(width > 0, 1 / width.clamp_min(1e-30), torch.zeros_like(width))

    def parameter_groups(self) -> list[dict]:
        """The parameters with their learning rates and weight decays, as multiples of those of the optimiser."""
        linear = [*self.layers, self.classifier]
        return [
            {"params": [layer.weight for layer in linear], "rate": 1.0, "decay": 1.0},
            {"params": [layer.bias for layer in linear], "rate": 0.1, "decay": 0.0},
            {"params": [self.scale], "rate": 6.0, "decay": 1.0},
            {"params": [*self.bends], "rate": 0.1, "decay": 1.0},
            {"params": [self.frequencies, self.phases, self.mixing, self.shift], "rate": 0.1, "decay": 1.0},
            {"params": [*self.vectors.parameters()], "rate": 1.0, "decay": 1.0},
        ]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, columns) -> logits (batch, n_classes)."""
        numbers, codes = split_columns(x, self.categories)
        inputs = []
        if numbers is not None:
            z = (numbers - self.centre) * self.factor
            z = (z / (1 + (z / CLIP) ** 2).sqrt())[..., None]  # (batch, n, 1)
            waves = torch.cos(2 * pi * z * self.frequencies + self.phases)  # -> (batch, n, frequencies)
            mixed = torch.einsum("bnf,nfe->bne", waves, self.mixing) + self.shift
            inputs.append(torch.cat([z, mixed], dim=2).flatten(1))  # -> (batch, n · embedding)
        if codes is not None:
            for k, count in enumerate(self.categories):
                column = codes[:, k]
                one_hot = str(k) not in self.vectors
                inputs.append(
                    F.one_hot(column, count).to(x.dtype) if one_hot else self.vectors[str(k)](column)
                )
        y = torch.cat(inputs, dim=1) * self.scale
        for layer, bend in zip(self.layers, self.bends, strict=True):
            y = layer(y)
            y = self.dropout(y + bend * (F.selu(y) - y))
        return self.classifier(y)


class _Linear(nn.Module):
    """A layer in the neural tangent parametrisation: weights of standard deviation 1, divided by √inputs."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight / sqrt(len(self.weight)) + self.bias
