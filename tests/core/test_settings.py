from pathlib import Path

import pytest

from affetti.core import settings
from affetti.core.errors import AffettiError, ExitCode, SettingsError
from affetti.core.language import named_in_settings


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


BOMBS = [
    "a = " + "9" * 5_000,
    "language = " + "[" * 100_000,
    ".".join(["language"] * 20_000) + " = 1",  # of which a parser would keep each beginning
    '[a."b"' + " . 'c'" * 20_000 + "]",
    "# language\n" + "#" * (1 << 20),
]


@pytest.mark.parametrize(
    "text", ["camra = 1", "camera = 7", "[video]\njpeg_quality = 101", "= =", *BOMBS]
)
def test_what_cannot_be_used_is_said_with_the_file(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text)
    with pytest.raises(AffettiError) as caught:
        settings.load(path)
    assert caught.value.code == ExitCode.SETTINGS
    assert str(path) in caught.value.message
    monkeypatch.setenv("AFFETTI_SETTINGS", str(path))
    assert named_in_settings() == ""


def test_settings_that_the_environment_names_and_that_are_not_there_are_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFETTI_SETTINGS", str(tmp_path / "nothing.toml"))
    with pytest.raises(AffettiError, match="AFFETTI_SETTINGS") as caught:
        settings.load()
    assert caught.value.code == ExitCode.SETTINGS


def test_settings_saved_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('camera = "1"\r\n', encoding="utf-8-sig")
    assert settings.load(path).camera == "1"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8"])
def test_settings_are_read_however_an_editor_saved_them(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes('camera = "Kamera für Ä"\r\n'.encode(encoding))
    assert settings.load(path).camera == "Kamera für Ä"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('camera = "ä"'.encode("cp1252"), "not saved as UTF-8"),
        (b"a=" + b"[" * 5000 + b"]" * 5000, "cannot be used"),
        (b'sessions_folder = "recordings"', "is another folder wherever"),
        (b'sessions_folder = " "', "is another folder wherever"),
    ],
)
def test_settings_that_mean_nothing_or_another_place_each_time_are_refused(
    tmp_path: Path, data: bytes, said: str
) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(data)
    with pytest.raises(SettingsError, match=said):
        settings.load(path)
