"""The tidy rows of one learning curve."""

from typing import Any

import pandas as pd

from crossover.core.columns import check_columns
from crossover.core.curve_columns import CURVE_COSTS, CURVE_SCORES

# pandas would write a whole number in a column with gaps as 1617.0.
_WHOLE = [
    "n",
    "n_watched",
    "n_validation",
    "n_test",
    "n_classes",
    "model_bytes",
    "peak_memory_bytes",
    "threads",
]


def score_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The columns `CURVE_SCORES`, in the order of the rows; what a row lacks is empty."""
    return _table(rows, CURVE_SCORES)


def cost_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The columns `CURVE_COSTS`, row for row beside `score_table`."""
    return _table(rows, CURVE_COSTS)


def _table(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table = table.reindex(columns=[*columns, *table.columns.difference(columns)])
    check_columns(table, columns, "rows of crossover.fitting.curve_rows")
    return table.astype({name: "Int64" for name in _WHOLE if name in columns})
