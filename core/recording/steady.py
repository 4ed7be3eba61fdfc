"""A file that HDF5 writes into and that never fails it: where a write fails is told afterwards.

HDF5 that meets a full disk leaves objects which it cannot close, and with them ends the whole
process, at its exit or at the next file. So it hears of no failure. Whoever gave it the file asks
for `error` as often as there is something to stop, and is told at the end in any case.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from affetti.core import system


class Positioned:
    """A file by its place: what `h5py` asks for beside reading and writing."""

    _at: int  # where the next byte goes or comes from
    _end: int

    def tell(self) -> int:
        """Return where the next byte goes or comes from."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        self._at = begin + offset
        return self._at


class SteadyFile(Positioned):
    """A new file, locked, that only its owner may read, for `h5py.File(file, "w")`.

    Use it in a `with` block. Leaving that without an exception makes sure of the disk, and
    raises what went wrong.

    Parameters
    ----------
    path
        Where nothing may be yet.

    Attributes
    ----------
    error
        The first failure of a write; None so far.

    Raises
    ------
    OSError
        The file cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._fd = system.open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with suppress(OSError):  # it only tells others that the file is being written
            system.lock(self._fd)
        self._at = self._end = 0
        self.error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._attempt(lambda: os.fsync(self._fd))
                self.raise_error()
        finally:
            os.close(self._fd)

    def raise_error(self) -> None:
        """Raise what went wrong so far, if anything did.

        Raises
        ------
        OSError
            A write failed.
        """
        if self.error is not None:
            raise self.error

    def write(self, data: memoryview) -> int:
        """Write bytes, or remember that they could not be written."""
        self._attempt(lambda: system.write_at(self._fd, data, self._at))
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def read(self, size: int) -> bytes:
        """Read bytes: h5py knows a file by this, and asks for `readinto`."""
        data = bytearray(size)
        self.readinto(memoryview(data))
        return bytes(data)

    def readinto(self, buffer: memoryview) -> int:
        """Read bytes; zeros where none could be written."""
        data = system.read_at(self._fd, len(buffer), self._at)
        buffer[: len(data)] = data
        buffer[len(data) :] = bytes(len(buffer) - len(data))
        self._at += len(buffer)
        return len(buffer)

    def truncate(self, size: int | None = None) -> int:
        """Give the file a length."""
        self._end = self._at if size is None else size
        self._attempt(lambda: os.ftruncate(self._fd, self._end))
        return self._end

    def flush(self) -> None:
        """Nothing waits here."""

    def _attempt(self, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self.error = self.error or error
