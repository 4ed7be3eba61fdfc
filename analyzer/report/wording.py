"""Numbers and times in the words of the report; an unknown one is a dash, never a zero."""

import math
from datetime import datetime

from affetti.core.clock import clock_text

UNKNOWN = "–"
THIN_SPACE = "\u202f"


def percent(share: float) -> str:
    """Return a share as a percentage: `82 %`; one that is neither 0 nor 1 never reads as such."""
    if math.isnan(share):
        return UNKNOWN
    rounded = round(100 * share)
    if rounded == 0 and share > 0:
        return f"under 1{THIN_SPACE}%"
    if rounded == 100 and share < 1:
        return f"over 99{THIN_SPACE}%"
    return f"{rounded}{THIN_SPACE}%"


def index(value: float) -> str:
    """Return a figure between 0 and 1 with two decimals."""
    return UNKNOWN if math.isnan(value) else f"{value:.2f}"


def signed(value: float) -> str:
    """Return a figure between -1 and 1 with its sign and two decimals."""
    return UNKNOWN if math.isnan(value) else f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def seconds(value: float) -> str:
    """Return a length of time: `7.0 s`, or `02:03.4` from a minute on."""
    if math.isnan(value):
        return UNKNOWN
    return f"{value:.1f}{THIN_SPACE}s" if value < 60 else clock_text(value)


def clock(value: float) -> str:
    """Return a moment of the session to the second: `02:03`, or `1:02:03`."""
    minutes, rest = divmod(round(max(value, 0.0)), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{rest:02d}"
    return f"{hours}:{text}" if hours else text


def times(count: int) -> str:
    """Return how often: once, twice, 3 times."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def number(count: int, noun: str) -> str:
    """Return a count with its noun: `1 track`, `3 tracks`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def date(wall_clock: str) -> str:
    """Return the date of an ISO 8601 time: `24 November 2026`."""
    moment = datetime.fromisoformat(wall_clock)
    return f"{moment.day} {moment:%B %Y}"


def time_of_day(wall_clock: str) -> str:
    """Return the time of an ISO 8601 time: `10:15`."""
    return f"{datetime.fromisoformat(wall_clock):%H:%M}"
