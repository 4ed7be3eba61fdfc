"""Cameras without a camera: what Linux tells of them, and an OpenCV that opens them."""

import shutil
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from affetti.core import hardware, system


class Cameras:
    """Cameras that are plugged in and pulled out; each delivers pictures of a colour of its own.

    Parameters
    ----------
    root
        The folder that stands for the root of the file system.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._colours: dict[int, int] = {}
        self._heights_px: dict[int, int] = {}
        (root / "sys" / "class" / "video4linux").mkdir(parents=True)
        (root / "dev").mkdir()

    def plug_in(
        self,
        number: int,
        name: str,
        port: str = "1-1",
        serial: str = "",
        grey: int = 50,
        *,
        height_px: int = 120,
    ) -> None:
        usb = self.root / "sys" / "devices" / "pci0000:00" / "usb1" / port
        interface = usb / f"{port}:1.0"
        interface.mkdir(parents=True, exist_ok=True)
        (usb / "idVendor").write_text("046d\n")
        if serial:
            (usb / "serial").write_text(f"{serial}\n")
        for index, suffix in enumerate((number, number + 1)):  # pictures, and their metadata
            entry = self.root / "sys" / "class" / "video4linux" / f"video{suffix}"
            entry.mkdir()
            (entry / "name").write_text(f"{name}\n")
            (entry / "index").write_text(f"{index}\n")
            (entry / "device").symlink_to(interface)
            (self.root / "dev" / f"video{suffix}").touch()
        self._colours[number], self._heights_px[number] = grey, height_px

    def pull_out(self, number: int) -> None:
        self._colours.pop(number)
        for suffix in (number, number + 1):
            entry = self.root / "sys" / "class" / "video4linux" / f"video{suffix}"
            shutil.rmtree((entry / "device").resolve().parent, ignore_errors=True)
            shutil.rmtree(entry)
            (self.root / "dev" / f"video{suffix}").unlink()

    def picture(self, number: int) -> np.ndarray[Any, Any] | None:
        grey = self._colours.get(number)
        size = (self._heights_px.get(number, 120), 160, 3)
        return None if grey is None else np.full(size, grey, np.uint8)


@pytest.fixture
def cameras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cameras:
    """Cameras that Affetti finds and opens instead of those of the machine."""
    found = Cameras(tmp_path / "machine")
    monkeypatch.setattr(hardware, "root", found.root)
    monkeypatch.setattr(system, "NAME", "linux")

    class Capture:
        def __init__(self, number: int, api: int) -> None:
            self._number = number
            self._waiting = threading.Event()
            self._colour = found.picture(number)

        def set(self, what: int, value: float) -> None: ...

        def release(self) -> None: ...

        def grab(self) -> bool:
            self._waiting.wait(0.01)
            now = found.picture(self._number)
            same = now is not None and self._colour is not None
            return same and bool(np.array_equal(now, self._colour))

        def retrieve(self) -> tuple[bool, Any]:
            return self._colour is not None, self._colour

        def read(self) -> tuple[bool, Any]:
            return self.retrieve() if self.grab() else (False, None)

    monkeypatch.setattr(cv2, "VideoCapture", Capture)
    return found
