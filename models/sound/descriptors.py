"""Timbre, dynamics, harmony and rhythm of a window of sound, in numbers with names.

What is said of single frames is computed for each second once (`models.sound.frames`); here it
is summed up over a window. Names end in `_mean` and `_std` (over frames) and `_delta` (mean
change from one frame to the next).
"""

from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.models.sound.frames import (
    FRAME,
    HOP,
    MEL_FRAMES_PER_S,
    RATE_HZ,
    Array,
    Level,
    Second,
    Window,
    mel_filters,
)

_TINY: Final = 1e-9
# Softer than this, beside white noise of the usual level, is nothing: what a codec or a telephone
# leaves out differs less from what was never there.
_FLOOR: Final = 1e-4
_MEL_BANDS: Final = 128
_CEPSTRUM: Final = 20
_SHARES: Final = (25, 50, 85, 95)
_MIN_MIDI, _MAX_MIDI = 33, 108  # A1 to C8
_BANDS_HZ: Final = (0, 150, 300, 600, 1_200, 2_400, 4_800, 11_025.1)
_CONTRAST_HZ: Final = (100, 200, 400, 800, 1_600, 3_200, 6_400)
_CONTRAST_SHARE: Final = 0.1
_MODULATION_HZ: Final = (0.3, 1, 2, 4, 8, 16, 31)
_TEMPI_BPM: Final = (30, 60, 90, 120, 160, 240)
_LAGS: Final = np.arange(16, 129)  # in frames of mel bands: 240 down to 30 beats a minute
_PARTIALS: Final = 16
_PASSAGE: Final = 48  # frames: 2.3 s

# Krumhansl and Kessler (1982): how well each pitch class fits a major and a minor key.
_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

Values = dict[str, float]
Doubles = NDArray[np.float64]

# What is said of a frame, in the order of the rows of `spectral`.
ROWS: Final = (
    *(f"mfcc20_{i}" for i in range(1, _CEPSTRUM + 1)),
    "centroid",
    "bandwidth",
    *(f"rolloff{share}" for share in _SHARES),
    "flatness",
    "flux",
    "dissonance",
    "energy",
    *(f"band_{i}" for i in range(1, len(_BANDS_HZ))),
    *(f"contrast_{i}" for i in range(1, len(_CONTRAST_HZ))),
    *(f"tonnetz_{i}" for i in range(1, 7)),
    "register",
    "pitch_peak",
)
_LEVEL_ROWS: Final = ("mfcc20_1", "energy")  # they tell how loud it is, too


def describe(window: Window) -> Values:
    """Return all descriptors of a window by name."""
    level = window.level
    first = window.first(RATE_HZ, FRAME, HOP) + 1  # change from frame to frame is a row, too
    rows = np.concatenate([s.part("spectral", level, spectral) for s in window.seconds], axis=1)
    chroma = np.concatenate([s.part("chroma", level, _chroma) for s in window.seconds], axis=1)
    mel = window.mel()
    values = _over_time(rows[:, first:], window.gain_db)
    values |= _dynamics(rows[:, first:], window) | harmony(chroma[:, first:])
    onsets = np.maximum(np.diff(mel, axis=0), 0).mean(axis=1)
    return values | rhythm(onsets) | modulation(mel)


def spectral(second: Second, level: Level) -> Array:
    """Return what is said of each frame of a second, shape [rows, 21]."""
    from scipy.fft import dct  # noqa: PLC0415  slow to import

    every = second.power(level).T  # [bins, 22]
    power = every[:, 1:] + np.float32(1e-7)
    magnitude, hz = np.sqrt(power), _bins_hz()
    total = magnitude.sum(axis=0)
    mel = 10 * np.log10(_mel_weights() @ power + _FLOOR)
    centroid = hz @ magnitude / total
    variance = (hz**2) @ magnitude / total - centroid**2
    below = np.cumsum(power, axis=0) / power.sum(axis=0)
    rolloff = [hz[(below < share / 100).sum(axis=0).clip(0, len(hz) - 1)] for share in _SHARES]
    floored = np.log(power + _FLOOR)
    flatness = floored.mean(axis=0) - np.log((power + _FLOOR).mean(axis=0))
    rise = np.diff(np.log1p(10 * np.sqrt(every)), axis=1)
    energy = power.mean(axis=0)
    shares = 10 * np.log10(_bands() @ power / power.sum(axis=0) + 1e-5)
    pitches = _pitch_filters() @ magnitude
    centroids, register, peak = _tonal(pitches)
    return np.vstack([
        dct(mel, axis=0, norm="ortho")[:_CEPSTRUM],
        np.log2(np.maximum(centroid, 20)),
        np.log2(np.sqrt(np.maximum(variance, 400))),
        np.log2(np.maximum(rolloff, 20)),
        flatness,
        np.maximum(rise, 0).mean(axis=0),
        dissonance(magnitude),
        10 * np.log10(energy + _FLOOR),
        shares,
        _contrast(power + np.float32(_FLOOR)),
        centroids,
        register,
        peak,
    ]).astype(np.float32)  # fmt: skip


def _contrast(power: Array) -> Array:
    """How far peaks stand out of valleys in each octave, decibels, shape [6, frames].

    Source: Jiang et al., "Music type classification by spectral contrast feature" (2002).
    """
    found = []
    for low, high in pairwise(np.searchsorted(_bins_hz(), _CONTRAST_HZ)):
        band = np.sort(power[low:high], axis=0)
        some = max(1, round(_CONTRAST_SHARE * len(band)))
        found.append(10 * np.log10(band[-some:].mean(axis=0) / band[:some].mean(axis=0)))
    return np.asarray(found, np.float32)


def _tonal(pitches: Array) -> tuple[Array, Array, Array]:
    """Tonal centroids [6, frames], mean pitch (MIDI) and how far one pitch stands out.

    Tonal centroids: Harte, Sandler and Gasser, "Detecting harmonic change in musical audio"
    (2006).
    """
    chroma = _pitch_class_of() @ pitches
    centroids = _tonal_centroids() @ (chroma / (chroma.sum(axis=0) + _TINY))
    register = np.arange(_MIN_MIDI, _MAX_MIDI + 1) @ pitches / (pitches.sum(axis=0) + _TINY)
    peak = np.log(pitches.max(axis=0) / (pitches.mean(axis=0) + _TINY) + _TINY)
    return centroids, register, peak


def _chroma(second: Second, level: Level) -> Array:
    """Pitch classes of each frame of a second, each as loud as the frame, shape [12, 21]."""
    power = second.power(level)[1:].T
    chroma = _pitch_class_of() @ (_pitch_filters() @ np.sqrt(power))
    loudness = np.sqrt(power.mean(axis=0))
    return np.asarray(chroma / (chroma.sum(axis=0) + _TINY) * loudness, np.float32)


def dissonance(magnitude: Array) -> Doubles:
    """Return the sensory dissonance of each frame, from its strongest partials below 5 kHz.

    Source: Sethares, "Local consonance and the relationship between timbre and scale" (1993).
    """
    low = magnitude[: int(5_000 / RATE_HZ * FRAME)]
    inner = low[1:-1]
    peaks = np.where((inner > low[:-2]) & (inner > low[2:]), inner, 0)
    # Sorted by frequency, so that the result does not depend on how the selection ties.
    strongest = np.sort(np.argpartition(-peaks, _PARTIALS, axis=0)[:_PARTIALS], axis=0)
    amplitude = np.take_along_axis(peaks, strongest, axis=0)
    hz = _bins_hz()[1:][strongest]
    distance = np.abs(hz[None] - hz[:, None])
    distance *= 0.24 / (0.021 * np.minimum(hz[None], hz[:, None]) + 19)
    both = np.minimum(amplitude[None], amplitude[:, None])
    beating = both * (np.exp(-3.5 * distance) - np.exp(-5.75 * distance))
    return np.asarray(beating.sum(axis=(0, 1)) / 2 / (amplitude.sum(axis=0) + _TINY))


def _over_time(rows: Array, gain_db: float) -> Values:
    """Mean, deviation and mean absolute change of each row, [rows, frames].

    What tells how loud it is tells it relative to the window.
    """
    means = rows.mean(axis=1, dtype=np.float64)
    deviations = rows.std(axis=1, dtype=np.float64)
    changes = np.abs(np.diff(rows, axis=1)).mean(axis=1, dtype=np.float64)
    values: Values = {}
    for i, name in enumerate(ROWS):
        values[f"{name}_mean"] = means[i]
        values[f"{name}_std"] = deviations[i]
        values[f"{name}_delta"] = changes[i]
    values["mfcc20_1_mean"] -= gain_db * np.sqrt(_MEL_BANDS)
    values["energy_mean"] -= gain_db
    return values


def _dynamics(rows: Array, window: Window) -> Values:
    """How energy moves in time, and how brightness is spread."""
    level = rows[ROWS.index("energy")].astype(np.float64)
    p5, p25, p75, p95 = np.percentile(level, [5, 25, 75, 95])
    amplitude = 10 ** (level / 20)
    p10, p90 = np.percentile(rows[ROWS.index("centroid")], [10, 90])
    return {
        "energy_skew": _standardized_moment(level, 3),
        "energy_range": p95 - p5,
        "energy_iqr": p75 - p25,
        "low_energy": float(np.mean(amplitude < amplitude.mean())),
        "crest": window.crest,
        "centroid_p10": p10,
        "centroid_p90": p90,
    }


def harmony(chroma: Array) -> Values:
    """Return mode, key clarity and pitch-class use.

    Key profiles: Krumhansl and Kessler (1982).

    Parameters
    ----------
    chroma
        Pitch classes in time, each frame as loud as it is, shape [12, frames].
    """
    profile = chroma.sum(axis=1, dtype=np.float64)
    profile /= profile.sum() + _TINY
    fits = _key_fits(profile)  # [mode, tonic]
    values = {
        "major": fits[0].max(),
        "minor": fits[1].max(),
        "mode": fits[0].max() - fits[1].max(),
        "key_clarity": fits.max(),
        "chroma_entropy": -(profile * np.log2(profile + _TINY)).sum(),
    }
    values |= _numbered("pitch_class_rank", np.sort(profile)[::-1])
    values |= _numbered("degree", np.roll(profile, -int(fits.max(axis=0).argmax())))
    return values | _mode_in_time(chroma)


def _mode_in_time(chroma: Array) -> Values:
    """Mode and key clarity of passages of 2.3 s, half overlapping: a key may change."""
    starts = range(0, max(chroma.shape[1] - _PASSAGE, 1), _PASSAGE // 2)
    fits = np.array(
        [_key_fits(chroma[:, s : s + _PASSAGE].sum(axis=1)).max(axis=1) for s in starts]
    )
    modes = fits[:, 0] - fits[:, 1]
    return {
        "mode_local": modes.mean(),
        "mode_local_std": modes.std(),
        "key_local": fits.max(axis=1).mean(),
    }


def rhythm(onsets: Array) -> Values:
    """Return the strength and rate of onsets, the tempo, and how clear the pulse is.

    Parameters
    ----------
    onsets
        Mean rise of the mel bands every 16 ms.
    """
    values: Values = {
        "onset_mean": onsets.mean(),
        "onset_std": onsets.std(),
        "onset_delta": np.abs(np.diff(onsets)).mean(),
        "onset_p95": float(np.percentile(onsets, 95)),
        "onset_sharpness": float(onsets.max() / (onsets.mean() + _TINY)),
    }
    inner = onsets[1:-1]
    high = inner > onsets.mean() + onsets.std() / 2
    peaks = (inner > onsets[:-2]) & (inner >= onsets[2:]) & high
    values["onset_rate"] = peaks.sum() * MEL_FRAMES_PER_S / len(onsets)
    bpm, strength = _tempogram(onsets)
    preferred = int(np.argmax(strength * np.exp(-0.5 * (np.log2(bpm / 110) / 0.9) ** 2)))
    values["pulse_clarity"] = strength.max()
    values["beat"] = bpm[preferred]
    values["beat_strength"] = strength[preferred]
    for i, (low, fast) in enumerate(pairwise(_TEMPI_BPM), start=1):
        values[f"tempogram_{i}"] = strength[(bpm >= low) & (bpm <= fast)].max()
    return values


def _tempogram(onsets: Array) -> tuple[Doubles, Doubles]:
    """Tempi, 240 down to 30 beats a minute, and how strongly onsets recur at each, to 1.

    The tempo named is the one at which they recur most, those around 110 preferred: Ellis, "Beat
    tracking by dynamic programming" (2007).
    """
    from scipy.fft import irfft, rfft  # noqa: PLC0415  slow to import

    centred = onsets - onsets.mean(dtype=np.float64)
    n = len(centred)
    recurrence = irfft(np.abs(rfft(centred, 2 * n)) ** 2)[:n]
    recurrence /= recurrence[0] + _TINY
    # Fewer pairs of onsets lie far apart; but not so few that one pair makes a tempo.
    recurrence *= n / np.maximum(n - np.arange(n), n // 3)
    return 60 * MEL_FRAMES_PER_S / _LAGS, recurrence[_LAGS]


def modulation(mel: Array) -> Values:
    """Return how six groups of mel bands are filled, and how fast each swells and fades."""
    from scipy.fft import rfft  # noqa: PLC0415  slow to import

    groups = mel.reshape(len(mel), 6, -1).mean(axis=2)  # [frames, 6]
    spectrum = np.abs(rfft(groups - groups.mean(axis=0), axis=0)) ** 2 / len(groups) ** 2
    hz = np.fft.rfftfreq(len(groups), 1 / MEL_FRAMES_PER_S)
    values: Values = {"mel_kurtosis": _standardized_moment(mel.ravel(), 4) - 3}
    for i, (low, high) in enumerate(pairwise(_MODULATION_HZ), start=1):
        power = spectrum[(hz >= low) & (hz < high)].sum(axis=0)
        values |= _numbered(f"modulation_{i}", np.log10(power + 1e-6))
    ranked = np.sort(groups, axis=0)
    for percent in (10, 50, 90):
        values |= _numbered(f"mel_p{percent}", ranked[round(percent / 100 * (len(ranked) - 1))])
    return values


def _numbered(name: str, values: NDArray[Any]) -> Values:
    return {f"{name}_{i}": value for i, value in enumerate(values, start=1)}


def _standardized_moment(values: NDArray[Any], order: int) -> float:
    centred = values - values.mean()
    squares = centred * centred
    power = squares * (squares if order == 4 else centred)
    return float(power.mean() / max(float(squares.mean()), _TINY) ** (order / 2))


def _key_fits(profile: NDArray[Any]) -> NDArray[Any]:
    """Return the correlation of a pitch-class profile with each key, shape [mode, tonic]."""
    return np.asarray(_keys() @ ((profile - profile.mean()) / (profile.std() + _TINY)))


@cache
def _bins_hz() -> Array:
    return np.arange(FRAME // 2 + 1, dtype=np.float32) * (RATE_HZ / FRAME)


@cache
def _keys() -> NDArray[Any]:
    keys = np.array([[np.roll(mode, tonic) for tonic in range(12)] for mode in (_MAJOR, _MINOR)])
    centred = keys - keys.mean(axis=2, keepdims=True)
    return np.asarray(centred / keys.std(axis=2, keepdims=True) / 12)


@cache
def _pitch_filters() -> Array:
    """Triangles a semitone to each side of each pitch, shape [semitones, bins]."""
    bins = 69 + 12 * np.log2(np.maximum(_bins_hz(), 1) / 440)
    midi = np.arange(_MIN_MIDI, _MAX_MIDI + 1)
    return np.asarray(np.maximum(0, 1 - np.abs(bins - midi[:, None])), np.float32)


@cache
def _pitch_class_of() -> Array:
    """Which pitch class each pitch belongs to, C first, shape [12, semitones]."""
    midi = np.arange(_MIN_MIDI, _MAX_MIDI + 1)
    return np.asarray(midi % 12 == np.arange(12)[:, None], np.float32)


@cache
def _tonal_centroids() -> Array:
    """Circles of fifths, minor thirds and major thirds, shape [6, 12]."""
    turns = np.array([7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3])
    angle = np.outer(turns, np.arange(12))
    angle[::2] -= 0.5
    radius = np.array([1, 1, 1, 1, 0.5, 0.5])
    return np.asarray(radius[:, None] * np.cos(np.pi * angle), np.float32)


@cache
def _mel_weights() -> Array:
    """Mel bands as means over bins, shape [128, bins]."""
    filters = mel_filters(RATE_HZ, FRAME, _MEL_BANDS)
    return np.asarray(filters / np.maximum(filters.sum(axis=1, keepdims=True), 1e-12), np.float32)


@cache
def _bands() -> Array:
    """Which bins belong to each of seven bands, shape [7, bins]."""
    hz = _bins_hz()
    return np.asarray([(hz >= low) & (hz < high) for low, high in pairwise(_BANDS_HZ)], np.float32)
