"""`affetti study`: a study from its protocol to its tables."""

from pathlib import Path

import click

from affetti.core import terminal
from affetti.core.language import counted, text
from affetti.core.paths import TypedPath


@click.group()
def study() -> None:
    """Begin a study with a protocol, and hand playlists and protocols on."""


@study.command(name="new")
@click.argument("folder", metavar="DIR", type=TypedPath(file_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="What the study is called. [default: the folder]")
@click.option(
    "--playlist",
    type=TypedPath(path_type=Path),
    metavar="FILE",
    help="Its tracks: CSV, M3U or TOML. [default: the sound files in DIR and below]",
)
@click.option(
    "--from",
    "template",
    type=TypedPath(path_type=Path),
    metavar="FILE",
    help="A protocol to begin with, such as a colleague's.",
)
def new(folder: Path, name: str | None, playlist: Path | None, template: Path | None) -> None:
    """Write the protocol of a study, DIR/protocol.toml, with comments, to be filled in.

    \b
    affetti study new moods/
    affetti study new moods/ --playlist moods.csv
    affetti study new moods2/ --from colleague/protocol.toml
    affetti record --study moods/protocol.toml --person P07
    """
    from affetti.core.people.protocol_file import new_protocol, write_protocol

    made = new_protocol(folder, name, playlist, template)
    path = write_protocol(made, folder)
    tracks = counted("count.track", len(made.tracks))
    terminal.say(text("study.written", path=path, tracks=tracks))
    open_ = sum(entry.expected is None for entry in made.tracks)
    if open_:
        terminal.say(counted("study.no_expectation", open_))


@study.command(name="playlist")
@click.argument("source", metavar="FROM", type=TypedPath(path_type=Path))
@click.argument("target", metavar="TO", type=TypedPath(path_type=Path))
def playlist(source: Path, target: Path) -> None:
    """Write a playlist in another format, by the suffix of TO: .toml, .csv or .m3u8.

    What a colleague is handed is best TOML: it has everything that is said of the tracks, as CSV
    has, and paths relative to its folder. A protocol can stand in FROM as well.

    \b
    affetti study playlist moods.csv moods.toml
    """
    from affetti.core.people.playlist import read_playlist, share_playlist

    entries = read_playlist(source)
    share_playlist(target, entries)
    tracks = counted("count.track", len(entries))
    terminal.say(text("study.written", path=target, tracks=tracks))
