"""What was captured, and what was not; everything carries the name of its stream."""

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from msgspec import Meta

from affetti.core.codes import Given, Name
from affetti.core.devices import Device
from affetti.core.events.base import OF_ITS_STREAM, Count, Event, Real, TimeNs, Traits, Whole, field
from affetti.core.streams import CAMERA, AudioFormat, Stream

__all__ = [
    "AudioCaptured",
    "AudioFormat",
    "AudioGap",
    "CaptureStalled",
    "ClockAnchored",
    "ClockMeasured",
    "DeviceLost",
    "DeviceName",
    "DeviceRefused",
    "DeviceRestored",
    "FrameCaptured",
    "FramesDropped",
    "GapCause",
    "LossCause",
    "RefusalCause",
    "SamplesCaptured",
    "SamplesDropped",
    "StallCause",
    "StreamName",
    "StreamOpened",
]

StreamName: TypeAlias = Name  # of a declared stream
DeviceName: TypeAlias = Name  # "camera", "microphone", "speaker", or that of its stream
GapCause: TypeAlias = Literal[
    "unknown", "log_late", "device_lost", "overflow", "underflow", "decoding_late", "undecodable"
]
Side: TypeAlias = Annotated[int, Meta(ge=1, le=65_535)]  # of a picture, as a JPEG can have it
StallCause: TypeAlias = Literal["asleep", "stopped", "slow"]
RefusalCause: TypeAlias = Literal["another", "form"]
LossCause: TypeAlias = Literal["unknown", "silent", "cut_off", "failed"]


# The rates of a sound that is recorded: whatever looks at a recording can handle these.
MIN_RATE_HZ: Final = 8_000
MAX_RATE_HZ: Final = 192_000


class StreamOpened(Event, frozen=True, kw_only=True, tag=True):
    """A stream that the recording did not begin with; its first data come later."""

    traits: ClassVar = Traits(urgent=True)

    declaration: Annotated[Stream, field("of what, and where from")]


class ClockAnchored(Event, frozen=True, kw_only=True, tag=True):
    """Sample `sample` of a stream was heard at `t_ns`, by that device's own time stamp."""

    traits: ClassVar = Traits()

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[Count, field("index in the stream", "samples")]


class ClockMeasured(Event, frozen=True, kw_only=True, tag=True):
    """At `t_ns` the clock that stamps the samples of a stream stood at `source_s`.

    The offset is kept as it was measured: added to a stamp, it gives the time by the clock of
    this machine that the measurement uses.
    """

    traits: ClassVar = Traits()

    stream: Annotated[StreamName, field("which")]
    source_s: Annotated[Real, field("what the clock of the source showed", "seconds")]
    offset_s: Annotated[Real, field("as it was measured", "seconds")]
    uncertainty_s: Annotated[Real | None, field("of the offset, at most", "seconds")] = None


class FrameCaptured(Event, frozen=True, kw_only=True, tag=True):
    """A picture of a video stream; the blob is in the encoding of the stream, a JPEG say."""

    traits: ClassVar = Traits(blob=True, scope=OF_ITS_STREAM)

    stream: Annotated[StreamName, field("which")] = CAMERA
    frame: Annotated[
        Count, field("of its stream, from 0; only a pause, or no consent, leaves numbers out")
    ]
    width_px: Annotated[Side, field("of the picture", "pixels")]
    height_px: Annotated[Side, field("of the picture", "pixels")]


class AudioCaptured(Event, frozen=True, kw_only=True, tag=True):
    """A block of audio; the blob is int16 little-endian samples, `t_ns` that of the first."""

    traits: ClassVar = Traits(blob=True, scope=OF_ITS_STREAM)

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[Count, field("index of the first sample in the stream", "samples")]
    count: Annotated[Count, field("samples in each channel", "samples")]


class SamplesCaptured(Event, frozen=True, kw_only=True, tag=True):
    """Samples of a signal; `t_ns` is when the first was taken, as far as known by then.

    The blob is a stamp for each sample, float64 little-endian, raw as its source gave it, and
    behind them the values, sample by sample, in the encoding of the stream.
    """

    traits: ClassVar = Traits(blob=True, scope=OF_ITS_STREAM)

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[Count, field("index of the first sample in the stream", "samples")]
    count: Annotated[Count, field("samples in each channel", "samples")]


class FramesDropped(Event, frozen=True, kw_only=True, tag=True):
    """Frames the camera delivered that could not be kept."""

    traits: ClassVar = Traits(message="frames_dropped")

    stream: Annotated[StreamName, field("which")] = CAMERA
    count: Annotated[Count, field("how many", "frames")]


class CaptureStalled(Event, frozen=True, kw_only=True, tag=True):
    """Nothing was captured for a while though the device was there; at `t_ns` it goes on.

    Pictures that waited meanwhile are not kept: when each was taken is not known.
    """

    traits: ClassVar = Traits(message="capture_stalled", perceived=False)

    stream: Annotated[StreamName, field("which")]
    gap_ns: Annotated[TimeNs, field("since what was captured last", "nanoseconds")]
    cause: Annotated[
        StallCause, field("the machine slept, the program was stopped, or the device was slow")
    ]


class AudioGap(Event, frozen=True, kw_only=True, tag=True):
    """Sound that was lost; the stream's sample index goes on without it."""

    traits: ClassVar = Traits(message="audio_gap")

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[Count, field("index of the first sample after the gap", "samples")]
    missing: Annotated[Whole, field("lost, as far as known", "samples")]
    cause: Annotated[GapCause, field("why")] = "unknown"


class SamplesDropped(Event, frozen=True, kw_only=True, tag=True):
    """Samples of a signal that came and could not be kept; the sample index goes on."""

    traits: ClassVar = Traits(message="samples_dropped")

    stream: Annotated[StreamName, field("which")]
    sample: Annotated[Count, field("index of the first sample after them", "samples")]
    count: Annotated[Count, field("how many", "samples")]


class DeviceLost(Event, frozen=True, kw_only=True, tag=True):
    """A device stopped delivering."""

    traits: ClassVar = Traits(message="device_lost")

    device: Annotated[DeviceName, field("which")]
    stream: Annotated[StreamName | None, field("that it delivers, if any")] = None
    cause: Annotated[LossCause, field("why")] = "unknown"
    name: Annotated[Given, field("as the operator or the device calls it")] = ""
    error: Annotated[Given, field("what a library said of it")] = ""


class DeviceRestored(Event, frozen=True, kw_only=True, tag=True):
    """It delivers again, `gap_ns` after it was last heard of."""

    traits: ClassVar = Traits(message="device_restored")

    device: Annotated[DeviceName, field("which")]
    stream: Annotated[StreamName | None, field("that it delivers, if any")] = None
    gap_ns: Annotated[TimeNs, field("since it was last heard of", "nanoseconds")]
    found: Annotated[
        Device | None, field("as it is now, where it is in another place or of another form")
    ] = None


class DeviceRefused(Event, frozen=True, kw_only=True, tag=True):
    """A device was found where the one that is gone had been, and nothing is recorded from it."""

    traits: ClassVar = Traits(message="device_refused", perceived=False)

    device: Annotated[DeviceName, field("that is gone")]
    stream: Annotated[StreamName | None, field("that it delivers, if any")] = None
    cause: Annotated[RefusalCause, field("another one, or one that cannot deliver as before")]
    name: Annotated[Given, field("as the device that was found calls itself")] = ""
    found: Annotated[Device | None, field("what was found")] = None
