"""Records through a sound card and steers the recording; run as a process of its own.

Usage: card_session.py TARGET SCRIPT FILM SPEAKER MICROPHONE TRACK...
"""

import sys
import time
from typing import Any, Final

from affetti.core.events import consent_to
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.engine.engine import Engine

_BOTH: Final = consent_to("video", "room")

# What is done, and how many seconds after what was done before.
SCRIPTS: Final[dict[str, list[tuple[float, Any]]]] = {
    "untouched": [],
    "paused": [
        (1.5, messages.PauseRecording()),
        (1.2, messages.ResumeRecording()),
        (1.0, messages.PauseRecording()),
        (0.0, messages.ResumeRecording()),
    ],
    "track paused, skipped, again and stopped": [
        (1.0, messages.SteerTrack("pause")),
        (0.7, messages.SteerTrack("resume")),
        (0.6, messages.SteerTrack("next")),
        (0.8, messages.SteerTrack("previous")),
        (0.8, messages.SteerTrack("stop")),
    ],
    "withdrawn and given again": [
        (1.2, messages.ChangeConsent(consent_to("room"))),
        (0.9, messages.ChangeConsent(consent_to())),
        (0.6, messages.PauseRecording()),
        (0.6, messages.ResumeRecording()),
        (0.7, messages.ChangeConsent(_BOTH)),
    ],
}


def main(target: str, script: str, film: str, speaker: str, microphone: str, *tracks: str) -> None:
    engine = Engine(Settings(), lambda message: None)
    engine.carry_out(
        messages.Record(
            messages.Plan(
                person="P1",
                consent=_BOTH,
                camera=film,
                microphone=microphone,
                playlist=tracks,
                speaker=speaker,
                output=target,
            )
        )
    )
    for wait_s, command in [(1.0, messages.Mark("begun")), *SCRIPTS[script]]:
        _turn(engine, wait_s)
        engine.carry_out(command)
    _turn(engine, 1.5)
    engine.carry_out(messages.Stop())


def _turn(engine: Engine, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        engine.turn()
        time.sleep(0.005)


if __name__ == "__main__":
    main(*sys.argv[1:])
