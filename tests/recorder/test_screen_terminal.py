"""The screen's terminal: what is drawn reaches it, what libraries print does not."""

import multiprocessing
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from affetti.core import system
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.link import EngineSaid
from affetti.recorder.tui.widgets.playlist import tracks_at
from tests.recorder.test_tui_snapshots import PATH, Scene

PROGRAM = """
import os, sys
from pathlib import Path
from affetti.recorder.tui.tty import terminal_of_its_own
from affetti.recorder.tui.widgets.playlist import tracks_at
with terminal_of_its_own():
    sys.__stderr__.write("drawn")
    os.write(2, b"printed by a library")
    for path in sys.argv[1:]:
        tracks_at(Path(path))
    assert sys.__stderr__.isatty()
os.write(2, b"told afterwards")
"""


def folder_with_a_broken_track(folder: Path) -> Path:
    folder.mkdir()
    tone = np.sin(np.arange(88_200) / 10) / 4
    soundfile.write(folder / "a.wav", tone, 44_100)
    soundfile.write(folder / "b.mp3", tone, 44_100)
    whole = (folder / "b.mp3").read_bytes()
    (folder / "broken.mp3").write_bytes(whole[:700] + bytes(range(256)) * 40)
    (folder / "empty.mp3").write_bytes(b"")
    return folder


def test_what_libraries_print_goes_to_the_log_and_not_over_the_screen(tmp_path: Path) -> None:
    music = folder_with_a_broken_track(tmp_path / "music")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    command = [sys.executable, "-P", "-c", PROGRAM, str(music)]
    subprocess.run(command, stderr=theirs, env=environment, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    assert shown == "drawntold afterwards"
    (log,) = (tmp_path / "state").rglob("screen.log")
    assert "printed by a library" in log.read_text()


DRAWS = """
import sys, threading
from affetti.recorder.tui.tty import terminal_of_its_own
with terminal_of_its_own() as give_up:
    if "give up" in sys.argv:
        threading.Timer(0.5, give_up).start()
    sys.__stderr__.write("x" * 300_000)
"""


@pytest.mark.skipif(
    not hasattr(select, "poll"), reason="nothing tells whether a terminal takes anything"
)
def test_a_terminal_that_takes_nothing_is_not_waited_for_once_the_screen_is_to_end() -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-P", "-c", DRAWS, "give up"]
    subprocess.run(command, stderr=theirs, check=True, timeout=60)
    assert system.waits(theirs)  # which is shared with whoever started it
    os.close(theirs)
    os.close(ours)


def test_a_terminal_that_is_slow_gets_all_that_is_drawn() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-P", "-c", DRAWS], stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 1000):
            shown += chunk
    except OSError:  # how a terminal ends
        pass
    os.close(ours)
    assert process.wait(60) == 0
    assert shown == b"x" * 300_000


def test_a_broken_track_is_named_and_the_others_are_added(tmp_path: Path) -> None:
    music = folder_with_a_broken_track(tmp_path / "music")
    tracks, left_out = tracks_at(music)
    assert {"a.wav", "b.mp3"} <= {track.path.name for track in tracks}
    assert any("empty.mp3" in error.message for error in left_out)
    assert len(tracks) + len(left_out) == 4


async def test_a_defect_of_the_screen_closes_it_and_prints_nothing_that_variables_held(
    tmp_path: Path,
) -> None:
    theirs, ours = multiprocessing.Pipe()
    app = AffettiApp(ours, Settings(sessions_folder=str(tmp_path)))
    first = ValueError("what the person said")
    app._handle_exception(first)
    app._handle_exception(KeyError("a later one"))
    assert app.failed is first
    assert app._exit_renderables == []
    theirs.close()
    ours.close()


async def test_what_is_missing_from_a_screen_that_is_being_closed_is_no_defect(
    tmp_path: Path,
) -> None:
    app = AffettiApp(multiprocessing.Pipe()[0], Settings(sessions_folder=str(tmp_path)))
    app.end()
    app._handle_exception(LookupError("of what is gone already"))
    assert app.failed is None


async def test_what_the_engine_says_to_a_screen_that_is_being_closed_is_no_defect() -> None:
    scene = Scene()
    async with scene.app.run_test() as pilot:
        await scene.review(pilot)
        await scene.app.screen.query_one("#title").remove()  # screens go part by part
        scene.app.exit()
        scene.app.on_engine_said(EngineSaid(messages.Sealed(PATH, "stopped")))
