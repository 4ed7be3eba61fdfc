"""The screens under the hands of a person, against an engine that says what real ones say."""

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import ProgressBar, Static, TextArea

from affetti.core.custody.artefacts import beside
from affetti.core.events import (
    DeviceLost,
    Face,
    FaceEstimated,
    FaceNamed,
    MarkerAdded,
    NeutralReferenceStarted,
    NoteAdded,
    RecordingPaused,
)
from affetti.core.recording.names import part_path
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.gone import GoneScreen
from affetti.recorder.tui.screens.help import HelpScreen
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.neutral import NeutralScreen
from affetti.recorder.tui.screens.note import NoteScreen
from affetti.recorder.tui.screens.review import ReviewScreen
from affetti.recorder.tui.screens.setup import SetupScreen
from affetti.recorder.tui.widgets.banner import Banner
from affetti.recorder.tui.widgets.bars import EmotionBars
from affetti.recorder.tui.widgets.consent import YesNo
from affetti.recorder.tui.widgets.journal import Journal
from affetti.recorder.tui.widgets.lamps import Lamps
from affetti.recorder.tui.widgets.now_playing import NowPlaying
from affetti.recorder.tui.widgets.picture import PictureBox
from affetti.recorder.tui.widgets.playlist import Playlist
from affetti.recorder.tui.widgets.remarks import RemarkLine
from affetti.recorder.tui.widgets.timeline import Timeline
from tests.recorder.scripted_engine import (
    NS,
    ScriptedEngine,
    ended,
    health,
    level,
    picture,
    recorded,
    session,
    track_started,
)

pytestmark = pytest.mark.one_of_each

PATH = "/sessions/sub-P07_ses-20261124T101500.h5"


class Session:
    """An app with a scripted engine at the other end."""

    def __init__(self, pilot: Pilot[None], app: AffettiApp, engine: ScriptedEngine) -> None:
        self.pilot, self.app, self.engine = pilot, app, engine
        self.clock = [1000 * NS]

    async def hears(self, *messages: messages.Message) -> None:
        self.engine.say(*messages)
        await self.until(lambda: not self.engine.pipe.poll())
        await self.pilot.pause(0.05)
        if isinstance(self.app.screen, LiveScreen):
            self.app.screen.look()

    async def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not true():
            assert time.monotonic() < end, "it did not come"
            await self.pilot.pause(0.02)

    def sent(self, kind: type) -> list[Any]:
        return [command for command in self.engine.commands() if isinstance(command, kind)]

    def words(self, selector: str) -> str:
        found = self.app.screen.query(selector)
        if not found:
            return ""  # not composed yet
        widget = found.first()
        if isinstance(widget, RemarkLine):
            return "  ".join(remark.words for remark in widget.remarks)
        if isinstance(widget, Banner | Lamps):
            return widget.words
        return str(widget.render()) if not isinstance(widget, Static) else str(widget.content)


@asynccontextmanager
async def opened(
    tmp_path: Path, draft: Draft | None = None, size: Any = (80, 24)
) -> AsyncIterator[Session]:
    engine = ScriptedEngine()
    settings = Settings(sessions_folder=str(tmp_path))
    now = [1000 * NS]
    app = AffettiApp(engine.pipe, settings, draft, lambda: now[0])
    async with app.run_test(size=size) as pilot:
        session = Session(pilot, app, engine)
        session.clock = now
        await session.until(lambda: isinstance(app.screen, SetupScreen) and app.screen.is_mounted)
        await pilot.pause()
        yield session


@asynccontextmanager
async def recording(tmp_path: Path, size: Any = (80, 24)) -> AsyncIterator[Session]:
    async with opened(tmp_path, Draft(person="P07", video=True, audio=True), size) as live:
        await live.hears(messages.Started(PATH), recorded(session()), health(), picture())
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        await live.hears(health())
        yield live


@pytest.mark.campaign
async def test_a_marker_is_acknowledged_when_it_is_in_the_log(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("m")
        (mark,) = live.sent(messages.Mark)
        assert (mark.label, mark.number, mark.edge) == ("", 3, None)
        assert 0 <= mark.ago_s < 60
        assert "in the log" not in live.words("#message")
        await live.hears(recorded([MarkerAdded(t_ns=201 * NS, number=3)]))
        assert live.words("#message") == "▲ Marker 3 at 03:21 is in the log"
        assert "3 markers" in live.words("#header")


@pytest.mark.campaign
async def test_markers_pressed_quickly_are_all_sent(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press(*"mmmmm")
        assert [mark.number for mark in live.sent(messages.Mark)] == list(range(3, 8))


@pytest.mark.parametrize("opening", ["q", "f1", "t"])
@pytest.mark.campaign
async def test_a_marker_can_be_set_whatever_is_open(tmp_path: Path, opening: str) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press(opening)
        await live.pilot.press("f2")
        assert len(live.sent(messages.Mark)) == 1
        if opening != "t":
            await live.pilot.press("m")
            assert len(live.sent(messages.Mark)) == 2


@pytest.mark.campaign
async def test_a_marker_without_answer_is_said_to_be_missing(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("m")
        live.clock[0] += 3 * NS
        await live.pilot.pause(0.4)
        assert live.words("#message") == "▲ Marker 3 is not in the log yet"


@pytest.mark.campaign
async def test_a_note_is_typed_while_recording(tmp_path: Path) -> None:
    async with recording(tmp_path, (120, 40)) as live:
        await live.pilot.press("t")
        assert isinstance(live.app.screen, NoteScreen)
        await live.pilot.press(*"[red]m", "enter")
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        (note,) = live.sent(messages.Note)
        assert note.text == "[red]m"
        assert note.ago_s > 0
        await live.hears(recorded([NoteAdded(t_ns=201 * NS, text="[red]m")]))
        assert live.words("#message") == "Note at 03:21 is in the log"
        assert "“[red]m”" in str(live.app.screen.query_one(Journal).render())


def press_at_once(live: Session, *keys: str, at_s: float | None = None) -> None:
    """Hand over keys as a terminal does that delivers them in one go."""
    for key in keys:
        character = key if len(key) == 1 else {"enter": "\r", "space": " "}.get(key)
        pressed = events.Key(key, character)
        pressed.time = pressed.time if at_s is None else at_s
        live.app.post_message(pressed)


async def settled(live: Session) -> None:
    await live.pilot.pause(0.5)


@pytest.mark.campaign
@pytest.mark.parametrize("enters", [2, 3, 5])
async def test_enter_pressed_often_writes_one_note_and_ends_nothing(
    tmp_path: Path, enters: int
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"calm")
        press_at_once(live, *["enter"] * enters)
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        await settled(live)
        assert isinstance(live.app.screen, LiveScreen)
        assert [note.text for note in live.sent(messages.Note)] == ["calm"]
        assert live.words("#header")
        await live.pilot.press("f2")
        assert len(live.sent(messages.Mark)) == 1
        assert live.app.is_running
        assert not live.sent(messages.Stop)


@pytest.mark.campaign
async def test_what_follows_enter_in_one_go_is_the_next_note_and_steers_nothing(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t")
        press_at_once(live, *"calm", "enter", *"Pnsq", "enter", "ctrl+j", *"yq", "enter")
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        await settled(live)
        assert [note.text for note in live.sent(messages.Note)] == ["calm", "Pnsq", "yq"]
        assert isinstance(live.app.screen, LiveScreen)
        for kind in (messages.SteerTrack, messages.PauseRecording, messages.Stop):
            assert not live.sent(kind)


@pytest.mark.parametrize(
    "opener",
    [pytest.param(("t",), id="t"), pytest.param(("N",), id="N"), pytest.param((), id="no")],
)
async def test_a_note_that_is_begun_on_a_slow_machine_stands_by_itself(
    tmp_path: Path, opener: tuple[str, ...]
) -> None:
    """Enter, and the key for the next note a second later, are read at once."""
    async with recording(tmp_path) as live:
        now_s = Message().time
        press_at_once(live, "t", *"nods", at_s=now_s)
        press_at_once(live, "enter", *opener, *"smiles", at_s=now_s + 0.5)
        await live.until(lambda: getattr(live.app.screen, "text", "") == "smiles")
        await live.pilot.press("enter")
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        written = live.sent(messages.Note)
        assert [note.text for note in written] == ["nods", "smiles"]
        assert not live.sent(messages.SteerTrack)


async def test_the_end_of_a_typed_note_and_the_key_for_the_next_may_be_read_at_once(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        now_s = Message().time
        press_at_once(live, "t", *"nod", at_s=now_s)
        press_at_once(live, "s", "enter", "t", *"smiles", at_s=now_s + 0.6)
        await live.until(lambda: getattr(live.app.screen, "text", "") == "smiles")
        await live.pilot.press("enter")
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        assert [note.text for note in live.sent(messages.Note)] == ["nods", "smiles"]


async def test_of_a_line_that_came_in_one_go_with_the_one_before_no_letter_is_lost(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        press_at_once(live, "t", *"looks", "enter", *"turns away", "enter", at_s=Message().time)
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        await live.until(lambda: len(live.sent(messages.Note)) == 2)
        assert [note.text for note in live.sent(messages.Note)] == ["looks", "turns away"]


@pytest.mark.campaign
async def test_notes_that_follow_each_other_after_the_end_are_all_kept(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"calm")
        assert live.app.view is not None
        live.app.view.path = str(tmp_path / "a.h5")
        await live.hears(recorded(ended()))
        await live.until(lambda: isinstance(live.app.screen_stack[-2], ReviewScreen))
        press_at_once(live, "enter", *"hums", "enter", *"rests")
        kept = tmp_path / "a.note.txt"
        await live.until(lambda: kept.exists() and kept.read_text().startswith("calm\nhums\nrests"))
        await live.pilot.press("enter")
        await live.until(lambda: isinstance(live.app.screen, ReviewScreen))
        said = " ".join(live.words("#entries").split())
        assert all(f"“{note}”" in said for note in ("calm", "hums", "rests"))


@pytest.mark.campaign
async def test_a_pasted_note_of_several_lines_is_kept_whole(tmp_path: Path) -> None:
    async with recording(tmp_path, (120, 40)) as live:
        await live.pilot.press("t", "!")
        live.app.post_message(events.Paste("first [b]line\r\nsecond\n\nfourth \n"))
        await live.until(lambda: "fourth" in getattr(live.app.screen, "text", ""))
        await live.pilot.press("enter")
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        (note,) = live.sent(messages.Note)
        assert note.text == "!first [b]line\nsecond\n\nfourth"
        await live.hears(recorded([NoteAdded(t_ns=201 * NS, text=note.text)]))
        assert "“!first [b]line / second / fourth”" in " ".join(live.words("#journal").split())


@pytest.mark.campaign
async def test_a_note_is_written_when_the_recording_is_ended_right_after_enter(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"calm")
        await live.pilot.press("enter", "ctrl+c", "y")
        await live.until(lambda: bool(live.sent(messages.Stop)))
        kinds = [type(command) for command in live.engine.commands()]
        assert kinds.index(messages.Note) < kinds.index(messages.Stop)


@pytest.mark.campaign
async def test_escape_right_after_enter_drops_no_note(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"calm")
        press_at_once(live, "enter", "escape", "escape")
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        await settled(live)
        assert isinstance(live.app.screen, LiveScreen)
        assert [note.text for note in live.sent(messages.Note)] == ["calm"]


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("t", "escape"), ("q", "n"), ("q", "escape"), ("q", "y"), ("f1", "q"), ("f1", "escape")],
)
@pytest.mark.campaign
async def test_what_is_open_closes_once_and_steers_nothing_beneath(
    tmp_path: Path, opening: str, closing: str
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press(opening)
        await live.until(lambda: not isinstance(live.app.screen, LiveScreen))
        depth = len(live.app.screen_stack)
        press_at_once(live, *[closing] * 4)
        await settled(live)
        assert isinstance(live.app.screen, LiveScreen)
        assert len(live.app.screen_stack) == depth - 1
        assert len(live.sent(messages.Stop)) == (closing == "y")
        assert not live.sent(messages.SteerTrack)


@pytest.mark.campaign
async def test_a_marker_after_an_answer_is_set(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("q")
        press_at_once(live, "n", "m", "f2")
        await settled(live)
        assert len(live.sent(messages.Mark)) == 2


async def test_keys_of_one_burst_mean_what_was_open_in_their_order(tmp_path: Path) -> None:
    bursts = [
        ("t", *"pnsq", "escape", "s"),  # dropped, and then a command
        ("q", "n", "t", *"smiles", "enter"),
        ("f1", "escape", "t", *"nods", "enter", *"q", "enter"),
        ("d", "escape", "n", "t", *"sPm", "enter"),
    ]
    async with recording(tmp_path) as live:
        for at, burst in zip((0, 1, 3, 4), bursts, strict=True):
            press_at_once(live, *burst)
            await live.until(lambda at=at: len(live.sent(messages.Note)) == at)  # type: ignore[misc]
            await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        await live.until(lambda: len(live.sent(messages.SteerTrack)) == 2)
        assert [note.text for note in live.sent(messages.Note)] == ["smiles", "nods", "q", "sPm"]
        assert [steer.action for steer in live.sent(messages.SteerTrack)] == ["stop", "next"]
        assert not live.sent(messages.Mark)
        assert not live.sent(messages.PauseRecording)


@pytest.mark.campaign
async def test_keys_that_are_handled_late_are_judged_by_when_they_came(tmp_path: Path) -> None:
    """A machine that stands still handles an Enter, and what came a second after it, at once."""
    async with recording(tmp_path) as live:
        now_s = Message().time
        came_s = [*(0.1 * n for n in range(6)), *(1.5 + 0.1 * n for n in range(6))]
        keys = ("t", *"nods", "enter", "t", *"sing", "enter")
        for key, at_s in zip(keys, came_s, strict=True):
            press_at_once(live, key, at_s=now_s + at_s)
        await live.pilot.pause(came_s[-1])  # no note closes before its Enter has come
        await live.until(lambda: len(live.sent(messages.Note)) == 2)
        await settled(live)
        assert [note.text for note in live.sent(messages.Note)] == ["nods", "sing"]
        assert isinstance(live.app.screen, LiveScreen)
        assert not live.sent(messages.SteerTrack)


@pytest.mark.campaign
async def test_a_note_goes_on_when_the_recording_ends_and_no_letter_is_a_command(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"calm")
        assert live.app.view is not None
        live.app.view.path = str(tmp_path / "a.h5")
        typed_s = Message().time
        await live.hears(recorded(ended()))
        await live.until(lambda: isinstance(live.app.screen_stack[-2], ReviewScreen))
        press_at_once(live, "space", "n", at_s=typed_s)  # while the screens changed
        await live.pilot.press(*"hq")
        assert isinstance(live.app.screen, NoteScreen)
        kept = tmp_path / "a.note.txt"
        await live.until(lambda: kept.exists() and kept.read_text().startswith("calm nhq\n"))
        await live.pilot.press("enter")
        await live.until(lambda: isinstance(live.app.screen, ReviewScreen))
        assert "“calm nhq”" in " ".join(live.words("#entries").split())
        assert live.app.is_running


@pytest.mark.campaign
async def test_a_note_beneath_help_is_not_closed_in_its_place(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"calm")
        press_at_once(live, "enter", "f1")
        await live.until(lambda: isinstance(live.app.screen, HelpScreen))
        await settled(live)
        assert isinstance(live.app.screen, HelpScreen)
        await live.pilot.press("escape")
        await live.until(lambda: isinstance(live.app.screen, LiveScreen))
        assert [note.text for note in live.sent(messages.Note)] == ["calm"]


@pytest.mark.campaign
async def test_a_command_is_run_once_however_often_enter_is_pressed(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("ctrl+p", *"Pause the recording")
        await settled(live)
        press_at_once(live, *["enter"] * 4)
        await live.until(lambda: bool(live.sent(messages.PauseRecording)))
        await settled(live)
        assert isinstance(live.app.screen, LiveScreen)
        assert len(live.sent(messages.PauseRecording)) == 1


@pytest.mark.campaign
async def test_another_session_is_set_up_once(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.hears(recorded(ended()), messages.Sealed(PATH, "stopped"))
        await live.until(lambda: isinstance(live.app.screen, ReviewScreen))
        await live.until(lambda: "Sealed" in live.words("#file"))
        press_at_once(live, "n", "n", "n")
        await settled(live)
        assert isinstance(live.app.screen, SetupScreen)
        assert live.app.is_running


@pytest.mark.campaign
async def test_text_of_people_is_never_markup(tmp_path: Path) -> None:
    async with recording(tmp_path, (120, 40)) as live:
        await live.hears(recorded([track_started(1, 200.0)]))
        assert "[red]Dance[/red]" in live.words("#track")
        assert "[b]the" in live.words("#journal")
        await live.hears(recorded(ended()), messages.Sealed("/sessions/[red]a.h5", "stopped"))
        await live.until(lambda: isinstance(live.app.screen, ReviewScreen))
        await live.until(lambda: "[red]a.h5" in live.words("#file"))
        assert "[b]the refrain[/b]" in live.words("#entries")


@pytest.mark.campaign
async def test_keys_steer_the_music(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("n", "p", "space", "s")
        actions = [steer.action for steer in live.sent(messages.SteerTrack)]
        assert actions == ["next", "previous", "pause", "stop"]


@pytest.mark.campaign
async def test_a_neutral_face_is_asked_for(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("b")
        assert live.sent(messages.ShowNeutralFace)
        await live.hears(recorded([NeutralReferenceStarted(t_ns=200 * NS)]))
        assert isinstance(live.app.screen, NeutralScreen)  # which counts, and says the result


@pytest.mark.campaign
async def test_pausing_the_recording_is_said_and_undone(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("P")
        assert live.sent(messages.PauseRecording)
        await live.hears(recorded([RecordingPaused(t_ns=201 * NS)]))
        assert "PAUSED" in live.words("#header")
        assert "PAUSED" in live.words("#banner")
        await live.pilot.press("P")
        assert live.sent(messages.ResumeRecording)


@pytest.mark.campaign
async def test_ending_is_asked_about(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("q", "n")
        assert not live.sent(messages.Stop)
        assert isinstance(live.app.screen, LiveScreen)
        await live.pilot.press("q", "y")
        assert len(live.sent(messages.Stop)) == 1


@pytest.mark.campaign
async def test_letters_after_a_quick_t_belong_to_the_note(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        for key in ("t", "n", "s", "q"):
            live.app.post_message(events.Key(key, key))
        await live.until(lambda: getattr(live.app.screen, "text", "") == "nsq")
        assert not live.sent(messages.SteerTrack)


@pytest.mark.campaign
async def test_control_c_asks_and_the_second_time_ends(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("ctrl+c", "n")
        assert not live.sent(messages.Stop)
        await live.pilot.press("ctrl+c", "ctrl+c")
        assert len(live.sent(messages.Stop)) == 1
        assert live.app.is_running


@pytest.mark.campaign
async def test_control_c_in_a_note_asks_and_keeps_what_is_typed(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"calm", "ctrl+c", "n")
        await live.until(lambda: getattr(live.app.screen, "text", "") == "calm")
        assert not live.sent(messages.Stop)


async def test_each_key_of_a_note_is_kept_by_the_engine(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t", *"hum")
        await live.until(lambda: bool(live.sent(messages.NoteBegun)))
        await live.until(lambda: live.sent(messages.NoteBegun)[-1].text == "hum")
        await live.pilot.press("escape")
        await live.until(lambda: live.sent(messages.NoteBegun)[-1].text == "")


def two_faces(t_ns: int) -> FaceEstimated:
    faces = tuple(
        Face(face_id=4 + i, box_px=(200 * i, 90, 80, 80), role=role, read=not i)
        for i, role in enumerate(("patient", "other"))
    )
    return FaceEstimated(t_ns=t_ns, frame=1, faces=faces)


async def test_whose_face_is_whose_is_said_on_the_picture_and_acknowledged(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        assert live.app.view is not None
        await live.hears(picture(), recorded([two_faces(live.app.view.now_ns)]))
        shown = live.app.screen.query_one(PictureBox)
        assert "patient" in drawn(shown)
        assert "other" in drawn(shown)
        await live.pilot.press("f")
        assert "2 other" in drawn(shown)
        await live.pilot.press("h")
        assert live.sent(messages.NameFace) == [messages.NameFace(5, "therapist")]
        assert live.words("#message") == "A face is the therapist’s …"
        t_ns = live.app.view.now_ns
        await live.hears(recorded([FaceNamed(t_ns=t_ns, face_id=5, role="therapist")]))
        assert "a face is said to be the therapist’s, 03:20, is in" in live.words("#message")
        live.clock[0] += 5 * NS
        assert live.app.view.face_boxes() == ()


@pytest.mark.campaign
async def test_a_stretch_is_marked_by_a_press_for_its_start_and_one_for_its_end(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("M")
        await live.hears(recorded([]))
        assert "marking stretch 3" in live.words("#header")
        await live.pilot.press("m", "M")
        sent = [(mark.number, mark.edge) for mark in live.sent(messages.Mark)]
        assert sent == [(3, "start"), (4, None), (3, "end")]
        t_ns = live.app.view.now_ns  # type: ignore[union-attr]
        await live.hears(recorded([MarkerAdded(t_ns=t_ns, number=3, edge="end")]))
        assert live.words("#message") == "▲ Marker 3, ends at 03:20 is in the log"


async def test_consent_is_withdrawn_with_a_key(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("w", "1")
        await live.until(lambda: bool(live.sent(messages.ChangeConsent)))
        assert live.sent(messages.ChangeConsent)[0].consent.granted == ("room",)


@pytest.mark.campaign
async def test_details_hold_what_was_measured_alone(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.hears(health(drift_ppm=None, face_latency_p50_ms=None, unsafe_s=4.2))
        await live.pilot.press("d")
        console = Console(width=100)
        with console.capture() as shown:
            console.print(live.app.screen.query_one("#details", Static).content)
        assert "4 s not yet on disk" in shown.get()
        assert "30 frames/s" in shown.get()
        assert "ppm" not in shown.get()
        assert "a face is read after" not in shown.get()
        await live.pilot.press("escape")
        assert "▲ disk: 4 s not yet on disk" in live.words("#header")


@pytest.mark.campaign
async def test_a_lost_camera_cannot_be_overlooked(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        t_ns = live.app.view.now_ns  # type: ignore[union-attr]
        await live.hears(recorded([DeviceLost(t_ns=t_ns, device="camera")]))
        live.clock[0] += 8 * NS
        await live.hears(health())
        assert live.words("#banner").upper() == "CAMERA LOST 8 S"
        assert "✖ camera " in live.words("#header")  # what is the matter is said once
        assert "camera lost for 8 s" not in live.words("#header")


@pytest.mark.campaign
async def test_what_has_no_bar_is_counted_and_figures_are_shares_of_a_whole(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        bars = live.app.screen.query_one("#face", EmotionBars)
        first, *rows = str(bars.render()).splitlines()
        assert first == "happiness, 78\u00a0%  1 more: 1\u00a0%"
        assert sum(int(re.findall(r"\d+", row)[-1]) for row in rows) + 1 == 100
        assert bars.border_subtitle == "all seven: 100 %"


@pytest.mark.campaign
async def test_both_together_stay_in_view_whatever_is_shown(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        line = live.app.screen.query_one("#together")
        assert "Face + music: happiness" in str(line.render())
        assert "partly alike" in str(line.render())
        for key in ("e", "P"):
            await live.pilot.press(key)
            assert line.region.height == 1
            assert live.app.screen.region.contains_region(line.region)


@pytest.mark.campaign
async def test_colours_are_remembered(tmp_path: Path) -> None:
    async with opened(tmp_path) as setup:
        assert setup.app.theme == "calm"
        setup.app._change_theme()
    async with opened(tmp_path) as again:
        assert again.app.theme == "clinical"
        again.app._change_theme()
    (tmp_path / "state" / "affetti" / "theme").write_bytes(b"\xff no theme")
    async with opened(tmp_path) as other:
        assert other.app.theme == "calm"


async def test_a_foot_pedal_marks(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("pagedown", "pageup")
        assert len(live.sent(messages.Mark)) == 2


@pytest.mark.campaign
async def test_the_key_that_pauses_says_that_it_goes_on_while_paused(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        assert live.app.screen.active_bindings["P"].binding.description == "Pause rec"
        await live.hears(recorded([RecordingPaused(t_ns=200 * NS)]))
        await live.until(
            lambda: live.app.screen.active_bindings["P"].binding.description == "Go on"
        )
        await live.pilot.press("P")
        assert len(live.sent(messages.ResumeRecording)) == 1


@pytest.mark.campaign
async def test_a_picture_that_stands_still_is_said_to(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        shown = live.app.screen.query_one(PictureBox)
        assert "no new picture" not in drawn(shown)
        live.clock[0] += 8 * NS
        await live.hears(health())
        assert "no new picture for 8 s" in drawn(shown)
        assert live.words("#banner") == "CAMERA: NO NEW PICTURE FOR 8 s"
        assert "✖ camera  " in live.words("#header")  # the lamp repeats no banner
        await live.hears(picture())
        assert "no new picture" not in drawn(shown)


@pytest.mark.campaign
async def test_a_microphone_that_hears_nothing_is_said_to(tmp_path: Path) -> None:
    silent = messages.Level("room", -120.0, -120.0)
    async with recording(tmp_path, (120, 40)) as live:
        await live.hears(level(), silent)
        assert "NOTHING" not in live.words("#banner")
        live.clock[0] += 6 * NS
        await live.hears(silent, health())
        assert "MICROPHONE: NOTHING FOR 6 s" in live.words("#banner")
        await live.hears(level())
        assert "MICROPHONE" not in live.words("#banner")


def drawn(shown: Widget) -> str:
    return "\n".join(shown.render_line(y).text for y in range(shown.size.height))


async def test_review_shows_the_file_the_tracks_and_the_markers(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.hears(recorded(ended()), messages.Sealing(40, 100))
        await live.until(lambda: isinstance(live.app.screen, ReviewScreen))
        await live.until(lambda: "Sealing" in live.words("#file"))
        assert "r" not in live.app.screen.active_bindings
        await live.hears(messages.Sealed(PATH, "stopped"))
        await live.until(lambda: live.words("#file") == f"Sealed: {PATH}")
        assert "▲ Marker 2" in live.words("#entries")
        console = Console(width=78, color_system=None)
        with console.capture() as shown:
            console.print(live.app.screen.query_one("#tracks", Static).content)
        said = shown.get().splitlines()
        assert any(line.split()[:3] == ["P07’s", "face", "sadness,"] for line in said)
        # What is of nobody has a line alone; bars are the face's and the music's.
        assert any("Face + music  " in line and "happiness" in line for line in said)
        bars = [line for line in said if line.startswith(("   Face:", "   Music:"))]
        assert bars
        assert not any(line.startswith("   Face + music:") for line in said)
        assert "either at hand 100\u00a0%" in shown.get()
        assert "both " in shown.get()
        await live.pilot.press("n")
        await live.until(lambda: isinstance(live.app.screen, SetupScreen))
        assert live.app.draft.person == ""


@pytest.mark.campaign
async def test_messages_while_leaving_do_no_harm(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        for step in range(30):
            live.engine.say(health(frames_dropped=step), picture(), recorded([]))
        live.engine.say(recorded(ended()), messages.Sealed(PATH, "stopped"))


@pytest.mark.campaign
async def test_a_dead_engine_is_said_with_where_the_recording_is(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        live.engine.die()
        await live.until(lambda: isinstance(live.app.screen, GoneScreen))
        assert live.app.problem is not None
        assert PATH in live.app.problem.message
        assert f"affetti recover {PATH}" in live.app.problem.hint


@pytest.mark.campaign
async def test_a_note_that_is_typed_when_the_engine_dies_is_kept_beside_the_recording(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        assert live.app.view is not None
        live.app.view.path = str(tmp_path / "x.h5")
        await live.pilot.press("t", *"hums")
        await live.until(lambda: getattr(live.app.screen, "text", "") == "hums")
        live.engine.die()
        await live.until(lambda: isinstance(live.app.screen, GoneScreen))
        note = tmp_path / "x.note.txt"
        assert note.read_text().startswith("hums\n")
        assert note.name in [found.path.name for found in beside(tmp_path / "x.h5")]


async def test_nothing_beneath_says_that_it_records_once_the_engine_is_gone(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        shown = live.app.screen
        assert isinstance(shown, LiveScreen)
        said_at = live.words("#header").split("  ")[1]
        live.engine.die()
        await live.until(lambda: isinstance(live.app.screen, GoneScreen))
        live.clock[0] += 30 * NS
        shown.look()
        header, banner = shown.query_one(Lamps).words, shown.query_one(Banner).words
        assert "REC" not in header
        assert header.split("  ")[1] == said_at  # and its time stands still
        assert "●" not in header
        assert "NOTHING IS RECORDED" in banner
        assert "▶" not in shown.query_one(NowPlaying).render().plain


@pytest.mark.parametrize("lies_there", [True, False])
async def test_a_recording_that_failed_is_to_be_sealed_where_something_of_it_lies(
    tmp_path: Path, lies_there: bool
) -> None:
    async with recording(tmp_path) as live:
        assert live.app.view is not None
        target = tmp_path / "x.h5"
        live.app.view.path = str(target)
        if lies_there:
            part_path(target, 1).write_bytes(b"")
        await live.hears(messages.Problem("It failed.", "Do that.", 70, True))
        await live.until(lambda: isinstance(live.app.screen, ReviewScreen))
        live.engine.die()
        await live.until(lambda: isinstance(live.app.screen, GoneScreen))
        assert live.app.problem is not None
        assert (f"affetti recover {target}" in live.app.problem.hint) is lies_there
        assert ("Nothing was being recorded" in live.app.problem.hint) is not lies_there


async def test_a_recording_that_failed_says_that_it_is_being_sealed(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.hears(messages.Problem("It failed.", "Do that.", 70, True))
        await live.until(lambda: "It failed." in live.words("#file"))
        assert "Sealing" not in live.words("#file")
        await live.hears(messages.Sealing(40, 100))
        await live.until(lambda: "Sealing" in live.words("#file"))
        assert "It failed. Do that." in live.words("#file")
        review = live.app.screen
        assert review.query_one(ProgressBar).display
        live.engine.die()
        await live.until(lambda: isinstance(live.app.screen, GoneScreen))
        assert "Sealing" not in str(review.query_one("#file", Static).content)
        assert "Not sealed" in str(review.query_one("#file", Static).content)
        assert not review.query_one(ProgressBar).display


@pytest.mark.parametrize(("columns", "height"), [(60, False), (80, True)])
async def test_the_frame_of_the_chart_says_what_hatching_means(
    tmp_path: Path, columns: int, height: bool
) -> None:
    async with recording(tmp_path, (columns, 24)) as live:
        await live.until(lambda: live.app.screen.query_one(Timeline).size.width > 0)
        await live.pilot.pause()
        rows = [strip.text for strip in live.app.screen._compositor.render_strips()]
        (frame,) = (row for row in rows if "From the beginning" in row)
        assert "░ not seen, not heard ─" in frame
        assert ("full height is 100 %" in frame) is height


@pytest.mark.parametrize("size", [(60, 24), (80, 24)])
async def test_all_figures_can_be_scrolled_to(tmp_path: Path, size: tuple[int, int]) -> None:
    async with recording(tmp_path, size) as live:
        await live.hears(health(frames_dropped=120, audio_gaps=14, behind_s=31.0, skipped=7))
        await live.pilot.press("d")
        await live.until(lambda: "21 ms" in drawn(live.app.screen.query_one("#details")))
        await live.pilot.pause()
        await live.pilot.press("end")
        figures = live.app.screen.query_one("#details")
        dialog = figures.parent
        assert isinstance(dialog, Widget)
        await live.until(lambda: figures.region.bottom <= dialog.content_region.bottom)


async def test_a_long_note_that_could_not_be_kept_can_be_read_to_its_end(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("t")
        await live.until(lambda: isinstance(live.app.screen, NoteScreen))
        live.app.screen.query_one(TextArea).insert("she hums and laughs " * 60 + "at last")
        live.engine.die()
        await live.until(lambda: isinstance(live.app.screen, GoneScreen))
        said = live.app.screen.query(Static).last()
        await live.until(lambda: "at last" in str(said.content))
        await live.pilot.pause()
        await live.pilot.press("end")
        dialog = said.parent
        assert isinstance(dialog, Widget)
        await live.until(lambda: said.region.bottom <= dialog.content_region.bottom)


async def help_of(live: Session) -> str:
    await live.pilot.press("f1")
    assert isinstance(live.app.screen, HelpScreen)
    console = Console(width=100)
    with console.capture() as shown:
        console.print(live.app.screen.table())
    await live.pilot.press("escape")
    return shown.get()


@pytest.mark.parametrize("size", [(60, 24), (80, 24), (120, 40)])
async def test_what_to_do_about_a_long_problem_is_on_the_screen(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    message, hint = f"{'/a/long/path' * 20} cannot be written.", "Free some space there, or go on."
    async with recording(tmp_path, size) as live:
        await live.hears(messages.Problem(message, hint, 5, False))
        await live.until(lambda: "/a/long/path" in live.words("#message"))
        await live.pilot.pause()
        line = live.app.screen.query_one(RemarkLine)
        drawn = "".join(strip.text for strip in line.render_lines(line.outer_size.region))
        assert "".join(hint.split()) in "".join(drawn.split())
        assert "…" in drawn


async def test_a_header_says_whole_what_it_says(tmp_path: Path) -> None:
    async with recording(tmp_path, (60, 24)) as live:
        await live.hears(recorded([two_faces(202 * NS)]))
        lamps = live.app.screen.query_one(Lamps)
        await live.until(lambda: "2 faces" in " ".join(each.words for each in lamps.remarks))
        assert lamps.words.startswith(lamps.remarks[0].words)
        assert "…" not in lamps.words


@pytest.mark.parametrize("key", ["y", "j"])
async def test_yes_is_a_key_of_either_language(tmp_path: Path, key: str) -> None:
    async with recording(tmp_path) as live:
        await live.pilot.press("q", key)
        assert len(live.sent(messages.Stop)) == 1


async def test_help_of_the_review_lists_nothing_that_only_a_recording_has(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        assert "f2" in await help_of(live)
        await live.hears(recorded(ended()))
        await live.until(lambda: isinstance(live.app.screen, ReviewScreen))
        shown = await help_of(live)
        assert "f2" not in shown
        assert "ctrl+c" in shown or "^c" in shown


@pytest.mark.campaign
async def test_help_lists_every_key(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        shown = await help_of(live)
        for binding in [*LiveScreen.BINDINGS, *AffettiApp.BINDINGS]:
            assert isinstance(binding, Binding)
            assert (binding.tooltip or binding.description) in shown
    async with opened(tmp_path) as setup:
        shown = await help_of(setup)
        for binding in [*SetupScreen.BINDINGS, *YesNo.BINDINGS, *Playlist.BINDINGS]:
            assert isinstance(binding, Binding)
            assert (binding.tooltip or binding.description) in shown


@pytest.mark.campaign
async def test_commands_offer_every_key_and_withdrawing_consent(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        commands = {c.title: c for c in live.app.get_system_commands(live.app.screen)}
        assert "Write a note" in commands
        assert not {"Page Left", "Down", "Focus Next"} & set(commands)  # Textual's, untranslated
        assert not any("creenshot" in title for title in commands)
        assert "End and seal at once" not in commands
        commands["Withdraw consent to the face on video"].callback()
        await live.pilot.pause()
        await live.pilot.press("y")
        assert live.sent(messages.ChangeConsent)[0].consent.granted == ("room",)
