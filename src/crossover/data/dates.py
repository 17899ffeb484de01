"""Which columns of a table come from dates: the days of a date stand in a column of their own, under these names."""

import numpy as np
import pandas as pd

DAYS, MONTH, WEEKDAY, HOUR = " (days)", " (month)", " (weekday)", " (hour)"
"""Behind the name of a column of dates: what stands in the columns that are made of it."""


def numbers_of_dates(name: str, dates: pd.Series, *, hour: bool) -> pd.DataFrame:
    """The inputs that a column of dates becomes: float64.

    Args:
        name: of the column.
        dates: in UTC; NaT is missing.
        hour: whether the hour of the day is one of them.
    """
    parts: dict[str, pd.Series] = {
        f"{name}{DAYS}": (dates - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1),
        f"{name}{MONTH}": dates.dt.month,
        f"{name}{WEEKDAY}": dates.dt.day_of_week,
    }
    if hour:
        parts[f"{name}{HOUR}"] = dates.dt.hour
    return pd.DataFrame({key: values.astype(np.float64) for key, values in parts.items()})


def date_columns(table: pd.DataFrame) -> dict[str, str]:
    """By the name of each column of dates that inputs were made of, the column that holds its days since 1970."""
    names = {str(name) for name in table}
    stems = [name.removesuffix(DAYS) for name in names if name.endswith(DAYS)]
    dated = {stem for stem in stems if {f"{stem}{MONTH}", f"{stem}{WEEKDAY}"} <= names}
    return {
        str(name).removesuffix(DAYS): str(name) for name in table if str(name).removesuffix(DAYS) in dated
    }
