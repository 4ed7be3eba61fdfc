"""What is written outside a session: about a person, or beside a recording.

An entry has no place in session time. It has a random id, says who wrote it and when, and is
only ever added: what it says is taken back by another entry. Two copies of a log of entries are
merged by putting both together.
"""

import secrets
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from affetti.core.codes import Digest, Given, WallClock
from affetti.core.events.base import field


def new_id() -> str:
    """Return a random id for a person, an author or an entry: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def now() -> str:
    """Return the moment at which an entry is written, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Entry(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all entries share."""

    entry_id: Annotated[Digest, field("random, 32 hexadecimal digits")] = msgspec.field(
        default_factory=new_id
    )
    author_id: Annotated[Digest, field("of who wrote it; random, never a name")]
    written: Annotated[WallClock, field("when, ISO 8601 in UTC")] = msgspec.field(
        default_factory=now
    )


class Retracted(Entry, frozen=True, kw_only=True, tag=True):
    """An entry no longer holds; it stays readable."""

    of_entry_id: Annotated[Digest, field("the entry that is taken back")]
    reason: Annotated[Given, field("in the author's words")] = ""
