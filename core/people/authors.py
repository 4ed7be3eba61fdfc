"""Who writes annotations: random ids, told apart on this computer by a code that is no name."""

import os
from pathlib import Path
from typing import Final

import msgspec

from affetti.core.custody.artefacts import AUTHORS
from affetti.core.custody.temporary import replacing
from affetti.core.events.entries import new_id
from affetti.core.locations import remembered_folder
from affetti.core.people.person import checked_code
from affetti.core.place import is_readable_whole

OWN: Final = "own"  # whoever uses this computer, where nobody else is named


def author_id(code: str = OWN) -> str:
    """Return the id of an author: 32 hexadecimal digits, the same each time on this computer.

    Where nothing can be kept, a new one.

    Raises
    ------
    AffettiError
        The code holds anything but up to 32 ASCII letters and digits.
    """
    folder = remembered_folder()
    checked_code(code)
    if folder is None:
        return new_id()
    known = _known(folder / AUTHORS)
    if known is None:  # by whom it is, a file says that cannot be read: it stays
        return new_id()
    if code not in known:
        known[code] = new_id()
        _keep(folder / AUTHORS, known)
    return known[code]


def authors() -> dict[str, str]:
    """Return the codes of the authors that are known here, by their ids."""
    folder = remembered_folder()
    known = None if folder is None else _known(folder / AUTHORS)
    return {id: code for code, id in (known or {}).items()}


def _known(path: Path) -> dict[str, str] | None:
    """Return the ids by code; None where there is a file that does not tell them."""
    try:
        if not is_readable_whole(path):
            return None
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        return None


def _keep(path: Path, known: dict[str, str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as fd:
            os.write(fd, msgspec.json.encode(known))
    except OSError:
        return
