"""The report's figures: SVG with titles and descriptions, in widths of per cent.

Text keeps its size at every width of the page: the figures have no view box of their own, only
the areas inside stretch. Colours come from the style sheet, by class.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from markupsafe import Markup

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.estimates import ModalityName, withheld
from affetti.analyzer.measures.segments import Segments
from affetti.analyzer.measures.stretches import common, runs
from affetti.analyzer.measures.summary import Summary
from affetti.analyzer.measures.transitions import Change, Dwell, dwells_of
from affetti.analyzer.report import heard, signals
from affetti.analyzer.report.findings import coverage_text
from affetti.analyzer.report.svg import element
from affetti.analyzer.report.wording import (
    clock,
    emotion_word,
    expressed,
    modality_name,
    percent,
    unseen,
    when,
)
from affetti.core.clock import NS_PER_S
from affetti.core.emotions import (
    EMOTIONS,
    EXPRESSIONS,
    Emotion,
    Expression,
    FloatArray,
    Label,
)
from affetti.core.language import clock_text, text

# From the bottom up: what is pleasant lies below the line, what is unpleasant above it.
STACK: Final = (Emotion.HAPPINESS, Emotion.RELAXATION, Emotion.SADNESS, Emotion.ANGER)
FACE_STACK: Final = (
    Expression.HAPPY,
    Expression.NEUTRAL,
    Expression.SURPRISE,
    Expression.FEAR,
    Expression.SAD,
    Expression.DISGUST,
    Expression.ANGRY,
)
# What all of them stand for: a face that is happy and music that is have one colour.
LEGEND: Final[tuple[Label, ...]] = (
    Emotion.HAPPINESS,
    Emotion.RELAXATION,
    Expression.NEUTRAL,
    Expression.SURPRISE,
    Expression.FEAR,
    Emotion.SADNESS,
    Expression.DISGUST,
    Emotion.ANGER,
)

COLOURED_AS: Final[dict[Label, Label]] = {
    Expression.HAPPY: Emotion.HAPPINESS,
    Expression.SAD: Emotion.SADNESS,
    Expression.ANGRY: Emotion.ANGER,
}

_LANE_PX: Final = 26
_FLAG_PX: Final = 20
_TITLE_PX: Final = 22
_PANEL_PX: Final = 66
_RIBBON_PX: Final = 16
_CHARACTER_PX: Final = 6.2  # the mean of a text as it is drawn
_LINE_PX: Final = 40
_GAP_PX: Final = 10
_STRIP_GAP_PX: Final = 6
_AXIS_PX: Final = 22
_MAX_FLAG_ROWS: Final = 4
_MAX_FLAGS: Final = 40  # more of them hide what they stand on


def _svg(
    name: str, title: str, description: str, *children: Markup, **attributes: object
) -> Markup:
    """Return a figure that tells a screen reader what it shows."""
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *children,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        **attributes,
    )


def _hatch(name: str) -> Markup:
    """Return the pattern of what is not known."""
    line = element("path", d="M-1,1 l2,-2 M0,6 l6,-6 M5,7 l2,-2", class_="hatch-line")
    pattern = element("pattern", line, id=name, width=6, height=6, patternUnits="userSpaceOnUse")
    return element("defs", pattern)


@dataclass(frozen=True)
class Moment:
    """A numbered moment that the therapist, or the person, put down."""

    number: int
    t_s: float
    text: str


@dataclass(frozen=True)
class _Scale:
    """From seconds of session time to per cent of the width."""

    duration_s: float

    def x(self, t_s: float) -> str:
        return f"{100 * min(max(t_s / self.duration_s, 0), 1):.3f}%"

    def width(self, start_s: float, stop_s: float) -> str:
        return f"{100 * max(stop_s - start_s, 0) / self.duration_s:.3f}%"

    def room(self, start_s: float, stop_s: float) -> str:
        """Return the class of a label that has little room, or none: the page hides it."""
        share = (stop_s - start_s) / self.duration_s
        return " no-room" if share < 0.07 else " little-room" if share < 0.2 else ""


def timeline(
    analysis: Analysis, segments: dict[ModalityName, Segments], moments: Sequence[Moment]
) -> Markup:
    """Return face, music and both over the session, with tracks, moments and gaps.

    Parameters
    ----------
    analysis
        Of the session.
    segments
        By modality, as fine as the figure is to be.
    moments
        What to flag.
    """
    scale = _Scale(max(analysis.info.duration_s, 1e-3))
    parts, titles = [_hatch("timeline-gap"), *_track_lane(analysis, scale)], []
    rows_of_flags = _flag_rows(moments, scale)
    y = _LANE_PX + 6 + _FLAG_PX * max(rows_of_flags, default=0)
    for name, rows in segments.items():
        if name == "fused" and analysis.together.alone:
            continue  # it would say what the one above says, in other words
        dwells = dwells_of(analysis.states[name])
        coverage = coverage_text(name, analysis.summaries[name].coverage)
        titles.append(_panel_title(modality_name(name), coverage, y))
        parts += _panel(rows, scale, y + _TITLE_PX)
        parts += _withheld(analysis, name, scale, y + _TITLE_PX)
        parts += _ribbon(dwells, scale, y + _TITLE_PX + _PANEL_PX + 2)
        y += _TITLE_PX + _PANEL_PX + _RIBBON_PX + 2 + _GAP_PX
    both = text("figure.both", share=percent(analysis.congruence.coverage))
    titles.append(_panel_title(text("figure.congruence"), both, y))
    parts += _congruence_line(analysis, segments["fused"], scale, y + _TITLE_PX)
    y += _TITLE_PX + _LINE_PX
    for each in analysis.heard.values():
        y += _GAP_PX
        titles.append(_panel_title(heard.title(each), heard.coverage_text(each), y))
        parts += heard.lane(each, scale.duration_s, y + _TITLE_PX)
        y += _TITLE_PX + heard.lane_px(each)
    for signal, table in signals.drawn(analysis):
        y += _GAP_PX
        titles.append(_panel_title(signals.title(signal, table), signals.detail(table), y))
        parts += signals.lane(
            table, rows.stop_s[0] - rows.start_s[0], scale.duration_s, y + _TITLE_PX
        )
        y += _TITLE_PX + signals.LANE_PX
    parts += _axis(scale, y)
    parts += [*_flags(moments, rows_of_flags, scale, y), *titles]
    parts = [*_pauses(analysis, scale, y), *parts]
    return _svg(
        "timeline",
        text("figure.timeline"),
        _timeline_text(analysis),
        *parts,
        class_="timeline",
        width="100%",
        height=y + _AXIS_PX,
    )


def _timeline_text(analysis: Analysis) -> str:
    said = [
        text(
            "figure.panel",
            modality=modality_name(name),
            words=expressed(name, summary),
            coverage=coverage_text(name, summary.coverage),
        )
        for name, summary in analysis.summaries.items()
    ]
    return " ".join([*said, text("figure.table_below")])


def _stretch(start_s: float, stop_s: float) -> str:
    return text("unseen.stretch", start=clock_text(start_s), stop=clock_text(stop_s))


def _track_lane(analysis: Analysis, scale: _Scale) -> Iterable[Markup]:
    for track in analysis.tracks:
        label = f"{track.number + 1} {track.title}"
        yield element(
            "svg",
            element("title", f"{label}, {_stretch(track.start_s, track.stop_s)}"),
            element("rect", width="100%", height="100%", rx=4, class_="track"),
            element(
                "text",
                f"{track.number + 1} ",
                element(
                    "tspan",
                    track.title,
                    class_=f"track-title{scale.room(track.start_s, track.stop_s)}",
                ),
                x=8,
                y=17,
                class_="track-name",
            ),
            x=scale.x(track.start_s),
            y=0,
            width=scale.width(track.start_s, track.stop_s),
            height=_LANE_PX,
        )


def _pauses(analysis: Analysis, scale: _Scale, height: float) -> Iterable[Markup]:
    for pause in analysis.state.pauses:
        start_s = pause.start_ns / NS_PER_S
        stop_s = start_s + pause.duration_ns(analysis.state.now_ns) / NS_PER_S
        yield element(
            "rect",
            element("title", text("figure.paused", when=_stretch(start_s, stop_s))),
            x=scale.x(start_s),
            y=0,
            width=scale.width(start_s, stop_s),
            height=height,
            class_="pause",
        )


def _withheld(analysis: Analysis, name: ModalityName, scale: _Scale, y: float) -> Iterable[Markup]:
    """Return what a modality had nothing to speak of in, for want of consent."""
    for one in analysis.unseen:
        if one.cause != "no_consent" or name != {"video": "face", "audio": "music"}.get(one.what):
            continue
        for start, stop in common(
            [(round(one.start_s * NS_PER_S), round(one.stop_s * NS_PER_S))],
            withheld(analysis.state, name),
        ):
            yield element(
                "rect",
                element("title", f"{unseen(one).capitalize()}, {when(one)}"),
                x=scale.x(start / NS_PER_S),
                y=y,
                width=scale.width(start / NS_PER_S, stop / NS_PER_S),
                height=_PANEL_PX,
                class_="pause withheld",
            )


def _panel_title(name: str, detail: str, y: float) -> Markup:
    detail_span = element("tspan", detail, class_="detail", dx=8)
    return element("text", name, detail_span, x=0, y=y + 15, class_="panel-name")


def _panel(segments: Segments, scale: _Scale, y: float) -> Iterable[Markup]:
    """Return what is expressed, stacked; hatched where nothing was said."""
    for start, stop in runs(segments.said == 0):
        yield element(
            "rect",
            x=scale.x(segments.start_s[start]),
            y=y,
            width=scale.width(segments.start_s[start], segments.stop_s[stop - 1]),
            height=_PANEL_PX,
            fill="url(#timeline-gap)",
            class_="gap",
        )
    areas = [
        area
        for start, stop in runs(segments.said > 0)
        for area in _areas(segments, slice(start, stop))
    ]
    yield element(
        "svg",
        *areas,
        x=0,
        y=y,
        width="100%",
        height=_PANEL_PX,
        viewBox=f"0 0 {scale.duration_s:.3f} 1",
        preserveAspectRatio="none",
    )


def _areas(segments: Segments, run: slice) -> Iterable[Markup]:
    starts, stops = segments.start_s[run], segments.stop_s[run]
    # Values stand in the middle of their segments; the ends reach to the edges of the run.
    x = np.concatenate(([starts[0]], (starts + stops) / 2, [stops[-1]]))
    stack = _stack(segments.labels)
    columns = [segments.labels.index(label) for label in stack]
    heights = np.cumsum(segments.shares[run][:, columns], axis=1)
    heights = np.vstack((heights[:1], heights, heights[-1:]))
    below = np.zeros(len(x))
    for emotion, above in zip(stack, heights.T, strict=True):
        upper = [f"{a:.3f},{1 - b:.4f}" for a, b in zip(x, above, strict=True)]
        lower = [f"{a:.3f},{1 - b:.4f}" for a, b in zip(x, below, strict=True)]
        yield element("polygon", points=" ".join([*upper, *reversed(lower)]), class_=emotion)
        below = above


def _stack(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    return FACE_STACK if labels == EXPRESSIONS else STACK


def _ribbon(dwells: list[Dwell], scale: _Scale, y: float) -> Iterable[Markup]:
    """Return the smoothed states as a ribbon, named where there is room."""
    for dwell in dwells:
        if dwell.state is None:
            continue
        stop_s = min(dwell.stop_s, scale.duration_s)
        room, said = scale.room(dwell.start_s, stop_s), emotion_word(dwell.state)
        yield element(
            "svg",
            element("title", f"{said}, {_stretch(dwell.start_s, stop_s)}"),
            element("rect", width="100%", height="100%", class_=f"{dwell.state} ribbon"),
            *([] if room == " no-room" else [_plate(dwell.state, said, "2", 2)]),
            element(
                "text",
                said,
                x=5,
                y=12,
                class_=f"ribbon-name on-{dwell.state}{room}",
            ),
            x=scale.x(dwell.start_s),
            y=y,
            width=scale.width(dwell.start_s, stop_s),
            height=_RIBBON_PX,
        )


def _plate(label: Label, said: str, x: str, y: int, *, centred: bool = False) -> Markup:
    """Return what a word stands on where its ground has a texture, on paper."""
    width = round(_CHARACTER_PX * len(said)) + 6
    moved = {"transform": f"translate({-width / 2:g} 0)"} if centred else {}
    return element(
        "rect", x=x, y=y, width=width, height=12, rx=2, class_=f"plate plate-{label}", **moved
    )


def _congruence_line(
    analysis: Analysis, segments: Segments, scale: _Scale, y: float
) -> Iterable[Markup]:
    """Return the mean congruence of each segment as a line, broken where there is none."""
    x, value = (segments.start_s + segments.stop_s) / 2, _congruences(analysis, segments)
    lines = [
        element(
            "polyline",
            points=" ".join(f"{x[i]:.2f},{1 - value[i]:.4f}" for i in range(start, stop)),
            class_="line",
        )
        for start, stop in runs(~np.isnan(value))
    ]
    yield element("rect", x=0, y=y, width="100%", height=_LINE_PX, class_="plot")
    for bound, at in (("1", y + 13), ("0", y + _LINE_PX - 5)):
        yield element("text", bound, x="100%", dx=-6, y=at, class_="bound")
    yield element(
        "svg",
        *lines,
        x=0,
        y=y,
        width="100%",
        height=_LINE_PX,
        viewBox=f"0 -0.04 {scale.duration_s:.3f} 1.08",
        preserveAspectRatio="none",
    )


def _congruences(analysis: Analysis, segments: Segments) -> FloatArray:
    table = analysis.tables.fused
    divergence = np.asarray(table.get("divergence_bits", np.empty(0)), np.float64)
    t_s = np.asarray(table.get("t_ns", np.empty(0)), np.float64) / NS_PER_S
    row = np.searchsorted(segments.start_s, t_s, side="right") - 1
    there = ~np.isnan(divergence)
    counts = np.bincount(row[there], minlength=len(segments))
    sums = np.bincount(row[there], 1 - divergence[there], minlength=len(segments))
    means = np.full(len(segments), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means


def _axis(scale: _Scale, y: float) -> Iterable[Markup]:
    step = next(
        (s for s in (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800) if scale.duration_s / s <= 7),
        3600,
    )
    for tick in range(0, int(scale.duration_s) + 1, step):
        last = tick / scale.duration_s > 0.95
        anchor = "start" if tick == 0 else "end" if last else "middle"
        x = scale.x(tick)
        yield element("line", x1=x, x2=x, y1=y, y2=y + 4, class_="tick")
        yield element("text", clock(tick), x=x, y=y + 17, text_anchor=anchor, class_="tick-label")


def are_ticks(moments: Sequence[Moment]) -> bool:
    """Return whether moments are so many that each is a tick, and no numbered flag."""
    return len(moments) > _MAX_FLAGS


def _flag_rows(moments: Sequence[Moment], scale: _Scale) -> list[int]:
    """Return the row of each flag, from 1: the first in which it touches none before it."""
    if are_ticks(moments):
        return [1] * len(moments)
    room_s = 0.05 * scale.duration_s
    rows: list[int] = []
    last: dict[int, float] = {}
    for moment in moments:
        row = 1
        while row in last and moment.t_s - last[row] < room_s:
            row += 1
        row = min(row, _MAX_FLAG_ROWS)
        last[row] = moment.t_s
        rows.append(row)
    return rows


def _flags(moments: Sequence[Moment], rows: list[int], scale: _Scale, y: float) -> Iterable[Markup]:
    for moment, row in zip(moments, rows, strict=True):
        x = scale.x(moment.t_s)
        top = _LANE_PX + 6 + _FLAG_PX * (row - 1)
        if are_ticks(moments):
            title = element("title", f"{clock_text(moment.t_s)} {moment.text}")
            yield element("line", title, x1=x, x2=x, y1=top, y2=top + 12, class_="flag-tick")
            continue
        yield element("line", x1=x, x2=x, y1=top + 18, y2=y, class_="flag-line")
        yield element(
            "g",
            element("title", f"{clock_text(moment.t_s)} {moment.text}"),
            element("circle", cx=x, cy=top + 9, r=9, class_="flag"),
            element("text", str(moment.number), x=x, y=top + 13, class_="flag-number"),
        )


def bar(name: str, title: str, summary: Summary, nothing: str) -> Markup:
    """Return one distribution as a bar of parts, each as wide as its probability.

    Parameters
    ----------
    name
        Identifies the figure in the page.
    title
        What it shows.
    summary
        What to show.
    nothing
        What the bar says where nothing was said.
    """
    if not summary.said:
        inside = [
            _hatch(f"{name}-gap"),
            element("rect", width="100%", height="100%", fill=f"url(#{name}-gap)", class_="gap"),
            element("text", nothing, x="50%", y=16, class_="bar-empty"),
        ]
        return _svg(name, title, nothing, *inside, class_="bar", width="100%", height=24)
    parts, left = [], 0.0
    for emotion in _stack(summary.labels):
        share = float(summary.shares[summary.labels.index(emotion)])
        parts.append(_bar_part(emotion, left, share))
        left += share
    shares = zip(summary.labels, summary.shares, strict=True)
    said = ", ".join(_share_text(emotion, float(share)) for emotion, share in shares)
    return _svg(name, title, said, *parts, class_="bar", width="100%", height=24)


def _share_text(emotion: Label, share: float) -> str:
    return text("figure.share", emotion=emotion_word(emotion), share=percent(share))


def _bar_part(emotion: Label, left: float, share: float) -> Markup:
    label = _share_text(emotion, share) if share >= 0.32 else percent(share)
    inside = [element("rect", width="100%", height="100%", class_=emotion)]
    if share >= 0.09:
        inside.append(_plate(emotion, label, "50%", 6, centred=True))
        inside.append(element("text", label, x="50%", y=16, class_=f"bar-label on-{emotion}"))
    return element(
        "svg",
        element("title", _share_text(emotion, share)),
        *inside,
        x=f"{100 * left:.3f}%",
        width=f"{100 * share:.3f}%",
        height=24,
    )


# Where the four stand in Russell's circumplex: pleasant to the right, activated at the top.
# A neutral face is neither, and stands where calm and pleasant begin.
_PLACES: Final[dict[Label, tuple[float, float]]] = {
    Emotion.ANGER: (82, 78),
    Emotion.HAPPINESS: (238, 78),
    Emotion.SADNESS: (82, 206),
    Emotion.RELAXATION: (238, 206),
    Expression.ANGRY: (76, 84),
    Expression.SURPRISE: (168, 66),
    Expression.HAPPY: (258, 92),
    Expression.FEAR: (128, 128),
    Expression.DISGUST: (40, 160),
    Expression.SAD: (100, 212),
    Expression.NEUTRAL: (228, 204),
}
_MAX_RADIUS: Final = 42.0
_MAX_RADIUS_OF_SEVEN: Final = 32.0
_MIN_RADIUS: Final = 7.0


def transition_diagram(
    name: str,
    title: str,
    dwells: list[Dwell],
    changes: list[Change],
    labels: tuple[Label, ...] = EMOTIONS,
) -> Markup:
    """Return what was expressed in its quadrants, and arrows where one gave way to another.

    Circles are as large as the time in their state, arrows as thick as their number.

    Parameters
    ----------
    name
        Identifies the figure in the page.
    title
        What it shows.
    dwells, changes
        The smoothed states and their changes.
    labels
        What the states stand for; all four emotions are drawn, of seven expressions those that
        were there.
    """
    time_s = {
        emotion: sum(dwell.dwell_s for dwell in dwells if dwell.state == emotion)
        for emotion in labels
    }
    total_s = sum(time_s.values()) or 1.0
    largest = _MAX_RADIUS if labels == EMOTIONS else _MAX_RADIUS_OF_SEVEN
    drawn = [label for label in labels if labels == EMOTIONS or time_s[label]]
    radii = {
        emotion: max(_MIN_RADIUS, largest * math.sqrt(time_s[emotion] / total_s))
        for emotion in labels
    }
    counts: dict[tuple[Label, Label], int] = {}
    for change in changes:
        counts[change.before, change.after] = counts.get((change.before, change.after), 0) + 1
    shapes = [
        element("line", x1=160, x2=160, y1=24, y2=262, class_="cross"),
        element("line", x1=12, x2=308, y1=142, y2=142, class_="cross"),
        element("text", text("figure.activated"), x=160, y=16, class_="pole"),
        element("text", text("figure.calm"), x=160, y=278, class_="pole"),
        *(_node(emotion, radii[emotion], time_s[emotion] / total_s) for emotion in drawn),
        *(_arrow(pair, count, radii) for pair, count in counts.items()),
    ]
    said = _changes_text(counts)
    return _svg(
        name, title, said, *shapes, class_="circumplex", viewBox="0 0 320 286", width="100%"
    )


def _changes_text(counts: dict[tuple[Label, Label], int]) -> str:
    said = [
        text("figure.changes", before=emotion_word(a), after=emotion_word(b), count=count)
        for (a, b), count in counts.items()
    ]
    return f"{'; '.join(said)}." if said else text("figure.no_change")


def _node(emotion: Label, radius: float, share: float) -> Markup:
    x, y = _PLACES[emotion]
    above = y < 142
    label_y = y - radius - 8 if above else y + radius + 17
    return element(
        "g",
        element("circle", cx=x, cy=y, r=f"{radius:.1f}", class_=emotion if share else "absent"),
        element(
            "text",
            f"{emotion_word(emotion)} ",
            element("tspan", percent(share), class_="detail"),
            x=x,
            y=f"{label_y:.1f}",
            class_="node-name",
        ),
    )


def _arrow(pair: tuple[Label, Label], count: int, radii: dict[Label, float]) -> Markup:
    """Return a bent arrow; those of both directions bend apart."""
    start, stop = (np.array(_PLACES[emotion]) for emotion in pair)
    along = (stop - start) / np.linalg.norm(stop - start)
    aside = np.array([-along[1], along[0]])
    bend = (start + stop) / 2 + 20 * aside
    begin = _towards(start, bend, radii[pair[0]] + 3)
    tip = _towards(stop, bend, radii[pair[1]] + 3)
    heading = (tip - bend) / np.linalg.norm(tip - bend)
    width = min(1.5 + count, 6.0)
    size = 5 + width
    base = tip - size * heading
    side = 0.5 * size * np.array([-heading[1], heading[0]])
    label = (begin + 2 * bend + tip) / 4 + 11 * aside
    head = [tip, base + side, base - side]
    curve = f"M{_point(begin)} Q{_point(bend)} {_point(base)}"
    return element(
        "g",
        element("path", d=curve, stroke_width=f"{width:.1f}", class_="arrow"),
        element("polygon", points=" ".join(_point(corner) for corner in head), class_="arrow-head"),
        element("text", str(count), x=f"{label[0]:.1f}", y=f"{label[1] + 4:.1f}", class_="count"),
    )


def _towards(point: FloatArray, target: FloatArray, distance: float) -> FloatArray:
    direction = target - point
    return np.asarray(point + distance * direction / np.linalg.norm(direction))


def _point(point: FloatArray) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}"


def coverage_strips(segments: dict[ModalityName, Segments], analysis: Analysis) -> Markup:
    """Return how much of each segment was covered, a strip for each modality."""
    scale = _Scale(max(analysis.info.duration_s, 1e-3))
    parts, y = [_hatch("coverage-gap")], 0
    for name, rows in segments.items():
        coverage = coverage_text(name, analysis.summaries[name].coverage)
        parts.append(_panel_title(modality_name(name), coverage, y))
        parts.append(
            element(
                "rect",
                y=y + _TITLE_PX,
                width="100%",
                height=14,
                fill="url(#coverage-gap)",
                class_="gap",
            )
        )
        for i in range(len(rows)):
            if rows.said[i]:
                parts.append(
                    element(
                        "rect",
                        x=scale.x(rows.start_s[i]),
                        y=f"{y + _TITLE_PX + 14 * (1 - rows.coverage[i]):.2f}",
                        width=scale.width(rows.start_s[i], rows.stop_s[i]),
                        height=f"{14 * rows.coverage[i]:.2f}",
                        class_="cover",
                    )
                )
        y += _TITLE_PX + 14 + _STRIP_GAP_PX
    parts += _axis(scale, y - _STRIP_GAP_PX + 2)
    said = " ".join(
        text(
            "figure.coverage_of",
            modality=modality_name(name),
            coverage=coverage_text(name, summary.coverage),
        )
        for name, summary in analysis.summaries.items()
    )
    return _svg(
        "coverage",
        text("figure.coverage"),
        said,
        *parts,
        class_="coverage",
        width="100%",
        height=y - _STRIP_GAP_PX + _AXIS_PX + 2,
    )
