"""Numbers as text, the same in tables, sentences, figures and log lines. What is missing (NaN) is a dash."""

import math
from typing import Any

MISSING = "–"  # noqa: RUF001


def percent(value: float, digits: int = 2) -> str:
    """0.98847 -> "98.85"."""
    return MISSING if math.isnan(value) else f"{100 * value:.{digits}f}"


def points(value: float) -> str:
    """A difference of accuracies in percentage points, with its sign: 0.0034 -> "+0.34"."""
    return f"{100 * value:+.2f}".replace("-", "−")  # noqa: RUF001


def percent_interval(interval: Any) -> str:
    """An interval whose ends `low` and `high` are shares: "98.10 to 98.60"."""
    return f"{percent(interval.low)} to {percent(interval.high)}"


def points_interval(interval: Any) -> str:
    """The same for a difference of shares: "−0.10 to +0.34"."""  # noqa: RUF002
    return f"{points(interval.low)} to {points(interval.high)}"


def decimals(value: float, digits: int) -> str:
    return MISSING if math.isnan(value) else f"{value:.{digits}f}"


def signed(value: float, digits: int) -> str:
    """A difference with its sign, but 0 without one: -0.00213 -> "−0.0021" for 4 digits."""  # noqa: RUF002
    text = f"{value:+.{digits}f}".replace("-", "−")  # noqa: RUF001
    return text if float(text[1:]) else text[1:]


def significant(value: float, digits: int = 2) -> str:
    """A plain decimal number with so many significant digits, but no whole digit lost: 1234.6 -> "1235"."""
    if math.isnan(value):
        return MISSING
    if value == 0:
        return "0"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"


def whole(value: float) -> str:
    """57898.3 -> "57,898"."""
    return f"{value:,.0f}" if math.isfinite(value) else MISSING


def about(value: float) -> str:
    """57898.3 -> "58,000"."""
    return whole(float(f"{value:.2g}"))


def duration(seconds: float, digits: int = 2) -> str:
    """A time in the unit in which people say it: 0.0312 -> "0.031 s", 600 -> "10 min"."""
    for unit, factor in (("h", 3600.0), ("min", 60.0)):
        if seconds >= factor:
            return f"{significant(seconds / factor, digits)} {unit}"
    return MISSING if math.isnan(seconds) else f"{significant(seconds, digits)} s"


def size(n_bytes: float) -> str:
    """2345678 -> "2.3 MB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= factor:
            return f"{significant(n_bytes / factor)} {unit}"
    return MISSING if math.isnan(n_bytes) else f"{n_bytes:.0f} B"


def p_text(p: float) -> str:
    """A p value: 0.0312 -> "0.031", and nothing below 0.001."""
    return "below 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def share(value: float) -> str:
    """A share of the resamples; 10,000 of them cannot tell 99.99 % from certainty, or 0.01 % from never."""
    if value > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if value < 0.001 else f"{100 * value:.1f} %"
