from pathlib import Path

import pytest

from affetti.core import settings
from affetti.core.errors import AffettiError, ExitCode


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "none.toml") == settings.Settings()


def test_the_file_is_found_where_the_environment_says(tmp_path: Path) -> None:
    assert settings.load().folder == tmp_path


def test_values_are_read(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('camera = "1"\n[video]\nframes_per_s = 60\n')
    loaded = settings.load(path)
    assert loaded.camera == "1"
    assert loaded.video.frames_per_s == 60


@pytest.mark.parametrize("text", ["camra = 1", "camera = 7", "[video]\njpeg_quality = 101", "= ="])
def test_what_cannot_be_used_is_said_with_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(AffettiError) as caught:
        settings.load(path)
    assert caught.value.code == ExitCode.SETTINGS
    assert str(path) in caught.value.message
