"""What overlapping windows share is the same as what is heard afresh, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.models.sound.frames import Listener, Window, mel_filters
from affetti.models.sound.mixing import Moments, mixed
from affetti.models.sound.music import features_of
from affetti.models.sound.musicnn import SharedMusicnn

MUSIC = Path(__file__).parents[2] / "sample_sessions" / "music"


@pytest.fixture(scope="module")
def network() -> SharedMusicnn:
    return SharedMusicnn("musicnn_front", "musicnn_back")


@pytest.fixture(scope="module")
def piece() -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(MUSIC / "happiness.ogg", dtype="int16", always_2d=True)
    return samples, rate_hz


@pytest.mark.campaign
def test_windows_of_a_stream_say_what_they_say_alone(
    piece: tuple[np.ndarray, int], network: SharedMusicnn
):
    samples, rate_hz = piece
    listener = Listener()

    for end in range(3, 14):
        window = samples[max(0, end - 10) * rate_hz : end * rate_hz]
        shared = features_of(listener.cut(window, rate_hz), network)
        assert shared == features_of(Listener().cut(window, rate_hz), network)


@pytest.mark.parametrize("begin", [1, 777, 44_099])
def test_a_window_that_begins_anywhere_says_what_it_says_alone(
    piece: tuple[np.ndarray, int], network: SharedMusicnn, begin: int
):
    samples, rate_hz = piece
    listener = Listener()
    listener.cut(samples[: 10 * rate_hz], rate_hz)

    window = samples[5 * rate_hz + begin : 11 * rate_hz]

    shared = features_of(listener.cut(window, rate_hz), network)
    assert shared == features_of(Listener().cut(window, rate_hz), network)


def test_seconds_that_sound_alike_do_not_lend_what_came_before(
    piece: tuple[np.ndarray, int], network: SharedMusicnn
):
    samples, rate_hz = piece
    listener = Listener()
    features_of(listener.cut(samples[: 4 * rate_hz], rate_hz), network)
    other = samples[: 4 * rate_hz].copy()
    other[: 2 * rate_hz] = samples[8 * rate_hz : 10 * rate_hz]

    shared = features_of(listener.cut(other, rate_hz), network)

    assert shared == features_of(Listener().cut(other, rate_hz), network)


def _said(samples: np.ndarray, rate_hz: int, network: SharedMusicnn) -> dict[str, float]:
    return features_of(Listener().cut(samples, rate_hz), network)


def test_how_loud_it_is_played_does_not_matter(
    piece: tuple[np.ndarray, int], network: SharedMusicnn
):
    samples, rate_hz = piece[0][: 6 * piece[1]] // 4 * 4, piece[1]

    assert _said(samples // 4, rate_hz, network) == _said(samples, rate_hz, network)


def test_a_side_in_opposite_phase_does_not_matter(
    piece: tuple[np.ndarray, int], network: SharedMusicnn
):
    samples, rate_hz = np.maximum(piece[0][: 6 * piece[1]], -32_767), piece[1]
    turned = samples * np.array([1, -1], np.int16)

    found, plain = _said(turned, rate_hz, network), _said(samples, rate_hz, network)

    assert found == pytest.approx(plain, rel=1e-4, abs=1e-4)


def test_sides_that_cancel_each_other_are_heard():
    tone = (9_000 * np.sin(np.arange(22_050) * 0.1)).astype(np.int16)

    moments = Moments.of(np.stack([tone, -tone], axis=1))

    assert sorted(moments.signs) == [-1, 1]
    assert moments.deviation(moments.signs) == pytest.approx(tone.std() / 32_768, rel=1e-3)


def test_the_bass_channel_of_six_is_left_out():
    samples = np.random.default_rng(0).integers(-900, 900, (5_000, 6), np.int16)
    samples[:, 3] = 30_000

    signs = Moments.of(samples).signs

    assert signs == (1, 1, 1, 0, 1, 1)
    assert np.abs(mixed(samples, signs)).max() < 0.03


def test_two_channels_are_mixed_to_their_mean_exactly():
    samples = np.random.default_rng(0).integers(-32_768, 32_767, (5_000, 2), np.int16)

    expected = (samples.astype(np.float32) / 32_768).mean(axis=1)

    assert np.array_equal(mixed(samples, (1, 1)), expected)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_is_where_it_is_at_any_rate(rate_hz: int):
    tone = 9_000 * np.sin(2 * np.pi * 1_000 * np.arange(4 * rate_hz) / rate_hz)
    window: Window = Listener().cut(tone.astype(np.int16)[:, None], rate_hz)

    power = window.seconds[-1].power(window.level).mean(axis=0)
    bands = window.mel().mean(axis=0)

    assert power.argmax() * 22_050 / 2_048 == pytest.approx(1_000, abs=11)
    assert bands.argmax() == 31
    assert len(window.mel()) == 4 * 64 - 2


def test_the_mel_bands_are_librosa_s():
    from librosa.filters import mel

    expected = mel(sr=16_000, n_fft=512, n_mels=96)

    assert mel_filters(16_000, 512, 96) == pytest.approx(expected, abs=1e-6)
