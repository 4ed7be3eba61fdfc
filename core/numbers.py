"""Numbers that a person may choose, in an option, a setting or a notebook: finite, and bounded."""

import math
from typing import Any, Final, Literal, TypeAlias

import click

from affetti.core.errors import UsageError
from affetti.core.language import text

Bounds: TypeAlias = tuple[float, float]  # both included

MAX_S: Final = 7 * 24 * 3600.0  # a week; nobody means more
NEUTRAL_REFERENCE_S: Final = (3.0, 60.0)  # how long a neutral face may be shown
DURATION_S: Final = (0.1, MAX_S)
SEGMENT_S: Final = (0.1, MAX_S)  # shorter ones hold less than one estimate
DWELL_S: Final = (0.1, MAX_S)
JOBS: Final = (1, 1024)
FACES: Final = (1, 10_000_000)  # that are read of a set

Length: TypeAlias = Literal["recording", "neutral_reference"]  # of what


class Number(click.FloatRange):
    """The type of an option that takes a number within bounds; `whole` ones without a fraction."""

    def __init__(self, bounds: Bounds, *, whole: bool = False) -> None:
        super().__init__(*bounds)
        self._bounds = bounds
        self._read: type[int] | type[float] = int if whole else float

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float:
        """Return the number; click's usage error where it is none, or out of bounds."""
        try:
            number = self._read(value)
        except (ValueError, OverflowError):
            number = math.nan
        if not _within(number, self._bounds):
            self.fail(text("numbers.option", value=value, **_named(self._bounds)), param, ctx)
        return number


def checked(name: str, number: float, bounds: Bounds) -> float:
    """Return a number if it is finite and within bounds.

    Raises
    ------
    AffettiError
        It is not, or is no number at all; `name` says which one.
    """
    if isinstance(number, bool) or not _within(number, bounds):
        raise UsageError("numbers.outside", name=name, value=number, **_named(bounds))
    return number


def checked_seconds(what: Length, seconds: float, bounds_s: Bounds) -> float:
    """Return `seconds` if they are within bounds.

    Raises
    ------
    AffettiError
        They are not, or are no number at all.
    """
    if not _within(seconds, bounds_s):
        min_s, max_s = bounds_s
        raise UsageError(f"seconds.{what}", seconds=seconds, min_s=min_s, max_s=max_s)
    return seconds


def _within(number: Any, bounds: Bounds) -> bool:
    try:
        return bool(bounds[0] <= number <= bounds[1])  # which NaN never is
    except (TypeError, ValueError):
        return False


def _named(bounds: Bounds) -> dict[str, str]:
    return {"min": f"{bounds[0]:.15g}", "max": f"{bounds[1]:.15g}"}
