"""What an event is, and how one declares everything about itself.

An event is declared once, in the module of its family. That is the whole definition: its
stored form, its columns with their units and descriptions, which kinds go to the disk at once,
what carries a blob, what consent it concerns, what perception sees, how far a replay may be
off, and its documentation derive from it.

Units are in the names: `t_ns` is nanoseconds of the session clock, `sample` counts samples of
one audio stream, `_s` seconds, `_px` pixels.
"""

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Final, TypeAlias, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

_Kind = TypeVar("_Kind", bound=msgspec.Struct)

MAX_SESSION_NS: Final = 14 * 24 * 3600 * 1_000_000_000
MAX_COUNT: Final = 1 << 53  # a float64 holds every number up to it
# Numbers beyond what any session has are refused where an event is decoded.
TimeNs: TypeAlias = Annotated[int, Meta(ge=-MAX_SESSION_NS, le=MAX_SESSION_NS)]
Whole: TypeAlias = Annotated[int, Meta(ge=-MAX_COUNT, le=MAX_COUNT)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_COUNT)]
Real: TypeAlias = Annotated[float, Meta(ge=-1e12, le=1e12)]

# The scope of an event that belongs to a stream is the one its stream was declared with.
OF_ITS_STREAM: Final = "of its stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What holds for all events of a kind.

    Attributes
    ----------
    message
        The id of the sentence that a journal shows for it; None where it shows nothing.
    urgent
        Whether someone stands waiting for it: it goes to the disk at once.
    blob
        Whether bytes lie beside its JSON; in a sealed file they lie in a data set.
    scope
        What consent it concerns: a scope of `core.consent`, `OF_ITS_STREAM`, or None.
    perceived
        Whether perception sees it. What perception makes itself it does not see, nor the last
        word of a log, which comes when perception has closed.
    folded
        Whether the state of a session takes it in.
    """

    message: str | None = None
    urgent: bool = False
    blob: bool = False
    scope: str | None = None
    perceived: bool = True
    folded: bool = True


def field(
    description: str,
    unit: str = "",
    *,
    tolerance: float = 0.0,
    labels: tuple[str, ...] = (),
    one: str = "",
    pattern: str | None = None,
) -> Meta:
    """Return what a field says of itself, for `Annotated[TYPE, field(...)]`.

    Parameters
    ----------
    description
        One line, without a full stop.
    unit
        In words, or "" for text and for a number without one.
    tolerance
        How far a replay on another machine may be off, in the field's unit.
    labels
        For a tuple of fixed length: the names of its columns.
    one
        For a tuple of parts that have fields of their own: the attribute of the event that
        holds the part whose fields become columns.
    pattern
        What a text must match, as a regular expression; others cannot be decoded.
    """
    extra = {"unit": unit, "tolerance": tolerance, "labels": labels, "one": one}
    return Meta(description=description, extra=extra, pattern=pattern)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind, as it was declared."""

    name: str
    description: str
    unit: str
    tolerance: float
    labels: tuple[str, ...]
    one: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What all events of a session share.

    `seq` is the order in which events were recorded, gapless from 0. `t_ns` is when the thing
    happened: for an estimate, the moment it is *about*, so `t_ns` need not rise with `seq`.
    """

    traits: ClassVar[Traits] = Traits()

    t_ns: Annotated[TimeNs, field("when it happened", "nanoseconds of session time")]
    seq: Annotated[Whole, field("its place in the log, from 0")] = -1  # given by the log


class UnknownEvent(msgspec.Struct, frozen=True):
    """An event of a later minor version: kept as it is, and skipped."""

    kind: str
    seq: int
    t_ns: int
    json: bytes


Track: TypeAlias = Annotated[Count, field("position in the playlist, from 0")]
PlaybackSample: TypeAlias = Annotated[Count, field("sample of the playback stream", "samples")]


@cache  # asked of every event that is sealed
def fields_of(kind: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the fields of a kind, in the order of their declaration."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_field(name, hints[name]) for name in kind.__struct_fields__)


def _field(name: str, hint: Any) -> Field:
    declared = [m for m in getattr(hint, "__metadata__", ()) if isinstance(m, Meta)]
    described = next((m for m in declared if m.description is not None), None)
    if described is None or described.extra is None:
        return Field(name, "", "", 0.0, ())
    return Field(name, described.description or "", **described.extra)


def leaves(kind: type[_Kind]) -> list[type[_Kind]]:
    """Return the kinds under `kind` that nothing is derived from, in order of declaration."""
    under = kind.__subclasses__()
    return [leaf for sub in under for leaf in leaves(sub)] if under else [kind]
