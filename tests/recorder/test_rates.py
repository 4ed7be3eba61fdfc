"""Sound files of any rate and number of channels: let in so that all can be read, or refused."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from affetti.core.cli import affetti
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.recording.session import Session
from affetti.recorder.sources.track import common_format, decode, open_track
from tests.recorder.films import tone

pytestmark = pytest.mark.one_of_each


def header(rate_hz: int, channels: int, samples: int = 4_000) -> bytes:
    """Return a WAV file of 16 bits that says what is wanted, true or not."""
    data = b"\0\1" * max(channels, 1) * samples
    form = struct.pack(
        "<HHIIHH", 1, channels, rate_hz, 2 * channels * rate_hz & 0xFFFFFFFF, 2 * channels, 16
    )
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def tracks(folder: Path, *rates_hz: int) -> list:
    return [
        open_track(tone(folder / f"{i}.wav", 0.1, rate_hz=rate, channels=1))
        for i, rate in enumerate(rates_hz)
    ]


@pytest.mark.parametrize(
    ("rates_hz", "stream_hz"),
    [
        ([44_100], 44_100),
        ([48_000], 48_000),
        ([96_000], 96_000),
        ([11_025], 11_025),
        ([8_000, 22_050], 22_050),
        ([22_050, 22_050, 48_000], 48_000),
        ([44_100, 44_100, 48_000], 44_100),
        ([44_100, 48_000], 48_000),
        ([44_100, 192_000], 44_100),
        ([44_100, 44_100, 352_800], 44_100),
        ([44_100, 768_000], 44_100),
        ([44_100, 4_000], 44_100),
        ([4_000], 48_000),
        ([352_800], 44_100),
        ([768_000], 48_000),
        ([4_000, 768_000], 48_000),
    ],
)
def test_no_odd_track_decides_the_rate_of_a_playlist(tmp_path, rates_hz, stream_hz):
    assert common_format(tracks(tmp_path, *rates_hz)).rate_hz == stream_hz


@pytest.mark.parametrize("rate_hz", [1_000, 4_000, 352_800, 768_000, 1_000_000])
def test_what_is_resampled_lasts_as_long_and_sounds_the_same(tmp_path, rate_hz):
    track = open_track(tone(tmp_path / "a.wav", 1.0, rate_hz=rate_hz, channels=1, pitch_hz=300))
    form = common_format([track])
    heard = np.concatenate(list(decode(track, form)))[:, 0]
    assert len(heard) == pytest.approx(form.rate_hz, abs=2)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert np.fft.rfftfreq(len(heard), 1 / form.rate_hz)[spectrum.argmax()] == pytest.approx(
        315, abs=20
    )


@pytest.mark.parametrize("rate_hz", [1, 999, 1_000_001, 3_000_000, 2_000_000_000])
def test_a_rate_that_no_sound_has_is_refused_by_name(tmp_path, rate_hz):
    (tmp_path / "odd.wav").write_bytes(header(rate_hz, 1))
    with pytest.raises(AffettiError) as caught:
        open_track(tmp_path / "odd.wav")
    assert "odd.wav" in caught.value.message
    assert f"{rate_hz} Hz" in caught.value.message
    assert caught.value.code == ExitCode.MEDIA


@pytest.mark.parametrize(
    "data",
    [
        header(0, 1),
        header(2**32 - 1, 1),
        header(44_100, 0),
        header(44_100, 1_025),
        header(44_100, 2, samples=0),
    ],
    ids=["no rate", "a negative rate", "no channels", "too many channels", "no samples"],
)
def test_a_header_that_cannot_be_is_refused_by_name(tmp_path, data):
    (tmp_path / "odd.wav").write_bytes(data)
    with pytest.raises(AffettiError, match=r"odd\.wav") as caught:
        open_track(tmp_path / "odd.wav")
    assert caught.value.code == ExitCode.MEDIA


def test_a_file_of_many_channels_is_heard_in_two(tmp_path):
    path = tone(tmp_path / "many.wav", 0.2, channels=12)
    form = common_format([open_track(path)])
    assert form.channels == 2
    heard = np.concatenate(list(decode(open_track(path), form)))
    expected = np.rint(soundfile.read(path, dtype="int16")[0].mean(axis=1))
    assert np.array_equal(heard, np.stack([expected, expected], axis=1))


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("rate_hz", "channels"),
    [(4_000, 1), (11_025, 1), (352_800, 2), (768_000, 1), (44_100, 12)],
)
def test_a_recording_of_any_sound_is_sealed_analyzed_and_reported(tmp_path, rate_hz, channels):
    odd = tone(tmp_path / "odd.wav", 3.3, rate_hz=rate_hz, channels=channels)
    usual = tone(tmp_path / "usual.wav", 0.5)
    target = tmp_path / "out.h5"
    sources = ["--microphone", odd, "--play", usual, "--play", odd, "--no-speaker"]
    for command in (
        ["record", "--headless", *sources, "--output", target],
        ["analyze", target],
        ["report", target],
    ):
        done = CliRunner().invoke(affetti, [str(word) for word in command], standalone_mode=False)
        assert done.exception is None, done.output
    with Session.open(target) as session:
        session.verify_digest()
        playback = session.audio("playback")
        first, second = session.tracks
        assert playback.rate_hz == 44_100
        expected = soundfile.read(usual, dtype="int16", always_2d=True)[0]
        assert np.array_equal(playback.read_samples(0, first.end_sample or 0), expected)
        assert (second.end_s or 0) - second.start_s == pytest.approx(3.3, abs=0.1)
        room = session.audio("room")
        assert len(room.read()) / room.rate_hz == pytest.approx(3.3, abs=0.01)


def test_a_recording_is_refused_at_the_door_and_leaves_nothing(tmp_path):
    (tmp_path / "odd.wav").write_bytes(header(1, 1))
    for option in ("--play", "--microphone"):
        words = ["record", "--headless", option, tmp_path / "odd.wav", "--no-speaker"]
        done = CliRunner().invoke(affetti, [*map(str, words), "--output", str(tmp_path / "out.h5")])
        assert isinstance(done.exception, AffettiError)
        assert "1 Hz" in done.exception.message
        assert not list(tmp_path.glob("*.h5"))
