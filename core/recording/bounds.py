"""What a recording can be: whatever a file says of itself, held against the rest of it.

The range of each number is declared with its event (`core.events`) and the shape of each data set
looked at where it is opened (`core.recording.layout`). Here stands what follows from several of
them together, before anything is allocated or counted through.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from affetti.core.consent import declared
from affetti.core.events import AnyEvent, SessionStarted, UnknownEvent
from affetti.core.language import text
from affetti.core.recording import layout
from affetti.core.settings import MIB
from affetti.core.state import SessionState

# Moments at which perception is due in a session that holds next to nothing: more than a day.
_IDLE: Final = {"fused": 200_000, "face": 1_000_000}
_AN_EVENT: Final = {"fused": 100, "face": 500}  # further ones for each event that there is
_MAX_DENSITY: Final = 64  # how much a signal may be larger in memory than the file is
_ALWAYS_FITS: Final = 64 * MIB


def state_of(path: Path, events: Iterable[AnyEvent | UnknownEvent]) -> SessionState:
    """Return the fold over the events of a file.

    Raises
    ------
    AffettiError
        No session can be as they say: it starts twice, has a stream that cannot be, or lasts far
        longer than what it holds.
    """
    state = SessionState()
    for event in events:
        _refuse_impossible(path, event, state)
        state.apply(event)
    refuse_endless(path, state)
    return state


def refuse_long(path: Path, name: str, size: int) -> None:
    """Refuse data that are read whole, and are far larger in memory than their file is.

    Raises
    ------
    AffettiError
        They have more bytes than that.
    """
    if size > max(_ALWAYS_FITS, path.stat().st_size * _MAX_DENSITY):
        raise layout.damaged(path, text("damage.claims_bytes_more_than", name=name, size=size))


def is_moment(wall_clock: str) -> bool:
    """Return whether a text is a date and time with its distance from UTC, as ISO 8601 has it."""
    try:
        return datetime.fromisoformat(wall_clock).utcoffset() is not None
    except ValueError:
        return False


def _refuse_impossible(path: Path, event: AnyEvent | UnknownEvent, state: SessionState) -> None:
    if isinstance(event, SessionStarted) and state.started is not None:
        raise layout.damaged(path, text("damage.starts_twice"))
    streams = declared(event)
    if isinstance(event, SessionStarted) and not is_moment(event.wall_clock):
        raise layout.damaged(path, text("damage.no_wall_clock"))
    if not all(stream.possible for stream in streams.values()) or streams.keys() & state.streams:
        raise layout.damaged(path, text("damage.declares_stream_cannot"))


def refuse_endless(path: Path, state: SessionState) -> None:
    """Refuse a session that claims to last far longer than what it holds.

    Raises
    ------
    AffettiError
        Perception would be due in it without end.
    """
    if state.started is None:
        return
    settings = state.started.perception
    periods = {"fused": settings.fusion_period_ns, "face": settings.face_period_ns}
    for name, period_ns in periods.items():
        if state.now_ns // period_ns > _IDLE[name] + _AN_EVENT[name] * state.events:
            raise layout.damaged(path, text("damage.claims_last_weeks"))
