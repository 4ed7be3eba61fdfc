"""Screen or engine is killed, or the terminal closed, while a note is typed.

Nothing of it that was shown is lost.
"""

import os
import random
import select
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from affetti.core.language import text
from affetti.core.recording.session import Session
from tests.campaign import warmed
from tests.recorder.films import tone

# No sequence of a terminal holds one of these, and each is typed once: where it is, it was drawn.
LETTERS: Final = "äöüßéèêàçñåøæâîôûëïαβγδεζηθικλμνξπρστφχψωабвгдежзийклмнпрст"
_PATIENCE_S: Final = 60.0


class _Terminal:
    """A recording on a screen, in a terminal that reads what is drawn."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = folder / "settings.toml"
        settings.write_text(f'sessions_folder = "{folder}"\n[report]\nat_end = false\n')
        music = tone(folder / "a.wav", 120)
        words = ["record", "--person", "P07", "--consent", "none", "--no-speaker"]
        said = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        said |= {"AFFETTI_SETTINGS": str(settings), "XDG_STATE_HOME": str(folder / "state")}
        self.screen, self._master = warmed.started([*words, "--play", str(music)], said)
        self._closed = False
        self.drawn = ""

    def press(self, keys: str) -> None:
        self.drawn = ""
        os.write(self._master, keys.encode())

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + _PATIENCE_S
        while not true():
            assert time.monotonic() < end, "it did not come"
            self._read()

    def _read(self) -> None:
        if self._closed:
            time.sleep(0.02)
            return
        try:
            if select.select([self._master], [], [], 0.02)[0]:
                self.drawn += os.read(self._master, 65536).decode(errors="ignore")
        except OSError:  # nobody draws any more
            time.sleep(0.02)

    def start(self) -> None:
        def records() -> bool:
            if not self._parts():
                os.write(self._master, b"\x12")  # Ctrl+R, until the set-up is there
                time.sleep(0.2)
            return bool(self._parts()) and " REC " in self.drawn

        self.until(records)
        self.press("t")
        self.until(lambda: text("note.title")[:8] in self.drawn)

    def _parts(self) -> list[Path]:
        return list(self.folder.glob("*.part*.h5"))

    def engine(self) -> int:
        """Return the engine's process: the one child of the screen."""
        children = Path(f"/proc/{self.screen}/task").glob("*/children")
        (found,) = [int(pid) for each in children for pid in each.read_text().split()]
        return found

    def kill(self) -> None:
        """End the screen as the system does."""
        with suppress(ProcessLookupError):
            os.kill(self.screen, signal.SIGKILL)

    def hang_up(self) -> None:
        """Close the terminal, as its window is."""
        if not self._closed:
            os.close(self._master)
        self._closed = True

    def close(self) -> None:
        self.kill()
        self.hang_up()


def trial(folder: Path, seed: int) -> None:
    """Kill the one or the other, or close the terminal, at some moment of typing; find the note."""
    chance = random.Random(seed)
    work = folder / f"keystrokes-{seed}"
    work.mkdir()
    terminal = _Terminal(work)
    try:
        terminal.start()
        shown = _type(terminal, chance)
        time.sleep(chance.uniform(0, 0.05))
        if seed % 3 == 1:
            os.kill(terminal.engine(), signal.SIGKILL)
            note = _kept_beside(terminal)
        else:
            (terminal.hang_up if seed % 3 else terminal.kill)()
            note = _in_the_recording(terminal)
        assert note.startswith(shown), f"{shown!r} was shown, and {note!r} is kept"
        assert LETTERS.startswith(note)
    finally:
        terminal.close()
    shutil.rmtree(work)


def _type(terminal: _Terminal, chance: random.Random) -> str:
    """Type some letters, each once the one before is shown; and perhaps one more."""
    count = chance.randrange(1, len(LETTERS) - 1)
    for letter in LETTERS[:count]:
        terminal.press(letter)
        terminal.until(lambda letter=letter: letter in terminal.drawn)  # type: ignore[misc]
    if chance.random() < 0.5:
        terminal.press(LETTERS[count])
    return LETTERS[:count]


def _in_the_recording(terminal: _Terminal) -> str:
    def sealed() -> list[Path]:
        found = terminal.folder.glob("sub-*.h5")
        return [path for path in found if ".part" not in path.name]

    terminal.until(lambda: bool(sealed()))
    beside = list(terminal.folder.glob("*.note.txt"))
    if beside:  # the track, and with it the recording, had ended before
        return _text_of(beside[0])
    with Session.open(sealed()[0]) as session:
        return session.notes[-1].text if session.notes else ""


def _kept_beside(terminal: _Terminal) -> str:
    terminal.until(lambda: bool(list(terminal.folder.glob("*.note.txt"))))
    (path,) = terminal.folder.glob("*.note.txt")
    return _text_of(path)


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("\n\n")[0]
