"""Recordings that were never sealed, found and sealed."""

import os
from collections.abc import Iterable
from pathlib import Path

from affetti.core import logbook
from affetti.core.errors import AffettiError, FileMissing, UsageError
from affetti.core.recording.names import is_part, one_of_each, parts_of, target_of, unsealed_in
from affetti.core.recording.sealing import Progress, SealReport, discard_blank, seal


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
        found += unsealed_in(path) if os.path.isdir(path) else [_target(path)]
    return one_of_each(found)


def sealed(target: Path, progress: Progress | None = None) -> SealReport | None:
    """Seal one recording among others; whatever goes wrong costs only its own result.

    Returns
    -------
    None where a start left parts and never came to its first event; they are put away.

    Raises
    ------
    AffettiError
        It cannot be sealed.
    """
    try:
        return None if discard_blank(target) else seal(target, progress)
    except AffettiError:
        raise
    except Exception as error:
        logbook.note("not foreseen while sealing", error)
        kind = type(error).__name__
        raise AffettiError("recovery.unforeseen", name=target.name, kind=kind) from error


def _target(path: Path) -> Path:
    # A sealed recording that is merely named like a part means itself.
    meant = target_of(path) if is_part(path) or not os.path.exists(path) else path
    for target in (path, meant):
        if parts_of(target):
            return target
    if os.path.exists(path):
        raise UsageError("recovery.no_parts_wait_sealed", path=path.name)
    raise FileMissing("recovery.not_exist_no_parts", path=path)
