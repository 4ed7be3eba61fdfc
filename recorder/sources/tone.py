"""A test tone, so that who sets up a recording hears where the music will come from."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from affetti.core.errors import AffettiError, DeviceError
from affetti.recorder.sources.portaudio import find_device
from affetti.recorder.sources.soundcards import portaudio

_HZ: Final = 440.0
_LEVEL: Final = 0.1  # -20 dBFS
_LENGTH_S: Final = 0.8
_FADE_S: Final = 0.05


def play_tone(speaker: str, volume: int = 100) -> None:
    """Play a short tone, and return when it was played.

    Parameters
    ----------
    speaker
        The device's name; "" is the default one.
    volume
        In percent of what a recording would play at.

    Raises
    ------
    AffettiError
        There is no such device, or it cannot be played to.
    """
    device = find_device(speaker, "output")
    rate_hz = int(device["default_samplerate"])
    sounddevice = portaudio()
    try:
        sounddevice.play(tone(rate_hz) * (volume / 100), rate_hz, device=device["index"])
        sounddevice.wait()
    except AffettiError:
        raise
    except Exception as error:  # PortAudio's own kinds
        raise DeviceError("tone.cannot_play", name=device["name"], error=error) from error


def tone(rate_hz: int) -> NDArray[np.float32]:
    """Return the tone, float32 [samples, 1], which begins and ends softly."""
    time_s = np.arange(round(_LENGTH_S * rate_hz)) / rate_hz
    fade = np.minimum(1, np.minimum(time_s, _LENGTH_S - time_s) / _FADE_S)
    return np.asarray(_LEVEL * fade * np.sin(2 * np.pi * _HZ * time_s), np.float32)[:, np.newaxis]
