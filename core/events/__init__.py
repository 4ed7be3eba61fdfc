"""Every event of a recording, each declared once.

A declaration here is the whole definition: its stored form (`encode`, `decode`), its columns
(`columns`) and its documentation derive from it. Units are in the names: `t_ns` is nanoseconds
of the session clock, `sample` counts samples of one audio stream, `_s` seconds, `_px` pixels.

`seq` is the order in which events were recorded, gapless from 0. `t_ns` is when the thing
happened: for an estimate, the moment it is *about*, so `t_ns` need not rise with `seq`.

Schema changes: a new kind or a new field with a default is a minor version; anything else is
a major one and needs an upcast in `UPCASTS`.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, Literal, TypeAlias, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.errors import AffettiError, ExitCode

SCHEMA_VERSION: Final = "1.0"

StreamName: TypeAlias = Literal["room", "playback"]
Modality: TypeAlias = Literal["face", "music"]
SkipReason: TypeAlias = Literal["late", "failed", "consent"]
DeviceName: TypeAlias = Literal["camera", "microphone", "speaker", "disk"]
EndReason: TypeAlias = Literal[
    "stopped", "duration", "sources_ended", "signal", "ui_gone", "disk_full", "failed"
]
TrackEndReason: TypeAlias = Literal["finished", "skipped", "stopped", "failed"]

# One probability for each of EXPRESSIONS and EMOTIONS, in their order.
Expressions: TypeAlias = tuple[float, float, float, float, float, float, float]
Emotions: TypeAlias = tuple[float, float, float, float]


class Consent(msgspec.Struct, frozen=True):
    """What the person agreed to have recorded; what is not consented to is never written."""

    video: bool  # frames of the face, and every estimate made from them
    audio: bool  # the room's sound, and every estimate made from it


class AudioFormat(msgspec.Struct, frozen=True):
    """The form of an audio stream; samples are int16, channels interleaved."""

    rate_hz: int
    channels: int


class PerceptionSettings(msgspec.Struct, frozen=True):
    """When perception speaks, in event time. Recorded, so that a replay does the same."""

    face_period_ns: int = 100_000_000  # at most one face estimate in each period
    music_period_s: int = 1  # a music estimate ends at each multiple of this
    music_window_s: int = 10  # and looks back this far
    music_minimum_s: int = 3  # but says nothing of less than this
    fusion_period_ns: int = 500_000_000  # a fused estimate at each multiple of this
    fusion_lateness_ns: int = 300_000_000  # how long a tick waits for estimates about it
    face_max_age_ns: int = 1_000_000_000  # an older face no longer speaks for the present
    music_max_age_ns: int = 2_500_000_000


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all events share."""

    t_ns: int
    seq: int = -1  # given by the log


class SessionStarted(Event, frozen=True, kw_only=True, tag=True):
    """The first event: whose recording this is, of what, and what made it."""

    session_id: str  # 32 hexadecimal digits
    person: str  # a pseudonym, never a name
    consent: Consent
    software_version: str
    wall_clock: str  # ISO 8601 with offset, at t_ns 0
    schema_version: str = SCHEMA_VERSION
    camera: str | None = None  # how the operator named the source; None when there is none
    microphone: str | None = None
    speaker: str | None = None  # "none" when playback goes to the log alone
    streams: dict[str, AudioFormat] = {}
    playlist: tuple[str, ...] = ()  # titles
    models: dict[str, str] = {}  # name to SHA-256
    perception: PerceptionSettings = PerceptionSettings()


class ClockAnchored(Event, frozen=True, kw_only=True, tag=True):
    """Sample `sample` of a stream was heard at `t_ns`, by that device's own time stamp."""

    stream: StreamName
    sample: int


class FrameCaptured(Event, frozen=True, kw_only=True, tag=True):
    """A camera frame; the blob is its JPEG."""

    frame: int  # from 0; only a pause, or no consent, leaves numbers out
    width_px: int
    height_px: int


class AudioCaptured(Event, frozen=True, kw_only=True, tag=True):
    """A block of audio; the blob is int16 little-endian samples, `t_ns` that of the first."""

    stream: StreamName
    sample: int  # index of the first sample in the stream
    count: int  # samples in each channel


class FramesDropped(Event, frozen=True, kw_only=True, tag=True):
    """Frames the camera delivered that could not be kept."""

    count: int


class AudioGap(Event, frozen=True, kw_only=True, tag=True):
    """Sound that was lost; the stream's sample index goes on without it."""

    stream: StreamName
    sample: int  # index of the first sample after the gap
    missing: int  # samples lost, as far as known
    detail: str = ""


class DeviceLost(Event, frozen=True, kw_only=True, tag=True):
    """A device stopped delivering."""

    device: DeviceName
    detail: str = ""


class DeviceRestored(Event, frozen=True, kw_only=True, tag=True):
    """It delivers again, `gap_ns` after it was last heard of."""

    device: DeviceName
    gap_ns: int


class TrackStarted(Event, frozen=True, kw_only=True, tag=True):
    """A track of the playlist began at `sample` of the playback stream."""

    track: int  # position in the playlist, from 0
    title: str
    file_name: str  # without its folder
    sha256: str
    sample: int
    duration_s: float


class TrackPaused(Event, frozen=True, kw_only=True, tag=True):
    """The track was paused: from `sample` on the playback stream carries silence."""

    track: int
    sample: int


class TrackResumed(Event, frozen=True, kw_only=True, tag=True):
    """The track goes on at `sample` of the playback stream."""

    track: int
    sample: int


class TrackEnded(Event, frozen=True, kw_only=True, tag=True):
    """The track ended before `sample` of the playback stream."""

    track: int
    sample: int
    reason: TrackEndReason


class MarkerAdded(Event, frozen=True, kw_only=True, tag=True):
    """The therapist marked a moment."""

    label: str


class NoteAdded(Event, frozen=True, kw_only=True, tag=True):
    """The therapist wrote something down."""

    text: str


class SelfReported(Event, frozen=True, kw_only=True, tag=True):
    """What the person says of themselves."""

    emotion: str | None = None
    valence: float | None = None  # -1 unpleasant to 1 pleasant
    arousal: float | None = None  # -1 calm to 1 activated
    text: str = ""


class BaselineStarted(Event, frozen=True, kw_only=True, tag=True):
    """From here on the person shows a neutral face."""


class BaselineRecorded(Event, frozen=True, kw_only=True, tag=True):
    """Up to here, from the latest `BaselineStarted`; later estimates are corrected by it."""


class PersonChanged(Event, frozen=True, kw_only=True, tag=True):
    """Several faces are in view, and the person is another: the next one to the right."""


class ConsentChanged(Event, frozen=True, kw_only=True, tag=True):
    """The person changed their mind; from here on `consent` holds."""

    consent: Consent


class RecordingPaused(Event, frozen=True, kw_only=True, tag=True):
    """From here on no frame and no sound of the room is kept."""


class RecordingResumed(Event, frozen=True, kw_only=True, tag=True):
    """Frames and sound are kept again."""


class EstimateSkipped(Event, frozen=True, kw_only=True, tag=True):
    """No live estimate was made from event `of_seq`, or none that may be kept.

    The machine could not keep up or reading failed, or consent ended while it was under way.
    """

    modality: Modality
    of_seq: int
    reason: SkipReason = "late"


class FaceEstimated(Event, frozen=True, kw_only=True, tag=True):
    """What the face in a frame expresses; without `expressions`, none could be read.

    Without `box_px` no face was found; one with a box was out of focus or turned too far away.
    `expressions` is the network's word. `emotions` follows from it, after the person's neutral
    bias was taken out where there is a baseline.
    """

    frame: int
    expressions: Expressions | None = None
    emotions: Emotions | None = None
    baseline: bool = False  # whether a baseline corrected `emotions`
    box_px: tuple[int, int, int, int] | None = None  # left, top, width, height
    faces: int = 0  # how many were found
    score: float | None = None  # the detector's, where it gives one
    sharpness: float | None = None  # variance of the Laplacian of the 48 x 48 face
    brightness: float | None = None  # mean grey level of the face, 0 to 1
    yaw_deg: float | None = None  # turn of the head, positive towards the picture's right
    roll_deg: float | None = None  # tilt of the head, positive clockwise


class MusicEstimated(Event, frozen=True, kw_only=True, tag=True):
    """What the music expresses in a window; without `emotions`, there was none to hear."""

    stream: StreamName
    start_sample: int
    end_sample: int  # exclusive
    emotions: Emotions | None = None
    loudness_dbfs: float = -120.0  # root mean square of the window
    tempo_bpm: float | None = None
    reasons: tuple[str, ...] = ()  # what spoke for the strongest emotion: "minor", "sparse"


class EmotionFused(Event, frozen=True, kw_only=True, tag=True):
    """Face and music together at a tick; without `emotions`, neither said anything."""

    emotions: Emotions | None = None
    decided_by: Literal["both", "face", "music", "neither"] = "neither"
    entropy_bits: float | None = None  # 0 (certain) to 2
    divergence_bits: float | None = None  # between face and music: 0 (alike) to 1


class SessionEnded(Event, frozen=True, kw_only=True, tag=True):
    """The last event of a recording that ended cleanly."""

    reason: EndReason
    detail: str = ""


class SessionRecovered(Event, frozen=True, kw_only=True, tag=True):
    """The last event of a recording with a loss: it broke off, or not all of it could be read.

    Behind a `SessionEnded`, the recording ended cleanly and was damaged afterwards.
    """

    lost_s: float  # upper estimate of what is missing, inside and at the end
    damaged_records: int  # records inside the log that could not be read
    statement: str  # the same in words


AnyEvent: TypeAlias = (
    SessionStarted
    | ClockAnchored
    | FrameCaptured
    | AudioCaptured
    | FramesDropped
    | AudioGap
    | DeviceLost
    | DeviceRestored
    | TrackStarted
    | TrackPaused
    | TrackResumed
    | TrackEnded
    | MarkerAdded
    | NoteAdded
    | SelfReported
    | BaselineStarted
    | BaselineRecorded
    | PersonChanged
    | ConsentChanged
    | RecordingPaused
    | RecordingResumed
    | EstimateSkipped
    | FaceEstimated
    | MusicEstimated
    | EmotionFused
    | SessionEnded
    | SessionRecovered
)
KINDS: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in AnyEvent.__args__}
# The estimates, by the name of their table.
ESTIMATE_TABLES: Final[dict[str, type[Event]]] = {
    "face": FaceEstimated,
    "music": MusicEstimated,
    "fused": EmotionFused,
}
ESTIMATES: Final[tuple[type[Event], ...]] = tuple(ESTIMATE_TABLES.values())
# Kinds that carry a blob beside their JSON; in a sealed file the blob lives in a data set.
BLOBS: Final = (FrameCaptured, AudioCaptured)
# Someone stands waiting for these: they go to the disk at once.
URGENT: Final = (
    SessionStarted,
    TrackStarted,
    TrackEnded,
    MarkerAdded,
    NoteAdded,
    SelfReported,
    ConsentChanged,
    RecordingPaused,
    RecordingResumed,
    SessionEnded,
)


class UnknownEvent(msgspec.Struct, frozen=True):
    """An event of a later minor version: kept as it is, and skipped."""

    kind: str
    seq: int
    t_ns: int
    json: bytes


# From each older major version to the next: functions of an event's JSON object.
UPCASTS: Final[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {}

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


class _Header(msgspec.Struct, frozen=True):
    kind: str
    t_ns: int
    seq: int


_header_decoder = msgspec.json.Decoder(_Header)


def encode(event: Event) -> bytes:
    """Return the event as one JSON object."""
    return _encoder.encode(event)


_T = TypeVar("_T")
_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")  # bytes that were no UTF-8, to Python
_MAX_JSON_BYTES: Final = 1 << 20
_MAX_T_NS: Final = 14 * 24 * 3600 * 1_000_000_000  # as long as a session may be


def storable(value: _T) -> _T:
    """Return an event, or a value in one, whose texts can be written: other signs become U+FFFD."""
    cleaned: Any = value
    if isinstance(value, str):
        cleaned = _LONE_SURROGATES.sub("\ufffd", value)
    elif isinstance(value, tuple):
        cleaned = tuple(storable(item) for item in value)
    elif isinstance(value, dict):
        cleaned = {storable(key): storable(item) for key, item in value.items()}
    elif isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {name: new for name, old in fields.items() if (new := storable(old)) != old}
        cleaned = msgspec.structs.replace(value, **changed) if changed else value
    result: _T = cleaned
    return result


def refuse_unstorable(event: Event) -> None:
    """Refuse an event that a log cannot hold.

    Raises
    ------
    ValueError
        It is longer than a MiB, about a time that no session has, or cannot be encoded.
    """
    try:
        length = len(encode(event))
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if length > _MAX_JSON_BYTES:
        raise ValueError(f"{length} bytes are too many for one event")
    if not -_MAX_T_NS <= event.t_ns <= _MAX_T_NS:
        raise ValueError("no session has such a time")


def decode(data: bytes, version: str = SCHEMA_VERSION) -> AnyEvent | UnknownEvent:
    """Return the event stored in `data`, written under schema `version`.

    Raises
    ------
    AffettiError
        The bytes are not an event, or an event of a known kind with impossible contents.
    """
    try:
        upcast = _upcast(data, major(version))
        header = _header_decoder.decode(upcast)
        if header.kind not in KINDS:
            return UnknownEvent(header.kind, header.seq, header.t_ns, data)
        return _decoder.decode(upcast)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AffettiError(
            f"An event of this recording cannot be read: {error}.",
            "The file is damaged; run `affetti check` on it.",
            ExitCode.DAMAGED,
        ) from error


@cache
def major(version: str) -> int:
    """Return the major number of a version such as "1.0".

    Raises
    ------
    AffettiError
        It is no version, or a later one than this program knows.
    """
    number = version.split(".", maxsplit=1)[0]
    if not number.isdecimal():
        raise AffettiError(
            f"The recording names no schema version this program knows: {version!r:.40}.",
            "The file is damaged, or another program wrote it.",
            ExitCode.DAMAGED,
        )
    if int(number) > int(SCHEMA_VERSION.split(".", maxsplit=1)[0]):
        raise AffettiError(
            f"The recording was written by a later Affetti (schema {version}).",
            "Update Affetti to read it.",
            ExitCode.NEWER_FORMAT,
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


Columns: TypeAlias = dict[str, NDArray[Any]]
WORD_SEPARATOR: Final = ", "  # in a column of lists of words
_LABELS: Final[dict[str, tuple[str, ...]]] = {
    "expressions": tuple(e.value for e in EXPRESSIONS),
    "emotions": tuple(e.value for e in EMOTIONS),
    "box_px": ("left_px", "top_px", "width_px", "height_px"),
}


def columns(kind: type[Event], events: Iterable[Event]) -> Columns:
    """Return the events of one kind as columns, one row each, NaN where there is no value.

    Tuples become a column for each of their labels: `emotions` becomes `happiness`,
    `sadness`, `anger`, `relaxation`; a list of words becomes one text. Text columns have dtype
    object.

    Parameters
    ----------
    kind
        The class of all the events.
    events
        The rows, in the order wanted.
    """
    rows = list(events)
    table: Columns = {}
    for name in ("seq", "t_ns"):
        table[name] = np.array([getattr(row, name) for row in rows], np.int64)
    for field in kind.__struct_fields__:
        if field in table:
            continue
        values = [getattr(row, field) for row in rows]
        labels = _LABELS.get(field)
        if labels is None:
            table[field] = _column(values)
        else:
            block = np.full((len(rows), len(labels)), np.nan)
            for i, value in enumerate(values):
                if value is not None:
                    block[i] = value
            table.update({label: block[:, j] for j, label in enumerate(labels)})
    return table


def _column(values: list[Any]) -> NDArray[Any]:
    values = [WORD_SEPARATOR.join(value) if isinstance(value, tuple) else value for value in values]
    present = [value for value in values if value is not None]
    if not present:
        return np.full(len(values), np.nan)
    if len(present) == len(values) and all(isinstance(v, int) for v in present):
        return np.array(values, np.int64)
    if all(isinstance(value, int | float) for value in present):
        return np.array([np.nan if v is None else v for v in values], np.float64)
    return np.array(values, object)
