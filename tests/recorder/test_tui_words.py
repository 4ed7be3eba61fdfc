"""What the screens say, and what a plan still lacks; no screen is needed for that."""

import dataclasses
from pathlib import Path

import pytest

from affetti.analyzer.report import wording as report_wording
from affetti.core.events import (
    FaceEstimated,
    HeardEstimated,
    RecordingPaused,
    SessionEnded,
    consent_to,
)
from affetti.core.settings import Settings
from affetti.core.state import Video
from affetti.recorder.engine.messages import Plan
from affetti.recorder.tui import wording
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.view import RecordingView
from affetti.recorder.tui.widgets.timeline import columns_of, signs_of
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
    assert wording.face_reading(view).title == "The face expresses"
    assert wording.face_reading(view).words == "happiness, 78\u00a0%"
    assert wording.music_reading(view).words == "relaxation and happiness"
    assert wording.fused_reading(view).title == "Together they express"


def test_old_estimates_are_not_shown() -> None:
    clock = [200 * NS]
    view = RecordingView(lambda: clock[0])
    view.hear(recorded(session()))
    view.hear(health())
    clock[0] += 10 * NS
    assert wording.face_reading(view).shares is None
    assert wording.music_reading(view).shares is None
    assert wording.fused_reading(view).shares is None
    assert "nothing for 10 s" in wording.health_remarks(view)[0].words


def heard(stream: str, t_s: int, *kinds: str) -> HeardEstimated:
    return HeardEstimated(
        t_ns=t_s * NS, stream=stream, start_sample=0, end_sample=1, heard=kinds
    )  # fmt: skip


def test_what_is_heard_now_is_said_of_room_and_playback_and_never_whose() -> None:
    now = [heard("room", 198, "quiet"), heard("playback", 199, "music")]
    view = view_of(recorded([*session(), *now, heard("room", 199, "music", "other_voice")]))
    said = [remark.words for remark in wording.heard_remarks(view)]
    assert said == ["Heard in the room: music, other voice", "in the playback: music"]
    old = view_of(recorded([*session(), heard("room", 150, "speech")]))
    assert [remark.words for remark in wording.heard_remarks(old)] == ["Heard in the room: –"]


def test_no_estimate_has_a_reason() -> None:
    no_video = session_started(consent=consent_to("room"))
    assert wording.face_reading(view_of(recorded([no_video]))).words == "not recorded: no consent"
    no_camera = session_started(camera=None)
    assert wording.face_reading(view_of(recorded([no_camera]))).words == "no camera"
    loading = view_of(recorded([session_started()]), health(models_ready=False))
    assert wording.face_reading(loading).words == "models are loading…"
    paused = view_of(recorded([*session(), RecordingPaused(t_ns=200 * NS)]), health())
    assert wording.face_reading(paused).words == "recording is paused"


def test_health_warns_in_words_and_warnings_come_first() -> None:
    view = view_of(recorded(session()), health(frames_dropped=3, disk_s=100.0, behind_s=2.5))
    remarks = wording.health_remarks(view)
    assert [r.words for r in remarks if r.severity != "ok"] == [
        "3 dropped",
        "disk 1 min",
        "estimates 2.5 s behind",
    ]
    assert remarks[0].severity != "ok"


def test_a_slow_disk_is_told_by_what_it_has_not_taken_yet() -> None:
    view = view_of(recorded(session()), health(unsafe_s=4.2))
    assert "4 s not yet on disk" in [remark.words for remark in wording.health_remarks(view)]
    view = view_of(recorded(session()), health(unsafe_s=0.6))
    assert not any("not yet on disk" in remark.words for remark in wording.health_remarks(view))


def test_a_slow_camera_is_not_a_failing_one() -> None:
    view = view_of(recorded(session()), health(frames_per_s=15.0))
    view.state.video = {"camera": Video(frames=3000, last_frame_ns=200 * NS)}
    assert all(remark.severity == "ok" for remark in wording.health_remarks(view))


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


def test_timeline_leaves_gaps_empty() -> None:
    faces = [e for e in estimates(8.0) if isinstance(e, FaceEstimated)]
    columns = columns_of(faces, 0, 9, NS)
    assert columns[9] is None
    assert columns[3] is not None
    assert sum(columns[3]) == pytest.approx(1.0, abs=1e-5)


def test_timeline_marks_tracks_and_markers() -> None:
    view = view_of(recorded(session()))
    signs = signs_of(view.state.tracks, view.state.markers, 0, 39, 5 * NS)
    assert [signs[at] for at in (1, 19, 31)] == ["♪"] * 3
    assert signs[6:8] == "▲1"


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
