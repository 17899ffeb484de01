"""Tables as numbers."""

import numpy as np
import pandas as pd
import pytest

from crossover.core.errors import CrossoverError
from crossover.data.prepared import Part
from crossover.features.tables import encoded_names, table_encoder


@pytest.fixture
def frame(inputs):
    return inputs("table")


@pytest.fixture
def encoder(frame):
    return table_encoder(frame).fit(frame)


def column(encoder, X, name):
    return encoder.transform(X)[:, encoded_names(encoder).index(name)]


def test_output_is_dense_float32_with_a_name_a_column(encoder, frame):
    X = encoder.transform(frame)
    assert isinstance(X, np.ndarray)
    assert X.dtype == np.float32
    assert encoded_names(encoder) == [
        *["age", "income", "missingindicator_income"],
        *["city_Bonn", "city_Kiel", "job_baker", "job_clerk", "job_nan"],
    ]
    assert X.shape == (12, 8)


def test_numbers_are_scaled_by_the_training_part(encoder, frame):
    age = column(encoder, frame, "age")
    np.testing.assert_allclose([age.mean(), age.std()], [0, 1], atol=1e-5)


def test_a_missing_number_becomes_the_median_and_is_flagged(encoder, frame):
    filled = frame.assign(income=frame["income"].fillna(frame["income"].median()))
    np.testing.assert_array_equal(column(encoder, frame, "income"), column(encoder, filled, "income"))
    flag = column(encoder, frame, "missingindicator_income")
    np.testing.assert_array_equal(flag > 0, frame["income"].isna())


def test_a_number_missing_for_the_first_time_in_the_test_part_is_the_median(encoder, frame):
    late = column(encoder, frame.assign(age=np.nan), "age")
    expected = column(encoder, frame.assign(age=frame["age"].median()), "age")
    np.testing.assert_array_equal(late, expected)


def test_an_unknown_category_is_a_row_of_zeros(encoder, frame):
    X = encoder.transform(frame.assign(city="Ulm"))
    assert not X[:, [n.startswith("city") for n in encoded_names(encoder)]].any()


def test_a_missing_category_is_one_of_its_own(encoder, frame):
    np.testing.assert_array_equal(column(encoder, frame, "job_nan"), frame["job"].isna())


def test_a_column_missing_throughout_is_finite():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [np.nan, np.nan]})
    assert np.isfinite(table_encoder(frame).fit_transform(frame)).all()


@pytest.mark.parametrize("columns", [["age", "income"], ["city", "job"]])
def test_one_kind_of_column_is_enough(columns, frame):
    encoder = table_encoder(frame[columns]).fit(frame[columns])
    X = encoder.transform(frame[columns])
    assert X.dtype == np.float32
    assert X.shape == (12, len(encoded_names(encoder)))


def test_a_clash_of_names_does_no_harm():
    frame = pd.DataFrame({"a_b": [1.0, 2.0], "a": ["b", "c"]})
    encoder = table_encoder(frame).fit(frame)
    assert encoded_names(encoder) == ["a_b", "a_b", "a_c"]


def test_infinity_is_refused_with_its_column(make_set, frame):
    with pytest.raises(CrossoverError, match="infinity in column age"):
        make_set("raw").fit(Part(frame.assign(age=np.inf), np.zeros(12), 2))
