"""Sound files as they come: what they hold is known by reading them, and what lacks is told."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from affetti.core.errors import MediaError
from affetti.core.events import AudioFormat
from affetti.core.recording.losses import track_statement
from affetti.recorder.sources.deck import Cue, Deck
from affetti.recorder.sources.sound import Decoded
from affetti.recorder.sources.track import common_format, decode, open_track

RATE_HZ, SECONDS = 44_100, 4.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chord in every form."""
    made = tmp_path_factory.mktemp("sound")
    t = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    wave = sum(np.sin(2 * np.pi * hz * t) for hz in (262, 330, 392)) / 4 * (1 - t % 0.5)
    wave += 0.1 * np.random.default_rng(0).standard_normal(len(t))
    for suffix in ("wav", "flac", "mp3", "ogg"):
        soundfile.write(made / f"a.{suffix}", wave, RATE_HZ)
    soundfile.write(made / "a.opus", wave, 48_000, format="OGG", subtype="OPUS")
    return made


def played(path: Path) -> tuple[NDArray[np.int16], Decoded]:
    track, decoded = open_track(path), Decoded()
    form = common_format([track])
    return np.concatenate(list(decode(track, form, decoded))), decoded


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_lossless_files_are_played_to_the_bit(folder: Path, suffix: str) -> None:
    path = folder / f"a.{suffix}"
    right = soundfile.read(path, dtype="int16", always_2d=True)[0]
    samples, decoded = played(path)
    assert np.array_equal(samples, right)
    assert decoded.loss(open_track(path).found) is None


@pytest.mark.parametrize("suffix", ["mp3", "ogg", "opus"])
def test_compressed_files_are_played_as_another_reader_reads_them(
    folder: Path, suffix: str
) -> None:
    path = folder / f"a.{suffix}"
    right = soundfile.read(path, dtype="int16", always_2d=True)[0]
    samples, decoded = played(path)
    assert abs(len(samples) - len(right)) <= 1152
    n = min(len(samples), len(right))
    error = samples[1000 : n - 1000] - right[1000 : n - 1000].astype(float)
    assert np.sqrt(np.mean(error**2)) < 0.01 * np.sqrt(np.mean(right.astype(float) ** 2))
    assert decoded.loss(open_track(path).found) is None


@pytest.mark.parametrize("suffix", ["mp3", "ogg"])
def test_joined_files_are_played_wholly(folder: Path, tmp_path: Path, suffix: str) -> None:
    data = (folder / f"a.{suffix}").read_bytes()
    path = written(tmp_path / f"joined.{suffix}", data + data)
    assert open_track(path).duration_s == pytest.approx(2 * SECONDS, abs=0.15)
    samples, decoded = played(path)
    assert len(samples) == pytest.approx(2 * SECONDS * RATE_HZ, abs=0.1 * RATE_HZ)
    assert decoded.loss(open_track(path).found) is None


def without_frames_told(data: bytes) -> bytes:
    """Blank the word by which an MP3 says how many frames follow."""
    return data.replace(b"Xing", b"\0\0\0\0").replace(b"Info", b"\0\0\0\0")


def without_a_length(data: bytes) -> bytes:
    """Say of a FLAC, as a pipe does, that nobody knows how many samples there are."""
    return data[:21] + bytes([data[21] & 0xF0, 0, 0, 0, 0]) + data[26:]


def of_a_dead_recorder(data: bytes) -> bytes:
    """Say of a WAV that it holds nothing, as one that was never closed."""
    at = data.index(b"data")
    return data[:4] + bytes(4) + data[8 : at + 4] + bytes(4) + data[at + 8 :]


@pytest.mark.parametrize(
    ("suffix", "changed"),
    [("mp3", without_frames_told), ("flac", without_a_length), ("wav", of_a_dead_recorder)],
)
def test_a_length_that_nobody_told_is_found(
    folder: Path, tmp_path: Path, suffix: str, changed: Callable[[bytes], bytes]
) -> None:
    data = (folder / f"a.{suffix}").read_bytes()
    path = written(tmp_path / f"untold.{suffix}", changed(data))
    assert open_track(path).duration_s == pytest.approx(SECONDS, abs=0.1)
    assert len(played(path)[0]) == pytest.approx(SECONDS * RATE_HZ, abs=0.1 * RATE_HZ)


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus"])
def test_half_a_file_is_played_and_said_to_be_cut_off(
    folder: Path, tmp_path: Path, suffix: str
) -> None:
    data = (folder / f"a.{suffix}").read_bytes()
    path = written(tmp_path / f"half.{suffix}", data[: len(data) // 2])
    samples, decoded = played(path)
    assert 0.2 * SECONDS < len(samples) / common_format([open_track(path)]).rate_hz < SECONDS
    loss = decoded.loss(open_track(path).found)
    assert loss is not None
    assert loss.cut_off
    assert "is cut off" in track_statement(path.name, loss)


def test_a_damaged_middle_costs_only_itself(folder: Path, tmp_path: Path) -> None:
    data = bytearray((folder / "a.mp3").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = np.random.default_rng(1).bytes(3000)
    path = written(tmp_path / "damaged.mp3", bytes(data))
    samples, decoded = played(path)
    assert len(samples) > 0.75 * SECONDS * RATE_HZ
    assert np.abs(samples[-RATE_HZ:]).max() > 1000  # it plays on
    loss = decoded.loss(open_track(path).found)
    assert loss is None or not loss.cut_off


def test_a_track_ends_with_what_could_not_be_played_of_it(folder: Path, tmp_path: Path) -> None:
    data = (folder / "a.flac").read_bytes()
    path = written(tmp_path / "half.flac", data[: len(data) // 2])
    deck = Deck([open_track(path)], AudioFormat(RATE_HZ, 1))
    pulled: list[object] = []
    while not deck.over:
        pulled += list(deck.pull(4096, wait=True))
    (end,) = [each for each in pulled if isinstance(each, Cue) and each.kind == "end"]
    assert end.reason == "finished"
    assert end.loss is not None
    assert end.loss.stated_s == pytest.approx(SECONDS)
    assert end.loss.decoded_s < 0.9 * SECONDS


def test_sound_that_is_not_a_number_is_silence(tmp_path: Path) -> None:
    wave = np.full(RATE_HZ, 0.5, np.float32)
    wave[100:200], wave[300] = np.nan, np.inf
    soundfile.write(tmp_path / "nan.wav", wave, RATE_HZ, subtype="FLOAT")
    samples, _ = played(tmp_path / "nan.wav")
    assert not samples[100:200].any()
    assert samples[300] == 32767


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"fLaC" + bytes(100), b"OggS" * 30, b"ID3" + bytes(4000), b"no sound"]
)
def test_what_is_no_sound_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MediaError):
        open_track(written(tmp_path / "a.mp3", data))


def test_a_wave_file_that_claims_more_than_there_is_is_cut_off(
    folder: Path, tmp_path: Path
) -> None:
    data = bytearray((folder / "a.wav").read_bytes())
    struct.pack_into("<I", data, 4, len(data) + 100_000)
    path = written(tmp_path / "claims.wav", bytes(data))
    samples, decoded = played(path)
    assert len(samples) == round(SECONDS * RATE_HZ)
    loss = decoded.loss(open_track(path).found)
    assert loss is not None
    assert loss.cut_off
