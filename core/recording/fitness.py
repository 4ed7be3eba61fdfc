"""Which records of a log can be sealed: those that mean something, in the order they stand."""

from functools import cache
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

from affetti.core.errors import AffettiError
from affetti.core.events import (
    MAX_SESSION_NS,
    AnyEvent,
    AudioCaptured,
    FrameCaptured,
    SamplesCaptured,
    SessionStarted,
    StreamOpened,
    UnknownEvent,
    decode,
    stream_of,
)
from affetti.core.recording.bounds import is_moment
from affetti.core.recording.records import Record
from affetti.core.recording.signals import holds_samples
from affetti.core.recording.survey import MAX_RECORDS
from affetti.core.state import SessionState
from affetti.core.streams import AUDIO, SAMPLES, VIDEO, Stream

_LARGEST: Final = 1 << 62
_ALWAYS_FIT: Final = frozenset({float, str, bytes, bool, type(None)})


class Fitness:
    """Judges the records of one log, one after the other.

    Parameters
    ----------
    session_id, schema_version
        What the parts say.

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
        return self.event_of(record) is not None

    def event_of(self, record: Record) -> AnyEvent | UnknownEvent | None:
        """Return the event of a record that can be sealed, which is taken for sealed then."""
        try:
            event = decode(record.json, self._version)
        except (AffettiError, RecursionError):
            return None
        if not (_agrees(event, record) and _is_storable(event)):
            return None
        if not self._has_its_blob(event, record):
            return None
        self.state.apply(event)
        self.last = event
        return event

    def _has_its_blob(self, event: AnyEvent | UnknownEvent, record: Record) -> bool:
        match event:
            case UnknownEvent():
                return True
            case SessionStarted():
                fit = self._begins(event) and not record.blob
            case StreamOpened():
                fit = self._opens(event.declaration) and not record.blob
            case FrameCaptured() | AudioCaptured() | SamplesCaptured():
                fit = self._belongs(event, record.blob)
            case _:
                fit = not record.blob
        return fit

    def _belongs(self, event: FrameCaptured | AudioCaptured | SamplesCaptured, blob: bytes) -> bool:
        """Whether a blob is of a stream that was declared, and of the size that it says."""
        match event:
            case FrameCaptured():
                return self._of_kind(event.stream, VIDEO) is not None
            case AudioCaptured():
                sound = self._of_kind(event.stream, AUDIO)
                return sound is not None and len(blob) == 2 * len(sound.channels) * event.count
        signal = self._of_kind(event.stream, SAMPLES)
        return signal is not None and holds_samples(signal, event.count, blob)

    def _of_kind(self, name: str, kind: str) -> Stream | None:
        stream = self.state.streams.get(name)
        return stream if stream is not None and stream.kind == kind else None

    def _begins(self, event: SessionStarted) -> bool:
        first = self.state.started is None and event.session_id == self._session_id
        names = {stream.name for stream in event.streams}
        once = len(names) == len(event.streams)
        return (
            first
            and once
            and is_moment(event.wall_clock)
            and all(stream.possible for stream in event.streams)
        )

    def _opens(self, stream: Stream) -> bool:
        begun = self.state.started is not None
        return begun and stream.possible and stream.name not in self.state.streams


def _agrees(event: AnyEvent | UnknownEvent, record: Record) -> bool:
    if (event.seq, event.t_ns) != (record.seq, record.t_ns):
        return False
    if isinstance(event, UnknownEvent):
        return event.kind == record.kind
    return (type(event).__name__, stream_of(event)) == (record.kind, record.stream)


def _is_storable(event: AnyEvent | UnknownEvent) -> bool:
    if not 0 <= event.seq < MAX_RECORDS or abs(event.t_ns) > MAX_SESSION_NS:
        return False
    if isinstance(event, UnknownEvent):
        return True
    return _fits_columns(event)


def _fits_columns(value: Any) -> bool:
    """Whether all whole numbers in a value, however deep, fit a column of int64 or float64."""
    kind = type(value)
    if kind in _ALWAYS_FIT:
        return True
    if kind is int:
        return bool(abs(value) < _LARGEST)
    if kind is tuple:
        return all(map(_fits_columns, value))
    if kind is dict:
        return all(map(_fits_columns, value.values()))
    if isinstance(value, msgspec.Struct):
        return all(_fits_columns(getattr(value, name)) for name in _numbered(type(value)))
    return True


@cache
def _numbered(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the fields of a kind that may hold whole numbers: most hold words and shares."""
    hints = get_type_hints(kind)
    return tuple(name for name in kind.__struct_fields__ if _may_be_whole(hints[name]))


def _may_be_whole(hint: Any) -> bool:
    if hint is Ellipsis or hint in _ALWAYS_FIT or get_origin(hint) is Literal:
        return False
    inside = get_args(hint)
    return any(map(_may_be_whole, inside)) if inside else True
