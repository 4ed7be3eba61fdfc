"""Pages that tell of a session or of a person, found by what is in them.

A page may be called anything: in any form it names the session that it is of, and those that it
rests on.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from affetti.core.custody import boxes, exports
from affetti.core.custody.artefacts import ENCRYPTED_SUFFIX, PAGE_FORMS, pages_in
from affetti.core.custody.temporary import is_regular
from affetti.core.errors import AffettiError

_MARK: Final = re.compile(rb"affetti-(?:session|rests-on)\b")
_MAX_BYTES: Final = 64 << 20  # no page is longer


def telling_of(recording: Path, session_id: str) -> list[Path]:
    """Return the pages that tell of a session, its own among them.

    They are looked for beside the recording under any name, in the folders above it under the
    names that pages have, and below or above it wherever one was noted to be written. What lies
    elsewhere is the affair of whoever put it there: it stands in what was noted.
    """
    found = dict.fromkeys((*pages_in(recording.parent, any_name=True), *_above(recording)))
    found |= dict.fromkeys(_noted(recording))
    return [page for page in found if tells_of(page, session_id)]


def tells_of(page: Path, subject: str) -> bool:
    """Whether a file is a page that tells of a session, by its id, or of `progress-PERSON`."""
    try:
        if not is_regular(page) or page.stat().st_size > _MAX_BYTES:
            return False
        data = boxes.read(page)
    except (OSError, AffettiError):  # it is gone, or for somebody else's vault
        return False
    named = re.compile(re.escape(subject.encode()) + rb"(?![A-Za-z0-9])")
    return _MARK.search(data) is not None and named.search(data) is not None


def _above(recording: Path) -> Iterator[Path]:
    for place in recording.absolute().parents:
        yield from pages_in(place)


def _noted(recording: Path) -> Iterator[Path]:
    copies, _ = exports.legible(recording)
    places = recording.absolute().parents
    for copy in copies:
        target = Path(copy.target)
        name = target.name.lower().removesuffix(ENCRYPTED_SUFFIX)
        if name.endswith(PAGE_FORMS) and (
            target.is_relative_to(places[0]) or target.parent in places
        ):
            yield target
