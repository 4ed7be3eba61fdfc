"""What was counted, in words: by marker, and by what was heard in the room, never whose it was."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from affetti.analyzer.analysis import Analysis
from affetti.analyzer.measures.counts import Count
from affetti.analyzer.measures.tracks import TrackResult
from affetti.analyzer.report import wording
from affetti.analyzer.report.blocks import Block, Cell, Pair, Table, Text
from affetti.core.events.moments import PRESS
from affetti.core.language import decimal, text, word
from affetti.core.streams import ROOM

_SAID: Final = ("music", "speech", "singing", "other_voice")  # of what is heard; the rest is left


def counted_of(analysis: Analysis) -> list[Block]:
    """Return the table of what was counted in a session."""
    counts = [count for count in analysis.counts if told(count)]
    if not counts:
        return []
    head = [text(f"page.counted.{name}") for name in ("what", "times", "per_min", "lasted")]
    several = len(analysis.tracks) > 0
    rows = tuple(_row(count, analysis.tracks) for count in counts)
    table = Table((*head, text("page.counted.by_track")) if several else tuple(head), rows,
                  kind="counted")  # fmt: skip
    left = sum(count.left_out for count in counts)
    opened = sum(count.still_open for count in counts)
    notes = [wording.number(left, "left_out")] if left else []
    notes += [wording.number(opened, "still_open")] if opened else []
    return [table, *([Text(" ".join(notes), "caption")] if notes else [])]


def told(count: Count) -> bool:
    """Whether something is told: what was to be counted, and what of sound was heard."""
    return count.form != "heard" or (count.label in _SAID and count.times > 0)


def unlabelled(form: str) -> str:
    """Return what a marker without a word is called: a press, or a stretch from start to end."""
    stretch = form == "stretch"
    return text("page.counted.no_label_stretch" if stretch else "page.counted.no_label")


def name_of(count: Count) -> str:
    """Return what was counted, in the therapist's word, or as it was heard."""
    if count.form != "heard":
        return count.label or unlabelled(count.form)
    kind = word("heard", count.label)
    if count.stream == ROOM:
        return text("page.counted.in_room", kind=kind)
    return text("page.counted.in_stream", kind=kind, stream=count.stream)


def lasted(count: Count) -> str:
    """Return how long something lasted in all, and in what share of the time that counts."""
    if count.form == PRESS or math.isnan(count.total_s) or not count.times:
        return wording.UNKNOWN
    return text(
        "page.counted.total",
        total=wording.seconds(count.total_s),
        share=wording.percent(count.time_share),
        longest=wording.seconds(count.longest_s),
    )


def rate(value: float) -> str:
    """Return a rate a minute; a dash where it is not known."""
    return wording.UNKNOWN if math.isnan(value) else decimal(value, 2)


def _row(count: Count, tracks: Sequence[TrackResult]) -> tuple[Cell, ...]:
    cells = (
        Cell(name_of(count)),
        Cell(str(count.times), "figure"),
        Cell(rate(count.rate_per_min), "figure"),
        Cell(lasted(count)),
    )
    return (*cells, Cell(", ".join(_by_track(count, tracks)))) if tracks else cells


def _by_track(count: Count, tracks: Sequence[TrackResult]) -> Iterator[str]:
    for track in tracks:
        for each in track.counts:
            if (each.label, each.form, each.stream) == (count.label, count.form, count.stream):
                yield text("page.counted.in_track", track=track.number + 1, times=each.times)


def of_track(track: TrackResult) -> Iterator[Pair]:
    """Yield what was counted while a track played, a pair each."""
    for count in track.counts:
        if told(count) and count.times:
            yield Pair(name_of(count), ", ".join(_of_track(count)), "counted-in")


def _of_track(count: Count) -> Iterator[str]:
    yield wording.times(count.times)
    yield text("page.counted.rate", rate=rate(count.rate_per_min))
    if not math.isnan(count.latency_s):
        yield text("page.counted.after", after=wording.seconds(count.latency_s))
    if count.form != PRESS and not math.isnan(count.total_s):
        yield lasted(count)
