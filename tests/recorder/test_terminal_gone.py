"""Terminals as people have them: gone, hung up, in another encoding, or never there."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from affetti.core.errors import ExitCode
from affetti.core.events import FrameCaptured
from affetti.core.recording.names import target_of
from affetti.core.recording.session import Session
from tests.conftest import NS
from tests.recorder.films import moving_film
from tests.recorder.recording_sink import wait_for
from tests.recorder.test_recording import on_disk
from tests.recorder.test_tui_session import Terminal, ended_with

AFFETTI = [sys.executable, "-P", "-m", "affetti"]
PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


NOHUP = ("sh", "-c", 'trap "" HUP; exec "$@"', "sh")


def said_in_terminal(environment: dict[str, str]) -> tuple[int, str]:
    """Run `affetti record` in a terminal; return how it ended and what it said there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*AFFETTI, "record"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **environment},
    )
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:
        pass
    os.close(ours)
    return process.wait(60), said.decode("latin-1")


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
@pytest.mark.one_of_each
@pytest.mark.campaign
def test_a_locale_that_cannot_show_the_screen_is_said_before_it_starts(encoding: str) -> None:
    code, said = said_in_terminal(PLAIN | {"PYTHONIOENCODING": encoding})
    assert code == ExitCode.USAGE
    assert "UTF-8" in said
    assert "\x1b[?1049h" not in said  # the picture of a whole screen


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "</dev/null", "<&- >&- 2>&-"])
@pytest.mark.one_of_each
@pytest.mark.campaign
def test_without_a_terminal_the_screen_is_refused_by_name(closed: str) -> None:
    command = ["sh", "-c", f"exec {sys.executable} -P -m affetti record {closed}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.USAGE
    if "2>" not in closed:
        assert "needs a terminal" in done.stderr


@pytest.fixture
def headless(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a recording without a screen; it records when this returns."""

    def start(before: tuple[str, ...], seconds: float) -> subprocess.Popen[str]:
        film = moving_film(tmp_path / "film.avi", seconds=60)
        command = [*before, *AFFETTI, "record", "--headless", "--camera", str(film)]
        command += ["--duration", str(seconds), "--output", str(tmp_path / "kept.h5")]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        assert "kept.h5" in process.stderr.readline()
        threading.Thread(target=process.stderr.read, daemon=True).start()
        return process

    return start


@pytest.mark.campaign
@pytest.mark.parametrize(("before", "reason"), [(NOHUP, "duration"), ((), "signal")])
def test_nohup_is_respected_and_a_hang_up_without_it_seals(
    headless: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
    before: tuple[str, ...],
    reason: str,
) -> None:
    process = headless(before, 5)
    process.send_signal(signal.SIGHUP)
    process.wait(60)
    with Session.open(tmp_path / "kept.h5") as session:
        assert session.info.end_reason == reason


@pytest.mark.campaign
def test_a_terminal_that_is_gone_ends_a_screen_that_ignores_hang_ups(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, NOHUP)
    terminal.start_recording()
    os.close(terminal.master)
    assert terminal.process.wait(60) == ExitCode.OK
    assert ended_with(terminal) == "ui_gone"


@pytest.mark.campaign
def test_a_terminal_that_stands_still_stops_neither_the_recording_nor_its_end(
    tmp_path: Path,
) -> None:
    terminal = Terminal(tmp_path)
    terminal.start_recording()
    (part,) = terminal.parts()
    before = on_disk(target_of(part), FrameCaptured)
    # Nobody reads what is drawn from here on.
    wait_for(lambda: on_disk(target_of(part), FrameCaptured) > before + 250)
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.process.wait(100) == ExitCode.OK
    assert ended_with(terminal) == "signal"
    os.close(terminal.master)


@pytest.mark.campaign
@pytest.mark.parametrize("halted", ["engine", "screen"])
def test_a_halted_engine_or_screen_is_ended_by_a_signal_and_keeps_what_was_typed(
    tmp_path: Path, halted: str
) -> None:
    terminal = Terminal(tmp_path)
    terminal.start_recording()
    (part,) = terminal.parts()
    shown = ""
    while " REC " not in shown:
        shown = shown[-10:] + os.read(terminal.master, 65536).decode(errors="ignore")
    if halted == "engine":
        os.kill(engine_of(terminal.process.pid), signal.SIGSTOP)
        for _ in range(3):
            terminal.type(b"m")
        before_s = time.monotonic()
        terminal.until(lambda: time.monotonic() > before_s + 3)  # in which the screen is drawn
        terminal.process.send_signal(signal.SIGTERM)
    else:  # which ends once it goes on, and neither hears nor draws until then
        terminal.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: on_disk(target_of(part), FrameCaptured) > 100)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.process.send_signal(signal.SIGCONT)
    terminal.until(lambda: terminal.process.poll() is not None)
    assert terminal.process.returncode == ExitCode.OK
    assert ended_with(terminal) == "signal"
    with Session.open(terminal.sealed()[0]) as session:
        assert len(session.markers) == (3 if halted == "engine" else 0)
        assert max((m.t_ns for m in session.markers), default=0) < session.info.duration_s * NS
    os.close(terminal.master)


def engine_of(pid: int) -> int:
    """Return the engine's process: the child of the screen that multiprocessing started."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    pids = [int(pid) for each in children for pid in each.read_text().split()]
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pids}
    (found,) = [pid for pid, command in commands.items() if "spawn_main" in command]
    return found
