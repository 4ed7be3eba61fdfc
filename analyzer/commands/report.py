"""`affetti report`: a report for a therapist to read."""

from pathlib import Path

import click

from affetti.analyzer.commands.arguments import ALTERED, PLAIN, SESSION
from affetti.analyzer.commands.output import bar
from affetti.core import terminal
from affetti.core.language import text
from affetti.core.paths import TypedPath


@click.command()
@SESSION
@click.option(
    "--output",
    type=TypedPath(dir_okay=False, path_type=Path),
    metavar="FILE.html",
    help="The report. [default: NAME.report.html beside the recording]",
)
@ALTERED
@PLAIN
def report(session: Path, output: Path | None, altered: bool, plain: bool) -> None:
    """Write a report for a therapist to read.

    One HTML file with everything in it, figures as well; it needs no network and holds no
    picture and no sound of the person. That of an encrypted recording is encrypted as well, and
    called NAME.report.html.vault; `affetti vault open` makes a copy that a browser can read.

    \b
    affetti report sub-P07_ses-20261124T101500.h5
    """
    from affetti.analyzer.report import write_report

    with bar(text("bar.reading", name=session.name)) as progress:
        path = write_report(session, output, progress, altered=altered, plain=plain)
    terminal.say(str(path))
