"""What librosa hears in a window of sound, from one shared short-time Fourier transform.

Everything here is a pure function of the samples, so that training, live and replay agree.
The signal has zero mean and unit variance before anything is computed: no feature depends on
how loud the music was played.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 22_050
FRAME: Final = 2_048
HOP: Final = 1_024  # 50 % overlap

Signal = NDArray[np.float32]
Frames = NDArray[np.float32]


def mono(samples: NDArray[np.int16], rate_hz: int) -> Signal:
    """Mix the channels and resample to 22,050 Hz.

    Parameters
    ----------
    samples
        Shape [n, channels] or [n].
    rate_hz
        Their sampling rate.

    Returns
    -------
    Shape [round(n * 22050 / rate_hz)], full scale from -1 to 1.
    """
    import soxr  # noqa: PLC0415  only where there is sound

    signal = np.asarray(samples, np.float32) / 32_768
    if signal.ndim == 2:
        signal = signal.mean(axis=1)
    if rate_hz == RATE_HZ:
        return np.asarray(signal, np.float32)
    return np.asarray(soxr.resample(signal, rate_hz, RATE_HZ, quality="HQ"), np.float32)


def normalized(signal: Signal) -> Signal:
    """Return the signal with zero mean and unit variance; a constant one becomes zero."""
    centred = signal - signal.mean(dtype=np.float64)
    deviation = float(np.sqrt(np.mean(np.square(centred, dtype=np.float64))))
    return np.asarray(centred / deviation if deviation > 0 else centred, np.float32)


@dataclass(frozen=True)
class Sound:
    """A window of sound at 22,050 Hz, normalized, and what is derived from it, once."""

    signal: Signal

    @cached_property
    def power(self) -> Frames:
        """Power spectrogram, shape [1025, frames]."""
        import librosa  # noqa: PLC0415  slow to import

        spectrum = librosa.stft(self.signal, n_fft=FRAME, hop_length=HOP)
        return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)

    @cached_property
    def mel_db(self) -> Frames:
        """Power in 128 mel bands, decibels, shape [128, frames]."""
        import librosa  # noqa: PLC0415

        mel = librosa.feature.melspectrogram(S=self.power, sr=RATE_HZ)
        return np.asarray(librosa.power_to_db(mel), np.float32)

    @cached_property
    def tempo_bpm(self) -> float:
        """Tempo by autocorrelation of the onset strength, 30 to 300 beats a minute.

        Source: Ellis, "Beat tracking by dynamic programming" (2007), as in librosa.
        """
        import librosa  # noqa: PLC0415
        from librosa.onset import onset_strength  # noqa: PLC0415

        onsets = onset_strength(S=self.mel_db, sr=RATE_HZ, hop_length=HOP)
        tempo = librosa.feature.tempo(onset_envelope=onsets, sr=RATE_HZ, hop_length=HOP)
        return float(tempo[0])


def paper_features(sound: Sound) -> dict[str, float]:
    """Return the 67 statistics of the paper's recipe by name.

    13 mel-frequency cepstral coefficients, 12 pitch classes, spectral contrast in 7 bands and
    the zero-crossing rate, each as mean and standard deviation over frames; and the tempo.
    Pitch classes assume A = 440 Hz: estimating the tuning would triple their cost.
    """
    import librosa  # noqa: PLC0415

    power = sound.power
    blocks = {
        "mfcc": librosa.feature.mfcc(S=sound.mel_db, n_mfcc=13),
        "chroma": librosa.feature.chroma_stft(S=power, sr=RATE_HZ, n_fft=FRAME, tuning=0.0),
        "contrast": librosa.feature.spectral_contrast(S=np.sqrt(power), sr=RATE_HZ, n_fft=FRAME),
        "zero_crossings": librosa.feature.zero_crossing_rate(
            sound.signal, frame_length=FRAME, hop_length=HOP
        ),
    }
    features = {"tempo": sound.tempo_bpm}
    for name, block in blocks.items():
        features |= _statistics(name, block)
    return features


def _statistics(name: str, block: Frames) -> dict[str, float]:
    """Mean and standard deviation over frames of each row of `block`, shape [rows, frames]."""
    means, deviations = block.mean(axis=1), block.std(axis=1)
    statistics = {}
    for row in range(len(block)):
        label = name if len(block) == 1 else f"{name}_{row + 1}"
        statistics[f"{label}_mean"] = float(means[row])
        statistics[f"{label}_std"] = float(deviations[row])
    return statistics
