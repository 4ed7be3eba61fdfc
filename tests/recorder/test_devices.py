"""What is connected; on a machine with nothing, nothing."""

import subprocess
import sys

from affetti.recorder.sources import devices
from tests.recorder.soundcard import VirtualSoundCard, require_packages


def test_cameras_are_indexes_as_text():
    assert all(name.isdecimal() for name in devices.cameras())


def test_sound_devices_are_listed_by_name():
    require_packages()
    program = (
        "from affetti.recorder.sources import devices as d; print(d.microphones(), d.speakers())"
    )
    with VirtualSoundCard() as card:
        listed = subprocess.run(
            [sys.executable, "-c", program],
            env=card.environment,
            capture_output=True,
            text=True,
            check=True,
        )
    assert card.microphone in listed.stdout
    assert card.speaker in listed.stdout
    assert listed.stderr == ""


def test_without_portaudio_there_are_no_sound_devices_and_the_package_is_named():
    program = """
import ctypes.util
ctypes.util.find_library = lambda name: None
from affetti.core.errors import AffettiError
from affetti.recorder.sources import devices
from affetti.recorder.sources.microphone import open_microphone
print(devices.microphones(), devices.speakers())
try:
    open_microphone("").open()
except AffettiError as error:
    print(error.code.name, error.hint)
"""
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("() ()\nMISSING_PACKAGE")
    assert "libportaudio2" in said.stdout
