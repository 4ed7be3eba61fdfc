"""`affetti progress`: a person over sessions."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from affetti.analyzer.commands.arguments import PLAIN
from affetti.core import terminal
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.report.page import Form
    from affetti.analyzer.report.paper import Size

_SIZES: "Final[dict[str, Size]]" = {"a4": "a4", "letter": "us-letter"}


@click.command()
@click.argument("person")
@click.argument("folder", required=False, type=TypedPath(path_type=Path))
@click.option(
    "--output",
    type=TypedPath(path_type=Path),
    metavar="FILE",
    help="Write it as a page as well: .html, .pdf or .txt, as the suffix says.",
)
@click.option(
    "--form",
    type=click.Choice(["html", "pdf", "txt"]),
    help="Write it as a page beside the recordings, as sub-PERSON.progress.FORM.",
)
@click.option(
    "--paper", type=click.Choice(list(_SIZES)), help="Of a PDF. [default: as the settings say, a4]"
)
@PLAIN
def progress(
    person: str,
    folder: Path | None,
    output: Path | None,
    form: "Form | None",
    paper: str | None,
    plain: bool,
) -> None:
    """Show a PERSON over all sessions in a FOLDER: goals, what was counted, expressions.

    By default the folder is that of the settings. Tracks that recur, self-reports and coverage
    stand beside each other, session by session. An interval is given from five sessions on, and
    that something became more or less is said from eight on, where they carry it.

    A page that rests on encrypted recordings is encrypted as well.

    \b
    affetti progress P07
    affetti progress P07 study/ --output P07.pdf
    """
    from affetti.analyzer.commands.output import bar
    from affetti.analyzer.report.page import form_of, refuse_unwritable
    from affetti.analyzer.report.plain import plain_text
    from affetti.analyzer.report.progress import page_over, progress_of
    from affetti.analyzer.report.progress_file import place_of, write_progress
    from affetti.core import settings
    from affetti.core.language import text
    from affetti.core.people.person import checked_code

    chosen = settings.load()
    place = folder if folder is not None else chosen.folder
    is_page = output is not None or form is not None
    if is_page:
        form = form or form_of(output)
        refuse_unwritable(place_of(checked_code(person), place, output, form))
    with bar(text("bar.recordings")) as done:
        found = progress_of(person, place, done)
    if not is_page:
        for line in plain_text(page_over(found)).splitlines():
            terminal.say(line)
        return
    size = _SIZES[paper or chosen.report.paper]
    written = write_progress(found, place, output, form=form, size=size, plain=plain)
    terminal.say(str(written))
