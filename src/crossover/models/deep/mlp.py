"""A multilayer perceptron, for images (flattened) and tables (encoded)."""

from collections.abc import Sequence
from math import prod

from torch import Tensor, nn


class MLP(nn.Module):
    """Fully connected layers with ReLU between them.

    Args:
        input_shape: (height, width, channels) or (columns,).
        n_classes: number of classes.
        hidden: width of each hidden layer.
        dropout: probability of dropping a hidden unit, after each hidden layer.
    """

    def __init__(
        self, input_shape: Sequence[int], n_classes: int, *, hidden: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        width = prod(input_shape)
        for out_width in hidden:
            layers += [nn.Linear(width, out_width), nn.ReLU(), nn.Dropout(dropout)]
            width = out_width
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch; the shapes are those of MNIST and the textbook's sizes."""
        x = self.layers(x)  # (batch, 1, 28, 28) -> (batch, 784) -> (batch, 256) -> (batch, 128)
        return self.head(x)  # -> (batch, 10)
