"""Lengths of time that a person may ask for: finite, and within bounds."""

import math
from typing import Any, Final, Literal, TypeAlias

import click

from affetti.core.errors import UsageError
from affetti.core.language import text

MAX_S: Final = 7 * 24 * 3600.0  # a week; nobody means more
NEUTRAL_REFERENCE_S: Final = (3.0, 60.0)  # how long a neutral face may be shown
DURATION_S: Final = (0.1, MAX_S)

Length: TypeAlias = Literal["recording", "neutral_reference"]  # of what


class Seconds(click.FloatRange):
    """The type of an option that takes a number of seconds: a range without NaN and infinity."""

    def __init__(self, min_s: float, max_s: float = MAX_S, above: bool = False) -> None:
        super().__init__(min=min_s, max=max_s, min_open=above)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number; click's usage error where it is none, or out of range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(text("error.no_seconds", value=value), param, ctx)
        return number


def checked_seconds(what: Length, seconds: float, bounds_s: tuple[float, float]) -> float:
    """Return `seconds` if they are within bounds.

    Raises
    ------
    AffettiError
        They are not, or are no number at all.
    """
    min_s, max_s = bounds_s
    if not min_s <= seconds <= max_s:  # which NaN never is
        raise UsageError(f"seconds.{what}", seconds=seconds, min_s=min_s, max_s=max_s)
    return seconds
