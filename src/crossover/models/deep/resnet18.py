"""ResNet-18 (He et al. 2015, "Deep residual learning for image recognition") for small images."""

from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.models import resnet18


class ResNet18(nn.Module):
    """torchvision's ResNet-18, untrained, with the stem that is usual for images of about 32x32.

    The original stem (7x7, stride 2, then max pooling) is made for 224x224 and leaves 8x8 of a 32x32 image;
    here a 3x3 convolution of stride 1 keeps the image's size.

    Args:
        input_shape: (height, width, channels).
        n_classes: number of classes.
    """

    def __init__(self, input_shape: Sequence[int], n_classes: int) -> None:
        super().__init__()
        self.resnet = resnet18(weights=None, num_classes=n_classes)
        self.resnet.conv1 = nn.Conv2d(input_shape[2], 64, kernel_size=3, stride=1, padding=1, bias=False)
        nn.init.kaiming_normal_(
            self.resnet.conv1.weight, mode="fan_out", nonlinearity="relu"
        )  # as torchvision's
        self.resnet.maxpool = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Logits of a batch."""
        # (batch, 3, 32, 32) -> (batch, 64, 32, 32) -> … -> (batch, 512, 4, 4) -> (batch, 512) -> (batch, 10)
        return self.resnet(x)
