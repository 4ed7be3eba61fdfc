"""What a text in a recording may be: a code that is put into words when it is shown, or given.

No sentence of ours is ever stored. A text in an event is a `Literal`, or one of these:
`Given` came from a person, a device, a file or a library, and is shown as it is; all others
match a pattern that no sentence matches.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

__all__ = ["Code", "Day", "Digest", "Given", "Keep", "Name", "Version", "WallClock"]

Given: TypeAlias = Annotated[str, Meta(extra={"given": True})]
# The words of a code are a message of the catalogue; a code without one is shown as it is.
Code: TypeAlias = Annotated[str, Meta(extra={"codes": r"([a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)*)?"})]
Name: TypeAlias = Annotated[str, Meta(extra={"codes": r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}|"})]
Digest: TypeAlias = Annotated[str, Meta(extra={"codes": r"[0-9a-f]{32}|[0-9a-f]{64}"})]
Version: TypeAlias = Annotated[str, Meta(extra={"codes": r"\d+(\.\d+)*([-+.a-z0-9]*)"})]
WallClock: TypeAlias = Annotated[str, Meta(extra={"codes": r"\d{4}-\d\d-\d\dT[0-9:.]+[-+Z0-9:]*"})]
# What is kept: all, or no picture and no sound of the room, and what was estimated of them.
Keep: TypeAlias = Literal["all", "estimates"]
Day: TypeAlias = Annotated[str, Meta(extra={"codes": r"(\d{4}-\d\d-\d\d)?"})]
