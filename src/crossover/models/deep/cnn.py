"""The textbook's small convolutional network."""

from collections.abc import Sequence

from torch import Tensor, nn


class CNN(nn.Module):
    """Blocks of convolution, ReLU and 2x2 max pooling, then one hidden layer with dropout.

    Weights start as torch initialises them (He-uniform with a = √5); Keras, in which the textbook's recipe is
    written, draws them Glorot-uniform.

    Args:
        input_shape: (height, width, channels).
        n_classes: number of classes.
        filters: output channels of each block.
        kernel_size: side of each convolution's kernel; no padding.
        hidden: width of the hidden layer.
        dropout: probability of dropping a hidden unit.
    """

    def __init__(
        self,
        input_shape: Sequence[int],
        n_classes: int,
        *,
        filters: Sequence[int],
        kernel_size: int,
        hidden: int,
        dropout: float,
    ) -> None:
        super().__init__()
        height, width, channels = input_shape
        blocks: list[nn.Module] = []
        for out_channels in filters:
            blocks += [nn.Conv2d(channels, out_channels, kernel_size), nn.ReLU(), nn.MaxPool2d(2)]
            height, width, channels = (
                (height - kernel_size + 1) // 2,
                (width - kernel_size + 1) // 2,
                out_channels,
            )
        self.blocks = nn.Sequential(*blocks)
        self.hidden = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * height * width, hidden), nn.ReLU(), nn.Dropout(dropout)
        )
        self.head = nn.Linear(hidden, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch; the shapes are those of MNIST and the textbook's sizes."""
        x = self.blocks(x)  # (batch, 1, 28, 28) -> (batch, 32, 13, 13) -> (batch, 64, 5, 5)
        x = self.hidden(x)  # -> (batch, 1600) -> (batch, 64)
        return self.head(x)  # -> (batch, 10)
