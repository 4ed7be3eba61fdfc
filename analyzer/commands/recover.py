"""`affetti recover`: seals what broke off."""

import os
from pathlib import Path

import click

from affetti.analyzer.commands.output import bar
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import text
from affetti.core.paths import TypedPath


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=TypedPath(path_type=Path))
def recover(paths: tuple[Path, ...]) -> int:
    """Seal recordings that broke off, and say what was lost.

    PATH is a recording, one of its parts, or a folder of them; without one, the folder of
    the settings is looked through.

    \b
    affetti recover
    affetti recover sub-P07_ses-20261124T101500.h5
    """
    from affetti.core import settings
    from affetti.core.cli import complain
    from affetti.core.custody.recovery import sealed, unsealed

    targets = unsealed(paths or _usual(settings.load().folder))
    if not targets:
        click.echo(text("recover.nothing"))
    failures, whole = [], True
    for target in targets:
        try:
            with bar(text("bar.sealing", name=target.name)) as progress:
                done = sealed(target, progress)
            if done is None:
                folder = f"{target.stem}.unreadable"
                terminal.say(text("recover.never_began", name=target.name, folder=folder))
                continue
            terminal.say(text("recover.done", path=done.path, statement=done.statement))
            whole = whole and done.whole
        except AffettiError as error:
            failures.append(error)
            complain(error)
    if len(targets) == 1 and failures:
        return failures[0].code
    return ExitCode.WARNING if failures or not whole else ExitCode.OK


def _usual(folder: Path) -> tuple[Path, ...]:
    """Return the folder of the settings, if anything was ever recorded there."""
    return (folder,) if os.path.isdir(folder) else ()
