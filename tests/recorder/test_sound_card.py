"""Playing and recording at once through a real sound card, or rather PulseAudio's null sink."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    AudioCaptured,
    AudioGap,
    ClockAnchored,
    DeviceLost,
    DeviceRestored,
    Event,
    TrackEnded,
    TrackStarted,
    decode,
)
from tests.recorder.soundcard import RATE_HZ, VirtualSoundCard, require_packages


@pytest.fixture
def card():
    require_packages()
    with VirtualSoundCard() as virtual:
        yield virtual


@pytest.fixture
def tracks(tmp_path: Path) -> list[Path]:
    paths = []
    for seed, seconds in enumerate((2.0, 1.5)):
        rng = np.random.default_rng(seed)
        sound = rng.integers(-8000, 8000, (round(seconds * RATE_HZ), 2), np.int16)
        paths.append(tmp_path / f"noise{seed}.wav")
        soundfile.write(paths[-1], sound, RATE_HZ, subtype="PCM_16")
    return paths


def program(card: VirtualSoundCard, folder: Path, tracks: list[Path]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.recorder.card_program", str(folder)]
    command += [card.speaker, card.microphone, *map(str, tracks)]
    return subprocess.Popen(command, env=card.environment, stdout=subprocess.PIPE)


def events_in(folder: Path) -> list[Event]:
    return [decode(line) for line in (folder / "events.jsonl").read_bytes().splitlines()]


def of(kind: type[Event], events: list[Event], stream: str) -> list[Event]:
    return [e for e in events if isinstance(e, kind) and e.stream == stream]


def time_of(sample: int, events: list[Event], stream: str) -> int:
    block = [e for e in of(AudioCaptured, events, stream) if e.sample <= sample][-1]
    return block.t_ns + (sample - block.sample) * NS_PER_S // RATE_HZ


def place_of(sound: NDArray[np.int16], room: NDArray[np.int16]) -> int:
    """Return the sample of `room` at which `sound` begins."""
    candidates = np.flatnonzero((room[:, 0] == sound[0, 0]) & (room[:, 1] == sound[0, 1]))
    return next(int(at) for at in candidates if np.array_equal(room[at : at + 512], sound[:512]))


def test_playing_and_recording_at_once_is_bit_exact(card, tracks, tmp_path):
    process = program(card, tmp_path, tracks)
    assert process.wait(60) == 0
    events = events_in(tmp_path)
    played, room = np.load(tmp_path / "playback.npy"), np.load(tmp_path / "room.npy")
    files = np.concatenate([soundfile.read(path, dtype="int16")[0] for path in tracks])
    assert np.array_equal(played, files)
    at = place_of(files, room)
    assert np.array_equal(room[at : at + len(files)], files)
    assert not [e for e in events if isinstance(e, AudioGap | DeviceLost)]

    starts = [e for e in events if isinstance(e, TrackStarted)]
    ends = [e for e in events if isinstance(e, TrackEnded)]
    border = 2 * RATE_HZ
    assert [e.sample for e in starts] == [0, border]
    assert [(e.sample, e.reason) for e in ends] == [
        (border, "finished"),
        (len(files), "finished"),
    ]
    # When a sample was heard, both devices agree on, to within what PulseAudio knows.
    heard_ns, captured_ns = (
        time_of(border, events, "playback"),
        time_of(at + border, events, "room"),
    )
    assert abs(captured_ns - heard_ns) < 0.1 * NS_PER_S
    assert len(of(ClockAnchored, events, "playback")) == 4


@pytest.mark.campaign
def test_music_that_faltered_is_told_as_a_gap(card, tmp_path):
    track = tmp_path / "long.wav"
    soundfile.write(track, np.arange(1, 8 * RATE_HZ, dtype=np.int64).astype(np.int16), RATE_HZ)
    process = program(card, tmp_path, [track])
    assert process.stdout is not None
    assert process.stdout.readline() == b"playing\n"
    time.sleep(1)
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.5)  # the device is not lost yet
    process.send_signal(signal.SIGCONT)
    assert process.wait(30) == 0
    events = events_in(tmp_path)
    gaps = of(AudioGap, events, "playback")
    assert gaps
    assert all(gap.cause == "underflow" for gap in gaps)
    played = np.load(tmp_path / "playback.npy")
    assert np.array_equal(played[:, 0], soundfile.read(track, dtype="int16")[0])


@pytest.mark.campaign
@pytest.mark.parametrize("form", [{}, {"rate_hz": 16_000, "channels": 1}])
def test_a_sound_card_that_comes_back_is_used_again(card, tmp_path, form):
    tracks = [tmp_path / "long.wav"]
    soundfile.write(tracks[0], np.ones((60 * RATE_HZ, 2), np.int16), RATE_HZ)
    process = program(card, tmp_path, tracks)
    assert process.stdout is not None
    assert process.stdout.readline() == b"playing\n"
    time.sleep(1)
    card.pull_out()
    time.sleep(4)
    if form:
        card.write_devices("another", "and_another")  # under other numbers, too
    card.plug_in(**form)
    time.sleep(8)
    (tmp_path / "enough").touch()
    assert process.wait(30) == 0
    events = events_in(tmp_path)
    for device, stream in (("speaker", "playback"), ("microphone", "room")):
        lost = [e for e in events if isinstance(e, DeviceLost) and e.device == device]
        restored = [e for e in events if isinstance(e, DeviceRestored) and e.device == device]
        assert (len(lost), len(restored)) == (1, 1)
        assert any(e.t_ns > restored[0].t_ns for e in of(AudioCaptured, events, stream))
        assert of(AudioGap, events, stream)
