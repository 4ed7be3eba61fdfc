"""What is heard in a window of sound: the paper's features, and what improves on them.

Everything here is a pure function of the samples, so that training, live and replay agree.
The signal has zero mean and unit variance before anything is computed: no feature depends on
how loud the music was played. All features come from two spectrograms that are computed once:
frames of 93 ms for what sounds, and the mel bands of MusiCNN, every 16 ms, for when it sounds.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.locations import give_caches
from affetti.models.sound.mixing import Moments, Signal, mixed

give_caches()  # before anything imports librosa

RATE_HZ: Final = 22_050
FRAME: Final = 2_048
HOP: Final = 1_024  # 50 % overlap
MEL_RATE_HZ: Final = 16_000
MEL_PERIOD_S: Final = 0.016
MASTERED_RMS: Final = 0.15
_LAGS: Final = np.arange(16, 125)  # in frames of 16 ms

Frames = NDArray[np.float32]


def mono(samples: NDArray[np.int16], rate_hz: int) -> Signal:
    """Mix the channels (see `models.sound.mixing`) and resample to 22,050 Hz.

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

    channels = samples[:, None] if samples.ndim == 1 else samples
    signal = mixed(channels, Moments.of(channels).signs)
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
    def magnitude(self) -> Frames:
        """Square root of the power, shape [1025, frames]."""
        return np.sqrt(self.power)

    @cached_property
    def mel(self) -> Frames:
        """MusiCNN's input: log10(1 + 10000 x power) in 96 bands to 8 kHz, shape [frames, 96].

        A frame every 16 ms, of 32 ms. The network was trained on mastered music; the signal
        gets the level that is usual there.

        Source: Pons and Serra, "musicnn: pre-trained convolutional neural networks for music
        audio tagging" (2019).
        """
        import librosa  # noqa: PLC0415
        import soxr  # noqa: PLC0415

        signal = soxr.resample(self.signal * MASTERED_RMS, RATE_HZ, MEL_RATE_HZ, quality="HQ")
        mel = librosa.feature.melspectrogram(
            y=signal, sr=MEL_RATE_HZ, n_fft=512, hop_length=256, n_mels=96
        )
        return np.asarray(np.log10(1 + 10_000 * mel.T), np.float32)

    @cached_property
    def onsets(self) -> Frames:
        """Onset strength: mean rise of the mel bands every 16 ms, shape [frames - 1]."""
        return np.asarray(np.maximum(np.diff(self.mel, axis=0), 0).mean(axis=1), np.float32)

    @cached_property
    def tempogram(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Tempi, 234 down to 30 beats a minute, and how strongly onsets recur at each, to 1."""
        centred = self.onsets - self.onsets.mean()
        n = len(centred)
        recurrence = np.fft.irfft(np.abs(np.fft.rfft(centred, 2 * n)) ** 2)[:n]
        recurrence /= recurrence[0] + 1e-9
        # Fewer pairs of onsets lie far apart; but not so few that one pair makes a tempo.
        recurrence *= n / np.maximum(n - np.arange(n), n // 3)
        return 60 / (_LAGS * MEL_PERIOD_S), recurrence[_LAGS]

    @cached_property
    def tempo_bpm(self) -> float:
        """The tempo at which onsets recur most, those around 110 preferred.

        Source: Ellis, "Beat tracking by dynamic programming" (2007), for the preference.
        """
        bpm, strength = self.tempogram
        return float(bpm[np.argmax(strength * np.exp(-0.5 * (np.log2(bpm / 110) / 0.9) ** 2))])


def paper_features(sound: Sound) -> dict[str, float]:
    """Return the 67 statistics of the paper's recipe by name.

    13 mel-frequency cepstral coefficients, 12 pitch classes, spectral contrast in 7 bands and
    the zero-crossing rate, each as mean and standard deviation over frames; and the tempo.
    Pitch classes assume A = 440 Hz: estimating the tuning would triple their cost.
    """
    import librosa  # noqa: PLC0415
    from librosa.onset import onset_strength  # noqa: PLC0415

    power = sound.power
    blocks = {
        "mfcc": librosa.feature.mfcc(S=sound.mel_db, n_mfcc=13),
        "chroma": librosa.feature.chroma_stft(S=power, sr=RATE_HZ, n_fft=FRAME, tuning=0.0),
        "contrast": librosa.feature.spectral_contrast(S=sound.magnitude, sr=RATE_HZ, n_fft=FRAME),
        "zero_crossings": librosa.feature.zero_crossing_rate(
            sound.signal, frame_length=FRAME, hop_length=HOP
        ),
    }
    onsets = onset_strength(S=sound.mel_db, sr=RATE_HZ, hop_length=HOP)
    tempo = librosa.feature.tempo(onset_envelope=onsets, sr=RATE_HZ, hop_length=HOP)
    features = {"tempo": float(tempo[0])}
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
