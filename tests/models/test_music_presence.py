from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.models.sound.music import MusicReader

RATE_HZ = 22_050
TALK = Path(__file__).parent / "talk.ogg"
# A LibriVox reader (public domain), as passed on in the tests of PocketSphinx (BSD).
READ_ALOUD = Path(__file__).parent / "read_aloud.ogg"


@pytest.fixture(scope="module")
def reader() -> MusicReader:
    return MusicReader()


def _is_music(reader: MusicReader, signal: np.ndarray) -> bool:
    samples = (signal / np.abs(signal).max() * 12_000).astype(np.int16)
    return reader.read(samples[:, None], RATE_HZ).emotions is not None


def _seconds(count: float) -> np.ndarray:
    return np.arange(round(count * RATE_HZ)) / RATE_HZ


def test_talk_is_no_music(reader: MusicReader):
    # Spoken by Flite's voice "rms".
    samples, rate_hz = soundfile.read(TALK, dtype="int16", always_2d=True)

    assert reader.read(samples, rate_hz).emotions is None


def test_a_person_who_reads_aloud_is_no_music(reader: MusicReader):
    samples, rate_hz = soundfile.read(READ_ALOUD, dtype="int16", always_2d=True)

    assert reader.read(samples, rate_hz).emotions is None


def test_talk_with_long_pauses_is_no_music(reader: MusicReader):
    samples, rate_hz = soundfile.read(READ_ALOUD, dtype="int16", always_2d=True)
    pause = np.zeros((2 * rate_hz, 1), np.int16)
    words = np.split(samples[: 6 * rate_hz], 3)
    halting = np.concatenate([part for word in words[:2] for part in (word, pause)])

    assert reader.read(halting, rate_hz).emotions is None


def test_white_noise_is_no_music(reader: MusicReader):
    assert not _is_music(reader, np.random.default_rng(1).standard_normal(10 * RATE_HZ))


def test_no_music_has_a_loudness_but_no_tempo(reader: MusicReader):
    noise = np.random.default_rng(1).integers(-3_000, 3_000, (10 * RATE_HZ, 1), np.int16)

    reading = reader.read(noise, RATE_HZ)

    assert reading.tempo_bpm is None
    assert -30 < reading.loudness_dbfs < -20


@pytest.mark.parametrize("hz", [110, 440])
def test_a_held_tone_is_music(reader: MusicReader, hz: float):
    assert _is_music(reader, sum(np.sin(2 * np.pi * hz * k * _seconds(10)) / k for k in (1, 2, 3)))


def test_three_seconds_of_a_struck_chord_are_music(reader: MusicReader):
    t = _seconds(3)
    chord = sum(np.sin(2 * np.pi * hz * t) for hz in (220, 262, 330))

    assert _is_music(reader, chord * np.exp(-3 * (t % 0.5)))
