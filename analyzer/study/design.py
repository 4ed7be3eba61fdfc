"""The design of a study: which session belongs to which condition, from a CSV file."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from affetti.core.errors import FileMissing, UsageError
from affetti.core.labels import label

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
        return self.rows.get(session_id) or self.rows.get(name)


def read_design(path: Path) -> Design:
    """Read a design: CSV in UTF-8, separated by commas, semicolons or tabs, with `session`.

    Raises
    ------
    AffettiError
        It cannot be read, has no column `session`, or names one session twice.
    """
    try:
        written = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise FileMissing("group.design_unreadable", path=path, error=error.strerror) from error
    first = next((line for line in written.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(written, newline=""), delimiter=separator)
    filled = [cells for cells in lines if any(cell.strip() for cell in cells)]
    headings = [label(cell).strip() for cell in filled[0]] if filled else []
    if SESSION not in headings or len(set(headings)) < len(headings):
        raise UsageError("group.design_headings", path=path.name)
    rows: dict[str, dict[str, str]] = {}
    for cells in filled[1:]:
        said = dict(zip(headings, (label(cell).strip() for cell in cells), strict=False))
        session = said.pop(SESSION, "").removesuffix(".h5")
        if session in rows:
            raise UsageError("group.design_twice", path=path.name, session=session)
        rows[session] = said
    return Design(tuple(name for name in headings if name != SESSION), rows)
