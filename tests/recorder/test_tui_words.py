"""What the screens say, and what a plan still lacks; no screen is needed for that."""

import dataclasses
from pathlib import Path
from typing import get_args

import pytest

from affetti.analyzer.report import wording as report_wording
from affetti.core.emotions import EMOTIONS, EXPRESSIONS
from affetti.core.events import (
    EmotionFused,
    Face,
    FaceEstimated,
    HeardEstimated,
    RecordingPaused,
    SessionEnded,
    consent_to,
)
from affetti.core.language import catalogue
from affetti.core.settings import Settings
from affetti.core.state import Video
from affetti.models.face.reference import TAKEN, Outcome
from affetti.recorder.engine.messages import Plan
from affetti.recorder.tui import wording
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.seconds import Seconds
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.bars import EmotionBars
from affetti.recorder.tui.widgets.timeline import Row, bands_of, marks_of, step_of, times_of
from tests.recorder.scripted_engine import (
    NS,
    estimates,
    health,
    recorded,
    session,
    session_started,
    track_started,
)


def view_of(*messages: object, now_s: float = 200.0) -> RecordingView:
    clock = [round(now_s * NS)]
    view = RecordingView(lambda: clock[0])
    for message in messages:
        view.hear(message)  # type: ignore[arg-type]
    return view


@pytest.mark.parametrize(
    ("emotions", "words"),
    [
        ((0.7, 0.1, 0.1, 0.1), "happiness, 70\u00a0%"),
        ((0.1, 0.4, 0.05, 0.45), "relaxation and sadness"),
        ((0.27, 0.25, 0.24, 0.24), "a mix, most happiness"),
    ],
)
def test_close_emotions_are_named_together(
    emotions: tuple[float, float, float, float], words: str
) -> None:
    assert report_wording.strongest(emotions) == words


def test_readings_say_what_is_expressed() -> None:
    view = view_of(recorded(session()), health())
    assert wording.face_reading(view).title == "P07’s face expresses"
    assert wording.face_reading(view).words == "happiness, 78\u00a0%"
    assert wording.music_reading(view).words == "relaxation and happiness"
    assert wording.music_reading(view).figures == "44\u00a0%, 34\u00a0%"  # which its words lack
    assert wording.fused_reading(view).title == "Face + music, averaged"


def test_old_estimates_are_not_shown() -> None:
    clock = [200 * NS]
    view = RecordingView(lambda: clock[0])
    view.hear(recorded(session()))
    view.hear(health())
    clock[0] += 10 * NS
    assert wording.face_reading(view).shares is None
    assert wording.music_reading(view).shares is None
    assert wording.fused_reading(view).shares is None
    assert "SAID NOTHING FOR 10 s" in wording.alarms(view)[0].words


def heard(stream: str, t_s: int, *kinds: str) -> HeardEstimated:
    return HeardEstimated(
        t_ns=t_s * NS, stream=stream, start_sample=0, end_sample=1, heard=kinds
    )  # fmt: skip


def test_what_is_heard_now_is_said_of_room_and_playback_and_never_whose() -> None:
    now = [heard("room", 198, "quiet"), heard("playback", 199, "music")]
    view = view_of(recorded([*session(), *now, heard("room", 199, "music", "other_voice")]))
    assert wording.heard_lines(view) == ("room: music, other voice", "track: music")
    old = view_of(recorded([*session(), heard("room", 150, "speech")]))
    assert wording.heard_lines(old) == ("room: listening…",)
    unknown = view_of(recorded([*session(), heard("room", 199)]))
    assert wording.heard_lines(unknown) == ("room: nothing clear",)
    assert wording.heard_lines(view_of(recorded([]))) == ("room: not recorded",)


def test_no_estimate_has_a_reason() -> None:
    assert wording.face_reading(view_of(recorded([]))).words == "models are loading…"
    no_video = session_started(consent=consent_to("room"))
    assert wording.face_reading(view_of(recorded([no_video]))).words == "not recorded: no consent"
    no_camera = session_started(camera=None)
    assert wording.face_reading(view_of(recorded([no_camera]))).words == "no camera"
    loading = view_of(recorded([session_started()]), health(models_ready=False))
    assert wording.face_reading(loading).words == "models are loading…"
    paused = view_of(recorded([*session(), RecordingPaused(t_ns=200 * NS)]), health())
    assert wording.face_reading(paused).words == "recording is paused"


def said_of(view: RecordingView, severity: str) -> list[str]:
    details = wording.health_details(view).values()
    return [r.words for remarks in details for r in remarks if r.severity == severity]


def test_a_lamp_says_what_is_the_matter() -> None:
    view = view_of(recorded(session()), health(frames_dropped=3, disk_s=100.0, behind_s=2.5))
    assert said_of(view, "warning") == ["3 dropped", "estimates 2.5 s behind"]
    assert said_of(view, "error") == ["disk 1 min"]
    lamps = wording.lamps(wording.health_details(view))
    assert [lamp.severity for lamp in lamps.values() if lamp] == ["warning", "ok", "error"]
    assert lamps["disk"] == wording.Remark("disk 1 min", "error")
    alone = view_of(recorded([session_started(camera=None, streams=())]), health())
    lamps = wording.lamps(wording.health_details(alone))
    assert lamps["camera"] is lamps["sound"] is None


def test_a_slow_disk_is_told_by_what_it_has_not_taken_yet() -> None:
    view = view_of(recorded(session()), health(unsafe_s=4.2))
    assert said_of(view, "warning") == ["4 s not yet on disk"]
    assert said_of(view_of(recorded(session()), health(unsafe_s=0.6)), "warning") == []


def test_a_slow_camera_is_not_a_failing_one() -> None:
    view = view_of(recorded(session()), health(frames_per_s=15.0))
    view.state.video = {"camera": Video(frames=3000, last_frame_ns=200 * NS)}
    assert said_of(view, "warning") == []


def test_a_track_is_measured_as_the_analyzer_does() -> None:
    some = [e for e in estimates(20.0) if e.t_ns < 10 * NS]
    events = [session_started(), track_started(0, 0.0), *some, SessionEnded(t_ns=20 * NS,
              reason="stopped")]  # fmt: skip
    (track,) = view_of(recorded(events)).course().tracks
    assert track.summaries["fused"].coverage == pytest.approx(14 / 34)  # from 3 s on, to 10 and 20
    assert track.summaries["fused"].emotions.sum() == pytest.approx(1.0, abs=1e-5)
    (nothing,) = view_of(recorded([*events[:2], events[-1]])).course().tracks
    assert nothing.summaries["fused"].strongest is None
    assert nothing.summaries["fused"].coverage == 0.0


def test_timeline_tells_what_was_not_seen_from_what_is_to_come() -> None:
    view = view_of(recorded(session()))
    row = Row.of(view.seconds["face"], 5, 60)
    assert row.strongest[:8] == ("sad",) * 8
    assert row.strongest[9] is None  # nobody was seen
    assert row.strongest[38] == "happy"
    assert row.shares[38] == pytest.approx(0.78, abs=0.02)
    assert "".join(sign for at, sign in sorted(row.written().items()) if at < 8) == "sadness"
    assert 0 not in row.written()  # whose colour and height say that the name is of a bar
    long_ago = Seconds(EMOTIONS)
    long_ago.add(5000 * NS, (0.7, 0.1, 0.1, 0.1))
    assert Row.of(long_ago, 1000, 6).strongest[5] == "happiness"


def test_the_row_of_both_is_empty_where_one_of_them_was_not_there() -> None:
    shares = (0.1, 0.1, 0.7, 0.1)
    by = ("music", "both", "face")
    fused = [
        EmotionFused(t_ns=(20 * i + 1) * NS, emotions=shares, decided_by=who)
        for i, who in enumerate(by)
    ]
    view = view_of(recorded([session_started(), *fused]))
    assert Row.of(view.seconds["fused"], 20, 3).strongest == (None, "anger", None)


def test_timeline_stretches_from_the_beginning_and_names_tracks_markers_and_times() -> None:
    view = view_of(recorded(session()))
    assert [step_of(s * NS, 60) for s in (0, 59, 60, 119, 200, 3600)] == [1, 1, 2, 2, 5, 120]
    bands = bands_of(view.state.tracks, view.now_ns, 5, 60)
    assert [(band.title, band.first, band.stop) for band in bands] == [
        ("Song of Farewell", 1, 19),
        ("Morning [red]Dance[/red]", 19, 31),
        ("Lullaby", 31, 40),
    ]
    assert marks_of(view.state.markers, 5, 60) == {6: "▲", 7: "1", 26: "▲", 27: "2"}
    assert times_of(5, 30).startswith("╵00:00      ╵01:00")
    assert times_of(5, 30, taken={14}).split() == ["╵00:00", "╵02:00"]


def test_what_is_mixed_is_called_so() -> None:
    faces = FaceEstimated(
        t_ns=200 * NS,
        frame=1,
        faces=(
            Face(
                face_id=0,
                read=True,
                expressions=(0.02, 0.02, 0.02, 0.42, 0.43, 0.04, 0.05),
                box_px=(1, 1, 9, 9),
            ),
        ),
    )
    view = view_of(recorded([*session(199.0)[:-2], faces]), health())
    view._faces.clear()
    view.hear(recorded([faces]))
    assert wording.face_reading(view).words == "mixed: sadness and happiness"


def test_of_one_alone_nothing_is_said_to_agree() -> None:
    view = view_of(recorded(session()), health())
    assert wording.together(view).alike == "partly alike"
    (last,) = [e for e in session() if isinstance(e, EmotionFused)][-1:]
    alone = EmotionFused(t_ns=last.t_ns, emotions=last.emotions, decided_by="music")
    view.hear(recorded([alone]))
    said = wording.together(view)
    assert (said.title, said.alike) == ("Music alone", "")
    assert said.words == wording.music_reading(view).words


def test_a_draft_says_what_it_lacks() -> None:
    draft = Draft()
    assert draft.lacks() == ["the person's code", "yes or no to video", "yes or no to sound"]
    draft = dataclasses.replace(draft, person="Anna B.", video=False, audio=False)
    assert draft.lacks() == ["a code without other signs", "a camera, a microphone or music"]
    draft = dataclasses.replace(draft, person="P07", playlist=[Path("a.ogg")])
    assert draft.lacks() == []


def test_what_is_not_consented_to_is_not_in_the_plan() -> None:
    draft = Draft("P07", video=False, audio=False, camera="0", microphone="", speaker="")
    plan = draft.plan()
    assert (plan.camera, plan.microphone) == (None, None)
    assert plan.consent.granted == ()


def test_a_plan_without_consent_chooses_nothing_for_the_person() -> None:
    plan = Plan(person="anon", consent=consent_to("video", "room"), playlist=("a.ogg",))
    draft = Draft.of_plan(plan, Settings(camera="1"), person_known=False, consent_known=False)
    assert (draft.person, draft.video, draft.audio) == ("", None, None)
    assert draft.camera == "1"
    again = dataclasses.replace(draft, person="P1", video=True, audio=True).next_session()
    assert (again.person, again.video, again.audio) == ("", None, None)
    assert again.playlist == draft.playlist


def test_bars_are_called_whose_they_are_before_they_are_drawn() -> None:
    bars = EmotionBars("Face", id="face")
    bars.show(wording.Reading("P07’s face expresses", "sadness", (1 / 7,) * 7, EXPRESSIONS))
    assert bars.border_title == "P07’s face expresses"
    bars.show(wording.Reading("Face", "no estimate now", labels=EXPRESSIONS))
    assert bars.border_title == "Face"


@pytest.mark.parametrize("spoken", ["en", "de"])
def test_why_a_neutral_face_was_refused_stands_in_one_line_with_what_to_do(spoken: str) -> None:
    said = catalogue(spoken)
    outcomes = [each for each in get_args(Outcome) if f"neutral.why.{each}" in said]
    assert set(outcomes) == set(get_args(Outcome)) - {"accepted", *TAKEN}
    for outcome in outcomes:
        (why,) = said[f"neutral.why.{outcome}"]
        (line,) = said["live.neutral_refused"]
        assert len(f"! {line.format(why=why)}") <= 78


@pytest.mark.parametrize("device", ["camera", "microphone", "speaker"])
def test_a_lost_device_is_called_by_its_name_in_every_language(device: str) -> None:
    for spoken in ("en", "de"):
        said = catalogue(spoken)
        name, told = said[f"device.{device}"][0], said[f"unseen.lost.{device}"][0]
        assert name in told
