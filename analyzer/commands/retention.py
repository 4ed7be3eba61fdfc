"""`affetti retention`: what the rule of the settings says is due to go, and its removal."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affetti.analyzer.commands.arguments import JSON
from affetti.analyzer.commands.output import bar
from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode
from affetti.core.language import counted, date, listed, size_text, text, word
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.core.custody.retention import Due, Outlook
    from affetti.core.settings import Retention


@click.command()
@click.argument("places", metavar="[PATH]...", nargs=-1, type=TypedPath(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask, but remove what is due.")
@JSON
def retention(places: tuple[Path, ...], yes: bool, as_json: bool) -> int:
    """Show which pictures and which sound are due to go, and remove them once that is confirmed.

    The settings say for how many days they are kept; the estimates of them stay:

    \b
    [retention]
    pictures_days = 30
    sound_days = 30
    [retention.persons.P07]
    pictures_days = 7

    A rule for a person replaces the one for all; 0 is for ever. What goes leaves no byte in the
    recording, which says what went and when; nothing can be computed again of it. PATH is a
    recording, or a folder with all below it; without one, the folder of the settings. Nothing is
    removed unasked, and with --json only together with --yes.

    \b
    affetti retention
    affetti retention study/ --yes
    """
    from affetti.core import settings
    from affetti.core.custody.retention import outlook

    chosen = settings.load()
    found = outlook(places or (chosen.folder,), chosen.retention)
    for path, error in found.unread:
        terminal.say(text("forget.unread", path=path, error=error.message), err=True)
    if as_json:
        failures = _carry_out(found, quiet=True) if yes else 0
        terminal.print_json(_fields(found, done=yes))
    else:
        for line in _lines(found, chosen.retention):
            terminal.say(line)
        failures = _asked(found) if found.due and not yes else _carry_out(found)
    return ExitCode.WARNING if failures or found.unread else ExitCode.OK


def _lines(found: "Outlook", rule: "Retention") -> Iterator[str]:
    if not rule.says_something:
        yield text("retention.no_rule")
        return
    for due in found.due:
        on = date(due.recorded_on.isoformat())
        yield text("retention.due", path=due.path, on=on, what=_what(due))
    if not found.due:
        yield text("retention.nothing")
    if found.next_on is not None:
        yield text("retention.next", on=date(found.next_on.isoformat()))


def _what(due: "Due") -> str:
    """Return what goes of a recording: `the pictures (4.1 GB)`."""
    return listed(
        [
            text("retention.raw", what=word("raw", each.scope), size=size_text(each.size))
            for each in due.held
        ]
    )


def _asked(found: "Outlook") -> int:
    size = size_text(sum(due.size for due in found.due))
    terminal.confirm(counted("retention.really", len(found.due), size=size))
    return _carry_out(found)


def _carry_out(found: "Outlook", quiet: bool = False) -> int:
    """Remove what is due; return of how many recordings it could not be."""
    from affetti.analyzer.commands.copies import Copies
    from affetti.core.cli import complain
    from affetti.core.custody.retention import carry_out
    from affetti.core.recording.losses import withdrawn_words

    failures, copies, gone = 0, Copies(complain), list[Path]()
    for due in found.due:
        try:
            with bar(text("bar.withdrawing", name=due.path.name)) as progress:
                done = carry_out(due, progress)
        except AffettiError as error:
            failures += 1
            complain(error)
            continue
        if not quiet:
            said = withdrawn_words(done.event)
            terminal.say(text("retention.done", name=due.path.name, said=said))
            for path in done.removed:
                terminal.say(text("withdraw.gone", path=path.name))
            copies.read(due.path)
            gone += done.removed
    if found.due and not quiet:
        copies.tell(gone)
    return failures


def _fields(found: "Outlook", *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "next_on": found.next_on and found.next_on.isoformat(),
        "due": [
            {
                "path": str(due.path),
                "person": due.person,
                "recorded_on": due.recorded_on.isoformat(),
                "scopes": list(due.scopes),
                "bytes": due.size,
            }
            for due in found.due
        ],
        "unread": [str(path) for path, _ in found.unread],
    }
