"""What is connected to this machine."""

from affetti.core import hardware, system
from affetti.core.devices import Device
from affetti.core.errors import AffettiError, DeviceError
from affetti.recorder.sources.opencv import opencv
from affetti.recorder.sources.portaudio import device_names
from affetti.recorder.sources.soundcards import Direction

_PROBED = 10  # camera indexes


def cameras() -> tuple[str, ...]:
    """Return the indexes of the connected cameras, as text, without opening them on Linux."""
    if system.NAME == "linux":
        return tuple(camera.number for camera in known_cameras())
    return tuple(str(index) for index in range(_PROBED) if _opens(index))


def known_cameras() -> list[Device]:
    """Return the connected cameras as the system tells them apart; none where it does not."""
    return hardware.cameras() or []


def camera_named(name: str) -> int | None:
    """Return the index of the connected camera of that name; None where there is none.

    Raises
    ------
    AffettiError
        There are several: which one is meant, nobody could tell.
    """
    wanted = name.strip().casefold()
    found = [each for each in known_cameras() if each.name.casefold() == wanted] if wanted else []
    if len(found) > 1:
        numbers = ", ".join(each.number for each in found)
        raise DeviceError("camera.several_of_that_name", name=name.strip(), indexes=numbers)
    return int(found[0].number) if found else None


def microphones() -> tuple[str, ...]:
    """Return the names of the microphones; none where PortAudio is not installed."""
    return _names("input")


def speakers() -> tuple[str, ...]:
    """Return the names of the speakers; none where PortAudio is not installed."""
    return _names("output")


def _names(direction: Direction) -> tuple[str, ...]:
    try:
        return device_names(direction)
    except AffettiError:
        return ()


def _opens(index: int) -> bool:
    capture = opencv().VideoCapture(index)
    opened = bool(capture.isOpened())
    capture.release()
    return opened
