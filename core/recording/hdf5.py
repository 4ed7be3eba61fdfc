"""HDF5 files, opened so that neither locks nor the lack of them keep anybody from anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from affetti.core.recording.steady import SteadyFile


def to_read(path: Path) -> h5py.File:
    """Open a file for reading, without a lock.

    A sealed file is never written again, and the metadata of a part never changes: a lock would
    protect nothing, and there are shares that have none.
    """
    return h5py.File(path, "r", locking=False)


@contextmanager
def created(path: Path, **how: Any) -> Iterator[h5py.File]:
    """Create a file that is not there yet, which only its owner may read.

    The disk is made sure of when it is closed.

    Raises
    ------
    OSError
        It is there, or cannot be written.
    """
    with SteadyFile(path) as steady, h5py.File(steady, "w", **how) as file:
        yield file
