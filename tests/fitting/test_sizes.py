"""The sizes of a learning curve."""

import numpy as np
import pytest

from crossover.core.errors import CrossoverError
from crossover.fitting.subsets import curve_sizes

Y = np.repeat([0, 1, 2], [700, 200, 100])


def test_a_number_of_sizes_is_spaced_on_a_logarithmic_scale():
    # Five examples of a class with a share of a tenth are 50; then 50 · 20^(1/3) = 135.7 and 50 · 20^(2/3) = 368.4.
    assert curve_sizes(4, Y) == [50, 140, 370, 1000]


def test_the_last_size_is_all_and_not_rounded():
    y = np.repeat([0, 1], [617, 616])
    assert curve_sizes(2, y) == [11, 1233]  # 5 / (616 / 1233) = 10.008, rounded up


def test_sizes_that_rounding_makes_equal_count_once():
    y = np.repeat([0, 1], 10)
    sizes = curve_sizes(50, y)
    assert sizes == sorted(set(sizes))
    assert sizes == list(range(10, 21))  # two digits tell ten to twenty apart


def test_a_class_with_fewer_than_five_examples_leaves_one_size():
    assert curve_sizes(5, np.repeat([0, 1], [40, 4])) == [44]


def test_listed_sizes_are_kept_as_far_as_the_data_reach():
    assert curve_sizes([33, 1000, 2000], Y) == [33, 1000]
    assert curve_sizes([5000], Y) == [1000]


@pytest.mark.parametrize(
    "size", [2, 3]
)  # of 3, the stratified subset is two of the first class and one other
def test_a_listed_size_that_lacks_a_class_is_refused(size):
    with pytest.raises(CrossoverError, match=rf"learning_curve\.sizes.* a subset of {size} .*lacks 1 of the"):
        curve_sizes([size, 100], Y)
