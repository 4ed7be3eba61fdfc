"""`affetti export`: sessions as other programs read them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from affetti.analyzer.commands.arguments import ALTERED, PLAIN, SESSIONS
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.replay import Progress

NAMES = ("bids", "bids-media", "elan", "mp4", "mp4-faceless", "parquet", "textgrid", "webvtt")


@click.command()
@SESSIONS
@click.option("--to", "to", type=click.Choice(NAMES), required=True, help="The format.")
@click.option(
    "--output",
    type=TypedPath(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the files go. [default: beside each recording]",
)
@ALTERED
@PLAIN
def export(
    sessions: tuple[Path, ...], to: str, output: Path | None, altered: bool, plain: bool
) -> int:
    """Write sessions as other programs read them.

    Folders stand for the recordings in them and below. elan (.eaf), textgrid (Praat) and webvtt
    hold tracks, what was expressed and heard, what could not be seen, markers, notes and
    self-reports; parquet holds every table of the session, with all estimates and signals; bids
    holds events, segments and regular signals, of people who agreed to research use, and
    bids-media their pictures and all sound as well, as the draft BEP047 has them; mp4 is a
    film with what was said below it, mp4-faceless one in which the face that is read is drawn
    from what was recorded of it, without a picture, a voice, or what was written. README.md lists
    what each can carry. Nothing is replaced. What is written is not encrypted, which of an
    encrypted recording takes --plain, and is noted beside the recording, so that whoever
    withdraws their consent is told where it went.

    \b
    affetti export study/ --to elan
    affetti export sub-P07_ses-20261124T101500.h5 --to mp4-faceless --output films/
    """
    from affetti.analyzer.commands.many import in_turn
    from affetti.analyzer.exports import export as written
    from affetti.analyzer.recordings import recordings_in

    def work(path: Path, progress: "Progress | None") -> list[Path]:
        return written(path, to, output, progress, altered=altered, plain=plain)

    worst: int = ExitCode.OK
    for _, found in in_turn(recordings_in(sessions), work, "bar.reading"):
        if isinstance(found, AffettiError):
            worst = max(worst, found.code)
            continue
        for path in found:
            terminal.say(str(path))
    return worst
