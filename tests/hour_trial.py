"""What an hour costs, command by command: `make hour`, or of less: `make hour MINUTES=10`.

The bundled minute is played over and over, its pictures at 640 x 480 and 24 a second, with a
signal of 250 Hz beside it, and what is estimated of that is recorded with it, as it is live. For
each command its processor seconds, its time and the most memory that it held are printed, and it
fails where one of them does.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from msgspec.structs import replace

from affetti.core.clock import NS_PER_S
from affetti.core.events import (
    ESTIMATES,
    AudioCaptured,
    ClockAnchored,
    EstimateSkipped,
    Event,
    FrameCaptured,
    SamplesCaptured,
    SessionEnded,
    SessionStarted,
    TrackEnded,
    TrackStarted,
    consent_to,
    decode,
)
from affetti.core.recording.parts import PartLog
from affetti.core.recording.pictures import decoded
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.streams import Channel, Stream
from affetti.models.perception import Perception
from affetti.models.pipelines import AFFETTI, Offer
from affetti.sample_sessions.pieces import SAMPLE

_AFFETTI: Final = (sys.executable, "-P", "-m", "affetti")
_SIZE: Final = (640, 480)
_QUALITY: Final = 90
_MINUTE_S: Final = 59  # of the bundled session
_MINUTE_NS: Final = _MINUTE_S * NS_PER_S
_PLAYED_HZ: Final = 44_100
_EACH_NS: Final = 41_708_333  # half of what lies between two pictures of the bundled film
_PERIOD_NS: Final = 100_000_000  # one picture in so long is read
_RATE_HZ: Final = 250
_SIGNAL: Final = Stream(
    name="heart",
    kind="samples",
    encoding="float32",
    rate_hz=float(_RATE_HZ),
    channels=(Channel(name="ecg", unit="mV"),),
    scope="signals",
)
# What was estimated of the bundled minute is not what is estimated of pictures of another size.
_LEFT_OUT: Final = (SessionStarted, SessionEnded, EstimateSkipped, *ESTIMATES)
_COMMANDS: Final = (
    "info",
    "check",
    "report",
    "analyze --stored --parquet",
    "group",
    *(f"export --to {name}" for name in ("parquet", "elan", "textgrid", "webvtt", "bids")),
    "verify",
    "export --to mp4-faceless",
    "export --to mp4",
    "export --to bids-media",
)


def main() -> None:
    """Make a recording of so many minutes, and print what each command takes of it."""
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    chosen = sys.argv[2:] or _COMMANDS
    with tempfile.TemporaryDirectory(prefix="affetti-hour-") as name:
        recording = Path(name) / "hour.h5"
        # In a process of its own: what is started by one that held much counts as having held it.
        with ProcessPoolExecutor(1) as other:
            other.submit(build, recording, minutes).result()
        _say(f"{minutes} minutes, {recording.stat().st_size / 1e6:.0f} MB")
        for command in chosen:
            _say(f"{command:<28}{cost(command, recording)}")


@dataclass(frozen=True)
class Cost:
    """What a command took: processor seconds, seconds, and the most memory it held, in MB."""

    cpu_s: float
    wall_s: float
    memory_mb: float

    def __str__(self) -> str:
        return f"{self.cpu_s:7.1f} s CPU {self.wall_s:7.1f} s {self.memory_mb:6.0f} MB"


def cost(command: str, recording: Path) -> Cost:
    """Run a command on a recording to its end.

    Raises
    ------
    RuntimeError
        It failed: its exit code is neither 0 nor that of a warning.
    """
    began = time.monotonic()
    words = [*_AFFETTI, *command.split(), str(recording)]
    if command.startswith(("export", "group")):
        words += ["--output", str(recording.with_name(command.replace(" ", "")))]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as running:
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode not in (0, 1):
        raise RuntimeError(f"{command}: exit {running.returncode}")
    cpu_s = used.ru_utime + used.ru_stime
    return Cost(cpu_s, time.monotonic() - began, used.ru_maxrss / 1024)


def build(target: Path, minutes: int) -> None:
    """Record so many bundled minutes one after the other, with what is estimated of them."""
    with Session.open(SAMPLE) as session:
        started = replace(
            session.started,
            session_id="0" * 31 + "1",
            person="hour",
            consent=consent_to("video", "signals", "research"),
            streams=(*session.started.streams, _SIGNAL),
        )
        records = [
            (decode(each.json, session.schema_version), each.blob) for each in session.records()
        ]
    happened = [(event, blob) for event, blob in records if event.t_ns < _MINUTE_NS]
    log, perception = PartLog(target, started.session_id), _perception()
    t_ns = 0
    for event, blob in chain([(started, b"")], _long(happened, minutes)):
        numbered = log.append(event, blob)
        t_ns = event.t_ns
        if event.traits.perceived:
            for estimate in perception.push(numbered, blob):
                log.append(estimate)
    log.append(SessionEnded(t_ns=t_ns, reason="stopped"))
    log.close()
    seal(target)


def _perception() -> Perception:
    chosen = Offer(AFFETTI).open()
    return Perception(
        chosen.read_face,
        chosen.read_music,
        look=chosen.look,
        describe=chosen.describe,
        listen=chosen.listen,
    )


def _long(happened: list[tuple[Any, bytes]], minutes: int) -> Iterator[tuple[Event, bytes]]:
    """Yield what happened again and again, its times, frames, samples and tracks going on."""
    captured = [event for event, _ in happened if isinstance(event, AudioCaptured)]
    frames = 2 * sum(isinstance(event, FrameCaptured) for event, _ in happened)
    samples = _MINUTE_S * _PLAYED_HZ
    tracks = sum(isinstance(event, TrackStarted) for event, _ in happened)
    second = 0
    for i in range(minutes):
        for event, blob in happened:
            if isinstance(event, _LEFT_OUT):
                continue
            moved = replace(event, t_ns=event.t_ns + i * _MINUTE_NS)
            match moved:
                case FrameCaptured():
                    yield from _twice(moved, blob, i * frames)
                    continue
                case TrackStarted() | TrackEnded():
                    moved = replace(
                        moved, track=moved.track + i * tracks, sample=moved.sample + i * samples
                    )
                case AudioCaptured() | ClockAnchored():
                    moved = replace(moved, sample=moved.sample + i * samples)
            yield moved, blob
            while (second + 1) * NS_PER_S <= moved.t_ns:
                yield _heart(second)
                second += 1
        yield _until(captured[-1], samples, i)


def _twice(event: FrameCaptured, jpeg: bytes, before: int) -> Iterator[tuple[Event, bytes]]:
    """Yield a picture twice, of the size of a camera's; the second is none that is read."""
    large, (width, height) = _large(jpeg), _SIZE
    last_ns = (event.t_ns // _PERIOD_NS + 1) * _PERIOD_NS - 1
    for i in range(2):
        yield (
            replace(
                event,
                t_ns=min(event.t_ns + i * _EACH_NS, last_ns),
                frame=before + 2 * event.frame + i,
                width_px=width,
                height_px=height,
            ),
            large,
        )


@cache
def _large(jpeg: bytes) -> bytes:
    picture = decoded(jpeg)
    if picture is None:
        raise RuntimeError("a picture of the bundled session cannot be read")
    large = cv2.resize(picture, _SIZE, interpolation=cv2.INTER_CUBIC)
    _, data = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()


def _until(last: AudioCaptured, samples: int, minute: int) -> tuple[Event, bytes]:
    """Return silence until the minute is whole."""
    end = last.sample + last.count
    event = replace(
        last,
        t_ns=minute * _MINUTE_NS + last.t_ns + last.count * NS_PER_S // _PLAYED_HZ,
        sample=minute * samples + end,
        count=samples - end,
    )
    return event, bytes(4 * event.count)


def _heart(second: int) -> tuple[Event, bytes]:
    at_s = second + np.arange(_RATE_HZ) / _RATE_HZ
    values = np.sin(2 * np.pi * 1.2 * at_s).astype("<f4")
    event = SamplesCaptured(
        t_ns=second * NS_PER_S, stream=_SIGNAL.name, sample=second * _RATE_HZ, count=_RATE_HZ
    )
    return event, at_s.astype("<f8").tobytes() + values.tobytes()


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
