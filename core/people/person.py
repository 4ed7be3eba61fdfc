"""The pseudonym of a person, and the file name that carries it."""

import os
import re
import secrets
from datetime import datetime
from pathlib import Path
from typing import Final

from affetti.core.errors import FileExists, PersonCodeError

UNNAMED: Final = "anon"  # who is recorded without being named
_CODE = re.compile(r"[A-Za-z0-9]{1,32}")


def checked_code(code: str) -> str:
    """Return `code` if it may stand in a file name.

    Raises
    ------
    AffettiError
        It holds anything but up to 32 ASCII letters and digits.
    """
    if not _CODE.fullmatch(code):
        raise PersonCodeError("person.persons_code_cannot_used", code=code)
    return code


def session_file_name(code: str, wall_clock: datetime) -> str:
    """Return `sub-CODE_ses-YYYYMMDDTHHMMSS.h5` in the manner of BIDS, in local time.

    In the hour that clocks go back over, the second time, a `b` stands behind the time.
    """
    again = "b" if _is_second_time(wall_clock) else ""
    return f"sub-{checked_code(code)}_ses-{wall_clock:%Y%m%dT%H%M%S}{again}.h5"


def coded_file_name() -> str:
    """Return a name for an encrypted recording that says neither of whom it is nor when."""
    return f"ses-{secrets.token_hex(8)}.h5"


def _is_second_time(wall_clock: datetime) -> bool:
    """Whether the clocks on the wall have shown this time before."""
    shown = wall_clock.replace(tzinfo=None)
    first, second = (shown.replace(fold=fold).astimezone() for fold in (0, 1))
    offset = wall_clock.utcoffset()
    return first.utcoffset() != second.utcoffset() and offset == second.utcoffset()


def refuse_existing(path: Path) -> None:
    """Raise an error if `path` exists: nothing is ever overwritten."""
    if os.path.lexists(path):
        raise FileExists("person.exists_already", path=path)
