"""What was captured, and what was not."""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec

from affetti.core.events.base import OF_ITS_STREAM, Event, Traits, field

StreamName: TypeAlias = Literal["room", "playback"]
DeviceName: TypeAlias = Literal["camera", "microphone", "speaker", "disk"]


# The rates of a stream that is recorded: whatever looks at a recording can handle these.
MIN_RATE_HZ: Final = 8_000
MAX_RATE_HZ: Final = 192_000


class AudioFormat(msgspec.Struct, frozen=True):
    """The form of an audio stream; samples are int16, channels interleaved."""

    rate_hz: int
    channels: int


class ClockAnchored(Event, frozen=True, kw_only=True, tag=True):
    """Sample `sample` of a stream was heard at `t_ns`, by that device's own time stamp."""

    traits: ClassVar = Traits()

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[int, field("index in the stream", "samples")]


class FrameCaptured(Event, frozen=True, kw_only=True, tag=True):
    """A camera frame; the blob is its JPEG."""

    traits: ClassVar = Traits(blob=True, scope="video")

    frame: Annotated[int, field("from 0; only a pause, or no consent, leaves numbers out")]
    width_px: Annotated[int, field("of the picture", "pixels")]
    height_px: Annotated[int, field("of the picture", "pixels")]


class AudioCaptured(Event, frozen=True, kw_only=True, tag=True):
    """A block of audio; the blob is int16 little-endian samples, `t_ns` that of the first."""

    traits: ClassVar = Traits(blob=True, scope=OF_ITS_STREAM)

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[int, field("index of the first sample in the stream", "samples")]
    count: Annotated[int, field("samples in each channel", "samples")]


class FramesDropped(Event, frozen=True, kw_only=True, tag=True):
    """Frames the camera delivered that could not be kept."""

    traits: ClassVar = Traits(message="frames_dropped")

    count: Annotated[int, field("how many", "frames")]


class AudioGap(Event, frozen=True, kw_only=True, tag=True):
    """Sound that was lost; the stream's sample index goes on without it."""

    traits: ClassVar = Traits(message="audio_gap")

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[int, field("index of the first sample after the gap", "samples")]
    missing: Annotated[int, field("lost, as far as known", "samples")]
    detail: Annotated[str, field("what the device said")] = ""


class DeviceLost(Event, frozen=True, kw_only=True, tag=True):
    """A device stopped delivering."""

    traits: ClassVar = Traits(message="device_lost")

    device: Annotated[DeviceName, field("which")]
    detail: Annotated[str, field("what it said")] = ""


class DeviceRestored(Event, frozen=True, kw_only=True, tag=True):
    """It delivers again, `gap_ns` after it was last heard of."""

    traits: ClassVar = Traits(message="device_restored")

    device: Annotated[DeviceName, field("which")]
    gap_ns: Annotated[int, field("since it was last heard of", "nanoseconds")]
