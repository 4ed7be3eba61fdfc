"""The power goes: what the disk was not made sure of survives by the page, or not."""

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from affetti.core.custody import keys
from affetti.core.custody.recovery import sealed
from affetti.core.recording.names import parts_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.campaign.calls import watched
from tests.campaign.session import NAME, SMALL, events, held_key, lasting_folder
from tests.conftest import SESSION_ID

_PAGE: Final = 4096
_SECTOR: Final = 512
_EVENTS: Final = len(events())
Step = tuple[Any, ...]


@dataclass
class Tape:
    """What a process did to a folder, call by call, and what it was told to be safe meanwhile."""

    folder: Path
    steps: list[Step] = field(default_factory=list)

    def before(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Write down a call."""
        match name:
            case "pwrite":
                fd, data, at = arguments
                self.steps.append(("write", _inode(fd), at, bytes(data)))
            case "ftruncate":
                self.steps.append(("size", _inode(arguments[0]), arguments[1]))
            case "posix_fallocate":
                self.steps.append(("grow", _inode(arguments[0]), arguments[2]))
            case "fsync":
                folder = os.path.isdir(f"/proc/self/fd/{arguments[0]}")
                self.steps.append(("sync folder",) if folder else ("sync", _inode(arguments[0])))
            case "link" | "rename" | "replace":
                names = [Path(os.fsdecode(each)).name for each in arguments[:2]]
                self.steps.append((name, *names))
            case "unlink":
                self.steps.append((name, Path(os.fsdecode(arguments[0])).name))

    def made(self, path: Any, fd: int) -> None:
        """Write down that a file was made."""
        self.steps.append(("make", Path(os.fsdecode(path)).name, _inode(fd)))


def _inode(fd: int) -> int:
    return os.fstat(fd).st_ino


@cache
def _key() -> keys.DataKey:
    return held_key()


@cache
def tape(encrypted: bool, schedule: int) -> Tape:
    """Return what recording and sealing the session do to the disk.

    The thread that makes sure of the disk is stood in for, so that it does so at moments which
    follow from `schedule` alone.
    """
    chance = random.Random(schedule)
    folder = lasting_folder()
    written = Tape(folder)
    with watched(written.before, written.made):
        log = PartLog(folder / NAME, SESSION_ID, SMALL, _key() if encrypted else None)
        log._durability.close()
        for event, blob in events():
            done = log.append(event, blob).seq
            if done == 0 or chance.random() < 0.2 or (log._wants_next and log._next is None):
                log._make_sure()
                written.steps.append(("told", done))
        log.close()
        written.steps.append(("told", log.safe_seq))
        seal(folder / NAME)
    return written


class Disk:
    """What a disk holds, and what it has been told and not been made sure of."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._survives = chance.choice([0.0, 0.3, 0.7, 0.95, 1.0])
        self._files: dict[int, bytearray] = {}
        self._waiting: dict[int, list[Step]] = {}
        self._names: dict[str, int] = {}
        self._renames: list[Step] = []
        self.told = -1

    def take(self, step: Step) -> None:
        """Take in the next step."""
        match step:
            case ("write" | "size" | "grow", inode, *_):
                self._waiting.setdefault(inode, []).append(step)
            case ("sync", inode):
                for each in self._waiting.pop(inode, []):
                    self._apply(each)
            case ("sync folder",):
                for each in self._renames:
                    self._rename(each)
                self._renames = []
            case ("told", seq):
                self.told = seq
            case _:
                self._renames.append(step)

    def cut(self, folder: Path) -> None:
        """Lose the power, and write what is left into a folder."""
        for steps in self._waiting.values():
            for step in steps:
                self._apply_in_part(step)
        for each in self._renames:
            if self._kept():
                self._rename(each)
        for name, inode in self._names.items():
            (folder / name).write_bytes(self._files.get(inode, b""))

    def _kept(self) -> bool:
        return self._chance.random() < self._survives

    def _apply_in_part(self, step: Step) -> None:
        if step[0] != "write":
            if self._kept():
                self._apply(step)
            return
        _, inode, at, data = step
        unit = self._chance.choice([_PAGE, _PAGE, _SECTOR])
        start = at
        while start < at + len(data):
            stop = min(at + len(data), start - start % unit + unit)
            if self._kept():
                self._apply(("write", inode, start, data[start - at : stop - at]))
            start = stop

    def _apply(self, step: Step) -> None:
        kind, inode, *what = step
        file = self._files.setdefault(inode, bytearray())
        if kind == "write":
            at, data = what
            if len(file) < at:
                file += bytes(at - len(file))
            file[at : at + len(data)] = data
        elif kind == "size" and what[0] < len(file):
            del file[what[0] :]
        else:
            file += bytes(max(0, what[0] - len(file)))

    def _rename(self, step: Step) -> None:
        match step:
            case ("make", name, inode):
                self._names[name] = inode
            case ("link", old, new) if old in self._names:
                self._names[new] = self._names[old]
            case ("rename" | "replace", old, new) if old in self._names:
                self._names[new] = self._names.pop(old)
            case ("unlink", name):
                self._names.pop(name, None)


def trial(folder: Path, seed: int, look: Callable[[Path], object] = lambda _: None) -> None:
    """Cut the power at a random moment, and recover what is left."""
    chance = random.Random(seed)
    steps = tape(seed % 3 == 2, seed % 8).steps
    disk = Disk(chance)
    for step in steps[: chance.randrange(len(steps) + 1)]:
        disk.take(step)
    work = folder / f"cut-{seed}"
    work.mkdir()
    disk.cut(work)
    look(work)
    recovered(work / NAME, disk.told)


def recovered(target: Path, told: int) -> None:
    """Recover, and demand all that was told to be safe, and a true word on the rest."""
    if not parts_of(target) and not target.exists():
        assert told < 0, "all of it is gone"
        return
    said = None
    whole = not parts_of(target)
    if not whole:
        report = sealed(target)
        if report is None:
            assert told < 0, "what was safe was taken for blank"
            return
        said, whole = report.statement, not report.recovered
    with Session.open(target) as session:
        session.verify_digest()
        kept = {e.seq for e in session.events if type(e).__name__ != "SessionRecovered"}
    lost = set(range(told + 1)) - kept
    assert not lost, f"lost though safe: {sorted(lost)[:5]} of {told}: {said}"
    if whole:
        assert kept == set(range(_EVENTS)), f"something is lost and nobody says so: {said}"
    assert not parts_of(target)
