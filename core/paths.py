"""What a person types, pastes or drags where a path is asked for: the one door for all of it.

A terminal puts a file that is dragged into it between quotes, or escapes its blanks; a desktop
copies its address, `file:///…`. A name that is there as it was typed is always meant as such.
"""

import os
import re
import shlex
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import click

from affetti.core.errors import UsageError

_QUOTES: Final = ("'", '"')
# Of the path of a camera's address: words of letters with a number of up to three digits.
_WORD: Final = r"(?:[A-Za-z]{0,16}\d{0,3}|h26[45][A-Za-z]{0,12}|m3u8)"
_HARMLESS: Final = re.compile(rf"{_WORD}(?:[._-]{_WORD}){{0,3}}")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.]*://.*", re.DOTALL)
_BEFORE_SECRETS: Final = frozenset(
    {"user", "username", "password", "passwd", "pass", "pwd", "token", "key", "apikey", "auth"}
    | {"api", "secret", "access_token", "session", "sid"}
)


def typed(text: str, folder: Path | None = None) -> Path:
    """Return the path that is meant.

    Parameters
    ----------
    text
        As it was typed.
    folder
        Where a relative path begins; by default where the program runs.

    Raises
    ------
    AffettiError
        It can be no path, or is an address in a network, or in the home of somebody whom this
        system does not know.
    """
    if not text:  # a variable of a shell that is not set, say; it does not mean this folder
        raise UsageError("paths.empty")
    place = folder or Path()
    readings = list(_readings(text))
    reading = readings[-1]
    for each in (*readings, *_composed(readings)):
        if "\0" in each:
            raise UsageError("paths.no_path", text=each.replace("\0", "\\0"))
        if os.path.lexists(place / each):
            return place / each
    if is_address(text):
        raise UsageError("paths.address", address=without_secrets(text))
    try:
        return place / Path(reading).expanduser()
    except RuntimeError as error:
        raise UsageError("paths.no_home", name=Path(reading).parts[0]) from error


def typed_all(text: str) -> list[Path]:
    """Return the paths that are meant: of several files that were dragged all, else the one.

    Raises
    ------
    AffettiError
        As of `typed`.
    """
    several = [Path(word) for word in _words(text)]
    if len(several) > 1 and all(map(os.path.lexists, several)):
        return several
    return [typed(text)]


def dropped(text: str) -> list[Path]:
    """Return the files that were dragged into a terminal, which pastes their names.

    They stand in a row, quoted or escaped, or in a line each, with all their folders. Empty where
    what was pasted is anything else.
    """
    for reading in ([text.strip()], text.splitlines()):
        try:
            found = [path for each in reading if each.strip() for path in typed_all(each.strip())]
        except UsageError:
            continue
        if found and all(path.is_absolute() and os.path.lexists(path) for path in found):
            return found
    return []


class TypedPath(click.Path):
    """The type of an option or argument that is a path; see `typed`.

    Whether a file can be read is for whoever reads it to say, with the exit code for that.
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(readable=False, **how)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path that is meant, where it is what is asked for."""
        return super().convert(typed(value) if isinstance(value, str) else value, param, ctx)


def is_address(text: str) -> bool:
    """Whether what was typed is an address in a network, not a path."""
    scheme, separator, _ = text.strip().partition("://")
    return bool(separator) and scheme.isalnum() and scheme.lower() != "file"


def without_secrets(address: str) -> str:
    """Return an address as it may be shown and written down: without what may be a secret.

    User, password and parameters are left out. Of the path stays what cannot be a token: words,
    with a short number behind, such as `Streaming/Channels/101`; all else is `…`.
    """
    scheme, _, rest = address.strip().partition("://")
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        _ = parts.port
    except ValueError:  # brackets or a port that are none
        return f"{scheme.lower()}://…"
    if "@" in rest and "@" not in parts.netloc:  # a password with a sign that ends it in an address
        return f"{scheme.lower()}://…"
    shown: list[str] = []
    for step in parts.path.split("/"):
        secret = bool(shown) and shown[-1].lower() in _BEFORE_SECRETS
        shown.append(step if _HARMLESS.fullmatch(step) and not secret else "…")
    return f"{scheme.lower()}://{parts.netloc.rpartition('@')[2]}{'/'.join(shown)}"


def shown(source: str) -> str:
    """Return what was named as a source as it may be shown: of an address in it no secret."""
    found = _SCHEME.search(source)
    return source if found is None else source[: found.start()] + without_secrets(found[0])


def _readings(text: str) -> Iterator[str]:
    """Yield what may be meant, the most literal first."""
    yield text
    stripped = text.strip()
    yield stripped
    quoted = len(stripped) > 1 and stripped[0] in _QUOTES and stripped[-1] == stripped[0]
    if stripped.lower().startswith("file:"):
        yield _of_address(stripped)
    elif quoted or ("\\" in stripped and os.sep != "\\"):
        yield _of_shell(stripped)


def _composed(readings: Iterable[str]) -> Iterator[str]:
    """Yield names with letters and their marks as one sign, and as two.

    Both look the same; macOS writes the one where other systems write the other, and a playlist
    or a disk goes from one to the other.
    """
    for reading in readings:
        if not reading.isascii():
            yield from (unicodedata.normalize(form, reading) for form in ("NFC", "NFD"))


def _of_address(address: str) -> str:
    try:
        path = unquote(urlsplit(address.replace("#", "%23").replace("?", "%3F")).path)
    except ValueError:
        return address
    return path.lstrip("/") if os.name == "nt" else path


def _of_shell(text: str) -> str:
    """Return what a shell would take it for; the text itself where that is not one word."""
    words = _words(text)
    if len(words) == 1:
        return words[0]
    return text[1:-1] if text[0] in _QUOTES else text


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
