"""The protocol of a study leads through a recording, and what was done is in the log."""

import csv
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from affetti.core.consent import consent_to
from affetti.core.events import ProtocolStarted, StepBegun, StepEnded
from affetti.core.people.protocol import Protocol, read_protocol
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.process import EngineProcess, start_engine
from affetti.recorder.engine.recording import Recording
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.neutral import NeutralScreen
from affetti.recorder.tui.screens.review import ReviewScreen
from affetti.recorder.tui.screens.selfreport import SelfReportScreen
from tests.command_line import affetti
from tests.recorder.films import face_film, moving_film, tone
from tests.recorder.test_tui_session import until

HEAD = """
name = "two tones"
version = "3"
constructed = true
"""


def study(folder: Path, more: str = "", seconds: float = 0.5) -> Protocol:
    for name in ("low", "high"):
        tone(folder / f"{name}.wav", seconds=seconds)
    tracks = '[[track]]\nfile = "low.wav"\nexpected = "sadness"\n[[track]]\nfile = "high.wav"\n'
    path = folder / "protocol.toml"
    path.write_text(HEAD + more + tracks)
    return read_protocol(path)


def led(
    folder: Path,
    protocol: Protocol,
    *,
    attended: bool = False,
    until: Callable[[Recording], bool] = lambda recording: False,
    steer: Callable[[Recording], None] = lambda recording: None,
) -> Path:
    """Record as the engine does, without models, until it is over or `until` says so."""
    plan = Plan(
        person="P02",
        consent=consent_to(),
        output=str(folder / "out.h5"),
        speaker=None,
        protocol=protocol,
        unattended=not attended,
    )
    recording = Recording(plan, Settings(), Readers(), lambda event, blob: None)
    end = time.monotonic() + 120
    while recording.over is None and not until(recording):
        assert time.monotonic() < end, "it did not end"
        steer(recording)
        recording.lead()
        recording.end_neutral_reference_when_due()
        time.sleep(0.005)
    recording.finish(recording.over or "stopped")
    assert recording.failure is None
    return seal(recording.target).path


def test_what_is_done_is_recorded_and_what_is_not_is_told(tmp_path: Path) -> None:
    more = 'order = "balanced"\n[silence]\nbetween_s = 0.2\n[self_report]\nwhen = ["after"]\n'
    path = led(tmp_path, study(tmp_path, more))
    with Session.open(path) as session:
        session.verify_digest()
        planned = next(e for e in session.events if isinstance(e, ProtocolStarted))
        assert (planned.name, planned.version, planned.tracks) == ("two tones", "3", (1, 0))
        begun = [e.step_kind for e in session.events if isinstance(e, StepBegun)]
        ended = [(e.step, e.outcome) for e in session.events if isinstance(e, StepEnded)]
        assert begun == ["track", "silence", "track", "self_report"]
        assert ended == [(0, "done"), (1, "done"), (2, "done"), (3, "unattended")]
        assert [(t.title, t.reason) for t in session.tracks] == [
            ("high", "finished"),
            ("low", "finished"),
        ]
        first, second = session.tracks
        silent_ns = second.start_ns - (first.end_ns or 0)
        assert silent_ns >= 200_000_000
        # In the silence the music that is recorded is silent, and goes on.
        between = session.audio("playback").read_samples(first.end_sample or 0, second.start_sample)
        assert len(between) > 0.15 * first.rate_hz
        assert not between.any()
        assert session.info.end_reason == "protocol_over"
    said = affetti("info", path).stdout
    assert "two tones, version 3" in said
    assert "3 of 4 steps done; constructed" in said
    assert "step 4, self-report: nobody was there to ask" in said


def test_what_was_not_reached_is_told(tmp_path: Path) -> None:
    protocol = study(tmp_path, "[silence]\nbefore_s = 60\n")
    path = led(
        tmp_path,
        protocol,
        until=lambda r: r.state.protocol is not None and r.state.protocol.current == 0,
    )
    with Session.open(path) as session:
        course = session.state.protocol
        assert course is not None
        assert [(at, why) for at, _, why in course.undone] == [
            (0, "broken_off"),
            (1, "not_reached"),
            (2, "not_reached"),
        ]
        assert session.tracks == []


def test_a_key_goes_on_and_that_is_recorded(tmp_path: Path) -> None:
    """A silence and a track are cut short, and the tracks behind them are played all the same."""
    protocol = study(tmp_path, "[silence]\nbefore_s = 60\n", seconds=60)
    pressed: list[int] = []

    def steer(recording: Recording) -> None:
        course, track = recording.state.protocol, recording.state.track
        at = None if course is None else course.current
        waits = at == 0 or (track is not None and at in (1, 2))
        if waits and at is not None and at not in pressed and recording.conductor is not None:
            pressed.append(at)
            recording.conductor.go_on()

    path = led(tmp_path, protocol, steer=steer)
    with Session.open(path) as session:
        course = session.state.protocol
        assert course is not None
        assert [end.outcome for end in course.ended.values()] == ["skipped"] * 3
        assert [(t.number, t.reason) for t in session.tracks] == [(0, "skipped"), (1, "skipped")]


@pytest.mark.campaign
def test_a_track_is_played_for_as_long_as_the_protocol_wants(tmp_path: Path) -> None:
    tone(tmp_path / "long.wav", seconds=30)
    words = HEAD + '[[track]]\nfile = "long.wav"\nplay_s = 1\n' * 2
    (tmp_path / "protocol.toml").write_text(words)
    path = led(tmp_path, read_protocol(tmp_path / "protocol.toml"))
    with Session.open(path) as session:
        assert [track.reason for track in session.tracks] == ["stopped", "stopped"]
        assert all(1 <= track.played_s(track.end_ns or 0) < 30 for track in session.tracks)
        course = session.state.protocol
        assert course is not None
        assert course.undone == []


def test_a_study_says_itself_what_is_played(tmp_path: Path) -> None:
    study(tmp_path)
    refused = affetti(
        "record",
        *("--headless", "--study", tmp_path / "protocol.toml", "--play", tmp_path / "low.wav"),
    )
    assert refused.returncode == 2
    assert "says what is played" in refused.stderr


@pytest.mark.parametrize("code", ["anon", "Pxy"])
def test_a_person_without_a_number_has_no_balanced_order(tmp_path: Path, code: str) -> None:
    study(tmp_path, 'order = "balanced"\n')
    refused = affetti(
        "record",
        *("--headless", "--study", tmp_path / "protocol.toml", "--person", code, "--no-speaker"),
    )
    assert refused.returncode == 2
    assert f"the code {code} ends in no number" in refused.stderr
    assert not list(tmp_path.glob("*.h5"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    running = start_engine(Settings(sessions_folder=str(tmp_path)))
    yield running
    running.close()
    assert running.join(60)


@pytest.mark.campaign
async def test_a_person_is_led_through_on_the_screen(engine: EngineProcess, tmp_path: Path) -> None:
    """With the real engine, by keys: consent, light, neutral face, two self-reports, music."""
    more = (
        'consent = ["research"]\nlight_s = 600\nneutral_s = 3\n[silence]\nbetween_s = 600\n'
        '[self_report]\nwhen = ["before", "after"]\nscales = ["Calm"]\n'
    )
    protocol = study(tmp_path, more, seconds=2)
    film = str(moving_film(tmp_path / "film.avi", seconds=240))
    plan = Plan(person="P02", consent=consent_to(), camera=film, speaker=None, protocol=protocol)
    settings = Settings(sessions_folder=str(tmp_path))
    draft = Draft.of_plan(plan, settings, person_known=True, consent_known=False)
    app = AffettiApp(engine.pipe, settings, draft)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        draft.video, draft.audio = True, False
        assert any("research" in each for each in draft.lacks())
        await pilot.press("ctrl+r")
        assert not isinstance(app.screen, LiveScreen)
        draft.further["research"] = True
        assert not draft.lacks()
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen), 120)
        view = app.view
        assert view is not None

        def at() -> int | None:
            return view.state.protocol.current if view.state.protocol is not None else None

        def step_line() -> str:
            return str(app.screen.query_one("#step").render())

        await until(pilot, lambda: at() == 0, 120)
        await until(pilot, lambda: "Step 1 of 7: light on the face" in step_line(), 120)
        await pilot.press("n")  # there is no face in the film
        await until(pilot, lambda: isinstance(app.screen, NeutralScreen), 120)
        await until(pilot, lambda: at() == 2, 120)  # the dialog says why it was refused
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SelfReportScreen), 120)
        await pilot.press("4", "2", "7", *"calm", "enter")
        await until(pilot, lambda: at() == 4 and "s left · n: go on" in step_line(), 120)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, SelfReportScreen), 120)
        await pilot.press("escape")
        await until(pilot, lambda: "All 7 steps" in step_line(), 120)
        await pilot.press("q", "y")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen), 120)
        await until(pilot, lambda: view.sealed is not None, 120)
    with Session.open(Path(view.path)) as session:
        course = session.state.protocol
        assert course is not None
        assert [(end.step_kind, end.outcome) for end in course.ended.values()] == [
            ("light", "skipped"),
            ("neutral", "done"),
            ("self_report", "done"),
            ("track", "done"),
            ("silence", "skipped"),
            ("track", "done"),
            ("self_report", "skipped"),
        ]
        first, second = session.state.self_reports
        assert (first.valence, first.arousal, first.scales) == (0.5, -0.5, {"Calm": 7})
        assert (first.emotion, first.occasion) == ("calm", "before")
        assert (second.skipped, second.occasion) == (True, "after")
        assert session.state.consent.grants("video", "research")
        assert [track.title for track in session.tracks] == ["low", "high"]


@pytest.mark.campaign
def test_a_study_of_two_from_protocol_to_tables(
    tmp_path: Path, music_folder: Path, sample_session: Path
) -> None:
    """Through the real recorder, and its tables with the recorder's pipeline and the paper's."""
    film = face_film(tmp_path / "film.avi", sample_session, 40, (640, 360), 10)
    tracks = "".join(
        f'[[track]]\nfile = "{path}"\nexpected = "{path.stem}"\ngenre = "{genre}"\nplay_s = 6\n'
        for path, genre in zip(sorted(music_folder.glob("*.ogg"))[:2], ("a", "b"), strict=True)
    )
    protocol = tmp_path / "protocol.toml"
    words = 'order = "balanced"\n[report]\nby = ["genre"]\npipelines = ["paper"]\n'
    protocol.write_text(HEAD + words + tracks)
    folder = tmp_path / "study"
    folder.mkdir()
    consent = ("--consent", "video", "--consent", "research")
    for number in (1, 2):
        done = affetti(
            *("record", "--headless", "--study", protocol, "--person", f"P{number:02d}"),
            *(*consent, "--camera", film, "--no-speaker"),
            *("--output", folder / f"{number}.h5"),
        )
        assert done.returncode == 0, done.stderr
    orders = []
    for number in (1, 2):
        with Session.open(folder / f"{number}.h5") as session:
            assert session.state.protocol is not None
            assert session.state.protocol.undone == []
            orders.append(session.state.protocol.started.tracks)
    assert orders == [(0, 1), (1, 0)]
    said = affetti("study", "report", folder, "--study", protocol, "--jobs", "1", "--json")
    assert said.returncode == 0, said.stderr
    facts = json.loads(said.stdout)
    assert facts["pipelines"] == ["affetti", "paper"]
    assert (facts["persons"], facts["constructed"], facts["by"]) == (2, True, ["genre"])
    assert {(row["pipeline"], row["level"]) for row in facts["scores"]} == {
        (pipeline, level) for pipeline in ("affetti", "paper") for level in ("", "a", "b")
    }
    with (folder / "study" / "tracks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert all(row["expected"] for row in rows)
