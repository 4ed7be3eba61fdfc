"""HDF5 files, opened so that neither locks nor the lack of them keep anybody from anything."""

import os
from pathlib import Path
from typing import Any

import h5py

from affetti.core import place


def to_read(path: Path) -> h5py.File:
    """Open a file for reading, without a lock.

    A sealed file is never written again, and the metadata of a part never changes: a lock would
    protect nothing, and there are shares that have none.
    """
    return h5py.File(path, "r", locking=False)


def created(path: Path, **how: Any) -> h5py.File:
    """Create a file that is not there yet, which only its owner may read.

    It is locked where files can be locked.

    Raises
    ------
    OSError
        It is there, or cannot be written.
    """
    file = _created(path, **how)
    path.chmod(0o600)  # before anything is in it
    return file


def _created(path: Path, **how: Any) -> h5py.File:
    try:
        return h5py.File(path, "x", **how)
    except FileExistsError:
        raise
    except OSError as error:
        if place.kind_of(error) != "no_locks":
            raise
    if os.path.lexists(path) and not os.path.getsize(path):
        path.unlink()  # which HDF5 made before it found that it cannot lock it
    return h5py.File(path, "x", locking=False, **how)
