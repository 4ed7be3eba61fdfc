"""What is connected to this machine."""

import platform
from pathlib import Path

from affetti.core.errors import AffettiError
from affetti.recorder.sources.opencv import opencv
from affetti.recorder.sources.portaudio import Direction, device_names

_PROBED = 10  # camera indexes
_VIDEO4LINUX = Path("/sys/class/video4linux")


def cameras() -> tuple[str, ...]:
    """Return the indexes of the connected cameras, as text, without opening them on Linux."""
    if platform.system() == "Linux":
        return tuple(str(index) for index in range(_PROBED) if _is_linux_camera(index))
    return tuple(str(index) for index in range(_PROBED) if _opens(index))


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


def _is_linux_camera(index: int) -> bool:
    if not Path(f"/dev/video{index}").exists():
        return False
    try:
        # A camera has a device for its metadata beside that for its frames, numbered after it.
        return (_VIDEO4LINUX / f"video{index}" / "index").read_text().strip() == "0"
    except OSError:
        return True


def _opens(index: int) -> bool:
    capture = opencv().VideoCapture(index)
    opened = bool(capture.isOpened())
    capture.release()
    return opened
