"""Perception as a pure operator. Its readers are small functions here; real ones have tests."""

import time
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from affetti.core.events import (
    AudioCaptured,
    AudioFormat,
    AudioGap,
    EmotionFused,
    EstimateSkipped,
    Event,
    FaceEstimated,
    FrameCaptured,
    HeardEstimated,
    MarkerAdded,
    MusicEstimated,
    TrackEnded,
    TrackStarted,
)
from affetti.core.streams import audio_stream, video_stream
from affetti.models.face.reading import FaceReading
from affetti.models.perception import Perception
from affetti.models.perception.skips import never, recorded_skips
from affetti.models.pipelines import AFFETTI, Offer
from affetti.models.sound.heard import Heard
from affetti.models.sound.music import MusicReader, MusicReading
from tests.conftest import NS, RATE_HZ, jpeg, started

Item = tuple[Event, bytes]


def read_face(image: NDArray[np.uint8], choose: object, where: object = None) -> FaceReading:
    """See a happy face in a bright picture, a sad one in a dark one, none in a black one."""
    shade = image.mean() / 255
    if shade < 0.05:
        return FaceReading()
    happy = round(float(shade), 6)
    return FaceReading(expressions=(0, 0, 0, happy, 1 - happy, 0, 0), box_px=(0, 0, 9, 9), faces=1)


def read_music(samples: NDArray[np.int16], rate_hz: int) -> MusicReading:
    """Hear anger in proportion to the mean sample, and nothing in zeros."""
    level = round(float(np.abs(samples).mean()) / 32768, 6)
    if not level:
        return MusicReading(emotions=None, loudness_dbfs=-120.0, tempo_bpm=None)
    return MusicReading(emotions=(0, 0, level, 1 - level), loudness_dbfs=-10.0, tempo_bpm=None)


def listen(energies: NDArray[np.float32]) -> Heard:
    """Hear music in proportion to the energy of the last second, at most surely."""
    return Heard(round(min(float(energies[-100:].mean()), 1.0), 6), 0.0, 0.0)


def numbered(items: Iterable[Item]) -> list[Item]:
    """Give events the `seq` that a log would."""
    from msgspec.structs import replace

    return [(replace(event, seq=i), blob) for i, (event, blob) in enumerate(items)]


def frame(i: int, shade: int = 200, per_s: int = 30) -> Item:
    return FrameCaptured(t_ns=i * NS // per_s, frame=i, width_px=48, height_px=32), jpeg(shade)


def block(second: float, level: int = 8000, stream: str = "room", seconds: float = 1.0) -> Item:
    count = round(RATE_HZ * seconds)
    event = AudioCaptured(
        t_ns=round(second * NS), stream=stream, sample=round(second * RATE_HZ), count=count
    )  # type: ignore[arg-type]
    return event, np.full(count, level, "<i2").tobytes()


def track(kind: str, second: float) -> Item:
    sample = round(second * RATE_HZ)
    if kind == "start":
        return (
            TrackStarted(
                t_ns=round(second * NS),
                track=0,
                title="",
                file_name="",
                sha256="",
                sample=sample,
                duration_s=9,
            ),
            b"",
        )
    return TrackEnded(t_ns=round(second * NS), track=0, sample=sample, reason="finished"), b""


@pytest.fixture(scope="module")
def reader() -> MusicReader:
    return MusicReader()


BOTH = (
    video_stream(),
    *(audio_stream(name, AudioFormat(RATE_HZ, 1)) for name in ("room", "playback")),
)


def perceive(
    items: Iterable[Item], skip: Callable[..., bool] = never
) -> list[FaceEstimated | MusicEstimated | EmotionFused | EstimateSkipped]:
    perception = Perception(read_face, read_music, skip)
    return [e for event, blob in numbered(items) for e in perception.push(event, blob)]


def of(kind: type, estimates: Iterable[Event]) -> list[Event]:
    return [e for e in estimates if isinstance(e, kind)]


def test_faces_are_read_ten_times_a_second_of_session_time() -> None:
    faces = of(FaceEstimated, perceive([(started(), b""), *map(frame, range(90))]))
    assert [face.frame for face in faces] == list(range(0, 90, 3))


def test_a_face_estimate_is_about_its_frame() -> None:
    (face,) = of(FaceEstimated, perceive([(started(), b""), frame(7)]))
    assert face.t_ns == 7 * NS // 30
    assert face.emotions == pytest.approx((200 / 255, 55 / 255, 0, 0), abs=0.02)


def test_a_picture_without_a_face_says_so() -> None:
    (face,) = of(FaceEstimated, perceive([(started(), b""), frame(0, shade=0)]))
    assert face.expressions is None
    assert face.emotions is None


def test_a_damaged_picture_shows_no_face() -> None:
    event, _ = frame(0)
    (face,) = of(FaceEstimated, perceive([(started(), b""), (event, b"\xff\xd8 no jpeg")]))
    assert face.expressions is None


def test_music_is_heard_each_second_from_the_third_on_over_at_most_ten() -> None:
    music = of(MusicEstimated, perceive([(started(), b""), *map(block, range(14))]))
    windows = [(m.start_sample / RATE_HZ, m.end_sample / RATE_HZ) for m in music]
    assert windows == [(max(0, end - 10), end) for end in range(3, 15)]
    assert [m.t_ns for m in music] == [end * NS for end in range(3, 15)]


def test_blocks_of_any_length_give_the_same_windows() -> None:
    whole = perceive([(started(), b""), *map(block, range(6))])
    pieces = [block(i * 0.16, seconds=0.16) for i in range(36)]
    small = perceive([(started(), b""), *pieces, block(5.76, seconds=0.24)])
    assert of(MusicEstimated, small) == of(MusicEstimated, whole)
    (long,) = {len(of(MusicEstimated, perceive([(started(), b""), block(0, seconds=6)])))}
    assert long == 4


def test_while_a_track_plays_the_playback_is_heard_and_otherwise_the_room() -> None:
    items: list[Item] = [(started(streams=BOTH), b"")]
    for second in range(16):
        if second == 4:
            items.append(track("start", second))
        if second == 10:
            items.append(track("end", second))
        items += [block(second, 1000), block(second, 9000, "playback")]
    heard = {m.end_sample // RATE_HZ: m.stream for m in of(MusicEstimated, perceive(items))}
    assert heard[3] == heard[4] == "room"
    assert all(heard[second] == "playback" for second in range(7, 11))
    assert heard[11] == heard[16] == "room"


def test_a_window_never_reaches_back_into_the_track_before() -> None:
    items: list[Item] = [(started(streams=BOTH), b""), track("start", 0)]
    items += [block(second, 1000, "playback") for second in range(12)]
    items += [track("end", 12), track("start", 12)]
    items += [block(second, 9000, "playback") for second in range(12, 20)]
    music = of(MusicEstimated, perceive(items))
    second = [m for m in music if m.end_sample > 12 * RATE_HZ]
    assert second[0].end_sample == 15 * RATE_HZ
    assert {m.start_sample for m in second} == {12 * RATE_HZ}


def test_a_window_never_spans_a_gap() -> None:
    gap = AudioGap(t_ns=5 * NS, stream="room", sample=5 * RATE_HZ, missing=10)
    items = [*map(block, range(5)), (gap, b""), *map(block, range(5, 9))]
    music = of(MusicEstimated, perceive([(started(), b""), *items]))
    assert [m.start_sample // RATE_HZ for m in music] == [0, 0, 0, 5, 5]


def test_samples_that_jump_start_a_window_anew() -> None:
    items = [*map(block, range(5)), *map(block, range(8, 12))]
    music = of(MusicEstimated, perceive([(started(), b""), *items]))
    assert [m.start_sample // RATE_HZ for m in music] == [0, 0, 0, 8, 8]


@pytest.mark.parametrize(
    ("rate_hz", "channels"), [(0, 1), (1, 1), (4_000, 1), (352_800, 1), (8_000, 0), (8_000, 9)]
)
def test_of_sound_that_cannot_be_read_nothing_is_said(
    reader: MusicReader, rate_hz: int, channels: int
) -> None:
    formats = {"room": AudioFormat(rate_hz, channels), "playback": AudioFormat(RATE_HZ, 1)}
    streams = tuple(audio_stream(name, form) for name, form in formats.items())
    items = [(started(streams=streams), b""), *(block(second) for second in range(5))]
    perception = Perception(read_face, reader.read)
    said = [e for event, blob in numbered(items) for e in perception.push(event, blob)]
    assert of(MusicEstimated, said) == []
    assert {e.emotions for e in of(EmotionFused, said)} == {None}


@pytest.mark.parametrize("rate_hz", [8_000, 8_001, 11_025, 12_345, 176_400, 191_999, 192_000])
@pytest.mark.campaign
def test_sound_at_any_rate_that_is_recorded_is_read(reader: MusicReader, rate_hz: int) -> None:
    time = np.arange(3 * rate_hz) / rate_hz
    tone = (8_000 * np.sin(2 * np.pi * 220 * time)).astype("<i2")
    heard = AudioCaptured(t_ns=0, stream="room", sample=0, count=len(tone))
    items = [
        (started(streams=(audio_stream("room", AudioFormat(rate_hz, 1)),)), b""),
        (heard, tone.tobytes()),
    ]
    perception = Perception(read_face, reader.read)
    said = [e for event, blob in numbered(items) for e in perception.push(event, blob)]
    (estimate,) = of(MusicEstimated, said)
    assert estimate.loudness_dbfs == pytest.approx(-15.26, abs=0.1)


def test_ticks_use_what_was_newest_then() -> None:
    items = [(started(), b"")]
    for second in range(6):
        items += [frame(30 * second + i) for i in range(30)]
        items.append(block(second))
    fused = of(EmotionFused, perceive(items))
    assert [f.t_ns for f in fused] == [i * NS // 2 for i in range(1, 1 + len(fused))]
    assert [f.decided_by for f in fused[:5]] == ["face"] * 5
    assert {f.decided_by for f in fused[6:]} == {"both"}


def test_without_face_and_music_nothing_is_said() -> None:
    items = [(started(), b"")]
    for second in range(6):
        items += [frame(30 * second + i, shade=0) for i in range(30)]
        items.append(block(second, level=0))
    fused = of(EmotionFused, perceive(items))
    assert fused
    assert all(f.emotions is None and f.decided_by == "neither" for f in fused)


def test_a_face_is_remembered_for_a_second_and_no_longer() -> None:
    seen = [frame(i) for i in range(30)]
    gone = [frame(i, shade=0) for i in range(30, 120)]
    fused = of(EmotionFused, perceive([(started(), b""), *seen, *gone]))
    said = [f.t_ns / NS for f in fused if f.emotions is not None]
    assert said == [0.5, 1.0, 1.5]


def test_time_that_jumps_ahead_still_ticks() -> None:
    late = MarkerAdded(t_ns=60 * NS, label="")
    fused = of(EmotionFused, perceive([(started(), b""), (late, b"")]))
    assert len(fused) == 119


def test_skipped_estimates_are_recorded_and_can_be_repeated() -> None:
    items = [(started(), b""), *map(frame, range(30)), *map(block, range(5))]
    rng = np.random.default_rng(1)
    live = perceive(items, lambda modality, event: bool(rng.random() < 0.5))
    assert of(EstimateSkipped, live)
    assert perceive(items, recorded_skips(live)) == live


def test_skips_leave_all_other_face_and_music_estimates_as_they_are() -> None:
    items = [(started(), b""), *map(frame, range(30)), *map(block, range(5))]
    every = of(FaceEstimated, perceive(items))
    some = of(FaceEstimated, perceive(items, lambda modality, event: event.seq % 2 == 0))
    assert set(some) < set(every)


def test_the_models_in_use_are_pinned() -> None:
    assert all(len(sha256) == 64 for sha256 in Offer(AFFETTI).open().digests.values())


@pytest.mark.parametrize("seed", range(5))
def test_threads_give_what_a_replay_gives_whatever_their_timing(seed: int) -> None:
    import random

    from affetti.core.clock import SessionClock
    from affetti.recorder.engine.live import LivePerception

    class SlowReaders:
        """Readers whose speed is left to chance."""

        reference = ()
        looks = None
        describes = None
        listens = staticmethod(listen)

        def __init__(self) -> None:
            self._chance = random.Random(seed)

        def ready(self, modality: str) -> bool:
            return True

        def read_face(
            self, image: NDArray[np.uint8], choose: object, where: object = None
        ) -> FaceReading:
            time.sleep(self._chance.random() / 200)
            return read_face(image, choose)

        def read_music(self, samples: NDArray[np.int16], rate_hz: int) -> MusicReading:
            time.sleep(self._chance.random() / 50)
            return read_music(samples, rate_hz)

    items = [(started(), b"")]
    for second in range(8):
        items += [frame(30 * second + i, shade=100 + 10 * second) for i in range(30)]
        items.append(block(second, level=1000 * second))
    items = numbered(items)
    live: list[Event] = []
    perception = LivePerception(SlowReaders(), SessionClock(), live.append)  # type: ignore[arg-type]
    for event, blob in items:
        perception.push(event, blob)
    perception.close()
    skip = recorded_skips(live)
    replayed: list[Event] = []
    replay = Perception(read_face, read_music, skip, listen=listen)
    for event, blob in items:
        replayed += replay.push(event, blob)
    assert len(of(HeardEstimated, live)) == 8
    for kind in (FaceEstimated, HeardEstimated, MusicEstimated, EmotionFused):
        assert of(kind, live) == of(kind, replayed)
