"""What a recording is made of: its streams, each declared before its first sample.

A stream is declared once, in `SessionStarted` or, in mid-session, in `StreamOpened`. Whatever is
recorded of it carries its name. Nothing else says how many streams there are, or of what.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.codes import Code, Given, Name
from affetti.core.devices import Device

VIDEO: Final = "video"
AUDIO: Final = "audio"
SAMPLES: Final = "samples"  # of a signal
MARKERS: Final = "markers"  # of another program; what they say is in `MarkerAdded`

CAMERA: Final = "camera"  # the names that the recorder gives
ROOM: Final = "room"
PLAYBACK: Final = "playback"

JPEG: Final = "jpeg"
INT16: Final = "int16"
TEXT: Final = "text"
# How the values of a signal lie in a blob; text is JSON, a list of texts for each sample.
SAMPLE_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "int8": np.dtype("<i1"),
    "int16": np.dtype("<i2"),
    "int32": np.dtype("<i4"),
    "int64": np.dtype("<i8"),
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
}
STAMP: Final = np.dtype("<f8")  # of a sample, by the clock of its source, in seconds

MAX_AUDIO_CHANNELS: Final = 8
# Wider than what is recorded (see `core.events`).
MAX_AUDIO_RATE_HZ: Final = 1 << 22
MAX_SIGNAL_CHANNELS: Final = 4_096
MAX_SIGNAL_RATE_HZ: Final = 1_000_000.0
MAX_NAME_BYTES: Final = 32
MIN_DRIFT_SPAN_S: Final = 10.0
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9_-]+")


class AudioFormat(msgspec.Struct, frozen=True):
    """The form of an audio stream; samples are int16, channels interleaved."""

    rate_hz: int
    channels: int


class Channel(msgspec.Struct, frozen=True):
    """One column of a signal, or one side of a sound."""

    name: Given
    unit: Given = ""


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a recording, as it is declared.

    Attributes
    ----------
    name
        What everything recorded of it carries: up to 32 letters, digits, `_` and `-`.
    kind
        "video", "audio", "samples" or "markers"; later versions may know others.
    encoding
        How its bytes are to be read: "jpeg" for video, "int16" for audio, a key of
        `SAMPLE_TYPES` or "text" for samples.
    rate_hz
        Nominal; None where samples come when they come.
    channels
        In the order of the columns; a video has none.
    scope
        What consent it concerns; None for what is not the person's, such as playback.
    source
        Where it came from, as the operator or the device called it.
    device
        Which device that was; None for a file, and where nothing is known of it.
    """

    name: Name
    kind: Code
    encoding: Code
    rate_hz: float | None = None
    channels: tuple[Channel, ...] = ()
    scope: Code | None = None
    source: Given = ""
    device: Device | None = None

    @property
    def form(self) -> AudioFormat:
        """The form of an audio stream."""
        return AudioFormat(int(self.rate_hz or 0), len(self.channels))

    @property
    def possible(self) -> bool:
        """Whether a recording can hold it."""
        if not _NAME.fullmatch(self.name):
            return False
        count, rate_hz = len(self.channels), self.rate_hz
        match self.kind:
            case "audio":
                whole = rate_hz is not None and rate_hz == int(rate_hz)
                fits = whole and 1 <= int(rate_hz or 0) <= MAX_AUDIO_RATE_HZ
                return fits and 1 <= count <= MAX_AUDIO_CHANNELS and self.encoding == INT16
            case "samples":
                fits = rate_hz is None or 0 < rate_hz <= MAX_SIGNAL_RATE_HZ
                known = self.encoding == TEXT or self.encoding in SAMPLE_TYPES
                return fits and known and 1 <= count <= MAX_SIGNAL_CHANNELS
        return True


def video_stream(
    name: str = CAMERA,
    *,
    rate_hz: float | None = None,
    scope: str | None = "video",
    source: str = "",
    device: Device | None = None,
) -> Stream:
    """Return the declaration of a camera's stream of JPEGs."""
    return Stream(
        name=name,
        kind=VIDEO,
        encoding=JPEG,
        rate_hz=rate_hz,
        scope=scope,
        source=source,
        device=device,
    )


def audio_stream(
    name: str, form: AudioFormat, *, source: str = "", device: Device | None = None
) -> Stream:
    """Return the declaration of a sound; "playback" is nobody's, any other is the room's."""
    channels = ("left", "right") if form.channels == 2 else None
    names = channels or tuple(str(i + 1) for i in range(form.channels))
    return Stream(
        name=name,
        kind=AUDIO,
        encoding=INT16,
        rate_hz=form.rate_hz,
        channels=tuple(Channel(each, "full scale") for each in names),
        scope=None if name == PLAYBACK else ROOM,
        source=source,
        device=device,
    )


def stream_name(text: str) -> str:
    """Return the nearest text that can name a stream: other signs become `_`."""
    cleaned = _NO_NAME.sub("_", text).strip("_-")
    return cleaned[:MAX_NAME_BYTES] or "stream"


@dataclass
class SourceClock:
    """A clock elsewhere against session time, by what was measured of both at once."""

    anchors: list[tuple[float, int]] = field(default_factory=list)  # source s, session ns

    def add(self, source_s: float, t_ns: int) -> None:
        """Take in that the clock stood at `source_s` at session time `t_ns`."""
        self.anchors.append((source_s, t_ns))

    def times_s(self, stamps_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return session times, seconds [n], of stamps by that clock, seconds [n].

        Between two measurements the clocks drift apart evenly; before the first and after the
        last they are as far apart as there.

        Raises
        ------
        ValueError
            Nothing was measured.
        """
        if not self.anchors:
            raise ValueError("nothing was measured of this clock")
        measured = sorted(self.anchors)
        source_s = np.array([source_s for source_s, _ in measured])
        ahead_s = np.array([t_ns / NS_PER_S - source_s for source_s, t_ns in measured])
        times: NDArray[np.float64] = stamps_s + np.interp(stamps_s, source_s, ahead_s)
        return times

    @property
    def span_s(self) -> float:
        """How long the stretch is in which it was measured."""
        stamps = [source_s for source_s, _ in self.anchors]
        return max(stamps) - min(stamps) if stamps else 0.0

    @property
    def drift_ppm(self) -> float | None:
        """How much slower than session time it goes, in parts per million.

        A fit to all measurements; None until they span ten seconds: before that, their
        uncertainty is all there is.
        """
        if self.span_s < MIN_DRIFT_SPAN_S:
            return None
        source_s = np.array([source_s for source_s, _ in self.anchors])
        t_s = np.array([t_ns / NS_PER_S for _, t_ns in self.anchors])
        x = source_s - source_s.mean()
        lag = (t_s - t_s.mean()) - x
        return float(1e6 * (x * lag).sum() / (x * x).sum())
