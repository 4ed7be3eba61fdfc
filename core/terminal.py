"""Standard input and output as they are found: in any encoding, full, broken, or not there."""

import codecs
import json
import os
import sys
from contextlib import suppress
from typing import Any, Final, TextIO

import click

from affetti.core.labels import label
from affetti.core.language import text

missing: Final[set[str]] = set()  # streams that nobody gave this process
_ANEW: Final = "\r\x1b[K"  # the line, from its beginning
_belongs_to: Final[set[str]] = set()  # "commands", which may ask, once the command line began
_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))  # by number
_YES: Final = frozenset({"y", "yes", "j", "ja"})
_NO: Final = frozenset({"", "n", "no", "nein"})


def secret(words: str) -> str | None:
    """Ask whoever sits at the terminal for something that is not shown; None: nobody does."""
    if "commands" not in _belongs_to or not is_terminal(sys.stdin):
        return None
    if is_terminal(sys.stderr):
        click.echo(_ANEW, nl=False, err=True)  # over a bar that shows how far something is
    return str(click.prompt(words, hide_input=True, err=True))


def confirm(question: str, *, err: bool = False) -> None:
    """Ask for a yes, in the keys of either language; anything else than yes or no asks again.

    Parameters
    ----------
    question
        In words.
    err
        Whether it is asked on standard error.

    Raises
    ------
    click.Abort
        It was a no, or nobody answers.
    """
    asked = f"{question} [{text('key.of_yes')}/N]"
    while True:
        answer = click.prompt(asked, default="", show_default=False, err=err).strip().casefold()
        if answer in _YES:
            return
        if answer in _NO:
            raise click.Abort


def give_away() -> None:
    """Ask nothing at the terminal any more: a screen has it."""
    _belongs_to.clear()


def begin() -> None:
    """Let what the encoding of a stream lacks be a question mark, and no stream be missing.

    A file that is opened later would otherwise take the number of a missing one, and be read as
    what was typed.
    """
    _belongs_to.add("commands")
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            missing.add(name)
            setattr(sys, name, os.fdopen(number, mode, closefd=False))
        with suppress(AttributeError, OSError, ValueError):
            getattr(sys, name).reconfigure(errors="replace")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person sits at a stream."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):
        return False


def shows(stream: TextIO, signs: str) -> bool:
    """Whether the encoding of a stream has these signs."""
    try:
        signs.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def say(line: str, **style: Any) -> None:
    """Print one line, whatever its words hold: a recording and a name of a file may lie."""
    click.secho(label(line), **style)


def print_json(value: Any) -> None:
    """Print a value for a machine to read: one JSON object or list, without NaN.

    In an encoding without every sign, those beyond ASCII are escaped, not lost.
    """
    import msgspec  # noqa: PLC0415  the command line is there without it

    plain = json.loads(msgspec.json.encode(value))
    every = is_utf_8(sys.stdout)
    click.echo(json.dumps(plain, indent=2, ensure_ascii=not every, allow_nan=False))


def is_utf_8(stream: TextIO) -> bool:
    """Whether a stream has every sign there is."""
    try:
        return codecs.lookup(stream.encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


def finish() -> None:
    """Write out what still waits to be printed; OSError when it cannot be."""
    sys.stdout.flush()


def drop() -> None:
    """Let what could not be printed go, so that nothing more is said of it at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
