"""Consent that ends after a recording: what rested on it leaves the file, and what lies beside.

A recording from which something is withdrawn is written anew from the records that stay, each
with the digest it was sealed with; of the others their digests stay, without the salts. So the
log can be verified as before, nobody can guess what was removed, and no byte of it is in the
file. A `Withdrawn` at its end says what went, when and why.

An estimate goes with what it was made from. Those made later of the same modality go as well:
perception has a memory, of whose face is read, say, or how quiet the room is. From the pictures
and the sound that stay they can be computed again.
"""

import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core import place, system
from affetti.core.clock import NS_PER_S
from affetti.core.consent import today
from affetti.core.custody import pages
from affetti.core.custody.artefacts import (
    ANALYSIS,
    COPY,
    PAGES,
    PART,
    RECORDING,
    UNREADABLE,
    beside,
    indexes_over,
)
from affetti.core.custody.standing import standing
from affetti.core.custody.temporary import (
    drop,
    is_being_written,
    is_regular,
    is_second_name,
    leftovers,
    name_beside,
    one_at_a_time,
)
from affetti.core.errors import (
    AffettiError,
    Damaged,
    DiskFull,
    FileMissing,
    Unsealed,
    UsageError,
    VaultClosed,
)
from affetti.core.events import (
    IDENTITY,
    SIGNALS,
    USES,
    AnyEvent,
    AudioCaptured,
    EmotionFused,
    Estimate,
    EstimateSkipped,
    FaceEstimated,
    FrameCaptured,
    MusicEstimated,
    SessionStarted,
    UnknownEvent,
    Withdrawn,
    decode,
    encode,
)
from affetti.core.people import log as person_log
from affetti.core.recording import hdf5
from affetti.core.recording.integrity import REMOVED_ROW, SALT_BYTES
from affetti.core.recording.names import one_of_each, sealed_in, unsealed_in
from affetti.core.recording.records import Record, record_of
from affetti.core.recording.session import Session
from affetti.core.recording.survey import survey
from affetti.core.recording.writer import SealedWriter
from affetti.core.settings import MIB
from affetti.core.streams import ROOM, VIDEO

Progress = Callable[[int, int], None]  # records done, records in all

_LATEST: Final = 4  # estimates of music that a fused one may rest on: more than come in its time
_OURS: Final = frozenset({"face", "music"})


@dataclass(frozen=True)
class Withdrawal:
    """What became of a recording.

    Attributes
    ----------
    path
        The recording.
    event
        What it says of it itself.
    removed
        What lay beside it and is gone, too.
    """

    path: Path
    event: Withdrawn
    removed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _What:
    """What is withdrawn."""

    scopes: frozenset[str]
    start_ns: int
    stop_ns: int | None
    rates_hz: dict[str, int]  # of sounds
    estimates_stay: bool = False
    gone: set[int] = field(default_factory=set)  # `seq` of all that goes
    room: deque[bool] = field(default_factory=lambda: deque(maxlen=_LATEST))  # music was of it

    def takes(self, record: Record, event: AnyEvent | UnknownEvent) -> bool:
        """Whether a record goes; asked of each, in order."""
        if isinstance(event, MusicEstimated):
            self.room.append(ROOM in record.scopes.split(","))
        goes = self._takes(record, event)
        if goes:
            self.gone.add(record.seq)
        return goes

    def _takes(self, record: Record, event: AnyEvent | UnknownEvent) -> bool:
        needs = not self.scopes.isdisjoint(record.scopes.split(","))
        if self.estimates_stay and not isinstance(event, FrameCaptured | AudioCaptured):
            return False
        match event:
            case EstimateSkipped(of_seq=of_seq):
                return of_seq in self.gone
            case Estimate():
                return event.t_ns >= self.start_ns and (needs or self._rests_on(event))
        return needs and self._overlaps(event)

    def _rests_on(self, estimate: Estimate) -> bool:
        match estimate:
            case FaceEstimated():
                return IDENTITY in self.scopes
            case EmotionFused(decided_by_all=modalities):
                rests: set[str] = {VIDEO, IDENTITY} if "face" in modalities else set()
                rests |= {ROOM} if "music" in modalities and any(self.room) else set()
                rests |= {SIGNALS} if not _OURS.issuperset(modalities) else set()
                return not self.scopes.isdisjoint(rests)
        return False

    def _overlaps(self, event: AnyEvent | UnknownEvent) -> bool:
        end_ns = event.t_ns
        if isinstance(event, AudioCaptured):
            end_ns += event.count * NS_PER_S // self.rates_hz[event.stream]
        before = self.stop_ns is not None and event.t_ns >= self.stop_ns
        return not before and (end_ns > self.start_ns or event.t_ns >= self.start_ns)


def scopes_in(session: Session) -> tuple[str, ...]:
    """Return the scopes of consent that something in a recording rests on, or its use does."""
    consent = session.state.consent
    there = {s.scope for s in session.state.streams.values() if s.scope}
    read = consent.grants(IDENTITY) and VIDEO in there
    uses = (scope for scope in USES if consent.grants(scope))
    return (*sorted(there), *((IDENTITY,) if read else ()), *uses)


def withdraw(
    path: Path,
    scopes: Iterable[str],
    *,
    start_ns: int = 0,
    stop_ns: int | None = None,
    reason: str = "",
    estimates_stay: bool = False,
    progress: Progress | None = None,
) -> Withdrawal:
    """Remove from a recording all that rests on some scopes of consent.

    What can be made again of it and lies beside, its analyses and its report, is removed as well,
    and so is what could not be read when it was sealed, and what the person's log says of it.

    Parameters
    ----------
    path
        A sealed recording.
    scopes
        Of consent, such as "video".
    start_ns, stop_ns
        Which stretch of the session is meant; by default all of it.
    reason
        In one's own words; it stays in the recording.
    estimates_stay
        Whether only pictures and sound go, and what was estimated of them stays: see
        `custody.retention`.
    progress
        Called with the records done and the records in all.

    Raises
    ------
    AffettiError
        It is no recording, was altered, or holds nothing that rests on them; a stretch is given
        of what is agreed to for the whole, such as "research"; it is not sealed;
        it has another name, where all would stay; or the disk has no room for both. The recording
        is as it was then.
    """
    _refuse_parts(path)
    _refuse_other_names(path)
    with Session.open(path) as session:
        chosen = frozenset(scopes) & frozenset(scopes_in(session))
        if not chosen:
            raise UsageError("withdrawal.nothing", path=path.name)
        if not chosen.isdisjoint(USES) and (start_ns or stop_ns is not None):
            raise UsageError("withdrawal.use_of_a_stretch")
        _refuse_without_room(path)
        rates = {name: each.form.rate_hz for name, each in session.streams.items() if each.channels}
        what = _What(chosen, start_ns, stop_ns, rates, estimates_stay)
        temporary = name_beside(path)
        try:
            with place.told(path):
                event = _write(temporary, session, what, reason, progress)
            if not os.path.lexists(temporary):  # another withdrawal took it for a killed one's
                raise FileMissing("page.changed_meanwhile", path=path.name)
            _verify(temporary, event)
            # First what lies beside: when this breaks off, the recording asks for it again.
            if not estimates_stay:
                person_log.end_consent(
                    session.started.person, path.parent, session.session_id, chosen
                )
            with standing([session.source]):
                session_id = session.session_id
                # What is open can be neither removed, by any of its names, nor replaced everywhere.
                session.close()
                removed = _removed_beside(path, temporary, estimates_stay)
                removed += _removed_pages(path, session_id)
                os.replace(temporary, path)
            system.sync_folder(path.parent)
        finally:
            drop(temporary)
    return Withdrawal(path, event, removed)


def _refuse_parts(path: Path) -> None:
    if any(found.artefact is PART for found in beside(path)):
        raise Unsealed("withdrawal.parts", path=path.name)


def _refuse_other_names(path: Path) -> None:
    if path.is_symlink():
        raise UsageError("withdrawal.link", path=path.name, target=os.path.realpath(path))
    if has_another_name(path, [path]):
        raise UsageError("withdrawal.second_name", path=path.name, whole=path.absolute())


def has_another_name(path: Path, names: Iterable[Path]) -> bool:
    """Whether a file is on the disk under more names than these, what a kill left aside."""
    if not is_regular(path):
        return False
    known = {each.absolute() for each in names if is_second_name(each, path)}
    known |= {each for each in leftovers(path.absolute()) if is_second_name(each, path)}
    return path.lstat().st_nlink > len(known)


def _refuse_without_room(path: Path) -> None:
    size = path.stat().st_size
    free = system.free_bytes(path.parent)
    if free is not None and free < size + 4 * MIB:
        raise DiskFull("withdrawal.no_room", path=path.name, size=size / MIB)


def _write(
    temporary: Path, session: Session, what: _What, reason: str, progress: Progress | None
) -> Withdrawn:
    kinds = _gone(session, what)
    if not what.gone and what.scopes.isdisjoint(USES):
        raise UsageError("withdrawal.nothing", path=session.path.name)
    event = Withdrawn(
        t_ns=session.state.now_ns,
        seq=session.last_seq + 1,
        scopes=tuple(sorted(what.scopes)),
        from_ns=what.start_ns,
        to_ns=what.stop_ns,
        on=today(),
        reason=reason,
        removed=dict(sorted(kinds.items())),
        log_sha256=session.log_sha256,
        estimates_stay=what.estimates_stay,
    )
    last = record_of(event.seq, event.t_ns, type(event).__name__, encode(event), b"")
    with hdf5.created(temporary, session.key, libver="earliest") as file:
        writer = SealedWriter(file, session.schema_version, _rows_of(session, what.gone))
        total = len(session)
        digests = zip(session.verified_records(), session.digests, strict=True)
        for done, (record, sealed) in enumerate(digests, start=1):
            if record.seq not in what.gone:
                writer.add(record, sealed)
            if progress is not None:
                progress(done, total)
        writer.add(last)
        writer.finish()
    return event


def _gone(session: Session, what: _What) -> Counter[str]:
    """Return of what goes how many there are of each kind."""
    every = zip(session.records(), session.events, strict=True)
    return Counter(record.kind for record, event in every if what.takes(record, event))


def _rows_of(session: Session, gone: set[int]) -> NDArray[Any]:
    """Return the digests, without salts, of all that goes now and that went before."""
    goes = np.isin(session.seqs, list(gone))
    going = np.empty(int(goes.sum()), REMOVED_ROW)
    going["seq"], going["sha256"] = session.seqs[goes], session.digests[goes, SALT_BYTES:]
    rows = np.concatenate([session.removed, going])
    return np.asarray(rows[np.argsort(rows["seq"], kind="stable")])


def _verify(temporary: Path, event: Withdrawn) -> None:
    with Session.open(temporary) as written:
        written.verify_digest()
        if written.chain_sha256(event.seq) != event.log_sha256:
            raise Damaged("withdrawal.not_the_same_log", path=temporary.name)


def _removed_beside(path: Path, ours: Path, estimates_stay: bool) -> tuple[Path, ...]:
    """Remove what lies beside a recording and may hold what was withdrawn; return what that was.

    What a killed run left of writing it goes, too: it may be a second name of the very file.
    """
    kinds = (*PAGES, COPY, UNREADABLE, *(() if estimates_stay else (ANALYSIS,)))
    found = [each.path for each in beside(path) if each.artefact in kinds]
    left = [each for each in leftovers(path) if each != ours and not is_being_written(each)]
    for each in (*found, *left):
        remove(each)
    return tuple(found)


def _removed_pages(path: Path, session_id: str) -> tuple[Path, ...]:
    """Remove the pages that tell of a session, whatever they are called; return which they were.

    The page of the next session says what the face did in this one. It can be made again.
    """
    found = tuple(pages.telling_of(path, session_id))
    for page in found:
        remove(page)
    return found


def recordings_of(
    person: str, folders: Iterable[Path]
) -> tuple[list[Path], list[tuple[Path, AffettiError]]]:
    """Return the sealed recordings of a person in folders and below, and those nobody can read.

    What was altered is read all the same: whose it is, it still says. One that lies there by
    several names is returned by each of them: all have to go.
    """
    found, unread = [], []
    for path in dict.fromkeys(each for folder in folders for each in sealed_in(folder)):
        try:
            with Session.open(path, altered=True) as session:
                if session.started.person == person:
                    found.append(path)
        except AffettiError as error:
            unread.append((path, error))
    return found, unread


def unsealed_of(person: str, folders: Iterable[Path]) -> list[Path]:
    """Return the unsealed recordings in folders and below that are named after a person.

    Those whose names say nothing are looked into.

    Raises
    ------
    AffettiError
        One of them is encrypted, and no vault that may read it is open.
    """
    every = one_of_each(each for folder in folders for each in unsealed_in(folder))
    return [path for path in every if _is_of(path, person)]


def _is_of(unsealed: Path, person: str) -> bool:
    if unsealed.name.startswith("sub-"):
        return unsealed.name.startswith(f"sub-{person}_")
    try:
        found = survey(unsealed)
        first = next(found.records(), None)
        event = None if first is None else decode(first.json, found.schema_version)
    except VaultClosed:
        raise
    except (OSError, AffettiError):  # is being recorded, or cannot be read: it is not known whose
        return False
    return isinstance(event, SessionStarted) and event.person == person


def forget(path: Path) -> tuple[Path, ...]:
    """Remove a recording and all that lies beside it; return what is gone.

    Raises
    ------
    AffettiError
        Something could not be removed. The recording itself goes last.
    """
    session_id = _session_in(path)
    with one_at_a_time(path.absolute().parent):
        found = sorted(beside(path), key=lambda each: each.artefact is RECORDING)
        told = _removed_pages(path, session_id) if session_id else ()
        for index in indexes_over(path):  # can be made again, of what is left
            remove(index)
        for each in found:
            remove(each.path)
    system.sync_folder(path.parent)
    return tuple(dict.fromkeys((*(each.path for each in found), *told)))


def _session_in(path: Path) -> str:
    """Return which session a recording is of; "" where it cannot be read."""
    try:
        with Session.open(path, altered=True) as session:
            return session.session_id
    except AffettiError:
        return ""


def remove(path: Path) -> None:
    """Remove a file, or a folder with all in it; of a link, the link.

    Raises
    ------
    AffettiError
        It cannot be removed.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise FileMissing("withdrawal.cannot_remove", path=path, error=error) from error
