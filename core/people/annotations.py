"""Notes, ratings and labels that are made of a recording afterwards, and lie beside it.

They are an append-only log of entries, a JSON object a line, in `NAME.annotations.jsonl`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec

from affetti.core import place
from affetti.core.codes import Digest, Given
from affetti.core.custody import boxes
from affetti.core.custody.keys import DataKey
from affetti.core.events.base import field
from affetti.core.events.entries import Entry, Retracted
from affetti.core.people import lines


class Annotation(Entry, frozen=True, kw_only=True, tag=True):
    """Something said of an event of a session, or of a stretch of it."""

    session_id: Annotated[Digest, field("32 hexadecimal digits")]
    seq: Annotated[int | None, field("the event that it is of; None: a stretch")] = None
    start_ns: Annotated[int | None, field("begin of the stretch", "nanoseconds")] = None
    stop_ns: Annotated[int | None, field("its end, exclusive", "nanoseconds")] = None
    label: Annotated[Given, field("a word from a list, such as that of a coding scheme")] = ""
    text: Annotated[Given, field("as it was written")] = ""
    values: Annotated[dict[Given, float], field("ratings, by name")] = msgspec.field(
        default_factory=dict
    )
    blind: Annotated[bool, field("whether it was made with no estimate in sight")] = False

    def __post_init__(self) -> None:
        stretch = self.start_ns is not None and self.stop_ns is not None
        whole = stretch and self.start_ns <= self.stop_ns  # type: ignore[operator]
        if (self.seq is None) == (self.start_ns is None) or (self.seq is None and not whole):
            raise ValueError("an annotation is of one event, or of a stretch from start to stop")


AnyEntry: TypeAlias = Annotation | Retracted

# What the review calls what is added in it; any other label is a word from a list.
MARKER: Final = "marker"
NOTE: Final = "note"
REMEMBER: Final = "remember"
RATING: Final = "rating"
CONCLUSION: Final = "conclusion"  # of the whole session, on its page
CHOSEN: Final = "chosen"  # a moment for the first page
KINDS: Final = frozenset({MARKER, NOTE, REMEMBER, RATING, CONCLUSION, CHOSEN})
_decoder: Final[msgspec.json.Decoder[AnyEntry]] = msgspec.json.Decoder(AnyEntry)


def append(path: Path, entry: AnyEntry, key: DataKey | None = None) -> None:
    """Add an entry to a log; see `append_all`."""
    append_all(path, [entry], key)


def append_all(path: Path, entries: Iterable[AnyEntry], key: DataKey | None = None) -> None:
    """Add entries to a log, and make sure of the disk; a line that a crash tore is closed.

    With a key, that of an encrypted recording, the log is encrypted, and written anew.
    """
    lines.append_all(path, entries, key)


def read(path: Path) -> list[AnyEntry]:
    """Return the entries of a log, encrypted or not; a line that a crash tore is left out.

    Raises
    ------
    AffettiError
        A whole line is no entry; it cannot be read; or it is encrypted, and no vault that may read
        it is open.
    """
    with place.told(path):
        data = boxes.read(path)
    return lines.decoded(data, _decoder, "annotations.line_no_annotation", path.name)


def merged(*logs: Iterable[AnyEntry]) -> list[AnyEntry]:
    """Return the entries of several copies of a log, each once, in order of their time."""
    return lines.merged(*logs)


def standing(entries: Iterable[AnyEntry]) -> list[Annotation]:
    """Return the annotations that were not taken back."""
    return [each for each in lines.standing(entries) if isinstance(each, Annotation)]
