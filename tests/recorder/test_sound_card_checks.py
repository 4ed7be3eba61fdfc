"""Recordings made with a sound card and steered as therapists do have nothing wrong with them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.analyzer.checks import Importance, inspect
from affetti.core.recording.session import Session
from tests.recorder.card_session import SCRIPTS
from tests.recorder.films import moving_film
from tests.recorder.soundcard import RATE_HZ, VirtualSoundCard, require_packages

# A machine that is too slow for its sound card loses sound, and that is told.
LOSSES = ("sound-complete", "frames-kept")


@pytest.fixture(scope="module")
def card() -> Iterator[VirtualSoundCard]:
    require_packages()
    with VirtualSoundCard() as card:
        yield card


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film and two tracks."""
    folder = tmp_path_factory.mktemp("material")
    moving_film(folder / "film.avi", 30)
    for seed in range(2):
        sound = np.random.default_rng(seed).integers(-8000, 8000, (12 * RATE_HZ, 2))
        soundfile.write(folder / f"{seed}.flac", sound.astype(np.int16), RATE_HZ)
    return folder


@pytest.mark.campaign
@pytest.mark.parametrize("script", SCRIPTS)
def test_check_finds_nothing_in_a_healthy_recording(
    card: VirtualSoundCard, material: Path, tmp_path: Path, script: str
) -> None:
    target = tmp_path / "card.h5"
    program = Path(__file__).with_name("card_session.py")
    command = [sys.executable, str(program), str(target), script, str(material / "film.avi")]
    command += [card.speaker, card.microphone]
    command += [str(material / f"{number}.flac") for number in range(2)]
    done = subprocess.run(
        command, env=card.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [f for f in inspect(target) if f.importance is not Importance.NOTE]
    assert [f for f in found if f.rule not in LOSSES] == []
    with Session.open(target) as session:
        assert len(session.audio("room").blocks) > 50
        assert len(session.audio("playback").blocks) > 50
