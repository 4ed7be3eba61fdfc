"""`affetti forget`: removes all recordings of a person, and what lies beside them."""

from pathlib import Path

import click

from affetti.core import terminal
from affetti.core.errors import AffettiError, ExitCode, FileMissing, Unsealed
from affetti.core.language import counted, text
from affetti.core.paths import TypedPath


@click.command()
@click.argument("person", metavar="PERSON")
@click.argument("folders", metavar="[FOLDER]...", nargs=-1, type=TypedPath(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(person: str, folders: tuple[Path, ...], yes: bool) -> int:
    """Remove all recordings of a person, and whatever lies beside them, for good.

    What is kept of the person beside them goes as well: goals, marker keys, consent on file.

    PERSON is the code that the recordings name. FOLDER is looked through with all below it;
    without one, the folder of the settings.

    \b
    affetti forget P07
    affetti forget P07 study/
    """
    from affetti.analyzer.commands.copies import Copies
    from affetti.core import settings
    from affetti.core.custody import withdrawal
    from affetti.core.people import log as person_log
    from affetti.core.people.person import checked_code

    code = checked_code(person)
    places = folders or (settings.load().folder,)
    waiting = withdrawal.unsealed_of(code, places)  # first: one that is sealed meanwhile is found
    found, unread = withdrawal.recordings_of(code, places)
    logs, closed = person_log.of_one(code, places)
    unread = [*unread, *closed]
    for path, error in unread:
        terminal.say(text("forget.unread", path=path, error=error.message), err=True)
    if waiting:
        raise Unsealed("forget.unsealed", paths=", ".join(path.name for path in waiting))
    if not found and not logs:
        raise FileMissing("forget.nothing", person=code)
    for path in (*found, *(log.place for log in logs)):
        terminal.say(str(path))
    stays = _told_to_stay(found)
    if not yes:
        asked = "forget.really" if found else "forget.log_really"
        terminal.confirm(counted(asked, len(found), person=code))
    failed, gone = False, set[Path]()
    copies = Copies(lambda error: terminal.say(error.message, err=True))
    for place in (*found, *(log.place for log in logs)):
        copies.read(place)
    for path in found:
        try:
            removed = withdrawal.forget(path)
            gone |= set(removed)
            for each in removed:
                terminal.say(text("withdraw.gone", path=each.name))
        except AffettiError as error:
            terminal.say(error.message, err=True)
            failed = True
    for each in person_log.forget(code, places):
        terminal.say(text("withdraw.gone", path=each.name))
    copies.tell(gone)
    return ExitCode.WARNING if failed or copies.damaged or unread or stays else ExitCode.OK


def _told_to_stay(found: "list[Path]") -> bool:
    """Say which of some recordings stay under other names; return whether any does."""
    from affetti.core.custody.withdrawal import has_another_name

    files = {path.resolve() for path in found if not path.is_symlink()}
    told = [
        text("forget.link", path=path, target=path.resolve())
        for path in found
        if path.is_symlink() and path.resolve() not in files
    ]
    told += [text("forget.second_name", path=p) for p in found if has_another_name(p, found)]
    for line in told:
        terminal.say(line, err=True)
    return bool(told)
