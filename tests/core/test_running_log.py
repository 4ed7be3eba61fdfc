import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from affetti.core import system
from affetti.core.errors import AffettiError, ExitCode, Unsealed
from affetti.core.events import FrameCaptured, MarkerAdded, SessionEnded, decode
from affetti.core.recording import survey as survey_module
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.parts import INDEX_ROW, PartLog
from affetti.core.recording.survey import survey
from affetti.core.settings import LogSettings
from tests.conftest import NS, SESSION_ID, small_session, started

pytestmark = pytest.mark.one_of_each

WriteLog = Callable[..., Path]


def test_a_log_reads_back_as_it_was_written(write_log: WriteLog) -> None:
    items = small_session()
    records = list(survey(write_log(items)).records())
    assert [record.seq for record in records] == list(range(len(items)))
    assert [record.blob for record in records] == [blob for _, blob in items]
    assert [type(decode(record.json)) for record in records] == [type(event) for event, _ in items]


def test_every_part_is_plain_hdf5_while_it_is_written(write_log: WriteLog) -> None:
    target = write_log(close=False)
    copy = target.with_name("copy.h5")
    shutil.copy(part_path(target, 1), copy)  # the original is locked
    with h5py.File(copy) as file:
        assert file.attrs["session_id"].decode() == SESSION_ID
        assert file["index"][0]["kind"] == b"SessionStarted"


def test_the_log_rolls_over_and_loses_nothing(write_log: WriteLog) -> None:
    frames = [
        (FrameCaptured(t_ns=i, frame=i, width_px=4, height_px=4), os.urandom(400_000))
        for i in range(60)
    ]
    target = write_log([(started(), b""), *frames])
    assert len(parts_of(target)) == 3  # of 8 MiB each
    records = list(survey(target).records())
    assert [record.blob for record in records[1:]] == [blob for _, blob in frames]


def test_what_was_reserved_ahead_is_given_back(write_log: WriteLog) -> None:
    half = FrameCaptured(t_ns=1, frame=0, width_px=4, height_px=4)
    big = [(half, os.urandom(3 << 20)), (half, os.urandom(3 << 20))]
    target = write_log([(started(), b""), *big, (half, b"x")])
    assert len(parts_of(target)) == 1


def test_a_running_log_cannot_be_recovered(write_log: WriteLog) -> None:
    with pytest.raises(AffettiError) as caught:
        survey(write_log(close=False))
    assert caught.value.code == ExitCode.UNSEALED


def test_one_that_goes_on_in_a_part_that_nobody_had_listed_cannot_be_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "session.h5"
    log = PartLog(target, SESSION_ID, LogSettings(part_mib=8, part_s=5))
    log.append(started())
    listed = parts_of(target)
    frame = FrameCaptured(t_ns=1, frame=0, width_px=4, height_px=4)
    for _ in range(30):
        log.append(frame, os.urandom(400_000))
    last = log.append(MarkerAdded(t_ns=2, label="on the disk"))
    while log.safe_seq < last.seq:
        time.sleep(0.01)
    assert len(parts_of(target)) > len(listed)
    with monkeypatch.context() as late:
        late.setattr(survey_module, "parts_of", lambda path: listed)
        with pytest.raises(Unsealed):
            survey(target)
    log.close()
    assert len(survey(target).rows) == last.seq + 1


def test_who_asks_whether_a_part_is_locked_keeps_nobody_from_locking_it(
    write_log: WriteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, true = [], system.lock

    def held_for_a_moment(fd: int, *, shared: bool = False) -> bool | None:
        asked.append(shared)
        return False if shared and asked.count(True) == 1 else true(fd, shared=shared)

    monkeypatch.setattr(system, "lock", held_for_a_moment)
    with pytest.raises(Unsealed):
        survey(write_log(close=False))


def test_a_record_that_does_not_fit_any_part_is_refused(write_log: WriteLog) -> None:
    frame = FrameCaptured(t_ns=1, frame=0, width_px=4, height_px=4)
    with pytest.raises(AffettiError) as caught:
        write_log([(frame, bytes(5 << 20))])
    assert caught.value.code == ExitCode.MEDIA


@pytest.mark.parametrize("seed", range(20))
def test_any_prefix_of_the_writes_is_readable(write_log: WriteLog, seed: int) -> None:
    """A process that dies leaves a prefix of its writes, the last of them possibly torn."""
    target = write_log()
    whole = survey(target)
    part = part_path(target, 1)
    cut = random.Random(seed).randrange(len(whole.rows))
    with h5py.File(part) as file:
        index_at, log_at = file["index"].id.get_offset(), file["log"].id.get_offset()
    data = bytearray(part.read_bytes())
    end = index_at + INDEX_ROW.itemsize * len(whole.rows)
    data[index_at + cut * INDEX_ROW.itemsize : end] = bytes(
        end - index_at - cut * INDEX_ROW.itemsize
    )
    torn = log_at + int(whole.rows[cut]["offset"]) + int(whole.rows[cut]["length"]) // 2
    used = log_at + int(whole.rows[-1]["offset"]) + int(whole.rows[-1]["length"])
    data[torn:used] = bytes(used - torn)
    part.write_bytes(data)
    assert len(survey(target).rows) == cut


def test_a_damaged_record_costs_itself_alone(write_log: WriteLog) -> None:
    target = write_log()
    whole = survey(target)
    row = whole.rows[10]
    with part_path(target, 1).open("r+b") as file:
        file.seek(whole.log_offsets[0] + int(row["offset"]) + 3)
        file.write(b"\x00\x01\x02")
    found = survey(target)
    assert found.damaged_records == 1
    assert len(found.rows) == len(whole.rows) - 1
    assert 10 not in found.rows["seq"]


def test_parts_of_another_recording_are_not_mixed_in(write_log: WriteLog, tmp_path: Path) -> None:
    target = write_log()
    other = PartLog(tmp_path / "other.h5", "f" * 32)
    other.append(started(session_id="f" * 32))
    other.close()
    part_path(tmp_path / "other.h5", 1).rename(part_path(target, 2))
    with pytest.raises(AffettiError, match="another recording"):
        survey(target)


def test_names_that_only_begin_alike_are_kept_apart(tmp_path: Path) -> None:
    for name in ("a.h5", "a.part001b.h5"):
        PartLog(tmp_path / name, SESSION_ID).close()
    assert [path.name for path in parts_of(tmp_path / "a.h5")] == ["a.part001.h5"]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AffettiError) as caught:
        PartLog(tmp_path / "file" / "a.h5", SESSION_ID)
    assert caught.value.code == ExitCode.FILE_MISSING


def fill(log: PartLog) -> tuple[int, AffettiError]:
    """Append frames until the log refuses one; return how many it took, and the refusal."""
    frame = FrameCaptured(t_ns=1, frame=0, width_px=4, height_px=4)
    for frames in range(10_000):
        try:
            log.append(frame, os.urandom(100_000))
        except AffettiError as error:
            return frames, error
    raise AssertionError("the disk never filled up")


def test_a_full_disk_ends_the_log_cleanly(small_disk: Path) -> None:
    log = PartLog(small_disk / "a.h5", SESSION_ID, LogSettings(part_mib=8, part_s=5))
    log.append(started())
    frames, refusal = fill(log)
    assert refusal.code == ExitCode.DISK_FULL
    assert log.disk_full
    log.append(MarkerAdded(t_ns=NS, label="last"))
    log.append(SessionEnded(t_ns=NS, reason="disk_full"))
    log.close()
    found = list(survey(small_disk / "a.h5").records())
    assert len(found) == frames + 3
    assert [record.kind for record in found[-2:]] == ["MarkerAdded", "SessionEnded"]


def test_a_disk_without_room_for_a_part_is_said_before_anything_is_recorded(
    small_disk: Path,
) -> None:
    (small_disk / "filler").write_bytes(bytes((60 << 20) - (10 << 20)))
    with pytest.raises(AffettiError) as caught:
        PartLog(small_disk / "a.h5", SESSION_ID)
    assert caught.value.code == ExitCode.DISK_FULL
    assert not parts_of(small_disk / "a.h5")
