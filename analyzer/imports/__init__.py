"""What people labelled of a session in other programs: a module a format, one register of them.

The files come from elsewhere: their size is checked before they are read, XML with declarations
of its own is refused, and nothing in them is ever run.
"""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from affetti.core import place
from affetti.core.errors import UsageError
from affetti.core.labels import label
from affetti.core.settings import MIB

MAX_BYTES: Final = 64 * MIB
MAX_LABELS: Final = 200_000
MAX_S: Final = 7 * 24 * 3600.0
FORMATS: Final = {
    ".eaf": f"{__name__}.elan",
    ".textgrid": f"{__name__}.textgrid",
    ".csv": f"{__name__}.table",
    ".tsv": f"{__name__}.table",
}


@dataclass(frozen=True)
class Label:
    """What somebody said of a stretch; of a moment where both times are the same.

    Attributes
    ----------
    start_s, stop_s
        Of the film's or the sound's time that it was labelled on.
    text
        One line.
    tier
        The row, behaviour or rater that it belongs to; "" where a format has none.
    """

    start_s: float
    stop_s: float
    text: str
    tier: str = ""


def labels_in(path: Path, tier: str | None = None) -> list[Label]:
    """Return the labels in a file, in order of time, without empty ones.

    Parameters
    ----------
    path
        ELAN's .eaf, Praat's .TextGrid, BORIS's tabular events or any table with the columns
        start_s, stop_s and label as .csv or .tsv.
    tier
        Of which row alone.

    Raises
    ------
    AffettiError
        It cannot be read, is of no such format or too large, or has no such row.
    """
    module = FORMATS.get(path.suffix.lower())
    if module is None:
        raise UsageError("labels.format", path=path.name, known=", ".join(FORMATS))
    with place.told(path):
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_BYTES else b""
    if size > MAX_BYTES:
        raise UsageError("labels.too_large", path=path.name)
    try:
        found: list[Label] = import_module(module).parsed(data)
    except (ValueError, KeyError, LookupError) as error:
        raise UsageError("labels.unreadable", path=path.name, error=error) from error
    rows = dict.fromkeys(each.tier for each in found)
    if tier is not None and tier not in rows:
        raise UsageError("labels.no_tier", path=path.name, tier=tier, known=", ".join(rows))
    kept = [_checked(each, path) for each in found if tier in (None, each.tier)]
    if len(kept) > MAX_LABELS:
        raise UsageError("labels.too_large", path=path.name)
    return sorted((each for each in kept if each.text), key=lambda each: each.start_s)


def _checked(found: Label, path: Path) -> Label:
    if not 0 <= found.start_s <= found.stop_s <= MAX_S:
        raise UsageError("labels.time", path=path.name, start=found.start_s, stop=found.stop_s)
    return Label(found.start_s, found.stop_s, label(found.text), label(found.tier))
