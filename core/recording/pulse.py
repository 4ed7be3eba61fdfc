"""The sign of life of a running log: until when it recorded, whatever became of it afterwards.

A log that broke off cannot know what it did not write. So its first part says ten times a second
that it is alive, in session time, beside the records and without waiting for them: a disk that is
slow holds back neither. What is missing at the end is then what lies between the last record and
the last beat, and no file's date and no wall clock is asked.

A machine that stops loses what its disk had not taken yet, of the beats too. So a beat also names
the start of the machine, and tells only where that is still the present one.
"""

import os
import threading
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from affetti.core import system
from affetti.core.clock import NS_PER_S

BEAT: Final = np.dtype(
    [
        ("t_ns", "<i8"),  # session time
        ("late_ns", "<i8"),  # the longest that a beat came late so far
        ("boot", "u1", (16,)),  # which start of the machine
        ("check", "<u4"),  # CRC-32 of all before it
    ]
)
PERIOD_S: Final = 0.1
# From the last beat to the end of a process, with all that a moment before was under way. A busy
# machine lets a whole process stand still, for .8 s once; one that is killed then cannot say so.
_IN_FLIGHT_S: Final = PERIOD_S + 0.9


def packed(t_ns: int, late_ns: int, boot: bytes) -> bytes:
    """Return a beat as it is stored."""
    row = np.zeros((), BEAT)
    row["t_ns"], row["late_ns"], row["boot"] = t_ns, late_ns, np.frombuffer(boot, np.uint8)
    row["check"] = zlib.crc32(row.tobytes()[:-4])
    return bytes(row.tobytes())


def unrecorded_s(beat: bytes, end_ns: int) -> float | None:
    """Return how much is missing behind the last record at most, in seconds.

    Parameters
    ----------
    beat
        As it was stored.
    end_ns
        Session time of the last record.

    That holds where the process had its turn in the last second of its life. Who stops one for
    longer and then kills it has also seen to it that nothing was captured meanwhile.

    Returns
    -------
    None where the beat does not say: there is none, or the machine was started since.
    """
    if len(beat) != BEAT.itemsize:
        return None
    row: Any = np.frombuffer(beat, BEAT)[0]
    boot = row["boot"].tobytes()
    if zlib.crc32(beat[:-4]) != row["check"] or not any(boot) or boot != system.boot_id():
        return None
    late_s = max(0, int(row["late_ns"])) / NS_PER_S
    return max(0, int(row["t_ns"]) - end_ns) / NS_PER_S + late_s + _IN_FLIGHT_S


class Pulse:
    """Beats into a file, from a thread of its own, until it is closed.

    Parameters
    ----------
    path
        The file, which is there.
    at
        The place of the beat in it.
    now_ns
        The session clock.
    """

    def __init__(self, path: Path, at: int, now_ns: Callable[[], int]) -> None:
        self._fd = system.open_file(path, os.O_RDWR)
        self._at = at
        self._now_ns = now_ns
        self._boot = system.boot_id()
        self._late_ns = 0
        self._closing = threading.Event()
        self._beat()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Beat a last time."""
        self._closing.set()
        self._thread.join()
        try:
            self._beat()
        finally:
            os.close(self._fd)

    def _run(self) -> None:
        due = time.monotonic() + PERIOD_S
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            late = time.monotonic() - due
            self._late_ns = max(self._late_ns, round(late * NS_PER_S))
            self._beat()
            due = time.monotonic() + PERIOD_S

    def _beat(self) -> None:
        with suppress(OSError):  # the log itself finds out and tells
            system.write_at(self._fd, packed(self._now_ns(), self._late_ns, self._boot), self._at)
