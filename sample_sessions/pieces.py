"""Sessions made of pieces of the bundled one, each with an id of its own: to try studies with.

They are recordings like any other, of one face and three pieces of music, and say nothing of
anybody but how tables and figures come about.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    ESTIMATES,
    AudioCaptured,
    ClockAnchored,
    EstimateSkipped,
    Event,
    FrameCaptured,
    SessionEnded,
    SessionStarted,
    TrackEnded,
    TrackStarted,
    consent_to,
    decode,
)
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings

SAMPLE: Final = Path(__file__).parent / "sample.h5"
_LEFT_OUT: Final = (SessionStarted, EstimateSkipped, *ESTIMATES)


def piece(
    target: Path,
    person: str,
    start_s: float = 0.0,
    stop_s: float = 60.0,
    wall_clock: str = "2026-11-24T10:15:00+01:00",
) -> Path:
    """Make a sealed recording of a piece of the bundled one.

    Parameters
    ----------
    target
        Where it goes, NAME.h5; its session id follows from NAME and from what is in it.
    person
        A code; the person agrees to video, room and use in research.
    start_s, stop_s
        Seconds of the bundled recording, 0 to 59. One from the beginning keeps its live estimates;
        those of another depended on what came before, and are left out.
    wall_clock
        When it is said to have begun, ISO 8601 with offset.

    Raises
    ------
    AffettiError
        There is a recording of that name, or the folder cannot be written.
    """
    told = f"{target.stem} {person} {start_s} {stop_s}"
    session_id = hashlib.sha256(told.encode()).hexdigest()[:32]
    log = PartLog(target, session_id, LogSettings(part_mib=32))
    with Session.open(SAMPLE) as session:
        started = replace(
            session.started,
            session_id=session_id,
            person=person,
            consent=consent_to("video", "room", "research"),
            wall_clock=wall_clock,
        )
        log.append(started)
        for event, blob in _moved(_within(session, start_s, stop_s), round(start_s * NS_PER_S)):
            log.append(event, blob)
    log.close()
    return seal(target).path


def _within(session: Session, start_s: float, stop_s: float) -> Iterator[tuple[Any, bytes]]:
    """Yield what happened between two moments, with a track that is heard from its middle."""
    start_ns, stop_ns = round(start_s * NS_PER_S), round(stop_s * NS_PER_S)
    playing: TrackStarted | None = None
    heard = t_ns = 0
    for record in session.records():
        event: Any = decode(record.json, session.schema_version)
        if event.t_ns >= stop_ns or isinstance(event, SessionEnded):
            break
        if isinstance(event, TrackStarted | TrackEnded):
            playing = event if isinstance(event, TrackStarted) else None
        if event.t_ns < start_ns or isinstance(event, _LEFT_OUT if start_ns else SessionStarted):
            continue
        if isinstance(event, AudioCaptured):
            if playing is not None and playing.t_ns < start_ns:
                playing = replace(playing, t_ns=event.t_ns, sample=event.sample)
                yield playing, b""
            heard = event.sample + event.count
        t_ns = event.t_ns
        yield event, record.blob
    if playing is not None:
        yield TrackEnded(t_ns=t_ns, track=playing.track, sample=heard, reason="stopped"), b""
    yield SessionEnded(t_ns=t_ns, reason="stopped"), b""


def _moved(happened: Iterator[tuple[Any, bytes]], start_ns: int) -> Iterator[tuple[Event, bytes]]:
    """Yield what happened as of a session that begins there: its times, frames and samples."""
    frame = sample = None
    for event, blob in happened:
        moved = replace(event, t_ns=event.t_ns - start_ns)
        if isinstance(event, FrameCaptured):
            frame = event.frame if frame is None else frame
            moved = replace(moved, frame=event.frame - frame)
        elif isinstance(event, AudioCaptured | ClockAnchored | TrackStarted | TrackEnded):
            if sample is None:
                sample = event.sample
            moved = replace(moved, sample=event.sample - sample)
        yield moved, blob
