"""Measures what the product promises of its speed, and prints a table: `make bench`.

Processor times and ratios within one run, since machines are shared and noisy. Nothing here
passes or fails; a person reads it.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import keys
from affetti.core.events import consent_to
from affetti.core.recording.parts import PartLog
from affetti.core.recording.sealing import seal
from affetti.core.recording.session import Session
from affetti.core.settings import Settings
from affetti.recorder.engine import messages
from affetti.recorder.engine.messages import Plan
from affetti.recorder.engine.process import EngineProcess, start_engine
from tests.conftest import SAMPLES, SESSION_ID, jpeg, started
from tests.recorder.films import face_film

WARM_S, MEASURED_S = 12, 30
SAMPLE = SAMPLES / "sample.h5"


def main() -> None:
    """Run every measurement and print its rows."""
    with tempfile.TemporaryDirectory() as folder:
        rows: list[tuple[str, str, str]] = []
        for measure in (engine, sealing, encryption, analyzer, help_time):
            rows += measure(Path(folder))
    width = max(len(name) for name, _, _ in rows)
    for name, value, target in rows:
        sys.stdout.write(f"{name:<{width}}  {value:>14}  {target}\n")


def engine(folder: Path) -> list[tuple[str, str, str]]:
    """Return the engine's load and its latency, at 30 frames and 44.1 kHz stereo."""
    film = face_film(folder / "face.avi", SAMPLE, WARM_S + MEASURED_S + 5, (640, 480), 30)
    tracks = sorted((SAMPLE.parent / "music").glob("*.ogg"))
    running = start_engine(Settings(sessions_folder=str(folder)))
    plan = Plan(
        person="bench",
        consent=consent_to("video", "room"),
        camera=str(film),
        playlist=tuple(map(str, tracks)),
        speaker=None,
    )
    wait_for(running, messages.Devices, send=messages.ListDevices())
    time.sleep(WARM_S)  # the models load
    messages.send(running.pipe, messages.Record(plan))
    listen(running, WARM_S)
    cpu, wall = processor_s(running.process.pid or 0), time.monotonic()
    health = listen(running, MEASURED_S)
    cpu = processor_s(running.process.pid or 0) - cpu
    wall = time.monotonic() - wall
    messages.send(running.pipe, messages.Quit())
    running.process.join()
    return [
        ("engine, share of one core", f"{cpu / wall:.1%}", "under 40 %"),
        ("frame to estimate, median", f"{health.face_latency_p50_ms or 0:.1f} ms", ""),
        ("frame to estimate, p95", f"{health.face_latency_p95_ms or 0:.1f} ms", "under 60 ms"),
        ("frames dropped, estimates skipped", f"{health.frames_dropped}, {health.skipped}", "0, 0"),
    ]


def listen(running: EngineProcess, seconds: float) -> messages.Health:
    """Read what the engine says for a while; return its last word on its health."""
    health = None
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if running.pipe.poll(0.1):
            message = messages.receive_message(running.pipe)
            if isinstance(message, messages.Health):
                health = message
            if isinstance(message, messages.Problem):
                raise RuntimeError(message.message)
    if health is None:
        raise RuntimeError("the engine said nothing of its health")
    return health


def wait_for(running: EngineProcess, kind: type, send: messages.Command) -> None:
    """Send a command and wait for its answer."""
    messages.send(running.pipe, send)
    while not isinstance(messages.receive_message(running.pipe), kind):
        pass


def processor_s(pid: int) -> float:
    """Return the processor seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sealing(folder: Path) -> list[tuple[str, str, str]]:
    """Return how fast a log becomes one sealed, verified file."""
    from affetti.core.events import FrameCaptured, SessionEnded

    target = folder / "sealing.h5"
    log = PartLog(target, SESSION_ID)
    log.append(started())
    picture = jpeg(90, (32, 48)) + os.urandom(30_000)
    for i in range(10_000):
        log.append(FrameCaptured(t_ns=i, frame=i, width_px=48, height_px=32), picture)
    log.append(SessionEnded(t_ns=10_000, reason="stopped"))
    size = log.bytes_written
    log.close()
    cpu, wall = timed(lambda: seal(target))
    return [("sealing", f"{size / 1e6 / wall:.0f} MB/s", f"{size / 1e6 / cpu:.0f} MB per CPU s")]


def encryption(folder: Path) -> list[tuple[str, str, str]]:
    """Return what encryption costs a recording of 30 frames a second, and a reader of it.

    An hour of 30 kB a frame would be 3.2 GB; ten minutes are written as fast as it goes, once
    plain and once encrypted, and the frames of the latter read at random places.
    """
    seconds, costs = 600, []
    key = keys.new_key([X25519PrivateKey.generate().public_key().public_bytes_raw()])
    keys.hold(key)
    for name, used in (("plain", None), ("hidden", key)) * 2:
        (folder / name).mkdir(exist_ok=True)
        log = PartLog(folder / name / f"x{len(costs)}.h5", SESSION_ID, key=used)
        cpu, _ = timed(lambda log=log: write_seconds(log, seconds))
        log.close()
        costs.append(cpu / seconds)
    more = min(costs[1::2]) - min(costs[::2])
    target = folder / "hidden" / "x1.h5"
    cpu, wall = timed(lambda: seal(target))
    opened, _ = timed(lambda: Session.open(target).close())
    reads = []
    with Session.open(target) as session:
        chance = random.Random(1)
        _ = session.frames[0].jpeg
        for _ in range(200):
            at = chance.randrange(len(session.frames))
            reads.append(timed(lambda at=at: session.frames[at].jpeg)[0])
    size = target.stat().st_size / 1e6
    reads.sort()
    return [
        ("encryption, share of one core", f"{more:.2%}", "under 2 %"),
        ("sealing, encrypted", f"{size / wall:.0f} MB/s", f"{size / cpu:.0f} MB per CPU s"),
        (f"opening {size:.0f} MB, encrypted", f"{opened * 1e3:.0f} ms", ""),
        ("a frame at random, median", f"{reads[100] * 1e3:.1f} ms", ""),
        ("a frame at random, p99", f"{reads[197] * 1e3:.1f} ms", "under 20 ms"),
    ]


def write_seconds(log: PartLog, seconds: int) -> None:
    """Write frames of 30 kB, sound at 44.1 kHz in stereo, and estimates, as a session has them."""
    from affetti.core.events import AudioCaptured, FrameCaptured, SessionEnded

    picture, sound = os.urandom(30_000), os.urandom(4410 * 2 * 2)
    log.append(started())
    for second in range(seconds):
        for i in range(30):
            t_ns = second * 10**9 + i * 33_000_000
            frame = FrameCaptured(t_ns=t_ns, frame=second * 30 + i, width_px=640, height_px=480)
            log.append(frame, picture)
        for i in range(10):
            at = second * 10 + i
            heard = AudioCaptured(t_ns=at * 10**8, stream="room", sample=at * 4410, count=4410)
            log.append(heard, sound)
    log.append(SessionEnded(t_ns=seconds * 10**9, reason="stopped"))


def analyzer(folder: Path) -> list[tuple[str, str, str]]:
    """Return how much faster than real time the analyzer is, on one core."""
    copy = folder / "sample.h5"
    copy.write_bytes(SAMPLE.read_bytes())
    with Session.open(copy) as session:
        duration_s = session.duration_s
    before = os.times()
    start = time.monotonic()
    subprocess.run(
        [sys.executable, "-P", "-m", "affetti", "analyze", str(copy)],
        check=True,
        capture_output=True,
    )
    wall, after = time.monotonic() - start, os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    speed = f"{duration_s / cpu:.1f} x"
    return [("analyzer, of real time per CPU second", speed, f"at least 10 x; wall {wall:.1f} s")]


def help_time(folder: Path) -> list[tuple[str, str, str]]:
    """Return how long `affetti --help` takes."""
    script = Path(sys.executable).with_name("affetti")
    runs = []
    for _ in range(9):
        _, wall = timed(lambda: subprocess.run([script, "--help"], check=True, capture_output=True))
        runs.append(wall)
    return [("affetti --help, median of 9", f"{sorted(runs)[4]:.2f} s", "under 0.3 s")]


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Return the processor and wall seconds of an action."""
    cpu, wall = time.process_time(), time.monotonic()
    action()
    return time.process_time() - cpu, time.monotonic() - wall


if __name__ == "__main__":
    main()
