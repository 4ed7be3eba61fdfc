"""What a person may choose, as structs that hold nothing senseless, whoever makes them."""

from functools import cache
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from affetti.core.numbers import Bounds, checked


class Chosen(msgspec.Struct, frozen=True):
    """A struct whose `bounded` fields are checked whoever makes it, a decoder or a person.

    Raises
    ------
    AffettiError
        A field is not a finite number within its bounds.
    """

    def __post_init__(self) -> None:
        for name, bounds in _bounds_of(type(self)).items():
            checked(name, getattr(self, name), bounds)


def bounded(bounds: Bounds) -> Meta:
    """Return what an annotation of a field in a `Chosen` says: that it has bounds."""
    return Meta(extra={"bounds": bounds})


@cache
def _bounds_of(kind: type) -> dict[str, Bounds]:
    hints = get_type_hints(kind, include_extras=True)
    return {
        name: meta.extra["bounds"]
        for name, hint in hints.items()
        if get_origin(hint) is Annotated
        for meta in get_args(hint)[1:]
        if isinstance(meta, Meta) and meta.extra
    }
