"""Tables as numbers: the same encoding for the classical models and for a network."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from crossover.core.errors import CrossoverError


def table_encoder(X: pd.DataFrame) -> Pipeline:
    """An encoder, not yet fitted, for tables with the columns of `X`; its output is dense float32 (n, d).

    Numbers: a missing one becomes the median, with an indicator column where the training part has missing
    ones; then everything is scaled to mean 0 and standard deviation 1. Categories: one column each; missing
    is a category of its own, and one that the training part does not have is a row of zeros.
    """
    is_number = {name: pd.api.types.is_numeric_dtype(dtype) for name, dtype in X.dtypes.items()}
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer(
        [
            ("numbers", numbers, [name for name in X if is_number[name]]),
            ("categories", categories, [name for name in X if not is_number[name]]),
        ]
    )
    # The cast comes last: a large number in float32 would lose its digits before its mean is taken off.
    return Pipeline([("columns", columns), ("float32", FunctionTransformer(np.float32))])


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
