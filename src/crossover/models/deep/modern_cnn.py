"""A small convolutional network with batch normalisation."""

from collections.abc import Sequence

from torch import Tensor, nn


class ModernCNN(nn.Module):
    """Five 3x3 convolutions, each with batch normalisation (Ioffe and Szegedy 2015), and three max poolings.

    Two poolings halve the image, the last one takes the maximum of each channel. There is no hidden layer after the
    convolutions, and no dropout.

    Args:
        input_shape: (height, width, channels), at least 4 by 4.
        n_classes: number of classes.
        widths: output channels of the first convolution, of the next two, and of the last two.
    """

    def __init__(self, input_shape: Sequence[int], n_classes: int, *, widths: Sequence[int]) -> None:
        super().__init__()
        first, second, third = widths
        self.convolutions = nn.Sequential(
            _block(input_shape[2], first),
            nn.MaxPool2d(2),
            _block(first, second),
            _block(second, second),
            nn.MaxPool2d(2),
            _block(second, third),
            _block(third, third),
        )
        self.head = nn.Linear(third, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch; the shapes are those of MNIST and widths of 24, 48, 96."""
        x = self.convolutions(
            x
        )  # (batch, 1, 28, 28) -> (batch, 24, 14, 14) -> (batch, 48, 7, 7) -> (batch, 96, 7, 7)
        x = x.amax(dim=(2, 3))  # -> (batch, 96)
        return self.head(x)  # -> (batch, 10)


def _block(channels: int, width: int) -> nn.Sequential:
    # The normalisation subtracts the mean, so a bias before it would do nothing.
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
    )
