"""A recording whose process is killed loses next to nothing, and never a marker."""

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import keys, vault
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.records import holds_records
from affetti.core.recording.sealing import SealReport, seal
from affetti.core.recording.session import Session
from tests import second_vault
from tests.recorder.films import moving_film, tone

AT_MOST_LOST_S = 1.0
ACKNOWLEDGED = re.compile(r"Marker (\d+) is on the disk")


@dataclass
class Victim:
    """A headless recording in a process of its own."""

    process: "subprocess.Popen[str]"
    target: Path
    acknowledged: int = 0  # markers it said were on the disk

    def listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := ACKNOWLEDGED.search(line):
                self.acknowledged = int(found[1])

    def mark(self, label: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(label + "\n")
        self.process.stdin.flush()


SLOW_DISK = """
import os, time
sync = os.fsync
os.fsync = lambda fd: (time.sleep(2.5), sync(fd))
from affetti.core.cli import main
main()
"""


@contextmanager
def recording(
    folder: Path,
    name: str,
    program: tuple[str, ...] = ("-m", "affetti"),
    options: tuple[str, ...] = (),
) -> Iterator[Victim]:
    film, track = folder / "film.avi", folder / "track.wav"
    if not film.exists():
        moving_film(film, seconds=60, per_s=30)
        tone(track, seconds=60)
    target = folder / f"{name}.h5"
    command = [sys.executable, *program, "record", "--headless", "--markers-from-stdin"]
    command += ["--camera", str(film), "--play", str(track), "--no-speaker"]
    command += ["--output", str(target), *options]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    victim = Victim(process, target)
    listener = threading.Thread(target=victim.listen)
    listener.start()
    try:
        yield victim
    finally:
        process.kill()
        process.wait()
        listener.join()


def wait_for_beginning(victim: Victim) -> None:
    deadline = time.monotonic() + 60
    while not parts_of(victim.target):
        assert victim.process.poll() is None, "the recording did not begin"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_one(
    folder: Path, seed: int, options: tuple[str, ...] = (), *, stopped_s: float = 0.0
) -> tuple[SealReport, float, int]:
    """Kill a recording at a random moment; return its report, the seconds lost, its markers.

    Those of odd seeds are encrypted. It may have been stopped for a moment before.
    """
    chance = random.Random(seed)
    owner = X25519PrivateKey.generate() if seed % 2 else None
    if owner:
        recipient = vault.recipient_text(owner.public_key().public_bytes_raw())
        options = (*options, "--recipient", recipient)
    with recording(folder, f"killed-{seed}", options=options) as victim:
        wait_for_beginning(victim)
        end = time.monotonic() + chance.uniform(0.2, 6.0)
        sent = 0
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.0, 0.3))
            victim.mark(f"marker {sent}")
            sent += 1
        if stopped_s:
            victim.process.send_signal(signal.SIGSTOP)
            time.sleep(stopped_s)
        victim.process.send_signal(signal.SIGKILL)
        killed = time.time()
        victim.process.wait()
    if owner is not None:
        open_for(owner, victim.target)
    report = seal(victim.target)
    with Session.open(victim.target) as session:
        session.verify_digest()
        assert (session.key is not None) == (owner is not None)
        labels = [marker.label for marker in session.markers]
        began = datetime.fromisoformat(session.started.wall_clock).timestamp()
        lost_s = killed - began - session.duration_s
    assert report.recovered
    assert labels == [f"marker {i}" for i in range(len(labels))]
    assert len(labels) >= victim.acknowledged, "a marker was lost"
    assert lost_s <= AT_MOST_LOST_S + stopped_s
    assert lost_s <= report.lost_s
    assert not parts_of(victim.target)
    return report, lost_s, len(labels)


def open_for(owner: X25519PrivateKey, target: Path) -> None:
    """Look that what a kill left shows no word and repeats no nonce; then let it be read."""
    data = [part.read_bytes() for part in parts_of(target)]
    assert not any(
        word in each for each in data for word in (b"marker", b"SessionStarted", b"anon")
    )
    used = [nonce for part in parts_of(target) for nonce, _ in second_vault.records(part, owner)]
    assert len(used) == len(set(used)) > 0
    keys.hold_private(owner.public_key().public_bytes_raw(), owner.private_bytes_raw())


CAMPAIGN = [pytest.param(seed, marks=pytest.mark.campaign) for seed in (1, 2)]


@pytest.mark.parametrize("seed", [0, *CAMPAIGN])
def test_a_killed_recording_keeps_every_marker(tmp_path: Path, seed: int) -> None:
    kill_one(tmp_path, seed)


def test_one_that_stood_still_before_it_was_killed_has_lost_no_more_than_it_says(
    tmp_path: Path,
) -> None:
    """As a busy machine lets a process stand still, which cannot say so any more."""
    kill_one(tmp_path, 3, stopped_s=0.7)


@pytest.mark.kill50
@pytest.mark.timeout(3600)
def test_fifty_killed_recordings(tmp_path: Path) -> None:
    results = [kill_one(tmp_path, 1000 + seed) for seed in range(50)]
    lost = sorted(lost_s for _, lost_s, _ in results)
    markers = sum(count for _, _, count in results)
    print(  # noqa: T201  the figures are what this is run for
        f"\n{len(results)} of 50 recovered; lost at most {lost[-1]:.3f} s, "
        f"median {lost[25]:.3f} s; {markers} markers, none lost"
    )


SLOW = [pytest.param(seed, marks=pytest.mark.campaign) for seed in range(1, 3)]


def kill_one_on_a_slow_disk(folder: Path, seed: int) -> tuple[float, float]:
    """Kill a recording whose disk takes 2.5 s each time; return the seconds lost and those said."""
    with recording(folder, f"slow-{seed}", ("-c", SLOW_DISK)) as victim:
        wait_for_beginning(victim)
        while not holds_records(part_path(victim.target, 1)):
            time.sleep(0.05)
        time.sleep(random.Random(seed).uniform(3.0, 8.0))
        victim.process.send_signal(signal.SIGKILL)
        killed = time.time()
        victim.process.wait()
    report = seal(victim.target)
    with Session.open(victim.target) as session:
        session.verify_digest()
        began = datetime.fromisoformat(session.started.wall_clock).timestamp()
        lost_s = killed - began - session.duration_s
    assert lost_s <= report.lost_s
    return lost_s, report.lost_s


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [0, *SLOW])
def test_a_slow_disk_makes_no_bound_untrue_and_loses_no_more(tmp_path: Path, seed: int) -> None:
    """What the disk has not taken yet is lost with the machine, and not with the process."""
    lost_s, _ = kill_one_on_a_slow_disk(tmp_path, seed)
    assert lost_s <= AT_MOST_LOST_S
