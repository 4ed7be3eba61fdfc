"""`affetti` as it is called in a shell, without the process around it, which costs most of it."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from affetti.core import logbook, system
from affetti.core.cli import main


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def affetti(
    *words: object, cwd: Path | None = None, typed: str = "", charset: str = "utf-8"
) -> Said:
    """Run a command as `python -m affetti` does, and leave this process as it was."""
    with _kept(cwd), CliRunner(charset=charset).isolation(typed) as (stdout, stderr, _):
        written = "utf-8" if charset == "ascii" else charset  # which is what click writes
        sys.argv = ["affetti", *map(str, words)]
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        sys.stdout.flush()
        sys.stderr.flush()
        return Said(code, stdout.getvalue().decode(written), stderr.getvalue().decode(written))


@contextlib.contextmanager
def _kept(cwd: Path | None) -> Iterator[None]:
    """Put back what a process of its own would have had for itself."""
    argv, environment, mask = sys.argv, dict(os.environ), os.umask(0)
    os.umask(mask)
    handlers = {n: signal.getsignal(n) for n in system.ENDINGS}
    try:
        with contextlib.chdir(cwd or Path.cwd()):
            yield
    finally:
        sys.argv = argv
        os.environ.clear()
        os.environ.update(environment)
        os.umask(mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        logbook.end()
