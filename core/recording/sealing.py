"""From the parts of a live recording to one sealed file, and back from a crash."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from affetti.core import place, system
from affetti.core.custody.temporary import (
    is_being_written,
    is_regular,
    is_second_name,
    leftovers,
    one_at_a_time,
    publish,
)
from affetti.core.errors import (
    AffettiError,
    Damaged,
    DiskFull,
    FileExists,
    FileMissing,
    VaultClosed,
)
from affetti.core.events import (
    SessionEnded,
    SessionRecovered,
    encode,
    major,
)
from affetti.core.language import text
from affetti.core.recording import hdf5, parts
from affetti.core.recording.ahead import Ahead
from affetti.core.recording.attributes import text_attribute
from affetti.core.recording.bounds import refuse_endless
from affetti.core.recording.draft import Draft
from affetti.core.recording.fitness import Fitness
from affetti.core.recording.losses import Losses, gaps_in, statement
from affetti.core.recording.names import DAMAGE, part_number, parts_of
from affetti.core.recording.pulse import unrecorded_s
from affetti.core.recording.records import HEADER_BYTES, Record, record_of
from affetti.core.recording.session import Session
from affetti.core.recording.survey import (
    See,
    Survey,
    Tail,
    are_blank,
    are_scraps,
    nobody_writing,
    refuse_running,
    survey,
    told_bytes,
)
from affetti.core.settings import MIB
from affetti.core.state import SessionState

Progress = Callable[[int, int], None]  # bytes done, bytes in all

_TOLD: Final = ("seq", "t_ns", "kind", "stream", "scopes", "crc32")


@dataclass(frozen=True)
class SealReport:
    """What became of a recording's parts."""

    path: Path
    recovered: bool
    lost_s: float
    statement: str  # for a person
    whole: bool = True  # nothing is missing but, where it broke off, the end


@dataclass(frozen=True)
class _Plan:
    """What is to be sealed: the fit of the surveyed records, and what is said of the others."""

    found: Survey
    fit: NDArray[np.bool_]
    losses: Losses
    closing: SessionRecovered | None  # None where nothing at all was lost
    state: SessionState  # after the last of them

    @property
    def rows(self) -> NDArray[Any]:
        return self.found.rows[self.fit]

    @property
    def last_words(self) -> Record | None:
        if self.closing is None:
            return None
        kind, json = type(self.closing).__name__, encode(self.closing)
        return record_of(self.closing.seq, self.closing.t_ns, kind, json, b"")


def seal(target: Path, progress: Progress | None = None, ahead: Ahead | None = None) -> SealReport:
    """Make one sealed file of the parts of `target`, verify it, and put them away.

    A log with a gap, with anything that could not be read, or without a `SessionEnded`, gets a
    `SessionRecovered` that says what was lost. A part is removed once each of its records
    was read back from the sealed file; one that holds anything else is moved to the folder
    `NAME.unreadable`.

    Parameters
    ----------
    target
        The sealed file to make. It must not exist, unless it is this very recording, sealed
        before a crash could put the parts away.
    progress
        Called with the bytes done and the bytes in all.
    ahead
        What was sealed of it while it was recorded; it is closed.

    Raises
    ------
    AffettiError
        There is nothing that can be sealed, it is being recorded, a part cannot be read for
        now, the file exists, or the disk is full. The parts stay as they are.
    """
    with closing(ahead) if ahead else nullcontext(), one_at_a_time(target.parent):
        if os.path.lexists(target) and not parts_of(target):
            return _sealed_meanwhile(target)  # by another process
        return _seal(target, progress, ahead)


def discard_blank(target: Path) -> bool:
    """Clear away what is left of a start that never came to its first event.

    Blank parts are removed. Those that hold a piece of a first record, which the disk did not take
    as a whole, are moved to the folder `NAME.unreadable`.

    Returns
    -------
    False where there is no such thing, or any record in it; then it stays.
    """
    with one_at_a_time(target.parent):
        left = tuple(parts_of(target))
        inodes = {path: parts.inode_of(path.lstat()) for path in left}
        with nobody_writing(left) as alone:
            if not left or not alone:
                return False
            if are_blank(left):
                parts.remove(inodes)
            elif are_scraps(left):
                for part in left:
                    _moved(part, target)
            else:
                return False
        return True


def _sealed_meanwhile(target: Path) -> SealReport:
    with Session.open(target) as session:
        info = session.info
    said = " ".join(filter(None, (text("sealing.already_tidy"), info.recovery)))
    return SealReport(target, info.recovered, info.lost_s, said)


def _seal(target: Path, progress: Progress | None, ahead: Ahead | None) -> SealReport:
    if os.path.lexists(target):
        return _finish_interrupted(target, _surveyed(target))
    refuse_running(target)
    size = told_bytes(target)
    begun = ahead.take() if ahead else None
    with begun or Draft(target) as draft:
        kept = [left for left in _tidied(target) if left != draft.path]
        _refuse_without_room(target, size - draft.size)
        meter = _Meter(progress, 2 * size, draft.size)
        draft.told = meter.add
        found = _surveyed(target, draft.see, ahead.tails if begun and ahead else {})
        judged = draft.judged(found)
        plan = _planned(target, found, judged or _judged(found))
        if judged is not None:
            return _sealed(target, plan, draft, meter, kept)
    meter = _Meter(progress, 2 * int(plan.rows["length"].sum()))
    with Draft(target, meter.add) as draft:
        with _failing(target):
            draft.copy(found, plan.fit)
        return _sealed(target, plan, draft, meter, kept)


def _surveyed(
    target: Path, see: See | None = None, tails: Mapping[Path, Tail] = MappingProxyType({})
) -> Survey:
    found = survey(target, see, tails)
    major(found.schema_version)
    return found


def _sealed(
    target: Path, plan: _Plan, draft: Draft, meter: "_Meter", kept: list[Path]
) -> SealReport:
    """Complete the sealed file, read back from it all that was fit, and put the parts away."""
    with _failing(target):
        draft.finish(plan.last_words)
        with Session.open(draft.path) as session:
            _read_back(session, plan, meter)
        publish(draft.path, target)
    left = _named(_without_copies(kept, target))
    said = statement(plan.closing, plan.state) if plan.closing else text("sealing.whole")
    return SealReport(
        target,
        plan.closing is not None,
        plan.closing.lost_s if plan.closing else 0.0,
        said + _put_away(target, plan.found, plan.fit) + left,
        not plan.losses.inside,
    )


@contextmanager
def _failing(target: Path) -> Iterator[None]:
    """Turn whatever keeps the sealed file from being made into one clear error."""
    try:
        yield
    except (*DAMAGE, AffettiError) as error:
        raise _seal_failed(target, error) from error


def _read_back(session: Session, plan: _Plan, meter: "_Meter") -> None:
    """Compare a sealed file with the parts that it was made of.

    Its digest is over the very bytes that came out of the parts, each record compared with its
    check sum there; so that what agrees with both need not be compared with the parts once more.

    Raises
    ------
    AffettiError, OSError
        It is not what was written.
    """
    if not _is_told_alike(session.index, plan):
        raise OSError("what was written is not what is read back")
    session.verify_digest(lambda size: meter.add(HEADER_BYTES + size))


def _is_told_alike(index: NDArray[Any], plan: _Plan) -> bool:
    """Whether the index of a sealed file says of each record what the parts say of it."""
    rows, last = plan.rows, plan.last_words
    if len(index) != len(rows) + (last is not None):
        return False
    if last is not None:
        *head, json_length, _, crc32 = _header(last)
        names = ("seq", "t_ns", "kind", "stream", "scopes", "length", "crc32")
        if index[-1][list(names)].item() != (*head, json_length, crc32):
            return False
    index = index[: len(rows)]
    lengths = HEADER_BYTES + index["length"].astype(np.int64) + index["blob_length"]
    return (
        all(np.array_equal(index[name], rows[name]) for name in _TOLD)
        and np.array_equal(index["length"], rows["json_length"])
        and np.array_equal(lengths, rows["length"])
    )


def _header(record: Record) -> tuple[Any, ...]:
    """Return all of a record but its bytes, as the rows of parts have it."""
    texts = record.kind.encode(), record.stream.encode(), record.scopes.encode()
    lengths = len(record.json), HEADER_BYTES + len(record.json) + len(record.blob)
    return (record.seq, record.t_ns, *texts, *lengths, record.crc32)


def _planned(target: Path, found: Survey, judged: tuple[NDArray[np.bool_], Fitness]) -> _Plan:
    """Return what is to be sealed of the parts.

    Raises
    ------
    AffettiError
        Nothing can be.
    """
    fit, fitness = judged
    if fitness.state.started is None:
        raise _nothing_to_seal(target, found)
    refuse_endless(target, fitness.state)
    losses = _losses(found, fit, fitness)
    whole = not (losses.broke_off or losses.inside)
    state = fitness.state
    closing = None if whole else _recovery(found, losses, state)
    return _Plan(found, fit, losses, closing, state)


def _judged(found: Survey) -> tuple[NDArray[np.bool_], Fitness]:
    fitness = Fitness(found.session_id, found.schema_version)
    try:
        fit = np.fromiter(map(fitness.admits, found.records()), bool, len(found.rows))
    except OSError as error:
        raise FileMissing("sealing.parts_cannot_read_now", error=error) from error
    return fit, fitness


def _nothing_to_seal(target: Path, found: Survey) -> AffettiError:
    if all(found.whole) and not len(found.named):
        return Damaged("sealing.parts_hold_no_event", target=target.name)
    if not len(found.rows):
        return Damaged("sealing.none_parts_can_read", target=target.name)
    return Damaged("sealing.parts_not_say_whose", target=target.name)


def _losses(found: Survey, fit: NDArray[np.bool_], fitness: Fitness) -> Losses:
    rows = found.rows[fit]
    gaps = gaps_in(rows, int(found.named["seq"].max()) + 1)
    ended = isinstance(fitness.last, SessionEnded) and (not gaps or gaps[-1].to_ns is not None)
    numbers = [part_number(path) or 0 for path in found.parts]
    unreadable = [n for n, good in zip(numbers, _readable(found, fit), strict=True) if not good]
    missing = set(range(1, max(numbers))) - set(numbers)
    end_s = None if ended else unrecorded_s(found.beat, fitness.state.now_ns)
    unknown = not ended and end_s is None
    return Losses(gaps, tuple(sorted(missing)), tuple(unreadable), end_s, unknown)


def _readable(found: Survey, good: NDArray[np.bool_]) -> list[bool]:
    """Return of each part whether nothing in it was unreadable and all of its records are good."""
    bad = {int(part) for part in np.unique(found.part_of[~good])}
    return [whole and part not in bad for part, whole in enumerate(found.whole)]


def _held(session: Session, found: Survey, meter: "_Meter") -> NDArray[np.bool_]:
    """Return which of the surveyed records a sealed file holds, byte for byte.

    Raises
    ------
    AffettiError, OSError
        The sealed file is not what its check sums say, or a part cannot be read.
    """
    held = np.zeros(len(found.rows), bool)
    surveyed = enumerate(found.records())
    i, ours = next(surveyed, (0, None))
    for record in session.verified_records():
        meter.add(len(record.json) + len(record.blob) + HEADER_BYTES)
        while ours is not None and ours.seq < record.seq:
            i, ours = next(surveyed, (0, None))
        if ours is not None and ours == record:
            held[i] = True
    return held


def _put_away(target: Path, found: Survey, held: NDArray[np.bool_]) -> str:
    """Remove the parts whose every record is sealed, and move the others; say which.

    What cannot be put away stays for the next time.
    """
    good = {part for part, whole in zip(found.parts, _readable(found, held), strict=True) if whole}
    try:
        for part, inode in found.inodes.items():
            if os.path.lexists(part):
                parts.refuse_another(part, inode)
        moved = [_moved(part, target) for part in found.parts if part not in good]
        parts.remove({part: found.inodes[part] for part in found.parts if part in good})
    except OSError as error:
        return " " + text("sealing.not_put_away", error=error.strerror)
    if not moved:
        return ""
    names = ", ".join(path.name for path in moved)
    return " " + text("sealing.kept", folder=moved[0].parent.name, names=names)


def _moved(part: Path, target: Path) -> Path:
    """Move a part to the folder for those that could not be read; nothing is overwritten."""
    folder = _unreadable_folder(target)
    for number in count(1):
        name = part.name if number == 1 else f"{part.stem}-{number}.h5"
        with suppress(FileExistsError):
            publish(part, folder / name)
            break
    system.sync_folder(part.parent)
    return folder / name


def _unreadable_folder(target: Path) -> Path:
    for number in count(1):
        folder = target.with_name(f"{target.stem}.unreadable" + (f"-{number}" * (number > 1)))
        if not os.path.lexists(folder):
            folder.mkdir()
            break
        if folder.is_dir() and not folder.is_symlink():
            break
    return folder


def _tidied(target: Path) -> list[Path]:
    """Remove what a killed sealing of `target` left; return what may be more than that.

    Only a second name of the sealed file itself, and a file with a name of ours that was never
    completed, are known to hold nothing of their own: the parts are there.
    """
    kept = []
    old = target.with_name(f"{target.stem}.sealing")  # as version 0.1.0 called it, or anybody
    for left in leftovers(target) + ([old] if is_regular(old) else []):
        ours = left != old and left.lstat().st_nlink == 1
        if is_second_name(left, target) or (ours and _is_unfinished(left)):
            left.unlink()
        else:
            kept.append(left)
    return kept


def _without_copies(left: list[Path], target: Path) -> list[Path]:
    """Remove what sealing had made when it was killed, if all of it is in the sealed file."""
    kept = []
    for path in left:
        if _is_copy(path, target):
            path.unlink()
        else:
            kept.append(path)
    return kept


def _is_copy(path: Path, target: Path) -> bool:
    """Whether every record of a whole file is in another, byte for byte."""
    try:
        if is_being_written(path):
            return False
        with Session.open(path) as old, Session.open(target) as new:
            theirs = new.verified_records()
            return all(
                record == next((each for each in theirs if each.seq >= record.seq), None)
                for record in old.verified_records()
            )
    except (*DAMAGE, AffettiError):
        return False


def _is_unfinished(path: Path) -> bool:
    """Whether sealing broke off before the file was whole: what it is, is written last."""
    try:
        if is_being_written(path):
            return False
        with hdf5.to_read(path) as file:
            return not text_attribute(file, "format")
    except Damaged:
        return True  # its table comes last
    except VaultClosed:
        return False
    except OSError as error:
        return error.errno is None  # it could be read, and HDF5 finds it broken off
    except (RuntimeError, KeyError, ValueError):
        return True


def _named(kept: list[Path]) -> str:
    names = ", ".join(path.name for path in kept)
    return " " + text("sealing.left_alone", names=names) if kept else ""


class _Meter:
    def __init__(self, progress: Progress | None, total: int, done: int = 0) -> None:
        self._progress, self._total, self._done = progress, total, done
        self._told = 0

    def add(self, size: int) -> None:
        self._done += size
        if self._progress is not None and self._done - self._told >= MIB:
            self._told = self._done
            self._progress(min(self._done, self._total), self._total)


def _refuse_without_room(target: Path, size: int) -> None:
    free = system.free_bytes(target.parent)
    if free is not None and free < size + 4 * MIB:
        raise DiskFull("sealing.disk_no_room_seal", target=target, size=size / MIB)


def _seal_failed(target: Path, error: Exception) -> AffettiError:
    kind: type[AffettiError] = FileMissing if place.is_trouble(error) else Damaged
    kind = DiskFull if "No space" in str(error) else kind
    return kind("sealing.failed", target=target.name, error=error, path=target)


def _finish_interrupted(target: Path, found: Survey) -> SealReport:
    """Put away the parts of a recording that was sealed already; refuse any other."""
    fit, _ = _judged(found)
    try:
        with Session.open(target) as session:
            if session.started.session_id != found.session_id and found.session_id:
                raise FileExists("sealing.another", target=target)
            held = _held(session, found, _Meter(None, 0))
            info = session.info
    except (*DAMAGE, AffettiError) as error:
        raise FileExists("sealing.another", target=target) from error
    lacking = int((fit & ~held).sum())
    if lacking:
        raise FileExists("sealing.lacks", target=target, count=lacking)
    left = _named(_without_copies(_tidied(target), target))
    moved = _put_away(target, found, held)
    said = text("sealing.already") + moved if moved else text("sealing.already_tidy")
    if info.recovery:
        said += f" {info.recovery}"
    return SealReport(target, info.recovered, info.lost_s, said + left, not moved)


def _recovery(found: Survey, losses: Losses, state: SessionState) -> SessionRecovered:
    return losses.event(state.now_ns, int(found.named["seq"].max()) + 1)
