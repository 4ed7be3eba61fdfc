"""Notes, ratings and labels that are made of a recording afterwards, and lie beside it.

They are an append-only log of entries, a JSON object a line, in `NAME.annotations.jsonl`.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec

from affetti.core.codes import Digest, Given
from affetti.core.custody import boxes
from affetti.core.custody.keys import DataKey
from affetti.core.errors import Damaged
from affetti.core.events.base import field
from affetti.core.events.entries import Entry, Retracted
from affetti.core.system import private


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
KINDS: Final = frozenset({MARKER, NOTE, REMEMBER, RATING})
_TORN: Final = b" (torn)\n"
_decoder: Final = msgspec.json.Decoder(AnyEntry)


def append(path: Path, entry: AnyEntry, key: DataKey | None = None) -> None:
    """Add an entry to a log; see `append_all`."""
    append_all(path, [entry], key)


def append_all(path: Path, entries: Iterable[AnyEntry], key: DataKey | None = None) -> None:
    """Add entries to a log, and make sure of the disk; a line that a crash tore is closed.

    With a key, that of an encrypted recording, the log is encrypted, and written anew.
    """
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    if not lines:
        return
    if key is not None:
        said = boxes.read(path) if boxes.found_at(path) else b""
        boxes.replace(path, said + lines, key)
        return
    before = path.read_bytes()[-1:] if path.exists() else b""
    torn = before not in (b"", b"\n")
    with open(path, "ab", opener=private) as file:
        file.write(_TORN * torn)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> list[AnyEntry]:
    """Return the entries of a log, encrypted or not; a line that a crash tore is left out.

    Raises
    ------
    AffettiError
        A whole line is no entry; or it is encrypted, and no vault that may read it is open.
    """
    lines = boxes.read(path).split(b"\n")
    found = []
    for number, line in enumerate(lines[:-1], start=1):
        if (line + b"\n").endswith(_TORN):
            continue
        try:
            found.append(_decoder.decode(line))
        except (msgspec.DecodeError, ValueError) as error:
            raise Damaged(
                "annotations.line_no_annotation", number=number, path=path.name, error=error
            ) from error
    return found


def merged(*logs: Iterable[AnyEntry]) -> list[AnyEntry]:
    """Return the entries of several copies of a log, each once, in order of their time."""
    by_id = {entry.entry_id: entry for log in logs for entry in log}
    return sorted(by_id.values(), key=lambda entry: (entry.written, entry.entry_id))


def standing(entries: Iterable[AnyEntry]) -> list[Annotation]:
    """Return the annotations that were not taken back."""
    known = list(entries)
    gone = {entry.of_entry_id for entry in known if isinstance(entry, Retracted)}
    return [e for e in known if isinstance(e, Annotation) and e.entry_id not in gone]
