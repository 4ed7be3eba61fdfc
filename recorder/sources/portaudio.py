"""The sound cards, through PortAudio: finding devices, and their time stamps as session time.

PortAudio looks for devices once, when it begins. `soundcards` knows how to let it look again.
"""

import re
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, repeat
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.devices import Device, is_alone, recognised
from affetti.core.errors import AffettiError, DeviceError
from affetti.core.events import (
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    AudioFormat,
    DeviceLost,
    DeviceRefused,
    DeviceRestored,
    RefusalCause,
)
from affetti.core.language import text, word
from affetti.core.streams import PLAYBACK, ROOM
from affetti.recorder.sources import Sink, soundcards
from affetti.recorder.sources.soundcards import Direction, Seen, portaudio
from affetti.recorder.sources.stream import BLOCK

# PortAudio's: the block, how many samples, their times, and what went wrong before them.
Callback: TypeAlias = Callable[[NDArray[np.int16], int, Any, Any], None]

SILENT_S: Final = 2.0  # a stream that says nothing for this long is gone
# A block that begins so long after the last one ended follows a hole, also where the driver, which
# tells of what it lost only if it saw it in time, says nothing. Time stamps jitter by less.
HOLE_NS: Final = 250_000_000
LAST_S: Final = 0.5  # that one is waited for once it is to end
QUEUED_BLOCKS: Final = 1024  # between a callback and the log: 24 s at 44.1 kHz
# Loading the models holds up Python's callbacks for 0.2 s; time stamps account for all of it.
_LATENCY_S: Final = 0.4
_RECENT_CALLBACKS: Final = 200  # 5 s
_BACK_OFF_S: Final = (0.5, 1.0, 2.0, 4.0)  # between attempts to open a device again
_PLAUSIBLE_S: Final = 5.0
_WRONG_FORM: Final = {-9997, -9998}  # PortAudio's errors: no such rate, no so many channels
_STANDARD_HZ: Final = (48_000, 44_100)
_STREAMS: Final = {"input": ROOM, "output": PLAYBACK}
_WORDS: Final[dict[Direction, Literal["microphone", "speaker"]]] = {
    "input": "microphone",
    "output": "speaker",
}


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


def _reason(error: Exception) -> str:
    """Return why a card refuses: what the system says, without how the library wraps it."""
    said = str(error.args[0] if error.args else error)
    quoted = re.findall(r"'([^']+)'", str(error))
    return quoted[-1] if quoted else said.rpartition(": ")[2]


class CardStream:
    """A stream of int16 samples from or to a sound card, opened again after the card was gone.

    It is the device that was opened first, under whatever number; another one is not taken for it.

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
        self.form = AudioFormat(rate_hz=44100, channels=2)  # as it was opened first
        self.form_now = self.form  # of the blocks in the callback
        self.device: Device | None = None
        self._alone = True  # no other was like it
        self._direction: Direction = direction
        self._callback = callback
        self._stopping = stopping
        self._stream: Any = None
        self._interrupted = False
        self._form_refused = False  # when it was opened last

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
        with soundcards.lock:
            return self._open(rate_hz, channels)

    def _open(self, rate_hz: int | None, channels: int) -> AudioFormat:
        found = find_device(self.name, self._direction)
        own_hz = round(found["default_samplerate"])
        channels = min(channels, found[f"max_{self._direction}_channels"])
        for rate in _bounded_hz(rate_hz or own_hz, own_hz):
            self.form = self.form_now = AudioFormat(rate_hz=rate, channels=channels)
            try:
                self._stream = self._new_stream(found["index"])
            except portaudio().PortAudioError as error:
                problem = error
            else:
                self._know(found["index"])
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
        with soundcards.lock:
            self._drop()

    def suspend(self) -> bool:
        """Close the device for a moment, that PortAudio may look for others; whether it was open.

        What is missed meanwhile is told by `take_interrupted`.
        """
        with soundcards.lock:
            was_open = self._stream is not None
            self._interrupted = self._interrupted or was_open
            self._drop()
        return was_open

    def resume(self) -> None:
        """Open it again; one that is gone meanwhile will be noticed as any that is lost."""
        with soundcards.lock, suppress(AffettiError, portaudio().PortAudioError):
            if self.device is not None and not self._stopping.is_set():
                match = recognised(self.device, self._alone, self._ours())
                if match is not None:
                    self._begin(match, self.form_now)

    def take_interrupted(self) -> bool:
        """Return whether it was closed for a moment since this was asked last."""
        interrupted, self._interrupted = self._interrupted, False
        return interrupted

    def reopen(self, sink: Sink, heard_ns: int) -> bool:
        """Record that the card is gone, and try until it is back.

        Parameters
        ----------
        sink
            Takes `DeviceLost`, `DeviceRefused` and `DeviceRestored`.
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
        with soundcards.lock:
            self._drop()
        before, told = self.device, set[tuple[str, str]]()
        for pause_s in chain(_BACK_OFF_S, repeat(_BACK_OFF_S[-1])):
            if self._stopping.wait(pause_s):
                return False
            if self._found_anew(sink, told):
                break
        now_ns, found = sink.clock.now_ns(), self.device
        sink.put(
            DeviceRestored(
                t_ns=now_ns,
                device=word,
                stream=stream,
                gap_ns=now_ns - heard_ns,
                found=found if found != before else None,
            )
        )
        return True

    def _found_anew(self, sink: Sink, told: set[tuple[str, str]]) -> bool:
        """Look for the device, and begin to use it; False where that cannot be done."""
        seen = soundcards.seen_anew(self._direction, self._stopping.is_set)
        known = self.device
        if seen is None or known is None:
            return False
        match = recognised(known, self._alone, seen.devices)
        if match is None:
            self._tell_intruder(sink, told, known, seen)
            return False
        with soundcards.lock:
            if match in self._ours() and self._started_anew(match):
                return True
            soundcards.look_again()
            if self._started_anew(match):
                return True
        if self._form_refused:
            self._tell(sink, told, match, "form")
        return False

    def _tell_intruder(
        self, sink: Sink, told: set[tuple[str, str]], known: Device, seen: Seen
    ) -> None:
        """Record that another device is where the one that is gone had been."""
        numbered = [each for each in seen.devices if known.number and each.number == known.number]
        there = numbered or ([] if self.name or seen.default is None else [seen.default])
        for other in there:
            self._tell(sink, told, other, "another")

    def _tell(
        self, sink: Sink, told: set[tuple[str, str]], found: Device, cause: RefusalCause
    ) -> None:
        """Record, once, that a device was found and is not used."""
        if (found.name, found.bus) in told:
            return
        told.add((found.name, found.bus))
        sink.put(
            DeviceRefused(
                t_ns=sink.clock.now_ns(),
                device=_WORDS[self._direction],
                stream=_STREAMS[self._direction],
                cause=cause,
                name=found.name,
                found=found,
            )
        )

    def _started_anew(self, match: Device) -> bool:
        """Begin to use a device as it was used, or in a form that it has now.

        Only what is heard can be brought into the form that the stream was declared with.
        """
        own = AudioFormat(
            rate_hz=round(match.rate_hz or self.form.rate_hz),
            channels=min(self.form.channels, match.channels or self.form.channels),
        )
        forms = [self.form, own] if self._direction == "input" else [self.form]
        return not self._stopping.is_set() and any(self._begun(match, form) for form in forms)

    def _begun(self, match: Device, form: AudioFormat) -> bool:
        module = portaudio()
        try:
            self._begin(match, form)
        except (module.PortAudioError, AffettiError, StopIteration) as error:
            self._form_refused = bool(_WRONG_FORM & set(error.args))
            return False
        return True

    def _begin(self, match: Device, form: AudioFormat) -> None:
        here = soundcards.known_here(self._direction)
        device, index = next(pair for pair in here if pair[0].is_like(match))
        self.form_now = form
        try:
            self._stream = self._new_stream(index)
            self._stream.start()
        except BaseException:
            self._drop()
            raise
        self.device = _opened(device, form)

    def _ours(self) -> list[Device]:
        """Return the devices that PortAudio knows of here, which may not be those of now."""
        return [device for device, _ in soundcards.known_here(self._direction)]

    def _know(self, index: int) -> None:
        device = soundcards.device_at(index, self._direction)
        self._alone = is_alone(device, self._ours())
        self.device = _opened(device, self.form)

    def _refused(self, error: Exception) -> AffettiError:
        return DeviceError(
            "portaudio.cannot_opened",
            device=word("device", _WORDS[self._direction]),
            name=self.name or text("portaudio.default"),
            error=_reason(error),
        )

    def _drop(self) -> None:
        stream, self._stream = self._stream, None
        soundcards.forget(self)
        if stream is not None:
            stream.stop()
            stream.close()

    def _new_stream(self, index: int) -> Any:
        module = portaudio()
        kind = module.InputStream if self._direction == "input" else module.OutputStream
        stream = kind(
            device=index,
            samplerate=self.form_now.rate_hz,
            channels=self.form_now.channels,
            dtype="int16",
            blocksize=BLOCK,
            latency=_LATENCY_S,
            callback=self._callback,
        )
        soundcards.remember(self)
        return stream


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


def _opened(device: Device, form: AudioFormat) -> Device:
    return replace(device, rate_hz=float(form.rate_hz), channels=form.channels)


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
