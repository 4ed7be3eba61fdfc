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
@click.option(
    "--open",
    "opened",
    metavar="FROM-TO",
    help="Show a stretch in the system's player: 03:10-03:40. It is a film that is removed after.",
)
@click.option("--blind", is_flag=True, help="Rate what the face expresses, with no estimate shown.")
def review(session: Path, author: str, opened: str | None, blind: bool) -> None:
    """Walk through a sealed SESSION: its picture, its sound, and what was expressed and noted.

    A timeline is scrubbed by key and mouse. Markers, notes, ratings and one thing to remember are
    added and changed afterwards, with who and when, beside the recording, which stays as it is.
    With --blind a second person labels expressions by key over time, and sees no estimate.

    With --open nothing is walked through: the stretch, at most ten minutes, becomes a film, is
    shown by the system's player, and is removed when Enter is pressed. Out of an encrypted
    recording it comes only after a question, and is noted as an export.

    \b
    affetti review sub-P07_ses-20261124T101500.h5
    affetti review SESSION.h5 --as R2 --blind
    affetti review SESSION.h5 --open 03:10-03:40
    """
    from affetti.core import settings
    from affetti.core.people.person import checked_code
    from affetti.recorder.tui.session import open_review

    if opened is not None:
        _open(session, opened)
        return
    open_review(session, checked_code(author), settings.load(), blind=blind)


def _open(path: Path, opened: str) -> None:
    """Show a stretch in the system's player, and remove its film when that is not needed."""
    import sys

    from affetti.analyzer.analysis import analyze
    from affetti.analyzer.commands.output import bar
    from affetti.analyzer.exports.stretch import stretch
    from affetti.analyzer.replay import reported
    from affetti.core import system, terminal
    from affetti.core.errors import FileMissing
    from affetti.core.language import text
    from affetti.core.recording.session import Session

    start_s, stop_s = _stretch(opened)
    with Session.open(path) as session:
        if session.key is not None:
            terminal.confirm(text("review.open_really"), err=True)
        with bar(text("bar.reading", name=path.name)) as progress:
            analysis = analyze(session, reported(session, progress))
        with stretch(session, analysis, start_s, stop_s, lambda *_: None) as film:
            if not system.show(film):
                raise FileMissing("review.no_player", path=path.name)
            terminal.say(text("review.opened", path=film.name), err=True)
            sys.stdin.readline()
    terminal.say(text("review.removed"), err=True)


def _stretch(words: str) -> tuple[float, float]:
    """Return from when to when, in seconds: of `03:10-03:40`, `1:02:03-1:02:33` or `190-220`."""
    from affetti.core.errors import UsageError

    try:
        start_s, stop_s = (_seconds(each) for each in words.split("-"))
    except ValueError as error:
        raise UsageError("review.no_times", words=words) from error
    return start_s, stop_s


def _seconds(clock: str) -> float:
    seconds = 0.0
    for part in clock.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds
