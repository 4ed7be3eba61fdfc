from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.models.manifest import model
from affetti.models.sound.music import MusicReader

pytestmark = pytest.mark.one_of_each

MUSIC = Path(__file__).parents[2] / "sample_sessions" / "music"
PIECES = ("happiness", "sadness", "anger", "relaxation")


@pytest.fixture(scope="module")
def reader() -> MusicReader:
    return MusicReader()


def _piece(name: str, seconds: float = 10.0) -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(MUSIC / f"{name}.ogg", dtype="int16", always_2d=True)
    return samples[3 * rate_hz : round((3 + seconds) * rate_hz)], rate_hz


@pytest.mark.parametrize("name", PIECES)
def test_music_has_a_distribution_over_the_four_emotions(reader: MusicReader, name: str):
    reading = reader.read(*_piece(name))

    assert reading.emotions is not None
    assert sum(reading.emotions) == pytest.approx(1, abs=1e-5)
    assert all(0 <= p <= 1 and p == round(p, 6) for p in reading.emotions)
    assert -60 < reading.loudness_dbfs < 0
    assert reading.tempo_bpm is not None
    assert 30 <= reading.tempo_bpm <= 300


@pytest.mark.parametrize("name", PIECES)
def test_the_four_emotions_are_the_quadrants_of_valence_and_arousal(reader: MusicReader, name: str):
    reading = reader.read(*_piece(name))

    happiness, sadness, anger, relaxation = reading.emotions
    assert reading.valence * (happiness + relaxation - sadness - anger) > 0
    assert reading.arousal * (happiness + anger - sadness - relaxation) > 0
    assert reading.valence_half_width > 0
    assert reading.arousal_half_width > 0


@pytest.mark.campaign
def test_the_paper_estimates_no_valence():
    assert MusicReader("music_emotion_paper").read(*_piece("sadness")).valence is None


def test_the_same_samples_give_the_same_reading(reader: MusicReader):
    samples, rate_hz = _piece("sadness")

    assert reader.read(samples, rate_hz) == MusicReader().read(samples.copy(), rate_hz)


def test_what_was_read_before_does_not_matter(reader: MusicReader):
    first = reader.read(*_piece("anger"))
    reader.read(*_piece("relaxation"))

    assert reader.read(*_piece("anger")) == first


def test_silence_expresses_nothing(reader: MusicReader):
    reading = reader.read(np.zeros((44_100 * 10, 2), np.int16), 44_100)

    assert reading.emotions is None
    assert reading.tempo_bpm is None
    assert reading.loudness_dbfs == -120


def test_a_constant_offset_is_silence(reader: MusicReader):
    assert reader.read(np.full((22_050 * 3, 1), 9_000, np.int16), 22_050).emotions is None


def test_a_full_scale_square_wave_has_0_dbfs(reader: MusicReader):
    square = np.where(np.arange(22_050 * 3) // 50 % 2, 32_767, -32_767).astype(np.int16)

    assert reader.read(square[:, None], 22_050).loudness_dbfs == pytest.approx(0, abs=0.01)


def test_an_offset_changes_little(reader: MusicReader):
    samples, rate_hz = _piece("sadness")
    shifted = np.clip(samples.astype(int) + 2_000, -32_768, 32_767).astype(np.int16)

    plain, offset = reader.read(samples, rate_hz), reader.read(shifted, rate_hz)

    assert offset.emotions == pytest.approx(plain.emotions, abs=0.05)
    assert offset.loudness_dbfs == pytest.approx(plain.loudness_dbfs, abs=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("seconds", [3, 10])
def test_any_rate_and_number_of_channels(
    reader: MusicReader, rate_hz: int, channels: int, seconds: int
):
    samples = np.zeros((seconds * rate_hz, channels), np.int16)
    samples[:, 0] = 9_000 * np.sin(2 * np.pi * 440 * np.arange(len(samples)) / rate_hz)

    reading = reader.read(samples, rate_hz)

    counted = channels - (channels == 8)  # the bass channel does not count
    assert reading.loudness_dbfs == pytest.approx(
        20 * np.log10(9_000 / 32_768 / np.sqrt(2) / counted), abs=0.2
    )


def test_clipped_music_is_still_read(reader: MusicReader):
    samples, rate_hz = _piece("anger")
    clipped = np.clip(samples.astype(int) * 30, -32_768, 32_767).astype(np.int16)

    assert reader.read(clipped, rate_hz).emotions is not None


@pytest.mark.parametrize(
    ("samples", "rate_hz"),
    [
        (np.zeros((22_050 * 2, 1), np.int16), 22_050),
        (np.zeros((22_050 * 11, 1), np.int16), 22_050),
        (np.zeros((22_050 * 5, 9), np.int16), 22_050),
        (np.zeros(22_050 * 5, np.int16), 22_050),
        (np.zeros((22_050 * 5, 1), np.float32), 22_050),
        (np.zeros((4_000 * 5, 1), np.int16), 4_000),
    ],
    ids=["short", "long", "channels", "flat", "float", "rate"],
)
def test_other_input_is_refused(reader: MusicReader, samples: np.ndarray, rate_hz: int):
    with pytest.raises(ValueError, match=r"expected|cannot read"):
        reader.read(samples, rate_hz)


def test_the_digests_are_the_manifest_s(reader: MusicReader):
    assert reader.sha256["music_emotion"] == model("music_emotion").sha256


def test_warming_up_leaves_nothing_behind(reader: MusicReader):
    before = reader.read(*_piece("happiness"))
    reader.warm()

    assert reader.read(*_piece("happiness")) == before


@pytest.mark.parametrize("name", ["relaxation", "happiness"])
def test_a_reading_comes_with_the_strongest_of_its_reasons(reader: MusicReader, name: str):
    piece = _piece(name)
    words = tuple(reason.code for reason in reader.explain(*piece))

    assert reader.read(*piece).reasons == words[:3]
    assert words
