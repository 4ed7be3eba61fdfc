"""Which sound devices there are, and are now.

PortAudio looks for devices once, when it begins, and has to end and begin again to see others;
no stream may be open meanwhile. So what is there now is asked of a process of its own, which also
shows that beginning again does no harm: where a system's sound is broken, PortAudio ends the
process that it runs in.
"""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias

from affetti.core import hardware, system
from affetti.core.devices import Device
from affetti.core.errors import AffettiError, MissingPackage
from affetti.recorder.sources import listing

Direction: TypeAlias = Literal["input", "output"]

_ALSA_NUMBER: Final = re.compile(r"[: -]*\(hw:(\d+),(\d+)\)")
_PATIENCE_S: Final = 15.0
# Held by whoever opens, closes or asks: PortAudio is not begun again under anybody's feet.
lock = threading.RLock()


class Suspended(Protocol):
    """A stream that can be closed for a moment."""

    def suspend(self) -> bool:
        """Close it; False where it was not open."""
        ...

    def resume(self) -> None:
        """Open it again."""
        ...


_open: set[Suspended] = set()


@dataclass(frozen=True)
class Seen:
    """The devices of one direction that are there now.

    Attributes
    ----------
    devices
        Each of them.
    default
        The one that the system uses where none is named; None where there is none.
    """

    devices: tuple[Device, ...] = ()
    default: Device | None = None


def portaudio() -> Any:
    """Return the module `sounddevice`.

    Raises
    ------
    AffettiError
        The PortAudio library is not installed.
    """
    try:
        import sounddevice  # noqa: PLC0415  fails where the system has no PortAudio
    except OSError as error:
        raise MissingPackage("portaudio.sound_cards_cannot_used") from error
    return sounddevice


def known_here(direction: Direction) -> list[tuple[Device, int]]:
    """Return the devices that this process knows of, each with its index.

    Raises
    ------
    AffettiError
        PortAudio is not installed.
    """
    module = portaudio()
    with lock:
        listed = list(module.query_devices())
        apis = [api["name"] for api in module.query_hostapis()]
    return [(device, index) for index, device in _devices(listed, apis, direction)]


def device_at(index: int, direction: Direction) -> Device:
    """Return which device has an index of PortAudio's."""
    return next(device for device, at in known_here(direction) if at == index)


def seen_anew(direction: Direction, given_up: Callable[[], bool] = lambda: False) -> Seen | None:
    """Return the devices that are there now, by a look of another process; None where it fails.

    Parameters
    ----------
    direction
        Of the devices.
    given_up
        Whether nobody wants to know any more: then it is not waited for.
    """
    said = _look(given_up)
    if said is None:
        return None
    devices = dict(_devices(said["devices"], said["apis"], direction))
    default = said["default"][0 if direction == "input" else 1]
    return Seen(tuple(devices.values()), devices.get(default))


def look_again() -> None:
    """Let PortAudio look for devices again.

    Streams that are open are closed for a moment. To be called only after `seen_anew` succeeded.
    """
    module = portaudio()
    with lock:
        closed = [stream for stream in list(_open) if stream.suspend()]
        module._terminate()
        module._initialize()
        for stream in closed:
            stream.resume()


def refresh() -> None:
    """Look for devices again, as when somebody chooses one, if they are others than before."""
    if "sounddevice" not in sys.modules:
        return  # what is not begun will look when it begins
    said = _look()
    if said is None:
        return
    with lock:
        if said["devices"] != list(portaudio().query_devices()):
            look_again()


def remember(stream: Suspended) -> None:
    """Note that a stream is open."""
    with lock:
        _open.add(stream)


def forget(stream: Suspended) -> None:
    """Note that a stream is closed."""
    with lock:
        _open.discard(stream)


def _devices(
    listed: list[dict[str, Any]], apis: list[str], direction: Direction
) -> Iterable[tuple[int, Device]]:
    for index, found in enumerate(listed):
        if found[f"max_{direction}_channels"] > 0:
            yield index, _device(found, apis[found["hostapi"]], direction)


def _device(found: dict[str, Any], api: str, direction: Direction) -> Device:
    """Return which device it is of which PortAudio tells; ALSA's number is no part of its name."""
    name, place, serial, number = found["name"], "", "", ""
    if (numbered := _ALSA_NUMBER.search(name)) is not None:
        number = f"{numbered[1]},{numbered[2]}"
        name = name[: numbered.start()] + name[numbered.end() :]
        place, serial = hardware.sound_card(int(numbered[1]))
    return Device(
        name=name,
        bus=f"{api} {place}".strip(),
        serial=serial,
        number=number,
        rate_hz=float(found["default_samplerate"]),
        channels=int(found[f"max_{direction}_channels"]),
    )


def _look(given_up: Callable[[], bool] = lambda: False) -> dict[str, Any] | None:
    try:
        portaudio()
        command = [sys.executable, "-P", "-m", listing.__name__]
        said = system.answer(command, _PATIENCE_S, given_up=given_up) or ""
        line = next(each for each in said.splitlines() if each.startswith(listing.MARK))
        found: dict[str, Any] = json.loads(line.removeprefix(listing.MARK))
    except (AffettiError, OSError, StopIteration, ValueError):
        return None
    return found
