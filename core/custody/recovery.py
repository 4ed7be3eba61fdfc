"""Recordings that were never sealed, found and sealed."""

from collections.abc import Iterable
from pathlib import Path

from affetti.core.errors import FileMissing, UsageError
from affetti.core.recording.names import is_part, parts_of, target_of, unsealed_in


def unsealed(paths: Iterable[Path]) -> list[Path]:
    """Return the recordings to seal, as their sealed paths.

    Parameters
    ----------
    paths
        Folders, whose unsealed recordings are all meant; recordings; or parts of one.

    Raises
    ------
    AffettiError
        A file is sealed already, or is neither a recording nor a part.
    """
    found: list[Path] = []
    for path in paths:
        found += unsealed_in(path) if path.is_dir() else [_target(path)]
    return list(dict.fromkeys(found))


def _target(path: Path) -> Path:
    # A sealed recording that is merely named like a part means itself.
    meant = target_of(path) if is_part(path) or not path.exists() else path
    for target in (path, meant):
        if parts_of(target):
            return target
    if path.exists():
        raise UsageError("recovery.no_parts_wait_sealed", path=path.name)
    raise FileMissing("recovery.not_exist_no_parts", path=path)
