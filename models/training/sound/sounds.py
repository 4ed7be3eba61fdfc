"""Ten-second windows of sounds that no data set of songs has.

Without music: talk, applause, noise. Talk is spoken by the speech synthesizers eSpeak NG and
Flite (Debian: espeak-ng, flite). With music: single tones and chords, held or struck, which
are music in a therapy room (a singing bowl, a monochord) but in no list of hits.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.signal import butter, sosfilt

from affetti.core.errors import MissingPackage
from affetti.models.evaluation.sound.clips import WINDOW_S
from affetti.models.evaluation.sound.rooms import Signal, laptop, noise
from affetti.models.sound.features import RATE_HZ

_SAMPLES: Final = WINDOW_S * RATE_HZ

# What is said in a session, long enough for ten seconds.
_TEXTS: Final = (
    "Would you like to sit by the window today? We can listen to the piece from last week, or to "
    "something new. Take all the time you need, and tell me when you would like to stop.",
    "I remember this one. My sister used to play it in the kitchen on Sundays, very loud, and my "
    "father would come in and pretend to be angry. Then he would dance. It is a long time ago.",
    "Now breathe in slowly, and out again. Let your shoulders drop. Notice where your feet touch "
    "the floor. There is nothing to do and nothing to get right. In a moment the music begins.",
    "No, not that one, please. Something without words. The last time it made me think of the "
    "hospital, of the corridor and the lights, and of the coffee machine that never worked.",
)
_ESPEAK_VOICES: Final = tuple(
    f"{language}+{variant}"
    for language in ("en-us", "en-gb", "de", "es", "fr", "it", "pl")
    for variant in ("m1", "m3", "m7", "f2", "f4", "croak", "whisper")
)
_INTERVALS: Final = (0, 3, 4, 5, 7, 8, 9, 10, 12, 16, 19)  # semitones above the root
_FLITE_VOICES: Final = ("kal", "kal16", "awb", "rms", "slt")


@dataclass(frozen=True)
class Example:
    """A window at 22,050 Hz."""

    signal: Signal
    kind: str
    source: str  # the voice, so that no voice is on both sides of a split
    music: bool = False


def examples(seed: int = 0) -> Iterator[Example]:
    """Yield windows of every kind.

    Raises
    ------
    AffettiError
        A speech synthesizer is not installed.
    """
    random = np.random.default_rng(seed)
    for i, voice in enumerate(_ESPEAK_VOICES):
        text = _TEXTS[i % len(_TEXTS)]
        speed = str(random.integers(130, 190))
        spoken = _said(["espeak-ng", "-v", voice, "-s", speed, "--stdout", text])
        yield from _talk(spoken, voice, random)
    for voice in _FLITE_VOICES:
        for text in _TEXTS:
            spoken = _said(["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"])
            yield from _talk(spoken, f"flite {voice}", random)
    for i in range(40):
        yield Example(_applause(random), "applause", f"applause {i}")
    for i in range(60):
        yield Example(_noise(random), "noise", f"noise {i}")
    for i in range(200):
        yield Example(_tones(random), "tones", f"tones {i}", music=True)


def _said(command: list[str]) -> Signal:
    try:
        wave = subprocess.run(command, check=True, capture_output=True).stdout
    except FileNotFoundError as error:
        raise MissingPackage("sounds.not_installed_training_needs", command=command[0]) from error
    # A stream has no length in its header: everything after it is samples.
    rate_hz = int.from_bytes(wave[24:28], "little")
    samples = np.frombuffer(wave[44 : len(wave) // 2 * 2], "<i2")
    return _at_our_rate(samples / 32_768, rate_hz)


def _at_our_rate(signal: Signal, rate_hz: int) -> Signal:
    import soxr  # noqa: PLC0415

    resampled = np.asarray(soxr.resample(signal, rate_hz, RATE_HZ, quality="HQ"))
    return np.resize(resampled, _SAMPLES)


def _talk(spoken: Signal, voice: str, random: np.random.Generator) -> Iterator[Example]:
    """Speech without a break, and by somebody who pauses to think, maybe on the telephone."""
    yield Example(_roomed(spoken, random), "talk", voice)
    halting = _halting(spoken, random)
    if random.random() < 0.5:
        low_hz, high_hz = random.uniform(80, 300), random.uniform(3_000, 5_500)
        halting = laptop(halting, RATE_HZ, random, low_hz, high_hz)
    yield Example(_roomed(halting, random), "halting talk", voice)


def _halting(spoken: Signal, random: np.random.Generator) -> Signal:
    """Stay silent for up to three seconds after every few words."""
    at, parts = 0, []
    while at < len(spoken):
        words = round(random.uniform(0.7, 3) * RATE_HZ)
        parts += [spoken[at : at + words], np.zeros(round(random.uniform(0.3, 3) * RATE_HZ))]
        at += words
    return np.concatenate(parts)[: len(spoken)]


def _roomed(signal: Signal, random: np.random.Generator) -> Signal:
    return noise(signal, RATE_HZ, random, random.uniform(15, 40))


def _tones(random: np.random.Generator) -> Signal:
    """One to four tones of some timbre, held, or struck a few times a second at most."""
    t = np.arange(_SAMPLES) / RATE_HZ
    root, partials = random.uniform(80, 600), random.integers(1, 12)
    falling, vibrato = random.uniform(0.5, 2), random.choice([0, 0.003])
    signal = np.zeros(_SAMPLES)
    for interval in random.choice(_INTERVALS, random.integers(1, 5), replace=False):
        hz = root * 2 ** (interval / 12)
        phase = 2 * np.pi * hz * (t + vibrato * np.sin(2 * np.pi * 5 * t) / 30)
        for k in range(1, partials + 1):
            if k * hz < RATE_HZ / 2:
                signal += np.sin(k * phase) / k**falling
    if random.random() < 0.7:
        every = random.uniform(0.25, 4)
        signal *= np.exp(-random.uniform(0.5, 4) * (t % every))
    else:
        signal *= 1 + 0.6 * np.sin(2 * np.pi * random.uniform(0.05, 0.5) * t)
    if random.random() < 0.3:  # it begins late
        signal[: int(random.uniform(0, 7) * RATE_HZ)] = 0
    return noise(signal, RATE_HZ, random, random.uniform(20, 70))


def _applause(random: np.random.Generator) -> Signal:
    """Many pairs of hands, each with a rate and a resonance of its own."""
    heard = np.zeros(_SAMPLES)
    for _ in range(int(random.integers(3, 60))):
        every = random.uniform(0.15, 0.4) * RATE_HZ
        times = np.arange(random.uniform(0, every), _SAMPLES - 1, every)
        times = (times + random.normal(0, 0.1 * every, len(times))).clip(0, _SAMPLES - 1)
        clicks = np.zeros(_SAMPLES)
        clicks[times.astype(int)] = random.uniform(0.3, 1, len(times))
        length = int(0.02 * RATE_HZ)
        clap = random.standard_normal(length) * np.exp(-np.arange(length) / (0.003 * RATE_HZ))
        centre = random.uniform(800, 2_500)
        band = butter(2, (centre * 0.6, centre * 1.6), "bandpass", fs=RATE_HZ, output="sos")
        heard += np.convolve(clicks, sosfilt(band, clap), "same") * random.uniform(0.2, 1)
    return _roomed(heard / np.abs(heard).max(), random)


def _noise(random: np.random.Generator) -> Signal:
    """Noise of some colour, steady or swelling, with or without the hum of the mains."""
    spectrum = np.fft.rfft(random.standard_normal(_SAMPLES))
    hz = np.maximum(np.fft.rfftfreq(_SAMPLES, 1 / RATE_HZ), 20)
    signal = np.fft.irfft(spectrum * hz ** -random.uniform(0, 1.2), _SAMPLES)
    signal /= signal.std()
    t = np.arange(_SAMPLES) / RATE_HZ
    if random.random() < 0.4:
        signal *= 1 + 0.8 * np.sin(2 * np.pi * random.uniform(0.05, 0.5) * t)
    if random.random() < 0.4:
        mains = random.choice([50, 60])
        hum = sum(np.sin(2 * np.pi * mains * k * t) / k for k in (1, 2, 3, 5))
        signal += hum * random.uniform(0.2, 2)
    return np.asarray(0.1 * signal)
