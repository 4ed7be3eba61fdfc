"""Numbers and times in the words of the report; an unknown one is a dash, never a zero."""

import math

from affetti.core.language import clock, counted, date, percent, text, time_of_day, times
from affetti.core.language import duration as seconds

__all__ = [
    "clock",
    "date",
    "index",
    "number",
    "percent",
    "seconds",
    "signed",
    "time_of_day",
    "times",
]

UNKNOWN = text("unknown")


def index(value: float) -> str:
    """Return a figure between 0 and 1 with two decimals."""
    return UNKNOWN if math.isnan(value) else f"{value:.2f}"


def signed(value: float) -> str:
    """Return a figure between -1 and 1 with its sign and two decimals."""
    return UNKNOWN if math.isnan(value) else f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def number(count: int, noun: str) -> str:
    """Return a count with its noun: `1 track`, `3 tracks`."""
    return counted(f"count.{noun}", count)
