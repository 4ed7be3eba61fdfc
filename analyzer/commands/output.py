"""What commands print, and how they show that they are at work."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; give a function of what is done and all there is."""
    with click.progressbar(length=1000, label=label, file=sys.stderr, width=30) as shown:

        def progress(done: int, total: int) -> None:
            shown.update(max(0, 1000 * done // max(total, 1) - shown.pos))

        yield progress


def command_line() -> str:
    """Return the command as it was typed."""
    return shlex.join(["affetti", *sys.argv[1:]])
