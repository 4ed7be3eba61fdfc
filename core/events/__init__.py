"""Every event of a recording, each declared once, a family a file.

Importing a name from here is importing it from its family. What the declarations mean to a log
stands here: `encode` and `decode`, the register of kinds, and the schema's version.

Schema changes: a new kind or a new field with a default is a minor version; anything else is
a major one and needs an upcast in `UPCASTS`.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, Union

import msgspec

from affetti.core.codes import Keep
from affetti.core.errors import Damaged, NewerFormat, OlderFormat
from affetti.core.events.base import (
    MAX_SESSION_NS,
    OF_ITS_STREAM,
    Event,
    Field,
    Traits,
    UnknownEvent,
    fields_of,
    leaves,
)
from affetti.core.events.capture import (
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    AudioCaptured,
    AudioFormat,
    AudioGap,
    CaptureStalled,
    ClockAnchored,
    ClockMeasured,
    DeviceLost,
    DeviceName,
    DeviceRefused,
    DeviceRestored,
    FrameCaptured,
    FramesDropped,
    GapCause,
    LossCause,
    RefusalCause,
    SamplesCaptured,
    SamplesDropped,
    StallCause,
    StreamName,
    StreamOpened,
)
from affetti.core.events.columns import WORD_SEPARATOR, Columns, column_fields, columns
from affetti.core.events.consent import (
    IDENTITY,
    PICTURES_IN_REPORTS,
    SCOPES,
    SIGNALS,
    USES,
    Consent,
    ConsentChanged,
    Grant,
    consent_to,
    unstated,
)
from affetti.core.events.estimates import (
    EmotionFused,
    Emotions,
    Estimate,
    Estimated,
    EstimateSkipped,
    Expressions,
    Face,
    FaceEstimated,
    HeardEstimated,
    Modality,
    MusicEstimated,
    SkipReason,
)
from affetti.core.events.faces import (
    PATIENT,
    FaceNamed,
    NeutralReferenceRecorded,
    NeutralReferenceStarted,
    PersonChanged,
)
from affetti.core.events.moments import (
    MarkedStretch,
    MarkerAdded,
    MarkerKey,
    Moment,
    MusicProposed,
    NoteAdded,
    SelfReported,
    marked_stretches,
)
from affetti.core.events.playback import (
    SoundLoss,
    TrackEnded,
    TrackEndReason,
    TrackPaused,
    TrackResumed,
    TrackStarted,
)
from affetti.core.events.protocols import (
    ProtocolStarted,
    Step,
    StepBegun,
    StepEnded,
    StepKind,
    StepOutcome,
)
from affetti.core.events.session import (
    SCHEMA_VERSION,
    EndReason,
    Environment,
    Failure,
    FilmLoss,
    Hole,
    Imported,
    ImportedFile,
    LostSpan,
    PerceptionSettings,
    Pipeline,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
    SessionRecovered,
    SessionStarted,
    Withdrawn,
)
from affetti.core.events.storable import refuse_unstorable, storable
from affetti.core.streams import Stream

__all__ = [
    "ESTIMATES",
    "ESTIMATE_TABLES",
    "IDENTITY",
    "KINDS",
    "MAX_RATE_HZ",
    "MAX_SESSION_NS",
    "MIN_RATE_HZ",
    "OF_ITS_STREAM",
    "OLDEST_SCHEMA",
    "PATIENT",
    "PICTURES_IN_REPORTS",
    "SCHEMA_VERSION",
    "SCOPES",
    "SIGNALS",
    "UPCASTS",
    "USES",
    "WORD_SEPARATOR",
    "AnyEvent",
    "AudioCaptured",
    "AudioFormat",
    "AudioGap",
    "CaptureStalled",
    "ClockAnchored",
    "ClockMeasured",
    "Columns",
    "Consent",
    "ConsentChanged",
    "DeviceLost",
    "DeviceName",
    "DeviceRefused",
    "DeviceRestored",
    "EmotionFused",
    "Emotions",
    "EndReason",
    "Environment",
    "Estimate",
    "EstimateSkipped",
    "Estimated",
    "Event",
    "Expressions",
    "Face",
    "FaceEstimated",
    "FaceNamed",
    "Failure",
    "Field",
    "FilmLoss",
    "FrameCaptured",
    "FramesDropped",
    "GapCause",
    "Grant",
    "HeardEstimated",
    "Hole",
    "Imported",
    "ImportedFile",
    "Keep",
    "LossCause",
    "LostSpan",
    "MarkedStretch",
    "MarkerAdded",
    "MarkerKey",
    "Modality",
    "Moment",
    "MusicEstimated",
    "MusicProposed",
    "NeutralReferenceRecorded",
    "NeutralReferenceStarted",
    "NoteAdded",
    "PerceptionSettings",
    "PersonChanged",
    "Pipeline",
    "ProtocolStarted",
    "RecordingPaused",
    "RecordingResumed",
    "RefusalCause",
    "SamplesCaptured",
    "SamplesDropped",
    "SelfReported",
    "SessionEnded",
    "SessionRecovered",
    "SessionStarted",
    "SkipReason",
    "SoundLoss",
    "StallCause",
    "Step",
    "StepBegun",
    "StepEnded",
    "StepKind",
    "StepOutcome",
    "Stream",
    "StreamName",
    "StreamOpened",
    "TrackEndReason",
    "TrackEnded",
    "TrackPaused",
    "TrackResumed",
    "TrackStarted",
    "Traits",
    "UnknownEvent",
    "Withdrawn",
    "column_fields",
    "columns",
    "consent_to",
    "decode",
    "encode",
    "estimate_kind",
    "fields_of",
    "leaves",
    "major",
    "marked_stretches",
    "refuse_unstorable",
    "storable",
    "stream_of",
    "unstated",
]

KINDS: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in leaves(Event)}
if TYPE_CHECKING:
    AnyEvent: TypeAlias = Event
else:
    # What a decoder may find: every kind that a family declares, without a list of them.
    AnyEvent = Union[tuple(KINDS.values())]  # noqa: UP007

ESTIMATES: Final[tuple[type[Estimate], ...]] = tuple(leaves(Estimate))
# The kinds that have a modality of their own, by its name; that of all others is `Estimated`.
ESTIMATE_TABLES: Final[dict[str, type[Estimate]]] = {
    declared.default: kind
    for kind in ESTIMATES
    for declared in msgspec.structs.fields(kind)
    if declared.name == "modality" and isinstance(declared.default, str)
}

OLDEST_SCHEMA: Final = 2  # major; version 1, of 0.1.0, is refused
# From each older major version to the next: functions of an event's JSON object.
UPCASTS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class _Header(msgspec.Struct, frozen=True):
    kind: str
    t_ns: int
    seq: int


_header_decoder = msgspec.json.Decoder(_Header)


def estimate_kind(modality: str) -> type[Estimate]:
    """Return the kind of a modality's estimates."""
    return ESTIMATE_TABLES.get(modality, Estimated)


def encode(event: Event) -> bytes:
    """Return the event as one JSON object."""
    return _encoder.encode(event)


def decode(data: bytes, version: str = SCHEMA_VERSION) -> AnyEvent | UnknownEvent:
    """Return the event stored in `data`, written under schema `version`.

    Raises
    ------
    AffettiError
        The bytes are not an event, or an event of a known kind with impossible contents.
    """
    upcast = data
    try:
        upcast = _upcast(data, major(version))
        return _decoder.decode(upcast)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        header = _header(upcast)
        if header is None or header.kind in KINDS:
            raise Damaged("events.event_recording_cannot_read", error=error) from error
        return UnknownEvent(header.kind, header.seq, header.t_ns, data)


def _header(data: bytes) -> _Header | None:
    """Return what every event says; None where it is none."""
    try:
        return _header_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def stream_of(event: Event) -> str:
    """Return the name of the stream that an event belongs to; "" where it belongs to none."""
    if isinstance(event, StreamOpened):
        return event.declaration.name
    return str(getattr(event, "stream", None) or "")


@cache
def major(version: str) -> int:
    """Return the major number of a version such as "2.0".

    Raises
    ------
    AffettiError
        It is no version, a later one than this program knows, or an earlier one than it reads.
    """
    number = version.split(".", maxsplit=1)[0]
    if not number.isdecimal():
        raise Damaged("events.recording_names_no_schema", version=version)
    if int(number) > int(SCHEMA_VERSION.split(".", maxsplit=1)[0]):
        raise NewerFormat("events.recording_written_later_affetti", version=version)
    if int(number) < OLDEST_SCHEMA:
        raise OlderFormat(
            "events.recording_written_earlier_affetti",
            version=version,
            ours=SCHEMA_VERSION,
        )
    return int(number)


def _upcast(data: bytes, version: int) -> bytes:
    current = major(SCHEMA_VERSION)
    if version == current:
        return data
    fields = msgspec.json.decode(data)
    for step in range(version, current):
        fields = UPCASTS[step](fields)
    return msgspec.json.encode(fields)
