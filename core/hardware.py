"""Cameras and sound cards as each operating system knows them: names, places, serial numbers.

Linux says it in files, macOS and Windows by a program of theirs. Where a system cannot say which
number a camera has, that camera is not known by more than its number.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from affetti.core import system
from affetti.core.devices import Device

_PATIENCE_S: Final = 10.0
_MAC: Final = ("system_profiler", "SPCameraDataType", "-json")
_WINDOWS: Final = (
    "powershell",
    "-NoProfile",
    "-NonInteractive",
    "-Command",
    "Get-PnpDevice -PresentOnly -Class Camera,Image | "
    "Select-Object FriendlyName,InstanceId | ConvertTo-Json",
)

_VIDEO: Final = re.compile(r"video(\d{1,3})")

root = Path("/")  # of the file system in which Linux tells of its devices


def cameras() -> list[Device] | None:
    """Return the connected cameras with the numbers that OpenCV has for them.

    None where the system does not say which camera has which number.
    """
    match system.NAME:
        case "linux":
            return list(_linux_cameras())
        case "macos":
            return mac_cameras(_said(_MAC))
        case "windows":
            return windows_cameras(_said(_WINDOWS))
    return None


def sound_card(number: int) -> tuple[str, str]:
    """Return where a sound card is connected, and its serial number; each "" where unknown."""
    if system.NAME != "linux":
        return "", ""
    return _place(root / "sys" / "class" / "sound" / f"card{number}" / "device")


def mac_cameras(said: str) -> list[Device] | None:
    """Return the cameras of which macOS's `system_profiler` tells, in the order of OpenCV.

    That is the order of their unique names.
    """
    try:
        found = json.loads(said)["SPCameraDataType"]
        named = sorted((str(each["spcamera_unique-id"]), str(each["_name"])) for each in found)
    except (ValueError, KeyError, TypeError):
        return None
    return [
        Device(name=name, bus=unique, number=str(number))
        for number, (unique, name) in enumerate(named)
    ]


def windows_cameras(said: str) -> list[Device] | None:
    """Return the camera of which Windows tells, where there is one: of several it has no order."""
    try:
        found = json.loads(said) if said.strip() else []
        one = found if isinstance(found, list) else [found]
        named = [(str(each["FriendlyName"]), str(each["InstanceId"])) for each in one]
    except (ValueError, KeyError, TypeError):
        return None
    if len(named) > 1:
        return None
    return [Device(name=name, bus=place, number="0") for name, place in named]


def _linux_cameras() -> Iterator[Device]:
    folder = root / "sys" / "class" / "video4linux"
    matches = map(_VIDEO.fullmatch, _names(folder))
    numbered = [(int(found[1]), found[0]) for found in matches if found]
    for number, name in sorted(numbered):
        # A camera has a device for its metadata beside that for its frames, numbered after it.
        is_first = _text(folder / name / "index") in {"", "0"}
        if is_first and (root / "dev" / name).exists():
            bus, serial = _place(folder / name / "device")
            own_name = _text(folder / name / "name")
            yield Device(name=own_name, bus=bus, serial=serial, number=str(number))


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []


def _place(device: Path) -> tuple[str, str]:
    """Return where a device of Linux is connected, and its serial number."""
    try:
        place = device.resolve(strict=True)
        top = (root / "sys" / "devices").resolve()
        inside = place.relative_to(top)
    except (OSError, ValueError, RuntimeError):
        return "", ""
    above = [place, *list(place.parents)[: len(inside.parts) - 1]]
    serials = (_text(each / "serial") for each in above if (each / "idVendor").exists())
    return str(inside), next(filter(None, serials), "")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _said(command: tuple[str, ...]) -> str:
    """Return what a program of the system prints; "" where it does not."""
    return system.answer(command, _PATIENCE_S, heed_code=False) or ""
