"""LeNet-5 (LeCun et al. 1998, "Gradient-based learning applied to document recognition")."""

from collections.abc import Sequence

from torch import Tensor, nn


class LeNet5(nn.Module):
    """LeNet-5 as later texts write it: tanh, average pooling, a full C3 and a linear output.

    The paper's subsampling has trainable coefficients, its C3 leaves connections out, and its output is a
    radial basis layer on fixed codes.

    Args:
        input_shape: (height, width, channels); 32x32 in the paper.
        n_classes: number of classes.
    """

    def __init__(self, input_shape: Sequence[int], n_classes: int) -> None:
        super().__init__()
        height, width, channels = input_shape
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, 6, 5),  # C1
            nn.Tanh(),
            nn.AvgPool2d(2),  # S2
            nn.Conv2d(6, 16, 5),  # C3
            nn.Tanh(),
            nn.AvgPool2d(2),  # S4
        )
        height, width = (((side - 4) // 2 - 4) // 2 for side in (height, width))
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * height * width, 120),  # C5: its 5x5 kernels cover the whole of S4
            nn.Tanh(),
            nn.Linear(120, 84),  # F6
            nn.Tanh(),
        )
        self.head = nn.Linear(84, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch."""
        x = self.convolutions(x)  # (batch, 1, 32, 32) -> (batch, 6, 14, 14) -> (batch, 16, 5, 5)
        x = self.dense(x)  # -> (batch, 400) -> (batch, 120) -> (batch, 84)
        return self.head(x)  # -> (batch, 10)
