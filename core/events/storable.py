"""What a log can hold: texts that can be written, sizes and times that a session has."""

import re
from typing import Any, Final, TypeVar

import msgspec

from affetti.core.events.base import MAX_SESSION_NS, Event

_T = TypeVar("_T")
_LONE_SURROGATES: Final = re.compile("[\ud800-\udfff]")  # bytes that were no UTF-8, to Python
_MAX_JSON_BYTES: Final = 1 << 20


def storable(value: _T) -> _T:
    """Return an event, or a value in one, whose texts can be written: other signs become U+FFFD."""
    cleaned: Any = value
    if isinstance(value, str):
        cleaned = _LONE_SURROGATES.sub("\ufffd", value)
    elif isinstance(value, tuple):
        cleaned = tuple(storable(item) for item in value)
    elif isinstance(value, dict):
        cleaned = {storable(key): storable(item) for key, item in value.items()}
    elif isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {name: new for name, old in fields.items() if (new := storable(old)) != old}
        cleaned = msgspec.structs.replace(value, **changed) if changed else value
    result: _T = cleaned
    return result


def refuse_unstorable(event: Event) -> None:
    """Refuse an event that a log cannot hold.

    Raises
    ------
    ValueError
        It is longer than a MiB, about a time that no session has, or cannot be encoded.
    """
    try:
        length = len(msgspec.json.encode(event))
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
    if length > _MAX_JSON_BYTES:
        raise ValueError(f"{length} bytes are too many for one event")
    if not -MAX_SESSION_NS <= event.t_ns <= MAX_SESSION_NS:
        raise ValueError("no session has such a time")
