from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.models.sound.features import RATE_HZ, Sound, mono, normalized, paper_features

MUSIC = Path(__file__).parents[2] / "sample_sessions" / "music"


def _chord(rate_hz: int = RATE_HZ, seconds: float = 10.0) -> np.ndarray:
    # A minor chord plucked twice a second.
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    tones = sum(np.sin(2 * np.pi * hz * t) for hz in (220.0, 261.6, 329.6))
    return np.asarray(8_000 * tones * np.exp(-6 * (t % 0.5)), np.int16)


def _features(samples: np.ndarray, rate_hz: int = RATE_HZ) -> dict[str, float]:
    return paper_features(Sound(normalized(mono(samples, rate_hz))))


@pytest.mark.campaign
def test_the_paper_has_67_statistics():
    features = _features(_chord())

    assert len(features) == 67
    assert all(np.isfinite(list(features.values())))


def test_loudness_is_no_feature():
    loud, rate_hz = soundfile.read(MUSIC / "anger.ogg", dtype="int16", frames=441_000)
    soft = (loud / 4).astype(np.int16)

    expected = list(_features(loud, rate_hz).values())
    assert list(_features(soft, rate_hz).values()) == pytest.approx(expected, rel=0.01, abs=0.05)


def test_channels_are_mixed():
    left, right = _chord(), np.zeros_like(_chord())

    assert mono(np.stack([left, right], axis=1), RATE_HZ) == pytest.approx(mono(left, RATE_HZ) / 2)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 96_000])
def test_length_after_resampling_is_the_duration(rate_hz: int):
    assert len(mono(_chord(rate_hz, 3.0), rate_hz)) == pytest.approx(3 * RATE_HZ, abs=2)


def test_normalized_has_zero_mean_and_unit_variance():
    signal = normalized(mono(_chord() + np.int16(4_000), RATE_HZ))

    assert signal.mean() == pytest.approx(0, abs=1e-5)
    assert signal.std() == pytest.approx(1, abs=1e-5)


def test_a_constant_signal_becomes_zero():
    assert not normalized(np.full(100, 0.25, np.float32)).any()


@pytest.mark.campaign
def test_tempo_of_two_plucks_a_second_is_120_or_its_double_or_half():
    tempo = Sound(normalized(mono(_chord(), RATE_HZ))).tempo_bpm

    assert min(abs(tempo / beats - 1) for beats in (60, 120, 240)) < 0.05
