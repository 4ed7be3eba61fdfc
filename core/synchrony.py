"""How late pictures are against sound, as it was measured for a camera and a microphone.

It is kept for the two devices in the user's own folder, and goes into each recording that is made
with them; nothing of a person is in it.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from affetti.core import locations
from affetti.core.clock import NS_PER_S
from affetti.core.codes import WallClock
from affetti.core.custody.artefacts import SYNCHRONY
from affetti.core.custody.temporary import replacing
from affetti.core.devices import Device
from affetti.core.events.base import Count, Real
from affetti.core.streams import CAMERA, ROOM, Stream

MAX_LATE_NS: Final = 2 * NS_PER_S
_MAX_KEPT: Final = 200
_MAX_BYTES: Final = 1 << 20


class Synchrony(msgspec.Struct, frozen=True, kw_only=True):
    """By how much the stamps of pictures are later than those of the sound of the same moment.

    Attributes
    ----------
    late_ns
        Positive where the picture is stamped late. Stamps stay as they came: whoever sets
        pictures beside sound takes this from those of the pictures.
    spread_ns
        How far off that may be, either way.
    pairs
        Flashes with their beeps that it was measured from.
    measured
        When, ISO 8601 with offset.
    age_s
        How long before the recording that was.
    """

    late_ns: Annotated[int, Meta(ge=-MAX_LATE_NS, le=MAX_LATE_NS)]
    spread_ns: Annotated[int, Meta(ge=0, le=MAX_LATE_NS)]
    pairs: Count
    measured: WallClock
    age_s: Real = 0.0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of two devices."""

    camera: Device
    microphone: Device
    synchrony: Synchrony


def late_ns(synchrony: Synchrony | None) -> int:
    """Return what is to be taken from the stamps of pictures; 0 where nothing was measured."""
    return 0 if synchrony is None else synchrony.late_ns


def devices_of(streams: Iterable[Stream]) -> tuple[Device, Device] | None:
    """Return the camera and the microphone that streams come from; None without both."""
    by_name = {stream.name: stream.device for stream in streams}
    camera, microphone = by_name.get(CAMERA), by_name.get(ROOM)
    if camera is None or microphone is None or not (camera.name and microphone.name):
        return None
    return camera, microphone


def measured_of(streams: Iterable[Stream], now: datetime) -> Synchrony | None:
    """Return what was measured of the devices of a recording that begins; None: nothing was.

    It is of those devices, and of the form that the camera had.
    """
    devices = devices_of(streams)
    if devices is None:
        return None
    found = [each.synchrony for each in kept() if _is_of(each, *devices)]
    if not found:
        return None
    latest = max(found, key=lambda each: datetime.fromisoformat(each.measured))
    age_s = (now - datetime.fromisoformat(latest.measured)).total_seconds()
    return msgspec.structs.replace(latest, age_s=max(0.0, age_s))


def keep(camera: Device, microphone: Device, synchrony: Synchrony) -> Path | None:
    """Keep what was measured of two devices, in place of what was; None: there is no place.

    Raises
    ------
    OSError
        It cannot be written.
    """
    path = _file()
    if path is None:
        return None
    others = [each for each in kept() if not _is_of(each, camera, microphone)]
    new = Kept(camera=camera, microphone=microphone, synchrony=synchrony)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(path) as fd:
        os.write(fd, msgspec.json.encode([*others, new][-_MAX_KEPT:]))
    return path


def kept() -> list[Kept]:
    """Return all that was measured; nothing where that cannot be read."""
    path = _file()
    with suppress(OSError, msgspec.DecodeError, ValueError):
        if path is not None:
            with path.open("rb") as file:
                found = msgspec.json.decode(file.read(_MAX_BYTES), type=list[Kept])
            for each in found:
                datetime.fromisoformat(each.synchrony.measured)
            return found
    return []


def milliseconds(t_ns: int) -> float:
    """Return nanoseconds as milliseconds."""
    return t_ns / (NS_PER_S / 1000)


def _file() -> Path | None:
    folder = locations.data_folder()
    return folder and folder / SYNCHRONY


def _is_of(each: Kept, camera: Device, microphone: Device) -> bool:
    pairs = ((each.camera, camera), (each.microphone, microphone))
    same = all(ours.is_like(theirs) and ours.bus == theirs.bus for ours, theirs in pairs)
    return same and each.camera.form == camera.form
