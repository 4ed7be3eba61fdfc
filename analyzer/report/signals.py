"""The lanes of the timeline that show recorded signals: one a signal, its first channel."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from markupsafe import Markup

from affetti.analyzer.analysis import Analysis, SignalTable
from affetti.analyzer.measures.signals import SignalCourse, signal_course
from affetti.analyzer.measures.stretches import runs
from affetti.analyzer.report.svg import element
from affetti.core.language import counted, localised, text

LANE_PX: Final = 56


def drawn(analysis: Analysis) -> Iterator[tuple[str, SignalTable]]:
    """Yield the signals that have a line: those that were sampled as numbers."""
    for name, table in analysis.signals.items():
        if table.values.dtype.kind in "iuf" and len(table.values):
            yield name, table


def title(name: str, table: SignalTable) -> str:
    """Return what stands above a lane: "heart: first", and in what unit."""
    return text("signal.channel", signal=name, channel=table.channels[0])


def detail(table: SignalTable) -> str:
    """Return the small print above a lane: the unit, and how many channels are not shown."""
    unit = table.units[0] or text("signal.no_unit")
    others = len(table.channels) - 1
    return f"{unit}, {counted('signal.others', others)}" if others else unit


def lane(table: SignalTable, length_s: float, duration_s: float, y: float) -> Iterable[Markup]:
    """Return the line of a signal, between its lowest and its highest value.

    Parameters
    ----------
    length_s
        Of the stretches whose means the line joins; around it lies all that was measured.
    duration_s
        Of the session, which is the width of the lane.
    y
        Its top.
    """
    course = signal_course(table.t_s, table.values[:, 0], length_s, duration_s)
    yield element("rect", x=0, y=y, width="100%", height=LANE_PX, class_="plot")
    if course.bounds is None:
        return
    low, high = course.bounds
    for bound, at in ((high, y + 13), (low, y + LANE_PX - 5)):
        yield element("text", figure(bound), x="100%", dx=-6, y=at, class_="bound")
    yield element(
        "svg",
        *_drawing(course, low, high),
        x=0,
        y=y,
        width="100%",
        height=LANE_PX,
        viewBox=f"0 -0.06 {duration_s:.3f} 1.12",
        preserveAspectRatio="none",
    )


def figure(value: float) -> str:
    """Return a measured value in four digits: "0.01234", "72.5", "15000"."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:.0f}".replace("-", "\N{MINUS SIGN}")
    places = max(0, 3 - math.floor(math.log10(abs(value))))
    shown = f"{value:.{min(places, 9)}f}".rstrip("0").rstrip(".")
    return localised(shown)


def _drawing(course: SignalCourse, low: float, high: float) -> Iterator[Markup]:
    middle_s = (course.start_s + course.stop_s) / 2
    height = high - low or 1.0
    for run in (slice(*each) for each in runs(~np.isnan(course.mean))):
        x = middle_s[run]
        up, mean, down = (
            0.5 if high == low else (high - each[run]) / height
            for each in (course.maximum, course.mean, course.minimum)
        )
        if len(x) == 1:  # a single stretch is still seen
            x = np.array([course.start_s[run][0], course.stop_s[run][0]])
        up, mean, down = (np.broadcast_to(each, len(x)) for each in (up, mean, down))
        around = [*zip(x, up, strict=True), *reversed(list(zip(x, down, strict=True)))]
        yield element("polygon", points=_points(around), class_="envelope")
        yield element("polyline", points=_points(zip(x, mean, strict=True)), class_="line")


def _points(pairs: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.4f}" for x, y in pairs)
