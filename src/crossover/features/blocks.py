"""The blocks of columns that handcrafted features consist of.

Each row depends on its own image alone. Zones are the cells of a grid over the image, as equal in size as
whole pixels allow. A constant image has no gradients, so `Hog` and `Edges` are zero on it; all is finite.
"""

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np

# These load lazily: their code is imported at the first call, so that a table does not pay for it.
import skimage.color
import skimage.feature
import skimage.measure
from pydantic import PositiveInt

from crossover.core.errors import CrossoverError
from crossover.core.settings import Number, Settings


class Block(Settings, ABC):
    """One way to describe images; its fields are the keys of its node in `conf/features/*.yaml`."""

    @abstractmethod
    def describe(self, images: np.ndarray) -> np.ndarray:
        """Images float32 (n, height, width, channels) in [0, 1] -> float (n, d)."""


class Hog(Block):
    """Histograms of oriented gradients (Dalal and Triggs 2005), as scikit-image computes them.

    Attributes:
        orientations: bins over half a turn.
        cell: pixels along the side of a cell, which holds one histogram.
        block: cells along the side of a block, within which histograms are normalised.
        normalization: scikit-image's `block_norm`.
    """

    orientations: PositiveInt
    cell: PositiveInt
    block: PositiveInt
    normalization: Literal["L1", "L1-sqrt", "L2", "L2-Hys"]

    def describe(self, images: np.ndarray) -> np.ndarray:
        side = self.cell * self.block
        if min(images.shape[1:3]) < side:
            raise CrossoverError(
                f"hog needs images of at least {side}x{side} (cell times block), got "
                f"{images.shape[1]}x{images.shape[2]}; raise min_size or lower the two"
            )
        options: dict[str, Any] = dict(
            orientations=self.orientations,
            pixels_per_cell=(self.cell, self.cell),
            cells_per_block=(self.block, self.block),
            block_norm=self.normalization,
        )
        return np.stack([skimage.feature.hog(image, **options, channel_axis=-1) for image in images])


class Zoning(Block):
    """The mean of each channel in each zone.

    Attributes:
        grid: zones along each side.
    """

    grid: PositiveInt

    def describe(self, images: np.ndarray) -> np.ndarray:
        return _zone_means(images, self.grid)


class Profiles(Block):
    """Projection profiles: the mean grey value of each row and of each column.

    Attributes:
        rows: whether to take the rows.
        columns: whether to take the columns.
    """

    rows: bool
    columns: bool

    def describe(self, images: np.ndarray) -> np.ndarray:
        grey = _grey(images)
        parts = [grey.mean(axis=2)] * self.rows + [grey.mean(axis=1)] * self.columns
        return np.hstack(parts) if parts else np.empty((len(images), 0), np.float32)


class LocalBinaryPatterns(Block):
    """Share of each uniform local binary pattern in each zone (Ojala, Pietikäinen and Mäenpää 2002).

    Attributes:
        points: neighbours that a pixel is compared with; gives points + 2 patterns.
        radius: distance of the neighbours in pixels.
        grid: zones along each side.
    """

    points: PositiveInt
    radius: Number
    grid: PositiveInt

    def describe(self, images: np.ndarray) -> np.ndarray:
        # Whole grey values, since float noise would decide the comparison of equal neighbours.
        grey = np.rint(_grey(images) * 255).astype(np.uint8)
        codes = [skimage.feature.local_binary_pattern(g, self.points, self.radius, "uniform") for g in grey]
        # (n, height, width) -> (n, height, width, patterns)
        patterns = np.stack(codes)[..., None] == np.arange(self.points + 2)
        return _zone_means(patterns.astype(np.float32), self.grid)


class Moments(Block):
    """Mean, centroid, normalised central moments of order 2 and 3, Hu's invariants (Hu 1962), on grey values.

    The centroid is in parts of the image's sides. A Hu invariant h, whose size spans many orders, becomes
    arcsinh(h / hu_scale) / arcsinh(1 / hu_scale): proportional to h below the scale, logarithmic above it;
    1 stays 1, which keeps the range of the other blocks. A black image has its centroid in the middle and all
    moments 0.

    Attributes:
        hu_scale: below it an invariant counts as small.
    """

    hu_scale: Number

    def describe(self, images: np.ndarray) -> np.ndarray:
        # 1 mean, 2 coordinates, 7 moments, 7 invariants; a black image keeps this first value.
        found = np.tile(np.array([0, 0.5, 0.5] + [0] * 14, np.float32), (len(images), 1))
        for row, grey in zip(found, _grey(images).astype(np.float64), strict=True):
            mass = grey.sum()
            if mass == 0:
                continue
            raw = skimage.measure.moments(grey, order=1)
            centre = np.array([raw[1, 0], raw[0, 1]]) / mass
            central = skimage.measure.moments_central(grey, centre, order=3)
            normal = skimage.measure.moments_normalized(central)
            orders = [normal[i, j] for i in range(4) for j in range(4) if 2 <= i + j <= 3]
            hu = np.arcsinh(skimage.measure.moments_hu(normal) / self.hu_scale)
            hu /= np.arcsinh(1 / self.hu_scale)
            row[:] = np.hstack([grey.mean(), (centre + 0.5) / grey.shape, orders, hu])
        return found


class Edges(Block):
    """Edge density: the share of pixels in each zone whose grey value changes steeply.

    Attributes:
        threshold: change of brightness per pixel, where white is 1, from which a pixel lies on an edge.
        grid: zones along each side.
    """

    threshold: Number
    grid: PositiveInt

    def describe(self, images: np.ndarray) -> np.ndarray:
        down, across = np.gradient(_grey(images), axis=(1, 2))
        on_edge = np.hypot(down, across) >= self.threshold
        return _zone_means(on_edge[..., None].astype(np.float32), self.grid)


class Colours(Block):
    """One histogram a channel over the whole image; no columns where an image has not three channels.

    Attributes:
        space: "hsv" or "rgb".
        bins: of each histogram.
    """

    space: Literal["hsv", "rgb"]
    bins: PositiveInt

    def describe(self, images: np.ndarray) -> np.ndarray:
        if images.shape[-1] != 3:
            return np.empty((len(images), 0), np.float32)
        channels = skimage.color.rgb2hsv(images) if self.space == "hsv" else images
        bins = np.minimum((channels * self.bins).astype(np.int64), self.bins - 1)
        # one (n, channels) a bin -> (n, bins · channels)
        return np.hstack([(bins == b).mean(axis=(1, 2), dtype=np.float32) for b in range(self.bins)])


def _grey(images: np.ndarray) -> np.ndarray:
    """(n, height, width, channels) -> (n, height, width): luminance of RGB, else the mean of the channels."""
    return skimage.color.rgb2gray(images) if images.shape[-1] == 3 else images.mean(axis=-1)


def _zone_means(values: np.ndarray, grid: int) -> np.ndarray:
    """(n, height, width, c) -> (n, grid · grid · c): the mean of each of the last axis in each zone."""
    height, width = values.shape[1:3]
    if min(height, width) < grid:
        raise CrossoverError(
            f"a grid must not have more zones along a side than the image has pixels, got {grid} for "
            f"{height}x{width}; lower the grid or raise min_size"
        )
    top, left = np.arange(grid) * height // grid, np.arange(grid) * width // grid
    sums = np.add.reduceat(np.add.reduceat(values, top, axis=1), left, axis=2)
    areas = np.diff(top, append=height)[:, None] * np.diff(left, append=width)
    return (sums / areas[..., None].astype(np.float32)).reshape(len(values), -1)
