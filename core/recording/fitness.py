"""Which records of a log can be sealed: those that mean something, in the order they stand."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

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
from affetti.core.recording.parts import MAX_RECORDS, Survey
from affetti.core.recording.records import Record
from affetti.core.recording.signals import holds_samples
from affetti.core.state import SessionState
from affetti.core.streams import AUDIO, SAMPLES, VIDEO, Stream

_LARGEST: Final = 1 << 62


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


class AsRead:
    """Judges the records of a log while it is read for the first time.

    That is of use where they lie in the order in which they stand: in a log without damage.
    """

    def __init__(self) -> None:
        self._of: tuple[str, str] | None = None
        self._fitness = Fitness("", "")
        self._seqs: list[int] = []
        self._fit: list[bool] = []

    def see(self, session_id: str, schema_version: str, record: Record) -> None:
        """Judge the next record of a part."""
        if self._of is None:
            self._of = session_id, schema_version
            self._fitness = Fitness(*self._of)
        same = self._of == (session_id, schema_version)
        self._seqs.append(record.seq if same else -1)
        self._fit.append(same and self._fitness.admits(record))

    def judged(self, found: Survey) -> tuple[NDArray[np.bool_], Fitness] | None:
        """Return which of the surveyed records are fit; None: they have to be judged in order."""
        if self._of != (found.session_id, found.schema_version):
            return None
        if self._seqs != found.rows["seq"].tolist():
            return None
        return np.array(self._fit, bool), self._fitness


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
    if isinstance(value, int):
        return abs(value) < _LARGEST
    if isinstance(value, tuple):
        return all(map(_fits_columns, value))
    if isinstance(value, dict):
        return all(map(_fits_columns, value.values()))
    if isinstance(value, msgspec.Struct):
        return all(map(_fits_columns, msgspec.structs.astuple(value)))
    return True
