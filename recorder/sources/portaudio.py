"""The sound cards, through PortAudio: finding devices, and their time stamps as session time."""

import threading
from collections import deque
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.errors import AffettiError, DeviceError, MissingPackage
from affetti.core.events import (
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    AudioFormat,
    DeviceLost,
    DeviceRestored,
)
from affetti.core.language import text, word
from affetti.core.streams import PLAYBACK, ROOM
from affetti.recorder.sources import Sink
from affetti.recorder.sources.stream import BLOCK

Direction: TypeAlias = Literal["input", "output"]

# PortAudio's: the block, how many samples, their times, and what went wrong before them.
Callback: TypeAlias = Callable[[NDArray[np.int16], int, Any, Any], None]

SILENT_S: Final = 2.0  # a stream that says nothing for this long is gone
QUEUED_BLOCKS: Final = 1024  # between a callback and the log: 24 s at 44.1 kHz
# Loading the models holds up Python's callbacks for 0.2 s; time stamps account for all of it.
_LATENCY_S: Final = 0.4
_RECENT_CALLBACKS: Final = 200  # 5 s
_BACK_OFF_S: Final = (0.5, 1.0, 2.0, 4.0)  # between attempts to open a device again
_PLAUSIBLE_S: Final = 5.0
_STANDARD_HZ: Final = (48_000, 44_100)
_STREAMS: Final = {"input": ROOM, "output": PLAYBACK}
_WORDS: Final[dict[Direction, Literal["microphone", "speaker"]]] = {
    "input": "microphone",
    "output": "speaker",
}


def portaudio() -> Any:
    """Return the module `sounddevice`.

    Raises
    ------
    AffettiError
        The PortAudio library is not installed.
    """
    try:
        import sounddevice  # noqa: PLC0415  fails where the system has no PortAudio
    except OSError as error:
        raise MissingPackage("portaudio.sound_cards_cannot_used") from error
    return sounddevice


def device_names(direction: Direction) -> tuple[str, ...]:
    """Return the names of all microphones or speakers, each once.

    Raises
    ------
    AffettiError
        PortAudio is not installed.
    """
    channels = f"max_{direction}_channels"
    devices = portaudio().query_devices()
    return tuple(dict.fromkeys(d["name"] for d in devices if d[channels] > 0))


def find_device(name: str, direction: Direction) -> dict[str, Any]:
    """Return PortAudio's description of a device.

    Parameters
    ----------
    name
        Its name, or a part that only one name has; "" is the system's default.
    direction
        Whether it is to be heard or to be played to.

    Raises
    ------
    AffettiError
        There is no such device, or PortAudio is not installed.
    """
    sounddevice = portaudio()
    names = device_names(direction)
    if name:
        parts = [n for n in names if name.casefold() in n.casefold()]
        matches = [n for n in names if n == name] or (parts if len(parts) == 1 else [])
        if not matches:
            raise _no_device(f"no_{direction}_named", direction, names, name)
        found = next(
            d
            for d in sounddevice.query_devices()
            if d["name"] == matches[0] and d[f"max_{direction}_channels"] > 0
        )
    else:
        try:
            found = sounddevice.query_devices(kind=direction)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise _no_device(f"no_{direction}", direction, names) from error
    return dict(found)


class CardStream:
    """A stream of int16 samples from or to a sound card, opened again after the card was gone.

    Parameters
    ----------
    direction, name
        Which device; see `find_device`.
    callback
        Takes or fills each block, in PortAudio's thread.
    stopping
        Set by the owner when the card is not wanted any more.
    """

    def __init__(
        self, direction: Direction, name: str, callback: Callback, stopping: threading.Event
    ) -> None:
        self.name = name
        self.form = AudioFormat(rate_hz=44100, channels=2)
        self._direction: Direction = direction
        self._callback = callback
        self._lock = threading.Lock()
        self._stopping = stopping
        self._stream: Any = None

    def open(self, rate_hz: int | None, channels: int) -> AudioFormat:
        """Open the device, and return the form it takes.

        Parameters
        ----------
        rate_hz
            The rate wanted; the device's own is taken where it is None or refused, and a
            standard one where that is outside 8,000 to 192,000 Hz.
        channels
            How many are wanted; a device with fewer gets those.

        Raises
        ------
        AffettiError
            There is no such device, it cannot be opened, or PortAudio is not installed.
        """
        device = find_device(self.name, self._direction)
        own_hz = round(device["default_samplerate"])
        channels = min(channels, device[f"max_{self._direction}_channels"])
        for rate in _bounded_hz(rate_hz or own_hz, own_hz):
            self.form = AudioFormat(rate_hz=rate, channels=channels)
            try:
                self._stream = self._new_stream()
            except portaudio().PortAudioError as error:
                problem = error
            else:
                return self.form
        raise self._refused(problem)

    def start(self) -> None:
        """Let blocks flow; AffettiError when the device refuses."""
        try:
            self._stream.start()
        except portaudio().PortAudioError as error:
            raise self._refused(error) from error

    def close(self) -> None:
        """Close the device."""
        with self._lock:
            self._drop()

    def reopen(self, sink: Sink, heard_ns: int) -> bool:
        """Record that the card is gone, and try until it is back.

        Parameters
        ----------
        sink
            Takes `DeviceLost` and `DeviceRestored`.
        heard_ns
            When it was last heard of.

        Returns
        -------
        bool
            False when the owner is stopping.
        """
        word, stream = _WORDS[self._direction], _STREAMS[self._direction]
        if self._stopping.is_set():
            return False
        t_ns = sink.clock.now_ns()
        lost = DeviceLost(t_ns=t_ns, device=word, stream=stream, cause="silent", name=self.name)
        sink.put(lost)
        with self._lock:
            self._drop()
        for pause_s in chain(_BACK_OFF_S, repeat(_BACK_OFF_S[-1])):
            if self._stopping.wait(pause_s):
                return False
            if self._started_anew():
                break
        now_ns = sink.clock.now_ns()
        gap_ns = now_ns - heard_ns
        sink.put(DeviceRestored(t_ns=now_ns, device=word, stream=stream, gap_ns=gap_ns))
        return True

    def _started_anew(self) -> bool:
        with self._lock:
            if self._stopping.is_set():
                return False
            try:
                self._stream = self._new_stream()
                self._stream.start()
            except (portaudio().PortAudioError, AffettiError):
                self._drop()
                return False
            return True

    def _refused(self, error: Exception) -> AffettiError:
        return DeviceError(
            "portaudio.cannot_opened",
            device=word("device", _WORDS[self._direction]),
            name=self.name or text("portaudio.default"),
            error=error,
        )

    def _drop(self) -> None:
        if self._stream is not None:
            self._stream.stop()
            self._stream.close()
            self._stream = None

    def _new_stream(self) -> Any:
        module = portaudio()
        kind = module.InputStream if self._direction == "input" else module.OutputStream
        return kind(
            device=find_device(self.name, self._direction)["index"],
            samplerate=self.form.rate_hz,
            channels=self.form.channels,
            dtype="int16",
            blocksize=BLOCK,
            latency=_LATENCY_S,
            callback=self._callback,
        )


class CardClock:
    """Tells the session time of the time stamps in PortAudio's callbacks.

    PortAudio may count the wall clock, which jumps, so its distance from the session clock is
    measured in every callback. A busy interpreter runs a callback late, but never early: the
    smallest of the recent distances is the true one.

    Parameters
    ----------
    clock
        The session's clock.
    """

    def __init__(self, clock: SessionClock) -> None:
        self._clock = clock
        self._distances_ns: deque[int] = deque(maxlen=_RECENT_CALLBACKS)

    def stamp_ns(self, current_s: float, at_s: float, otherwise_ns: int) -> int:
        """Return the session time of `at_s`; called first thing in a callback.

        Parameters
        ----------
        current_s, at_s
            The callback's `currentTime`, and the moment a sample is captured or heard.
        otherwise_ns
            How far from now that is, for drivers that give no usable time stamps.
        """
        now_ns = self._clock.now_ns()
        if at_s <= 0 or current_s <= 0 or abs(at_s - current_s) > _PLAUSIBLE_S:
            return now_ns + otherwise_ns
        self._distances_ns.append(now_ns - round(current_s * NS_PER_S))
        return min(self._distances_ns) + round(at_s * NS_PER_S)


def _bounded_hz(*rates_hz: int) -> tuple[int, ...]:
    """Return the rates that a stream may have, each once; standard ones where there are none."""
    usable = (rate for rate in rates_hz if MIN_RATE_HZ <= rate <= MAX_RATE_HZ)
    return tuple(dict.fromkeys(usable)) or _STANDARD_HZ


def _no_device(
    id: str, direction: Direction, names: tuple[str, ...], name: str = ""
) -> AffettiError:
    known = text("portaudio.connected", names=", ".join(names))
    if not names:
        known = text(f"portaudio.no_{direction}")
    return DeviceError(f"portaudio.{id}", name=name, known=known)
