"""Exceptions in every thread and turn of engine and screen, one at a time, while recording.

`python -m tests.faults [--encrypted] [NUMBER...]` prints a table. After each the recording has to
be sealed or recoverable, and the process has to have ended, or to end within 3 s of SIGTERM. The
exception is put in by a `sitecustomize` of its own, in whichever process it belongs to. Each
recording is sealed ahead after its first second.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import keys, vault
from affetti.core.errors import AffettiError
from affetti.core.recording.box import is_box
from affetti.core.recording.names import parts_of, target_of
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from tests.recorder.films import moving_film, tone

IN_TIME_S: Final = 3.0  # of SIGTERM
PATIENCE_S: Final = 90.0
AFTERWARDS_S: Final = 1.0  # that it goes on before it is told to end

CUSTOMIZE: Final = """
import os, sys, threading, time
role, module, path, calls, mark = os.environ["FAULT"].split("|")
here = "engine" if "--multiprocessing-fork" in sys.argv or "spawn_main" in " ".join(
    sys.orig_argv) else "first"

def inject():
    while True:
        time.sleep(0.005)
        owner = sys.modules.get(module)
        *outer, name = path.split(".")
        for each in outer:
            owner = getattr(owner, each, None)
        true = getattr(owner, name, None)
        if true is not None and getattr(sys.modules[module], "__spec__", None) is not None \\
                and not getattr(sys.modules[module].__spec__, "_initializing", False):
            break
    count = [0]
    def faulty(*arguments, **named):
        count[0] += 1
        if count[0] > int(calls):
            open(mark, "a").close()
            raise RuntimeError("injected")
        return true(*arguments, **named)
    setattr(owner, name, faulty)

def seal_early():
    while not hasattr(sys.modules.get("affetti.core.recording.ahead"), "Ahead"):
        time.sleep(0.005)
    sys.modules["affetti.core.recording.ahead"].Ahead.__init__.__defaults__ = (1.0,)

threading.Thread(target=seal_early, daemon=True).start()
if here == role:
    threading.Thread(target=inject, daemon=True).start()
"""


@dataclass(frozen=True)
class Fault:
    """Where the exception is raised, and after how many calls."""

    where: str
    module: str
    path: str
    calls: int = 20
    screen: bool = False  # with a screen, in whose process it is
    engine: bool = False  # with a screen, in the process of the engine
    keys: bytes = b""  # that are pressed while it records


ENGINE: Final = "affetti.recorder.engine."
TUI: Final = "affetti.recorder.tui."
FAULTS: Final = (
    Fault("turn of the engine", f"{ENGINE}engine", "Engine.turn"),
    Fault("care for the recording", f"{ENGINE}engine", "Engine._look_after"),
    Fault("loop without a screen", f"{ENGINE}headless", "Headless._tell_health", 2),
    Fault("thread: write log", "affetti.core.recording.parts", "PartLog.append", 40),
    Fault("thread: sync log", "affetti.core.recording.durability", "Durability._once", 3),
    Fault("thread: pulse", "affetti.core.recording.pulse", "packed", 2),
    Fault("thread: seal ahead", "affetti.core.recording.survey", "Tail.more", 2),
    Fault("between the threads", f"{ENGINE}inbox", "Inbox.get", 40),
    Fault("thread: load models", f"{ENGINE}live", "Readers._load", 0),
    Fault("thread: read face", f"{ENGINE}live", "LivePerception._perceive", 10),
    Fault("thread: film", "affetti.recorder.sources.film", "FrameLog.keep"),
    Fault("thread: hear", "affetti.recorder.sources.microphone", "StreamLog.keep"),
    Fault("thread: play", "affetti.recorder.sources.deck", "Deck.pull"),
    Fault("thread: decode", "affetti.recorder.sources.deck", "decode", 0),
    Fault("thread: read markers", f"{ENGINE}headless", "Headless._mark", 0, keys=b"now\n"),
    Fault("engine of a screen: turn", f"{ENGINE}engine", "Engine.turn", 200, engine=True),
    Fault("engine of a screen: thread listen", f"{ENGINE}engine", "_Server._understand", 2,
          engine=True, keys=b"m"),
    Fault("engine of a screen: the pipe", f"{ENGINE}messages", "send", 40, engine=True),
    Fault("screen: its turn", f"{TUI}screens.live", "LiveScreen.look", 3, screen=True),
    Fault("screen: thread hear engine", f"{ENGINE}messages", "receive_message", 40, screen=True),
    Fault("screen: a message", f"{TUI}view", "RecordingView.hear", 30, screen=True),
    Fault("screen: a key", f"{TUI}screens.live", "LiveScreen.action_note", 0, screen=True,
          keys=b"t"),
    Fault("screen: thread watch terminal", f"{TUI}tty", "system.has_hung_up", 5, screen=True),
)  # fmt: skip


@dataclass
class Outcome:
    """What became of a recording and of its process."""

    where: str
    raised: bool
    went_on: bool  # until it was told to end
    code: int | None
    took_s: float  # from the signal to its end
    kept: str

    @property
    def good(self) -> bool:
        """Whether all is as it has to be."""
        return self.raised and self.code is not None and self.kept in {"sealed", "recovered"}

    @property
    def in_time(self) -> bool:
        """Whether the signal ended it in time."""
        return self.took_s <= IN_TIME_S

    def __str__(self) -> str:
        ended = f"told to end, {self.took_s:.1f} s" if self.went_on else "ended"
        word = "good" if self.good and self.in_time else "BAD"
        raised = "" if self.raised else ", never raised"
        return f"{word:<5} {self.where:<36} {ended:<20} exit {self.code!s:<5} {self.kept}{raised}"


class Trial:
    """A recording with an exception in it, which may be encrypted for an owner."""

    def __init__(self, fault: Fault, folder: Path, owner: X25519PrivateKey | None = None) -> None:
        self._fault = fault
        self._folder = folder
        self._owner = owner
        self._mark = folder / "raised"
        (folder / "code").mkdir()
        (folder / "code" / "sitecustomize.py").write_text(CUSTOMIZE)
        role = "engine" if fault.engine else "first"
        fields = (role, fault.module, fault.path, fault.calls, self._mark)
        self._environment = {
            **os.environ,
            "PYTHONPATH": f"{folder / 'code'}:{Path(__file__).parents[1]}",
            "FAULT": "|".join(map(str, fields)),
            "TERM": "xterm-256color",
        }
        self._master, self._theirs = pty.openpty()

    def run(self) -> Outcome:
        """Record, raise, and end it."""
        process = self._begin()
        try:
            return self._watch(process)
        finally:
            with suppress(OSError):
                process.kill()
            process.wait()
            os.close(self._master)
            os.close(self._theirs)

    def _begin(self) -> "subprocess.Popen[bytes]":
        film = str(moving_film(self._folder / "film.avi", seconds=60))
        command = [sys.executable, "-m", "affetti", "record", "--person", "P07"]
        command += ["--consent", "both", "--camera", film, "--no-speaker"]
        command += ["--microphone", str(tone(self._folder / "room.wav", 60, 22_050, 1))]
        command += ["--play", str(tone(self._folder / "track.wav", 60))]
        if not (self._fault.screen or self._fault.engine):
            command += ["--headless", "--output", str(self._folder / "sub-P07.h5")]
            command += ["--markers-from-stdin"] if self._fault.keys else []
        settings = self._folder / "settings.toml"
        said = f'sessions_folder = "{self._folder}"\n[report]\nat_end = false\n'
        settings.write_text(said + self._vault())
        return subprocess.Popen(
            command,
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
            env={**self._environment, "AFFETTI_SETTINGS": str(settings)},
        )

    def _vault(self) -> str:
        if self._owner is None:
            return ""
        public = self._owner.public_key().public_bytes_raw()
        keys.drop()
        keys.hold_private(public, self._owner.private_bytes_raw())
        text = vault.recipient_text(public)
        return f'[vault]\ncoded_names = false\nrecipients = ["{text}"]\n'

    def _watch(self, process: "subprocess.Popen[bytes]") -> Outcome:
        begun = self._until(process, self._parts, type_every=b"\x12" if self._on_screen else b"")
        if begun:
            self._until(process, lambda: self._size() > 200_000)
        self._until(process, self._mark.exists, type_every=self._fault.keys)
        self._wait(process, AFTERWARDS_S)
        went_on = process.poll() is None
        told = time.monotonic()
        if went_on:
            process.send_signal(signal.SIGTERM)
            self._until(process, lambda: process.poll() is not None)
        took_s = time.monotonic() - told if went_on else 0.0
        self._until_quiet()
        code = process.poll()
        return Outcome(self._fault.where, self._mark.exists(), went_on, code, took_s, self._kept())

    @property
    def _on_screen(self) -> bool:
        return self._fault.screen or self._fault.engine

    def _parts(self) -> list[Path]:
        return list(self._folder.glob("*.part*.h5"))

    def _size(self) -> int:
        return sum(path.stat().st_blocks * 512 for path in self._parts())

    def _until(
        self, process: "subprocess.Popen[bytes]", true: object, type_every: bytes = b""
    ) -> bool:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if callable(true) and true():
                return True
            if process.poll() is not None:
                return False
            self._drain()
            if type_every:
                with suppress(OSError):
                    os.write(self._master, type_every)
        return False

    def _wait(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            self._drain()

    def _drain(self) -> None:
        if select.select([self._master], [], [], 0.1)[0]:
            with suppress(OSError):
                os.read(self._master, 65536)

    def _until_quiet(self) -> None:
        """Wait for an engine that seals after its screen is gone."""
        end = time.monotonic() + 20
        while time.monotonic() < end and self._parts():
            time.sleep(0.2)

    def _kept(self) -> str:
        parts = self._parts()
        target = target_of(parts[0]) if parts else None
        try:
            if target is not None and parts_of(target):
                seal(target)
            found = [path for path in self._folder.glob("sub-*.h5") if ".part" not in path.name]
            if is_box(found[0]) != (self._owner is not None):
                return "lost: not encrypted as it was asked for"
            with Session.open(found[0]) as session:
                session.verify_digest()
        except (AffettiError, IndexError) as error:
            return f"lost: {error}"
        return "recovered" if parts else "sealed"


def outcomes(numbers: tuple[int, ...] = (), *, encrypted: bool = False) -> Iterator[Outcome]:
    """Try the faults of some numbers, from 1, or all."""
    owner = X25519PrivateKey.generate() if encrypted else None
    for number, fault in enumerate(FAULTS, start=1):
        if not numbers or number in numbers:
            with tempfile.TemporaryDirectory(prefix="affetti-fault-") as folder:
                yield Trial(fault, Path(folder), owner).run()


def main(*words: str) -> int:
    """Print a table; return 1 where one is not as it has to be."""
    good = tried = 0
    numbers = tuple(int(word) for word in words if word.isdecimal())
    for outcome in outcomes(numbers, encrypted="--encrypted" in words):
        print(outcome, flush=True)  # noqa: T201
        good, tried = good + (outcome.good and outcome.in_time), tried + 1
    print(f"{good} of {tried}")  # noqa: T201
    return int(good < tried)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
