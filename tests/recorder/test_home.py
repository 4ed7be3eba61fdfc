"""Home: what is there, found by typing, and what a key does with it."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual import events
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from affetti.core.custody import keys, vault
from affetti.core.custody.artefacts import INDEX
from affetti.core.events import Event, MarkerAdded, SessionEnded, consent_to
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.settings import LogSettings, Settings
from affetti.recorder.tui.app import AffettiApp
from affetti.recorder.tui.screens.ask import ChooseScreen
from affetti.recorder.tui.screens.forget import ForgetScreen
from affetti.recorder.tui.screens.home import HomeScreen
from affetti.recorder.tui.screens.review import ReviewScreen
from affetti.recorder.tui.screens.setup import SetupScreen
from affetti.recorder.tui.screens.unlock import UnlockScreen
from tests.conftest import NS, started
from tests.recorder.films import moving_film
from tests.recorder.scripted_engine import ScriptedEngine

WORDS = "otter lamp violet nine"
BEGUN = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)


@pytest.fixture
def folder(write_log: Callable[..., Path]) -> Path:
    """Two sessions of P07, one of P12 that broke off, and a file that is no recording."""
    for day, person in enumerate(("P07", "P07", "P12")):
        begun = BEGUN + timedelta(days=day)
        sid = f"{day:032x}"
        items: list[tuple[Event, bytes]] = [
            (started(person=person, session_id=sid, wall_clock=begun.isoformat()), b""),
            (MarkerAdded(t_ns=NS, label="here"), b""),
        ]
        if person == "P07":
            items.append((SessionEnded(t_ns=65 * NS, reason="stopped"), b""))
        name = f"sub-{person}_ses-{begun:%Y%m%dT%H%M%S}.h5"
        path = write_log(items, name=name, session_id=sid)
        if person == "P07":
            seal(path)
    (path.parent / "foreign.h5").write_bytes(b"something else")
    return path.parent


@asynccontextmanager
async def home(folder: Path) -> AsyncIterator[tuple[AffettiApp, Pilot[None]]]:
    engine = ScriptedEngine()
    app = AffettiApp(lambda: engine.pipe, Settings(sessions_folder=str(folder)), at_home=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))
        yield app, pilot


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    for _ in range(1500):
        if true():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come")


def lines(app: AffettiApp, of: str) -> list[str]:
    shown = app.screen.query_one(of, OptionList)
    return [str(option.prompt) for option in shown.options]


def about(app: AffettiApp) -> str:
    return str(app.screen.query_one("#about", Static).content)


async def test_people_and_sessions_are_found_by_typing(folder: Path) -> None:
    async with home(folder) as (app, pilot):
        await until(pilot, lambda: len(lines(app, "#sessions")) == 4)
        assert [line.split()[0] for line in lines(app, "#people")] == ["P12", "P07"]
        unsealed, newest, *_, foreign = lines(app, "#sessions")
        assert "P12" in unsealed
        assert "broke off" in unsealed
        assert "2026-11-25" in newest
        assert "01:05" in newest
        assert "cannot be read" in foreign
        await pilot.press(*"p07")
        assert len(lines(app, "#sessions")) == 2
        assert [line.split()[0] for line in lines(app, "#people")] == ["P07", "+"]
        await pilot.press(*["backspace"] * 3, *"11-24")
        assert len(lines(app, "#sessions")) == 1
        await pilot.press("escape", *"P99")
        assert lines(app, "#people") == ["+ P99: somebody new"]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SetupScreen))
        assert app.draft.person == "P99"


@pytest.mark.campaign
async def test_what_broke_off_is_sealed_and_an_old_session_is_looked_at(folder: Path) -> None:
    async with home(folder) as (app, pilot):
        await until(pilot, lambda: len(lines(app, "#sessions")) == 4)
        await pilot.press("tab", "home", "enter")
        await until(pilot, lambda: not any("broke off" in x for x in lines(app, "#sessions")))
        assert len(list(folder.glob("sub-P12*.h5"))) == 1
        await until(pilot, lambda: "P12" in lines(app, "#sessions")[0])
        assert "P12" in about(app)  # what was lost, or that nothing was
        await pilot.press("home", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ReviewScreen))
        assert "P07" in str(app.screen.query_one("#title", Static).content)
        await pilot.press("h")
        await until(pilot, lambda: isinstance(app.screen, HomeScreen))


@pytest.mark.campaign
async def test_a_session_is_exported_as_what_is_chosen_and_that_is_noted(folder: Path) -> None:
    async with home(folder) as (app, pilot):
        await until(pilot, lambda: len(lines(app, "#sessions")) == 4)
        await pilot.press("tab", "home", "down", "f7")
        await until(pilot, lambda: isinstance(app.screen, ChooseScreen))
        await pilot.press(*["down"] * 6, "enter")
        await until(pilot, lambda: bool(list(folder.glob("sub-P07*.TextGrid"))))
        await until(pilot, lambda: ".TextGrid" in about(app))
        assert any("export" in path.name for path in folder.iterdir())


@pytest.mark.campaign
async def test_an_enter_within_what_is_handed_over_in_one_go_opens_nothing(folder: Path) -> None:
    async with home(folder) as (app, pilot):
        await until(pilot, lambda: len(lines(app, "#sessions")) == 4)
        at_s = Message().time
        for key, character in (*zip("P07", "P07", strict=True), ("enter", "\r"), ("n", "n")):
            pressed = events.Key(key, character)
            pressed.time = at_s
            app.post_message(pressed)
        await until(pilot, lambda: lines(app, "#people") == ["+ P07n: somebody new"])
        assert isinstance(app.screen, HomeScreen)


async def test_a_person_is_forgotten_once_the_code_was_typed(folder: Path) -> None:
    async with home(folder) as (app, pilot):
        await until(pilot, lambda: len(lines(app, "#sessions")) == 4)
        assert b"P07" in (folder / INDEX).read_bytes()
        await pilot.press(*"P07", "delete")
        await until(pilot, lambda: isinstance(app.screen, ForgetScreen))
        await pilot.press(*"P70", "enter")
        assert isinstance(app.screen, ForgetScreen)
        assert app.screen.query_one(Input).value == ""
        await pilot.press(*"P07", "enter")
        await until(pilot, lambda: not list(folder.glob("sub-P07*")))
        await until(pilot, lambda: lines(app, "#people") == ["+ P07: somebody new"])
    for path in folder.rglob("*"):
        if path.is_file() and "settings" not in path.name:
            assert b"P07" not in path.read_bytes(), path


def test_home_is_there_before_what_records_is_loaded() -> None:
    program = (
        "import sys, affetti.recorder.tui.app, affetti.core.settings\n"
        "sys.exit(bool({'numpy', 'h5py', 'cv2', 'cryptography', 'scipy'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.campaign
async def test_nothing_recorded_yet_says_how_to_begin(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    async with home(nowhere) as (app, pilot):
        await until(pilot, lambda: "Nothing is recorded yet" in about(app))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(app.screen, SetupScreen))
        assert not os.path.exists(nowhere)


@pytest.mark.campaign
def test_somebody_known_is_recorded_in_four_keys(tmp_path: Path) -> None:
    film = moving_film(tmp_path / "film.avi", seconds=120)
    settings = tmp_path / "own.toml"
    settings.write_text(f'sessions_folder = "{tmp_path}"\ncamera = "{film}"\n')
    begun = BEGUN.isoformat()
    agreed = consent_to("video", since="2026-11-24")
    log = PartLog(tmp_path / "sub-P07_ses-20261124T101500.h5", "a" * 32, LogSettings(part_mib=8))
    log.append(started(session_id="a" * 32, wall_clock=begun, consent=agreed), b"")
    log.append(SessionEnded(t_ns=NS, reason="stopped"), b"")
    log.close()
    seal(tmp_path / "sub-P07_ses-20261124T101500.h5")
    with terminal_with(settings) as (process, master):
        for seen in (b"P07", b"confirms", b"no face", b"Start recording"):
            read_until(master, seen)
            os.write(master, b"\r")
        read_until(master, b"REC")
        os.write(master, b"q")
        read_until(master, b"seal")
        os.write(master, b"y")
        read_until(master, b"Sealed")
        os.write(master, b"\x11")
        assert process.wait(60) == 0
    assert len(list(tmp_path.glob("sub-P07_ses-*.h5"))) == 2


@contextmanager
def terminal_with(settings: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`affetti` alone in a terminal of its own."""
    master, theirs = pty.openpty()
    shape = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(
        [sys.executable, "-m", "affetti"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, **shape, "AFFETTI_SETTINGS": str(settings)},
    )
    os.close(theirs)
    try:
        yield process, master
    finally:
        process.kill()
        process.wait()
        os.close(master)


def read_until(master: int, words: bytes, seconds: float = 120) -> None:
    shown, end = b"", time.monotonic() + seconds
    while words not in re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", shown):
        assert time.monotonic() < end, shown[-2000:]
        if select.select([master], [], [], 0.2)[0]:
            shown += os.read(master, 65536)


@pytest.mark.campaign
async def test_what_is_locked_is_opened_by_its_passphrase(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFETTI_VAULTS", str(folder / "vaults"))
    monkeypatch.delenv(vault.PASSPHRASE_FILE, raising=False)
    vault.new("clinic", vault.Lock("passphrase", WORDS), n=16)
    key = keys.new_key([vault.vault("clinic").public])
    target = folder / "sub-P33_ses-20261201T101500.h5"
    log = PartLog(target, "c" * 32, LogSettings(part_mib=8), key)
    begun = (BEGUN + timedelta(days=7)).isoformat()
    log.append(started(session_id="c" * 32, person="P33", wall_clock=begun), b"")
    log.append(SessionEnded(t_ns=5 * NS, reason="stopped"), b"")
    log.close()
    seal(target)
    keys.drop()
    async with home(folder) as (app, pilot):
        await until(pilot, lambda: len(lines(app, "#sessions")) == 5)
        await pilot.press(*"P33", "tab")
        assert "locked" in lines(app, "#sessions")[0]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, UnlockScreen))
        await pilot.press(*"no such words", "enter")
        await until(pilot, lambda: about(app).startswith("!"))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, UnlockScreen))
        await pilot.press(*WORDS, "enter")
        await until(pilot, lambda: "00:05" in lines(app, "#sessions")[0])
    keys.drop()
