"""Statistics of a training part, validation rows included: what `statistics.json` holds.

    class_counts   examples of each class, in the order of the classes
    words          texts: {mean, std, least, most} of the number of words that blanks divide
    mean, std      images: of value / value_max, one number a channel
    numeric        tables: {column: {mean, std, median, missing}}; null where every value is missing
    categorical    tables: {column: {counts: {category: n}, missing}}

`std` is the population's (the sum of squares is divided by n); `missing` counts null values.
"""

from typing import Any

import numpy as np
import pandas as pd

from crossover.data.prepared import Part, modality_of, texts_of


def statistics(train: Part) -> dict[str, Any]:
    """Statistics of a training part, as the module's docstring lists them."""
    X, counts = train.X, np.bincount(train.y, minlength=train.n_classes).tolist()
    if modality_of(X) == "text":
        words = np.array([len(text.split()) for text in texts_of(X)])
        found = {"mean": words.mean(), "std": words.std(), "least": words.min(), "most": words.max()}
        return {"class_counts": counts, "words": {key: float(value) for key, value in found.items()}}
    if not isinstance(X, pd.DataFrame):
        # From exact counts of the 256 values that a pixel can take: no float copy of the images.
        scale = np.arange(256) / train.value_max
        shares = [np.bincount(X[..., c].ravel(), minlength=256) / X[..., c].size for c in range(X.shape[3])]
        means = [float(share @ scale) for share in shares]
        deviations = [
            float(np.sqrt(share @ (scale - m) ** 2)) for share, m in zip(shares, means, strict=True)
        ]
        return {"class_counts": counts, "mean": means, "std": deviations}
    numeric: dict[str, Any] = {}
    categorical: dict[str, Any] = {}
    numbers = X.select_dtypes("number").columns
    for name in X.columns:
        column = X[name]
        missing = int(column.isna().sum())
        if name in numbers:
            found = {"mean": column.mean(), "std": column.std(ddof=0), "median": column.median()}
            values = {key: None if np.isnan(value) else float(value) for key, value in found.items()}
            numeric[name] = {**values, "missing": missing}
        else:
            categories = {str(category): int(n) for category, n in column.value_counts().items()}
            categorical[name] = {"counts": categories, "missing": missing}
    return {"class_counts": counts, "numeric": numeric, "categorical": categorical}
