"""What commands print, and how they show that they are at work."""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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


def print_json(value: Any) -> None:
    """Print a value for a machine to read."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def plain(text: str) -> str:
    """Return text on one line and without what a terminal would obey; a recording may lie."""
    return "".join(c if c.isprintable() else " " for c in text)
