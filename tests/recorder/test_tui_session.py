"""The screen and the real engine together, from the set-up to a sealed file."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from affetti.core.events import FrameCaptured, NoteAdded
from affetti.core.recording.names import target_of
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine.process import EngineProcess, start_engine
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.draft import Draft
from affetti.recorder.tui.screens.live import LiveScreen
from affetti.recorder.tui.screens.review import ReviewScreen
from tests.recorder.films import moving_film, tone
from tests.recorder.test_recording import on_disk


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineProcess]:
    running = start_engine(Settings(sessions_folder=str(tmp_path)))
    yield running
    running.close()
    assert running.join(60)


async def until(pilot: Pilot[None], true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        await pilot.pause(0.1)


@pytest.mark.campaign
async def test_a_session_by_hand_from_set_up_to_report(
    engine: EngineProcess, tmp_path: Path
) -> None:
    draft = Draft(
        camera=str(moving_film(tmp_path / "film.avi", seconds=60)),
        playlist=[tone(tmp_path / "a.wav", 20), tone(tmp_path / "b.wav", 20)],
        speaker=None,
    )
    app = AffettiApp(engine.pipe, Settings(sessions_folder=str(tmp_path)), draft)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press(*"P07", "tab", "y", "tab", "n")
        await until(pilot, lambda: len(draft.playlist) == 2 and not draft.lacks())
        await pilot.press("ctrl+r")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen))
        view = app.view
        assert view is not None
        await until(pilot, lambda: view.state.frames > 20 and view.state.track is not None)
        await pilot.press("m", "t", *"smiles", "enter")
        # What is typed right behind Enter would begin the next note.
        await until(pilot, lambda: view.state.notes and isinstance(app.screen, LiveScreen))
        await pilot.press("n")
        await until(pilot, lambda: len(view.state.tracks) == 2)
        await pilot.press("q", "y")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        await until(pilot, lambda: view.sealed is not None)
        with Session.open(Path(view.path)) as session:
            assert session.info.person == "P07"
            assert session.info.frames > 20
            assert [marker.number for marker in session.markers] == [1]
            assert [track.title for track in session.tracks] == ["a", "b"]
        await pilot.press("r")
        report = app.screen.query_one("#report", Static)
        await until(pilot, lambda: report.has_class("-done") or report.has_class("-error"), 120)
        assert str(report.content) == str(Path(view.path).with_suffix(".report.html"))
        assert Path(str(report.content)).exists()


class Terminal:
    """`affetti record` in a terminal of its own."""

    def __init__(self, folder: Path, before: tuple[str, ...] = ()) -> None:
        film = moving_film(folder / "film.avi", seconds=120)
        command = [sys.executable, "-m", "affetti", "record", "--person", "P07"]
        command += ["--consent", "video", "--camera", str(film), "--no-speaker"]
        self.folder = folder
        self.master, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*before, *command],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
        )
        os.close(theirs)

    def start_recording(self) -> None:
        for _ in range(300):
            self.type(b"\x12")  # Ctrl+R, until the set-up is there and takes it
            self.drain()
            if self.parts():
                break
            time.sleep(0.2)
        (part,) = self.parts()
        self.until(lambda: on_disk(target_of(part), FrameCaptured) > 10)

    def until(self, true: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, "it did not come"
            self.drain()

    def drain(self) -> None:
        """Read what the screen draws, as a terminal does."""
        try:
            if select.select([self.master], [], [], 0.1)[0]:
                os.read(self.master, 65536)
        except OSError:
            time.sleep(0.1)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def parts(self) -> list[Path]:
        return list(self.folder.glob("*.part*.h5"))

    def sealed(self) -> list[Path]:
        return [path for path in self.folder.glob("sub-*.h5") if ".part" not in path.name]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    running = Terminal(tmp_path)
    running.start_recording()
    yield running
    if running.process.poll() is None:
        running.process.kill()


def ended_with(terminal: Terminal) -> str:
    terminal.until(lambda: bool(terminal.sealed()) and not terminal.parts())
    with Session.open(terminal.sealed()[0]) as session:
        assert session.info.frames > 10
        return list(session.events)[-1].reason  # type: ignore[union-attr]


@pytest.mark.campaign
def test_control_c_asks_and_seals_once_that_is_answered(terminal: Terminal) -> None:
    terminal.type(b"\x03")
    time.sleep(1)
    assert terminal.parts()

    def answered() -> bool:
        terminal.type(b"y")  # which means nothing before the question is there
        return not terminal.parts()

    terminal.until(answered)
    assert ended_with(terminal) == "stopped"


@pytest.mark.campaign
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_seals(terminal: Terminal, number: int) -> None:
    terminal.process.send_signal(number)
    terminal.until(lambda: terminal.process.poll() is not None)
    assert ended_with(terminal) == "signal"


@pytest.mark.campaign
def test_a_closed_terminal_seals(terminal: Terminal) -> None:
    os.close(terminal.master)
    terminal.process.send_signal(signal.SIGHUP)
    terminal.process.wait(60)
    assert ended_with(terminal) == "ui_gone"


@pytest.mark.campaign
def test_a_killed_screen_seals(terminal: Terminal) -> None:
    terminal.process.kill()
    assert ended_with(terminal) == "ui_gone"


def notes_of(terminal: Terminal) -> list[str]:
    """End the recording, and return its notes."""

    def ended() -> bool:
        terminal.type(b"\x03")
        time.sleep(0.3)
        terminal.type(b"y")
        return not terminal.parts()

    terminal.until(ended)
    ended_with(terminal)
    with Session.open(terminal.sealed()[0]) as session:
        return [note.text for note in session.notes]


@pytest.mark.campaign
@pytest.mark.parametrize(
    ("written", "notes"),
    [
        ([b"tlooks up\rturns away\r"], ["looks up", "turns away"]),
        ([b"t", b"looks up", b"\r", b"tturns away\r"], ["looks up", "turns away"]),
        ([b"t", b"looks up", b"\rtnods\rtqps\r"], ["looks up", "nods", "tqps"]),
        ([b"t", b"looks ", b"u", b"p\rtturns away\r"], ["looks up", "turns away"]),
        ([b"t", b"\x1b[200~looks up\rturns away\x1b[201~\r"], ["looks up\nturns away"]),
        ([b"t\x1b[200~looks up\r\x1b[201~", b"smiles\r"], ["looks up\nsmiles"]),
    ],
)
def test_notes_are_told_apart_however_fast_a_terminal_hands_them_over(
    terminal: Terminal, written: list[bytes], notes: list[str]
) -> None:
    for keys in written:
        terminal.type(keys)
        terminal.until(is_read(terminal))
    terminal.until(lambda: on_disk(target_of(terminal.parts()[0]), NoteAdded) == len(notes))
    assert notes_of(terminal) == notes


def is_read(terminal: Terminal) -> Callable[[], bool]:
    """Return what tells, once, that the screen has had time to read what was typed."""
    end = time.monotonic() + 0.3
    return lambda: time.monotonic() > end
