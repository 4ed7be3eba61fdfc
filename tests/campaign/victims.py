"""Recordings that are killed, over their whole life: what is said to be lost is, and no more.

They are recorded in real time, by processes that cost no loading (`warmed`), so that several can be
killed at once. Every second is encrypted, and every fifth keeps estimates alone; once they are
recovered, of each three one is withdrawn from, and one is treated by a rule of retention.
"""

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from affetti.core.custody import retention, vault, withdrawal
from affetti.core.custody.recovery import sealed
from affetti.core.errors import UsageError
from affetti.core.recording.names import part_path, parts_of
from affetti.core.recording.records import holds_records
from affetti.core.recording.sealing import SealReport
from affetti.core.recording.session import Session
from affetti.core.settings import Retention
from tests.campaign import warmed
from tests.campaign.session import lasting_folder
from tests.recorder.films import moving_film, tone
from tests.recorder.test_kill import ACKNOWLEDGED, AT_MOST_LOST_S, open_for

_SLOW_S: Final = 2.5
_PATIENCE_S: Final = 120
_FILM_S: Final = 150
_MAKING: Final = threading.Lock()


@cache
def _media() -> tuple[Path, Path]:
    folder = lasting_folder()
    film, track = folder / "film.avi", folder / "track.wav"
    moving_film(film, seconds=_FILM_S, per_s=30, size=(320, 240), grain=30)
    tone(track, seconds=_FILM_S)
    return film, track


class Victim:
    """A headless recording in a process of its own, which is told markers and may be killed."""

    def __init__(
        self,
        target: Path,
        options: tuple[str, ...],
        environment: dict[str, str] | None = None,
        settings: str = "",
    ) -> None:
        self.target = target
        self.acknowledged = 0  # markers that it said were on the disk
        with _MAKING:
            film, track = _media()
        words = ["record", "--headless", "--markers-from-stdin", "--camera", str(film)]
        words += ["--play", str(track), "--no-speaker", "--no-page"]
        words += ["--output", str(target), *options]
        file = target.with_suffix(".toml")
        file.write_text(f'sessions_folder = "{target.parent}"\n{settings}')
        said = {"AFFETTI_SETTINGS": str(file), "XDG_STATE_HOME": str(target.parent / "state")}
        said |= environment or {}
        reads, self._tells = os.pipe()
        self._hears, writes = os.pipe()
        with _MAKING:
            self._process = warmed.started_headless(words, said, reads, writes)
        os.close(reads)
        os.close(writes)
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        with os.fdopen(self._hears, encoding="utf-8") as said:
            self.said = ""
            for line in said:
                self.said = (self.said + line)[-2000:]
                if found := ACKNOWLEDGED.search(line):
                    self.acknowledged = int(found[1])

    def mark(self, label: str) -> None:
        """Tell it a marker."""
        os.write(self._tells, f"{label}\n".encode())

    def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is so."""
        end = time.monotonic() + _PATIENCE_S
        while not true():
            assert not self._process.ended(0.05), f"it ended: {self.said}"
            assert time.monotonic() < end, "it did not come"

    def tell_to_end(self, within_s: float) -> float:
        """Tell it to end, and give it some time; return when it was told, by the wall clock."""
        told = time.time()
        self._process.tell_to_end()
        self._process.ended(within_s)
        return told

    def kill(self) -> float:
        """Kill it, unless it is dead; return when, by the wall clock."""
        killed = time.time()
        if not self._process.ended():
            self._process.kill()
        self._listener.join()
        return killed


@contextmanager
def recording(
    folder: Path,
    options: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    settings: str = "",
) -> Iterator[Victim]:
    """Record until it is killed, which it is at the end of the block."""
    folder.mkdir()
    victim = Victim(folder / "session.h5", options, environment, settings)
    try:
        victim.until(lambda: bool(parts_of(victim.target)))
        yield victim
    finally:
        victim.kill()
        os.close(victim._tells)


def kill(folder: Path, seed: int) -> float:
    """Kill a recording at a random moment, recover it, and remove of it; return what was lost."""
    chance, work = random.Random(seed), folder / f"killed-{seed}"
    owner = X25519PrivateKey.generate() if seed % 2 else None
    options: tuple[str, ...] = ("--keep", "estimates") if seed % 5 == 4 else ()
    if owner:
        recipient = vault.recipient_text(owner.public_key().public_bytes_raw())
        options = (*options, "--recipient", recipient)
    with recording(work, options) as victim:
        if seed % 7:  # else it may be killed before there is anything of it
            victim.until(lambda: holds_records(part_path(victim.target, 1)))
        end, sent = time.monotonic() + chance.uniform(0.0, 6.0), 0
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.0, 0.3))
            victim.mark(f"marker {sent}")
            sent += 1
        killed = victim.kill()
    if not holds_records(part_path(victim.target, 1)):
        assert not seed % 7
        assert not victim.acknowledged
        assert sealed(victim.target) is None
        shutil.rmtree(work)
        return 0.0
    if owner is not None:
        open_for(owner, victim.target)
    report = recovered(victim.target)
    assert report.recovered
    lost_s = killed - recorded_until(victim.target)
    with Session.open(victim.target) as session:
        assert (session.key is not None) == (owner is not None)
        labels = [marker.label for marker in session.markers]
    assert labels == [f"marker {i}" for i in range(len(labels))]
    assert len(labels) >= victim.acknowledged, "a marker was lost"
    assert lost_s <= AT_MOST_LOST_S, f"{lost_s:.2f} s lost"
    assert lost_s <= report.lost_s, f"{lost_s:.2f} s lost, {report.lost_s:.2f} s said"
    removed(victim.target, seed)
    shutil.rmtree(work)
    return lost_s


def kill_on_a_slow_disk(folder: Path, seed: int) -> float:
    """Kill a recording whose disk takes 2.5 s each time; return the seconds that were lost."""
    work = folder / f"slow-{seed}"
    lost_s = lost_on_a_slow_disk(work, seed, lambda target: holds_records(part_path(target, 1)))
    shutil.rmtree(work)
    return lost_s


def lost_on_a_slow_disk(
    work: Path, seed: int, begun: Callable[[Path], bool], environment: dict[str, str] | None = None
) -> float:
    """Kill a recording some seconds after it has begun; return what was lost, which was said."""
    with recording(work, (), {"slow_disk": str(_SLOW_S)} | (environment or {})) as victim:
        victim.until(lambda: begun(victim.target))
        time.sleep(random.Random(seed).uniform(0.0, 8.0))
        killed = victim.kill()
    report = recovered(victim.target)
    lost_s = killed - recorded_until(victim.target)
    assert report.recovered
    assert lost_s <= report.lost_s, f"{lost_s:.2f} s lost, {report.lost_s:.2f} s said"
    return lost_s


def recovered(target: Path) -> SealReport:
    """Recover it as the command does; return the report."""
    report = sealed(target)
    assert report is not None
    assert not parts_of(target)
    with Session.open(target) as session:
        session.verify_digest()
    return report


def recorded_until(target: Path) -> float:
    """Return when what was recorded ends, by the wall clock."""
    with Session.open(target) as session:
        began = datetime.fromisoformat(session.started.wall_clock).timestamp()
        return began + session.duration_s


def removed(target: Path, seed: int) -> None:
    """Remove nothing, what consent is withdrawn to, or what a rule of retention says."""
    (lambda _: None, _withdrawn, _kept_no_longer)[seed % 3](target)


def _withdrawn(target: Path) -> None:
    """Withdraw consent to all that it has: no frame and no sound of the room is left."""
    with Session.open(target) as session:
        scopes, before, chain = withdrawal.scopes_in(session), len(session), session.log_sha256
        holds = bool(len(session.frames))
    try:
        withdrawal.withdraw(target, scopes)
    except UsageError:  # nothing that is kept rests on any
        assert not holds
        return
    with Session.open(target) as session:
        session.verify_digest()
        assert not len(session.frames)
        assert len(session.known_seqs) == before + 1
        assert session.chain_sha256(before_seq=session.last_seq) == chain


def _kept_no_longer(target: Path) -> None:
    """Carry out a rule of retention, a day after it is due."""
    rule, later = Retention(pictures_days=1, sound_days=1), date.today() + timedelta(days=3)
    with Session.open(target) as session:
        estimates = dict(session.state.estimates)
        holds = bool(len(session.frames))
    due = retention.outlook([target], rule, later).due
    assert bool(due) >= holds
    for each in due:
        retention.carry_out(each)
    with Session.open(target) as session:
        session.verify_digest()
        assert not len(session.frames)
        assert dict(session.state.estimates) == estimates
