"""The program's own log: what went wrong inside it, for whoever has to find out afterwards.

It is a file that rotates, that only its owner may read, and that a crash survives: what an
earlier run wrote stays until newer runs have filled `KEPT` files. It never holds words of or
about a person: no message of an exception is written, since a path or a note may be in it, only
its kind and the lines of code that it passed. What libraries print goes there as well where a
screen is in front.
"""

import faulthandler
import logging
import logging.handlers
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from affetti.core import locations, system

MAX_BYTES: Final = 1_000_000  # of one file
KEPT: Final = 5  # files before the present one

STDOUT: Final = 1
STDERR: Final = 2

_LOG: Final = logging.getLogger("affetti")
_LOG.addHandler(logging.NullHandler())  # until a program begins its log


class _Formatter(logging.Formatter):
    """Lines of time, process and level; of an exception its kind and where it passed."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")

    def formatException(self, ei: object) -> str:  # noqa: N802  as logging names it
        kind, _, passed = ei if isinstance(ei, tuple) else (None, None, None)
        return "".join([*traceback.format_tb(passed), getattr(kind, "__name__", "")])


class _Book(logging.handlers.RotatingFileHandler):
    """A rotating file of mode 0600, which may take standard streams along."""

    def __init__(self, path: Path, streams: Sequence[int]) -> None:
        self._streams = streams
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
        self.setFormatter(_Formatter())
        self._take_streams()

    def _open(self) -> IO[str]:  # type: ignore[override]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        fd = os.open(self.baseFilename, flags, 0o600)
        system.keep_private(fd)
        return open(fd, "a", encoding="utf-8", errors="replace")

    def doRollover(self) -> None:  # noqa: N802  as logging names it
        """Begin a new file; what libraries print goes there too."""
        self._let_go_of_streams()
        super().doRollover()
        self._take_streams()

    def _let_go_of_streams(self) -> None:
        """Point them nowhere: a file that is open cannot be renamed everywhere."""
        if self._streams:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for number in self._streams:
                os.dup2(nowhere, number)
            os.close(nowhere)

    def _take_streams(self) -> None:
        if self.stream is not None:
            for number in self._streams:
                os.dup2(self.stream.fileno(), number)


def begin(name: str, streams: Sequence[int] = ()) -> Path | None:
    """Begin to write the log of one program; return where, or None where nothing can be written.

    Parameters
    ----------
    name
        Of the file: "engine" or "screen". Programs that run at once write files of their own.
    streams
        File descriptors, of standard output and error, whose text goes there from now on,
        whatever library prints it.
    """
    folder = locations.log_folder()
    if folder is None:
        return None
    path = folder / f"{name}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        book = _Book(path, streams)
    except OSError:
        return None
    end()
    _LOG.addHandler(book)
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False
    if STDERR in streams:
        faulthandler.enable(STDERR)
    _LOG.info("begins: %s, Python %s", name, sys.version.split()[0])
    return path


def note(what: str, error: BaseException | None = None) -> None:
    """Write a line of our own words, and of an error its kind and where it passed.

    `what` must hold nothing that a person wrote or is called.
    """
    if error is None:
        _LOG.info(what)
    else:
        _LOG.error(what, exc_info=(type(error), error, error.__traceback__))


def end() -> None:
    """Write no more. Standard streams stay where they are."""
    for handler in list(_LOG.handlers):
        _LOG.removeHandler(handler)
        handler.close()
