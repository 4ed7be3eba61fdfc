"""How a session begins, changes and ends."""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from affetti.core.codes import Code, Day, Digest, Given, Keep, Version, WallClock
from affetti.core.events.base import Count, Event, Real, TimeNs, Traits, Whole, field
from affetti.core.events.consent import IDENTITY, ROOM, SIGNALS, VIDEO, Consent
from affetti.core.events.moments import MarkerKey
from affetti.core.streams import Stream
from affetti.core.synchrony import Synchrony

SCHEMA_VERSION: Final = "2.0"

EndReason: TypeAlias = Literal[
    "stopped",
    "duration",
    "sources_ended",
    "protocol_over",
    "signal",
    "ui_gone",
    "disk_full",
    "failed",
]
Failure: TypeAlias = Literal["log_full", "log_unwritable", "log_gone", "unexpected"]

_MS_NS: Final = 1_000_000
_HOUR_NS: Final = 3_600_000_000_000
Period: TypeAlias = Annotated[int, Meta(ge=_MS_NS, le=_HOUR_NS)]
PeriodS: TypeAlias = Annotated[int, Meta(ge=1, le=3_600)]
WindowS: TypeAlias = Annotated[int, Meta(ge=3, le=10)]  # what readers of sound take
Wait: TypeAlias = Annotated[int, Meta(ge=0, le=_HOUR_NS)]


class PerceptionSettings(msgspec.Struct, frozen=True):
    """When perception speaks, in event time. Recorded, so that a replay does the same."""

    face_period_ns: Period = 100_000_000  # at most one face estimate in each period
    music_period_s: PeriodS = 1  # a music estimate ends at each multiple of this
    music_window_s: WindowS = 10  # and looks back this far
    music_minimum_s: WindowS = 3  # but says nothing of less than this
    fusion_period_ns: Period = 500_000_000  # a fused estimate at each multiple of this
    fusion_lateness_ns: Wait = 300_000_000  # how long a tick waits for estimates about it
    face_max_age_ns: Wait = 1_000_000_000  # an older face no longer speaks for the present
    music_max_age_ns: Wait = 2_500_000_000
    # Of further modalities, those that are fused with the others.
    others_max_age_ns: dict[Code, Wait] = msgspec.field(default_factory=dict)

    def max_age_ns(self, modality: str) -> int | None:
        """Return how old an estimate may be that is fused; None where a modality never is."""
        ours = {"face": self.face_max_age_ns, "music": self.music_max_age_ns}
        return (self.others_max_age_ns | ours).get(modality)


class Environment(msgspec.Struct, frozen=True):
    """What made a recording or an analysis; no path and no name of a machine is among it."""

    processor: Given = ""  # its model
    instruction_sets: tuple[Given, ...] = ()  # such as AVX2, as numpy names them
    system: Given = ""  # with its release and architecture
    python: Given = ""
    libraries: dict[Given, Given] = msgspec.field(default_factory=dict)  # name to version


class Pipeline(msgspec.Struct, frozen=True, kw_only=True):
    """What perceives and fuses: which model has which role, by name."""

    name: Given
    face_detector: Code
    face_expression: Code
    music_emotion: Code
    gates: bool = True  # a face out of focus or turned too far away is left unread
    face_identity: Code = ""  # none: faces cannot be told apart
    face_landmarks: Code = ""  # none: nothing but the expression is read
    face_cover: Code = ""  # none: a covered mouth is read like any other
    sound_events: Code = ""  # none: no kinds of sound are told apart, and all is read as music


class ImportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that a recording was made of."""

    file_name: Given  # without its folder
    sha256: Digest
    role: Code  # "film", "room", "music" or "signals"
    start_ns: Whole = 0  # when it begins in the session


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """That a recording was made out of files which Affetti did not record, and of which."""

    on: WallClock  # ISO 8601 with offset
    files: tuple[ImportedFile, ...]
    made: WallClock | None = None  # when the first was, as it says; None where it does not


class SessionStarted(Event, frozen=True, kw_only=True, tag=True):
    """The first event: whose recording this is, of what, and what made it."""

    traits: ClassVar = Traits(urgent=True)

    session_id: Annotated[Digest, field("32 hexadecimal digits")]
    person: Annotated[Given, field("a pseudonym, never a name")]
    consent: Annotated[Consent, field("what the person agreed to")]
    software_version: Annotated[Version, field("of Affetti")]
    wall_clock: Annotated[WallClock, field("ISO 8601 with offset, at t_ns 0")]
    schema_version: Annotated[Version, field("of the events")] = SCHEMA_VERSION
    camera: Annotated[Given | None, field("how the operator named the source")] = None
    microphone: Annotated[Given | None, field("how the operator named the source")] = None
    speaker: Annotated[Given | None, field('"none" when playback goes to the log alone')] = None
    streams: Annotated[tuple[Stream, ...], field("those that are open from the beginning")] = ()
    synchrony: Annotated[
        Synchrony | None,
        field("how late pictures are against sound, as measured for the devices; without: not"),
    ] = None
    playlist: Annotated[tuple[Given, ...], field("titles")] = ()
    markers: Annotated[tuple[MarkerKey, ...], field("what is counted, each with its key")] = ()
    models: Annotated[dict[Code, Digest], field("digest of each model, by name")] = msgspec.field(
        default_factory=dict
    )
    perceivers: Annotated[
        dict[Code, Digest], field("SHA-256 of the code of each plug-in that perceives, by modality")
    ] = msgspec.field(default_factory=dict)
    perception: Annotated[PerceptionSettings, field("when perception speaks")] = (
        PerceptionSettings()
    )
    pipeline: Annotated[Pipeline | None, field("what perceives and fuses")] = None
    perception_version: Annotated[Count, field("of the code that perceives, from 1")] = 1
    environment: Annotated[Environment, field("the machine and the libraries that made it")] = (
        Environment()
    )
    imported: Annotated[
        Imported | None, field("of what files it was made, where it was not recorded live")
    ] = None
    keeps: Annotated[
        Keep, field("all, or estimates without the pictures and the room's sound they are of")
    ] = "all"
    offered: Annotated[
        tuple[Code, ...],
        field("to whom live estimates and markers were offered: lsl, programs in the network"),
    ] = ()


class RecordingPaused(Event, frozen=True, kw_only=True, tag=True):
    """From here on nothing of the person is kept: no frame, no sound of the room, no signal."""

    traits: ClassVar = Traits(urgent=True, message="recording_paused")


class RecordingResumed(Event, frozen=True, kw_only=True, tag=True):
    """Frames, sound and signals are kept again."""

    traits: ClassVar = Traits(urgent=True, message="recording_resumed")


class Hole(msgspec.Struct, frozen=True):
    """Frames of a film in a row that could not be decoded, in time from its start."""

    start_ns: Whole
    end_ns: Whole  # the next picture, or the end
    count: Count


class FilmLoss(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What could not be recorded of a film that stood in for a camera."""

    file_name: Given  # without its folder
    holes: tuple[Hole, ...] = ()
    cut_off_ns: Whole | None = None  # where it breaks off, from its start; None: it does not
    stated_ns: Whole | None = None  # how long it says it is
    late_ns: Whole = 0  # by how much it took longer than it lasts: the machine was too slow


class SessionEnded(Event, frozen=True, kw_only=True, tag=True):
    """The last event of a recording that ended cleanly."""

    traits: ClassVar = Traits(urgent=True, perceived=False)

    reason: Annotated[EndReason, field("why")]
    failure: Annotated[Failure | None, field("what failed, if anything did")] = None
    error: Annotated[Given, field("what the system or a library calls it")] = ""
    film: Annotated[FilmLoss | None, field("what could not be recorded of the film")] = None
    films: Annotated[tuple[FilmLoss, ...], field("the same of films beside the first")] = ()

    @property
    def film_losses(self) -> tuple[FilmLoss, ...]:
        """What could not be recorded of every film."""
        return (*(() if self.film is None else (self.film,)), *self.films)


class Withdrawn(Event, frozen=True, kw_only=True, tag=True):
    """Something was removed from the file after the recording: consent to it ended, or a rule.

    The last event of such a file. Estimates made later than `from_ns` were removed as well, where
    they rested on what was seen or heard before: they can be computed again from what is left.
    """

    traits: ClassVar = Traits(urgent=True, perceived=False)

    scopes: Annotated[tuple[Code, ...], field("of consent that ended")]
    from_ns: Annotated[TimeNs, field("since when, in the session", "nanoseconds")] = 0
    to_ns: Annotated[TimeNs | None, field("until when; without, to the end", "nanoseconds")] = None
    on: Annotated[Day, field("the date of the removal")]
    reason: Annotated[Given, field("in the words of whoever removed it")] = ""
    removed: Annotated[dict[Code, Count], field("how many records, by their kind")]
    log_sha256: Annotated[Digest, field("of the log as it was before")]
    estimates_stay: Annotated[
        bool, field("whether only pictures and sound went, as a rule says, and consent goes on")
    ] = False

    def touches(self, modality: str) -> bool:
        """Return whether estimates of a modality, from `from_ns` on, went with what is gone."""
        if self.estimates_stay:
            return False
        scopes = {"face": {VIDEO, IDENTITY}, "music": {ROOM}, "heard": {ROOM}}
        if modality == "fused":
            return bool(self.removed.get("EmotionFused"))
        return not scopes.get(modality, {SIGNALS}).isdisjoint(self.scopes)


class LostSpan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Records that are missing from a log, one behind the other."""

    first: Whole  # seq
    last: Whole
    from_ns: TimeNs  # when what stands before them happened
    to_ns: TimeNs | None = None  # and what stands behind them, if anything does


class SessionRecovered(Event, frozen=True, kw_only=True, tag=True):
    """The last event of a recording with a loss: it broke off, or not all of it could be read.

    Behind a `SessionEnded`, the recording ended cleanly and was damaged afterwards.
    """

    traits: ClassVar = Traits(urgent=True, perceived=False)

    lost_s: Annotated[
        Real, field("upper estimate of what is missing, inside and at the end", "seconds")
    ]
    damaged_records: Annotated[Count, field("records inside the log that could not be read")]
    end_s: Annotated[
        Real | None,
        field(
            "of that at the end, at most; none where it ended cleanly or that is not known",
            "seconds",
        ),
    ] = None
    end_unknown: Annotated[
        bool, field("whether it broke off and nothing says how much is missing at the end")
    ] = False
    gaps: Annotated[Count, field("stretches of records that are missing inside")] = 0
    spans: Annotated[tuple[LostSpan, ...], field("the first of them")] = ()
    missing_parts: Annotated[tuple[Whole, ...], field("numbers of parts that are not there")] = ()
    unreadable_parts: Annotated[
        tuple[Whole, ...], field("numbers of parts that could not be read whole")
    ] = ()
