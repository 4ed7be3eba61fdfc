"""Whether pictures and sound are in order and complete."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from affetti.analyzer.checks.register import Importance, Messages, examples, number, rule
from affetti.analyzer.checks.subject import Subject
from affetti.core.clock import NS_PER_S
from affetti.core.events import FrameCaptured
from affetti.core.interruptions import Stretch
from affetti.core.language import clock_text
from affetti.core.recording import layout

# The stamps of a sound card jitter, by up to 20 ms on a healthy one; a stall of Python adds to it.
_JITTER_NS: Final = NS_PER_S // 4


@dataclass(frozen=True)
class _Piece:
    """What a frame or a block of sound holds of its stream: numbers from `first` to `end`."""

    seq: int
    t_ns: int
    first: int
    end: int


@rule(Importance.CRITICAL)
def sound_in_order(subject: Subject) -> Messages:
    """Demand that audio blocks follow sample by sample but for pauses, and in time."""
    for name in layout.STREAMS:
        blocks = subject.session.audio(name).blocks
        pieces = [
            _Piece(int(b["seq"]), int(b["t_ns"]), int(b["sample"]), int(b["sample"] + b["count"]))
            for b in blocks
        ]
        jump = next(_jumps(subject, pieces, "audio" if name == "room" else None), None)
        if jump is not None or np.any(np.diff(blocks["row"]) < 0):
            at = f" at sample {jump.first}" if jump else ""
            yield f"The {name} sound is out of order{at}."
        if _runs_backwards(blocks["t_ns"]):
            yield f"The {name} sound runs backwards in time."


@rule(Importance.CRITICAL)
def frames_in_order(subject: Subject) -> Messages:
    """Demand that frames are numbered from 0 without a gap but for pauses, in time."""
    frames = [event for event in subject.session.events if isinstance(event, FrameCaptured)]
    pieces = [_Piece(each.seq, each.t_ns, each.frame, each.frame + 1) for each in frames]
    before = _Piece(-1, -NS_PER_S, -1, 0)  # so that the first is number 0
    if any(_jumps(subject, [before, *pieces], "video")):
        yield "Frames are not numbered from 0 without a gap."
    if np.any(np.diff([frame.t_ns for frame in frames]) < 0):
        yield "Frames run backwards in time."


def _jumps(subject: Subject, pieces: Iterable[_Piece], scope: str | None) -> Iterator[_Piece]:
    """Yield what does not follow on the piece before it, though nothing excuses that.

    What was withheld in between leaves numbers out, and so do records that sealing could not
    read, which another rule tells of.
    """
    state = subject.session.state
    held = state.interruptions.withheld(scope, state.now_ns) if scope else []
    for before, piece in pairwise(pieces):
        excused = piece.first > before.end and (
            _overlaps(held, before.t_ns, piece.t_ns) or subject.lacks(before.seq, piece.seq)
        )
        if piece.first != before.end and not excused:
            yield piece


def _overlaps(stretches: list[Stretch], start_ns: int, stop_ns: int) -> bool:
    return any(
        begin < stop_ns + _JITTER_NS and start_ns - _JITTER_NS < end for begin, end in stretches
    )


def _runs_backwards(t_ns: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> bool:
    return bool(len(t_ns)) and bool(np.any(np.maximum.accumulate(t_ns) - t_ns > _JITTER_NS))


@rule(Importance.CRITICAL)
def pictures_readable(subject: Subject) -> Messages:
    """Find frames that are no whole JPEG, or of a sample, that cannot be decoded."""
    if subject.contents.unreadable_frames:
        yield f"Unreadable frames: {examples(subject.contents.unreadable_frames)}."


@rule(Importance.WARNING)
def frames_kept(subject: Subject) -> Messages:
    """Tell of frames that could not be kept."""
    state = subject.session.state
    if state.frames_dropped:
        share = state.frames_dropped / (state.frames + state.frames_dropped)
        yield f"{number(state.frames_dropped, 'frame')} ({share:.1%}) could not be kept."


@rule(Importance.WARNING)
def sound_complete(subject: Subject) -> Messages:
    """Tell of sound that was lost."""
    for name, stream in subject.session.state.streams.items():
        if stream.gaps:
            lost_s = stream.missing / stream.clock.rate_hz
            yield f"The {name} sound has {number(stream.gaps, 'gap')}, {lost_s:.2f} s in all."


@rule(Importance.WARNING)
def devices_stayed(subject: Subject) -> Messages:
    """Tell of devices that were lost while recording, and when."""
    state = subject.session.state
    for each in state.interruptions:
        if each.cause == "lost":
            start, stop = (clock_text(t_ns / NS_PER_S) for t_ns in each.stretch(state.now_ns))
            yield f"The {each.what} was lost from {start} to {stop}."
