"""Tables as numbers: the same encoding for the classical models and for a network."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from crossover.core.errors import CrossoverError

UNKNOWN, MISSING = -1, -2
"""Codes of a category that the training part does not have, and of none; the others count from 0."""


def table_encoder(X: pd.DataFrame, *, codes: bool = False) -> Pipeline:
    """An encoder, not yet fitted, for tables with the columns of `X`; its output is dense float32 (n, d).

    Numbers: a missing one becomes the median, with an indicator column where the training part has missing
    ones; then everything is scaled to mean 0 and standard deviation 1. Categories: one column each; missing
    is a category of its own, and one that the training part does not have is a row of zeros.

    Args:
        X: the table.
        codes: each column of categories becomes one column of codes, as `UNKNOWN` says; they come last.
    """
    is_number = {name: pd.api.types.is_numeric_dtype(dtype) for name, dtype in X.dtypes.items()}
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    categories = (
        OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=UNKNOWN, encoded_missing_value=MISSING
        )
        if codes
        else OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    )
    columns = ColumnTransformer(
        [
            ("numbers", numbers, [name for name in X if is_number[name]]),
            ("categories", categories, [name for name in X if not is_number[name]]),
        ]
    )
    # The cast comes last: a large number in float32 would lose its digits before its mean is taken off.
    return Pipeline([("columns", columns), ("float32", FunctionTransformer(np.float32))])


def category_counts(encoder: Pipeline) -> list[int]:
    """How many categories each column of codes has, missing and unknown among them, given a fitted encoder."""
    columns = encoder["columns"]
    if not columns.transformers_[1][2]:  # the columns of the second transformer
        return []
    return [len(categories) + 2 for categories in columns.named_transformers_["categories"].categories_]


def encoded_names(encoder: Pipeline) -> list[str]:
    """The name of each output column of a fitted encoder, such as "age" or "education_Bachelors"."""
    names = []
    for _, transformer, columns in encoder["columns"].transformers_:
        if len(columns) and transformer != "drop":
            names += transformer.get_feature_names_out(columns).tolist()
    return names


def refuse_infinite(X: pd.DataFrame) -> None:
    """Refuse a table that the encoder cannot scale.

    Raises:
        CrossoverError: a column holds infinity.
    """
    for name, column in X.select_dtypes("number").items():
        if np.isinf(column.to_numpy(dtype=float)).any():
            raise CrossoverError(
                f"a number must be finite or missing, got infinity in column {name}; fix it where the "
                "data set's raw files are read"
            )
