"""Killed before a call that changes the disk: what then happens is what is promised."""

import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from affetti.core.custody import keys, withdrawal
from affetti.core.custody.recovery import sealed
from affetti.core.custody.retention import REASON
from affetti.core.errors import UsageError
from affetti.core.recording.names import parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.campaign.ahead import written_and_sealed
from tests.campaign.calls import count, killed_before
from tests.campaign.session import ESTIMATES, NAME, events, held_key, lasting_folder, log

PHASES: Final = ("log", "ahead", "seal", "recover", "withdraw", "retention")
Action = Callable[[Path], object]
_EVENTS: Final = len(events())
_FROM_THE_BEGINNING: Final = ("log", "ahead")
_CUT_AT: Final = 250_000  # in the last part, before its last records


@cache
def _key() -> keys.DataKey:
    return held_key()


@cache
def _pristine(encrypted: bool, is_sealed: bool) -> Path:
    """Return a folder with the log of the session, or with the file that is sealed from it."""
    folder = lasting_folder()
    target = log(folder, _key() if encrypted else None)
    if is_sealed:
        seal(target)
        (folder / "session.report.html").write_text("a picture")
    return folder


def _do(phase: str, encrypted: bool) -> Action:
    match phase:
        case "log":
            return lambda folder: _logged(folder, _key() if encrypted else None)
        case "ahead":
            return lambda folder: _sealed_ahead(folder, _key() if encrypted else None)
        case "seal" | "recover":
            return lambda folder: sealed(folder / NAME)
        case "withdraw":
            return lambda folder: withdrawal.withdraw(folder / NAME, ["video"])
    return lambda folder: withdrawal.withdraw(
        folder / NAME, ["video"], reason=REASON, estimates_stay=True
    )


def _logged(folder: Path, key: keys.DataKey | None) -> None:
    """Write the log, and beside it how many events were written, in a way that a kill leaves."""
    log(folder, key, _told_beside(folder))


def _sealed_ahead(folder: Path, key: keys.DataKey | None) -> None:
    """The same, while it is sealed ahead; and seal it."""
    written_and_sealed(folder / NAME, key, _told_beside(folder))


def _told_beside(folder: Path) -> Callable[[int], object]:
    fd = os.open(folder.with_suffix(".told"), os.O_WRONLY | os.O_CREAT, 0o600)
    return lambda seq: os.writev(fd, [b"."])  # which is none of the counted calls


def _prepared(folder: Path, phase: str, encrypted: bool) -> None:
    _key()  # which a child would make for itself
    if phase in _FROM_THE_BEGINNING:
        folder.mkdir()
        return
    shutil.copytree(_pristine(encrypted, phase in ("withdraw", "retention")), folder)
    if phase == "recover":  # what broke off: its last part is cut
        last = parts_of(folder / NAME)[-1]
        data = bytearray(last.read_bytes())
        data[_CUT_AT:] = bytes(len(data) - _CUT_AT)
        last.write_bytes(data)


@cache
def calls_of(phase: str, encrypted: bool) -> int:
    """Return how many calls there are to be killed before."""
    folder = lasting_folder() / "count"
    _prepared(folder, phase, encrypted)
    return count(lambda: _do(phase, encrypted)(folder))


def trial(folder: Path, phase: str, call: int, encrypted: bool) -> None:
    """Kill a phase before one of its calls, and look at what is left and at what follows."""
    work = folder / f"{phase}-{call}"
    _prepared(work, phase, encrypted)
    killed_before(call, lambda: _do(phase, encrypted)(work))
    told = work.with_suffix(".told")
    written = told.stat().st_size if told.exists() else 0
    if phase in _FROM_THE_BEGINNING:
        _after_log(work, written)
    else:
        {"seal": _after_seal, "recover": _after_seal}.get(phase, _after_removal)(work, phase)
    shutil.rmtree(work)
    told.unlink(missing_ok=True)


def _after_log(work: Path, written: int) -> None:
    """All that was written is there, is said to be the end or not, and nothing is beside it."""
    target = work / NAME
    if parts_of(target):
        sealed(target)
    if not target.exists():
        assert not written
        return
    with Session.open(target) as session:
        session.verify_digest()
        kept = [e.seq for e in session.events if type(e).__name__ != "SessionRecovered"]
        assert session.info.recovered or len(kept) == _EVENTS
    assert kept == list(range(len(kept)))
    assert len(kept) >= written, f"{written - len(kept)} events lost"
    assert not parts_of(target)
    left = {path.name for path in work.iterdir()} - {NAME, "session.unreadable"}
    assert all(os.path.samefile(target, work / name) for name in left), left


def _after_seal(work: Path, phase: str) -> None:
    """It is sealed once, whole, and nothing is left beside."""
    target = work / NAME
    if parts_of(target):
        sealed(target)
    with Session.open(target) as session:
        session.verify_digest()
        assert phase == "recover" or len(session) == _EVENTS
        assert phase == "seal" or session.info.recovered
    left = {path.name for path in work.iterdir()} - {NAME, "session.unreadable"}
    assert not {name for name in left if not name.endswith(".writing")}, left
    assert not left or os.path.samefile(target, work / left.pop())


def _after_removal(work: Path, phase: str) -> None:
    """It went or did not, and the next time it goes, with all that lies beside."""
    target = work / NAME
    with Session.open(target) as session:
        session.verify_digest()
        frames = len(session.frames)
        assert frames in (0, 14)
    try:
        _do(phase, False)(work)
        assert frames
    except UsageError:
        assert not frames
    with Session.open(target) as session:
        session.verify_digest()
        assert not len(session.frames)
        assert bool(session.state.estimates.get(ESTIMATES)) == (phase == "retention")
    assert not (work / "session.report.html").exists()
    left = {path.name for path in work.iterdir()} - {NAME}
    assert not left or not frames, left
