"""HDF5 files, opened so that neither locks nor the lack of them keep anybody from anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from affetti.core.custody.keys import DataKey
from affetti.core.recording.box import BoxReader, BoxWriter, is_box
from affetti.core.recording.steady import SteadyFile


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
    """
    if not is_box(path):
        return h5py.File(path, "r", locking=False)
    box = BoxReader(path)
    try:
        return _Boxed(box)
    except BaseException:
        box.close()
        raise


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
