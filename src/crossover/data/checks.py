"""What the examples of a data set must be before anything is learned from them."""

import numpy as np
import pandas as pd

from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.data.source import DataSource


def check(part: Part, source: DataSource) -> None:
    """Refuse examples that break the contract of `crossover.data.prepared`.

    Raises:
        CrossoverError: a part is empty, labels are not whole numbers below the number of classes or are of a
            single class, a pixel lies above its largest value, a number is infinite, or a text is missing.
    """

    def unfit(rule: str) -> CrossoverError:
        return CrossoverError(
            f"the data set {source.name} must have {rule}; check {source.origin} and its raw files"
        )

    X, y = part.X, part.y
    if len(X) == 0 or len(X) != len(y):
        raise unfit(f"as many labels as examples, at least one, got {len(y)} and {len(X)}")
    if y.dtype != np.int64:  # labels with NaN are floats
        odd = [value for value in y.tolist() if not float(value).is_integer()] if y.dtype.kind == "f" else []
        raise unfit(f"a whole number as label of each example, got {odd[0] if odd else f'type {y.dtype}'}")
    if (outside := (y < 0) | (y >= part.n_classes)).any():
        raise unfit(f"labels from 0 to {part.n_classes - 1}, got {y[outside][0]}")
    if len(np.unique(y)) < 2:
        raise unfit(f"at least two classes in each part, got label {y[0]} alone")
    if isinstance(X, pd.DataFrame):
        numbers = X.select_dtypes("number")
        if infinite := [name for name in numbers if np.isinf(numbers[name]).any()]:
            raise unfit(f"finite numbers, got an infinite one in {', '.join(map(str, infinite))}")
        return
    if source.modality == "text":
        if odd := [value for value in X if not isinstance(value, str)]:
            raise unfit(f"a text for each example, got {odd[0]!r}")
        if not any(text.strip() for text in X):
            raise unfit("a text that is not empty, got empty ones alone")
        return
    if X.dtype != np.uint8 or X.ndim != 4:
        raise unfit(f"images uint8 (n, height, width, channels), got {X.dtype} {X.shape}")
    if X.max() > part.value_max:
        raise unfit(f"no pixel above value_max {part.value_max:g}, got {X.max()}")
