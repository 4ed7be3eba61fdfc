"""Each check of `affetti doctor`, where it passes and where it does not."""

import shutil
from pathlib import Path

import pytest

from affetti.core.settings import Settings, VideoSettings
from affetti.models import manifest
from affetti.recorder import doctor


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(sessions_folder=str(tmp_path / "sessions"))


def test_every_check_says_something_and_what_to_do_about_it(settings):
    found = list(doctor.examine(settings))
    assert len({check.name for check in found}) == len(doctor.CHECKS)
    assert all(check.message.endswith(".") for check in found)
    assert all(check.hint for check in found if check.status != "ok")


def test_a_folder_that_does_not_exist_yet_has_room(settings):
    check = doctor.sessions_folder(settings)
    assert check.status in {"ok", "warning"}
    assert "hours" in check.message
    assert not settings.folder.exists()


def test_a_folder_below_a_file_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    check = doctor.sessions_folder(Settings(sessions_folder=str(tmp_path / "file" / "sessions")))
    assert check.status == "error"


def test_a_larger_picture_leaves_less_time(tmp_path):
    small = doctor.recording_time_s(tmp_path, VideoSettings())
    large = doctor.recording_time_s(tmp_path, VideoSettings(width_px=1920, height_px=1080))
    assert 0 < large < small


def test_parts_of_a_crash_are_named(settings):
    settings.folder.mkdir()
    assert doctor.unsealed_recordings(settings).status == "ok"
    (settings.folder / "sub-P07.part001.h5").write_bytes(b"")
    check = doctor.unsealed_recordings(settings)
    assert check.status == "warning"
    assert "sub-P07.h5" in check.message


def test_models_are_verified(settings):
    assert doctor.models(settings).status == "ok"


def test_an_altered_model_is_an_error(settings, tmp_path, monkeypatch):
    zoo = tmp_path / "zoo"
    shutil.copytree(manifest.ZOO, zoo)
    for network in zoo.glob("*/*.onnx"):
        network.write_bytes(network.read_bytes() + b"!")
    monkeypatch.setattr(manifest, "ZOO", zoo)
    check = doctor.models(settings)
    assert check.status == "error"
    assert "not the one" in check.message


def test_a_device_of_the_settings_that_is_not_there_is_named():
    check = doctor.microphones(Settings(microphone="a microphone nobody has"))
    assert check.status == "warning"
