"""What was played."""

from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec

from affetti.core.codes import Code, Digest, Given
from affetti.core.events.base import Count, Event, PlaybackSample, Real, Track, Traits, field

TrackEndReason: TypeAlias = Literal["finished", "skipped", "stopped", "failed"]


class TrackStarted(Event, frozen=True, kw_only=True, tag=True):
    """A track of the playlist began at `sample` of the playback stream."""

    traits: ClassVar = Traits(urgent=True, message="track_started")

    track: Track
    title: Annotated[Given, field("as the file or the playlist says")]
    file_name: Annotated[Given, field("without its folder")]
    sha256: Annotated[Digest, field("of the file")]
    sample: PlaybackSample
    duration_s: Annotated[Real, field("of the file", "seconds")]
    expected: Annotated[Code | None, field("the emotion that the playlist expects of it")] = None
    columns: Annotated[dict[Given, Given], field("further columns of the playlist")] = (
        msgspec.field(default_factory=dict)
    )


class TrackPaused(Event, frozen=True, kw_only=True, tag=True):
    """The track was paused: from `sample` on the playback stream carries silence."""

    traits: ClassVar = Traits(message="track_paused")

    track: Track
    sample: PlaybackSample


class TrackResumed(Event, frozen=True, kw_only=True, tag=True):
    """The track goes on at `sample` of the playback stream."""

    traits: ClassVar = Traits(message="track_resumed")

    track: Track
    sample: PlaybackSample


class SoundLoss(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What could not be played of a sound file that was read to its end."""

    undecodable: Count = 0  # packets
    cut_off: bool = False  # it breaks off
    decoded_s: Real
    stated_s: Real | None = None  # how long it says it is, where that is longer


class TrackEnded(Event, frozen=True, kw_only=True, tag=True):
    """The track ended before `sample` of the playback stream."""

    traits: ClassVar = Traits(urgent=True, message="track_ended")

    track: Track
    sample: PlaybackSample
    reason: Annotated[TrackEndReason, field("why")]
    loss: Annotated[SoundLoss | None, field("what could not be played of the file")] = None
