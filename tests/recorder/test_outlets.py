"""What is offered to other programs by the Lab Streaming Layer, and markers taken from them."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from affetti.core.clock import NS_PER_S, SessionClock
from affetti.core.errors import UsageError
from affetti.core.events import (
    ClockMeasured,
    ConsentChanged,
    DeviceLost,
    DeviceRestored,
    EmotionFused,
    Event,
    FaceEstimated,
    MarkerAdded,
    TrackEnded,
    consent_to,
)
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.core.streams import video_stream
from affetti.recorder.engine.inbox import Inbox
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.outlets import (
    FACE,
    FUSED,
    HEARD,
    MARKED,
    MUSIC,
    TRACKS,
    Offer,
    Outlets,
    offers_of,
    sample_of,
)
from affetti.recorder.sources.lsl_markers import LslMarkers, marker_source, words_of
from affetti.recorder.tui.draft import Draft
from tests.command_line import affetti
from tests.conftest import started
from tests.recorder.films import face_film
from tests.recorder.recording_sink import RecordingSink
from tests.recorder.test_lsl import unique

pylsl = pytest.importorskip("pylsl")
FOUND_S = 60.0
PERSON = "P07"


def until(true: Callable[[], object]) -> None:
    while not true():
        time.sleep(0.02)


def inlet_of(source_id: str) -> Any:
    (info,) = pylsl.resolve_byprop("source_id", source_id, 1, FOUND_S)
    inlet = pylsl.StreamInlet(info, recover=False)
    inlet.open_stream(FOUND_S)
    return inlet


@contextmanager
def offered(*offers: Offer) -> Iterator[tuple[Inbox, Outlets, str]]:
    """Give an inbox whose events are offered once `pump` has written them, as a recording does."""
    clock, session_id = SessionClock(), uuid.uuid4().hex
    inbox, problems = Inbox(clock, consent_to("video")), list[Exception]()
    outlets = Outlets(session_id, clock, lambda: inbox.ends, problems.append, offers)
    try:
        inbox.put(started(streams=(video_stream(),), consent=consent_to("video"), person=PERSON))
        yield inbox, outlets, session_id
    finally:
        outlets.close()
    assert problems == []


def pump(inbox: Inbox, outlets: Outlets) -> None:
    inbox.close()
    while (item := inbox.get(1)) is not None:
        outlets.see(item[0])


def test_what_is_said_of_each_event_has_its_channels() -> None:
    emotions = (0.1, 0.2, 0.3, 0.4)
    of: list[tuple[Event, Offer, list[float | str]]] = [
        (FaceEstimated(t_ns=0, frame=1), FACE, [float("nan")] * 7),
        (
            EmotionFused(t_ns=0, emotions=emotions, decided_by="face", entropy_bits=1.5),
            FUSED,
            [*emotions, 1.5, float("nan"), 1, 0],
        ),
        (
            TrackEnded(t_ns=0, track=2, sample=5, reason="finished"),
            TRACKS,
            ["ended", "2", "finished"],
        ),
        (MarkerAdded(t_ns=0, number=3, edge="start"), MARKED, ["start 3"]),
        (MarkerAdded(t_ns=0), MARKED, ["marker"]),
    ]
    for event, offer, values in of:
        found = sample_of(event)
        assert found is not None
        assert found[0] is offer
        assert len(found[1]) == len(offer.channels)
        assert [str(each) for each in found[1]] == [str(each) for each in values] or np.allclose(
            np.array(found[1], float), np.array(values, float), equal_nan=True
        )
    assert sample_of(MarkerAdded(t_ns=0, label="x", stream="task")) is None  # never sent back
    assert offers_of({"face"}, plays=False) == (FACE, FUSED, MARKED)
    assert offers_of({"music"}, plays=True) == (HEARD, MUSIC, FUSED, TRACKS, MARKED)


def test_an_inlet_receives_what_is_estimated_until_consent_ends() -> None:
    face = FaceEstimated(t_ns=0, frame=1)
    with offered(FACE, MARKED) as (inbox, outlets, session_id):
        inlet = inlet_of(f"affetti-{session_id}-face")
        words = inlet_of(f"affetti-{session_id}-markers")
        about = inlet.info(FOUND_S)
        assert about.get_channel_labels() == [name for name, _ in FACE.channels]
        assert set(about.get_channel_units()) == {"probability"}
        assert PERSON not in about.as_xml()
        until(outlets._outlets["face"].have_consumers)
        until(outlets._outlets["markers"].have_consumers)
        at_ns = inbox.clock.now_ns()
        inbox.put_made([FaceEstimated(t_ns=at_ns - NS_PER_S, frame=1)], frozenset({"video"}), {})
        pump(inbox, outlets)
        values, stamp_s = inlet.pull_sample(FOUND_S)
        assert np.isnan(values).all()
        # Its stamp is the moment that it is about, by the clock of this machine.
        about_ns = inbox.clock.now_ns() - round((pylsl.local_clock() - stamp_s) * NS_PER_S)
        assert about_ns == pytest.approx(at_ns - NS_PER_S, abs=NS_PER_S / 2)
        # Estimates wait to be written, and consent ends: they do not leave any more.
        inbox.put_made([face, face], frozenset({"video"}), {})
        inbox.put(ConsentChanged(t_ns=inbox.clock.now_ns(), consent=consent_to()))
        inbox.put_made([face], frozenset({"video"}), {})
        inbox.put(MarkerAdded(t_ns=inbox.clock.now_ns(), label="käse [red]"))
        pump(inbox, outlets)
        assert words.pull_sample(FOUND_S)[0] == ["käse [red]"]  # which was put last
        assert inlet.pull_sample(0.0)[0] is None


def test_a_reader_that_never_reads_holds_nothing_up() -> None:
    with offered(FACE) as (inbox, outlets, session_id):
        inlet = inlet_of(f"affetti-{session_id}-face")
        until(outlets._outlets["face"].have_consumers)
        for i in range(30):
            inbox.put_made([FaceEstimated(t_ns=i, frame=i)] * 30, frozenset({"video"}), {})
            pump(inbox, outlets)  # returns at once, read or not
        del inlet


@pytest.mark.campaign
def test_markers_of_another_program_have_its_stamps_and_its_loss_is_told() -> None:
    name, sink = unique("task"), RecordingSink()
    source = marker_source(f"lsl:{name}")

    def outlet() -> Any:
        info = pylsl.StreamInfo(name, "Markers", 2, pylsl.IRREGULAR_RATE, "string", name)
        return pylsl.StreamOutlet(info)

    def markers() -> list[MarkerAdded]:
        return [each for each in sink.events if isinstance(each, MarkerAdded)]

    def come(*kinds: type[Event]) -> bool:
        return any(isinstance(each, kinds) for each in sink.events)

    publisher = outlet()
    source.open()
    assert source.scope is None
    assert [(s.kind, s.rate_hz) for s in source.streams] == [("markers", None)]
    source.start(sink)
    try:
        until(lambda: come(ClockMeasured))
        at_ns = sink.clock.now_ns() + NS_PER_S
        until(lambda: sink.clock.now_ns() > at_ns)
        ago_s = (sink.clock.now_ns() - at_ns) / NS_PER_S
        publisher.push_sample(["stimulus\n1", "<left>"], pylsl.local_clock() - ago_s)
        publisher.push_sample(["by a clock of its own", ""], 1.5e9 + time.time())
        before_s = sink.clock.now_ns() / NS_PER_S + 1
        publisher.push_sample(["before", ""], pylsl.local_clock() - before_s)
        publisher.push_sample(["last", ""])
        until(lambda: len(markers()) == 3)
        first, second, last = markers()
        assert (first.label, first.stream) == ("stimulus 1 <left>", source.streams[0].name)
        assert first.t_ns == pytest.approx(at_ns, abs=NS_PER_S / 2)
        assert at_ns < second.t_ns <= sink.clock.now_ns()  # when it came
        assert last.label == "last"
        del publisher
        until(lambda: come(DeviceLost))
        publisher = outlet()
        until(lambda: come(DeviceRestored))
        until(lambda: bool(publisher.push_sample(["again", ""])) or len(markers()) > 3)
        assert markers()[3].label == "again"
    finally:
        source.stop()


def test_numbers_become_words_and_a_signal_is_no_marker() -> None:
    assert words_of(np.array([7, -1], np.int32)) == "7 -1"
    assert words_of(np.array([2.5], np.float32)) == "2.5"
    assert words_of(["\x1b[2J", ""]) == "[2J"
    for address in ("heart", "lsl:", "film:x"):
        with pytest.raises(UsageError, match="names no stream of markers"):
            marker_source(address)
    name = unique("heart")
    signal = pylsl.StreamOutlet(pylsl.StreamInfo(name, "ECG", 1, 250, "float32", name))
    source = LslMarkers(name)
    with pytest.raises(UsageError, match="it is a signal"):
        source.open()
    source.stop()
    del signal


def test_a_recording_does_not_listen_to_itself() -> None:
    words = ["--headless", "--lsl-out", "--no-speaker", "--markers", "lsl:affetti-markers"]
    said = affetti("record", *words)
    assert said.returncode == 2
    assert "offers itself" in said.stderr


def test_what_the_command_line_names_reaches_what_the_screen_records() -> None:
    plan = Plan(
        person="P1",
        consent=consent_to("video"),
        camera="0",
        cameras=("side=1",),
        markers=("lsl:task",),
        lsl_out=True,
    )
    draft = Draft.of_plan(plan, Settings(), person_known=True, consent_known=True)
    made = draft.plan()
    assert (made.cameras, made.markers, made.lsl_out) == (("side=1",), ("lsl:task",), True)
    draft.video = False
    assert draft.plan().cameras == ()
    following = draft.next_session()
    assert (following.cameras, following.lsl_out) == (("side=1",), False)  # to be asked for anew


@pytest.mark.campaign
def test_another_program_hears_a_whole_recording_and_marks_it(
    tmp_path: Path, sample_session: Path
) -> None:
    film = face_film(tmp_path / "front.avi", sample_session, 12, (320, 240), 15)
    target, name = tmp_path / "s.h5", unique("task")
    publisher = Path(__file__).with_name("outlet.py")
    command = [sys.executable, str(publisher), name, "string", "0", "30"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as task:
        words = ["--headless", "--person", PERSON, "--camera", film, "--lsl-out"]
        words += ["--markers", f"lsl:{name}", "--output", target]
        command = [sys.executable, "-m", "affetti", "record", *map(str, words)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as recorder:
            (info,) = pylsl.resolve_byprop("name", FACE.stream_name, 1, FOUND_S)
            inlet = pylsl.StreamInlet(info, recover=False)
            received: list[tuple[list[float], float]] = []
            try:
                while recorder.poll() is None:
                    values, stamps = inlet.pull_chunk(0.5)
                    received += zip(values, stamps, strict=True)
            except pylsl.util.LostError:
                pass
            assert recorder.wait() == 0
        task.kill()
    with Session.open(target) as session:
        assert session.started.offered == ("lsl",)
        faces = [each for each in session.events if isinstance(each, FaceEstimated)]
        sent = {tuple(sample_of(each)[1]) for each in faces}  # type: ignore[index]
        assert len(received) > 5
        read = [values for values, _ in received if not np.isnan(values).any()]
        assert read
        for values in read:
            assert any(np.allclose(values, each, atol=1e-6) for each in sent)
        marked = [each for each in session.events if isinstance(each, MarkerAdded)]
        assert marked
        assert {each.label.split()[0] for each in marked} == {"käse"}
        assert [each.kind for each in session.streams.values()] == ["video", "markers"]
    assert affetti("check", target).returncode == 0
    assert "programs in the local network" in affetti("info", target).stdout
