"""What kinds of sound are heard: mel energies of a stream as it is, and a network of events.

Frames of 25 ms every 10 ms are taken at the stream's own rate, so that nothing is resampled: a
filter bank in hertz, and the pre-emphasis as a weight of frequencies, make of them what the
network was trained on, Kaldi's log-mel energies at 16 kHz.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.heard import Kind
from affetti.models.manifest import ModelFile, onnx_session
from affetti.models.sound import mixing
from affetti.models.sound.mixing import Moments

FRAMES_PER_S: Final = 100
FRAME_S: Final = 0.025
MEL_BANDS: Final = 80
MIN_HZ: Final = 20.0
MAX_HZ: Final = 8_000.0
FULL_SCALE: Final = 32_768
SILENT_DBFS: Final = -120.0
HEARD_FROM: Final = 0.5  # probability of music and of speech in a second
SINGING_FROM: Final = 0.4  # of singing, which without accompaniment is seldom sure
VOICE_FROM: Final = 0.2  # of speech or singing: a voice, but it is not sure what it does
SINGING_COUNTS: Final = 1.6  # so much more than other music, for the same reason
SURE_SINGING_FROM: Final = 0.6  # a voice that sings so surely sang in the second before, too
UNACCOMPANIED: Final = 0.1  # mean probability of music below which nothing plays beside a voice
UNACCOMPANIED_COUNTS: Final = 1.5  # so much more once more: nothing else there can be the music
MAX_SHARE: Final = 0.85  # of the loudspeaker; what is left of the room is no sure voice
LESSER_SHARE: Final = 0.5  # of the loudspeaker, where what a voice does can be told
QUIET_DB: Final = 6.0  # above the stream's own noise there is something to hear
QUIET_DBFS: Final = -80.0  # hardly more than the last of sixteen bits
MAX_QUIET_DBFS: Final = -45.0  # what is louder is noise, however steady
# Hardly above the softest tenth of the last minute: a hum, which is steadier than any music.
STEADY_DB: Final = 0.5
MUSIC_FROM: Final = 0.5  # mean presence of a window's seconds; less is no music
USUAL_DB: Final = 108.0  # energy of all bands; what is softer is heard as if it had this level
MAX_GAIN_DB: Final = 60.0
# Energy of a band in which there is nothing to hear, 58 dB below all bands at that level: without
# it a telephone's band, whose ends are empty, is like nothing that the network has heard.
FLOOR: Final = 1e5
_TENTHS: Final = 10
_RATE_HZ: Final = 16_000  # that the network was trained at
_TRANSFORM: Final = 512
_PRE_EMPHASIS: Final = 0.97
_SHARPNESS: Final = 0.85  # of Povey's window, a power of Hann's
_BREAK_HZ: Final = 700.0  # of the mel scale

Energies = NDArray[np.float32]
Samples = NDArray[np.int16]


@dataclass(frozen=True)
class _Front:
    """What makes mel energies of frames at one rate."""

    length: int  # of a frame, in samples
    transform: int
    window: NDArray[np.float32]  # [length]
    # Sparse, [80, bins]: a BLAS of several threads would add up in another order. No band reaches
    # beyond its bins.
    bands: Any


@cache
def _front(rate_hz: int) -> _Front:
    from scipy.sparse import csr_array  # noqa: PLC0415  slow to import

    length = round(FRAME_S * rate_hz)
    transform = 1 << (length - 1).bit_length()
    hz = np.arange(transform // 2 + 1) * rate_hz / transform
    window = np.hanning(length) ** _SHARPNESS
    response = 1 - _PRE_EMPHASIS * np.exp(-2j * np.pi * hz / _RATE_HZ)
    # A tone adds up over a frame's samples, and is seen by several bins.
    scale = (_RATE_HZ / rate_hz) ** 2 * (rate_hz / transform) / (_RATE_HZ / _TRANSFORM)
    weights = _triangles(hz) * (np.abs(response) ** 2 * scale)[:, None]
    bins = int(weights.any(axis=1).nonzero()[0].max()) + 1
    bands = csr_array(weights[:bins].T.astype(np.float32))
    return _Front(length, transform, window.astype(np.float32), bands)


def _triangles(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    edges = np.linspace(_mel(np.array(MIN_HZ)), _mel(np.array(MAX_HZ)), MEL_BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    at = _mel(hz)[:, None]
    rising, falling = (at - low) / (centre - low), (high - at) / (high - centre)
    return np.maximum(0, np.minimum(rising, falling))


def _mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log1p(hz / _BREAK_HZ))


def history(rate_hz: int) -> int:
    """Return how many samples before a stretch its first frame needs, to end 10 ms into it."""
    return round(FRAME_S * rate_hz) - rate_hz // FRAMES_PER_S


def mel_energies(signal: NDArray[np.float32], rate_hz: int) -> Energies:
    """Return the energies in 80 mel bands, of frames that end with the signal.

    Parameters
    ----------
    signal
        Shape [n], one channel in units of int16.
    rate_hz
        Its rate, at least 8,000.

    Returns
    -------
    Shape [frames, 80], a frame every 10 ms; 100 of a second and its `history`.

    Source: Povey et al., "The Kaldi speech recognition toolkit" (2011), for the frames.
    """
    from scipy.fft import rfft  # noqa: PLC0415  slow to import

    front = _front(rate_hz)
    count = (len(signal) - front.length) * FRAMES_PER_S // rate_hz + 1
    if count <= 0:
        return np.empty((0, MEL_BANDS), np.float32)
    ends = len(signal) - np.arange(count)[::-1] * rate_hz // FRAMES_PER_S
    frames = np.lib.stride_tricks.sliding_window_view(signal, front.length)[ends - front.length]
    frames -= frames.mean(axis=1, keepdims=True)
    frames *= front.window
    spectrum = rfft(frames, front.transform, axis=1)[:, : front.bands.shape[1]]
    power = spectrum.real**2 + spectrum.imag**2
    return np.ascontiguousarray((front.bands @ power.T).T, np.float32)


def mixed(samples: Samples) -> NDArray[np.float32]:
    """Return one channel in units of int16, mixed as `models.sound.mixing` does.

    Parameters
    ----------
    samples
        Shape [n, channels].
    """
    if samples.shape[1] == 1:
        return np.asarray(samples[:, 0], np.float32)
    return mixing.mixed(samples, Moments.of(samples).signs) * np.float32(FULL_SCALE)


def level_dbfs(signal: NDArray[np.float32]) -> float:
    """Return the root mean square about the mean, in dB relative to full scale, two decimals."""
    return _dbfs(signal.astype(np.float64).std())


def background_dbfs(signal: NDArray[np.float32]) -> float:
    """Return the level of the softest tenth of a second, as `level_dbfs` does."""
    exact = signal.astype(np.float64)
    if len(exact) % _TENTHS == 0:
        return _dbfs(exact.reshape(_TENTHS, -1).std(axis=1).min())
    return _dbfs(min(tenth.std() for tenth in np.array_split(exact, _TENTHS)))


def _dbfs(deviation: float) -> float:
    whole = max(float(deviation) / FULL_SCALE, 1e-9)
    return round(max(20 * float(np.log10(whole)), SILENT_DBFS), 2)


@dataclass(frozen=True)
class Heard:
    """Probabilities that music, singing and speech are heard, 0 to 1, six decimals."""

    music: float
    singing: float
    speech: float


NOTHING: Final = Heard(0.0, 0.0, 0.0)


def is_unaccompanied(window: Sequence[Heard]) -> bool:
    """Return whether next to no music is heard in a window: who sings in it sings alone."""
    return sum(heard.music for heard in window) < UNACCOMPANIED * len(window)


def presence_of(heard: Heard, following: Heard | None = None, *, is_alone: bool = False) -> float:
    """Return how probably a second is music, sung music too, 0 to 1.

    Parameters
    ----------
    heard
        What is heard in it.
    following
        In the second after it, where that is known. A voice that surely sings in it sang before:
        the network takes the first second of an unaccompanied voice for speech more often than not.
    is_alone
        Whether whoever sings in its window sings alone, of which the network is less sure.
    """
    counts = UNACCOMPANIED_COUNTS if is_alone else 1.0
    singing = heard.singing * counts
    if following is not None and max(heard.speech, heard.singing) >= VOICE_FROM:
        later = following.singing * counts
        singing = max(singing, later if later >= SURE_SINGING_FROM else 0.0)
    return max(heard.music, min(1.0, singing * SINGING_COUNTS))


@dataclass(frozen=True)
class Beside:
    """What is heard in the room beside the loudspeaker; None where that is not known yet.

    `share` is how much of the room is the loudspeaker's, `voice` the probability of a voice in
    what is left, each 0 to 1.
    """

    share: float | None
    voice: float | None


def voice_of(left: Heard) -> float:
    """Return how probably there is a voice, which speaks or sings, 0 to 1, six decimals."""
    return round(max(left.speech, min(1.0, left.singing * HEARD_FROM / SINGING_FROM)), 6)


def is_own_noise(level: float, floor: float) -> bool:
    """Return whether a second is no more than the stream's own noise, be it a loud hum.

    Parameters
    ----------
    level, floor
        Of the second, and the softest tenth of a second of the last minute, dBFS.
    """
    return level <= floor + STEADY_DB


def kinds_of(
    heard: Heard, level: float, floor: float, beside: Beside | None = None
) -> tuple[Kind, ...]:
    """Return the kinds of sound of a second, in the order of the vocabulary.

    Parameters
    ----------
    heard
        Their probabilities.
    level, floor
        Of the second, and of the stream's own noise, dBFS.
    beside
        Of the room while something is played into it: only a voice that is not the loudspeaker's
        is named, and as speech or singing only where it is the larger part of what is heard.
    """
    quiet_dbfs = min(max(floor + QUIET_DB, QUIET_DBFS), MAX_QUIET_DBFS)
    nameless: tuple[Kind, ...] = ("quiet",) if level <= quiet_dbfs else ("noise",)
    if is_own_noise(level, floor):
        return nameless
    if beside is not None:
        return _beside(heard, beside, nameless)
    said: dict[Kind, bool] = {
        "music": heard.music >= HEARD_FROM,
        "singing": heard.singing >= SINGING_FROM,
        "speech": heard.speech >= HEARD_FROM,
    }
    if any(said.values()):
        return tuple(kind for kind, there in said.items() if there)
    if max(heard.speech, heard.singing) >= VOICE_FROM:
        return ("other_voice",)
    return nameless


def _beside(heard: Heard, beside: Beside, nameless: tuple[Kind, ...]) -> tuple[Kind, ...]:
    music: tuple[Kind, ...] = ("music",) if heard.music >= HEARD_FROM else ()
    share, voice = beside.share, beside.voice
    if share is None or voice is None or share > MAX_SHARE or voice < HEARD_FROM:
        return music or nameless
    named: tuple[Kind, ...] = ()
    if share < LESSER_SHARE:
        named += ("singing",) if heard.singing >= SINGING_FROM else ()
        named += ("speech",) if heard.speech >= HEARD_FROM else ()
    return (*music, *(named or ("other_voice",)))


class HeardReader:
    """Tells kinds of sound apart with FireRedVAD's network of audio events.

    Parameters
    ----------
    source
        The model, or its name in the manifest.

    Raises
    ------
    AffettiError
        The model file is missing or is not the one in the manifest.
    """

    def __init__(self, source: str | ModelFile = "heard_events") -> None:
        self._session = onnx_session(source)

    @property
    def gates(self) -> dict[str, tuple[float, ...]]:
        """At which values of an estimate's fields nothing is said of the music."""
        return {"presence": (MUSIC_FROM,)}

    def listen(self, energies: Energies, level_of: Energies | None = None) -> Heard:
        """Say what is heard in the last second of mel energies, which are heard with it.

        Parameters
        ----------
        energies
            Shape [frames, 80], of `mel_energies`.
        level_of
            What they are a part of, which has the level that is made usual; by default themselves.
        """
        if not energies[-FRAMES_PER_S:].any():
            return NOTHING  # not a sound: a player that plays nothing
        gain = _gain(energies if level_of is None else level_of)
        log_mel = np.log(np.maximum(energies * gain, FLOOR))[None]
        (found,) = self._session.run(["probabilities"], {"log_mel": log_mel})[0]
        speech, singing, music = found[-FRAMES_PER_S:].mean(axis=0)
        return Heard(*(round(float(p), 6) for p in (music, singing, speech)))


def _gain(energies: Energies) -> np.float32:
    """Return by how much energies are raised: music is music however softly it is played."""
    level_db = 10 * np.log10(max(float(energies.sum(axis=1).mean()), 1e-9))
    return np.float32(10 ** (min(max(USUAL_DB - level_db, 0.0), MAX_GAIN_DB) / 10))
