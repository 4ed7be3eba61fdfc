"""Whatever a file claims is held against the rest of it, before anything rests on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from affetti.core.errors import AffettiError, ExitCode
from affetti.core.events import MarkerAdded, SamplesCaptured, SessionEnded
from affetti.core.recording.layout import EVENT_ROW
from affetti.core.recording.names import part_path
from affetti.core.recording.pictures import decoded, jpeg_size_px
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.signals import pack_samples
from tests.conftest import HEART, NS, jpeg, small_session, started
from tests.hostile import Fields, altered_and_resealed, resealed
from tests.mutations import log

pytestmark = pytest.mark.one_of_each

WriteLog = Callable[..., Path]
Change = Callable[[Fields], Any]
DAY_NS = 24 * 3600 * NS


@pytest.fixture
def sealed(write_log: WriteLog) -> Path:
    return seal(write_log()).path


def of(kind: str, /, **values: Any) -> Change:
    return lambda fields: {**fields, **values} if fields["kind"] == kind else None


def marker(**values: Any) -> Change:
    """The last marker becomes something else."""
    return lambda fields: {**fields, **values} if fields.get("label") == "marker 3" else None


def perception(**values: Any) -> Change:
    def change(fields: Fields) -> Fields | None:
        if fields["kind"] != "SessionStarted":
            return None
        return {**fields, "perception": {**fields["perception"], **values}}

    return change


def sound(**values: Any) -> Change:
    def change(fields: Fields) -> Fields | None:
        if fields["kind"] != "SessionStarted":
            return None
        video, room = fields["streams"]
        return {**fields, "streams": [video, {**room, **values}]}

    return change


def nested(fields: Fields) -> bytes | None:
    deep = b"[" * 100_000 + b"]" * 100_000
    later = b'{"kind":"OfTomorrow","t_ns":1,"seq":%d,"x":%b}' % (fields["seq"], deep)
    return later if fields["kind"] == "MarkerAdded" else None


OPENED = {"name": "hall", "kind": "audio", "encoding": "int16", "rate_hz": 0, "channels": [{}]}
IMPOSSIBLE: dict[str, Change] = {
    "no fusion period": perception(fusion_period_ns=0),
    "a fusion period of a nanosecond": perception(fusion_period_ns=1),
    "a negative fusion period": perception(fusion_period_ns=-1),
    "no face period": perception(face_period_ns=0),
    "a face period beyond all": perception(face_period_ns=10**30),
    "no music period": perception(music_period_s=0),
    "a window of years": perception(music_window_s=10**9),
    "a window of nothing": perception(music_minimum_s=0),
    "fusion before its time": perception(fusion_lateness_ns=-(10**18)),
    "a marker on the 13th day": marker(t_ns=13 * DAY_NS),
    "a block of years": of("AudioCaptured", count=10**15),
    "a negative block": of("AudioCaptured", count=-5),
    "a rate of 0": sound(rate_hz=0),
    "a rate of half a sample": sound(rate_hz=8000.5),
    "a rate beyond all": sound(rate_hz=1e308),
    "sound without a channel": sound(channels=[]),
    "a stream that is opened twice": marker(
        kind="StreamOpened", declaration={**OPENED, "name": "room", "rate_hz": 8000}
    ),
    "a stream that cannot be": marker(kind="StreamOpened", declaration=OPENED),
    "a second start": marker(kind="SessionStarted", **{}),
    "a picture of a billion pixels a side": of("FrameCaptured", width_px=10**9),
    "a picture without a side": of("FrameCaptured", height_px=0),
    "nested JSON": nested,
    "no date": of("SessionStarted", wall_clock="yesterday"),
    "a date of the 99th month": of("SessionStarted", wall_clock="2026-99-01T00:00:00+01:00"),
    "a date without a zone": of("SessionStarted", wall_clock="2026-09-01T00:00:00"),
    "a track without end": marker(
        kind="TrackStarted", track=0, title="", file_name="", sha256="0" * 64, sample=0,
        duration_s=1e308,
    ),
    "a gap beyond all": marker(kind="AudioGap", stream="room", sample=2**62, missing=2**62),
    "a device that was gone for ever": marker(kind="DeviceRestored", device="x", gap_ns=2**62),
    "a clock beyond all": marker(kind="ClockMeasured", stream="room", source_s=1e308, offset_s=0),
    "a word beyond all": marker(kind="SelfReported", valence=1e308),
}  # fmt: skip


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_what_no_session_says_is_damage(sealed: Path, what: str) -> None:
    first: Fields = {}

    def change(fields: Fields) -> Any:
        first.update(fields) if not first else None
        changed = IMPOSSIBLE[what](fields)
        if what == "a second start" and changed is not None:
            return {**first, "t_ns": fields["t_ns"], "seq": fields["seq"]}
        return changed

    altered_and_resealed(sealed, change)
    with pytest.raises(AffettiError) as caught, Session.open(sealed) as session:
        _ = session.info
    assert caught.value.code == ExitCode.DAMAGED
    assert "altered" not in caught.value.message


def test_a_long_session_that_holds_much_is_none_too_long(write_log: WriteLog) -> None:
    """Two days of a pulse a second, as an overnight recording may have them."""
    items = [(started(), b"")]
    items += [(MarkerAdded(t_ns=i * 60 * NS, label="x"), b"") for i in range(2 * 24 * 60)]
    items += [(SessionEnded(t_ns=2 * DAY_NS, reason="stopped"), b"")]
    with Session.open(seal(write_log(items)).path) as session:
        assert session.duration_s == 2 * 24 * 3600


def test_a_log_that_no_reader_would_take_is_left_as_it_is(write_log: WriteLog) -> None:
    late = MarkerAdded(t_ns=13 * DAY_NS, label="x")
    target = write_log([*small_session(ended=False), (late, b"")])
    before = part_path(target, 1).read_bytes()
    with pytest.raises(AffettiError, match="last for weeks") as caught:
        seal(target)
    assert caught.value.code == ExitCode.DAMAGED
    assert part_path(target, 1).read_bytes() == before
    assert not target.exists()


def test_thirty_million_rows_in_a_few_megabytes_are_refused_unread(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        del file["events/index"]
        file.create_dataset(
            "events/index", (30_000_000,), EVENT_ROW, chunks=(1 << 16,), compression="gzip"
        )
    with pytest.raises(AffettiError, match="/events/index") as caught:
        Session.open(sealed)
    assert caught.value.code == ExitCode.DAMAGED


def test_more_rows_than_there_are_events_are_refused(sealed: Path) -> None:
    with h5py.File(sealed, "r+") as file:
        rows = np.zeros(5_000, EVENT_ROW)
        del file["events/index"]
        file["events/index"] = rows
    with pytest.raises(AffettiError, match="claims 5000 rows"):
        Session.open(sealed)


def test_a_signal_that_swells_when_it_is_read_is_refused(write_log: WriteLog) -> None:
    start = started(streams=(HEART,))
    beat = pack_samples(HEART, np.zeros(4), np.zeros((4, 2)))
    block = SamplesCaptured(t_ns=0, stream="heart", sample=0, count=4)
    items = [(start, b""), (block, beat), (SessionEnded(t_ns=NS, reason="stopped"), b"")]
    path = seal(write_log(items)).path
    with h5py.File(path, "r+") as file:
        del file["signals/heart/samples"], file["signals/heart/stamps_s"]
        swelling = {"chunks": True, "compression": "gzip"}
        file.create_dataset("signals/heart/samples", (60_000_000, 2), "<f4", **swelling)
        file.create_dataset("signals/heart/stamps_s", (60_000_000,), "<f8", **swelling)
    with pytest.raises(AffettiError, match="more than the file"), Session.open(path) as session:
        _ = session.signals


def test_the_header_of_a_picture_says_its_size() -> None:
    assert jpeg_size_px(jpeg(3, (32, 48))) == (48, 32)
    for broken in (b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\x00\x00" * 50, jpeg()[:40], b"GIF89a"):
        assert jpeg_size_px(broken) is None


def claiming(picture: bytes, width: int, height: int) -> bytes:
    at = picture.index(b"\xff\xc0") + 5
    return picture[:at] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + picture[at + 4 :]


@pytest.mark.parametrize("size", [(32_000, 32_000), (65_535, 65_535), (65_535, 600), (0, 0)])
def test_a_picture_that_claims_gigabytes_is_not_decoded(size: tuple[int, int]) -> None:
    assert decoded(claiming(jpeg(), *size)) is None


def test_a_picture_is_decoded_where_it_is_as_large_as_was_said() -> None:
    picture = decoded(jpeg(7), (48, 32))
    assert picture is not None
    assert picture.shape == (32, 48, 3)
    assert decoded(jpeg(7), (32, 48)) is None


def test_a_picture_of_a_thousand_passes_is_not_decoded() -> None:
    picture = jpeg()
    assert decoded(picture[:-2] + b"\xff\xda\x00\x02" * 1000 + picture[-2:]) is None


def test_a_column_that_is_no_text_is_damage(tmp_path: Path) -> None:
    sealed = seal(log(tmp_path)).path
    with h5py.File(sealed, "r+") as file:
        name = "estimates/fused/decided_by"
        del file[name]
        file[name] = np.full(len(file["estimates/fused/seq"]), b"fac\xff")
    resealed(sealed)
    with Session.open(sealed) as session, pytest.raises(AffettiError) as caught:
        _ = session.estimates.fused
    assert caught.value.code == ExitCode.DAMAGED
