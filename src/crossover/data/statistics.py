"""Statistics of a training part, validation rows included: what `statistics.json` holds.

    class_counts   examples of each class, in the order of the classes
    mean, std      images: of value / value_max, one number a channel
    numeric        tables: {column: {mean, std, median, missing}}; null where every value is missing
    categorical    tables: {column: {counts: {category: n}, missing}}

`std` is the population's (the sum of squares is divided by n); `missing` counts null values.
"""

from typing import Any

import numpy as np
import pandas as pd

from crossover.data.prepared import Part


def statistics(train: Part) -> dict[str, Any]:
    """Statistics of a training part, as the module's docstring lists them."""
    counts = np.bincount(train.y, minlength=train.n_classes).tolist()
    if not isinstance(train.X, pd.DataFrame):
        return {"class_counts": counts, **_of_images(train.X, train.value_max)}
    numeric = train.X.select_dtypes("number").columns
    return {
        "class_counts": counts,
        "numeric": {name: _of_numbers(train.X[name]) for name in numeric},
        "categorical": {name: _of_categories(train.X[name]) for name in train.X.columns.difference(numeric)},
    }


def _of_images(X: np.ndarray, value_max: float) -> dict[str, list[float]]:
    """Mean and deviation a channel, from exact counts of the 256 values: no float copy of the images."""
    scale = np.arange(256) / value_max
    shares = [np.bincount(X[..., c].ravel(), minlength=256) / X[..., c].size for c in range(X.shape[3])]
    means = [float(share @ scale) for share in shares]
    deviations = [float(np.sqrt(share @ (scale - m) ** 2)) for share, m in zip(shares, means, strict=True)]
    return {"mean": means, "std": deviations}


def _of_numbers(column: pd.Series) -> dict[str, float | int | None]:
    described = {"mean": column.mean(), "std": column.std(ddof=0), "median": column.median()}
    values = {key: None if np.isnan(value) else float(value) for key, value in described.items()}
    return {**values, "missing": int(column.isna().sum())}


def _of_categories(column: pd.Series) -> dict[str, Any]:
    counts = {str(category): int(n) for category, n in column.value_counts().items()}
    return {"counts": counts, "missing": int(column.isna().sum())}
