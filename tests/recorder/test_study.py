"""The protocol of a study leads through a recording, and what was done is in the log."""

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from affetti.core.consent import consent_to
from affetti.core.events import ProtocolStarted, SelfReported, StepBegun, StepEnded
from affetti.core.people.protocol import Protocol, read_protocol
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.core.state import SessionState
from affetti.recorder.engine.answers import answer_of, is_answer
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
    answered: bool = False,
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
        unattended=True,
    )
    recording = Recording(plan, Settings(), Readers(), lambda event, blob: None)
    recording.expect_answers(answered)
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


def test_without_a_screen_a_line_answers(tmp_path: Path) -> None:
    """Each question waits for its answer; once nobody answers any more, that is recorded."""
    more = '[self_report]\nwhen = ["before", "between", "after"]\nscales = ["Calm"]\n'
    lines = ['{"self_report": {"valence": 0.5, "scales": {"Calm": 7}, "text": "a\\nb"}}']
    lines += ['{"self_report": null}']

    def steer(recording: Recording) -> None:
        course = recording.state.protocol
        if course is None or course.step is None or course.step.kind != "self_report":
            return
        given = len(recording.state.self_reports)
        occasions = sum(end.step_kind == "self_report" for end in course.ended.values())
        if given == len(lines) == occasions:
            recording.expect_answers(False)
        elif given == occasions and len(put) == given:
            put.append(answer_of(lines[given], recording.state, recording.clock.now_ns()))
            recording.inbox.put(put[-1])

    put: list[SelfReported] = []
    path = led(tmp_path, study(tmp_path, more), answered=True, steer=steer)
    with Session.open(path) as session:
        course = session.state.protocol
        assert course is not None
        ended = [e.outcome for e in course.ended.values() if e.step_kind == "self_report"]
        assert ended == ["done", "skipped", "unattended"]
        first, second = session.state.self_reports
        assert (first.valence, first.scales, first.text) == (0.5, {"Calm": 7}, "a\nb")
        assert [(first.occasion, first.track), (second.occasion, second.track)] == [
            ("before", None),
            ("between", 0),
        ]
        assert first.answered_s is not None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"self_report": {"valence": 2}}', "<= 1"),
        ('{"self_report": {"mood": 1}}', "mood"),
        ('{"self_report": {"scales": {"Clam": 1}}}', "Clam"),
        ('{"self_report": {"scales": {"Calm": 11}}}', "<= 10"),
        ('{"self_report": ', "JSON|truncated"),
    ],
)
def test_a_line_that_is_no_answer_says_why(line: str, why: str) -> None:
    state = SessionState()
    state.apply(
        ProtocolStarted(
            t_ns=0, name="x", version="1", sha256="0" * 64, order="fixed", scales=("Calm",)
        )
    )
    assert is_answer(line)
    with pytest.raises(ValueError, match=why):
        answer_of(line, state, 1)
    assert not is_answer('"self_report"')


@pytest.mark.campaign
@pytest.mark.parametrize("answers", [True, False])
def test_a_protocol_is_answered_through_standard_input(tmp_path: Path, answers: bool) -> None:
    study(tmp_path, '[self_report]\nwhen = ["before"]\nscales = ["Calm"]\n')
    words = ["record", "--headless", "--study", tmp_path / "protocol.toml", "--person", "P02"]
    words += ["--no-speaker", "--output", tmp_path / "out.h5"]
    words += ["--markers-from-stdin"] if answers else []
    command = [sys.executable, "-m", "affetti", *map(str, words)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        said = []
        for line in running.stderr:
            said.append(line)
            if "The protocol waits for a line such as" in line:
                example = line[line.index("{") : line.rindex("}") + 1]
                broken = example.replace("5.0", "50")
                running.stdin.write(f"{broken}\nher mother is here\n{example}\n")
                running.stdin.flush()
        assert running.wait() == 0
    with Session.open(tmp_path / "out.h5") as session:
        outcomes = {e.step_kind: e.outcome for e in session.events if isinstance(e, StepEnded)}
        reports, markers = session.state.self_reports, session.state.markers
    if answers:
        assert outcomes["self_report"] == "done"
        assert [report.scales for report in reports] == [{"Calm": 5.0}]
        assert [marker.label for marker in markers][1:] == ["her mother is here"]
        assert any("is no self-report, and is kept as a marker" in line for line in said)
    else:
        assert outcomes["self_report"] == "unattended"
        assert "asks the person 1 time. Without a screen nobody asks" in " ".join(said)


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
        await until(pilot, lambda: at() == 2, 120)  # why it was refused is said for a while
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
    tmp_path: Path,
    music_folder: Path,
    sample_session: Path,
    monkeypatch: pytest.MonkeyPatch,
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
    for extra in ("dask", "distributed", "matplotlib"):  # are no need of it
        monkeypatch.setitem(sys.modules, extra, None)
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
