"""What the screen and the engine say to each other over the pipe between their processes.

The screen sends commands, the engine sends messages. Both are declared here once, and travel
as MessagePack. Nothing is pickled.
"""

from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, Union

import msgspec

from affetti.core.events import AnyEvent, Consent, Keep, MarkerKey, leaves, storable
from affetti.core.people.playlist import PlaylistEntry
from affetti.core.people.protocol import Protocol


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What was proposed of a collection of music, and chosen: see `MusicProposed`."""

    direction: str
    titles: tuple[str, ...]
    sha256: tuple[str, ...]
    chosen: PlaylistEntry | None = None
    chosen_sha256: str | None = None
    title: str = ""  # of that
    valence: float | None = None  # where the music was
    arousal: float | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to record."""

    person: str  # a pseudonym, checked by the engine
    consent: Consent
    output: str | None = None  # a path that ends in .h5; None: named after person and time
    camera: str | None = None  # an index, a video file or a URL; its face is read
    cameras: tuple[str, ...] = ()  # further ones, kept and not read: the same, or "NAME=" before it
    microphone: str | None = None  # a device's name or an audio file; "" is the default device
    playlist: tuple[str | PlaylistEntry, ...] = ()  # paths, or what a playlist says of them
    proposals: tuple[Proposal, ...] = ()  # what that came from
    sources: tuple[str, ...] = ()  # further ones, by address: "lsl:NAME"
    markers: tuple[str, ...] = ()  # streams of markers of other programs, by address: "lsl:NAME"
    lsl_out: bool = False  # whether live estimates are offered to other programs
    speaker: str | None = ""  # a device's name; "" is the default device; None: to the log alone
    volume: int = 100  # in percent, of what is heard; what is recorded is the music as it is
    duration_s: float | None = None
    pipeline: str = "affetti"  # what perceives and fuses, by name
    neutral_s: float | None = None  # how long a neutral face is shown at the beginning
    keep: Keep | None = None  # of pictures and of the room's sound; None: as the settings say
    counted: tuple[MarkerKey, ...] = ()  # what is counted, each with its key
    unattended: bool = False  # ends with its files even while live devices would go on
    protocol: Protocol | None = None  # of a study, which then says what is played
    # For whom it is encrypted, as public keys in letters; (): it is not, None: as the settings say.
    recipients: tuple[str, ...] | None = None


# Commands: from the screen to the engine. What tells of a moment has `sent_ns`, when it was sent on
# the machine's monotonic clock, which both processes have: it may wait for an engine that stands
# still.


class Command(msgspec.Struct, frozen=True, tag=True):
    """What all commands share."""


class ListDevices(Command, frozen=True, tag=True):
    """Answered by `Devices`."""


class Watch(Command, frozen=True, tag=True):
    """Preview these sources without recording: answered by `Picture` and `Level` until `Record`.

    None closes a source. Sent again whenever the choice changes.
    """

    camera: str | None = None
    microphone: str | None = None


class PlayTone(Command, frozen=True, tag=True):
    """Play a short tone to a speaker, as loud as the music will be."""

    speaker: str = ""
    volume: int = 100


class Record(Command, frozen=True, tag=True):
    """Begin to record; answered by `Started` or by a `Problem`."""

    plan: Plan


class Stop(Command, frozen=True, tag=True):
    """End the recording and seal it; answered by `Sealing` and `Sealed`."""


class Mark(Command, frozen=True, tag=True):
    """Add a marker of the moment `ago_s` ago, when its key was pressed."""

    label: str = ""
    number: int | None = None
    edge: Literal["start", "end"] | None = None  # of a stretch
    ago_s: float = 0.0
    sent_ns: int | None = None


class ReportSelf(Command, frozen=True, tag=True, kw_only=True):
    """Add what the person said of themselves: see `SelfReported`."""

    occasion: str = ""
    track: int | None = None
    valence: float | None = None
    arousal: float | None = None
    emotion: str = ""
    scales: dict[str, float] = {}
    skipped: bool = False
    answered_s: float | None = None
    sent_ns: int | None = None


class Note(Command, frozen=True, tag=True):
    """Add a note about the moment `ago_s` ago, when it was begun."""

    text: str
    ago_s: float = 0.0
    sent_ns: int | None = None


class NoteBegun(Command, frozen=True, tag=True):
    """Keep a note while it is typed; it is added when the recording ends before it was finished.

    Sent at each change, with all of the text; empty where the note was dropped.
    """

    text: str
    ago_s: float = 0.0
    sent_ns: int | None = None


class SteerTrack(Command, frozen=True, tag=True):
    """Go to the next or previous track, pause, go on, or stop playing."""

    action: Literal["next", "previous", "pause", "resume", "stop"]


class ShowNeutralFace(Command, frozen=True, tag=True):
    """From now on the person shows a neutral face, for so many seconds."""

    seconds: float = 10.0


class ProposeMusic(Command, frozen=True, tag=True):
    """Keep what was proposed; a track that was chosen is played after the one that plays."""

    proposal: Proposal


class NameFace(Command, frozen=True, tag=True):
    """Say whose a face in view is: see `FaceNamed`."""

    face_id: int
    role: str


class PauseRecording(Command, frozen=True, tag=True):
    """Keep no frame and no sound of the room until `ResumeRecording`."""


class ResumeRecording(Command, frozen=True, tag=True):
    """Keep them again."""


class ChangeConsent(Command, frozen=True, tag=True):
    """The person changed their mind; what is withdrawn is not kept from here on."""

    consent: Consent


class Quit(Command, frozen=True, tag=True):
    """End the engine's process, after sealing what is being recorded."""


# Messages: from the engine to the screen.


class Message(msgspec.Struct, frozen=True, tag=True):
    """What all messages share."""


class Devices(Message, frozen=True, tag=True):
    """What is connected. The lists are empty where nothing is."""

    cameras: tuple[str, ...]  # indexes, as text
    microphones: tuple[str, ...]
    speakers: tuple[str, ...]
    camera_names: dict[str, str] = {}  # by index, as far as they are known


class Started(Message, frozen=True, tag=True):
    """The recording has begun."""

    path: str  # where the sealed file will be
    recipients: tuple[str, ...] = ()  # for whom it is encrypted, as public keys in letters


class Recorded(Message, frozen=True, tag=True):
    """Events that are in the log now, without their blobs."""

    events: tuple[AnyEvent, ...]


class Safe(Message, frozen=True, tag=True):
    """All events up to one are known to be on the disk; sent whenever there are more."""

    seq: int


class Picture(Message, frozen=True, tag=True):
    """A small picture of what the camera sees, a few times a second."""

    jpeg: bytes
    width_px: int  # of the full frame, which `FaceEstimated.box_px` refers to
    height_px: int


class Seen(Message, frozen=True, tag=True):
    """How well a face is seen in the preview, about the picture that was sent last."""

    boxes_px: tuple[tuple[int, int, int, int], ...]  # the one that is meant first
    advice: str  # a code: "good", or what there is to better
    read: bool  # whether what the face expresses could be said


class Level(Message, frozen=True, tag=True):
    """How loud the microphone or the playback is, a few times a second."""

    stream: str  # "room" or "playback"
    rms_dbfs: float
    peak_dbfs: float


SLOW_DISK_S: Final = 2.0  # a disk that takes longer to make sure of deserves a word


class Health(Message, frozen=True, tag=True):
    """How the engine is doing, once a second."""

    frames_per_s: float
    frames_dropped: int
    audio_gaps: int
    drift_ppm: float | None  # of the sound card; None without one, or until it is known
    disk_s: float | None  # how long the disk lasts; None: not known, or not yet
    models_ready: bool  # False while they load
    behind_s: float  # how far inference is behind the present
    skipped: int  # live estimates that were not made
    face_latency_p50_ms: float | None
    face_latency_p95_ms: float | None
    unsafe_s: float = 0.0  # for how long what was recorded may not be on the disk yet; 0: all is
    disk_readable: bool = True  # False where the disk does not say how much room there is


class Sealing(Message, frozen=True, tag=True):
    """How far sealing is, in bytes."""

    done: int
    total: int


class Sealed(Message, frozen=True, tag=True):
    """The recording is one file now."""

    path: str
    reason: str  # of the end, as in `SessionEnded`
    # What it is encrypted with, for the review, and the block of that; b"": it is not.
    key: bytes = b""
    block: bytes = b""


class Problem(Message, frozen=True, tag=True):
    """Something a person should know, in words, with what to do about it."""

    message: str
    hint: str
    code: int
    fatal: bool  # the recording did not begin, or has ended because of it


LAST_WORDS: Final = (Started, Problem)  # which a person is owed, screen or no screen
COMMANDS: Final = tuple(leaves(Command))
MESSAGES: Final = tuple(leaves(Message))
if TYPE_CHECKING:
    AnyCommand: TypeAlias = Command
    AnyMessage: TypeAlias = Message
else:
    # What a decoder may find: everything that is declared above, without a list of it.
    AnyCommand = Union[COMMANDS]  # noqa: UP007
    AnyMessage = Union[MESSAGES]  # noqa: UP007

_encoder = msgspec.msgpack.Encoder()
_commands: Final = msgspec.msgpack.Decoder(AnyCommand)
_messages: Final = msgspec.msgpack.Decoder(AnyMessage)


def send(pipe: "Connection", item: Command | Message) -> None:
    """Send a command or a message; BrokenPipeError when the other side is gone."""
    pipe.send_bytes(packed(item))


def packed(item: Command | Message) -> bytes:
    """Return what is sent of a command or a message."""
    try:
        return _encoder.encode(item)
    except UnicodeEncodeError:  # a path that is no text: better shown a little wrong than not
        return _encoder.encode(storable(item))


def receive_command(pipe: "Connection") -> AnyCommand:
    """Wait for the next command; EOFError when the screen is gone."""
    return command_of(pipe.recv_bytes())


def command_of(data: bytes) -> AnyCommand:
    """Return the command in `data`; msgspec.DecodeError where there is none."""
    command: AnyCommand = _commands.decode(data)
    return command


def receive_message(pipe: "Connection") -> AnyMessage:
    """Wait for the next message; EOFError when the engine is gone."""
    message: AnyMessage = _messages.decode(pipe.recv_bytes())
    return message
