"""The design of a study: which session belongs to which condition, from a CSV file."""

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from affetti.core.custody.artefacts import RECORDED
from affetti.core.errors import FileMissing, UsageError
from affetti.core.labels import label
from affetti.core.language import text
from affetti.core.letters import decoded, named_separator

SESSION: Final = "session"
PERSON: Final = "person"
_SEPARATORS: Final = (",", ";", "\t")


@dataclass(frozen=True)
class Design:
    """What a design file says.

    Attributes
    ----------
    columns
        Its headings without `session`, in order; a column `person` names persons anew.
    rows
        By session, an id or a file name without its suffix, what stands in those columns.
    """

    columns: tuple[str, ...] = ()
    rows: dict[str, dict[str, str]] | None = None  # None: there is no design, all belong to it

    def labels_of(self, session_id: str, name: str) -> dict[str, str] | None:
        """Return what is said of a session; None where it is not in the design."""
        if self.rows is None:
            return {}
        return self.rows.get(session_id, self.rows.get(key_of(name)))


def read_design(path: Path) -> Design:
    """Read a design: CSV as a spreadsheet writes it, with a column `session`.

    It is separated by commas, semicolons or tabs.

    Raises
    ------
    AffettiError
        It cannot be read, has no column `session`, names one session twice or none in a line, or
        says something that stands under no heading.
    """
    try:
        written = decoded(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise FileMissing("group.design_unreadable", path=path, error=_why(error)) from error
    named, table = named_separator(written)
    first = next((line for line in table.splitlines() if line.strip()), "")
    separator = named or max(_SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(table, newline=""), delimiter=separator)
    filled = [cells for each in lines if any(cells := [label(cell).strip() for cell in each])]
    headings = _headings(filled[0] if filled else [])
    if SESSION not in headings or len(set(headings)) < len(headings):
        raise UsageError("group.design_headings", path=path.name)
    rows: dict[str, dict[str, str]] = {}
    for cells in filled[1:]:
        if any(cells[len(headings) :]):
            raise UsageError("group.design_beyond", path=path.name, line=separator.join(cells))
        said = dict(zip(headings, cells, strict=False))
        session = key_of(said.pop(SESSION, ""))
        if not session:
            line = separator.join(cells)
            raise UsageError("group.design_nameless", path=path.name, line=line)
        if session in rows:
            raise UsageError("group.design_twice", path=path.name, session=session)
        rows[session] = said
    return Design(tuple(name for name in headings if name != SESSION), rows)


def _why(error: OSError | UnicodeDecodeError) -> str | None:
    return text("playlist.wrong.letters") if isinstance(error, UnicodeError) else error.strerror


def _headings(cells: Sequence[str]) -> list[str]:
    """Return headings without the empty ones that a spreadsheet leaves at the end.

    It also begins a word with a capital letter; what two of the columns mean stays known.
    """
    count = max((i for i, cell in enumerate(cells, start=1) if cell), default=0)
    known = {name.capitalize(): name for name in (SESSION, PERSON)}
    return [known.get(cell, cell) for cell in cells[:count]]


def key_of(session: str) -> str:
    """Return what a session is looked up by: file systems write an umlaut in two ways."""
    suffix = Path(session).suffix
    name = session.removesuffix(suffix) if suffix.lower() in RECORDED else session
    return unicodedata.normalize("NFC", name)
