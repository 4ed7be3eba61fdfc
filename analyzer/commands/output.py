"""What commands print, and how they show that they are at work."""

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from affetti.core import labels


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error; give a function of what is done and all there is."""
    line = labels.label(label)  # a name of a file may be of several lines
    with click.progressbar(length=1000, label=line, file=sys.stderr, width=30) as shown:

        def progress(done: int, total: int) -> None:
            shown.update(max(0, 1000 * done // max(total, 1) - shown.pos))

        yield progress


@contextmanager
def bar_of_many(label: str, paths: Sequence[Path]) -> Iterator[Callable[[Path], None]]:
    """Show a progress bar over many files; give a function that one is called with when done.

    It goes by their sizes, so that the time it still takes is known while large ones are left.
    """
    sizes, left = {path: _size(path) for path in paths}, len(paths)

    def shown(path: Path | None) -> str:
        return f"{len(paths) - left}/{len(paths)}"

    with click.progressbar(
        length=sum(sizes.values()),
        label=labels.label(label),
        file=sys.stderr,
        width=30,
        item_show_func=shown,
    ) as progress:

        def done(path: Path) -> None:
            nonlocal left
            left -= 1
            progress.update(sizes[path], path)

        yield done


def _size(path: Path) -> int:
    try:
        return max(path.stat().st_size, 1)
    except OSError:
        return 1


def command_line() -> str:
    """Return the command as it was typed, of every path its last part alone."""
    return shlex.join(["affetti", *map(_without_folders, sys.argv[1:])])


def _without_folders(argument: str) -> str:
    at = argument.find("=") + 1 if argument.startswith("-") else 0
    option, value = argument[:at], argument[at:]
    return option + (Path(value).name or value if os.sep in value else value)
