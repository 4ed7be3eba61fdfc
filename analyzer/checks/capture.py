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
from affetti.core.language import clock_text, text, word
from affetti.core.streams import CAMERA

# The stamps of a sound card jitter, by up to 20 ms on a healthy one; a stall of Python adds to it.
_JITTER_NS: Final = NS_PER_S // 4


@dataclass(frozen=True)
class _Piece:
    """What a frame or a block of sound holds of its stream: numbers from `first` to `end`."""

    seq: int
    t_ns: int
    first: int
    end: int


_BEFORE_ALL: Final = _Piece(-1, -NS_PER_S, -1, 0)  # so that the first is number 0


@rule(Importance.CRITICAL)
def sound_in_order(subject: Subject) -> Messages:
    """Demand that audio blocks follow sample by sample but for pauses, and in time."""
    for name in subject.session.state.audio:
        blocks = subject.session.audio(name).blocks
        pieces = [
            _Piece(int(b["seq"]), int(b["t_ns"]), int(b["sample"]), int(b["sample"] + b["count"]))
            for b in blocks
        ]
        jump = next(_jumps(subject, pieces, _scope(subject, name)), None)
        if jump is not None or np.any(np.diff(blocks["row"]) < 0):
            message = "found.sound_order_at" if jump else "found.sound_order"
            yield text(message, stream=name, sample=jump.first if jump else None)
        if _runs_backwards(blocks["t_ns"]):
            yield text("found.sound_backwards", stream=name)


@rule(Importance.CRITICAL)
def frames_in_order(subject: Subject) -> Messages:
    """Demand that frames are numbered from 0 without a gap but for pauses, in time."""
    captured = [event for event in subject.session.events if isinstance(event, FrameCaptured)]
    for name in subject.session.state.video:
        frames = [event for event in captured if event.stream == name]
        pieces = [_Piece(each.seq, each.t_ns, each.frame, each.frame + 1) for each in frames]
        of = "" if name == CAMERA else "_of"
        if any(_jumps(subject, [_BEFORE_ALL, *pieces], _scope(subject, name))):
            yield text(f"found.frames_numbers{of}", stream=name)
        if np.any(np.diff([frame.t_ns for frame in frames]) < 0):
            yield text(f"found.frames_backwards{of}", stream=name)


@rule(Importance.CRITICAL)
def samples_in_order(subject: Subject) -> Messages:
    """Demand that the samples of a signal follow one another but for pauses."""
    for name, signal in subject.session.signals.items():
        pieces = [
            _Piece(int(b["seq"]), int(b["t_ns"]), int(b["sample"]), int(b["sample"] + b["count"]))
            for b in signal.blocks
        ]
        jump = next(_jumps(subject, [_BEFORE_ALL, *pieces], _scope(subject, name)), None)
        if jump is not None:
            yield text("found.samples_order", stream=name, sample=jump.first)


@rule(Importance.CRITICAL)
def times_true(subject: Subject) -> Messages:
    """Compare the times of samples that other programs read with those that follow from stamps."""
    for name, signal in subject.session.signals.items():
        stored = signal.stored_t_s
        if not np.allclose(stored, signal.t_s, rtol=0, atol=1e-6, equal_nan=True):
            yield text("found.times", stream=name)


def _scope(subject: Subject, stream: str) -> str | None:
    return subject.session.state.streams[stream].scope


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
        yield text("found.unreadable", frames=examples(subject.contents.unreadable_frames))


@rule(Importance.WARNING)
def frames_kept(subject: Subject) -> Messages:
    """Tell of frames that could not be kept."""
    for name, video in subject.session.state.video.items():
        if video.dropped:
            share = video.dropped / (video.frames + video.dropped)
            message = "found.dropped" if name == CAMERA else "found.dropped_of"
            frames = number(video.dropped, "frame")
            yield text(message, frames=frames, stream=name, share=share)


@rule(Importance.WARNING)
def samples_kept(subject: Subject) -> Messages:
    """Tell of samples of signals that could not be kept."""
    for name, signal in subject.session.state.signals.items():
        if signal.dropped:
            share = signal.dropped / (signal.samples + signal.dropped)
            samples = number(signal.dropped, "sample")
            yield text("found.samples_dropped", samples=samples, stream=name, share=share)


@rule(Importance.WARNING)
def sound_complete(subject: Subject) -> Messages:
    """Tell of sound that was lost."""
    for name, stream in subject.session.state.audio.items():
        if stream.gaps:
            lost_s = stream.missing / stream.clock.rate_hz
            gaps = number(stream.gaps, "gap")
            yield text("found.gaps", stream=name, gaps=gaps, lost=lost_s)


@rule(Importance.WARNING)
def capture_went_on(subject: Subject) -> Messages:
    """Tell of times in which nothing was captured though the device was there."""
    for each in subject.session.state.stalls:
        gap, at = each.gap_ns / NS_PER_S, clock_text(each.t_ns / NS_PER_S)
        stream, cause = word("stream", each.stream), word("cause", each.cause)
        yield text("found.stalled", stream=stream.capitalize(), gap=gap, at=at, cause=cause)


@rule(Importance.WARNING)
def devices_stayed(subject: Subject) -> Messages:
    """Tell of devices that were lost while recording, and when."""
    state = subject.session.state
    for each in state.interruptions:
        if each.cause == "lost":
            start, stop = (clock_text(t_ns / NS_PER_S) for t_ns in each.stretch(state.now_ns))
            yield text("found.lost", device=word("device", each.what), start=start, stop=stop)
