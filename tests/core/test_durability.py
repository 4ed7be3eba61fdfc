"""Writing never waits for the disk, and what the disk has not taken yet is known."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import h5py
import pytest

from affetti.core.events import FrameCaptured, MarkerAdded
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.records import Scan
from affetti.core.recording.survey import survey
from affetti.core.settings import LogSettings
from tests.conftest import NS, SESSION_ID, started

SMALL = LogSettings(part_mib=8, part_s=5, sync_s=0.05)
FRAME = FrameCaptured(t_ns=1, frame=0, width_px=4, height_px=4)


@pytest.fixture
def open_log(tmp_path: Path) -> Iterator[Callable[[], PartLog]]:
    logs: list[PartLog] = []

    def opened() -> PartLog:
        logs.append(PartLog(tmp_path / "session.h5", SESSION_ID, SMALL))
        return logs[-1]

    yield opened
    for log in logs:
        log._durability.close()


class Stuck:
    """A disk that takes nothing until it is released."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.released = threading.Event(), threading.Event()
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self.fsync)

    def fsync(self, fd: int) -> None:
        self.asked.set()
        assert self.released.wait(60)
        self._sync(fd)


def seqs_in(path: Path) -> list[int]:
    with h5py.File(path) as file:
        start, size = file["log"].id.get_offset(), file["log"].size
    with path.open("rb") as log:
        return [place.record.seq for place in Scan(log, start, start + size)]


def wait_until(happened: Callable[[], bool]) -> None:
    for _ in range(6000):
        if happened():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never happened")


def test_a_disk_that_is_stuck_holds_up_no_writing(
    open_log: Callable[[], PartLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = open_log()
    log.append(started())
    assert log.safe_seq == 0  # for which alone it waits
    disk = Stuck(monkeypatch)
    for i in range(20):
        log.append(FRAME, bytes(1000))
        log.append(MarkerAdded(t_ns=NS, label=f"{i}"))
    assert seqs_in(part_path(log.target, 1)) == list(range(41))
    assert disk.asked.wait(60)
    assert log.safe_seq == 0
    first_s = log.unsafe_s
    assert log.unsafe_s > first_s > 0
    disk.released.set()
    wait_until(lambda: log.safe_seq == 40)
    assert log.unsafe_s == 0
    log.close()


def test_the_next_part_is_reserved_beside_the_writing(open_log: Callable[[], PartLog]) -> None:
    log = open_log()
    log.append(started())
    for _ in range(70):
        log.append(FRAME, os.urandom(400_000))
    log.close()
    assert len(parts_of(log.target)) == 4  # of 8 MiB each
    assert log.safe_seq == 70
    assert len(survey(log.target).rows) == 71


@pytest.mark.parametrize("urgent", [True, False])
def test_a_disk_that_fails_is_told_to_whoever_writes(
    open_log: Callable[[], PartLog], monkeypatch: pytest.MonkeyPatch, urgent: bool
) -> None:
    log = open_log()

    def failing(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with suppress(OSError):  # where it was told at once
        log.append(MarkerAdded(t_ns=NS, label="one") if urgent else FRAME)
    wait_until(lambda: log._durability.error is not None)
    with pytest.raises(OSError, match="Input/output"):
        log.append(FRAME)
    assert log.safe_seq == -1
    assert log.unsafe_s > 0
    monkeypatch.undo()
    with pytest.raises(OSError, match="Input/output"):
        log.close()
    assert seqs_in(part_path(log.target, 1)) == [0, 1]
