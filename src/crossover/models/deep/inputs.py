"""From the prepared input to what a network sees; batch by batch, where the batch lies."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def network_shape(input_shape: Sequence[int], min_size: int | None) -> list[int]:
    """The shape of one example after `Inputs`: (height, width, channels) or (columns,).

    Both sides of an image grow by the same factor until the shorter one is `min_size`; a larger image
    stays as it is.
    """
    if len(input_shape) == 1 or min_size is None or min(input_shape[:2]) >= min_size:
        return list(input_shape)
    height, width, channels = input_shape
    factor = min_size / min(height, width)
    return [round(height * factor), round(width * factor), channels]


class Inputs(nn.Module):
    """Scales a batch, and permutes and resizes its images.

    Args:
        input_shape: (height, width, channels) of an image, (columns,) of an encoded table.
        value_max: the pixel value that becomes 1.
        min_size: the least height and width; None keeps every image as it is.
        permutation_seed: of one random order of an image's pixels, the same for all images; None keeps their places.
            A pixel keeps its channels together.
    """

    order: Tensor | None

    def __init__(
        self,
        input_shape: Sequence[int],
        value_max: float,
        min_size: int | None,
        permutation_seed: int | None = None,
    ) -> None:
        super().__init__()
        self.is_image = len(input_shape) == 3
        self.value_max = value_max
        size = network_shape(input_shape, min_size)[:2]
        self.size = None if size == list(input_shape[:2]) else size
        order = None
        if self.is_image and permutation_seed is not None:
            generator = torch.Generator().manual_seed(permutation_seed)
            order = torch.randperm(input_shape[0] * input_shape[1], generator=generator)
        # A buffer is saved with the weights: a model keeps its order whatever a later torch draws from the seed.
        self.register_buffer("order", order)

    def forward(self, x: Tensor) -> Tensor:
        """Images uint8 (batch, h, w, c) or a table float32 (batch, columns) to the network's input."""
        if not self.is_image:
            return x
        x = x.permute(0, 3, 1, 2).to(torch.float32) / self.value_max  # (batch, h, w, c) -> (batch, c, h, w)
        if self.order is not None:
            x = x.flatten(2)[:, :, self.order].reshape(x.shape)  # -> (batch, c, h·w) -> (batch, c, h, w)
        if self.size is not None:
            x = F.interpolate(x, self.size, mode="bilinear")  # -> (batch, c, size, size)
        return x.contiguous(memory_format=torch.channels_last)
