"""A whole recording through a sound card: playing, listening and looking at once."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.core.recording.session import Session
from tests.recorder.films import moving_film
from tests.recorder.soundcard import RATE_HZ, VirtualSoundCard, require_packages


@pytest.fixture
def noise(tmp_path: Path) -> list[Path]:
    """Two tracks in which every stretch is unlike every other."""
    paths = []
    for seed, seconds in enumerate((4.0, 3.0)):
        sound = np.random.default_rng(seed).integers(-8000, 8000, (round(seconds * RATE_HZ), 2))
        paths.append(tmp_path / f"noise{seed}.flac")
        soundfile.write(paths[-1], sound.astype(np.int16), RATE_HZ, subtype="PCM_16")
    return paths


@pytest.mark.campaign
def test_a_session_with_speaker_and_microphone_has_no_gap(
    tmp_path: Path, noise: list[Path]
) -> None:
    require_packages()
    target = tmp_path / "card.h5"
    command = [sys.executable, "-m", "affetti", "record", "--headless", "--json"]
    command += ["--camera", str(moving_film(tmp_path / "film.avi", 6)), "--output", str(target)]
    command += [argument for path in noise for argument in ("--play", str(path))]
    with VirtualSoundCard() as card:
        command += ["--speaker", card.speaker, "--microphone", card.microphone]
        done = subprocess.run(
            command, env=card.environment, capture_output=True, text=True, timeout=120, check=False
        )
    assert done.returncode == 0, done.stderr
    info = json.loads(done.stdout)
    assert info["frames"] == 150
    assert info["outages"] == {}
    assert [track["reason"] for track in info["tracks"]] == ["finished", "finished"]
    assert {name: audio["gaps"] for name, audio in info["audio"].items()} == {
        "room": 0,
        "playback": 0,
    }
    expected = np.concatenate([soundfile.read(path, dtype="int16")[0] for path in noise])
    with Session.open(target) as session:
        session.verify_digest()
        assert np.array_equal(session.audio("playback").read(), expected)
        room = session.audio("room").read()
        starts = np.flatnonzero((room == expected[0]).all(axis=1))
        at = next(s for s in starts if np.array_equal(room[s : s + 512], expected[:512]))
        # The room hears the music bit by bit, as long as it is listened to.
        heard = room[at : at + len(expected)]
        assert len(heard) > len(expected) - RATE_HZ // 2
        assert np.array_equal(heard, expected[: len(heard)])
