"""Timbre, dynamics, harmony and rhythm of a window of sound, in numbers with names.

They stand beside the paper's features (`models.sound.features.paper_features`) and are computed
from the same spectrograms. Names end in `_mean` and `_std` (over frames) and `_delta` (mean change
from one frame to the next).
"""

from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.models.sound.features import FRAME, MEL_PERIOD_S, RATE_HZ, Frames, Sound

_TINY: Final = 1e-9
_MIN_MIDI, _MAX_MIDI = 33, 108  # A1 to C8
_BANDS_HZ: Final = (0, 150, 300, 600, 1_200, 2_400, 4_800, 11_025.1)
_MODULATION_HZ: Final = (0.3, 1, 2, 4, 8, 16, 31)
_TEMPI_BPM: Final = (30, 60, 90, 120, 160, 240)
_PARTIALS: Final = 16

# Krumhansl and Kessler (1982): how well each pitch class fits a major and a minor key.
_MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

Values = dict[str, float]
Array = NDArray[Any]


def describe(sound: Sound) -> Values:
    """Return all descriptors of a window by name."""
    return timbre(sound) | dynamics(sound) | harmony(sound) | rhythm(sound) | modulation(sound)


def timbre(sound: Sound) -> Values:
    """Return the shape of the spectrum: MFCC and their change, brightness, noisiness, roughness."""
    import librosa  # noqa: PLC0415  slow to import

    power, magnitude, hz = sound.power, sound.magnitude, _bins_hz()
    total = magnitude.sum(axis=0) + _TINY
    centroid = hz @ magnitude / total
    spread = np.sqrt(((hz[:, None] - centroid) ** 2 * magnitude).sum(axis=0) / total)
    below = np.cumsum(power, axis=0) / (power.sum(axis=0) + _TINY)
    geometric = np.exp(np.log(power + 1e-10).mean(axis=0))
    flatness = np.log10(geometric / (power.mean(axis=0) + 1e-10) + 1e-10)
    flux = np.maximum(np.diff(np.log1p(magnitude), axis=1), 0).mean(axis=0)
    values = _over_time("mfcc20", librosa.feature.mfcc(S=sound.mel_db, n_mfcc=20))
    values |= _over_time("centroid", centroid)
    values["centroid_p10"], values["centroid_p90"] = np.percentile(centroid, [10, 90])
    values |= _over_time("bandwidth", spread)
    for share in (0.25, 0.5, 0.85, 0.95):
        reached = (below < share).sum(axis=0).clip(0, len(hz) - 1)
        values |= _over_time(f"rolloff{round(100 * share)}", hz[reached])
    values |= _over_time("flatness", flatness)
    values |= _over_time("flux", flux)
    return values | _over_time("dissonance", dissonance(magnitude))


def dissonance(magnitude: Frames) -> Array:
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


def dynamics(sound: Sound) -> Values:
    """Return how energy moves in time and lies in frequency, relative to the window's own."""
    energy = sound.power.mean(axis=0)
    level = 10 * np.log10(energy + 1e-6)
    level = np.maximum(level, level.max() - 60)
    p5, p25, p75, p95 = np.percentile(level, [5, 25, 75, 95])
    amplitude = np.sqrt(energy)
    values = _over_time("energy", level)
    values["energy_skew"] = _standardized_moment(level, 3)
    values["energy_range"], values["energy_iqr"] = p95 - p5, p75 - p25
    values["low_energy"] = float(np.mean(amplitude < amplitude.mean()))
    values["crest"] = float(np.abs(sound.signal).max())
    hz, total = _bins_hz(), sound.power.sum(axis=0) + _TINY
    for i, (low, high) in enumerate(pairwise(_BANDS_HZ), start=1):
        band = sound.power[(hz >= low) & (hz < high)].sum(axis=0)
        values |= _over_time(f"band_{i}", 10 * np.log10(band / total + 1e-6))
    return values


def harmony(sound: Sound) -> Values:
    """Return mode, key clarity, pitch-class use, tonal centroids and register.

    Key profiles: Krumhansl and Kessler (1982). Tonal centroids: Harte, Sandler and Gasser,
    "Detecting harmonic change in musical audio" (2006).
    """
    pitches = _pitch_filters() @ sound.magnitude  # [semitones, frames]
    midi = np.arange(_MIN_MIDI, _MAX_MIDI + 1)
    chroma = _pitch_class_of().astype(np.float32) @ pitches
    chroma /= chroma.sum(axis=0) + _TINY
    weight = np.sqrt(sound.power.mean(axis=0))
    profile = (chroma * weight).sum(axis=1) / weight.sum()
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
    values |= _mode_in_time(chroma * weight)
    centroids = _tonal_centroids() @ chroma
    values |= _over_time("tonnetz", centroids)
    change = np.sqrt((np.diff(centroids, axis=1) ** 2).sum(axis=0))
    values["harmonic_change"] = change.mean()
    values |= _over_time("register", midi @ pitches / (pitches.sum(axis=0) + _TINY))
    peak = pitches.max(axis=0) / (pitches.mean(axis=0) + _TINY)
    return values | _over_time("pitch_peak", np.log(peak + _TINY))


def _mode_in_time(chroma: Array) -> Values:
    """Mode and key clarity of passages of 2.3 s, half overlapping: a key may change."""
    frames = chroma.shape[1]
    starts = range(0, max(frames - 48, 1), 24)
    fits = np.array([_key_fits(chroma[:, s : s + 50].sum(axis=1)).max(axis=1) for s in starts])
    modes = fits[:, 0] - fits[:, 1]
    return {
        "mode_local": modes.mean(),
        "mode_local_std": modes.std(),
        "key_local": fits.max(axis=1).mean(),
    }


def rhythm(sound: Sound) -> Values:
    """Return the strength and rate of onsets, the tempo, and how clear the pulse is."""
    onsets = sound.onsets
    values = _over_time("onset", onsets)
    values["onset_p95"] = float(np.percentile(onsets, 95))
    values["onset_sharpness"] = float(onsets.max() / (onsets.mean() + _TINY))
    inner = onsets[1:-1]
    high = inner > onsets.mean() + onsets.std() / 2
    peaks = (inner > onsets[:-2]) & (inner >= onsets[2:]) & high
    values["onset_rate"] = peaks.sum() / (len(onsets) * MEL_PERIOD_S)
    bpm, strength = sound.tempogram
    values["pulse_clarity"] = strength.max()
    values["beat"] = sound.tempo_bpm
    values["beat_strength"] = strength[np.abs(bpm - sound.tempo_bpm).argmin()]
    for i, (low, high) in enumerate(pairwise(_TEMPI_BPM), start=1):
        values[f"tempogram_{i}"] = strength[(bpm >= low) & (bpm < high)].max()
    return values


def modulation(sound: Sound) -> Values:
    """Return how six groups of mel bands are filled, and how fast each swells and fades."""
    groups = sound.mel.reshape(len(sound.mel), 6, 16).mean(axis=2)  # [frames, 6]
    spectrum = np.abs(np.fft.rfft(groups - groups.mean(axis=0), axis=0)) ** 2 / len(groups) ** 2
    hz = np.fft.rfftfreq(len(groups), MEL_PERIOD_S)
    values: Values = {"mel_kurtosis": _standardized_moment(sound.mel.ravel(), 4) - 3}
    for i, (low, high) in enumerate(pairwise(_MODULATION_HZ), start=1):
        power = spectrum[(hz >= low) & (hz < high)].sum(axis=0)
        values |= _numbered(f"modulation_{i}", np.log10(power + 1e-6))
    for percent in (10, 50, 90):
        values |= _numbered(f"mel_p{percent}", np.percentile(groups, percent, axis=0))
    return values


def _over_time(name: str, block: Array) -> Values:
    """Mean, deviation and mean absolute change of each row of `block`, [rows, frames]."""
    rows = np.atleast_2d(block)
    changes = np.abs(np.diff(rows, axis=1)).mean(axis=1)
    values = {}
    for i, row in enumerate(rows):
        label = name if len(rows) == 1 else f"{name}_{i + 1}"
        values[f"{label}_mean"] = row.mean()
        values[f"{label}_std"] = row.std()
        values[f"{label}_delta"] = changes[i]
    return values


def _numbered(name: str, values: Array) -> Values:
    return {f"{name}_{i}": value for i, value in enumerate(values, start=1)}


def _standardized_moment(values: Array, order: int) -> float:
    centred = values - values.mean()
    return float((centred**order).mean() / (centred**2).mean() ** (order / 2))


def _key_fits(profile: Array) -> Array:
    """Return the correlation of a pitch-class profile with each key, shape [mode, tonic]."""
    return np.asarray(_keys() @ ((profile - profile.mean()) / (profile.std() + _TINY)))


@cache
def _bins_hz() -> Array:
    return np.arange(FRAME // 2 + 1, dtype=np.float32) * (RATE_HZ / FRAME)


@cache
def _keys() -> Array:
    keys = np.array([[np.roll(mode, tonic) for tonic in range(12)] for mode in (_MAJOR, _MINOR)])
    centred = keys - keys.mean(axis=2, keepdims=True)
    return np.asarray(centred / keys.std(axis=2, keepdims=True) / 12)


@cache
def _pitch_filters() -> Frames:
    """Triangles a semitone to each side of each pitch, shape [semitones, bins]."""
    bins = 69 + 12 * np.log2(np.maximum(_bins_hz(), 1) / 440)
    midi = np.arange(_MIN_MIDI, _MAX_MIDI + 1)
    return np.asarray(np.maximum(0, 1 - np.abs(bins - midi[:, None])), np.float32)


@cache
def _pitch_class_of() -> Array:
    """Which pitch class each pitch belongs to, C first, shape [12, semitones]."""
    midi = np.arange(_MIN_MIDI, _MAX_MIDI + 1)
    return np.asarray(midi % 12 == np.arange(12)[:, None])


@cache
def _tonal_centroids() -> Array:
    """Circles of fifths, minor thirds and major thirds, shape [6, 12]."""
    turns = np.array([7 / 6, 7 / 6, 3 / 2, 3 / 2, 2 / 3, 2 / 3])
    angle = np.outer(turns, np.arange(12))
    angle[::2] -= 0.5
    radius = np.array([1, 1, 1, 1, 0.5, 0.5])
    return np.asarray(radius[:, None] * np.cos(np.pi * angle))
