"""`affetti person`: what is kept of a person beside their recordings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.core.people.history import PersonState

_PERSON = click.argument("person", metavar="PERSON")
_FOLDER = click.option(
    "--folder",
    type=TypedPath(path_type=Path),
    metavar="FOLDER",
    help="Of recordings, beside which it lies. [default: as the settings say]",
)


@click.group()
def person() -> None:
    """Goals, marker keys, consent on file: what is kept of a person beside their recordings.

    It is shown and changed on the person's page, F4 in `affetti`.
    """


@person.command()
@_PERSON
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print for a machine to read.")
def show(person: str, folder: Path | None, as_json: bool) -> None:
    """Show what is kept of a person.

    \b
    affetti person show P07
    """
    from affetti.core import settings, terminal
    from affetti.core.people.log import person_state

    state = person_state(person, folder or settings.load().folder)
    if as_json:
        terminal.print_json(_fields(state))
        return
    from affetti.recorder.tui.person_words import sections

    for heading, lines in sections(state):
        terminal.say(heading)
        for line in lines:
            terminal.say(f"  {line.words}")


def _fields(state: "PersonState") -> dict[str, Any]:
    import msgspec

    fields = msgspec.to_builtins(
        {
            "person": state.person,
            "goals": [
                {
                    "goal_id": goal.goal_id,
                    "words": goal.words,
                    "state": goal.state,
                    "set_on": goal.set_on,
                    "since": goal.since,
                    "dropped": goal.dropped,
                }
                for goal in state.goals.values()
            ],
            "markers": state.markers,
            "markers_name": state.markers_name,
            "scales": state.scales,
            "after_tracks": state.after_tracks,
            "playlists": state.playlists,
            "consent": state.consent,
            "neutral": state.neutral,
            "labels": list(state.labels.values()),
        }
    )
    return dict(fields)


@person.group()
def markers() -> None:
    """Marker keys of a person, shared as a TOML file between people and colleagues."""


@markers.command()
@_PERSON
@click.argument("file", metavar="FILE", type=TypedPath(dir_okay=False, path_type=Path))
@_FOLDER
def export(person: str, file: Path, folder: Path | None) -> None:
    """Write the marker keys of a person to a new file, which says nothing of the person.

    \b
    affetti person markers export P07 voice.toml
    """
    from affetti.core import settings, terminal
    from affetti.core.errors import UsageError
    from affetti.core.language import counted
    from affetti.core.people.log import person_state
    from affetti.core.people.marker_sets import MarkerSet, write_set

    state = person_state(person, folder or settings.load().folder)
    if not state.markers:
        raise UsageError("markers.none", person=person)
    write_set(file, MarkerSet(state.markers, state.markers_name))
    terminal.say(counted("markers.exported", len(state.markers), path=file))


@markers.command("import")
@_PERSON
@click.argument("file", metavar="FILE", type=TypedPath(dir_okay=False, path_type=Path))
@_FOLDER
def import_(person: str, file: Path, folder: Path | None) -> None:
    """Take the marker keys of a file for a person, in place of those that there were.

    Keys that the live screen has a use for itself are refused.

    \b
    affetti person markers import P07 voice.toml
    """
    from msgspec.structs import replace

    from affetti.core import settings, terminal
    from affetti.core.language import counted
    from affetti.core.people.person import checked_code
    from affetti.recorder.tui.person import import_markers

    chosen = settings.load()
    if folder is not None:
        chosen = replace(chosen, sessions_folder=str(folder.absolute()))
    taken = import_markers(checked_code(person), file, chosen)
    terminal.say(counted("markers.imported", len(taken.markers), person=person))
