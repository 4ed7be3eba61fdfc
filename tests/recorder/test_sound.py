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


@pytest.mark.parametrize("form", ["AIFF", "AU", "CAF", "W64", "RF64", "WAV"])
def test_half_an_uncompressed_file_is_said_to_be_cut_off_and_a_whole_one_is_not(
    tmp_path: Path, form: str
) -> None:
    wave = 0.3 * np.sin(np.arange(RATE_HZ) / 10)
    soundfile.write(tmp_path / "whole", wave, RATE_HZ, format=form, subtype="PCM_16")
    data = (tmp_path / "whole").read_bytes()
    samples, decoded = played(tmp_path / "whole")
    assert len(samples) == RATE_HZ
    assert decoded.loss(open_track(tmp_path / "whole").found) is None
    half = written(tmp_path / "half", data[: len(data) // 2])
    samples, decoded = played(half)
    assert len(samples) == pytest.approx(RATE_HZ / 2, abs=3000)
    loss = decoded.loss(open_track(half).found)
    assert loss is not None
    assert loss.cut_off


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_a_hole_in_the_middle_is_not_called_a_missing_end(
    folder: Path, tmp_path: Path, suffix: str
) -> None:
    data = bytearray((folder / f"a.{suffix}").read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 8] = np.random.default_rng(1).bytes(len(data) // 8)
    path = written(tmp_path / f"hole.{suffix}", bytes(data))
    _, decoded = played(path)
    loss = decoded.loss(open_track(path).found)
    assert loss is not None
    assert "is damaged" in track_statement(path.name, loss)


def test_chained_files_of_other_forms_are_played_wholly(folder: Path, tmp_path: Path) -> None:
    wave = 0.3 * np.sin(np.arange(2 * 22_050) / 10)
    soundfile.write(tmp_path / "b.ogg", np.stack([wave, wave], 1), 22_050)
    data = (folder / "a.ogg").read_bytes(), (tmp_path / "b.ogg").read_bytes()
    path = written(tmp_path / "chained.ogg", b"".join(data))
    assert open_track(path).duration_s == pytest.approx(SECONDS + 2, abs=0.1)
    samples, decoded = played(path)
    assert len(samples) == pytest.approx((SECONDS + 2) * RATE_HZ, abs=0.1 * RATE_HZ)
    assert np.abs(samples[-RATE_HZ:]).max() > 5000
    assert decoded.loss(open_track(path).found) is None


@pytest.mark.parametrize("channels", [6, 8, 12])
def test_of_many_channels_the_mean_is_played(tmp_path: Path, channels: int) -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    wave = np.stack([0.2 * np.sin(2 * np.pi * 200 * t) * (c < 4) for c in range(channels)], 1)
    soundfile.write(tmp_path / "a.ogg", wave, RATE_HZ)
    samples, _ = played(tmp_path / "a.ogg")
    loudness = np.sqrt(np.mean(samples.astype(float) ** 2)) / 32767
    assert loudness == pytest.approx(0.2 * 4 / channels / np.sqrt(2), rel=0.03)


NOTHING = [
    ("empty.mp3", b"", "is empty"),
    ("letter.mp3", b"Dear Clara, " * 99, "is not a sound file"),
    ("other.wav", b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x44\xac\0\0\x88\x58\1\0\2\0"
     b"\x10\0data\0\0\0\0", "holds no sound"),
    ("half.m4a", b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\xff\xffmdat" + bytes(999), "is cut off"),
    ("list.mp3", b"#EXTM3U\n#EXTINF:4,\n{folder}/a.mp3\n#EXT-X-ENDLIST\n", "is not a sound file"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "why"), NOTHING)
def test_a_file_that_cannot_be_played_is_refused_for_what_it_is(
    folder: Path, tmp_path: Path, name: str, data: bytes, why: str
) -> None:
    path = written(tmp_path / name, data.replace(b"{folder}", bytes(folder)))
    with pytest.raises(MediaError, match=why):
        open_track(path)


@pytest.mark.parametrize("name", ["2026-11-24T10:30:15.mp3", "50%d.mp3", "-a.mp3", "concat:x.mp3"])
def test_a_name_is_only_a_name(
    folder: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / name, (folder / "a.mp3").read_bytes())
    assert open_track(Path(name)).duration_s == pytest.approx(SECONDS, abs=0.1)


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
