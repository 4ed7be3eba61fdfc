"""Which keys can mark: any but those that the live screen has a use for itself."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from textual.binding import Binding
from textual.events import Key
from textual.keys import key_to_character

from affetti.core.errors import UsageError

if TYPE_CHECKING:  # home starts without
    from affetti.core.events import MarkerKey

# What a foot pedal or a presenter sends; they mark whatever else is bound to them.
PEDALS: Final = frozenset({"pageup", "pagedown"})


def key_of(event: Key) -> str:
    """Return a key as a set of marker keys names it: the sign that it types, or its name."""
    return event.character if event.is_printable and event.character else event.key


def taken() -> dict[str, str]:
    """Return what the live screen does with keys of its own, by the key as sets name it."""
    from affetti.recorder.tui.app import AffettiApp  # noqa: PLC0415  which knows of this
    from affetti.recorder.tui.screens.live import LiveScreen  # noqa: PLC0415

    bindings = [*AffettiApp.BINDINGS, *LiveScreen.BINDINGS]
    found = {key: said for binding in bindings for key, said in _keys(binding)}
    return {key: said for key, said in found.items() if key not in PEDALS}


def _keys(binding: object) -> Iterator[tuple[str, str]]:
    if isinstance(binding, Binding):
        for key in binding.key.split(","):
            yield key_to_character(key) or key, binding.tooltip or binding.description


def usable(markers: "Iterable[MarkerKey]") -> "tuple[MarkerKey, ...]":
    """Return marker keys as they can be used together on the live screen.

    Raises
    ------
    AffettiError
        As of `core.people.marker_sets.checked`, or the live screen has a use for a key itself.
    """
    from affetti.core.people.marker_sets import checked  # noqa: PLC0415

    used, found = taken(), checked(markers)
    for marker in found:
        if marker.key in used:
            raise UsageError("markers.key_taken", key=marker.key, does=used[marker.key])
    return found
