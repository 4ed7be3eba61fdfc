"""The log of a person: what it is called, where it lies, and how it is read and added to.

It lies in the folder of recordings, or in one above: `sub-P07.person.jsonl`, or, encrypted,
`sub-P07.person.jsonl.vault`, or under a random name where names say nothing. Whoever may not read
what is there adds to another one beside it: all that can be read of a person is one log.
"""

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from affetti.core.consent import today
from affetti.core.custody import boxes
from affetti.core.custody.artefacts import ENCRYPTED_SUFFIX, OF_PERSONS, PERSON_LOG, pages_in
from affetti.core.custody.keys import DataKey
from affetti.core.custody.pages import tells_of
from affetti.core.custody.temporary import is_regular, leftovers, one_at_a_time
from affetti.core.errors import AffettiError, Damaged, VaultClosed
from affetti.core.events.people import ConsentFiled, PersonEntry
from affetti.core.people import lines
from affetti.core.people.authors import author_id
from affetti.core.people.history import AnyPersonEntry, PersonState, state_of
from affetti.core.people.person import checked_code
from affetti.core.recording.box import BoxReader, is_box
from affetti.core.recording.names import folders_in
from affetti.core.system import sync_folder

_CODED: Final = "person-"
_NAMED: Final = "sub-"
_MAX_BYTES: Final = 64 << 20
_decoder: Final[msgspec.json.Decoder[AnyPersonEntry]] = msgspec.json.Decoder(AnyPersonEntry)


@dataclass(frozen=True)
class PersonLog:
    """A log that was read.

    Attributes
    ----------
    path
        Its name where it is not encrypted.
    entries
        All of it, in order.
    key
        What it is encrypted with; None: it is not.
    """

    path: Path
    entries: tuple[AnyPersonEntry, ...]
    key: DataKey | None

    @property
    def person(self) -> str:
        """Whose it is: the code; "" of an empty one."""
        named = (entry.person for entry in self.entries if isinstance(entry, PersonEntry))
        return next(named, "")

    @property
    def place(self) -> Path:
        """Where it lies."""
        return boxes.stored_at(self.path, self.key)


def person_state(person: str, folder: Path) -> PersonState:
    """Return what is known of a person beside their recordings in a folder.

    Parameters
    ----------
    person
        The code.
    folder
        Of recordings. The log lies in it, or in the nearest one above it that has one.

    Raises
    ------
    AffettiError
        A log of the person is damaged.
    """
    return state_of(person, read(person, folder))


def read(person: str, folder: Path) -> list[AnyPersonEntry]:
    """Return the entries of a person's log, in order; see `person_state`.

    What no vault that is open may read is left out.

    Raises
    ------
    AffettiError
        A log of the person is damaged.
    """
    found = of_person(person, folder)
    return list(found[0].entries) if len(found) == 1 else lines.merged(*(f.entries for f in found))


def add(
    entries: Sequence[AnyPersonEntry],
    person: str,
    folder: Path,
    recipients: Iterable[str] = (),
    *,
    coded_name: bool = True,
) -> Path:
    """Add entries to the log of a person, and make sure of the disk; return where it lies.

    Parameters
    ----------
    entries
        In order.
    person
        The code.
    folder
        Of recordings; a log in it, or above it, goes on.
    recipients
        Public keys in letters: a new log is encrypted for them, and one that is not encrypted
        yet is from now on. One that is stays encrypted as it is.
    coded_name
        Whether the name of a new encrypted log says nothing.

    Raises
    ------
    AffettiError
        A log of the person is damaged, or a public key is none.
    OSError
        It cannot be written.
    ValueError
        An entry is of another person.
    """
    checked_code(person)
    if any(isinstance(each, PersonEntry) and each.person != person for each in entries):
        raise ValueError("an entry is of another person")
    folder.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(folder):
        log = next(iter(_nearest(person, folder)), None)
        if log is None or (log.key is None and tuple(recipients)):
            log = _begun(person, log, folder, tuple(recipients), coded_name)
        lines.append_all(log.path, entries, log.key)
    return log.place


def logs_in(folder: Path) -> tuple[list[PersonLog], list[tuple[Path, AffettiError]]]:
    """Return the logs of persons in a folder and below, and those that nobody can read."""
    found, unread = [], []
    for place in folders_in(folder):
        for path in _places(place):
            try:
                found.append(_opened(path))
            except AffettiError as error:
                unread.append((path, error))
    return found, unread


def of_one(
    person: str, folders: Iterable[Path]
) -> tuple[list[PersonLog], list[tuple[Path, AffettiError]]]:
    """Return the logs of a person in folders and below, and those that nobody can read."""
    found: list[PersonLog] = []
    unread: list[tuple[Path, AffettiError]] = []
    for folder in folders:
        theirs, closed = logs_in(folder)
        found += [log for log in theirs if log.person == person]
        unread += closed
    return found, unread


def persons_in(folder: Path) -> list[str]:
    """Return the codes of all who have a log in a folder or below that can be read."""
    return sorted({log.person for log in logs_in(folder)[0]} - {""})


def beside(log: PersonLog) -> list[Path]:
    """Return all that is kept of a person under the name of a log: the log, and its pages."""
    stem = log.path.name.removesuffix(PERSON_LOG.suffix)
    folder = log.path.parent
    named = [
        folder / name
        for name in sorted(os.listdir(folder))
        if any(each.matches(name, folder / f"{stem}.h5") for each in OF_PERSONS)
    ]
    return [*named, *leftovers(log.path), *leftovers(log.place)]


def forget(person: str, folders: Iterable[Path]) -> tuple[Path, ...]:
    """Remove the logs of a person in folders and below, and their pages; return what is gone.

    Raises
    ------
    AffettiError
        Something cannot be removed.
    """
    from affetti.core.custody.withdrawal import remove  # noqa: PLC0415  which knows of this

    places = tuple(folders)
    found = of_one(person, places)[0]
    gone = dict.fromkeys(path for log in found for path in beside(log))
    gone |= dict.fromkeys(
        page
        for place in places
        for folder in folders_in(place)
        for page in pages_in(folder, any_name=True)
        if tells_of(page, f"progress-{person}")
    )
    for path in gone:
        remove(path)
    for place in {path.parent for path in gone}:
        sync_folder(place)
    return tuple(gone)


def end_consent(person: str, folder: Path, session_id: str, scopes: Iterable[str]) -> None:
    """Take out of a person's log what rests on a consent that was withdrawn from a session.

    What is on file no longer says that it is given. Where there is no log, nothing is done.

    Raises
    ------
    AffettiError
        The log is damaged.
    OSError
        It cannot be written.
    """
    ended = frozenset(scopes)
    for log in of_person(person, folder):
        with one_at_a_time(log.path.parent):
            kept = [e for e in log.entries if not _rests_on(e, session_id, ended)]
            said = _no_longer_granted(log, session_id, ended)
            if len(kept) < len(log.entries) or said:
                _rewrite(log, [*kept, *said])


def _rests_on(entry: AnyPersonEntry, session_id: str, ended: frozenset[str]) -> bool:
    if not isinstance(entry, PersonEntry) or entry.scope not in ended:
        return False
    return getattr(entry, "session_id", None) in (None, session_id)


def _no_longer_granted(
    log: PersonLog, session_id: str, ended: frozenset[str]
) -> list[AnyPersonEntry]:
    filed = state_of(log.person, log.entries).consent
    if filed is None or ended.isdisjoint(filed.consent.granted):
        return []
    on = today()
    return [
        ConsentFiled(
            author_id=author_id(),
            person=log.person,
            consent=filed.consent.changed(ended=sorted(ended), since=on),
            on=on,
            expires=filed.expires,
            session_id=session_id,
        )
    ]


def _rewrite(log: PersonLog, entries: Sequence[AnyPersonEntry]) -> None:
    data = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
    boxes.replace(log.path, data, log.key)


def of_person(person: str, folder: Path) -> list[PersonLog]:
    """Return the logs of a person that lie in a folder, or in the nearest one above.

    Raises
    ------
    AffettiError
        One of them is damaged.
    """
    return _nearest(checked_code(person), folder)


def _nearest(person: str, folder: Path) -> list[PersonLog]:
    here = folder.absolute()
    every = (list(_theirs(person, place)) for place in (here, *here.parents))
    return next((found for found in every if found), [])


def _theirs(person: str, folder: Path) -> Iterator[PersonLog]:
    """Yield the logs of a person in a folder; of one that is named after them, what is wrong."""
    for path in _places(folder):
        named = path.name.startswith(_NAMED)
        if named and path.name.split(".")[0] != f"{_NAMED}{person}":
            continue
        try:
            log = _opened(path)
        except VaultClosed:
            continue
        except AffettiError:
            if named:
                raise
            continue
        if log.person in (person, "") if named else log.person == person:
            yield log


def _places(folder: Path) -> list[Path]:
    """Return where logs of persons lie in a folder, links not followed."""
    suffixes = (PERSON_LOG.suffix, PERSON_LOG.suffix + ENCRYPTED_SUFFIX)
    names: list[str] = []
    with suppress(OSError):
        names = sorted(os.listdir(folder))
    ours = (n for n in names if n.startswith((_NAMED, _CODED)) and n.endswith(suffixes))
    return [folder / name for name in ours if is_regular(folder / name)]


def _opened(place: Path) -> PersonLog:
    path = place.with_name(place.name.removesuffix(ENCRYPTED_SUFFIX))
    if place.stat().st_size > _MAX_BYTES:
        raise Damaged("person_log.too_long", name=place.name)
    key: DataKey | None = None
    if is_box(place):
        with BoxReader(place) as box:
            data, key = box.read(), box.key
    else:
        data = place.read_bytes()
    entries = lines.decoded(data, _decoder, "person_log.line_no_entry", place.name)
    return PersonLog(path, tuple(entries), key)


def _begun(
    person: str,
    before: PersonLog | None,
    folder: Path,
    recipients: tuple[str, ...],
    coded_name: bool,
) -> PersonLog:
    """Begin a log, or go on with one that was not encrypted as one that is."""
    from affetti.core.custody import vault  # noqa: PLC0415  which has keys, if needed

    key = vault.data_key_for(recipients)
    coded = key is not None and coded_name
    stem = f"{_CODED}{secrets.token_hex(8)}" if coded else f"{_NAMED}{person}"
    place = folder if before is None else before.path.parent
    path = place / PERSON_LOG.named(stem)
    if before is None:
        return PersonLog(path, (), key)
    boxes.write(path, before.path.read_bytes(), key)
    before.path.unlink()
    return PersonLog(path, before.entries, key)
