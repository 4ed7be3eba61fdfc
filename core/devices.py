"""Which device it is: what tells a camera or a sound card from all others."""

from collections.abc import Sequence

import msgspec

from affetti.core.codes import Given


class Device(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A camera or a sound device, as far as the operating system and the device tell of it.

    Attributes
    ----------
    name
        As it calls itself; "" where nothing is known of it.
    bus
        Where it is connected, as the system calls the place.
    serial
        Of the device; many have none, and cheap ones all the same.
    number
        Under which it is reached at the moment: it is no part of what it is.
    width_px, height_px
        Of a camera's pictures.
    rate_hz, channels
        Of a sound device, as it is opened.
    """

    name: Given = ""
    bus: Given = ""
    serial: Given = ""
    number: Given = ""
    width_px: int | None = None
    height_px: int | None = None
    rate_hz: float | None = None
    channels: int | None = None

    @property
    def form(self) -> tuple[float | None, ...]:
        """What it delivers."""
        return (self.width_px, self.height_px, self.rate_hz, self.channels)

    def is_like(self, other: "Device") -> bool:
        """Whether the two call themselves the same."""
        return (self.name, self.serial) == (other.name, other.serial)


def recognised(known: Device, alone: bool, found: Sequence[Device]) -> Device | None:
    """Return the one of the devices found that is the one that was known; None where none is.

    It is the one of the same name and serial number in the same place. In another place it is
    only where there was no other of that name and number, and is none now: of two alike, nobody
    could tell which it is.

    Parameters
    ----------
    known
        The device.
    alone
        Whether no other was like it.
    found
        What is connected now.
    """
    alike = [each for each in found if each.is_like(known)]
    there = [each for each in alike if each.bus == known.bus]
    if there:
        return there[0]
    return alike[0] if alone and len(alike) == 1 else None


def is_alone(known: Device, found: Sequence[Device]) -> bool:
    """Whether there is one device at most, among those found, that is like the one known."""
    return sum(each.is_like(known) for each in found) <= 1
