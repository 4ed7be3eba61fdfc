from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import SessionRecovered
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.conftest import NS, SESSION_ID, small_session, started

WriteLog = Callable[..., Path]


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


def test_a_broken_off_recording_says_what_was_lost(write_log: WriteLog) -> None:
    items = small_session(ended=False)
    # It began 4.4 s ago, and the last thing it wrote, just now, was of 4.0 s.
    began = datetime.now(UTC) - timedelta(seconds=4.4)
    items[0] = (started(wall_clock=began.isoformat()), b"")
    report = seal(write_log(items))
    assert report.recovered
    assert 0.4 <= report.lost_s < 1.0
    assert "4 markers" in report.statement
    assert "40 frames" in report.statement
    with Session.open(report.path) as session:
        assert isinstance(session.events[-1], SessionRecovered)
        assert session.info.recovered
        assert session.info.lost_s == report.lost_s
        session.verify_digest()


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


def test_nothing_to_seal_is_said(tmp_path: Path) -> None:
    with pytest.raises(AffettiError) as caught:
        seal(tmp_path / "none.h5")
    assert caught.value.code == ExitCode.FILE_MISSING


def test_parts_without_an_event_are_left_alone(write_log: WriteLog) -> None:
    target = write_log([])
    with pytest.raises(AffettiError, match="hold no event"):
        seal(target)
    assert parts_of(target)


def test_without_room_the_parts_stay(small_disk: Path) -> None:
    from affetti.core.recording.parts import PartLog
    from affetti.core.settings import LogSettings

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
