"""Which records of a log can be sealed: those that mean something, in the order they stand."""

from typing import Any, Final

import msgspec
import numpy as np

from affetti.core.errors import AffettiError
from affetti.core.events import (
    ESTIMATES,
    AnyEvent,
    AudioCaptured,
    AudioFormat,
    Event,
    SessionStarted,
    UnknownEvent,
    columns,
    decode,
)
from affetti.core.recording import layout
from affetti.core.recording.parts import MAX_RECORDS
from affetti.core.recording.records import Record
from affetti.core.recording.session import MAX_SESSION_NS
from affetti.core.state import SessionState

_LARGEST: Final = 1 << 62


class Fitness:
    """Judges the records of one log, one after the other.

    Parameters
    ----------
    session_id, schema_version
        What the segments say.

    Attributes
    ----------
    state
        After the records that were fit.
    last
        The last event that was fit.
    """

    def __init__(self, session_id: str, schema_version: str) -> None:
        self._session_id = session_id
        self._version = schema_version
        self.state = SessionState()
        self.last: AnyEvent | UnknownEvent | None = None

    def admits(self, record: Record) -> bool:
        """Whether a record can be sealed; it is taken for sealed then."""
        try:
            event = decode(record.json, self._version)
        except (AffettiError, RecursionError):
            return False
        fit = _agrees(event, record) and _is_storable(event) and self._has_its_blob(event, record)
        if fit:
            self.state.apply(event)
            self.last = event
        return fit

    def _has_its_blob(self, event: AnyEvent | UnknownEvent, record: Record) -> bool:
        if isinstance(event, AudioCaptured):
            started = self.state.started
            form = started.streams.get(event.stream) if started else None
            return form is not None and len(record.blob) == 2 * form.channels * event.count
        if isinstance(event, SessionStarted) and not self._begins(event):
            return False
        return not record.blob or (isinstance(event, Event) and event.traits.blob)

    def _begins(self, event: SessionStarted) -> bool:
        first = self.state.started is None and event.session_id == self._session_id
        return first and all(_is_possible(name, form) for name, form in event.streams.items())


def _is_possible(name: str, form: AudioFormat) -> bool:
    channels = 1 <= form.channels <= layout.MAX_CHANNELS
    return name in layout.STREAMS and channels and 1 <= form.rate_hz <= layout.MAX_RATE_HZ


def _agrees(event: AnyEvent | UnknownEvent, record: Record) -> bool:
    kind = event.kind if isinstance(event, UnknownEvent) else type(event).__name__
    return (kind, event.seq, event.t_ns) == (record.kind, record.seq, record.t_ns)


def _is_storable(event: AnyEvent | UnknownEvent) -> bool:
    if not 0 <= event.seq < MAX_RECORDS or abs(event.t_ns) > MAX_SESSION_NS:
        return False
    if isinstance(event, UnknownEvent):
        return True
    values: list[Any] = list(msgspec.structs.astuple(event))
    if any(isinstance(value, int) and abs(value) >= _LARGEST for value in values):
        return False
    return not isinstance(event, ESTIMATES) or _has_columns(event)


def _has_columns(event: AnyEvent) -> bool:
    try:
        return all(isinstance(each, np.ndarray) for each in columns(type(event), [event]).values())
    except (OverflowError, ValueError):
        return False
