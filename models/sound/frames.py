"""Frames of sound, a second at a time: what overlapping windows share is computed once.

A window is cut into seconds, counted from its end. Each second is resampled and transformed by
itself, with as much of the sound before it as its first frame needs, always in arrays of the same
shape; where a window begins, zeros stand for what came before, and the frames that reach into
them are left out. So a second says the same, bit for bit, whether it is heard for the first time
or was heard in the window before.

Levels are moved by whole powers of two, chosen from the window: close to the usual level of a
mastered recording, and the same for many windows in a row.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from math import ceil, gcd
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from affetti.models.sound.mixing import Moments, Samples, Signal, Signs, mixed

Array = NDArray[np.float32]

MASTERED_RMS: Final = 0.15
RATE_HZ: Final = 22_050
FRAME: Final = 2_048
HOP: Final = 1_050  # 21 frames a second
FRAMES_PER_S: Final = RATE_HZ // HOP
MEL_RATE_HZ: Final = 16_000
MEL_FRAME: Final = 512
MEL_HOP: Final = 250  # 64 frames a second
MEL_FRAMES_PER_S: Final = MEL_RATE_HZ // MEL_HOP
MEL_BANDS: Final = 96
_REACH_S: Final = 0.001  # of the resampling filter, to each side
KERNEL: Final = 7  # frames of mel bands that one frame of MusiCNN's front needs
_STEPS: Final = (-4, 16)  # powers of two by which a level is moved
Part = TypeVar("Part")


@dataclass(frozen=True)
class Level:
    """How a window is mixed, and by which power of two its level is moved."""

    signs: Signs
    step: int

    @classmethod
    def of(cls, moments: Moments) -> "Level":
        """Choose it for what was summed up over a window."""
        signs = moments.signs
        deviation = moments.deviation(signs)
        if deviation <= 0:
            return cls(signs, 0)
        return cls(signs, int(np.clip(round(np.log2(MASTERED_RMS / deviation)), *_STEPS)))


@dataclass(frozen=True)
class Resampler:
    """A filter of finite length between two rates; each output depends on 2 ms of input."""

    from_hz: int
    to_hz: int

    @property
    def up(self) -> int:
        """By how much the rate is multiplied before it is divided."""
        return self.to_hz // gcd(self.from_hz, self.to_hz)

    @property
    def down(self) -> int:
        """By how much the multiplied rate is divided."""
        return self.from_hz // gcd(self.from_hz, self.to_hz)

    @cached_property
    def half(self) -> int:
        """Samples at `up` times the input rate to each side, a multiple of `down`."""
        return ceil(_REACH_S * self.from_hz * self.up / self.down) * self.down

    @cached_property
    def taps(self) -> Array:
        """A low-pass at the lower of the two rates' limits."""
        from scipy.signal import firwin  # noqa: PLC0415  slow to import

        nyquist_hz = min(self.from_hz, self.to_hz) / 2
        taps = firwin(
            2 * self.half + 1, 0.94 * nyquist_hz, window=("kaiser", 6.0),
            fs=self.from_hz * self.up,
        )  # fmt: skip
        return np.asarray(taps * self.up, np.float32)

    @property
    def delay(self) -> int:
        """Outputs at the end that are missing because what follows is not known."""
        return self.half // self.down

    def context(self, outputs: int) -> int:
        """Return how many inputs before a second as many outputs before it need."""
        needed = ceil((outputs + 2 * self.delay) * self.from_hz / self.to_hz)
        return ceil(needed / self.down) * self.down

    def second(self, signal: Signal, outputs: int) -> Signal:
        """Return one second, and `outputs` samples before it, all late by `delay` samples.

        Parameters
        ----------
        signal
            Ends with the second; has at least `context(outputs)` samples before it.
        outputs
            How many come before the second's own.
        """
        from scipy.signal import upfirdn  # noqa: PLC0415  slow to import

        context = self.context(outputs)
        fed = signal[len(signal) - self.from_hz - context :]
        found = upfirdn(self.taps, fed, self.up, self.down)
        end = context * self.up // self.down + self.to_hz
        return np.asarray(found[end - self.to_hz - outputs : end], np.float32)


@cache
def resampler(from_hz: int, to_hz: int) -> Resampler:
    """Return the filter between two rates, designed once."""
    return Resampler(from_hz, to_hz)


_MEL_BEFORE: Final = (KERNEL - 2) * MEL_HOP + MEL_FRAME


def context_samples(rate_hz: int) -> int:
    """Return how many samples before a second are needed to hear it."""
    return max(
        resampler(rate_hz, MEL_RATE_HZ).context(_MEL_BEFORE),
        resampler(rate_hz, RATE_HZ).context(FRAME),
    )


@dataclass
class Second:
    """One second of a stream, and what was before it as far as its frames need it."""

    samples: Samples  # [context + rate, channels]; zeros where the window had not begun
    begins: int  # the first that is none of those zeros
    rate_hz: int
    parts: dict[Any, Any] = field(default_factory=dict)  # what was derived, by name and level
    mark: object = field(default_factory=object)  # which one it is

    @property
    def own(self) -> int:
        """The first sample of the second itself that the window has."""
        return max(self.begins, len(self.samples) - self.rate_hz)

    @cached_property
    def moments(self) -> Moments:
        """Sums over its own samples."""
        return Moments.of(self.samples[self.own :])

    def part(self, name: str, level: Level, derive: Callable[["Second", Level], Part]) -> Part:
        """Return what `derive` makes of it at a level, made once."""
        return self.kept((name, level), lambda: derive(self, level))

    def kept(self, key: Hashable, derive: Callable[[], Part]) -> Part:
        """Return what `derive` returned when it was first called for this key."""
        if key not in self.parts:
            self.parts[key] = derive()
        found: Part = self.parts[key]
        return found

    def signal(self, level: Level) -> Signal:
        """Return the mix at a level, the context first, shape [context + rate]."""
        return self.part("signal", level, _signal_of)

    def mel(self, level: Level) -> Array:
        """Return frames of mel bands: those of the second, and six before, shape [70, 96]."""
        return self.part("mel", level, _mel_of)

    def power(self, level: Level) -> Array:
        """Return power spectra: those of the second, and one before, shape [22, 1025].

        White noise at the usual level has 1 in every bin.
        """
        return self.part("power", level, _power_of)

    def apart(self) -> "Second":
        """Return it with samples of its own, which do not keep the whole window in memory."""
        return replace(self, samples=self.samples.copy())

    def holds(self, other: "Second") -> bool:
        """Whether what is derived from this one is right for the other as well."""
        partial = other.begins > len(other.samples) - other.rate_hz
        return (
            self.samples.shape == other.samples.shape
            and self.rate_hz == other.rate_hz
            and (self.begins == other.begins if partial else self.begins <= other.begins)
            and np.array_equal(self.samples[other.begins :], other.samples[other.begins :])
        )


def _late(samples: Samples, zeros: int) -> Samples:
    """Return samples with so many zeros before them."""
    return np.pad(samples, ((zeros, 0), (0, 0))) if zeros else samples


def _signal_of(second: Second, level: Level) -> Signal:
    return np.asarray(mixed(second.samples, level.signs) * np.float32(2.0**level.step), np.float32)


def _mel_of(second: Second, level: Level) -> Array:
    filters = resampler(second.rate_hz, MEL_RATE_HZ)
    return mel_frames(filters.second(second.signal(level), _MEL_BEFORE))


def _power_of(second: Second, level: Level) -> Array:
    filters = resampler(second.rate_hz, RATE_HZ)
    return power_frames(filters.second(second.signal(level), FRAME))


def _peak_of(second: Second, level: Level) -> float:
    return float(np.abs(second.signal(level)[second.own :]).max(initial=0))


def power_frames(signal: Signal) -> Array:
    """Power of frames of 93 ms every 48 ms, shape [frames, 1025]; each about its own mean."""
    from scipy.fft import rfft  # noqa: PLC0415  slow to import

    frames = _framed(signal, FRAME, HOP)
    window = _hann(FRAME)
    spectrum = rfft(frames * window, axis=1)
    scale = np.float32(1 / (float(np.square(window).sum()) * MASTERED_RMS**2))
    return np.asarray((spectrum.real**2 + spectrum.imag**2) * scale, np.float32)


def mel_frames(signal: Signal) -> Array:
    """MusiCNN's input: log10(1 + 10000 x power) in 96 bands to 8 kHz, shape [frames, 96].

    Source: Pons and Serra, "musicnn: pre-trained convolutional neural networks for music audio
    tagging" (2019).
    """
    from scipy.fft import rfft  # noqa: PLC0415  slow to import

    spectrum = rfft(_framed(signal, MEL_FRAME, MEL_HOP) * _hann(MEL_FRAME), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    bands = power @ mel_filters(MEL_RATE_HZ, MEL_FRAME, MEL_BANDS).T
    return np.asarray(np.log10(1 + np.float32(10_000) * bands), np.float32)


def _framed(signal: Signal, length: int, hop: int) -> Array:
    frames = np.lib.stride_tricks.sliding_window_view(signal, length)[::hop]
    return np.asarray(frames - frames.mean(axis=1, keepdims=True), np.float32)


@cache
def _hann(length: int) -> Array:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length), np.float32)


@cache
def mel_filters(rate_hz: int, frame: int, bands: int) -> Array:
    """Triangles of equal area, evenly spaced in mel, shape [bands, bins].

    Source: Slaney, "Auditory toolbox" (1998): linear to 1 kHz, logarithmic above.
    """
    hz = np.arange(frame // 2 + 1) * (rate_hz / frame)
    edges = _hz_of_mel(np.linspace(0, float(_mel_of_hz(rate_hz / 2)), bands + 2))
    rise = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rise, fall))
    return np.asarray(triangles * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)


_LINEAR: Final = 200 / 3  # Hz a mel below 1 kHz
_KNEE_HZ: Final = 1_000.0
_OCTAVES: Final = np.log(6.4) / 27  # of the logarithm a mel above


def _mel_of_hz(hz: float) -> float:
    if hz < _KNEE_HZ:
        return hz / _LINEAR
    return float(_KNEE_HZ / _LINEAR + np.log(hz / _KNEE_HZ) / _OCTAVES)


def _hz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _KNEE_HZ / _LINEAR
    above = _KNEE_HZ * np.exp(_OCTAVES * np.maximum(mel - knee, 0))
    return np.where(mel < knee, mel * _LINEAR, above)


class Window:
    """A window in seconds, mixed and brought to a level that is its own.

    Parameters
    ----------
    seconds
        As `Listener.cut` returns them.
    """

    def __init__(self, seconds: list[Second]) -> None:
        self.seconds = seconds
        self.moments = sum((s.moments for s in seconds[1:]), start=seconds[0].moments)
        self.level = Level.of(self.moments)

    @property
    def gain_db(self) -> float:
        """How much louder than usual it is once it was moved to its level: about -3 to 3."""
        deviation = self.moments.deviation(self.level.signs) * 2.0**self.level.step
        return float(20 * np.log10(max(deviation, 1e-9) / MASTERED_RMS))

    @property
    def crest(self) -> float:
        """The largest sample of the mix, in standard deviations."""
        peak = max(s.part("peak", self.level, _peak_of) for s in self.seconds)
        return peak / (MASTERED_RMS * 10 ** (self.gain_db / 20))

    def first(self, to_hz: int, frame: int, hop: int) -> int:
        """Return the first frame that lies wholly inside, counted from its first second."""
        rate_hz = self.seconds[0].rate_hz
        missing = self.seconds[0].own - (len(self.seconds[0].samples) - rate_hz)
        needed = frame + 2 * resampler(rate_hz, to_hz).delay
        return -(-(missing * to_hz + needed * rate_hz) // (hop * rate_hz)) - 1

    def mel(self) -> Array:
        """Return all frames of mel bands, shape [frames, 96]."""
        every = np.concatenate([s.mel(self.level)[KERNEL - 1 :] for s in self.seconds])
        return every[self.first(MEL_RATE_HZ, MEL_FRAME, MEL_HOP) :]


class Listener:
    """Cuts windows into seconds, and keeps those of the last window for the next."""

    def __init__(self) -> None:
        self._last: list[Second] = []

    def cut(self, samples: Samples, rate_hz: int) -> Window:
        """Return a window in seconds, the last one ending with it; the first may be short.

        Parameters
        ----------
        samples
            int16, shape [n, channels].
        rate_hz
            Their rate.
        """
        count, context = ceil(len(samples) / rate_hz), context_samples(rate_hz)
        padding = count * rate_hz + context - len(samples)
        seconds = []
        for i in range(count):
            begin = i * rate_hz - padding
            part = samples[max(0, begin) : begin + rate_hz + context]
            second = Second(_late(part, max(0, -begin)), max(0, -begin), rate_hz)
            seconds.append(self._known(second, count - i) or second.apart())
        self._last = seconds
        return Window(seconds)

    def _known(self, second: Second, from_end: int) -> Second | None:
        """Return one of the last window's, of a second before or of the same time."""
        for back in (from_end - 1, from_end):
            if 1 <= back <= len(self._last) and self._last[-back].holds(second):
                return self._last[-back]
        return None
