import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from affetti.core.custody.recovery import sealed
from affetti.core.custody.temporary import name_beside
from affetti.core.errors import AffettiError, ExitCode, Unsealed
from affetti.core.events import SessionRecovered
from affetti.core.recording import parts, sealing
from affetti.core.recording import survey as survey_module
from affetti.core.recording.names import part_path, parts_of, target_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.pulse import BEAT, packed
from affetti.core.recording.sealing import discard_blank, seal
from affetti.core.recording.session import Session
from affetti.core.settings import LogSettings
from tests.conftest import NS, SESSION_ID, small_session, started

pytestmark = pytest.mark.one_of_each

WriteLog = Callable[..., Path]
ROOT = Path(__file__).parents[2]


def test_a_clean_end_is_sealed_without_a_word_of_loss(write_log: WriteLog) -> None:
    target = write_log()
    report = seal(target)
    assert not report.recovered
    assert report.lost_s == 0
    assert not parts_of(target)
    with Session.open(target) as session:
        session.verify_digest()
        assert session.info.end_reason == "stopped"
        assert not session.info.recovered


def broken_off(folder: Path, alive_s: float | None) -> Path:
    """A log whose last record is of 4.0 s, and that was alive until `alive_s`."""
    target = folder / "session.h5"
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8, part_s=5))
    if alive_s is not None:
        log.live_by(lambda: round(alive_s * NS))
    for event, blob in small_session(ended=False):
        log.append(event, blob)
    log.close()
    return target


def test_a_broken_off_recording_says_what_was_lost(tmp_path: Path) -> None:
    report = seal(broken_off(tmp_path, 4.4))
    assert report.recovered
    assert 1.4 <= report.lost_s < 2.0
    assert "4 markers" in report.statement
    assert "40 frames" in report.statement
    assert "less than " in report.statement
    with Session.open(report.path) as session:
        assert isinstance(session.events[-1], SessionRecovered)
        assert session.info.recovered
        assert session.info.lost_s == report.lost_s
        session.verify_digest()


def test_what_is_said_of_a_loss_rests_on_no_date_of_a_file(tmp_path: Path) -> None:
    """Parts that were copied, and a clock that was set, change nothing."""
    target = broken_off(tmp_path, 4.4)
    for part in parts_of(target):
        os.utime(part, (0, 0))
    assert 1.4 <= seal(target).lost_s < 2.0


def test_a_disk_that_held_back_seconds_is_told_to_have(tmp_path: Path) -> None:
    report = seal(broken_off(tmp_path, 9.0))
    assert 6.0 <= report.lost_s < 7.0


@pytest.mark.parametrize("how", ["no pulse", "another start", "torn"])
def test_where_nothing_says_how_much_is_missing_no_bound_is_said(tmp_path: Path, how: str) -> None:
    target = broken_off(tmp_path, None if how == "no pulse" else 4.4)
    with h5py.File(part_path(target, 1), "r+") as file:
        beat = file["pulse"][:].tobytes()
        if how != "no pulse":
            row = packed(round(4.4 * NS), 0, bytes(range(16)))
            other = row if how == "another start" else beat[:-1] + b"?"
            file["pulse"][:] = np.frombuffer(other, BEAT)
    report = seal(target)
    assert report.recovered
    assert "less than" not in report.statement
    assert "nothing says how much" in report.statement
    with Session.open(target) as session:
        assert session.state.recovered is not None
        assert session.state.recovered.end_unknown


def test_damage_inside_is_counted_and_the_rest_kept(write_log: WriteLog) -> None:
    target = write_log(small_session(ended=False))
    part = part_path(target, 1)
    data = bytearray(part.read_bytes())
    at = data.index(b'"frame":7')
    data[at : at + 4] = b"\x00\x01\x02\x03"
    part.write_bytes(data)
    report = seal(target)
    assert "1 record inside could not be read" in report.statement
    with Session.open(target) as session:
        assert session.info.frames == 39
        session.verify_digest()


def test_an_existing_file_is_never_overwritten(write_log: WriteLog) -> None:
    target = write_log()
    target.write_text("precious")
    with pytest.raises(AffettiError) as caught:
        seal(target)
    assert caught.value.code == ExitCode.FILE_EXISTS
    assert target.read_text() == "precious"
    assert parts_of(target)


def test_a_crash_between_sealing_and_tidying_up_is_finished(write_log: WriteLog) -> None:
    target = write_log()
    part = part_path(target, 1)
    kept = part.read_bytes()
    seal(target)
    part.write_bytes(kept)
    before = target.read_bytes()
    seal(target)
    assert target.read_bytes() == before
    assert not parts_of(target)


@pytest.mark.parametrize("unreadable", [False, True])
def test_parts_of_a_folder_that_took_the_place_of_another_meanwhile_stay(
    tmp_path: Path, write_log: WriteLog, monkeypatch: pytest.MonkeyPatch, unreadable: bool
) -> None:
    """A folder is moved away, and another takes its name, once the sealed file has its own."""
    folder = tmp_path / "week"
    away, other = folder.with_name("away"), folder.with_name("other")
    for each in (folder, other):
        each.mkdir()
        for part in parts_of(write_log()):
            data = bytearray(part.read_bytes())
            if unreadable:
                data[len(data.rstrip(b"\0")) // 2] ^= 1
            (each / part.name).write_bytes(data)
            part.unlink()
    names = sorted(os.listdir(other))
    real = sealing.publish

    def publish(temporary: Path, target: Path) -> None:
        real(temporary, target)
        if not away.exists():
            folder.rename(away)
            folder.symlink_to(other, target_is_directory=True)

    monkeypatch.setattr(sealing, "publish", publish)
    for part in folder.iterdir():
        os.utime(part, (0, 0))
    said = seal(folder / "session.h5").statement
    assert "Not every part could be put away" in said
    assert sorted(os.listdir(other)) == names
    assert sorted(os.listdir(away)) == sorted([*names, "session.h5"])
    again = seal(away / "session.h5").statement
    assert "sealed already" in again
    assert ("unreadable" in again) == unreadable


def test_a_file_that_was_whole_and_had_no_name_yet_goes_once_all_of_it_is_sealed(
    write_log: WriteLog, tmp_path: Path
) -> None:
    target = write_log()
    kept = {part: part.read_bytes() for part in parts_of(target)}
    seal(target)
    left, other = name_beside(target), name_beside(target)
    target.rename(left)
    for part, data in kept.items():
        part.write_bytes(data)
    write_log([(started(person="P9"), b"")], name="other.h5")
    seal(tmp_path / "other.h5").path.rename(other)
    report = seal(target)
    assert not left.exists()
    assert other.exists()
    assert other.name in report.statement


def test_nothing_to_seal_is_said(tmp_path: Path) -> None:
    with pytest.raises(AffettiError) as caught:
        seal(tmp_path / "none.h5")
    assert caught.value.code == ExitCode.FILE_MISSING


def test_what_is_left_of_a_start_that_never_began_is_removed(write_log: WriteLog) -> None:
    target = write_log([])
    with pytest.raises(AffettiError, match="hold no event"):
        seal(target)
    assert parts_of(target)
    assert sealed(target) is None
    assert not parts_of(target)


@pytest.mark.parametrize("size", [0, 96, 2_000, 1_000_000])
def test_a_part_that_was_killed_while_it_was_made_blocks_nothing(
    write_log: WriteLog, size: int
) -> None:
    target = write_log([])
    os.truncate(part_path(target, 1), size)
    assert sealed(target) is None
    assert not parts_of(target)


def test_a_piece_of_a_first_record_blocks_nothing_and_is_kept(write_log: WriteLog) -> None:
    target = write_log([])
    part = part_path(target, 1)
    with h5py.File(part, "r") as file:
        at = file["log"].id.get_offset()
    with part.open("r+b") as file:
        file.seek(at)
        file.write(b"a piece of a record, torn")
    assert sealed(target) is None
    assert not parts_of(target)
    (kept,) = target.with_name(f"{target.stem}.unreadable").iterdir()
    assert b"a piece of a record, torn" in kept.read_bytes()


def test_parts_with_anything_in_them_are_never_taken_for_blank(write_log: WriteLog) -> None:
    target = write_log()
    part = part_path(target, 1)
    whole = part.read_bytes()
    assert not discard_blank(target)
    for damaged in (whole[:100_000], bytes(512) + whole[512:], b"noise" * 10_000, whole[:5_000]):
        part.write_bytes(damaged)
        assert not discard_blank(target)
        assert part.exists()


def test_a_running_part_is_not_taken_for_blank(write_log: WriteLog) -> None:
    target = target_of(part_path(write_log([], "other.h5"), 1)).with_name("running.h5")
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8, part_s=5))
    assert not discard_blank(target)
    log.close()


@pytest.mark.parametrize("moment", ["_lock", "_create"])
def test_a_part_that_is_being_made_may_be_taken_for_blank_and_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before it is locked, another process tidies up what looks like a killed start."""
    target = tmp_path / "session.h5"
    real = getattr(parts, moment)
    told: list[bool] = []

    def interrupted(*args: object) -> object:
        if moment == "_create":
            made = real(*args)
        if not told:
            told.append(discard_blank(target))
        return made if moment == "_create" else real(*args)

    monkeypatch.setattr(parts, moment, interrupted)
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8, part_s=5))
    assert told == [True]
    assert not discard_blank(target)
    for event, blob in small_session():
        log.append(event, blob)
    log.close()
    assert seal(target).statement == "Sealed; nothing was lost."


def test_whoever_tidies_up_holds_a_part_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recording that comes to lock its part meanwhile waits, and begins anew."""
    target = tmp_path / "session.h5"
    logs: list[PartLog] = []
    begun = threading.Thread(
        target=lambda: logs.append(PartLog(target, SESSION_ID, LogSettings(part_mib=8)))
    )
    made, locks, removed = threading.Event(), threading.Event(), threading.Event()
    real_lock, real_remove = parts._lock, parts.remove

    def lock(fd: int) -> None:
        if not made.is_set():
            made.set()
            locks.wait()
        real_lock(fd)
        assert removed.is_set()

    def remove(known: dict[Path, tuple[int, int]]) -> None:
        locks.set()
        time.sleep(0.05)
        removed.set()
        real_remove(known)

    monkeypatch.setattr(parts, "_lock", lock)
    monkeypatch.setattr(parts, "remove", remove)
    begun.start()
    made.wait()
    assert discard_blank(target)
    begun.join()
    (log,) = logs
    log.append(started())
    log.close()
    assert seal(target).recovered


def test_what_begins_to_be_recorded_while_it_is_surveyed_is_not_sealed(
    write_log: WriteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its part was made, and not locked yet, when that was asked; then it got its first events."""
    target = write_log(close=False)
    monkeypatch.setattr(sealing, "refuse_running", parts_of)
    monkeypatch.setattr(survey_module, "refuse_running", parts_of)
    with pytest.raises(Unsealed):
        seal(target)
    assert not target.exists()
    assert parts_of(target)


FULL = """
import os, random, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from affetti.core.custody import keys
from affetti.core.errors import DiskFull
from affetti.core.events import AudioCaptured, SessionEnded
from affetti.core.recording import sealing
from affetti.core.recording.parts import PartLog
from affetti.core.settings import LogSettings
from tests.conftest import NS, SESSION_ID, started


target, leave = Path(sys.argv[1]) / "s.h5", int(sys.argv[2])
key = None
if sys.argv[3] == "encrypted":
    key = keys.new_key([X25519PrivateKey.generate().public_key().public_bytes_raw()])
    keys.hold(key)
log = PartLog(target, SESSION_ID, LogSettings(part_mib=14, part_s=5), key)
log.append(started())
for i in range(60):
    block = AudioCaptured(t_ns=i * NS, stream="room", sample=i * 100_000, count=100_000)
    log.append(block, random.Random(i).randbytes(200_000))
log.append(SessionEnded(t_ns=60 * NS, reason="stopped"))
log.close()
disk = os.statvfs(target.parent)
filler = target.with_name("filler")
filler.write_bytes(bytes(disk.f_bavail * disk.f_frsize - leave))
sealing._refuse_without_room = lambda *what: None  # it was there when that was asked
for _ in range(2):
    try:
        sealing.seal(target)
    except DiskFull as error:
        print(error.code)
filler.unlink()
print(sealing.seal(target).statement)
"""


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("leave", "how"),
    [(100_000, "plain"), (3_000_000, "plain"), (3_000_000, "encrypted"), (11_000_000, "encrypted")],
)
def test_a_disk_that_fills_while_sealing_crashes_neither_that_nor_the_next_attempt(
    small_disk: Path, leave: int, how: str
) -> None:
    command = [sys.executable, "-c", FULL, str(small_disk), str(leave), how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split("\n")[:3] == ["9", "9", "Sealed; nothing was lost."]


def recovered_twice(folder: Path) -> None:
    """Two recover at once; both end well, and there is one whole recording."""
    target = folder / "session.h5"
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8, part_s=5))
    for event, blob in small_session(seconds=20):
        log.append(event, blob)
    log.close()
    command = [sys.executable, "-m", "affetti", "recover", str(folder)]
    both = [subprocess.Popen(command, stdout=-1, stderr=-1, text=True) for _ in range(2)]
    told = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [path.name for path in folder.iterdir()] == ["session.h5"]
    with Session.open(target) as session:
        session.verify_digest()
        assert len(session) == len(small_session(seconds=20))


CAMPAIGN = [pytest.param(pair, marks=pytest.mark.campaign) for pair in range(1, 25)]


@pytest.mark.parametrize("pair", [0, *CAMPAIGN])
def test_two_recover_at_once_and_it_is_sealed_once(tmp_path: Path, pair: int) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    recovered_twice(folder)


def test_without_room_the_parts_stay(small_disk: Path) -> None:
    target = small_disk / "a.h5"
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=12, part_s=5))
    for event, blob in small_session():
        log.append(event, blob + bytes(200_000 if blob[:2] == b"\xff\xd8" else 0))
    log.close()
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="space"):
        filler.write_bytes(bytes(60 << 20))
    with pytest.raises(AffettiError) as caught:
        seal(target)
    assert caught.value.code == ExitCode.DISK_FULL
    assert "affetti recover" in caught.value.hint
    assert [path.name for path in small_disk.iterdir() if path != filler] == ["a.part001.h5"]
    filler.unlink()
    assert seal(target).path == target


def test_progress_reaches_its_end(write_log: WriteLog) -> None:
    from affetti.core.events import FrameCaptured

    frame = FrameCaptured(t_ns=NS, frame=0, width_px=4, height_px=4)
    items = [(started(), b""), *[(frame, bytes(3 << 20))] * 5]
    seen: list[tuple[int, int]] = []
    seal(write_log(items), lambda done, total: seen.append((done, total)))
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1
