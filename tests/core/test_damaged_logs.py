"""Whatever happens to the parts of a recording: what is lost is said, what is unread is kept."""

import errno
import os
import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import pytest
from msgspec.structs import replace

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import Event, FrameCaptured, MarkerAdded, SessionEnded, SessionRecovered
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.parts import PartLog
from affetti.core.recording.records import Record, Scan, pack, record_of
from affetti.core.recording.sealing import SealReport, seal
from affetti.core.recording.session import Session
from affetti.core.recording.survey import survey
from affetti.core.settings import LogSettings
from tests.conftest import NS, SESSION_ID, small_session, started

pytestmark = pytest.mark.one_of_each

WriteLog = Callable[..., Path]
SMALL = LogSettings(part_mib=8, part_s=5)
EVENTS = 41


def three_parts(folder: Path) -> Path:
    """A recording of 41 events in three parts of less than eight mebibytes."""
    target = folder / "session.h5"
    log = PartLog(target, SESSION_ID, SMALL)
    chance = random.Random(5)
    log.append(started())
    for i in range(39):
        event: Event = FrameCaptured(t_ns=i * NS // 10, frame=i, width_px=48, height_px=32)
        blob = chance.randbytes(560_000)
        if i % 4 == 3:
            event, blob = MarkerAdded(t_ns=i * NS // 10, label=f"{i}"), b""
        log.append(event, blob)
    log.append(SessionEnded(t_ns=4 * NS, reason="stopped"))
    log.close()
    assert len(parts_of(target)) == 3
    return target


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return three_parts(tmp_path)


def seqs_in(path: Path) -> list[int]:
    """The numbers of the whole records in a file, whatever else it is; of copies, one."""
    with path.open("rb") as file:
        found = [each.record.seq for each in Scan(file, 0, path.stat().st_size)]
    return list(dict.fromkeys(found))


def sealed_seqs(target: Path) -> list[int]:
    with Session.open(target) as session:
        session.verify_digest()
        return [e.seq for e in session.events if not isinstance(e, SessionRecovered)]


def unreadable(target: Path) -> list[str]:
    folder = target.with_name("session.unreadable")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def assert_told(target: Path, report: SealReport) -> None:
    """The sealed file says of itself what the report says."""
    assert "nothing was lost" not in report.statement
    assert report.recovered
    assert not report.whole
    with Session.open(target) as session:
        assert session.info.recovered
        assert session.info.lost_s == report.lost_s
        assert session.info.recovery is not None
        assert report.statement.startswith(session.info.recovery)
        assert isinstance(session.events[-1], SessionRecovered)


def test_a_part_that_hdf5_cannot_open_is_read_by_its_records_and_kept(target: Path) -> None:
    part = part_path(target, 2)
    with part.open("r+b") as file:
        file.write(bytes(512))
    before = part.read_bytes()
    report = seal(target)
    assert sealed_seqs(target) == list(range(EVENTS))
    assert unreadable(target) == ["session.part002.h5"]
    assert (target.with_name("session.unreadable") / part.name).read_bytes() == before
    assert "Part 2 is not whole" in report.statement
    assert "session.unreadable" in report.statement
    assert_told(target, report)
    assert not parts_of(target)


def test_a_part_that_was_moved_away_is_a_hole_in_a_clean_end(target: Path) -> None:
    lost = seqs_in(part_path(target, 2))[:-1]  # the last is the copy of the first of all
    part_path(target, 2).rename(target.with_name("elsewhere"))
    report = seal(target)
    assert f"{len(lost)} records inside could not be read" in report.statement
    assert f"{lost[0]} to {lost[-1]}, between 00:0" in report.statement
    assert "Part 2 is missing" in report.statement
    assert report.lost_s > 1
    assert_told(target, report)
    assert sealed_seqs(target) == sorted(set(range(EVENTS)) - set(lost))
    with Session.open(target) as session:
        assert session.info.end_reason == "stopped"


def test_a_part_of_nothing_but_noise_is_kept_and_named(target: Path) -> None:
    part_path(target, 2).write_bytes(random.Random(1).randbytes(100_000))
    report = seal(target)
    assert "Part 2 is not whole" in report.statement
    assert unreadable(target) == ["session.part002.h5"]
    assert_told(target, report)


def test_a_gap_in_the_numbers_is_a_hole_even_where_every_part_is_whole(write_log: WriteLog) -> None:
    target = write_log()
    rewrite(part_path(target, 1), lambda r: None if r.seq in (3, 4, 9) else r)
    report = seal(target)
    assert "3 records inside could not be read (3 to 4, between " in report.statement
    assert "; 9, between " in report.statement
    with Session.open(target) as session:
        assert session.state.recovered is not None
        assert session.state.recovered.damaged_records == 3


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.EMFILE, errno.ENOMEM])
@pytest.mark.parametrize("opener", ["h5py", "plain"])
def test_what_cannot_be_read_for_now_stops_everything(
    target: Path, monkeypatch: pytest.MonkeyPatch, code: int, opener: str
) -> None:
    part = part_path(target, 2)
    before = {path.name: path.read_bytes() for path in parts_of(target)}
    hdf5, plain = h5py.File, Path.open

    def failing_hdf5(path: Path, *args: object, **named: object) -> object:
        if path == part:
            raise OSError(code, os.strerror(code))
        return hdf5(path, *args, **named)

    def failing_plain(path: Path, *args: object, **named: object) -> object:
        if path == part:
            raise OSError(code, os.strerror(code))
        return plain(path, *args, **named)  # type: ignore[call-overload]

    with monkeypatch.context() as patched:
        if opener == "h5py":
            patched.setattr(h5py, "File", failing_hdf5)
        else:
            patched.setattr(Path, "open", failing_plain)
        with pytest.raises(AffettiError, match=r"session\.part002\.h5 cannot be read for now"):
            seal(target)
    assert {path.name: path.read_bytes() for path in parts_of(target)} == before
    assert not target.exists()
    assert seal(target).statement == "Sealed; nothing was lost."


def rewrite(part: Path, change: Callable[[Record], Record | bytes | None]) -> None:
    """Write a part's records anew, each as `change` makes it, as a faulty program would."""
    with h5py.File(part) as file:
        log_at, size = file["log"].id.get_offset(), file["log"].shape[0]
        index_at, rows = file["index"].id.get_offset(), file["index"].size
        row_bytes = file["index"].dtype.itemsize
    with part.open("r+b") as file:
        records = [change(place.record) for place in Scan(file, log_at, log_at + size)]
        file.seek(log_at)
        file.write(bytes(size))
        file.seek(index_at)
        file.write(bytes(rows * row_bytes))
        file.seek(log_at)
        for record in records:
            if record is not None:
                file.write(record if isinstance(record, bytes) else pack(SESSION_ID, record))


def other_json(json: bytes) -> Callable[[Record], Record]:
    return lambda r: record_of(r.seq, r.t_ns, r.kind, json, r.blob)


UNFIT: dict[str, Callable[[Record], Record]] = {
    "no JSON": other_json(b"{"),
    "no event": other_json(b"[1, 2]"),
    "no text": other_json(b"\xff\xfe"),
    "nested without end": other_json(b'{"kind":' + b"[" * 100_000),
    "an unknown stream": lambda r: replace(r, json=r.json.replace(b'"room"', b'"hall"')),
    "another stream": lambda r: replace(r, json=r.json.replace(b'"room"', b'"playback"')),
    "a blob too short": lambda r: replace(r, blob=r.blob[:-1]),
    "a blob too long": lambda r: replace(r, blob=r.blob + b"\0"),
    "a count beyond all": lambda r: replace(
        r, json=r.json.replace(b":8000}", b":" + b"9" * 25 + b"}")
    ),
    "another number": lambda r: replace(r, seq=r.seq + 1000),
    "a number beyond all": lambda r: replace(r, seq=1 << 60),
    "a number below all": lambda r: replace(r, seq=-5),
    "another time": lambda r: replace(r, t_ns=r.t_ns + 1),
    "a time beyond all": lambda r: replace(
        r, t_ns=1 << 60, json=r.json.replace(b'"t_ns":0', b'"t_ns":%d' % (1 << 60))
    ),
    "another kind": lambda r: replace(r, kind="MarkerAdded"),
    "no ASCII kind": lambda r: replace(r, kind="Märker"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_a_record_that_means_nothing_is_damage_and_its_part_is_kept(
    write_log: WriteLog, what: str
) -> None:
    target = write_log()
    part = part_path(target, 1)
    rewrite(part, lambda r: UNFIT[what](r) if r.seq == 11 else r)  # a block of sound
    report = seal(target)
    assert sorted(set(range(len(small_session()))) - set(sealed_seqs(target))) == [11]
    assert unreadable(target) == [part.name]
    assert_told(target, report)


def test_rows_of_noise_do_not_make_a_recording_too_large_for_its_disk(write_log: WriteLog) -> None:
    target = write_log()
    part = part_path(target, 1)
    with h5py.File(part) as file:
        index_at, rows = file["index"].id.get_offset(), file["index"].size
        row_bytes = file["index"].dtype.itemsize
    with part.open("r+b") as file:
        file.seek(index_at + rows // 2 * row_bytes)
        file.write(b"\xff" * (rows // 2 * row_bytes))
    seal(target)
    assert sealed_seqs(target) == list(range(len(small_session())))


@pytest.mark.parametrize("what", ["record", "part"])
def test_where_the_first_record_is_lost_its_copy_says_whose_the_others_are(
    target: Path, what: str
) -> None:
    first = part_path(target, 1)
    lost = seqs_in(first)
    if what == "part":
        first.rename(target.with_name("elsewhere"))
    else:
        lost = [0]
        rewrite(first, lambda record: None if record.seq == 0 else record)
    report = seal(target)
    assert sealed_seqs(target) == sorted({0} | (set(range(EVENTS)) - set(lost)))
    assert ("nothing was lost" in report.statement) == (what == "record")
    with Session.open(target) as session:
        assert session.started.person == started().person


@pytest.mark.parametrize("how", ["no JSON", "of another session", "impossible stream"])
def test_without_its_start_nothing_is_touched(write_log: WriteLog, how: str) -> None:
    target = write_log()
    changes: dict[str, Callable[[Record], Record | None]] = {
        "no JSON": other_json(b"{}"),
        "of another session": lambda r: other_json(r.json.replace(b"0123", b"3210"))(r),
        "impossible stream": lambda r: other_json(r.json.replace(b'"room"', b'"no/name"'))(r),
    }
    rewrite(part_path(target, 1), lambda r: changes[how](r) if r.seq == 0 else r)
    before = part_path(target, 1).read_bytes()
    with pytest.raises(AffettiError, match="do not say whose") as caught:
        seal(target)
    assert caught.value.code == ExitCode.DAMAGED
    assert part_path(target, 1).read_bytes() == before
    assert not target.exists()
    assert not unreadable(target)


def test_a_blob_of_an_event_that_has_none_is_damage(write_log: WriteLog) -> None:
    target = write_log()
    rewrite(part_path(target, 1), lambda r: replace(r, blob=b"?") if r.seq == 12 else r)
    assert_told(target, seal(target))


def test_parts_are_compared_with_a_file_that_was_sealed_before(target: Path) -> None:
    kept = {path: path.read_bytes() for path in parts_of(target)}
    part_path(target, 2).rename(target.with_name("elsewhere"))
    seal(target)
    whole = target.read_bytes()
    for path, data in kept.items():
        path.write_bytes(data)
    with pytest.raises(AffettiError, match="lacks 1") as caught:
        seal(target)
    assert caught.value.code == ExitCode.FILE_EXISTS
    assert {path: path.read_bytes() for path in parts_of(target)} == kept
    assert target.read_bytes() == whole
    part_path(target, 2).unlink()
    report = seal(target)  # these are in it, every one
    assert "sealed already" in report.statement
    assert report.recovered
    assert not parts_of(target)


def test_a_damaged_part_beside_its_sealed_file_is_kept(target: Path) -> None:
    kept = {path: path.read_bytes() for path in parts_of(target)}
    seal(target)
    part_path(target, 3).write_bytes(kept[part_path(target, 3)])
    part_path(target, 2).write_bytes(kept[part_path(target, 2)][:5_600_000])
    report = seal(target)
    assert unreadable(target) == ["session.part002.h5"]
    assert "nothing was lost" not in report.statement
    assert "session.part002.h5" in report.statement
    assert not parts_of(target)


def test_what_was_kept_before_is_never_overwritten(target: Path) -> None:
    folder = target.with_name("session.unreadable")
    folder.mkdir()
    (folder / "session.part002.h5").write_text("precious")
    part_path(target, 2).write_bytes(b"noise")
    report = seal(target)
    assert (folder / "session.part002.h5").read_text() == "precious"
    assert (folder / "session.part002-2.h5").read_bytes() == b"noise"
    assert "session.part002-2.h5" in report.statement


def test_a_link_in_place_of_the_folder_is_not_followed(target: Path, tmp_path: Path) -> None:
    (tmp_path / "abroad").mkdir()
    target.with_name("session.unreadable").symlink_to(tmp_path / "abroad")
    part_path(target, 2).write_bytes(b"noise")
    assert "session.unreadable-2" in seal(target).statement
    assert not list((tmp_path / "abroad").iterdir())


def test_a_part_copied_twice_costs_nothing_and_is_kept(target: Path) -> None:
    shutil.copy(part_path(target, 2), part_path(target, 4))
    report = seal(target)
    assert sealed_seqs(target) == list(range(EVENTS))
    assert "session.part004.h5" in unreadable(target)
    assert_told(target, report)


def test_parts_beyond_999_are_sealed_in_order(write_log: WriteLog) -> None:
    target = write_log()
    part_path(target, 1).rename(part_path(target, 1000))
    report = seal(target)
    assert not parts_of(target)
    assert "Parts 1, 2, 3, " in report.statement
    assert "nothing was lost" not in report.statement
    assert sealed_seqs(target) == list(range(len(small_session())))


def mutate(chance: random.Random, target: Path) -> None:
    """Do to the parts what disks, copies and people do."""
    part = part_path(target, chance.randint(1, 3))
    size = part.stat().st_size
    what = chance.choice(["flip", "flip", "zero", "noise", "cut", "move", "empty", "swap", "log"])
    if what == "move":
        part.rename(part.with_name("elsewhere"))
    elif what in ("cut", "empty"):
        os.truncate(part, 0 if what == "empty" else chance.randrange(size))
    elif what == "swap":
        other = part_path(target, part_number(part) % 3 + 1)
        one, two = part.read_bytes(), other.read_bytes()
        part.write_bytes(two)
        other.write_bytes(one)
    else:
        data = bytearray(part.read_bytes())
        for _ in range(chance.choice([1, 1, 3, 20])):
            start = chance.choice([0, 2048, size - 600_000, 0]) if chance.random() < 0.5 else 0
            at = chance.randrange(start, 4096 if start == 0 and what == "flip" else size)
            length = 1 if what == "flip" else min(chance.choice([8, 512, 4096, 65_536]), size - at)
            new = bytes(length) if what == "zero" else chance.randbytes(length)
            data[at : at + length] = new
        part.write_bytes(data)


def part_number(part: Path) -> int:
    return int(part.name[-6:-3])


CAMPAIGN = [pytest.param(block, marks=pytest.mark.campaign) for block in range(1, 5)]


@pytest.mark.parametrize("block", [0, *CAMPAIGN])
def test_whatever_happens_to_a_log_nothing_is_lost_unsaid(tmp_path: Path, block: int) -> None:
    pristine = tmp_path / "pristine"
    pristine.mkdir()
    three_parts(pristine)
    count = 40 if block else 6
    for seed in range(40 * block, 40 * block + count):
        folder = tmp_path / str(seed)
        shutil.copytree(pristine, folder)
        target, chance = folder / "session.h5", random.Random(seed)
        for _ in range(chance.choice([1, 1, 2])):
            if all(part_path(target, number).exists() for number in (1, 2, 3)):
                mutate(chance, target)
        before = {path.name: path.read_bytes() for path in folder.glob("*.part*.h5")}
        held = {name: seqs_in(folder / name) for name in before}
        report: SealReport | None = None
        with suppress(AffettiError):
            report = seal(target)
        if report is None:
            after = {path.name: path.read_bytes() for path in folder.glob("*.part*.h5")}
            assert after == before, seed
            assert not target.exists()
        else:
            assert_accounted(target, report, before, held)
        shutil.rmtree(folder)


def assert_accounted(
    target: Path, report: SealReport, before: dict[str, bytes], held: dict[str, list[int]]
) -> None:
    sealed = sealed_seqs(target)
    assert sealed == sorted({seq for seqs in held.values() for seq in seqs})
    if "nothing was lost" in report.statement:
        assert sealed == list(range(EVENTS))
        assert not unreadable(target)
    elif not report.whole:
        assert_told(target, report)
    for name, data in before.items():
        kept = target.with_name("session.unreadable") / name
        if kept.exists():
            assert kept.read_bytes() == data
            assert name in report.statement
        else:
            assert set(held[name]) <= set(sealed)
    assert not parts_of(target)


def test_a_clean_log_in_three_parts_has_nothing_to_say(target: Path) -> None:
    assert survey(target).whole == (True, True, True)
    report = seal(target)
    assert (report.statement, report.recovered, report.whole) == (
        "Sealed; nothing was lost.",
        False,
        True,
    )
    assert not unreadable(target)
    assert sealed_seqs(target) == list(range(EVENTS))
