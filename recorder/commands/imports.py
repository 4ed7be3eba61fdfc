"""`affetti import`: recordings out of films that something else has made."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.core.numbers import JOBS, MAX_S, Number
from affetti.core.paths import TypedPath
from affetti.recorder.commands.consent import NAMES, consent_named

if TYPE_CHECKING:
    from affetti.recorder.imports.batch import Outcome
    from affetti.recorder.imports.films import Request

_AT = Number((-MAX_S, MAX_S))


@click.command("import")
@click.argument("films", metavar="FILM...", nargs=-1, required=True, type=TypedPath(path_type=Path))
@click.option(
    "--person",
    metavar="CODE",
    help="A pseudonym: letters and digits. Without it, all that is imported counts as one person, "
    "anon.",
)
@click.option(
    "--consent",
    type=click.Choice(NAMES),
    multiple=True,
    help="What the person agreed to, as of `affetti record`; give it again. Without it, consent "
    "is not stated, and wherever the recording is shown this is said.",
)
@click.option(
    "--sound",
    metavar="FILE",
    type=TypedPath(path_type=Path),
    help="The room's sound, of one film, instead of the film's own.",
)
@click.option(
    "--sound-at",
    metavar="SECONDS",
    type=_AT,
    default=0.0,
    help="When that begins in the film; below 0 where it began before it.",
)
@click.option("--music", metavar="FILE", multiple=True, help="A track that was played; again.")
@click.option("--playlist", metavar="FILE", help="Those played before them: CSV or M3U.")
@click.option(
    "--music-at",
    metavar="SECONDS",
    type=Number((0.0, MAX_S)),
    default=0.0,
    help="When the first began in the film; each follows upon the one before.",
)
@click.option(
    "--output",
    metavar="FOLDER",
    type=TypedPath(path_type=Path),
    help="Where the recordings go; of one film also FILE.h5. [default: beside each film]",
)
@click.option(
    "--jobs",
    type=Number(JOBS, whole=True),
    metavar="N",
    help="Films at a time. [default: one a processor]",
)
@click.option(
    "--keep",
    type=click.Choice(["all", "estimates"]),
    help="estimates: no picture and no sound of the room is kept, only what is estimated of them, "
    "at once. [default: as the settings say]",
)
@click.option("--json", "as_json", is_flag=True, help="Print for a machine to read.")
def import_films(
    films: tuple[Path, ...],
    person: str | None,
    consent: tuple[str, ...],
    sound: Path | None,
    sound_at: float,
    music: tuple[str, ...],
    playlist: str | None,
    music_at: float,
    output: Path | None,
    jobs: int | None,
    keep: Any,
    as_json: bool,
) -> int:
    """Make recordings out of films.

    A film becomes NAME.h5: its pictures upright, each at the time stamp that it has in the film,
    and its sound as that of the room. A folder means every film in it and below. What was
    imported before and is whole is left as it is; what was broken off is done again. The streams
    of an XDF file become signals.

    Nothing is estimated meanwhile, `affetti analyze` and `affetti report` do that, unless only
    estimates are kept. The recording says that it was imported, of which files, and what is known
    of consent.

    \b
    affetti import visit.mp4 --person P07 --consent both
    affetti import visit.mp4 --sound room.wav --sound-at 1.5 --music track.flac --music-at 60
    affetti import study/ --output recordings/ --jobs 8
    """
    from affetti.core import settings, terminal
    from affetti.core.errors import ExitCode, UsageError
    from affetti.core.language import text
    from affetti.core.paths import typed
    from affetti.core.people.playlist import PlaylistEntry, read_playlist
    from affetti.recorder.imports.batch import films_in
    from affetti.recorder.imports.films import Request

    listed = read_playlist(typed(playlist)) if playlist else ()
    request = Request(
        person=Request.person if person is None else person,
        consent=consent_named(consent, since="") if consent else None,
        output=output,
        sound=sound,
        sound_at_s=sound_at,
        music=(*listed, *(PlaylistEntry(path=str(typed(each))) for each in music)),
        music_at_s=music_at,
        settings=_keeping(settings.load(), keep),
    )
    paths = films_in(films)
    if len(paths) > 1 and (sound is not None or (output is not None and output.suffix == ".h5")):
        raise UsageError("imports.of_one")
    outcomes = [_one(paths[0], request)] if len(paths) == 1 else _many(paths, request, jobs)
    if as_json:
        terminal.print_json([_fields(outcome) for outcome in outcomes])
    else:
        _print(outcomes)
    if person is None and any(outcome.error is None for outcome in outcomes):
        terminal.say(text("imports.anonymous"), fg="yellow", err=True)
    failed = any(outcome.status == "failed" for outcome in outcomes)
    return ExitCode.WARNING if failed else ExitCode.OK


def _keeping(settings: Any, keep: str | None) -> Any:
    from msgspec.structs import replace

    return settings if keep is None else replace(settings, keep=keep)


def _one(path: Path, request: "Request") -> "Outcome":
    from affetti.analyzer.commands.output import bar
    from affetti.core.language import text
    from affetti.recorder.imports.batch import imported

    with bar(text("bar.importing", name=path.name)) as progress:
        return imported(path, request, progress)


def _many(paths: list[Path], request: "Request", jobs: int | None) -> "list[Outcome]":
    from affetti.analyzer.commands.output import bar_of_many
    from affetti.core.language import text
    from affetti.recorder.imports.batch import import_films as import_all

    with bar_of_many(text("bar.films"), paths) as done:
        return import_all(paths, request, jobs, lambda outcome: done(outcome.path))


def _fields(outcome: "Outcome") -> dict[str, Any]:
    return {
        "film": str(outcome.path),
        "status": outcome.status,
        "recording": str(outcome.recording) if outcome.recording else None,
        "error": outcome.error.message if outcome.error else None,
        "exit_code": int(outcome.error.code) if outcome.error else 0,
    }


def _print(outcomes: "list[Outcome]") -> None:
    from affetti.core import terminal
    from affetti.core.language import text

    for outcome in outcomes:
        name, recording = outcome.path.name, outcome.recording
        if outcome.error is None:
            terminal.say(text(f"import.{outcome.status}", name=name, recording=recording))
        else:
            said = text("analyze.failed", name=name, message=outcome.error.message)
            terminal.say(said, fg="red", err=True)
            terminal.say(f"    {outcome.error.hint}", err=True)
