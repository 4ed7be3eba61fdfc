"""What the commands about models print, and how they show that they are at work."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click


def print_figures(found: dict[str, Any], indent: str = "") -> None:
    """Print what was found, a figure a line."""
    for name, value in found.items():
        if isinstance(value, dict):
            click.echo(f"{indent}{name}:")
            print_figures(value, indent + "  ")
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else value
            click.echo(f"{indent}{name}: {shown}")


class _Bars:
    """A progress bar on standard error for each step that is reported."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._total = -1

    def __call__(self, done: int, total: int, what: str) -> None:
        if self._bar is None or total != self._total or done < self._bar.pos:
            self.close()
            self._bar = click.progressbar(range(total), file=sys.stderr)
            self._total = total
        self._bar.label = what
        self._bar.update(done - self._bar.pos)

    def close(self) -> None:
        """Leave the last bar as it is and go to the next line."""
        if self._bar is not None:
            self._bar.render_finish()


@contextmanager
def shown_progress() -> Iterator[_Bars]:
    """Give a function to be told how much is done, how much there is, and of what."""
    progress = _Bars()
    try:
        yield progress
    finally:
        progress.close()
