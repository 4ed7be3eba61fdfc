"""HDF5 files, opened so that neither locks nor the lack of them keep anybody from anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import h5py

from affetti.core.custody.keys import DataKey
from affetti.core.recording.box import BoxReader, BoxWriter, is_box
from affetti.core.recording.steady import SteadyFile

_START: Final = b"\x89HDF\r\n\x1a\n\0"  # the signature, and the version of the superblock


class _Boxed(h5py.File):  # type: ignore[misc]
    """An HDF5 file that lies in an encrypted one."""

    def __init__(self, box: BoxReader) -> None:
        self.box = box
        super().__init__(box, "r")

    def close(self) -> None:
        super().close()
        self.box.close()


def to_read(path: Path) -> h5py.File:
    """Open a file for reading, without a lock, be it encrypted.

    A sealed file is never written again, and the metadata of a part never changes: a lock would
    protect nothing, and there are shares that have none.

    Raises
    ------
    OSError
        HDF5 cannot read it, or it has more of HDF5 than we ever wrote.
    """
    if not is_box(path):
        with path.open("rb") as file:
            _refuse_later(file.read(len(_START)))
        return h5py.File(path, "r", locking=False)
    box = BoxReader(path)
    try:
        _refuse_later(box.read(len(_START)))
        box.seek(0)
        return _Boxed(box)
    except BaseException:
        box.close()
        raise


def _refuse_later(start: bytes) -> None:
    """Refuse a file whose superblock is of a later version than ours: it may have extensions.

    They are what faults of HDF5's own readers are mostly in: lists of shared messages
    (CVE-2026-17572), sections of free space, images of the cache.
    """
    if start[: len(_START) - 1] == _START[:-1] and start != _START:
        raise OSError("the superblock is of a later version")


def key_of(file: h5py.File) -> DataKey | None:
    """Return what a file that is open for reading is encrypted with; None: it is not."""
    return file.box.key if isinstance(file, _Boxed) else None


def new(path: Path, key: DataKey | None) -> SteadyFile | BoxWriter:
    """Return a new file for `h5py.File` to write into, encrypted where there is a key."""
    return SteadyFile(path) if key is None else BoxWriter(path, key)


@contextmanager
def created(path: Path, key: DataKey | None = None, **how: Any) -> Iterator[h5py.File]:
    """Create a file that is not there yet, which only its owner may read.

    The disk is made sure of when it is closed. With a key it is encrypted.

    Raises
    ------
    OSError
        It is there, or cannot be written.
    """
    with new(path, key) as steady, h5py.File(steady, "w", **how) as file:
        yield file
