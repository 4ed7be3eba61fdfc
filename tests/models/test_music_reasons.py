from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.core.language import known
from affetti.models.sound.music import MusicReader
from affetti.models.sound.reasons import MIN_WEIGHT, QUALITIES

MUSIC = Path(__file__).parents[2] / "sample_sessions" / "music"


@pytest.fixture(scope="module")
def reader() -> MusicReader:
    return MusicReader()


def _piece(name: str) -> tuple[np.ndarray, int]:
    samples, rate_hz = soundfile.read(MUSIC / f"{name}.ogg", dtype="int16", always_2d=True)
    return samples[3 * rate_hz : 13 * rate_hz], rate_hz


@pytest.mark.parametrize("name", ["happiness", "sadness", "relaxation"])
def test_reasons_are_known_words_the_strongest_first(reader: MusicReader, name: str):
    reasons = reader.explain(*_piece(name))

    assert reasons
    words = {word for quality in QUALITIES for word in (quality.low, quality.high)}
    assert {reason.code for reason in reasons} <= words
    weights = [reason.weight for reason in reasons]
    assert weights == sorted(weights, reverse=True)
    assert min(weights) >= MIN_WEIGHT


def test_every_quality_has_a_word():
    codes = {code for quality in QUALITIES for code in (quality.low, quality.high)}

    assert all(known(f"sign.{code}") for code in codes)


def test_a_dark_piece_is_not_called_bright(reader: MusicReader):
    words = {reason.code for reason in reader.explain(*_piece("relaxation"))}

    assert words & {"low", "dark", "smooth"}
    assert "bright" not in words


def test_silence_has_no_reasons(reader: MusicReader):
    assert reader.explain(np.zeros((220_500, 1), np.int16), 22_050) == ()


def test_the_paper_s_forest_gives_no_reasons():
    assert MusicReader("music_emotion_paper").explain(*_piece("sadness")) == ()
