"""Each block of handcrafted features, on images whose description is known."""

import numpy as np
import pytest

from crossover.features.blocks import (
    Colours,
    Edges,
    Hog,
    LocalBinaryPatterns,
    Moments,
    Profiles,
    Zoning,
)

HOG = Hog(orientations=4, cell=4, block=2, normalization="L2-Hys")


@pytest.fixture
def step():
    """Black on the left, white on the right: float32 (1, 8, 8, 1)."""
    image = np.zeros((1, 8, 8, 1), np.float32)
    image[:, :, 4:] = 1
    return image


def test_hog_sees_the_direction_of_an_edge(step):
    upright = HOG.describe(step).reshape(-1, 4).sum(axis=0)
    lying = HOG.describe(step.transpose(0, 2, 1, 3)).reshape(-1, 4).sum(axis=0)
    assert upright[0] > 0
    assert upright[1:].max() == 0
    assert lying.argmax() != 0


def test_a_constant_image_has_no_gradient(step):
    grey = np.full_like(step, 0.5)
    assert not HOG.describe(grey).any()
    assert not Edges(threshold=0.1, grid=2).describe(grey).any()


def test_zones_are_means_also_where_the_size_does_not_divide():
    image = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1)
    zones = Zoning(grid=2).describe(image)
    # rows and columns 0-1 and 2-4
    expected = [image[0, a, b].mean() for a in (slice(2), slice(2, 5)) for b in (slice(2), slice(2, 5))]
    np.testing.assert_allclose(zones[0], expected)


def test_profiles_are_row_means_then_column_means(step):
    both = Profiles(rows=True, columns=True).describe(step)[0]
    np.testing.assert_allclose(both, [0.5] * 8 + [0] * 4 + [1] * 4)
    assert Profiles(rows=False, columns=True).describe(step).shape == (1, 8)


def test_patterns_are_shares_in_each_zone(step):
    shares = LocalBinaryPatterns(points=8, radius=1, grid=2).describe(step).reshape(4, 10)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)


def test_hu_invariants_do_not_depend_on_place_or_quarter_turn():
    rng = np.random.default_rng(0)
    image = np.zeros((1, 24, 24, 1), np.float32)
    image[:, 2:10, 3:9] = rng.uniform(size=(1, 8, 6, 1))
    moved, turned = np.roll(image, (9, 7), axis=(1, 2)), np.rot90(image, axes=(1, 2))
    block = Moments(hu_scale=1e-8)
    plain, after_move, after_turn = (block.describe(i)[0] for i in (image, moved, turned))
    np.testing.assert_allclose(after_move[-7:], plain[-7:], atol=1e-3)
    np.testing.assert_allclose(after_turn[-7:], plain[-7:], atol=1e-3)
    np.testing.assert_allclose(after_move[1:3] - plain[1:3], [9 / 24, 7 / 24], atol=1e-6)


def test_a_black_image_has_its_centroid_in_the_middle():
    described = Moments(hu_scale=1e-8).describe(np.zeros((1, 8, 8, 1), np.float32))[0]
    np.testing.assert_array_equal(described, [0, 0.5, 0.5, *[0] * 14])


def test_edges_lie_where_the_brightness_changes(step):
    density = Edges(threshold=0.1, grid=4).describe(step).reshape(4, 4)
    np.testing.assert_allclose(density, [[0, 0.5, 0.5, 0]] * 4)


def test_colours_count_pixels_in_each_channel():
    image = np.zeros((1, 4, 4, 3), np.float32)
    image[..., 0] = 1  # all red
    histogram = Colours(space="rgb", bins=4).describe(image).reshape(4, 3)  # (bin, channel)
    np.testing.assert_array_equal(histogram, [[0, 1, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0]])
    assert Colours(space="hsv", bins=4).describe(image[..., :1]).shape == (1, 0)
