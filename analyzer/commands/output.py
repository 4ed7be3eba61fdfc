"""What commands print, and how they show that they are at work."""

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; give a function of what is done and all there is."""
    with click.progressbar(length=1000, label=label, file=sys.stderr, width=30) as shown:

        def progress(done: int, total: int) -> None:
            shown.update(max(0, 1000 * done // max(total, 1) - shown.pos))

        yield progress


def command_line() -> str:
    """Return the command as it was typed, of every path its last part alone."""
    return shlex.join(["affetti", *map(_without_folders, sys.argv[1:])])


def _without_folders(argument: str) -> str:
    at = argument.find("=") + 1 if argument.startswith("-") else 0
    option, value = argument[:at], argument[at:]
    return option + (Path(value).name or value if os.sep in value else value)
