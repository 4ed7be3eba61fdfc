"""A stretch is shown by the system's player, and nothing of it stays."""

import os
import shutil
from pathlib import Path

import av
import pytest

from affetti.analyzer.exports.stretch import opened_at
from affetti.core.custody.artefacts import COPY, beside
from affetti.core.errors import ExitCode
from tests.command_line import affetti

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the player is a script")


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A system's player that keeps what it was shown."""
    kept = tmp_path / "kept.mp4"
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("xdg-open", "open"):
        script = programs / name
        script.write_text(f'#!/bin/sh\n/bin/cp "$1" "{kept}"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return kept


@pytest.mark.campaign
def test_a_stretch_is_shown_and_its_film_removed(
    sample_session: Path, tmp_path: Path, player: Path
) -> None:
    recording = Path(shutil.copy(sample_session, tmp_path / "s.h5"))
    said = affetti("review", recording, "--open", "00:12-00:15", typed="\n")
    assert said.returncode == 0, said.stderr
    assert not opened_at(recording).exists()
    with av.open(player) as film:
        assert film.duration == pytest.approx(3 * av.time_base, abs=0.3 * av.time_base)
        assert [stream.type for stream in film.streams] == ["video", "audio"]
    assert [each.path for each in beside(recording)] == [recording]  # plain: nothing is noted


def test_what_a_power_cut_leaves_is_of_the_register(tmp_path: Path) -> None:
    recording = tmp_path / "sub-P07.h5"
    recording.touch()
    opened_at(recording).touch()
    assert COPY in [each.artefact for each in beside(recording)]


@pytest.mark.parametrize("words", ["soon", "00:20-00:10", "0-10000"])
def test_what_is_no_stretch_is_refused(sample_session: Path, player: Path, words: str) -> None:
    said = affetti("review", sample_session, "--open", words)
    assert said.returncode == ExitCode.USAGE
    assert "03:10-03:40" in said.stderr
    assert not player.exists()
