"""What rooms, microphones and players do to music: for training, and to measure robustness.

Every alteration takes a mono signal and its rate and returns one of about the same length.
"""

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

Signal: TypeAlias = NDArray[np.float64]
Alteration: TypeAlias = Callable[[Signal, int, np.random.Generator], Signal]


def gain(signal: Signal, rate_hz: int, random: np.random.Generator, db: float = 0.0) -> Signal:
    """Make it louder or softer; what goes over full scale is clipped when it is stored."""
    return signal * 10 ** (db / 20)


def noise(signal: Signal, rate_hz: int, random: np.random.Generator, snr_db: float = 10) -> Signal:
    """Add pink noise, as from a fan or the street, at a signal-to-noise ratio."""
    spectrum = np.fft.rfft(random.standard_normal(len(signal)))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    pink = np.fft.irfft(spectrum, len(signal))
    level = np.sqrt(np.mean(signal**2)) * 10 ** (-snr_db / 20)
    return np.asarray(signal + pink * (level / (pink.std() + 1e-12)))


def reverb(
    signal: Signal, rate_hz: int, random: np.random.Generator, decay_s: float = 0.5
) -> Signal:
    """Play it in a room that takes `decay_s` to fall by 60 dB, heard from across the room."""
    t = np.arange(round(decay_s * rate_hz)) / rate_hz
    tail = random.standard_normal(len(t)) * 10 ** (-3 * t / decay_s)
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] += 1.0
    return np.asarray(fftconvolve(signal, tail)[: len(signal)])


def laptop(
    signal: Signal,
    rate_hz: int,
    random: np.random.Generator,
    low_hz: float = 200,
    high_hz: float = 7_000,
) -> Signal:
    """Keep the band that a laptop's microphone hears."""
    low = butter(2, low_hz, "highpass", fs=rate_hz, output="sos")
    high = butter(4, high_hz, "lowpass", fs=rate_hz, output="sos")
    return np.asarray(sosfilt(high, sosfilt(low, signal)))


def mp3(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Compress it to about 64 kbit/s and back."""
    file = io.BytesIO()
    soundfile.write(
        file, signal.clip(-1, 1), rate_hz, format="MP3", compression_level=MP3_LEVEL,
        bitrate_mode="CONSTANT",
    )  # fmt: skip
    file.seek(0)
    decoded, _ = soundfile.read(file)
    return np.asarray(decoded[: len(signal)])


def pitch(
    signal: Signal, rate_hz: int, random: np.random.Generator, semitones: float = 2
) -> Signal:
    """Raise or lower the pitch, keeping the tempo."""
    from librosa.effects import pitch_shift  # noqa: PLC0415  slow to import

    shifted = pitch_shift(signal, sr=rate_hz, n_steps=semitones)
    return np.asarray(shifted, np.float64)


def speed(signal: Signal, rate_hz: int, random: np.random.Generator, by: float = 1.0) -> Signal:
    """Play it `by` times as fast, pitch and all, as a turntable does."""
    return np.asarray(soxr.resample(signal, rate_hz * by, rate_hz, quality="HQ"))


def any_room(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Play it a little faster or slower in some room, to some microphone, with some noise."""
    signal = speed(signal, rate_hz, random, random.uniform(0.95, 1.05))
    if random.random() < 0.5:
        signal = reverb(signal, rate_hz, random, random.uniform(0.2, 0.8))
    if random.random() < 0.5:
        low_hz, high_hz = random.uniform(80, 300), random.uniform(4_000, 9_000)
        signal = laptop(signal, rate_hz, random, low_hz, high_hz)
    if random.random() < 0.5:
        signal = noise(signal, rate_hz, random, random.uniform(8, 30))
    return signal


def bad_room(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Play it up to two semitones too fast or too slow, with much noise, often far away."""
    signal = speed(signal, rate_hz, random, random.uniform(0.89, 1.12))
    if random.random() < 0.4:
        signal = reverb(signal, rate_hz, random, random.uniform(0.2, 0.8))
    if random.random() < 0.4:
        signal = laptop(signal, rate_hz, random)
    return noise(signal, rate_hz, random, random.uniform(5, 20))


# libsndfile's 0 (best) to 1 (smallest); at 22,050 Hz mono this is the rate nearest 64 kbit/s.
MP3_LEVEL: Final = 0.6
CONDITIONS: Final[dict[str, Alteration]] = {
    "MP3 at 64 kbit/s": mp3,
    "laptop microphone (200 Hz to 7 kHz)": laptop,
    "room reverberation (0.5 s)": reverb,
    "pink noise, 10 dB below": noise,
    "12 dB louder": partial(gain, db=12),
    "12 dB softer": partial(gain, db=-12),
    "2 semitones up": partial(pitch, semitones=2),
    "2 semitones down": partial(pitch, semitones=-2),
}


def telephone(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Keep the band of a telephone, 300 to 3,400 Hz."""
    band = butter(4, (300, 3_400), "bandpass", fs=rate_hz, output="sos")
    return np.asarray(sosfilt(band, signal))


def lowpass(
    signal: Signal, rate_hz: int, random: np.random.Generator, high_hz: float = 4_000
) -> Signal:
    """Keep what is below a frequency."""
    return np.asarray(sosfilt(butter(6, high_hz, fs=rate_hz, output="sos"), signal))


def low_bitrate(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Compress it to about 32 kbit/s and back."""
    return _coded(signal, rate_hz, "MP3", 0.85)


def opus(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Compress it by Opus, the codec of video calls, to about 32 kbit/s, and back."""
    slow = soxr.resample(signal, rate_hz, 24_000)
    coded = _coded(slow, 24_000, "OGG", 0.9, subtype="OPUS")
    return np.asarray(soxr.resample(coded, 24_000, rate_hz)[: len(signal)])


def _coded(signal: Signal, rate_hz: int, form: str, level: float, **how: str) -> Signal:
    file = io.BytesIO()
    soundfile.write(file, signal.clip(-1, 1), rate_hz, format=form, compression_level=level, **how)
    file.seek(0)
    return np.asarray(soundfile.read(file)[0][: len(signal)])


def with_voice(
    signal: Signal, rate_hz: int, random: np.random.Generator, voice: Signal, snr_db: float = 0.0
) -> Signal:
    """Let somebody talk over it, again and again until it ends.

    Parameters
    ----------
    signal, rate_hz, random
        As all alterations take them.
    voice
        At `rate_hz`.
    snr_db
        How much softer the voice is.
    """
    begin = int(random.integers(len(voice)))
    talk = np.resize(np.roll(voice, -begin), len(signal))
    level = np.sqrt(np.mean(signal**2)) * 10 ** (-snr_db / 20)
    return np.asarray(signal + talk * (level / (np.sqrt(np.mean(talk**2)) + 1e-12)))


def hall(signal: Signal, rate_hz: int, random: np.random.Generator) -> Signal:
    """Play it in a box of a room: early reflections of six walls, then a tail that darkens."""
    decay_s = random.uniform(0.4, 0.9)
    length = round(decay_s * rate_hz)
    answer = np.zeros(length)
    answer[0] = 1.0
    for _ in range(12):
        delay_s = random.uniform(0.003, 0.05)
        answer[round(delay_s * rate_hz)] += random.choice([-1, 1]) * 0.6 * np.exp(-delay_s / 0.04)
    t = np.arange(length) / rate_hz
    tail = random.standard_normal(length)
    dark = sosfilt(butter(1, 2_000, fs=rate_hz, output="sos"), tail)
    mixed = tail * np.exp(-13.8 * t / decay_s) + 3 * dark * np.exp(-6.9 * t / decay_s)
    mixed[: round(0.02 * rate_hz)] = 0
    answer += mixed * (1.2 / np.sqrt(np.sum(mixed**2)))
    return np.asarray(fftconvolve(signal, answer)[: len(signal)])


def anywhere(
    signal: Signal, rate_hz: int, random: np.random.Generator, voices: Sequence[Signal] = ()
) -> Signal:
    """Play it somewhere, to some microphone or over some line, perhaps with talk on top."""
    signal = speed(signal, rate_hz, random, random.uniform(0.95, 1.05))
    if random.random() < 0.4:
        signal = reverb(signal, rate_hz, random, random.uniform(0.2, 1.0))
    if voices and random.random() < 0.45:
        voice = voices[int(random.integers(len(voices)))]
        signal = with_voice(signal, rate_hz, random, voice, random.uniform(-3, 10))
    if random.random() < 0.3:
        signal = noise(signal, rate_hz, random, random.uniform(5, 30))
    chance = random.random()
    if chance < 0.25:
        low_hz, high_hz = random.uniform(80, 400), random.uniform(3_000, 8_000)
        signal = laptop(signal, rate_hz, random, low_hz, high_hz)
    elif chance < 0.4:
        signal = telephone(signal, rate_hz, random)
    elif chance < 0.55:
        signal = lowpass(signal, rate_hz, random, random.uniform(2_500, 8_000))
    if random.random() < 0.25:
        signal = low_bitrate(signal, rate_hz, random)
    return gain(signal, rate_hz, random, random.uniform(-12, 0))
