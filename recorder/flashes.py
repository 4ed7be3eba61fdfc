"""Flashes on the terminal with beeps from the speaker, recorded to see how late pictures are."""

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, TextIO

import numpy as np
import soundfile
from msgspec.structs import replace

from affetti.analyzer.measures.synchrony import Measured, Unmeasured, measure
from affetti.core.clock import NS_PER_S
from affetti.core.events import consent_to
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.core.streams import Stream
from affetti.recorder.engine.live import Readers
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.recording import Recording

RATE_HZ: Final = 48_000
BEEP_S: Final = 0.06
FLASH_S: Final = 0.15
_PITCH_HZ: Final = 2_000
# In no rhythm, so that no other pairing fits as well; never three in a second, for those whom
# flicker harms.
_APART_S: Final = (0.45, 0.8)
_FIRST_S: Final = 1.5
_LAST_S: Final = 1.0  # before the end
_TURN_S: Final = 0.001

# A terminal in white, and in black again.
_WHITE: Final = "\x1b[48;2;255;255;255m\x1b[2J"
_BLACK: Final = "\x1b[48;2;0;0;0m\x1b[2J"
_BEGIN: Final = f"\x1b[?1049h\x1b[?25l{_BLACK}"
_END: Final = "\x1b[0m\x1b[?25h\x1b[?1049l"


def moments(seconds: float, seed: int = 1) -> list[float]:
    """Return when there is a flash with a beep in a stretch of so many seconds, from its begin."""
    chance, found, at = random.Random(seed), [], _FIRST_S  # noqa: S311  no secret
    while at < seconds - _LAST_S:
        found.append(at)
        at += chance.uniform(*_APART_S)
    return found


def write_beeps(path: Path, seconds: float) -> Path:
    """Write the sound: a short tone that begins at once at each of the `moments`."""
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    t = np.arange(round(BEEP_S * RATE_HZ)) / RATE_HZ
    beep = 0.7 * np.cos(2 * np.pi * _PITCH_HZ * t) * (1 - t / BEEP_S)
    for at in moments(seconds):
        begin = round(at * RATE_HZ)
        sound[begin : begin + len(beep)] += beep.astype(np.float32)
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
    return path


def record_and_measure(
    plan: Plan, settings: Settings, seconds: float, *, emit: bool, claps: bool = False
) -> tuple[Measured | Unmeasured, tuple[Stream, ...]]:
    """Record for some seconds into a folder that is gone afterwards, and measure.

    Parameters
    ----------
    plan
        A camera and a microphone; a speaker where there is something to emit.
    settings
        How to record.
    seconds
        For how long; a film and a sound file may end it earlier.
    emit
        Whether to flash the terminal and to beep; otherwise something else does.
    claps
        Whether it is claps that are looked for.

    Raises
    ------
    AffettiError
        A device cannot be opened, or the recording failed.
    """
    with tempfile.TemporaryDirectory(prefix="affetti-sync-") as place:
        folder = Path(place)
        beeps = (str(write_beeps(folder / "beeps.wav", seconds)),) if emit else ()
        whole = replace(
            plan,
            person="sync",
            consent=consent_to("video", "room"),
            output=str(folder / "sync.h5"),
            playlist=beeps,
            duration_s=seconds + 1,
            unattended=not emit,
        )
        target = _record(whole, settings, moments(seconds) if emit else [])
        with Session.open(target) as session:
            return measure(session, claps=claps), session.started.streams


def _record(plan: Plan, settings: Settings, flashes: list[float]) -> Path:
    recording = Recording(plan, settings, Readers(), lambda event, blob: None)
    screen = _Screen(sys.stderr if flashes and sys.stderr.isatty() else None)
    try:
        screen.show(_BEGIN)
        while recording.over is None:
            screen.show(_WHITE if _is_flash(recording, flashes) else _BLACK)
            time.sleep(_TURN_S if flashes else 20 * _TURN_S)
    finally:
        screen.show(_END)
        recording.finish("duration")
    if recording.failure is not None:
        raise recording.failure
    return seal(recording.target).path


def _is_flash(recording: Recording, flashes: list[float]) -> bool:
    """Return whether a beep is heard now, or was a moment ago."""
    track = recording.state.track
    if track is None:
        return False
    at_s = (recording.clock.now_ns() - track.start_ns) / NS_PER_S
    return any(0 <= at_s - each < FLASH_S for each in flashes)


class _Screen:
    """A terminal that is told only what it does not show already; None for none."""

    def __init__(self, terminal: TextIO | None) -> None:
        self._terminal = terminal
        self._shown = ""

    def show(self, what: str) -> None:
        if self._terminal is not None and self._shown != what:
            self._shown = what
            self._terminal.write(what)
            self._terminal.flush()
