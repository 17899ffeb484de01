"""An example in words, as far as a line has room for it."""

import numpy as np
import pandas as pd

from crossover.data.prepared import Part, modality_of

LONGEST_QUOTE = 80
"""Characters of a text that a finding quotes."""

LONGEST_ROW = 100
"""Characters of a table's row that a finding quotes, about."""


def quoted(part: Part, k: int) -> str:
    """An example's text, or some of the values of its row; nothing of an image."""
    if isinstance(part.X, pd.DataFrame):
        return f": {_row_quoted(part.X, part.y == part.y[k], k)}"
    return f": “{_shortened(part.X[k], LONGEST_QUOTE)}”" if modality_of(part.X) == "text" else ""


def _row_quoted(X: pd.DataFrame, of_class: np.ndarray, k: int) -> str:
    """Values of a row, those first that are the least usual in its class.

    A number is as usual as the share of the class that lies at least as far from the class's median; any other value is
    as usual as its share.
    """
    own, row = X[of_class], X.iloc[k]
    usual = {}
    for name in map(str, X):
        value, column = row[name], own[name]
        if pd.isna(value):
            same = column.isna()
        elif pd.api.types.is_numeric_dtype(column):
            same = (column - column.median()).abs() >= abs(value - column.median())
        else:
            same = column == value
        usual[name] = float(same.mean())
    quoted = ""
    for name in sorted(usual, key=lambda name: usual[name]):
        value = row[name]
        text = "missing" if pd.isna(value) else f"{value:.6g}" if isinstance(value, float) else str(value)
        more = f"{', ' if quoted else ''}{name} {_shortened(text, LONGEST_QUOTE)}"
        if quoted and len(quoted) + len(more) > LONGEST_ROW:
            return f"{quoted}, …"
        quoted += more
    return quoted


def _shortened(text: str, longest: int) -> str:
    short = " ".join(text.split())
    return short if len(short) <= longest else f"{short[:longest]}…"
