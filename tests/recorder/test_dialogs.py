"""Every dialog there is closes once, whatever comes in one read; nothing beneath it is steered."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.message import Message
from textual.widgets import Footer

from affetti.core.events import SCOPES, MarkerKey, NeutralReferenceStarted
from affetti.core.settings import Settings
from affetti.core.state import SessionState
from affetti.recorder.engine import messages
from affetti.recorder.tui import screens
from affetti.recorder.tui.screens.ask import AskScreen, ChooseScreen, KeyScreen
from affetti.recorder.tui.screens.dialog import Commands, Dialog, LineDialog
from affetti.recorder.tui.screens.forget import ForgetScreen
from affetti.recorder.tui.screens.gone import GoneScreen
from affetti.recorder.tui.screens.help import HelpScreen
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.live_consent import WithdrawScreen
from affetti.recorder.tui.screens.live_details import DetailsScreen
from affetti.recorder.tui.screens.live_faces import FacesScreen
from affetti.recorder.tui.screens.music import MusicScreen
from affetti.recorder.tui.screens.neutral import NeutralScreen
from affetti.recorder.tui.screens.note import NoteScreen
from affetti.recorder.tui.screens.person import PersonScreen
from affetti.recorder.tui.screens.person_consent import ConsentFileScreen
from affetti.recorder.tui.screens.pick import PickScreen
from affetti.recorder.tui.screens.question import QuestionScreen
from affetti.recorder.tui.screens.read import ReadScreen
from affetti.recorder.tui.screens.review_entry import EntryScreen
from affetti.recorder.tui.screens.review_walk import TracksScreen
from affetti.recorder.tui.screens.save import SaveScreen
from affetti.recorder.tui.screens.selfreport import SelfReportScreen
from affetti.recorder.tui.screens.settings import SettingsScreen
from affetti.recorder.tui.screens.unlock import UnlockScreen
from affetti.recorder.tui.view import FaceBox
from affetti.recorder.tui.widgets.consent import YesNo
from affetti.recorder.tui.widgets.line import Code
from tests.recorder.scripted_engine import NS, recorded
from tests.recorder.test_tui_screens import Session, opened, press_at_once, recording

Taken = list[Any]


def made(folder: Path, taken: Taken, view: Any) -> dict[type, Callable[[], Dialog[Any]]]:
    """Return what makes each dialog; what one hands over by itself goes into `taken`."""
    settings, face = Settings(sessions_folder=str(folder)), FaceBox(1, (1, 1, 2, 2), "other", True)
    return {
        AskScreen: lambda: AskScreen("?", said="a line"),
        ChooseScreen: lambda: ChooseScreen("?", [("a", "A"), ("b", "B")]),
        KeyScreen: lambda: KeyScreen("smiles", [MarkerKey("sings", "g")]),
        ForgetScreen: lambda: ForgetScreen("P07", 2),
        HelpScreen: lambda: HelpScreen([]),
        WithdrawScreen: lambda: WithdrawScreen(["video", "room"]),
        DetailsScreen: lambda: DetailsScreen(dict),
        FacesScreen: lambda: FacesScreen(lambda: (face,), lambda _: None, lambda *_: None),
        MusicScreen: lambda: MusicScreen(lambda _: None),
        NeutralScreen: lambda: NeutralScreen(view, 10, lambda: None, lambda: None),
        NoteScreen: lambda: NoteScreen(lambda note, _: taken.append(note), lambda *_: None),
        PersonScreen: lambda: PersonScreen("P07", [], settings),
        ConsentFileScreen: lambda: ConsentFileScreen("P07", {"video": True, "room": True}, ""),
        PickScreen: lambda: PickScreen("music", folder),
        QuestionScreen: lambda: QuestionScreen("?", "", ends=True),
        ReadScreen: lambda: ReadScreen("a page", lambda: "its text"),
        EntryScreen: lambda: EntryScreen("a note", "", "so far"),
        SaveScreen: SaveScreen,
        SelfReportScreen: lambda: SelfReportScreen(SessionState(), ("pain",), taken.append),
        SettingsScreen: lambda: SettingsScreen(settings),
        UnlockScreen: UnlockScreen,
    }


# They have a test of their own: the list of commands, what ends the screen, and what shows a
# recording that was walked through, with the keys of the details.
BASES = (Dialog, LineDialog)
APART = {Commands, GoneScreen, TracksScreen}


def every_dialog() -> Iterator[type]:
    for found in pkgutil.walk_packages(screens.__path__, f"{screens.__name__}."):
        for each in vars(importlib.import_module(found.name)).values():
            if isinstance(each, type) and issubclass(each, Dialog) and each not in BASES:
                yield each


def test_no_dialog_is_left_out(tmp_path: Path) -> None:
    assert set(made(tmp_path, [], None)) | APART == set(every_dialog())


async def shown(live: Session, dialog: Dialog[Any]) -> Taken:
    """Open a dialog; return what its answers will be in."""
    answers = Taken()
    live.app.push_screen(dialog, answers.append)
    await live.until(lambda: live.app.screen is dialog and dialog.is_mounted)
    return answers


LINES = (
    lambda: AskScreen("What?"),
    lambda: EntryScreen("Note", "Of this moment."),
    SaveScreen,
)


@pytest.mark.parametrize("make", LINES)
async def test_of_lines_that_a_terminal_hands_over_as_keys_no_letter_is_a_command(
    tmp_path: Path, make: Callable[[], Dialog[str]]
) -> None:
    async with recording(tmp_path) as live:
        app, dialog = live.app, make()
        answers = await shown(live, dialog)
        press_at_once(live, *"hums", "enter", *"q y", at_s=Message().time)
        await live.until(lambda: not app.typed.unhandled)
        assert app.screen is dialog
        app.post_message(events.Paste("rests\nsmiles\n"))
        await live.until(lambda: not app.typed.unhandled)
        await live.pilot.press("enter")
        assert answers == ["hums q yrests smiles"]


async def test_a_line_that_somebody_typed_ends_with_enter_and_the_next_key_is_no_letter_of_it(
    tmp_path: Path,
) -> None:
    async with recording(tmp_path) as live:
        app, answers = live.app, Taken()
        app.push_screen(EntryScreen("Note", "Of this moment."), answers.append)
        await live.until(lambda: isinstance(app.screen, EntryScreen) and app.screen.is_mounted)
        now_s = Message().time
        press_at_once(live, *"hum", at_s=now_s)
        press_at_once(live, "s", "enter", "t", at_s=now_s + 0.6)
        await live.until(lambda: isinstance(app.screen, NoteScreen))
        assert answers == ["hums"]


CODES = (
    lambda: ForgetScreen("P07", 1),
    UnlockScreen,
    lambda: ConsentFileScreen("P07", dict.fromkeys(SCOPES, True), ""),
)


@pytest.mark.parametrize("make", CODES)
async def test_of_codes_that_a_terminal_hands_over_as_keys_no_letter_is_a_command(
    tmp_path: Path, make: Callable[[], Dialog[Any]]
) -> None:
    async with recording(tmp_path) as live:
        app, dialog = live.app, make()
        answers = await shown(live, dialog)
        line = dialog.query_one(Code)
        line.focus()
        await live.until(lambda: app.focused is line)
        press_at_once(live, *"P07", "enter", "n", at_s=Message().time)
        await live.until(lambda: line.value == "P07n")
        assert app.screen is dialog
        assert not answers


async def test_behind_a_persons_code_in_one_go_no_letter_answers_for_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as live:
        line = live.app.screen.query_one("#person", Code)
        line.focus()
        await live.until(lambda: live.app.focused is line)
        press_at_once(live, *"P07", "enter", *"nn", at_s=Message().time)
        await live.until(lambda: line.value == "P07nn")
        assert live.app.screen.query_one("#video", YesNo).value is None
        assert live.app.screen.query_one("#audio", YesNo).value is None
        await live.pilot.press("enter")
        assert live.app.focused is not line


ENDED_BY_ENTER = (
    *LINES,
    lambda: ChooseScreen("Which?", [("a", "A")]),
    lambda: ForgetScreen("P07", 1),
    lambda: SettingsScreen(Settings()),
    lambda: WithdrawScreen(["video"]),
    UnlockScreen,
)


async def test_what_enter_does_in_a_dialog_stands_at_its_foot(tmp_path: Path) -> None:
    async with recording(tmp_path) as live:
        for make in ENDED_BY_ENTER:
            live.app.push_screen(dialog := make())
            await live.until(lambda dialog=dialog: bool(dialog.query(Footer)))
            await live.pilot.pause(0.05)
            assert dialog.active_bindings["enter"].binding.show, type(dialog)
            dialog.dismiss(None)
            await live.until(lambda: isinstance(live.app.screen, LiveScreen))


BURSTS = {
    "two Enters": ["enter", "enter"],
    "five Enters": ["enter"] * 5,
    "Escape and Enter": ["escape", "enter", "enter"],
    "Enter and Escape": ["enter", "escape", "escape", "enter"],
    "yes": ["y"] * 4,
    "q": ["q"] * 4,
}


async def came_of(live: Session, dialog: Dialog[Any], keys: list[str]) -> Taken:
    """Open a dialog, hand it keys in one go, and close it if it is still open."""
    app, answers = live.app, await shown(live, dialog)
    await live.pilot.pause(0.05)
    app.post_message(events.Paste("first\nsecond\r\n\n"))
    press_at_once(live, *keys)
    await live.pilot.pause(0.4)
    await live.until(lambda: not app.typed.unhandled)  # else a key would mean the next dialog
    while not isinstance(app.screen, LiveScreen):
        app.screen.dismiss(None)
        await live.pilot.pause(0.05)
    assert len(app.screen_stack) == 2  # Textual's own beneath it
    return answers


@pytest.mark.campaign
@pytest.mark.parametrize("burst", BURSTS)
async def test_every_dialog_closes_once_and_steers_nothing_beneath(
    tmp_path: Path, burst: str
) -> None:
    async with recording(tmp_path) as live:
        taken: Taken = []
        await live.hears(recorded([NeutralReferenceStarted(t_ns=200 * NS)]))
        live.app.pop_screen()  # which opened by itself, and else would close by itself
        for kind, make in made(tmp_path, taken, live.app.view).items():
            del taken[:]
            answers = await came_of(live, make(), BURSTS[burst])
            assert len(answers) <= 1, kind
            assert len(taken) <= 1, kind
            assert live.app.is_running, kind
            for command in (messages.Stop, messages.SteerTrack, messages.PauseRecording):
                assert not live.sent(command), kind
        await live.pilot.press("f2")
        assert len(live.sent(messages.Mark)) == 1
