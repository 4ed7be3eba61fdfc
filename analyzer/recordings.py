"""Which recordings are meant, without what analyzes them: that takes seconds to load."""

from collections.abc import Iterable
from pathlib import Path

from affetti.core.errors import FileMissing
from affetti.core.recording.names import lost_in, named, sealed_in, unsealed_in


def recordings_in(paths: Iterable[Path]) -> list[Path]:
    """Return the recordings named: files as they are, folders as the sealed ones inside and below.

    A file that is named twice, by whatever spelling, is one recording. A link that leads nowhere
    is among them: whatever is done to it says so.

    Raises
    ------
    AffettiError
        A folder holds none.
    """
    return named(paths, _inside)


def _inside(folder: Path) -> list[Path]:
    found = sealed_in(folder)
    lost = lost_in(folder)  # which say so, one by one, instead of being missed by nobody
    if not (found or lost):
        waiting = len(unsealed_in(folder))
        raise FileMissing("batch.unsealed" if waiting else "batch.no_recording", path=folder)
    return sorted([*found, *lost])
