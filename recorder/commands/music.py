"""`affetti music`: a collection of music, and what its tracks express."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.core.numbers import JOBS, Number
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.recorder.music.collection import Outcome


@click.group()
def music() -> None:
    """Read a collection of music once, so that what fits can be chosen from it."""


@music.command()
@click.argument(
    "folders", metavar="FOLDER...", nargs=-1, required=True, type=TypedPath(path_type=Path)
)
@click.option(
    "--jobs",
    type=Number(JOBS, whole=True),
    metavar="N",
    help="Tracks at a time. [default: one a processor]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
def scan(folders: tuple[Path, ...], jobs: int | None, as_json: bool) -> int:
    """Read what the tracks in folders express: valence and arousal, tempo and loudness.

    A folder means every sound file in it and below. Each is read once, by the perception that
    hears it while it plays; what was found is kept by what is in the file, so that a track which
    was moved is known again. It is a cache: without it, all is read anew.

    Valence and arousal lie between -1 and 1. How well they are known is measured: their
    correlation with what listeners say stands under the list. Set-up (F3) and the live screen (c)
    propose from it: calmer, livelier, nearer to or farther from now.

    Exits with 1 where a file could not be read, or what was found not kept.

    \b
    affetti music scan ~/Music
    affetti music scan ~/Music --json
    """
    from affetti.analyzer.commands.output import bar_of_many
    from affetti.core import terminal
    from affetti.core.errors import ExitCode
    from affetti.core.language import text
    from affetti.core.locations import cache_folder
    from affetti.recorder.music.collection import scan as scan_all
    from affetti.recorder.music.collection import tracks_in

    paths = tracks_in(folders)
    with bar_of_many(text("bar.music"), paths) as done:
        outcomes = scan_all(paths, jobs, lambda outcome: done(outcome.path))
    if as_json:
        terminal.print_json([_fields(outcome) for outcome in outcomes])
    else:
        _print(outcomes)
    if any(not outcome.is_kept for outcome in outcomes):
        terminal.say(text("music.not_kept", folder=cache_folder()), fg="yellow", err=True)
    failed = any(outcome.status == "failed" or not outcome.is_kept for outcome in outcomes)
    return ExitCode.WARNING if failed else ExitCode.OK


def _fields(outcome: "Outcome") -> dict[str, Any]:
    import msgspec

    piece, error = outcome.piece, outcome.error
    found = {} if piece is None else msgspec.to_builtins(piece.reading)
    named = {} if piece is None else {"title": piece.title, "duration_s": piece.duration_s}
    return {
        "file": str(outcome.path),
        "status": outcome.status,
        "sha256": piece.sha256 if piece else None,
        **named,
        **found,
        "error": error.message if error else None,
        "exit_code": int(error.code) if error else 0,
    }


def _print(outcomes: "list[Outcome]") -> None:
    from affetti.core import terminal
    from affetti.core.language import counted, text
    from affetti.recorder.music.wording import known_words, piece_words

    for outcome in outcomes:
        if outcome.piece is not None:
            terminal.say(piece_words(outcome.piece))
        elif outcome.error is not None:
            said = text("analyze.failed", name=outcome.path.name, message=outcome.error.message)
            terminal.say(said, fg="red", err=True)
            terminal.say(f"    {outcome.error.hint}", err=True)
    if any(outcome.piece is not None for outcome in outcomes):
        read = sum(outcome.status == "read" for outcome in outcomes)
        terminal.say(counted("music.scanned", len(outcomes), read=read))
        terminal.say(known_words())
