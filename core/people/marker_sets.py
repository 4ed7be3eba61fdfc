"""Sets of marker keys: what is counted, with which key, shared between people as a TOML file.

name = "Voice"

[[marker]]
label = "sings"
key = "g"
form = "stretch"      # one press is the start, the next the end; "press": each press counts
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from affetti.core import place
from affetti.core.errors import FileExists, FileMissing, UsageError
from affetti.core.events.moments import PRESS, Form, MarkerKey
from affetti.core.labels import label
from affetti.core.language import text
from affetti.core.letters import decoded
from affetti.core.system import private
from affetti.core.toml import tables

MAX_MARKERS: Final = 40
MAX_LABEL: Final = 60  # signs
_MAX_BYTES: Final = 64 << 10
_NAMED_KEY: Final = re.compile(r"pageup|pagedown|home|end|insert|up|down|left|right|f\d{1,2}")


class MarkerSet(msgspec.Struct, frozen=True):
    """A set of marker keys, and what it is called."""

    markers: tuple[MarkerKey, ...]
    name: str = ""


class _Marker(msgspec.Struct, forbid_unknown_fields=True):
    label: str
    key: str
    form: Form = "press"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    marker: list[_Marker]
    name: str = ""


def checked(markers: Iterable[MarkerKey]) -> tuple[MarkerKey, ...]:
    """Return marker keys as they can be used together.

    Raises
    ------
    AffettiError
        Two have one key or one word, a word is empty or too long, a key is none, or there are too
        many.
    """
    found = tuple(MarkerKey(label(m.label).strip(), m.key, m.form) for m in markers)
    if len(found) > MAX_MARKERS:
        raise UsageError("markers.too_many", most=MAX_MARKERS)
    for at, marker in enumerate(found):
        _check(marker)
        before = found[:at]
        if any(each.key == marker.key for each in before):
            raise UsageError("markers.key_twice", key=label(marker.key))
        if any(each.label == marker.label for each in before):
            raise UsageError("markers.label_twice", label=marker.label)
    return found


def is_key(key: str) -> bool:
    """Return whether something is a key that could mark: one sign, or a key with a known name."""
    sign = len(key) == 1 and key.isprintable() and key != " "
    return sign or _NAMED_KEY.fullmatch(key) is not None


def _check(marker: MarkerKey) -> None:
    if not marker.label or len(marker.label) > MAX_LABEL:
        raise UsageError("markers.label", label=marker.label[:MAX_LABEL], most=MAX_LABEL)
    if not is_key(marker.key):
        raise UsageError("markers.no_key", key=label(marker.key)[:MAX_LABEL], label=marker.label)


def read_set(path: Path) -> MarkerSet:
    """Read a set of marker keys.

    Raises
    ------
    AffettiError
        It cannot be read, is no such file, holds no marker, or its markers cannot be used together.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise FileMissing("markers.unread", path=path, error=error.strerror) from error
    if len(data) > _MAX_BYTES:
        raise UsageError("markers.too_long", path=path.name)
    try:
        said = msgspec.convert(tables(decoded(data)), _File)
    except UnicodeDecodeError as error:
        wrong = text("playlist.wrong.letters")
        raise UsageError("markers.no_set", path=path.name, error=wrong) from error
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise UsageError("markers.no_set", path=path.name, error=_brief(error)) from error
    if not said.marker:
        raise UsageError("markers.none_in_set", path=path.name)
    named = label(said.name).strip()[:MAX_LABEL]
    return MarkerSet(checked(MarkerKey(m.label, m.key, m.form) for m in said.marker), named)


def write_set(path: Path, markers: MarkerSet) -> None:
    """Write a set of marker keys to a new file.

    Raises
    ------
    AffettiError
        The file is there, or cannot be written.
    """
    with place.told(path):
        try:
            with open(path, "x", encoding="utf-8", newline="\n", opener=private) as file:
                file.write(as_toml(markers))
        except FileExistsError:
            raise FileExists("person.exists_already", path=path) from None


def as_toml(markers: MarkerSet) -> str:
    """Return a set of marker keys as a file has it."""
    lines = [f"name = {_quoted(markers.name)}"] if markers.name else []
    for marker in markers.markers:
        lines += ["", "[[marker]]", f"label = {_quoted(marker.label)}"]
        lines.append(f"key = {_quoted(marker.key)}")
        if marker.form != PRESS:
            lines.append(f'form = "{marker.form}"')
    return "\n".join(lines).lstrip("\n") + "\n"


def _quoted(text: str) -> str:
    """Return a basic string of TOML: of what a label may hold JSON escapes as TOML does."""
    return json.dumps(text, ensure_ascii=False)


def _brief(error: Exception) -> str:
    return label(str(error)).rstrip(".")[:200]
