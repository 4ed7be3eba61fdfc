"""Streams are declared: videos, sounds and signals, as many of each as there are."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from affetti.core.consent import ConsentLedger
from affetti.core.events import (
    AudioFormat,
    ClockMeasured,
    DeviceLost,
    DeviceRestored,
    Event,
    FrameCaptured,
    FramesDropped,
    SamplesCaptured,
    SessionEnded,
    StreamOpened,
    consent_to,
)
from affetti.core.recording.names import part_path
from affetti.core.recording.records import Scan
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.recording.signals import pack_samples
from affetti.core.streams import (
    SAMPLE_TYPES,
    Channel,
    Stream,
    audio_stream,
    stream_name,
    video_stream,
)
from tests.conftest import HEART, NS, WORDS, jpeg, started

pytestmark = pytest.mark.one_of_each

WriteLog = Callable[..., Path]
Item = tuple[Event, bytes]


def samples(stream: Stream, first: int, values: object, t_s: float, ahead_s: float = 100.0) -> Item:
    """A block whose source's clock is `ahead_s` ahead of the session's, ten samples a second."""
    count = len(values)  # type: ignore[arg-type]
    stamps_s = ahead_s + t_s + np.arange(count) / 10
    event = SamplesCaptured(t_ns=round(t_s * NS), stream=stream.name, sample=first, count=count)
    return event, pack_samples(stream, stamps_s, values)


def measured(t_s: float, ahead_s: float = 100.0) -> Item:
    event = ClockMeasured(
        t_ns=round(t_s * NS), stream="heart", source_s=t_s + ahead_s, offset_s=-ahead_s
    )
    return event, b""


def sealed(write_log: WriteLog, items: list[Item], *streams: Stream) -> Path:
    consent = consent_to("video", "room", "signals")
    begin = (started(consent=consent, streams=streams), b"")
    end = (SessionEnded(t_ns=60 * NS, reason="stopped"), b"")
    report = seal(write_log([begin, *items, end]))
    assert not report.recovered
    return report.path


def test_a_signal_is_kept_with_its_raw_stamps_and_its_times_follow(write_log: WriteLog) -> None:
    values = np.arange(20, dtype=np.float32).reshape(10, 2)
    items = [measured(0.0), samples(HEART, 0, values, 1.0), samples(HEART, 10, values + 1, 2.0)]
    with Session.open(sealed(write_log, [*items, measured(30.0)], HEART)) as session:
        session.verify_digest()
        heart = session.signals["heart"]
        assert heart.channels == ("ecg", "quality")
        assert np.array_equal(heart.values, np.concatenate([values, values + 1]))
        assert heart.stamps_s == pytest.approx(101 + np.arange(20) / 10)
        assert heart.t_s == pytest.approx(1 + np.arange(20) / 10)
        assert heart.stored_t_s == pytest.approx(heart.t_s)
        info = session.info.signals["heart"]
        assert (info.samples, info.clock_measurements) == (20, 2)
        assert info.drift_ppm == pytest.approx(0.0)
        assert info.measured_rate_hz == pytest.approx(10.0)


def test_clocks_that_drift_apart_are_followed(write_log: WriteLog) -> None:
    items = [measured(0.0), samples(HEART, 0, np.zeros((10, 2)), 15.0, 100.003)]
    with Session.open(sealed(write_log, [*items, measured(30.0, 100.006)], HEART)) as session:
        assert session.signals["heart"].t_s[0] == pytest.approx(15.0, abs=1e-6)
        assert session.info.signals["heart"].drift_ppm == pytest.approx(-200, abs=1)


def test_a_source_that_came_back_may_have_another_clock(write_log: WriteLog) -> None:
    items = [measured(0.0), samples(HEART, 0, np.zeros((10, 2)), 1.0)]
    items += [(DeviceLost(t_ns=3 * NS, device="heart", stream="heart"), b"")]
    back = DeviceRestored(t_ns=8 * NS, device="heart", stream="heart", gap_ns=6 * NS)
    items += [(back, b""), measured(8.5, 7.0), samples(HEART, 10, np.zeros((10, 2)), 9.0, 7.0)]
    with Session.open(sealed(write_log, items, HEART)) as session:
        assert session.signals["heart"].t_s[[0, 10]] == pytest.approx([1.0, 9.0])
        assert session.info.signals["heart"].losses == 1


def test_text_is_kept_sign_by_sign(write_log: WriteLog) -> None:
    texts = [["Käse"], [""], ["a\0b\n"], ["☺" * 300]]
    with Session.open(sealed(write_log, [samples(WORDS, 0, texts, 1.0)], WORDS)) as session:
        session.verify_digest()
        assert session.signals["words"].values.tolist() == texts


@pytest.mark.parametrize("encoding", SAMPLE_TYPES)
def test_numbers_of_every_type_come_back_as_they_were(write_log: WriteLog, encoding: str) -> None:
    stream = Stream(name="s", kind="samples", encoding=encoding, channels=(Channel("1"),))
    values = np.array([[0], [1], [-7], [100]], SAMPLE_TYPES[encoding])
    with Session.open(sealed(write_log, [samples(stream, 0, values, 0.5)], stream)) as session:
        session.verify_digest()
        found = session.signals["s"].values
        assert found.dtype == SAMPLE_TYPES[encoding]
        assert np.array_equal(found, values)


def test_a_stream_may_open_in_mid_session(write_log: WriteLog) -> None:
    items = [(StreamOpened(t_ns=5 * NS, declaration=HEART), b"")]
    items.append(samples(HEART, 0, np.ones((5, 2)), 6.0))
    with Session.open(sealed(write_log, items)) as session:
        assert len(session.signals["heart"]) == 5


def frames(stream: str, count: int, shade: int) -> list[Item]:
    return [
        (
            FrameCaptured(t_ns=i * NS // 10, stream=stream, frame=i, width_px=48, height_px=32),
            jpeg(shade + i),
        )
        for i in range(count)
    ]


def test_two_videos_lie_beside_each_other_each_with_its_own_numbers(write_log: WriteLog) -> None:
    first, second = frames("camera", 12, 0), frames("side", 7, 100)
    items = [item for pair in zip(first, second, strict=False) for item in pair] + first[7:]
    items.append((FramesDropped(t_ns=NS, stream="side", count=3), b""))
    path = sealed(write_log, items, video_stream(), video_stream("side"))
    with Session.open(path) as session:
        session.verify_digest()
        assert [len(session.video[name]) for name in ("camera", "side")] == [12, 7]
        assert [frame.jpeg for frame in session.video["side"]] == [blob for _, blob in second]
        assert [frame.jpeg for frame in session.frames] == [blob for _, blob in first]
        assert session.info.video["side"].frames_dropped == 3
        assert session.info.video["camera"].frames_dropped == 0


def test_every_header_says_stream_consent_and_blob(write_log: WriteLog) -> None:
    streams = (video_stream(), audio_stream("playback", AudioFormat(8_000, 1)), HEART)
    consent = consent_to("video", "signals")
    items = [(started(consent=consent, streams=streams), b""), *frames("camera", 1, 0)]
    items += [samples(HEART, 0, np.zeros((3, 2)), 1.0), measured(2.0)]
    target = write_log(items)
    part = part_path(target, 1)
    with h5py.File(part) as file:
        start, size = file["log"].id.get_offset(), file["log"].size
    with part.open("rb") as log:
        found = [place.record for place in Scan(log, start, start + size)]
    assert [(r.stream, r.scopes, bool(r.blob)) for r in found] == [
        ("", "", False),
        ("camera", "video", True),
        ("heart", "signals", True),
        ("heart", "", False),
    ]
    seal(target)
    with h5py.File(target) as file:
        rows = file["events/index"][:4]
    assert rows["stream"].tolist() == [b"", b"camera", b"heart", b"heart"]
    assert rows["scopes"].tolist() == [b"", b"video", b"signals", b""]
    assert (rows["blob_length"] > 0).tolist() == [False, True, True, False]
    assert rows["t_s"] == pytest.approx(rows["t_ns"] / NS)


def test_a_signal_is_held_back_in_a_pause_and_without_consent() -> None:
    block, _ = samples(HEART, 0, np.zeros((3, 2)), 1.0)
    ledger = ConsentLedger(consent_to("video"), [HEART])
    assert not ledger.admits(block)
    ledger = ConsentLedger(consent_to("signals"), [HEART])
    assert ledger.admits(block)


@pytest.mark.parametrize("name", ["", "a/b", "ä", "x" * 33, ".", "a b"])
def test_what_cannot_name_a_stream_is_impossible(name: str) -> None:
    assert not video_stream(name).possible
    assert video_stream(stream_name(name)).possible


def test_a_consent_carries_its_dates() -> None:
    consent = consent_to("video", since="2026-11-25").changed(
        granted=["research"], ended=["video"], since="2026-11-26"
    )
    assert consent.granted == ("research",)
    assert consent.scopes["video"].since == "2026-11-26"
    assert consent.scopes["room"].since == "2026-11-25"
