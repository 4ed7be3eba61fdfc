"""`affetti review`: walk through a session again."""

from pathlib import Path

import click

from affetti.core.paths import TypedPath


@click.command()
@click.argument("session", type=TypedPath(path_type=Path))
@click.option(
    "--as",
    "author",
    metavar="CODE",
    default="own",
    show_default=True,
    help="Who annotates: letters and digits, never a name.",
)
@click.option("--blind", is_flag=True, help="Rate what the face expresses, with no estimate shown.")
def review(session: Path, author: str, blind: bool) -> None:
    """Walk through a sealed SESSION: its picture, its sound, and what was expressed and noted.

    A timeline is scrubbed by key and mouse. Markers, notes, ratings and one thing to remember are
    added and changed afterwards, with who and when, beside the recording, which stays as it is.
    With --blind a second person labels expressions by key over time, and sees no estimate.

    \b
    affetti review sub-P07_ses-20261124T101500.h5
    affetti review SESSION.h5 --as R2 --blind
    """
    from affetti.core import settings
    from affetti.core.people.person import checked_code
    from affetti.recorder.tui.session import open_review

    open_review(session, checked_code(author), settings.load(), blind=blind)
