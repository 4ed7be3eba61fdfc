"""`affetti sync`: how late pictures are against sound."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from affetti.core.numbers import Number
from affetti.core.paths import TypedPath

if TYPE_CHECKING:
    from affetti.analyzer.measures.synchrony import Measured, Unmeasured
    from affetti.core.streams import Stream

_LENGTH_S = (8.0, 300.0)


@click.command()
@click.argument("session", required=False, type=TypedPath(path_type=Path))
@click.option("--camera", metavar="SOURCE", help="As of `affetti record`. [default: settings]")
@click.option(
    "--microphone",
    metavar="SOURCE",
    help="As of `affetti record`. [default: settings, or of a film its own sound]",
)
@click.option("--speaker", metavar="NAME", help="Where to beep. [default: settings]")
@click.option(
    "--silent",
    "--no-speaker",
    "silent",
    is_flag=True,
    help="Neither flash nor beep: something else does.",
)
@click.option(
    "--clap",
    is_flag=True,
    help="Somebody claps, and nothing flashes or beeps: five times or more, hands in full view "
    "and still for a moment after each.",
)
@click.option(
    "--seconds", type=Number(_LENGTH_S), default=20.0, show_default=True, help="How long to look."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def sync(
    session: Path | None,
    camera: str | None,
    microphone: str | None,
    speaker: str | None,
    silent: bool,
    clap: bool,
    seconds: float,
    as_json: bool,
) -> int:
    """Measure how late the pictures of a camera are against the sound of a microphone.

    Hold the camera before this screen: it flashes, and the speaker beeps. What the screen and the
    speaker themselves are late by is measured with it; where that matters, let something whose
    picture and sound are known to be together do it (--silent). Of a recording in which there
    were flashes with beeps, or of a film and a sound file, it is measured from these.

    Without a screen, clap (--clap): to 15 ms, which takes 25 pictures a second or more and hands
    within a metre of the microphone; what is less clear than that is refused. Flashes are finer.

    What is found is kept for the two devices: recordings made with them from then on carry it,
    and what is said of the face is set right by it; stamps stay as they came.

    Exits with 1 where nothing could be measured.

    \b
    affetti sync
    affetti sync --silent --camera 2 --microphone headset
    affetti sync --clap
    affetti sync sub-P07_ses-20261124T101500.h5
    """
    from affetti.core import settings, terminal
    from affetti.core.errors import ExitCode

    if session is not None:
        found, streams = _of_session(session, clap)
    else:
        chosen = settings.load()
        used = chosen.speaker if speaker is None else speaker
        camera = camera or chosen.camera
        found, streams = _live(camera, microphone, used, seconds, silent=silent, clap=clap)
    kept = _kept(found, streams)
    if as_json:
        terminal.print_json(_as_json(found, kept))
    else:
        for line in _lines(found, kept, clap):
            terminal.say(line)
    return ExitCode.OK if _is_measured(found) else ExitCode.WARNING


def _of_session(session: Path, clap: bool) -> "tuple[Measured | Unmeasured, tuple[Stream, ...]]":
    from affetti.analyzer.measures.synchrony import measure
    from affetti.core.recording.session import Session

    with Session.open(session) as opened:
        return measure(opened, claps=clap), opened.started.streams


def _live(
    camera: str,
    microphone: str | None,
    speaker: str,
    seconds: float,
    *,
    silent: bool,
    clap: bool,
) -> "tuple[Measured | Unmeasured, tuple[Stream, ...]]":
    from affetti.core import settings
    from affetti.core.events import consent_to
    from affetti.recorder.engine.messages import Plan
    from affetti.recorder.flashes import record_and_measure
    from affetti.recorder.sources.camera import open_camera
    from affetti.recorder.sources.microphone import open_microphone

    chosen = settings.load()
    film = open_camera(camera, chosen.video).finite
    if microphone is None and not film:  # which may bring its own sound along
        microphone = chosen.microphone
    heard = microphone is not None and open_microphone(microphone).finite
    plan = Plan(
        person="sync",
        consent=consent_to(),
        camera=camera,
        microphone=microphone,
        speaker=speaker,
    )
    emit = not (silent or clap or film or heard)
    return record_and_measure(plan, chosen, seconds, emit=emit, claps=clap)


def _is_measured(found: "Measured | Unmeasured") -> bool:
    from affetti.analyzer.measures.synchrony import Measured

    return isinstance(found, Measured)


def _kept(found: "Measured | Unmeasured", streams: "tuple[Stream, ...]") -> Path | None:
    """Keep what was measured for its devices; return where, None where there are none."""
    from datetime import UTC, datetime

    from affetti.analyzer.measures.synchrony import Measured
    from affetti.core import synchrony

    devices = synchrony.devices_of(streams)
    if devices is None or not isinstance(found, Measured):
        return None
    measured = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    try:
        return synchrony.keep(*devices, found.synchrony(measured))
    except OSError:  # a home that cannot be written
        return None


def _lines(found: "Measured | Unmeasured", kept: Path | None, clap: bool) -> list[str]:
    from affetti.analyzer.measures.synchrony import Measured
    from affetti.core.language import text
    from affetti.core.recording.losses import synchrony_words

    if not isinstance(found, Measured):
        said = text(f"sync.{found.why}", flashes=found.flashes, beeps=found.beeps)
        return [said, text("sync.clap_again" if clap else "sync.try_again")]
    words = synchrony_words(round(found.late_s * 1e9), round(found.spread_s * 1e9))
    measured = text("sync.clapped" if clap else "sync.measured", words=words, pairs=found.pairs)
    return [measured, text("sync.kept", path=kept) if kept else text("sync.not_kept")]


def _as_json(found: "Measured | Unmeasured", kept: Path | None) -> dict[str, object]:
    from affetti.analyzer.measures.synchrony import Measured

    counts = {"flashes": found.flashes, "beeps": found.beeps}
    if not isinstance(found, Measured):
        return {"measured": False, "why": found.why, **counts}
    return {
        "measured": True,
        "late_ms": found.late_s * 1000,
        "spread_ms": found.spread_s * 1000,
        "pairs": found.pairs,
        **counts,
        "kept": None if kept is None else str(kept),
    }
